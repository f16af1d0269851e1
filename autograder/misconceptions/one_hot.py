"""Wrong answers that students give in chapter 1, and the hint for each."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import one_hot as reference

# ---------------------------------------------------------------------------------- build_vocab


def _cut(words: list[str], max_size: int | None) -> list[str]:
    """The vocabulary from its words in their order; the limit is kept, and refused, as it should
    be."""
    if max_size is not None and max_size < 1:
        raise ValueError(f"max_size is {max_size}.")
    return ["<unk>", *words][:max_size]


@misconception("build_vocab")
def first_appearance_order(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words stand in the order of their first appearance. That order decides only between
    words that occur equally often; the more frequent word comes first."""
    counts = Counter(token for token in tokens if token != "<unk>")
    return _cut([word for word in counts if counts[word] >= min_count], max_size)


@misconception("build_vocab")
def alphabetical_order(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words stand in alphabetical order. The vocabulary is ordered by how often a word
    occurs, the most frequent first."""
    return _cut(sorted(reference.build_vocab(tokens, min_count)[1:]), max_size)


@misconception("build_vocab")
def ties_in_alphabetical_order(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words with equal counts stand in alphabetical order. They should stand in the order of
    their first appearance in the text; look at what your sort compares after the count."""
    counts = Counter(tokens)
    words = sorted(reference.build_vocab(tokens, min_count)[1:], key=lambda w: (-counts[w], w))
    return _cut(words, max_size)


@misconception("build_vocab")
def ties_latest_first(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your words with equal counts stand in reverse order: the one that appeared last comes first.
    This happens when a list sorted upwards is turned round, because the ties turn round too."""
    counts = Counter(token for token in tokens if token != "<unk>")
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: counts[w])
    return _cut(words[::-1], max_size)


@misconception("build_vocab")
def rarest_first(tokens: list[str], min_count: int = 1, max_size: int | None = None) -> list[str]:
    """Your rarest words come first. Sort by falling frequency: the word with id 1 is the most
    frequent one."""
    counts = Counter(token for token in tokens if token != "<unk>")
    words = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: counts[w])
    return _cut(words, max_size)


@misconception("build_vocab")
def no_unknown_entry(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your vocabulary has no entry "<unk>". It has to be at place 0: it is the id of every word
    that the vocabulary does not have."""
    return _cut(reference.build_vocab(tokens, min_count)[1:], max_size)[1:]


@misconception("build_vocab")
def unknown_at_the_end(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your "<unk>" is the last entry. It belongs at place 0, so that its id is the same for every
    vocabulary, however large."""
    return [*reference.build_vocab(tokens, min_count, max_size)[1:], "<unk>"]


@misconception("build_vocab")
def min_count_is_not_enough(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """You drop the words that occur exactly `min_count` times. "At least this many times" keeps
    them: look at your comparison."""
    return reference.build_vocab(tokens, min_count + 1, max_size)


@misconception("build_vocab")
def max_size_without_unknown(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your vocabulary has one entry too many when `max_size` is given: the limit counts "<unk>"
    too."""
    return reference.build_vocab(tokens, min_count, None if max_size is None else max_size + 1)


@misconception("build_vocab")
def unknown_twice(tokens: list[str], min_count: int = 1, max_size: int | None = None) -> list[str]:
    """Your vocabulary holds "<unk>" twice when the text itself has the token "<unk>". Two entries
    with the same name would need two ids: leave that token out when you count."""
    counts = Counter(tokens)
    return _cut([w for w, count in counts.most_common() if count >= min_count], max_size)


@misconception("build_vocab")
def unknown_takes_a_place(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your vocabulary is too short when the text has the token "<unk>" and `max_size` is given: you
    cut the list while that token is still in it. Leave it out first, then cut."""
    if max_size is not None and max_size < 1:
        raise ValueError(f"max_size is {max_size}.")
    frequent = Counter(tokens).most_common(None if max_size is None else max_size - 1)
    return ["<unk>", *(w for w, count in frequent if count >= min_count and w != "<unk>")]


@misconception("build_vocab")
def too_small_a_limit_accepted(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your function accepts a `max_size` below 1, although not even "<unk>" has room then. Raise a
    ValueError."""
    return reference.build_vocab(tokens, min_count)[:max_size]


@misconception("build_vocab")
def only_a_limit_of_zero_refused(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your function refuses a `max_size` of 0, but accepts a negative one, and a slice counts that
    from the end of the list. Refuse every limit below 1."""
    if max_size == 0:
        raise ValueError("max_size is 0.")
    return reference.build_vocab(tokens, min_count)[:max_size]


@misconception("build_vocab")
def limit_of_zero_taken_for_none(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    """Your function takes a `max_size` of 0 for no limit. This happens with `if max_size:`, which
    is false for 0 as well as for None; compare with `is None`."""
    return reference.build_vocab(tokens, min_count, max_size or None)


# --------------------------------------------------------------------------------------- encode


@misconception("encode")
def unknown_words_raise(words: list[str], vocab: list[str]) -> Tensor:
    """Your function stops at a word that the vocabulary does not have. Text is full of such words:
    give them id 0, and go on."""
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id[word] for word in words], dtype=torch.int64)


@misconception("encode")
def unknown_words_raise_in_index(words: list[str], vocab: list[str]) -> Tensor:
    """Your function stops at a word that the vocabulary does not have, because `list.index` raises
    an error there. Such words get id 0. (And `list.index` reads the list from its start for each
    word: in a large vocabulary that is very slow.)"""
    return torch.tensor([vocab.index(word) for word in words], dtype=torch.int64)


@misconception("encode")
def unknown_words_dropped(words: list[str], vocab: list[str]) -> Tensor:
    """Your result leaves the unknown words out. It must have one id for each word, or the places in
    the sentence no longer fit: an unknown word gets id 0."""
    return reference.encode([word for word in words if word in vocab], vocab)


@misconception("encode")
def unknown_is_minus_one(words: list[str], vocab: list[str]) -> Tensor:
    """Your unknown words get -1, which is no place in the vocabulary. They get the id of "<unk>",
    which is 0."""
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id.get(word, -1) for word in words], dtype=torch.int64)


@misconception("encode")
def unknown_after_the_last(words: list[str], vocab: list[str]) -> Tensor:
    """Your unknown words get id V, one more than the last word's. The vocabulary already has an
    entry for them: "<unk>", id 0."""
    word_to_id = {word: word_id for word_id, word in enumerate(vocab)}
    return torch.tensor([word_to_id.get(word, len(vocab)) for word in words], dtype=torch.int64)


@misconception("encode")
def ids_count_from_one(words: list[str], vocab: list[str]) -> Tensor:
    """Your ids count from 1. A word's id is its place in the list, and the first place is 0."""
    return reference.encode(words, vocab) + 1


@misconception("encode")
def numbered_in_the_sentence(words: list[str], vocab: list[str]) -> Tensor:
    """You number the words in the order of the sentence. The id must come from the vocabulary, so
    that a word has the same id in every sentence."""
    order = {word: place for place, word in enumerate(dict.fromkeys(words))}
    return torch.tensor([order[word] for word in words], dtype=torch.int64)


@misconception("encode")
def ids_as_floats(words: list[str], vocab: list[str]) -> Tensor:
    """Your ids are floating-point numbers. An id is a place in a list: ask for `dtype=torch.int64`
    when you make the tensor."""
    return reference.encode(words, vocab).to(torch.float32)


@misconception("encode")
def empty_sentence_as_floats(words: list[str], vocab: list[str]) -> Tensor:
    """Your result for an empty sentence is float32: with an empty list torch can't see that you
    mean integers. Name the dtype when you make the tensor."""
    return torch.tensor(reference.encode(words, vocab).tolist())


@misconception("encode")
def vocabulary_from_outside(words: list[str], vocab: list[str]) -> Tensor:
    """You look the words up in a vocabulary from outside the function. Build what you look them up
    in from the argument `vocab`, inside: each call may bring another vocabulary."""
    outside = ["<unk>", "flies", "like", "time", "an", "arrow", "fruit", "a", "banana"]
    return reference.encode(words, outside)


@misconception("encode")
def list_of_ids(words: list[str], vocab: list[str]) -> list[int]:  # the type is the mistake
    """Your result is a list of Python numbers. The ids should come as a torch tensor of type int64,
    so that the next functions can calculate with them."""
    ids: list[int] = reference.encode(words, vocab).tolist()
    return ids


@misconception("encode")
def array_of_ids(words: list[str], vocab: list[str]) -> np.ndarray:  # the type is the mistake
    """Your result is a NumPy array. In this course numbers live in torch tensors: make one with
    `torch.tensor`."""
    return np.array(reference.encode(words, vocab).tolist(), dtype=np.int64)


# --------------------------------------------------------------------------------------- decode


@misconception("decode")
def words_count_from_one(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your words are one place off: you count places from 1. Id 0 is the first entry, "<unk>"."""
    return [vocab[word_id - 1] for word_id in ids.tolist()]


@misconception("decode")
def unknown_left_out(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your result leaves id 0 out. It must have one word for each id: id 0 gives "<unk>"."""
    return reference.decode(ids[ids != 0], vocab)


@misconception("decode")
def joined_to_one_string(ids: Tensor, vocab: list[str]) -> str:  # the type is the mistake
    """Your result is one string. Give back a list with one word for each id; whoever wants a
    sentence can join it."""
    return " ".join(reference.decode(ids, vocab))


@misconception("decode")
def only_minus_one_refused(ids: Tensor, vocab: list[str]) -> list[str]:
    """You refuse the id -1, but not the other negative ids: Python reads `vocab[-2]` as the last
    entry but one. Refuse every id below 0."""
    words = []
    for word_id in ids.tolist():
        if word_id == -1:
            raise IndexError("There is no word with id -1.")
        words.append(vocab[word_id])
    return words


@misconception("decode")
def only_the_last_id_tested(ids: Tensor, vocab: list[str]) -> list[str]:
    """You test only the last of the ids. Look at where your test stands: it must run for each id,
    inside the loop."""
    words = [vocab[word_id] for word_id in ids.tolist()]
    if len(ids) and not 0 <= int(ids[-1]) < len(vocab):
        raise IndexError("An id is wrong.")
    return words


@misconception("decode")
def negative_ids_from_the_end(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function accepts negative ids: Python reads `vocab[-1]` as the last entry, so a wrong id
    becomes a wrong word in silence. Raise an IndexError."""
    return [vocab[word_id] for word_id in ids.tolist()]


@misconception("decode")
def wrong_ids_become_unknown(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function turns an id outside the vocabulary into "<unk>". A word may be unknown; an id
    that does not exist is a mistake in the program. Raise an IndexError."""
    return [vocab[i] if 0 <= i < len(vocab) else "<unk>" for i in ids.tolist()]


@misconception("decode")
def words_without_repeats(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your result names each word only once. Give one word for each id, repeats included."""
    return list(dict.fromkeys(reference.decode(ids, vocab)))


@misconception("decode")
def dictionary_asked_for_tensors(ids: Tensor, vocab: list[str]) -> list[str]:
    """You look up tensors in a dictionary. Going through a tensor gives small tensors, which are
    never equal to a key; `ids.tolist()` gives Python's own numbers."""
    word_of = dict(enumerate(vocab))
    return [word_of[word_id] for word_id in ids]


@misconception("decode")
def wrong_ids_raise_a_key_error(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function raises a KeyError for a wrong id, as every dictionary does. The exception that
    is asked for is an IndexError."""
    word_of = dict(enumerate(vocab))
    return [word_of[word_id] for word_id in ids.tolist()]


@misconception("decode")
def least_of_no_ids(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function fails when there are no ids: an empty tensor has no `min()`. A condition on all
    ids followed by `.any()` works for none, too; so does a test inside the loop."""
    if ids.min() < 0 or ids.max() >= len(vocab):
        raise IndexError("An id is wrong.")
    return [vocab[word_id] for word_id in ids.tolist()]


@misconception("decode")
def greatest_of_no_ids(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your function fails when there are no ids: an empty tensor has no `max()`. A condition on all
    ids followed by `.any()` works for none, too; so does a test inside the loop."""
    if ids.max() >= len(vocab) or ids.min() < 0:
        raise IndexError("An id is wrong.")
    return [vocab[word_id] for word_id in ids.tolist()]


@misconception("decode")
def all_ids_in_one_condition(ids: Tensor, vocab: list[str]) -> list[str]:
    """Your `if` gets a whole tensor of answers, one for each id, and can't decide. Say whether
    `.any()` of them counts, or look at one id at a time."""
    if ids < 0 or ids >= len(vocab):
        raise IndexError("An id is wrong.")
    return [vocab[word_id] for word_id in ids.tolist()]


# -------------------------------------------------------------------------------------- one_hot


@misconception("one_hot")
def words_in_columns(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your words run along the columns. In this course vectors are rows: the axis over the
    vocabulary comes last."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    return vectors.transpose(-1, -2) if vectors.dim() > 1 else vectors


@misconception("one_hot")
def places_count_from_one(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your ones are one place too far left: you count places from 1. Id 0 has its 1 in the first
    column, column 0."""
    return torch.eye(vocab_size, dtype=dtype)[ids - 1]


@misconception("one_hot")
def no_column_for_id_zero(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You compare the ids with places that count from 1, so id 0 finds none and gets zeros only.
    The places are 0 to V - 1."""
    return (ids.unsqueeze(-1) == torch.arange(1, vocab_size + 1)).to(dtype)


@misconception("one_hot")
def every_row_gets_all_ones(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You write the ones of all words into every row, as `vectors[..., ids] = 1` does. Row t gets a
    single 1, at the place of the id at place t."""
    vectors = torch.zeros(*ids.shape, vocab_size, dtype=dtype)
    vectors[..., ids] = 1
    return vectors


@misconception("one_hot")
def id_instead_of_one(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """You write the id itself at the id's place. The entry there is 1 for every word; only its
    place tells which word it is."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    return vectors * ids.unsqueeze(-1).to(dtype)


@misconception("one_hot")
def leading_shape_flattened(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your result has lost the shape of `ids`: a batch of sentences has become one long list of
    words. Keep all axes of `ids`, and add one at the end."""
    return reference.one_hot(ids.reshape(-1), vocab_size, dtype)


@misconception("one_hot")
def axes_of_length_one_dropped(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A sentence of one word
    and a batch of one sentence keep their axes."""
    return reference.one_hot(ids, vocab_size, dtype).squeeze()


@misconception("one_hot")
def one_sentence_only(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """You number the rows with one `torch.arange(len(ids))`, which fits a single sentence. For a
    batch each id needs a place on every axis: look for an operation that works along the last
    axis, whatever stands before it."""
    vectors = torch.zeros(*ids.shape, vocab_size, dtype=dtype)
    vectors[torch.arange(len(ids)), ids] = 1
    return vectors


@misconception("one_hot")
def at_most_two_axes(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function knows an id, a sentence and a batch, and stops at ids with three axes. Any
    shape may come: add one axis at the end, without counting those before it."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    if ids.dim() > 1:
        batch, time = ids.shape
        return vectors.reshape(batch, time, vocab_size)
    return vectors


@misconception("one_hot")
def one_vector_for_the_sentence(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You put all ones of a sentence into one vector. Each word has a vector of its own; one vector
    for a whole text is a later exercise."""
    vectors = reference.one_hot(ids, vocab_size, dtype)
    return vectors.amax(dim=-2) if vectors.dim() > 1 and ids.numel() else vectors


@misconception("one_hot")
def dtype_ignored(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your result is float32 whatever `dtype` says. Pass `dtype` on to where the tensor is made."""
    return reference.one_hot(ids, vocab_size)


@misconception("one_hot")
def integers_instead_of_floats(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your result has the type of the ids, int64. It should have the type that `dtype` asks for,
    float32 if nobody asks: vectors will be multiplied with matrices of floats."""
    return reference.one_hot(ids, vocab_size, torch.int64)


@misconception("one_hot")
def negative_ids_wrap_round(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your function accepts negative ids: indexing reads -1 as the last row, so a wrong id becomes
    a wrong word in silence. Check the ids first, and raise an IndexError."""
    return torch.eye(vocab_size, dtype=dtype)[ids]


@misconception("one_hot")
def id_v_let_through(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function lets the id V through. Ids count from 0, so the largest one is V - 1: look at
    whether your comparison should be > or >=."""
    if ((ids < 0) | (ids > vocab_size)).any():
        raise IndexError("An id is wrong.")
    return (ids.unsqueeze(-1) == torch.arange(vocab_size)).to(dtype)


@misconception("one_hot")
def wrong_ids_become_zero_vectors(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your function gives a vector of zeros for an id outside the vocabulary. That hides the
    mistake: check the ids first, and raise an IndexError."""
    return (ids.unsqueeze(-1) == torch.arange(vocab_size)).to(dtype)


@misconception("one_hot")
def wrong_ids_left_to_scatter(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You leave wrong ids to `scatter_`, which raises a RuntimeError. An IndexError is asked for:
    look at the ids yourself, before you write anything."""
    return torch.zeros(*ids.shape, vocab_size, dtype=dtype).scatter_(-1, ids.unsqueeze(-1), 1)


@misconception("one_hot")
def wrong_ids_left_to_the_library(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """You leave wrong ids to torch's own `one_hot`, which raises a RuntimeError. An IndexError is
    asked for: look at the ids yourself first."""
    return torch.nn.functional.one_hot(ids, vocab_size).to(dtype)


@misconception("one_hot")
def array_of_vectors(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> np.ndarray:  # the type is the mistake
    """Your result is a NumPy array. In this course numbers live in torch tensors; torch has its own
    `eye` and `zeros`, which take a `dtype`."""
    vectors: np.ndarray = np.eye(vocab_size)[ids.numpy()]
    return vectors


@misconception("one_hot")
def smallest_of_no_ids(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function fails when there are no ids: an empty tensor has no `min()`. A condition on all
    ids followed by `.any()` works for none, too."""
    if ids.min() < 0 or ids.max() >= vocab_size:
        raise IndexError("An id is wrong.")
    return reference.one_hot(ids, vocab_size, dtype)


@misconception("one_hot")
def largest_of_no_ids(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Your function fails when there are no ids: an empty tensor has no `max()`. A condition on all
    ids followed by `.any()` works for none, too."""
    if ids.max() >= vocab_size or ids.min() < 0:
        raise IndexError("An id is wrong.")
    return reference.one_hot(ids, vocab_size, dtype)


@misconception("one_hot")
def whole_tensor_in_a_condition(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Your `if` gets a whole tensor of answers, one for each id, and can't decide. Join conditions
    on tensors with `|`, and say with `.any()` that a single wrong id is enough."""
    if ids < 0 or ids >= vocab_size:
        raise IndexError("An id is wrong.")
    return reference.one_hot(ids, vocab_size, dtype)


# --------------------------------------------------------------------- cosine_similarity_matrix


@misconception("cosine_similarity_matrix")
def dot_products(vectors: Tensor) -> Tensor:
    """Your entries are dot products. They grow with the lengths of the vectors; for the cosine
    divide by both norms."""
    return vectors @ vectors.T


@misconception("cosine_similarity_matrix")
def divided_by_one_norm(vectors: Tensor) -> Tensor:
    """You divide by the norm of one of the two vectors only. Your matrix is not symmetric; the
    formula has both norms below the line."""
    norms = vectors.norm(dim=1, keepdim=True)
    return (vectors @ vectors.T) / torch.where(norms == 0, torch.ones_like(norms), norms)


@misconception("cosine_similarity_matrix")
def only_the_norm_of_the_column(vectors: Tensor) -> Tensor:
    """You divide each column by its vector's norm, and the row's norm is missing. Without
    `keepdim=True` the norms lie along the last axis; the formula has both below the line."""
    norms = vectors.norm(dim=1)
    return (vectors @ vectors.T) / torch.where(norms == 0, torch.ones_like(norms), norms)


@misconception("cosine_similarity_matrix")
def norms_without_keepdim(vectors: Tensor) -> Tensor:
    """You divide n rows by a tensor of shape (n,), and torch lays its n numbers along the columns.
    The norms need the shape (n, 1): see `keepdim`."""
    norms = vectors.norm(dim=1)
    unit: Tensor = vectors / torch.where(norms == 0, torch.ones_like(norms), norms)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def norm_of_the_whole_matrix(vectors: Tensor) -> Tensor:
    """You divide by one number, the norm of the whole matrix. Each row has a norm of its own: tell
    `norm` along which axis to go."""
    norm = vectors.norm()
    unit = vectors / torch.where(norm == 0, torch.ones_like(norm), norm)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def norm_without_the_root(vectors: Tensor) -> Tensor:
    """You divide by the squared norms. The norm is the square root of the sum of squares; your
    diagonal should come out as 1."""
    squares = (vectors**2).sum(dim=1, keepdim=True)
    unit = vectors / torch.where(squares == 0, torch.ones_like(squares), squares)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def columns_normalised(vectors: Tensor) -> Tensor:
    """You give the columns norm 1. A vector is a row here, so the norm runs along the row: look at
    the `dim` of your norm."""
    norms = vectors.norm(dim=0, keepdim=True)
    unit = vectors / torch.where(norms == 0, torch.ones_like(norms), norms)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def columns_compared(vectors: Tensor) -> Tensor:
    """You compare the columns with each other. A vector is a row here: the result is (n, n) for n
    rows."""
    return reference.cosine_similarity_matrix(vectors.T)


@misconception("cosine_similarity_matrix")
def zero_rows_divided_by_zero(vectors: Tensor) -> Tensor:
    """Your result has NaN where a row is all zeros: there you divide 0 by 0. The docstring says
    what the similarity is then."""
    unit: Tensor = vectors / vectors.norm(dim=1, keepdim=True)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def zero_rows_like_themselves(vectors: Tensor) -> Tensor:
    """Your diagonal is 1 for a row of zeros too. Such a row has no direction: here its similarity
    is 0 even with itself."""
    return reference.cosine_similarity_matrix(vectors).fill_diagonal_(1.0)


@misconception("cosine_similarity_matrix")
def short_rows_not_divided(vectors: Tensor) -> Tensor:
    """You divide every row with a norm below 1 by 1, so short rows seem to be unlike everything.
    Divide by 1 only where the norm is exactly 0."""
    unit: Tensor = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def something_added_to_the_norm(vectors: Tensor) -> Tensor:
    """You add a small number to the norm; then every cosine is slightly too small, and for a very
    short row much too small. Change only the rows of zeros."""
    unit: Tensor = vectors / (vectors.norm(dim=1, keepdim=True) + 1e-8)
    return unit @ unit.T


@misconception("cosine_similarity_matrix")
def no_rows_to_stack(vectors: Tensor) -> Tensor:
    """Your function fails when there are no rows: `torch.stack` needs at least one. For n = 0 the
    result is an empty tensor of shape (0, 0); one product of matrices gives it by itself."""
    similarity = reference.cosine_similarity_matrix(vectors)
    return torch.stack([similarity[i] for i in range(len(vectors))])


@misconception("cosine_similarity_matrix")
def distances(vectors: Tensor) -> Tensor:
    """You return 1 minus the cosine, which is a distance. A similarity is large for vectors that
    are alike: 1 for the same direction."""
    return 1 - reference.cosine_similarity_matrix(vectors)


# ------------------------------------------------------------------------------ embed_by_matmul


@misconception("embed_by_matmul")
def product_with_the_transpose(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You multiply by the transpose of Q. The vector of word i is row i of Q, and a row vector
    stands to the left of its matrix: x Q."""
    vocab_size = embedding_matrix.shape[0]
    return reference.one_hot(ids, vocab_size, embedding_matrix.dtype) @ embedding_matrix.T


@misconception("embed_by_matmul")
def rows_count_from_one(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your vectors are those of the word before: you count rows from 1. Id 0 takes the first row,
    row 0."""
    return reference.embed_by_matmul((ids - 1) % embedding_matrix.shape[0], embedding_matrix)


@misconception("embed_by_matmul")
def sentence_added_up(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You add up the vectors of the sentence. Each word keeps a vector of its own: the result has
    all the axes of `ids`, and then D."""
    vectors = reference.embed_by_matmul(ids, embedding_matrix)
    return vectors.sum(dim=-2) if ids.dim() else vectors


@misconception("embed_by_matmul")
def one_hot_always_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your one-hot vectors are float32 while Q is float64, and torch multiplies only tensors of one
    type. Make the one-hot vectors in the type of Q."""
    return reference.one_hot(ids, embedding_matrix.shape[0]) @ embedding_matrix


@misconception("embed_by_matmul")
def product_in_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You turn Q into float32. The result should have the type of Q: make the one-hot vectors in
    the type of Q, and leave Q as it is."""
    return reference.embed_by_matmul(ids, embedding_matrix.to(torch.float32))


@misconception("embed_by_matmul")
def product_rounded_to_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result is float64 by name, but on the way you turned Q into float32, and half of its
    digits are gone. Make the one-hot vectors in the type of Q, and leave Q as it is."""
    vectors = reference.embed_by_matmul(ids, embedding_matrix.to(torch.float32))
    return vectors.to(embedding_matrix.dtype)


@misconception("embed_by_matmul")
def single_words_squeezed(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A sentence of one word
    keeps its axis; the result has all the axes of `ids`, and then D."""
    return reference.embed_by_matmul(ids.squeeze(), embedding_matrix)


@misconception("embed_by_matmul")
def product_cut_off_from_q(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your values are right, but no gradient reaches Q: somewhere on the way you detach it, or copy
    it into a new tensor or into numpy. Then Q could never learn."""
    return reference.embed_by_matmul(ids, embedding_matrix.detach())


# ------------------------------------------------------------------------------ embed_by_lookup


@misconception("embed_by_lookup")
def columns_taken(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You take columns of Q. The vector of word i is row i: the first axis of Q is the
    vocabulary."""
    return embedding_matrix[:, ids]


@misconception("embed_by_lookup")
def lookup_counts_from_one(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your vectors are those of the word before: you count rows from 1. Id 0 takes the first row,
    row 0."""
    return reference.embed_by_lookup((ids - 1) % embedding_matrix.shape[0], embedding_matrix)


@misconception("embed_by_lookup")
def negative_ids_take_last_rows(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your function accepts negative ids: indexing reads -1 as the last row, so a wrong id becomes
    a wrong vector in silence. Check the ids first, and raise an IndexError."""
    return embedding_matrix[ids]


@misconception("embed_by_lookup")
def rows_averaged(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You average the vectors of the sentence. Each word keeps a vector of its own: the result has
    all the axes of `ids`, and then D."""
    vectors = reference.embed_by_lookup(ids, embedding_matrix)
    return vectors.mean(dim=-2) if ids.dim() else vectors


@misconception("embed_by_lookup")
def rows_rounded_to_float32(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result is float64 by name, but on the way it was float32, and half of the digits of Q
    are gone. Take the rows of Q as they are."""
    return reference.embed_by_lookup(ids, embedding_matrix.float()).to(embedding_matrix.dtype)


@misconception("embed_by_lookup")
def rows_squeezed(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A sentence of one word
    keeps its axis; the result has all the axes of `ids`, and then D."""
    return reference.embed_by_lookup(ids, embedding_matrix).squeeze()


@misconception("embed_by_lookup")
def rows_stacked_one_by_one(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You go through the ids one by one. A single id, shape (), can't be gone through, and an empty
    tensor leaves `torch.stack` with nothing. Index with the whole tensor of ids at once."""
    if ((ids < 0) | (ids >= len(embedding_matrix))).any():
        raise IndexError("An id is wrong.")
    return torch.stack([embedding_matrix[word_id] for word_id in ids])


@misconception("embed_by_lookup")
def condition_on_all_ids(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your `if` gets a whole tensor of answers, one for each id, and can't decide. Join conditions
    on tensors with `|`, and say with `.any()` that a single wrong id is enough."""
    if ids < 0 or ids >= len(embedding_matrix):
        raise IndexError("An id is wrong.")
    return embedding_matrix[ids]


@misconception("embed_by_lookup")
def rows_cut_off_from_q(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your values are right, but no gradient reaches Q: somewhere on the way you detach it, or copy
    it into a new tensor or into numpy. Then Q could never learn."""
    return reference.embed_by_lookup(ids, embedding_matrix.detach())


@misconception("embed_by_lookup")
def repeats_learn_once(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """Your values are right, but a word that occurs twice sends back only one of its two gradients.
    Each use of a row adds its gradient to that row."""
    flat = ids.reshape(-1)
    seen: set[int] = set()
    rows = []
    for word_id in flat.tolist():
        row = reference.embed_by_lookup(torch.tensor(word_id), embedding_matrix)
        rows.append(row.detach() if word_id in seen else row)
        seen.add(word_id)
    width = embedding_matrix.shape[1]
    stacked = torch.stack(rows) if rows else embedding_matrix[:0]
    return stacked.reshape(*ids.shape, width)


@misconception("embed_by_lookup")
def lookup_still_multiplies(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    """You still multiply by one-hot vectors. Then every row of Q takes part, and an infinite number
    in an unused row, times 0, gives NaN. Take the rows out by indexing instead."""
    return reference.embed_by_matmul(ids, embedding_matrix)


# --------------------------------------------------------------------------------- bag_of_words


@misconception("bag_of_words")
def presence_only(ids: Tensor, vocab_size: int) -> Tensor:
    """Your entries are at most 1: they say whether a word occurs, not how often. This happens with
    `counts[ids] += 1` too, which adds a single 1 where an id occurs several times."""
    return reference.bag_of_words(ids, vocab_size).clamp(max=1)


@misconception("bag_of_words")
def shares_instead_of_counts(ids: Tensor, vocab_size: int) -> Tensor:
    """Your entries are shares of the text: they add up to 1. Counts add up to the number of words;
    take the sum over the time axis, not the mean."""
    return reference.bag_of_words(ids, vocab_size) / max(ids.shape[-1], 1)


@misconception("bag_of_words")
def all_texts_in_one_bag(ids: Tensor, vocab_size: int) -> Tensor:
    """You put all texts of the batch into one bag. Only the time axis, the last axis of `ids`,
    is summed; every axis before it stays."""
    return reference.bag_of_words(ids.reshape(-1), vocab_size)


@misconception("bag_of_words")
def summed_over_the_batch(ids: Tensor, vocab_size: int) -> Tensor:
    """You sum over the first axis, which is the batch as soon as there is one. Sum over the time
    axis, the last axis of `ids`."""
    return reference.one_hot(ids, vocab_size).sum(dim=0)


@misconception("bag_of_words")
def unknown_not_counted(ids: Tensor, vocab_size: int) -> Tensor:
    """Your count of id 0 is always 0. The unknown word is counted like any other: the counts of a
    text add up to its length."""
    counts = reference.bag_of_words(ids, vocab_size)
    counts[..., 0] = 0
    return counts


@misconception("bag_of_words")
def integer_counts(ids: Tensor, vocab_size: int) -> Tensor:
    """Your counts are integers. They should be float32, as the one-hot vectors that they are the
    sum of: the next step multiplies and divides them."""
    return reference.bag_of_words(ids, vocab_size).to(torch.int64)


@misconception("bag_of_words")
def batch_of_one_squeezed(ids: Tensor, vocab_size: int) -> Tensor:
    """Your result has lost an axis of length 1: `squeeze()` drops them all. A batch of one text
    keeps its axis; only the time axis goes."""
    return reference.bag_of_words(ids, vocab_size).squeeze()


@misconception("bag_of_words")
def a_text_or_a_batch_only(ids: Tensor, vocab_size: int) -> Tensor:
    """Your function knows one text and a batch of texts, and stops at ids with three axes:
    `bincount` takes one axis only. Look for an operation that works along the last axis."""
    if ((ids < 0) | (ids >= vocab_size)).any():
        raise IndexError("An id is wrong.")
    if ids.dim() == 1:
        return torch.bincount(ids, minlength=vocab_size).float()
    return torch.stack([torch.bincount(text, minlength=vocab_size).float() for text in ids])


@misconception("bag_of_words")
def wrong_ids_left_to_scatter_add(ids: Tensor, vocab_size: int) -> Tensor:
    """You leave wrong ids to `scatter_add`, which raises a RuntimeError. An IndexError is asked
    for: look at the ids yourself first, as in `one_hot`."""
    counts = torch.zeros(*ids.shape[:-1], vocab_size)
    return counts.scatter_add(-1, ids, torch.ones(ids.shape))
