"""Claims about the reference of chapter 1."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from solutions.one_hot import (
    bag_of_words,
    build_vocab,
    cosine_similarity_matrix,
    decode,
    embed_by_lookup,
    embed_by_matmul,
    encode,
    one_hot,
)

LECTURE = ["time", "flies", "like", "an", "arrow", "fruit", "flies", "like", "a", "banana"]

words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "<unk>"]), max_size=30)
shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@st.composite
def ids_and_size(
    draw: st.DrawFn, axes: st.SearchStrategy[tuple[int, ...]] = shapes
) -> tuple[Tensor, int]:
    """Ids of some shape, and the size of a vocabulary that they fit into."""
    size = draw(st.integers(1, 7))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    return torch.randint(0, size, draw(axes), generator=generator), size


def gradient_at_matrix(embed, ids: Tensor, matrix: Tensor) -> Tensor:
    """Gradient of a weighted sum of the embedded vectors with respect to the matrix."""
    matrix = matrix.clone().requires_grad_()
    vectors = embed(ids, matrix)
    weights = torch.arange(1.0, vectors.numel() + 1, dtype=matrix.dtype).reshape(vectors.shape)
    (vectors * weights).sum().backward()
    assert matrix.grad is not None
    return matrix.grad


class TestBuildVocab:
    def test_frequent_words_come_first_and_ties_keep_their_first_appearance(self) -> None:
        assert build_vocab(LECTURE) == [
            "<unk>", "flies", "like", "time", "an", "arrow", "fruit", "a", "banana",
        ]  # fmt: skip

    @settings(deadline=None)
    @given(words)
    def test_each_word_is_there_once_and_unknown_is_first(self, tokens: list[str]) -> None:
        vocab = build_vocab(tokens)
        assert vocab[0] == "<unk>"
        assert sorted(vocab) == sorted(set(tokens) | {"<unk>"})

    @settings(deadline=None)
    @given(words)
    def test_counts_never_rise_along_the_vocabulary(self, tokens: list[str]) -> None:
        counts = Counter(tokens)
        frequencies = [counts[word] for word in build_vocab(tokens)[1:]]
        assert frequencies == sorted(frequencies, reverse=True)

    @settings(deadline=None)
    @given(words, st.integers(1, 5))
    def test_min_count_keeps_words_that_occur_just_that_often(
        self, tokens: list[str], min_count: int
    ) -> None:
        counts = Counter(tokens)
        kept = set(build_vocab(tokens, min_count)[1:])
        assert kept == {w for w in counts if counts[w] >= min_count and w != "<unk>"}

    @settings(deadline=None)
    @given(words, st.integers(1, 8))
    def test_max_size_cuts_the_end_and_counts_the_unknown_entry(
        self, tokens: list[str], max_size: int
    ) -> None:
        assert build_vocab(tokens, max_size=max_size) == build_vocab(tokens)[:max_size]

    @pytest.mark.parametrize("max_size", [0, -1])
    def test_a_vocabulary_without_room_for_the_unknown_word_is_refused(self, max_size: int) -> None:
        with pytest.raises(ValueError, match=f"max_size is {max_size}"):
            build_vocab(LECTURE, max_size=max_size)

    def test_the_token_unk_takes_no_place_from_another_word(self) -> None:
        assert build_vocab(["<unk>", "<unk>", "a"], max_size=2) == ["<unk>", "a"]


class TestEncodeAndDecode:
    @settings(deadline=None)
    @given(words)
    def test_known_words_survive_the_round_trip(self, tokens: list[str]) -> None:
        vocab = build_vocab(tokens)
        assert decode(encode(tokens, vocab), vocab) == tokens

    @settings(deadline=None)
    @given(words, words)
    def test_unknown_words_come_back_as_unk(self, tokens: list[str], text: list[str]) -> None:
        vocab = build_vocab(tokens)
        expected = [word if word in vocab else "<unk>" for word in text]
        assert decode(encode(text, vocab), vocab) == expected

    def test_unknown_words_become_id_zero(self) -> None:
        assert encode(["flies", "helicopter", "a"], build_vocab(LECTURE)).tolist() == [1, 0, 7]

    def test_ids_of_an_empty_sentence_are_int64(self) -> None:
        ids = encode([], ["<unk>"])
        assert ids.shape == (0,)
        assert ids.dtype == torch.int64

    @pytest.mark.parametrize("place", [0, 1, 2])
    @pytest.mark.parametrize("wrong", [-2, -1, 9])
    def test_ids_outside_the_vocabulary_are_refused_wherever_they_stand(
        self, wrong: int, place: int
    ) -> None:
        ids = torch.zeros(3, dtype=torch.int64)
        ids[place] = wrong
        with pytest.raises(IndexError, match=f"no word with id {wrong}"):
            decode(ids, build_vocab(LECTURE))


class TestOneHot:
    def test_the_eight_words_of_the_lecture_give_the_identity(self) -> None:
        assert torch.equal(one_hot(torch.arange(8), 8), torch.eye(8))

    @settings(deadline=None)
    @given(ids_and_size())
    def test_each_vector_has_its_single_one_at_the_id(self, case: tuple[Tensor, int]) -> None:
        ids, size = case
        vectors = one_hot(ids, size)
        assert vectors.shape == (*ids.shape, size)
        assert torch.equal(vectors.sum(dim=-1), torch.ones(ids.shape))
        assert torch.equal(vectors.argmax(dim=-1), ids)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.int64])
    def test_the_result_has_the_dtype_that_was_asked_for(self, dtype: torch.dtype) -> None:
        assert one_hot(torch.tensor([1]), 2, dtype).dtype == dtype

    def test_float32_is_the_default(self) -> None:
        assert one_hot(torch.tensor([1]), 2).dtype == torch.float32


@pytest.mark.parametrize("wrong", [-1, 4])
@pytest.mark.parametrize(
    "call",
    [
        lambda ids: one_hot(ids, 4),
        lambda ids: bag_of_words(ids, 4),
        lambda ids: embed_by_matmul(ids, torch.ones(4, 2)),
        lambda ids: embed_by_lookup(ids, torch.ones(4, 2)),
    ],
    ids=["one_hot", "bag_of_words", "embed_by_matmul", "embed_by_lookup"],
)
def test_ids_out_of_range_are_refused_with_their_range(call, wrong: int) -> None:
    with pytest.raises(IndexError, match=f"from 0 to 3.*{wrong}"):
        call(torch.tensor([[0, wrong], [2, 2]]))


class TestCosineSimilarityMatrix:
    def test_different_one_hot_vectors_are_orthogonal(self) -> None:
        vectors = one_hot(torch.arange(5), 5)
        assert torch.equal(cosine_similarity_matrix(vectors), torch.eye(5))

    @settings(deadline=None)
    @given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 5))
    def test_it_is_symmetric_with_ones_on_the_diagonal_and_within_one(
        self, seed: int, rows: int, width: int
    ) -> None:
        generator = torch.Generator().manual_seed(seed)
        vectors = torch.randn(rows, width, generator=generator, dtype=torch.float64)
        similarity = cosine_similarity_matrix(vectors)
        ones = torch.ones(rows, dtype=torch.float64)
        torch.testing.assert_close(similarity, similarity.T)
        torch.testing.assert_close(similarity.diagonal(), ones)
        assert (similarity.abs() <= 1 + 1e-12).all()

    def test_the_length_of_a_vector_does_not_matter(self) -> None:
        vectors = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
        longer = vectors * torch.tensor([[10.0], [0.25]])
        torch.testing.assert_close(
            cosine_similarity_matrix(longer), cosine_similarity_matrix(vectors)
        )

    @pytest.mark.parametrize("length", [1e-2, 1e-4, 1e-7, 1e-12])
    def test_not_even_the_length_of_a_very_short_vector_matters(self, length: float) -> None:
        vectors = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
        shorter = vectors * torch.tensor([[length], [1.0]])
        torch.testing.assert_close(
            cosine_similarity_matrix(shorter), cosine_similarity_matrix(vectors)
        )

    def test_a_row_of_zeros_is_similar_to_nothing_not_even_itself(self) -> None:
        similarity = cosine_similarity_matrix(torch.tensor([[1.0, 2.0], [0.0, 0.0]]))
        torch.testing.assert_close(similarity, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))

    def test_no_rows_give_an_empty_matrix(self) -> None:
        assert cosine_similarity_matrix(torch.zeros(0, 3)).shape == (0, 0)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_the_dtype_stays(self, dtype: torch.dtype) -> None:
        assert cosine_similarity_matrix(torch.ones(2, 2, dtype=dtype)).dtype == dtype


class TestEmbedding:
    @settings(deadline=None)
    @given(ids_and_size(), st.sampled_from([torch.float32, torch.float64]))
    def test_product_and_lookup_give_the_same_vectors_and_gradients(
        self, case: tuple[Tensor, int], dtype: torch.dtype
    ) -> None:
        ids, size = case
        matrix = torch.linspace(-1, 1, 3 * size, dtype=dtype).reshape(size, 3)
        by_matmul, by_lookup = embed_by_matmul(ids, matrix), embed_by_lookup(ids, matrix)
        assert by_matmul.dtype == by_lookup.dtype == dtype
        assert torch.equal(by_matmul, by_lookup)
        torch.testing.assert_close(
            gradient_at_matrix(embed_by_matmul, ids, matrix),
            gradient_at_matrix(embed_by_lookup, ids, matrix),
        )

    def test_the_gradient_reaches_used_rows_only_and_once_for_each_use(self) -> None:
        gradient = gradient_at_matrix(embed_by_lookup, torch.tensor([2, 0, 2]), torch.ones(4, 1))
        assert gradient.tolist() == [[2.0], [0.0], [1.0 + 3.0], [0.0]]

    def test_lookup_does_not_read_rows_that_nobody_asks_for(self) -> None:
        matrix = torch.tensor([[1.0], [float("nan")]])
        assert embed_by_lookup(torch.tensor([0, 0]), matrix).tolist() == [[1.0], [1.0]]


class TestBagOfWords:
    @settings(deadline=None)
    @given(ids_and_size(shapes.filter(len)))
    def test_it_is_the_sum_of_the_one_hot_vectors(self, case: tuple[Tensor, int]) -> None:
        ids, size = case
        bags = bag_of_words(ids, size)
        assert bags.dtype == torch.float32
        assert torch.equal(bags, one_hot(ids, size).sum(dim=-2))

    def test_the_order_of_the_words_is_lost(self) -> None:
        vocab = build_vocab(["dog", "bites", "man"])
        one, other = (encode(text.split(), vocab) for text in ("dog bites man", "man bites dog"))
        assert torch.equal(bag_of_words(one, len(vocab)), bag_of_words(other, len(vocab)))

    def test_a_novel_fits_although_its_one_hot_vectors_would_not(self) -> None:
        ids = torch.arange(200_000) % 50_000  # as float32 one-hot vectors: 40 GB
        assert torch.equal(bag_of_words(ids, 50_000), torch.full((50_000,), 4.0))
