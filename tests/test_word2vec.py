"""Claims about `solutions.word2vec` and its siblings."""

import math
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torch import Tensor

from autograder.notebook import data
from solutions.vectors.evaluation import (
    analogy_accuracy,
    read_analogies,
    similarity_correlation,
    spearman,
)
from solutions.vectors.training import (
    SkipgramModel,
    SkipgramStep,
    comparison_weights,
    skipgram_step,
    skipgram_step_by_pair,
    train_skipgram,
    train_skipgram_by_pair,
)
from solutions.word2vec import (
    analogy,
    cbow_loss_and_grad,
    draw_window_sizes,
    keep_probability,
    linear_learning_rate,
    load_vectors,
    most_similar,
    naive_softmax_loss_and_grad,
    negative_sampling_loss_and_grad,
    noise_distribution,
    save_vectors,
    sgns_step,
    skipgram_pairs,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def random_case(seed: int, vocab_size: int = 7, dim: int = 4) -> tuple[Tensor, Tensor]:
    """Input and output vectors in float64, large enough that no score is near 0 or saturated."""
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(vocab_size, dim, generator=generator, dtype=torch.float64),
        torch.randn(vocab_size, dim, generator=generator, dtype=torch.float64),
    )


# ------------------------------------------------------------------------------- pairs


def test_pairs_of_a_small_text_are_those_found_by_hand() -> None:
    pairs = skipgram_pairs(torch.tensor([3, 1, 4, 1]), torch.tensor([1, 2, 0, 1]))
    assert pairs.tolist() == [[3, 1], [1, 3], [1, 4], [1, 1], [1, 4]]
    assert pairs.dtype == torch.int64


@pytest.mark.parametrize(("length", "window"), [(0, 3), (1, 3), (4, 0)])
def test_no_pair_still_has_two_columns(length: int, window: int) -> None:
    pairs = skipgram_pairs(torch.arange(length), torch.full((length,), window))
    assert pairs.shape == (0, 2)
    assert pairs.dtype == torch.int64


def test_a_missing_window_size_is_an_error() -> None:
    with pytest.raises(ValueError, match="window_sizes"):
        skipgram_pairs(torch.tensor([1, 2]), torch.tensor([1]))


@given(st.lists(st.integers(0, 5), max_size=12), st.integers(0, 15))
def test_with_one_window_for_all_each_pair_has_its_mirror_image(
    ids: list[int], window: int
) -> None:
    pairs = skipgram_pairs(torch.tensor(ids, dtype=torch.int64), torch.full((len(ids),), window))
    as_tuples = sorted(map(tuple, pairs.tolist()))
    assert as_tuples == sorted((context, center) for center, context in as_tuples)


@given(st.data(), st.integers(1, 12))
def test_each_centre_has_the_contexts_its_window_and_the_edges_allow(
    draw: st.DataObject, length: int
) -> None:
    windows = draw.draw(st.lists(st.integers(0, 14), min_size=length, max_size=length))
    pairs = skipgram_pairs(torch.arange(length), torch.tensor(windows))
    expected = [
        [center, context]
        for center in range(length)
        for context in range(length)
        if 0 < abs(center - context) <= windows[center]
    ]
    assert pairs.tolist() == expected


# ---------------------------------------------------------------- subsampling and noise


def test_the_two_formulas_of_subsampling_give_known_values() -> None:
    counts = torch.tensor([9600.0, 400.0, 0.0], dtype=torch.float64)  # f = 0.96, 0.04, 0
    paper = keep_probability(counts, threshold=0.01)
    code = keep_probability(counts, threshold=0.01, formula="code")
    torch.testing.assert_close(paper, torch.tensor([0.1020620726, 0.5, 1.0]).double())
    torch.testing.assert_close(code, torch.tensor([0.1124787393, 0.75, 1.0]).double())


def test_an_unknown_formula_is_an_error() -> None:
    with pytest.raises(ValueError, match="guess"):
        keep_probability(torch.tensor([1, 2]), formula="guess")


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20), st.sampled_from(["paper", "code"]))
def test_keep_probability_is_a_probability_and_rarer_words_are_kept_more(
    counts: list[int], formula: str
) -> None:
    ordered = torch.tensor(sorted(counts))
    probability = keep_probability(ordered, 1e-2, formula)
    assert bool(((probability >= 0) & (probability <= 1)).all())
    assert bool((probability[1:] <= probability[:-1]).all())
    assert bool((probability[ordered == 0] == 1).all())


