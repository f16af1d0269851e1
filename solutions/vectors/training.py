"""Chapter 2: train skip-gram vectors with negative sampling on a corpus, on one processor.

``train_skipgram`` is made for speed, ``train_skipgram_by_pair`` is the paper read aloud, made from
the exercises of the chapter. They minimise the same loss. The one difference: the fast trainer
draws negatives once for a step of some hundred words, and lets all pairs of the step share them,
each weighted so that a pair still meets K negatives in expectation. Sharing turns a walk over
single pairs into a few products of matrices (Ji et al. 2016, "Parallelizing Word2Vec in Shared
and Distributed Memory", arXiv:1604.04661).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from solutions.word2vec import (
    draw_window_sizes,
    keep_probability,
    linear_learning_rate,
    negative_sampling_loss_and_grad,
    noise_distribution,
    sgns_step,
    skipgram_pairs,
)

_LOSS_EVERY = 16  # the fast trainer measures its loss at every 16th step

_WEIGHTS_AT_ONCE = 64  # for so many steps the weights take a few megabytes

# All gradients of a step are taken at the old values. A word that meets n others in the step then
# moves by up to n * learning_rate times a vector. Where that is above 4, training was seen to
# diverge.
_MOST_PULL = 3.0
_LONGEST_STEP = 256  # longer ones gain little speed


@dataclass(frozen=True)
class SkipgramModel:
    """What a training gives.

    Attributes:
        words: the vocabulary, the most frequent word first; V entries.
        counts: how often each word occurs in the corpus, shape (V,), int64.
        input_vectors: Q, the word vectors, shape (V, D), float32.
        output_vectors: U, the words' vectors as contexts, shape (V, D), float32.
        epoch_losses: mean negative-sampling loss per pair in each epoch.
    """

    words: list[str]
    counts: Tensor
    input_vectors: Tensor
    output_vectors: Tensor
    epoch_losses: list[float]


@dataclass(frozen=True)
class _Corpus:
    """Texts as one stream of word ids, without the words that are too rare."""

    words: list[str]
    counts: Tensor  # (V,)
    token_ids: Tensor  # (N,)
    text_ids: Tensor  # (N,), which text each token stands in, ascending


class SkipgramStep(NamedTuple):
    """The words of one step of the fast trainer: G blocks of L centres.

    Attributes:
        center_ids: ids of the centres, shape (G, L), int64.
        context_ids: the same words with C more on either side, shape (G, L + 2C), int64.
        left: how many words each centre looks to the left, at most C, shape (G, L), int16.
        right: how many words each centre looks to the right, at most C, shape (G, L), int16.
        negatives: ids of the words that the pairs of a block share as negatives, shape (G, M),
            int64.
    """

    center_ids: Tensor
    context_ids: Tensor
    left: Tensor
    right: Tensor
    negatives: Tensor


def train_skipgram(
    texts: Sequence[Sequence[str]],
    *,
    dim: int = 100,
    window: int = 5,
    num_negatives: int = 5,
    epochs: int = 5,
    min_count: int = 5,
    threshold: float | None = 1e-3,
    formula: str = "code",
    noise_power: float = 0.75,
    learning_rate: float = 0.025,
    step_length: int | None = None,
    block_length: int = 16,
    shared_negatives: int = 16,
    seed: int = 0,
) -> SkipgramModel:
    """Train skip-gram vectors with negative sampling, fast.

    A window never reaches from one text into the next. Frequent words are subsampled, windows are
    drawn anew, in every epoch; the learning rate falls linearly to 1e-4 of its start. The same
    arguments give the same vectors.

    Args:
        texts: the corpus; each text a sequence of words.
        dim: D, the dimension of the vectors.
        window: C, the largest window.
        num_negatives: K, negatives per pair in expectation.
        epochs: how often to go through the corpus.
        min_count: words that occur less often are dropped before windows are laid.
        threshold: for ``keep_probability``; None keeps every word.
        formula: for ``keep_probability``; the released program's by default.
        noise_power: for ``noise_distribution``.
        learning_rate: at the start.
        step_length: how many centres have their gradients taken at the same values and summed. None
            takes as many as keep the step of the most frequent word short, at most 256.
        block_length: L, centres in a block; a step has G = step_length // L blocks, at least one,
            and scores are computed between the centres and the contexts of a block.
        shared_negatives: M, negatives drawn for each block.
        seed: of all randomness.

    Returns:
        The vocabulary, both matrices, and the losses (measured at every 16th step).

    Raises:
        ValueError: if no word occurs ``min_count`` times.
        FloatingPointError: if the vectors grew beyond all bounds.
    """
    corpus = _index_corpus(texts, min_count)
    generator = torch.Generator().manual_seed(seed)
    input_vectors, output_vectors = _start_vectors(len(corpus.words), dim, generator)
    keep = _keep(corpus.counts, threshold, formula)
    noise = noise_distribution(corpus.counts.double(), noise_power)
    if step_length is None:
        kept = corpus.counts * keep
        meetings = float((kept / kept.sum() + num_negatives * noise).max()) * (window + 1)
        step_length = min(_LONGEST_STEP, int(_MOST_PULL / (learning_rate * meetings)))
    block_length = max(1, min(block_length, step_length))
    num_blocks = max(1, step_length // block_length)
    step_length = num_blocks * block_length
    epoch_losses = []
    for epoch in range(epochs):
        loss_sum, measured_pairs = 0.0, 0
        token_ids, text_ids = _subsample(corpus, keep, generator)
        num_steps = max(1, -(-len(token_ids) // step_length))
        negatives = _draw_noise(noise, (num_steps, num_blocks, shared_negatives), generator)
        steps = _cut_into_steps(token_ids, text_ids, window, negatives, block_length, generator)
        for number, (step, weights) in enumerate(_with_weights(steps, num_negatives)):
            progress = (epoch + number / num_steps) / epochs
            loss = skipgram_step(
                input_vectors,
                output_vectors,
                step,
                weights,
                linear_learning_rate(learning_rate, progress),
                measure_loss=number % _LOSS_EVERY == 0,
            )
            if loss is not None:
                loss_sum += float(loss)
                measured_pairs += int(step.left.sum() + step.right.sum())
        epoch_losses.append(loss_sum / max(1, measured_pairs))
    if not (input_vectors.isfinite().all() and output_vectors.isfinite().all()):
        raise FloatingPointError(
            f"the vectors grew beyond all bounds with learning_rate {learning_rate} and "
            f"step_length {step_length}; make one of them smaller"
        )
    return SkipgramModel(corpus.words, corpus.counts, input_vectors, output_vectors, epoch_losses)


def train_skipgram_by_pair(
    texts: Sequence[Sequence[str]],
    *,
    dim: int = 100,
    window: int = 5,
    num_negatives: int = 5,
    epochs: int = 5,
    min_count: int = 5,
    threshold: float | None = 1e-3,
    formula: str = "code",
    noise_power: float = 0.75,
    learning_rate: float = 0.025,
    seed: int = 0,
) -> SkipgramModel:
    """Train skip-gram vectors with negative sampling, one pair after the other, as in the paper.

    The clear version of ``train_skipgram``, some hundred times slower: every pair draws its own
    negatives and moves the vectors before the next pair comes. Arguments, result and errors are
    the same, with Q and U of shape (V, D) in the result, except that there are no blocks and that
    the losses are those of all pairs.
    """
    corpus = _index_corpus(texts, min_count)
    generator = torch.Generator().manual_seed(seed)
    input_vectors, output_vectors = _start_vectors(len(corpus.words), dim, generator)
    keep = _keep(corpus.counts, threshold, formula)
    noise = noise_distribution(corpus.counts.double(), noise_power)
    epoch_losses = []
    for epoch in range(epochs):
        losses = []
        token_ids, text_ids = _subsample(corpus, keep, generator)
        seen = 0
        for text in sorted(set(text_ids.tolist())):
            text_tokens = token_ids[text_ids == text]
            windows = draw_window_sizes(len(text_tokens), window, generator)
            pairs = skipgram_pairs(text_tokens, windows)  # (number of pairs, 2)
            negatives = _draw_noise(noise, (len(pairs), num_negatives), generator)
            rate = linear_learning_rate(learning_rate, (epoch + seen / len(token_ids)) / epochs)
            for pair, pair_negatives in zip(pairs, negatives, strict=True):
                _, _, loss = sgns_step(
                    input_vectors, output_vectors, pair[:1], pair[1:], pair_negatives[None], rate
                )
                losses.append(float(loss))
            seen += len(text_tokens)
        epoch_losses.append(sum(losses) / max(1, len(losses)))
    return SkipgramModel(corpus.words, corpus.counts, input_vectors, output_vectors, epoch_losses)


def comparison_weights(step: SkipgramStep, num_negatives: int) -> Tensor:
    """Say how often each comparison of a centre with a word of its block counts.

    A context counts once if the centre's window holds it, else not at all. A shared negative
    counts K / M times for each pair of the centre.

    Args:
        step: one step, or several whose tensors are stacked along leading axes.
        num_negatives: K.

    Returns:
        Weights, shape (..., G, L, W), float32, with the W = L + 2C + M words of a block: its
        contexts, then its negatives.
    """
    *leading, block_length = step.center_ids.shape
    num_contexts, num_shared = step.context_ids.shape[-1], step.negatives.shape[-1]
    weights = torch.empty(*leading, block_length, num_contexts + num_shared)  # (..., G, L, W)
    halo = (num_contexts - block_length) // 2  # C
    place = torch.arange(block_length)[:, None] + halo  # of a centre among the contexts, (L, 1)
    offset = (torch.arange(num_contexts) - place).to(torch.int16)  # (L, L + 2C)
    offset[offset == 0] = torch.iinfo(torch.int16).max  # a centre is out of its own reach
    in_reach = (offset >= -step.left[..., None]) & (offset <= step.right[..., None])
    weights[..., :num_contexts] = in_reach
    num_pairs = (step.left + step.right)[..., None]  # (..., G, L, 1)
    weights[..., num_contexts:] = num_pairs * (num_negatives / num_shared)
    return weights


def skipgram_step(
    input_vectors: Tensor,
    output_vectors: Tensor,
    step: SkipgramStep,
    weights: Tensor,
    learning_rate: float,
    measure_loss: bool = True,
) -> Tensor | None:
    """Take one step of gradient descent on all pairs of some blocks of words, by matrix products.

    The loss of a pair is that of ``negative_sampling_loss_and_grad`` with all M negatives of its
    block, each weighted K / M. It is summed over the pairs; all gradients are taken at the old
    values.

    Args:
        input_vectors: Q, shape (V, D), float. Changed in place.
        output_vectors: U, shape (V, D), same dtype. Changed in place.
        step: the words.
        weights: from ``comparison_weights``, shape (G, L, W).
        learning_rate: the step's length.
        measure_loss: whether to compute the loss, which costs time.

    Returns:
        The loss before the step, summed over the pairs, shape (), or None if not measured.
    """
    word_ids = torch.cat([step.context_ids, step.negatives], dim=1)  # (G, W)
    centers = _rows(input_vectors, step.center_ids)  # (G, L, D)
    words = _rows(output_vectors, word_ids)  # (G, W, D)
    labels = torch.zeros(word_ids.shape[1], dtype=words.dtype)  # (W,)
    labels[: step.context_ids.shape[1]] = 1.0

    scores = torch.bmm(centers, words.transpose(1, 2))  # (G, L, W)
    loss = None
    if measure_loss:
        signed_scores = (2 * labels - 1) * scores
        loss = -(torch.nn.functional.logsigmoid(signed_scores) * weights).sum()
    # What the step adds to a score's one vector, as a multiple of the other one.
    pull = (labels - torch.sigmoid(scores)).mul_(weights).mul_(learning_rate)  # (G, L, W)
    center_updates = torch.bmm(pull, words)  # (G, L, D)
    word_updates = torch.bmm(pull.transpose(1, 2), centers)  # (G, W, D)
    _add_rows(input_vectors, step.center_ids, center_updates)
    _add_rows(output_vectors, word_ids, word_updates)
    return loss


def skipgram_step_by_pair(
    input_vectors: Tensor,
    output_vectors: Tensor,
    step: SkipgramStep,
    num_negatives: int,
    learning_rate: float,
) -> Tensor:
    """Do what ``skipgram_step`` does, pair by pair: the clear version that a test compares with.

    It needs K, ``num_negatives``, in place of the weights; the rest, with Q and U of shape (V, D),
    and the result, the summed loss of shape (), are the same.
    """
    halo = (step.context_ids.shape[1] - step.center_ids.shape[1]) // 2  # C
    weight = num_negatives / step.negatives.shape[1]
    total_loss = torch.zeros((), dtype=input_vectors.dtype)
    grad_input = torch.zeros_like(input_vectors)
    grad_output = torch.zeros_like(output_vectors)
    for block, center_ids in enumerate(step.center_ids.tolist()):
        context_ids = step.context_ids[block].tolist()
        negatives = step.negatives[block]
        for place, center_id in enumerate(center_ids):
            center = place + halo
            first = center - int(step.left[block, place])
            last = center + int(step.right[block, place])
            for context in range(first, last + 1):
                if context == center:
                    continue
                pair = (input_vectors[center_id], output_vectors, context_ids[context])
                positive = negative_sampling_loss_and_grad(*pair, negatives[:0])
                complete = negative_sampling_loss_and_grad(*pair, negatives)
                loss, grad_center, grad_words = (
                    alone + weight * (both - alone)
                    for alone, both in zip(positive, complete, strict=True)
                )
                total_loss += loss
                grad_input[center_id] += grad_center
                grad_output += grad_words
    input_vectors -= learning_rate * grad_input
    output_vectors -= learning_rate * grad_output
    return total_loss


def _rows(matrix: Tensor, ids: Tensor) -> Tensor:
    """Give the rows of some ids; faster than matrix[ids]."""
    return matrix.index_select(0, ids.reshape(-1)).view(*ids.shape, -1)


def _add_rows(matrix: Tensor, ids: Tensor, rows: Tensor) -> None:
    """Add to the rows of some ids; faster than index_add_."""
    dim = matrix.shape[1]
    matrix.scatter_add_(0, ids.reshape(-1, 1).expand(-1, dim), rows.reshape(-1, dim))


def _index_corpus(texts: Sequence[Sequence[str]], min_count: int) -> _Corpus:
    counter = Counter(chain.from_iterable(texts))
    words = sorted(
        (word for word, count in counter.items() if count >= min_count),
        key=lambda word: (-counter[word], word),
    )
    if not words:
        raise ValueError(
            f"no word occurs {min_count} times in these {len(texts)} texts of "
            f"{counter.total()} words; give more text or a smaller min_count"
        )
    index = {word: number for number, word in enumerate(words)}
    ids = np.fromiter(
        map(index.get, chain.from_iterable(texts), repeat(-1)), np.int64, counter.total()
    )
    token_ids = torch.from_numpy(ids)
    text_ids = torch.repeat_interleave(torch.tensor([len(text) for text in texts]))
    known = token_ids >= 0
    counts = torch.tensor([counter[word] for word in words])
    return _Corpus(words, counts, token_ids[known], text_ids[known])


def _start_vectors(vocab_size: int, dim: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Input vectors uniform within 0.5 / D of zero, output vectors zero, as the program does."""
    input_vectors = (torch.rand(vocab_size, dim, generator=generator) - 0.5) / dim
    return input_vectors, torch.zeros(vocab_size, dim)


