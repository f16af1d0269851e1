"""Right answers to the exercises of chapter 1, written differently from the reference."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import torch
from torch import Tensor

from autograder.alternatives import alternative


def _refuse_ids_outside(ids: Tensor, vocab_size: int) -> None:
    for word_id in ids.reshape(-1).tolist():
        if word_id < 0 or word_id >= vocab_size:
            raise IndexError(f"No id {word_id} in a vocabulary of {vocab_size}.")


@alternative("build_vocab")
def count_with_a_dictionary(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    if max_size is not None and max_size < 1:
        raise ValueError("max_size leaves no room for the unknown word.")
    counts: dict[str, int] = defaultdict(int)
    for token in tokens:
        counts[token] += 1
    counts.pop("<unk>", None)
    words = sorted(counts, key=lambda word: counts[word], reverse=True)
    vocab = ["<unk>"]
    for word in words:
        if counts[word] >= min_count and (max_size is None or len(vocab) < max_size):
            vocab.append(word)
    return vocab


@alternative("build_vocab")
def sort_by_count_and_place(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> list[str]:
    if max_size is not None and max_size < 1:
        raise ValueError("max_size leaves no room for the unknown word.")
    entries = [(-tokens.count(word), tokens.index(word), word) for word in set(tokens) - {"<unk>"}]
    vocab = ["<unk>"] + [word for count, _, word in sorted(entries) if -count >= min_count]
    return vocab if max_size is None else vocab[:max_size]


@alternative("build_vocab")
def cut_before_the_front(
    tokens: list[str], min_count: int = 1, max_size: int | None = None
) -> tuple[str, ...]:
    if max_size is None:
        max_size = len(tokens) + 1
    if max_size <= 0:
        raise ValueError("max_size leaves no room for the unknown word.")
    counts = {word: tokens.count(word) for word in tokens if word != "<unk>"}
    frequent = [word for word in counts if counts[word] >= min_count]
    frequent.sort(key=lambda word: -counts[word])
    return ("<unk>", *frequent[: max_size - 1])


@alternative("encode")
def search_the_list(words: list[str], vocab: list[str]) -> Tensor:
    return torch.tensor([vocab.index(w) if w in vocab else 0 for w in words], dtype=torch.long)


@alternative("encode")
def fill_an_empty_tensor(words: list[str], vocab: list[str]) -> Tensor:
    ids = torch.zeros(len(words), dtype=torch.int64)
    places = dict(zip(vocab, range(len(vocab)), strict=True))
    for place, word in enumerate(words):
        if word in places:
            ids[place] = places[word]
    return ids


@alternative("decode")
def look_up_with_tensors(ids: Tensor, vocab: list[str]) -> list[str]:
    if ids.numel() and (ids.min() < 0 or ids.max() >= len(vocab)):
        raise IndexError("An id lies outside the vocabulary.")
    return [vocab[word_id] for word_id in ids]


@alternative("decode")
def all_ids_tested_first(ids: Tensor, vocab: list[str]) -> list[str]:
    if torch.logical_or(ids < 0, ids >= len(vocab)).any():
        raise IndexError("An id lies outside the vocabulary.")
    return [vocab[word_id] for word_id in ids.tolist()]


@alternative("decode")
def look_up_in_a_dictionary(ids: Tensor, vocab: list[str]) -> list[str]:
    words = dict(enumerate(vocab))
    try:
        return [words[int(word_id)] for word_id in ids]
    except KeyError as error:
        raise IndexError(f"No word has id {error}.") from error


@alternative("one_hot")
def write_ones_in_a_loop(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    _refuse_ids_outside(ids, vocab_size)
    flat = torch.zeros(ids.numel(), vocab_size, dtype=dtype)
    for row, word_id in enumerate(ids.flatten()):
        flat[row, word_id] = 1
    return flat.view(*ids.shape, vocab_size)


@alternative("one_hot")
def rows_of_the_identity(
    ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    _refuse_ids_outside(ids, vocab_size)
    return torch.eye(vocab_size, dtype=dtype)[ids]


@alternative("one_hot")
def scatter_ones(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    _refuse_ids_outside(ids, vocab_size)
    return torch.zeros((*ids.shape, vocab_size), dtype=dtype).scatter_(-1, ids[..., None], 1)


@alternative("one_hot")
def library_one_hot(ids: Tensor, vocab_size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    _refuse_ids_outside(ids, vocab_size)
    return torch.nn.functional.one_hot(ids, vocab_size).to(dtype)


@alternative("cosine_similarity_matrix")
def pair_by_pair(vectors: Tensor) -> Tensor:
    n = len(vectors)
    result = torch.zeros(n, n, dtype=vectors.dtype)
    for i in range(n):
        for j in range(n):
            lengths = vectors[i].norm() * vectors[j].norm()
            if lengths > 0:
                result[i, j] = vectors[i].dot(vectors[j]) / lengths
    return result


@alternative("cosine_similarity_matrix")
def products_then_norms(vectors: Tensor) -> Tensor:
    products = torch.einsum("id,jd->ij", vectors, vectors)
    norms = torch.sqrt((vectors * vectors).sum(dim=1))
    return torch.nan_to_num(products / torch.outer(norms, norms), nan=0.0)


@alternative("cosine_similarity_matrix")
def library_normalize(vectors: Tensor) -> Tensor:
    unit = torch.nn.functional.normalize(vectors, dim=1)
    return unit.matmul(unit.t())


@alternative("cosine_similarity_matrix")
def numpy_inside(vectors: Tensor) -> Tensor:
    array = vectors.numpy()
    norms = np.linalg.norm(array, axis=1, keepdims=True)
    norms[norms == 0] = 1
    return torch.from_numpy((array / norms) @ (array / norms).T)


@alternative("cosine_similarity_matrix")
def library_cosine_similarity(vectors: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(vectors[:, None], vectors[None], dim=-1)


@alternative("cosine_similarity_matrix")
def norms_changed_by_mask(vectors: Tensor) -> Tensor:
    norms = vectors.norm(dim=1)
    norms[norms == 0] = 1
    return (vectors @ vectors.T) / norms / norms[:, None]


@alternative("embed_by_matmul")
def einsum_over_the_vocabulary(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    _refuse_ids_outside(ids, len(embedding_matrix))
    choices = torch.nn.functional.one_hot(ids, len(embedding_matrix)).to(embedding_matrix.dtype)
    return torch.einsum("...v,vd->...d", choices, embedding_matrix)


@alternative("embed_by_matmul")
def sum_of_chosen_rows(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    _refuse_ids_outside(ids, embedding_matrix.size(0))
    choices = rows_of_the_identity(ids, embedding_matrix.size(0), embedding_matrix.dtype)
    return (choices.unsqueeze(-1) * embedding_matrix).sum(dim=-2)


@alternative("embed_by_lookup")
def index_select(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    _refuse_ids_outside(ids, len(embedding_matrix))
    rows = embedding_matrix.index_select(0, ids.reshape(-1))
    return rows.reshape(*ids.shape, embedding_matrix.shape[1])


@alternative("embed_by_lookup")
def library_embedding(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    _refuse_ids_outside(ids, len(embedding_matrix))
    return torch.nn.functional.embedding(ids, embedding_matrix)


@alternative("embed_by_lookup")
def row_by_row(ids: Tensor, embedding_matrix: Tensor) -> Tensor:
    _refuse_ids_outside(ids, len(embedding_matrix))
    if ids.numel() == 0:
        return embedding_matrix.new_zeros(*ids.shape, embedding_matrix.shape[1])
    rows = torch.stack([embedding_matrix[word_id] for word_id in ids.flatten().tolist()])
    return rows.view(*ids.shape, embedding_matrix.shape[1])


@alternative("bag_of_words")
def sum_of_one_hot_vectors(ids: Tensor, vocab_size: int) -> Tensor:
    return scatter_ones(ids, vocab_size).sum(dim=-2)


@alternative("bag_of_words")
def one_word_at_a_time(ids: Tensor, vocab_size: int) -> Tensor:
    _refuse_ids_outside(ids, vocab_size)
    texts = ids.reshape(int(np.prod(ids.shape[:-1])), ids.shape[-1])
    bags = torch.zeros(len(texts), vocab_size)
    for bag, text in zip(bags, texts, strict=True):
        for word_id in text.tolist():
            bag[word_id] += 1
    return bags.reshape(*ids.shape[:-1], vocab_size)


@alternative("bag_of_words")
def bincount_of_each_text(ids: Tensor, vocab_size: int) -> Tensor:
    _refuse_ids_outside(ids, vocab_size)
    array = ids.numpy()
    bags = np.apply_along_axis(np.bincount, -1, array, minlength=vocab_size)
    return torch.from_numpy(bags.astype(np.float32))