def test_the_noise_exponent_flattens_the_distribution() -> None:
    noise = noise_distribution(torch.tensor([16, 1, 0], dtype=torch.float64))
    torch.testing.assert_close(noise, torch.tensor([8 / 9, 1 / 9, 0.0]).double())


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=30), st.floats(0, 1.5))
def test_noise_is_a_distribution(counts: list[int], power: float) -> None:
    noise = noise_distribution(torch.tensor(counts, dtype=torch.float64), power)
    assert float(noise.sum()) == pytest.approx(1.0)
    assert bool((noise > 0).all())


@pytest.mark.parametrize("function", [keep_probability, noise_distribution])
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.int64, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
)
def test_counts_of_any_dtype_give_floats(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype, expected: torch.dtype
) -> None:
    assert function(torch.tensor([5, 3], dtype=dtype)).dtype == expected


@given(st.integers(1, 9), st.integers(0, 10**6))
@settings(max_examples=30)
def test_windows_are_drawn_from_one_to_the_largest(largest: int, seed: int) -> None:
    sizes = draw_window_sizes(400, largest, torch.Generator().manual_seed(seed))
    assert set(sizes.tolist()) == set(range(1, largest + 1))


def test_every_window_size_is_equally_likely() -> None:
    sizes = draw_window_sizes(50_000, 5, torch.Generator().manual_seed(0))
    shares = sizes.bincount()[1:] / 50_000
    torch.testing.assert_close(shares, torch.full((5,), 0.2), atol=0.01, rtol=0)


def test_a_window_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="max_window"):
        draw_window_sizes(3, 0, torch.Generator())


def test_the_learning_rate_falls_linearly_to_a_ten_thousandth() -> None:
    rates = [linear_learning_rate(0.025, progress) for progress in (0.0, 0.5, 0.99995, 1.0, 1.2)]
    assert rates == pytest.approx([0.025, 0.0125, 2.5e-6, 2.5e-6, 2.5e-6])


# --------------------------------------------------------------- losses and gradients


def test_the_softmax_loss_and_gradients_are_those_of_automatic_differentiation() -> None:
    inputs, outputs = random_case(0)
    vector, outputs = inputs[0].requires_grad_(), outputs.requires_grad_()
    expected = torch.nn.functional.cross_entropy((outputs @ vector)[None], torch.tensor([3]))
    expected.backward()
    with torch.no_grad():
        loss, grad_center, grad_output = naive_softmax_loss_and_grad(vector, outputs, 3)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(grad_center, vector.grad)
    torch.testing.assert_close(grad_output, outputs.grad)


@pytest.mark.parametrize("negatives", [[], [1], [5, 5, 5, 0], [3, 1, 3]])
def test_the_negative_sampling_loss_and_gradients_are_those_of_automatic_differentiation(
    negatives: list[int],
) -> None:
    inputs, outputs = random_case(1)
    vector, outputs = inputs[0].requires_grad_(), outputs.requires_grad_()
    expected = -torch.log(1 / (1 + torch.exp(-outputs[3] @ vector)))
    for negative in negatives:
        expected = expected - torch.log(1 / (1 + torch.exp(outputs[negative] @ vector)))
    expected.backward()
    with torch.no_grad():
        loss, grad_center, grad_output = negative_sampling_loss_and_grad(
            vector, outputs, 3, torch.tensor(negatives, dtype=torch.int64)
        )
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(grad_center, vector.grad)
    torch.testing.assert_close(grad_output, outputs.grad)


def test_the_cbow_loss_and_gradients_are_those_of_automatic_differentiation() -> None:
    inputs, outputs = random_case(2)
    contexts, outputs = inputs[:3].clone().requires_grad_(), outputs.requires_grad_()
    negatives = torch.tensor([0, 6, 6])
    scores = outputs @ contexts.mean(dim=0)
    expected = torch.nn.functional.softplus(-scores[2]) + sum(
        torch.nn.functional.softplus(scores[negative]) for negative in negatives
    )
    expected.backward()
    with torch.no_grad():
        loss, grad_contexts, grad_output = cbow_loss_and_grad(contexts, outputs, 2, negatives)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(grad_contexts, contexts.grad)
    torch.testing.assert_close(grad_output, outputs.grad)


def test_cbow_without_context_is_an_error() -> None:
    with pytest.raises(ValueError, match="no context"):
        cbow_loss_and_grad(torch.zeros(0, 3), torch.zeros(5, 3), 0, torch.tensor([1]))