def _keep(counts: Tensor, threshold: float | None, formula: str) -> Tensor:
    if threshold is None:
        return torch.ones(len(counts))
    return keep_probability(counts, threshold, formula)


def _subsample(corpus: _Corpus, keep: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    chance = torch.rand(len(corpus.token_ids), generator=generator)
    kept = chance < keep[corpus.token_ids]
    return corpus.token_ids[kept], corpus.text_ids[kept]


def _draw_noise(noise: Tensor, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw words from a distribution, many at once: far faster than torch.multinomial."""
    chance = torch.rand(shape, dtype=noise.dtype, generator=generator)
    return torch.searchsorted(noise.cumsum(0), chance).clamp_(max=len(noise) - 1)


def _cut_into_steps(
    token_ids: Tensor,
    text_ids: Tensor,
    window: int,
    negatives: Tensor,
    block_length: int,
    generator: torch.Generator,
) -> SkipgramStep:
    """Cut an epoch's stream into steps, stacked along a first axis.

    The last one is filled up with centres that look nowhere and so have no pair.
    """
    num_tokens = len(token_ids)
    num_steps, num_blocks, _ = negatives.shape  # (steps, G, M)
    windows = draw_window_sizes(num_tokens, window, generator)
    position = torch.arange(num_tokens)
    first = torch.searchsorted(text_ids, text_ids)  # where each token's text starts
    last = torch.searchsorted(text_ids, text_ids, right=True) - 1  # and where it ends
    left = torch.minimum(windows, position - first).to(torch.int16)
    right = torch.minimum(windows, last - position).to(torch.int16)

    padding = num_steps * num_blocks * block_length - num_tokens
    shape = (num_steps, num_blocks, block_length)
    pad = torch.nn.functional.pad
    stream = pad(token_ids, (window, window + padding))
    contexts = stream.unfold(0, block_length + 2 * window, block_length)  # (steps * G, L + 2C)
    return SkipgramStep(
        pad(token_ids, (0, padding)).view(shape),
        contexts.view(num_steps, num_blocks, -1),
        pad(left, (0, padding)).view(shape),
        pad(right, (0, padding)).view(shape),
        negatives,
    )


def _with_weights(steps: SkipgramStep, num_negatives: int) -> Iterator[tuple[SkipgramStep, Tensor]]:
    """Give the stacked steps one by one with their weights, which are computed for many at once."""
    for start in range(0, len(steps.center_ids), _WEIGHTS_AT_ONCE):
        some = SkipgramStep(*(field[start : start + _WEIGHTS_AT_ONCE] for field in steps))
        weights = comparison_weights(some, num_negatives)
        yield from zip(map(SkipgramStep, *some), weights, strict=True)