@pytest.mark.parametrize("size", [20.0, -20.0])
def test_losses_stay_finite_for_scores_of_hundreds(size: float) -> None:
    vector, outputs = torch.full((2,), size), torch.tensor([[20.0, 20.0], [-20.0, -20.0]])
    softmax = naive_softmax_loss_and_grad(vector, outputs, 0)
    sampled = negative_sampling_loss_and_grad(vector, outputs, 0, torch.tensor([1]))
    assert all(bool(part.isfinite().all()) for part in (*softmax, *sampled))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_losses_and_gradients_keep_the_dtype_and_the_inputs(dtype: torch.dtype) -> None:
    inputs, outputs = (matrix.to(dtype) for matrix in random_case(3))
    before = (inputs.clone(), outputs.clone())
    softmax = naive_softmax_loss_and_grad(inputs[0], outputs, 2)
    sampled = negative_sampling_loss_and_grad(inputs[0], outputs, 2, torch.tensor([1, 1]))
    assert {part.dtype for part in (*softmax, *sampled)} == {dtype}
    assert torch.equal(inputs, before[0])
    assert torch.equal(outputs, before[1])


def test_only_the_target_and_the_negatives_get_a_gradient() -> None:
    inputs, outputs = random_case(4)
    _, _, grad = negative_sampling_loss_and_grad(inputs[0], outputs, 2, torch.tensor([5, 5]))
    assert grad.abs().sum(dim=1).nonzero().flatten().tolist() == [2, 5]


# --------------------------------------------------------------------------- the step


def test_a_step_is_the_sum_of_the_gradients_of_single_pairs() -> None:
    inputs, outputs = random_case(5)
    centers, contexts = torch.tensor([1, 1, 4]), torch.tensor([2, 0, 2])
    negatives = torch.tensor([[3, 3], [2, 5], [4, 1]])
    grad_input, grad_output, losses = torch.zeros_like(inputs), torch.zeros_like(outputs), []
    for center, context, row in zip(centers, contexts, negatives, strict=True):
        loss, grad_center, grad_words = negative_sampling_loss_and_grad(
            inputs[center], outputs, int(context), row
        )
        losses.append(loss)
        grad_input[center] += grad_center
        grad_output += grad_words
    expected_input, expected_output = inputs - 0.1 * grad_input, outputs - 0.1 * grad_output
    new_input, new_output, loss = sgns_step(inputs, outputs, centers, contexts, negatives, 0.1)
    torch.testing.assert_close(new_input, expected_input)
    torch.testing.assert_close(new_output, expected_output)
    torch.testing.assert_close(loss, torch.stack(losses).mean())


def test_a_step_changes_the_matrices_in_place_and_returns_them() -> None:
    inputs, outputs = random_case(6)
    new_input, new_output, loss = sgns_step(
        inputs, outputs, torch.tensor([0]), torch.tensor([1]), torch.tensor([[2]]), 0.1
    )
    assert new_input is inputs
    assert new_output is outputs
    assert loss.shape == ()


def test_repeated_steps_lower_the_loss() -> None:
    inputs, outputs = random_case(7)
    arguments = (torch.tensor([0, 1]), torch.tensor([2, 3]), torch.tensor([[4, 5], [5, 6]]))
    losses = [float(sgns_step(inputs, outputs, *arguments, 0.05)[2]) for _ in range(20)]
    assert all(after < before for before, after in pairwise(losses))


# ----------------------------------------------------------------- neighbours, analogies


def keyed_vectors(words: list[str], vectors: Tensor) -> KeyedVectors:
    keyed = KeyedVectors(vectors.shape[1])
    keyed.add_vectors(words, vectors.numpy())
    return keyed


@pytest.fixture(scope="module")
def random_words() -> tuple[list[str], Tensor, KeyedVectors]:
    vectors = torch.randn(200, 12, generator=torch.Generator().manual_seed(8))
    words = [f"w{number}" for number in range(200)]
    return words, vectors, keyed_vectors(words, vectors)


@pytest.mark.parametrize("word_id", [0, 17, 199])
def test_neighbours_are_those_that_gensim_finds(
    random_words: tuple[list[str], Tensor, KeyedVectors], word_id: int
) -> None:
    words, vectors, keyed = random_words
    ids, cosines = most_similar(vectors, word_id, 10)
    expected = keyed.most_similar(words[word_id], topn=10)
    assert [words[number] for number in ids] == [word for word, _ in expected]
    assert cosines.tolist() == pytest.approx([cosine for _, cosine in expected], abs=1e-6)


@pytest.mark.parametrize("question", [(0, 1, 2), (50, 7, 199), (3, 3, 9)])
def test_analogies_are_answered_as_gensim_answers_them(
    random_words: tuple[list[str], Tensor, KeyedVectors], question: tuple[int, int, int]
) -> None:
    words, vectors, keyed = random_words
    a, b, c = question
    ids = analogy(vectors, a, b, c, k=5)
    # gensim divides by the sum of weights, which leaves the order as it is
    expected = keyed.most_similar(positive=[words[b], words[c]], negative=[words[a]], topn=5)
    if a == b:  # gensim treats a word given twice as one; 3CosAdd then asks for c's neighbours
        expected = keyed.most_similar(words[c], topn=7)
        expected = [pair for pair in expected if pair[0] not in (words[a], words[b])][:5]
    assert [words[number] for number in ids] == [word for word, _ in expected]


def test_of_equal_cosines_the_smaller_id_comes_first() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [0.0, 3.0], [5.0, 0.0], [0.0, 0.0]])
    ids, cosines = most_similar(vectors, 2, 5)
    assert ids.tolist() == [0, 4, 1, 3, 5]
    assert cosines.tolist() == [1, 1, 0, 0, 0]
    assert analogy(vectors, 1, 3, 0, k=3).tolist() == [2, 4, 5]


def test_a_zero_vector_has_cosine_zero_with_everything() -> None:
    ids, cosines = most_similar(torch.tensor([[0.0, 0.0], [1.0, 2.0], [-1.0, 0.0]]), 0, 2)
    assert ids.tolist() == [1, 2]
    assert cosines.tolist() == [0, 0]


@given(st.integers(0, 10**6), st.integers(0, 11), st.floats(0.01, 100))
@settings(max_examples=30)
def test_the_length_of_vectors_does_not_matter(seed: int, word_id: int, factor: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    lengths = torch.rand(12, 1, generator=generator, dtype=torch.float64) + factor
    ids, cosines = most_similar(vectors, word_id, 11)
    scaled_ids, scaled_cosines = most_similar(vectors * lengths, word_id, 11)
    assert scaled_ids.tolist() == ids.tolist()
    torch.testing.assert_close(scaled_cosines, cosines)
    assert word_id not in ids.tolist()
    assert bool((cosines[1:] <= cosines[:-1]).all())
    assert torch.equal(analogy(vectors * lengths, 0, 1, 2, 5), analogy(vectors, 0, 1, 2, 5))


# ---------------------------------------------------------------------------- training


def random_step(seed: int) -> SkipgramStep:
    """Three blocks of four centres, windows up to 2, words from a vocabulary of 9."""
    generator = torch.Generator().manual_seed(seed)
    stream = torch.randint(9, (16,), generator=generator)
    return SkipgramStep(
        center_ids=stream[2:14].view(3, 4),
        context_ids=stream.unfold(0, 8, 4),
        left=torch.randint(0, 3, (3, 4), generator=generator, dtype=torch.int16),
        right=torch.randint(0, 3, (3, 4), generator=generator, dtype=torch.int16),
        negatives=torch.randint(9, (3, 5), generator=generator),
    )


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=15, deadline=None)
def test_the_fast_step_equals_the_sum_over_pairs(seed: int, num_negatives: int) -> None:
    step = random_step(seed)
    fast = random_case(seed, vocab_size=9)
    clear = random_case(seed, vocab_size=9)
    fast_loss = skipgram_step(*fast, step, comparison_weights(step, num_negatives), 0.1)
    clear_loss = skipgram_step_by_pair(*clear, step, num_negatives, 0.1)
    assert fast_loss is not None
    torch.testing.assert_close(fast_loss, clear_loss)
    torch.testing.assert_close(fast[0], clear[0])
    torch.testing.assert_close(fast[1], clear[1])


def test_a_step_that_measures_no_loss_moves_the_vectors_just_the_same() -> None:
    with_loss, without = random_case(9, vocab_size=9), random_case(9, vocab_size=9)
    step = random_step(9)
    weights = comparison_weights(step, 5)
    skipgram_step(*with_loss, step, weights, 0.1)
    assert skipgram_step(*without, step, weights, 0.1, measure_loss=False) is None
    assert torch.equal(with_loss[0], without[0])
    assert torch.equal(with_loss[1], without[1])


def trained_pairs(texts: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The (centre, context) words of one epoch, in order, as the fast trainer walks over them."""
    pairs = []

    def remember(
        inputs: Tensor, outputs: Tensor, step: SkipgramStep, *rest: object, **named: object
    ) -> None:
        reach = (step.context_ids.shape[1] - step.center_ids.shape[1]) // 2
        for block, centers in enumerate(step.center_ids.tolist()):
            for place, center in enumerate(centers):
                middle = place + reach
                first = middle - int(step.left[block, place])
                last = middle + int(step.right[block, place])
                contexts = step.context_ids[block].tolist()
                pairs.extend(
                    (center, contexts[at]) for at in range(first, last + 1) if at != middle
                )

    monkeypatch.setattr("solutions.vectors.training.skipgram_step", remember)
    model = train_skipgram(texts, epochs=1, min_count=1, threshold=None, window=3, dim=2)
    return [(model.words[center], model.words[context]) for center, context in pairs]


def test_the_trainer_visits_exactly_the_pairs_of_its_windows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [
        [f"{name}{number}" for number in range(length)]
        for name, length in zip("abcd", (40, 1, 7, 300), strict=True)
    ]
    visited = trained_pairs(texts, monkeypatch)
    # the trainer's own windows: its generator draws vectors, subsampling, negatives before them
    reach: dict[str, int] = {}
    for center, context in visited:
        distance = abs(int(center[1:]) - int(context[1:]))
        reach[center] = max(reach.get(center, 0), distance)
    expected = []
    for text in texts:
        sizes = torch.tensor([reach.get(word, 0) for word in text])
        expected += [
            (text[center], text[context])
            for center, context in skipgram_pairs(torch.arange(len(text)), sizes).tolist()
        ]
    assert visited == expected
    assert set(reach.values()) == {1, 2, 3}


def test_windows_do_not_reach_into_the_next_text(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [["a", "b"] * 10, ["c", "d", "c"], ["e"], ["f", "g"] * 20]
    visited = trained_pairs(texts, monkeypatch)
    assert {frozenset(pair) for pair in visited} <= {
        frozenset(pair) for text in texts for pair in ((x, y) for x in text for y in text)
    }


def small_corpus() -> list[list[str]]:
    return data.sample_corpus(books=2, sentences=150)


def test_the_same_seed_gives_the_same_vectors_and_another_seed_others() -> None:
    texts = small_corpus()
    first, again, other = (train_skipgram(texts, dim=8, epochs=1, seed=s) for s in (3, 3, 4))
    assert first.words == again.words
    assert torch.equal(first.input_vectors, again.input_vectors)
    assert torch.equal(first.output_vectors, again.output_vectors)
    assert not torch.equal(first.input_vectors, other.input_vectors)


def test_the_vocabulary_is_in_order_of_frequency_and_leaves_rare_words_out() -> None:
    model = train_skipgram([["b", "a", "a"], ["b", "c", "a"]], min_count=2, epochs=1, dim=3)
    assert model.words == ["a", "b"]
    assert model.counts.tolist() == [3, 2]
    assert model.input_vectors.shape == model.output_vectors.shape == (2, 3)


def test_a_corpus_without_a_frequent_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="no word occurs 5 times"):
        train_skipgram([["a", "b"]])


def test_a_learning_rate_that_blows_the_vectors_up_is_an_error() -> None:
    with pytest.raises(FloatingPointError, match="learning_rate"):
        train_skipgram(small_corpus(), dim=8, learning_rate=100.0, step_length=256)


def exact_loss(model: SkipgramModel, texts: list[list[str]]) -> float:
    """Mean loss of all pairs up to five words apart, over all negatives by their probability."""
    softplus = torch.nn.functional.softplus
    scores = model.input_vectors @ model.output_vectors.T
    noise_part = 5 * (softplus(scores) @ noise_distribution(model.counts))
    index = {word: number for number, word in enumerate(model.words)}
    losses = []
    for text in texts:
        ids = torch.tensor([index[word] for word in text if word in index])
        centers, contexts = skipgram_pairs(ids, torch.full_like(ids, 5)).T
        losses.append(softplus(-scores[centers, contexts]) + noise_part[centers])
    return float(torch.cat(losses).mean())


def test_the_fast_trainer_settles_at_the_loss_of_the_clear_one() -> None:
    texts = small_corpus()
    # A long step makes up its mind later than single pairs do, and costs far less time.
    fast = train_skipgram(texts, dim=16, epochs=8, learning_rate=0.1, min_count=3)
    clear = train_skipgram_by_pair(texts, dim=16, epochs=2, learning_rate=0.1, min_count=3)
    assert fast.words == clear.words
    loss_at_start = 6 * math.log(2)  # all scores are 0
    assert exact_loss(clear, texts) < loss_at_start - 1
    assert exact_loss(fast, texts) == pytest.approx(exact_loss(clear, texts), abs=0.1)


@pytest.fixture(scope="module")
def planted_pairs() -> Tensor:
    """Pairs of 40 words whose probability is that of six hidden coordinates, shape (60000, 2)."""
    generator = torch.Generator().manual_seed(0)
    hidden = 0.6 * torch.randn(40, 6, generator=generator)
    joint = torch.exp(hidden @ hidden.T)
    drawn = torch.multinomial(joint.flatten(), 60_000, replacement=True, generator=generator)
    return torch.stack([drawn // 40, drawn % 40], dim=1)


def train_on_pairs(pairs: Tensor, dim: int) -> SkipgramModel:
    return train_skipgram(
        [[str(first), str(second)] for first, second in pairs.tolist()],
        dim=dim,
        window=1,
        num_negatives=2,
        epochs=6,
        min_count=1,
        threshold=None,
        noise_power=1.0,
        learning_rate=0.05,
    )


def scores_and_shifted_pmi(model: SkipgramModel, pairs: Tensor) -> Tensor:
    """u.v, and PMI - log K, of the pairs of words seen at least 20 times; shape (2, n)."""
    order = torch.tensor([int(word) for word in model.words])
    counts = torch.zeros(40, 40)
    counts.index_put_(tuple(pairs.T), torch.ones(len(pairs)), accumulate=True)
    counts = (counts + counts.T)[order][:, order]
    words = counts.sum(dim=1)
    shifted_pmi = torch.log(counts * words.sum() / torch.outer(words, words)) - math.log(2)
    scores = model.input_vectors @ model.output_vectors.T
    return torch.stack([scores[counts >= 20], shifted_pmi[counts >= 20]])


def test_with_room_enough_scores_are_pmi_less_log_k(planted_pairs: Tensor) -> None:
    both = scores_and_shifted_pmi(train_on_pairs(planted_pairs, dim=10), planted_pairs)
    assert float(torch.corrcoef(both)[0, 1]) > 0.97
    assert float((both[0] - both[1]).abs().mean()) < 0.15  # equal, not only in line


def test_two_dimensions_are_not_enough_for_six_hidden_ones(planted_pairs: Tensor) -> None:
    both = scores_and_shifted_pmi(train_on_pairs(planted_pairs, dim=2), planted_pairs)
    assert float(torch.corrcoef(both)[0, 1]) < 0.8


# -------------------------------------------------------------------------- evaluation


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30))
def test_spearman_is_that_of_scipy_also_with_ties(pairs: list[tuple[int, int]]) -> None:
    first, second = (torch.tensor(side, dtype=torch.float64) for side in zip(*pairs, strict=True))
    got = spearman(first, second)
    if len(set(first.tolist())) == 1 or len(set(second.tolist())) == 1:
        assert math.isnan(got)
    else:
        assert got == pytest.approx(float(spearmanr(first, second)[0]), abs=1e-12)


def test_spearman_of_different_lengths_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot correlate"):
        spearman(torch.zeros(3), torch.zeros(2))


def test_pairs_out_of_the_vocabulary_are_left_out_and_counted() -> None:
    vectors = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    pairs = [("a", "b", 9.0), ("a", "c", 1.0), ("b", "c", 2.0), ("a", "zebra", 10.0)]
    result = similarity_correlation(["a", "b", "c"], vectors, pairs)
    assert result == (pytest.approx(1.0), 3, 4)


def test_many_analogies_at_once_are_answered_as_one_by_one(
    random_words: tuple[list[str], Tensor, KeyedVectors],
) -> None:
    words, vectors, _ = random_words
    generator = torch.Generator().manual_seed(9)
    triples = torch.stack([torch.randperm(200, generator=generator)[:3] for _ in range(20)])
    answers = [int(analogy(vectors, *triple)[0]) for triple in triples.tolist()]
    wrong = [(answer + 1) % 200 for answer in answers[10:]]
    questions = [
        tuple(words[number] for number in (*triple, answer))
        for triple, answer in zip(triples.tolist(), answers[:10] + wrong, strict=True)
    ]
    result = analogy_accuracy(words, vectors, [*questions, ("w0", "w1", "w2", "?")], batch_size=7)
    assert result == (10, 20, 21)


def test_analogy_files_are_read_by_section(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_text(": capitals\nRome Italy Oslo Norway\n\n: family\nboy girl son daughter\n")
    assert read_analogies(path) == {
        "capitals": [("rome", "italy", "oslo", "norway")],
        "family": [("boy", "girl", "son", "daughter")],
    }


@pytest.mark.parametrize("text", ["a b c d\n", ": s\na b c\n"])
def test_a_misshapen_analogy_file_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "questions.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"questions\.txt, line"):
        read_analogies(path)


# ------------------------------------------------------------------------------- files

WORDS = ["the", "naïve", "苹果", "New_York", "12", "x"]
VECTORS = torch.randn(6, 5, generator=torch.Generator().manual_seed(10))


def c_binary(words: list[str], vectors: Tensor) -> bytes:
    """A binary file as the original C program writes it: a newline after each vector."""
    body = b"".join(
        word.encode() + b" " + row.tobytes() + b"\n"
        for word, row in zip(words, vectors.numpy().astype("<f4"), strict=True)
    )
    return f"{len(words)} {vectors.shape[1]}\n".encode() + body


def gensim_binary(words: list[str], vectors: Tensor) -> bytes:
    """A binary file as gensim writes it: nothing after a vector."""
    body = b"".join(
        word.encode() + b" " + row.tobytes()
        for word, row in zip(words, vectors.numpy().astype("<f4"), strict=True)
    )
    return f"{len(words)} {vectors.shape[1]}\n".encode() + body


@pytest.mark.parametrize("binary", [False, True])
def test_files_that_gensim_writes_are_read(tmp_path: Path, binary: bool) -> None:
    path = tmp_path / "vectors"
    keyed_vectors(WORDS, VECTORS).save_word2vec_format(str(path), binary=binary, sort_attr="")
    words, vectors = load_vectors(path)
    assert words == WORDS
    assert vectors.dtype == torch.float32
    torch.testing.assert_close(vectors, VECTORS)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_the_files_that_are_saved(tmp_path: Path, binary: bool) -> None:
    path = tmp_path / "vectors"
    save_vectors(path, WORDS, VECTORS, binary=binary)
    keyed = KeyedVectors.load_word2vec_format(str(path), binary=binary)
    assert keyed.index_to_key == WORDS
    assert np.array_equal(keyed.vectors, VECTORS.numpy())


@pytest.mark.parametrize("write", [c_binary, gensim_binary])
def test_both_binary_forms_are_read(
    tmp_path: Path, write: Callable[[list[str], Tensor], bytes]
) -> None:
    path = tmp_path / "vectors.bin"
    path.write_bytes(write(WORDS, VECTORS))
    words, vectors = load_vectors(path)
    assert words == WORDS
    assert torch.equal(vectors, VECTORS)


@pytest.mark.parametrize("write", [c_binary, gensim_binary])
def test_a_vector_that_starts_with_a_newline_byte_is_read(
    tmp_path: Path, write: Callable[[list[str], Tensor], bytes]
) -> None:
    numbers = np.frombuffer(b"\n\n\x20\x3f\n 12\0\0\n\n", dtype="<f4").reshape(1, 3).repeat(2, 0)
    vectors = torch.from_numpy(numbers.copy())
    path = tmp_path / "vectors.bin"
    path.write_bytes(write(["a", "b"], vectors))
    words, got = load_vectors(path)
    assert words == ["a", "b"]
    assert torch.equal(got, vectors)


def test_text_as_the_c_program_writes_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"2 2\n</s> 0.5 -1e-3 \r\nof 1 2 \n\n")  # a space at the end of each line
    words, vectors = load_vectors(str(path))
    assert words == ["</s>", "of"]
    torch.testing.assert_close(vectors, torch.tensor([[0.5, -1e-3], [1.0, 2.0]]))


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8),
        max_size=6,
        unique=True,
    ),
    st.integers(1, 4),
    st.booleans(),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_what_is_saved_comes_back_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory,
    words: list[str],
    dim: int,
    binary: bool,
    draw: st.DataObject,
) -> None:
    number = st.floats(width=32, allow_nan=False, allow_infinity=False)
    row = st.lists(number, min_size=dim, max_size=dim)
    rows = draw.draw(st.lists(row, min_size=len(words), max_size=len(words)))
    vectors = torch.tensor(rows, dtype=torch.float32).reshape(len(words), dim)
    path = tmp_path_factory.mktemp("vectors") / "vectors"
    save_vectors(path, words, vectors, binary=binary)
    got_words, got_vectors = load_vectors(path)
    assert got_words == words
    assert torch.equal(got_vectors, vectors)


@pytest.mark.parametrize("value", [478049.0, 1912197.0, 1.6777999e22])
def test_a_binary_file_whose_bytes_look_like_text_is_binary(tmp_path: Path, value: float) -> None:
    path = tmp_path / "vectors"
    save_vectors(path, ["a"], torch.tensor([[value]]), binary=True)
    assert torch.equal(load_vectors(path)[1], torch.tensor([[value]]))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"the 0.1 0.2\nof 0.3 0.4\n", "line 1: the header"),
        (b"2\na 1\nb 2\n", "line 1: the header"),
        (b"1 0\na\n", "dimension 0"),
        (b"-1 2\na 1 2\n", "line 1: the header"),
        (b"9000000 300\na 1 2\n", "line 1: the header promises 9000000"),
        (b"3 2\na 1 2\nb 3 4\n", "promises 3 vectors, the file ends after 2"),
        (b"1 2\na 1 2\nb 3 4\n", "line 3: .*one more"),
        (b"2 2\na 1 2\nb 3\n", r"line 3 \('b'\): expected 2 numbers, found 1"),
        (b"2 2\na 1 2 3\nb 3 4 5\n", r"line 2 \('a'\): expected 2 numbers, found 3"),
        (b"2 2\na 1 two\nb 3 4\n", r"line 2 \('a'\): .*two"),
        (b"2 2\na 1 2\nb 3 nan\n", r"vector 2 \('b'\).*not a finite"),
        (b"2 2\na 1 2\nb 3 1e300\n", r"vector 2 \('b'\).*not a finite"),
        (b"2 2\na 1 2\na 3 4\n", "'a' is there twice, as vectors 1 and 2"),
        (b"2 2\na 1 2\n\nb 3 4\n", "line 3: the line is empty"),
        (b"2 2\na 1 2\n 3 4\n", "line 3: the word is empty"),
        (b"2 2\na 1 2\n\xff\xfe 3 4\n", "line 3: the word .* is not UTF-8"),
    ],
)
def test_a_damaged_text_file_is_an_error_that_names_file_and_place(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "damaged.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s)damaged\.txt.*{sentence}"):
        load_vectors(path)


@pytest.mark.parametrize("write", [c_binary, gensim_binary])
@pytest.mark.parametrize("missing", [2, 20, 23, 40, 100])
def test_a_truncated_binary_file_is_an_error_that_names_file_and_place(
    tmp_path: Path, write: Callable[[list[str], Tensor], bytes], missing: int
) -> None:
    path = tmp_path / "damaged.bin"
    path.write_bytes(write(WORDS, VECTORS)[:-missing])
    with pytest.raises(ValueError, match=r"damaged\.bin.* (vector \d|line 1)"):
        load_vectors(path)


def test_other_damage_to_a_binary_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "damaged.bin"
    whole = c_binary(WORDS, VECTORS)
    for content, sentence in [
        (whole + b"more", "goes on after them"),
        (whole.replace(b"6 5", b"5 5", 1), "goes on after them"),
        (whole.replace(b"6 5", b"7 5", 1), "vector 7 of 7"),
        (whole.replace(b"6 5", b"6 4", 1), r"damaged\.bin"),
        (c_binary(["a", "b", "a"], VECTORS[:3]), "'a' is there twice, as vectors 1 and 3"),
        (c_binary(["a", "", "c"], VECTORS[:3]), "vector 2 of 3.*word is empty"),
        (c_binary(["a", "b", "c"], VECTORS[:3] * torch.nan), "not a finite"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"(?s){sentence}"):
            load_vectors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_vectors(tmp_path / "nowhere.bin")


@pytest.mark.parametrize(
    ("words", "vectors", "sentence"),
    [
        (["a"], torch.zeros(2, 3), "1 words for 2 vectors"),
        (["a", "b c"], torch.zeros(2, 3), "white space"),
        (["a", ""], torch.zeros(2, 3), "word 2"),
        (["a", "a"], torch.zeros(2, 3), "twice"),
        (["a"], torch.full((1, 3), torch.inf), "finite"),
        (["a"], torch.zeros(3), "shape"),
    ],
)
def test_what_could_not_be_read_back_is_not_saved(
    tmp_path: Path, words: list[str], vectors: Tensor, sentence: str
) -> None:
    path = tmp_path / "vectors.txt"
    with pytest.raises(ValueError, match=sentence):
        save_vectors(path, words, vectors)
    assert not path.exists()


@pytest.mark.data
def test_the_google_news_vectors_are_those_that_gensim_reads_and_load_in_seconds() -> None:
    path = data.path("google-news")
    start = time.process_time()
    words, vectors = load_vectors(path)
    seconds = time.process_time() - start
    keyed = KeyedVectors.load_word2vec_format(str(path), binary=True)
    assert vectors.shape == (26423, 300)
    assert words == keyed.index_to_key
    assert np.array_equal(vectors.numpy(), keyed.vectors)
    assert seconds < 10  # half a second; only a loader that has lost its way takes longer


@pytest.mark.data
def test_the_google_news_vectors_know_what_people_know() -> None:
    words, vectors = load_vectors(data.path("google-news"))
    result = similarity_correlation(words, vectors, data.similarity_pairs("wordsim353"))
    assert result == (pytest.approx(0.688, abs=0.005), 318, 353)
    index = {word: number for number, word in enumerate(words)}
    answers = analogy(vectors, index["man"], index["king"], index["woman"])
    assert words[answers[0]] == "queen"
