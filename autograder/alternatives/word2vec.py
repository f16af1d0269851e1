"""Right answers to the exercises of chapter 2, written differently from the reference."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autograder.alternatives import alternative

Triple = tuple[Tensor, Tensor, Tensor]


# ---------------------------------------------------------------------------- skipgram_pairs


@alternative("skipgram_pairs")
def distance_matrix(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    if token_ids.shape != window_sizes.shape:
        raise ValueError("Each position needs its window size.")
    positions = torch.arange(len(token_ids))
    distance = (positions[:, None] - positions[None, :]).abs()
    inside = (distance > 0) & (distance <= window_sizes[:, None])
    return token_ids[inside.nonzero()]


@alternative("skipgram_pairs")
def two_slices(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    if len(token_ids) != len(window_sizes):
        raise ValueError("Each position needs its window size.")
    pieces = [torch.empty(0, 2, dtype=torch.int64)]
    for t, size in enumerate(window_sizes.tolist()):
        around = torch.cat([token_ids[max(t - size, 0) : t], token_ids[t + 1 : t + 1 + size]])
        pieces.append(torch.stack([token_ids[t].expand(len(around)), around], dim=1))
    return torch.cat(pieces)


@alternative("skipgram_pairs")
def offsets_at_once(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    if len(token_ids) != len(window_sizes):
        raise ValueError("Each position needs its window size.")
    ids, sizes = token_ids.numpy(), window_sizes.numpy()
    widest = int(sizes.max(initial=0))
    offsets = np.array([o for o in range(-widest, widest + 1) if o], dtype=np.int64)
    context = np.arange(len(ids))[:, None] + offsets
    good = (context >= 0) & (context < len(ids)) & (np.abs(offsets) <= sizes[:, None])
    centre = np.nonzero(good)[0]
    return torch.from_numpy(np.stack([ids[centre], ids[context[good]]], axis=1))


# -------------------------------------------------------------------------- keep_probability


@alternative("keep_probability")
def word_by_word(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    if formula not in {"paper", "code"}:
        raise ValueError("The formula is that of the paper or that of the code.")
    total = sum(counts.tolist())
    result = []
    for count in counts.tolist():
        if count == 0:
            result.append(1.0)
            continue
        ratio = threshold * total / count
        value = ratio**0.5 + (ratio if formula == "code" else 0)
        result.append(min(1.0, value))
    dtype = counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    return torch.tensor(result, dtype=dtype)


@alternative("keep_probability")
def as_the_program_writes_it(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    share = threshold * counts.sum()
    if formula == "code":  # in the released program's own form
        value = (torch.sqrt(counts / share) + 1) * share / counts
    elif formula == "paper":
        value = 1 / torch.sqrt(counts / share)
    else:
        raise ValueError(formula)
    return torch.minimum(value.nan_to_num(nan=1.0), torch.ones_like(value))


@alternative("keep_probability")
def one_minus_discard(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    if formula not in ("paper", "code"):
        raise ValueError(formula)
    dtype = counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    frequency = counts.double() / counts.double().sum()
    keep = torch.ones_like(frequency)
    seen = frequency > 0
    keep[seen] = (threshold / frequency[seen]) ** 0.5
    if formula == "code":
        keep[seen] += threshold / frequency[seen]
    discard = (1 - keep).clamp(min=0)
    return (1 - discard).to(dtype)


# ------------------------------------------------------------------------ noise_distribution


@alternative("noise_distribution")
def numpy_power(counts: Tensor, power: float = 0.75) -> Tensor:
    weights = np.power(counts.numpy().astype(np.float64), power)
    dtype = counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    return torch.from_numpy(weights / weights.sum()).to(dtype)


@alternative("noise_distribution")
def softmax_of_logarithms(counts: Tensor, power: float = 0.75) -> Tensor:
    dtype = counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    return torch.softmax(power * torch.log(counts.to(dtype)), dim=0)


@alternative("noise_distribution")
def list_of_floats(counts: Tensor, power: float = 0.75) -> Tensor:
    weights = [count**power for count in counts.tolist()]
    dtype = counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    return torch.tensor([weight / sum(weights) for weight in weights], dtype=dtype)


# --------------------------------------------------------------- naive_softmax_loss_and_grad


@alternative("naive_softmax_loss_and_grad")
def softmax_by_autograd(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    center = center_vector.detach().clone().requires_grad_()
    output = output_vectors.detach().clone().requires_grad_()
    loss = functional.cross_entropy((output @ center)[None], torch.tensor([target]))
    grad_center, grad_output = torch.autograd.grad(loss, (center, output))
    return loss.detach(), grad_center, grad_output


@alternative("naive_softmax_loss_and_grad")
def largest_score_taken_away(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    scores = torch.einsum("vd,d->v", output_vectors, center_vector)
    exponentials = torch.exp(scores - scores.max())
    probabilities = exponentials / exponentials.sum()
    loss = torch.log(exponentials.sum()) - (scores[target] - scores.max())
    one_hot = functional.one_hot(torch.tensor(target), len(scores)).to(scores.dtype)
    errors = probabilities - one_hot
    return (
        loss,
        torch.einsum("v,vd->d", errors, output_vectors),
        torch.einsum("v,d->vd", errors, center_vector),
    )


@alternative("naive_softmax_loss_and_grad")
def softmax_in_a_loop(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    scores = torch.stack([row @ center_vector for row in output_vectors])
    log_sum = torch.logsumexp(scores, dim=0)
    grad_center = -output_vectors[target].clone()
    grad_output = torch.zeros_like(output_vectors)
    for word, row in enumerate(output_vectors):
        probability = torch.exp(scores[word] - log_sum)
        grad_center += probability * row
        grad_output[word] = probability * center_vector
    grad_output[target] -= center_vector
    return log_sum - scores[target], grad_center, grad_output


# ----------------------------------------------------------- negative_sampling_loss_and_grad


@alternative("negative_sampling_loss_and_grad")
def sampling_by_autograd(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    center = center_vector.detach().clone().requires_grad_()
    output = output_vectors.detach().clone().requires_grad_()
    loss = functional.softplus(-(output[target] @ center))
    loss = loss + functional.softplus(output[negatives] @ center).sum()
    grad_center, grad_output = torch.autograd.grad(loss, (center, output))
    return loss.detach(), grad_center, grad_output


@alternative("negative_sampling_loss_and_grad")
def sampling_in_a_loop(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    loss = torch.zeros((), dtype=center_vector.dtype)
    grad_center = torch.zeros_like(center_vector)
    grad_output = torch.zeros_like(output_vectors)
    for word, label in [(target, 1), *((negative, 0) for negative in negatives.tolist())]:
        score = output_vectors[word] @ center_vector
        loss = loss - functional.logsigmoid(score if label else -score)
        error = torch.sigmoid(score) - label
        grad_center += error * output_vectors[word]
        grad_output[word] += error * center_vector
    return loss, grad_center, grad_output


@alternative("negative_sampling_loss_and_grad")
def counted_negatives(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    dtype = center_vector.dtype
    center, output = center_vector.double(), output_vectors.double()
    times = torch.bincount(negatives, minlength=len(output)).double()
    scores = output @ center
    is_target = (torch.arange(len(output)) == target).double()
    loss = (times * functional.softplus(scores) + is_target * functional.softplus(-scores)).sum()
    errors = times * torch.sigmoid(scores) - is_target * torch.sigmoid(-scores)
    return loss.to(dtype), (errors @ output).to(dtype), torch.outer(errors, center).to(dtype)


# --------------------------------------------------------------------------------- sgns_step


@alternative("sgns_step")
def sum_of_single_gradients(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    grad_input = torch.zeros_like(input_vectors)
    grad_output = torch.zeros_like(output_vectors)
    losses = []
    for center, context, drawn in zip(centers.tolist(), contexts.tolist(), negatives, strict=True):
        loss, for_center, for_output = sampling_in_a_loop(
            input_vectors[center], output_vectors, context, drawn
        )
        grad_input[center] += for_center
        grad_output += for_output
        losses.append(loss)
    input_vectors -= learning_rate * grad_input
    output_vectors -= learning_rate * grad_output
    return input_vectors, output_vectors, torch.stack(losses).mean()


@alternative("sgns_step")
def step_by_autograd(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    inner = input_vectors.detach().clone().requires_grad_()
    outer = output_vectors.detach().clone().requires_grad_()
    positive = (inner[centers] * outer[contexts]).sum(dim=1)
    negative = torch.bmm(outer[negatives], inner[centers][:, :, None]).squeeze(2)
    losses = functional.softplus(-positive) + functional.softplus(negative).sum(dim=1)
    grad_input, grad_output = torch.autograd.grad(losses.sum(), (inner, outer))
    input_vectors.copy_(input_vectors - learning_rate * grad_input)
    output_vectors.copy_(output_vectors - learning_rate * grad_output)
    return input_vectors, output_vectors, losses.mean().detach()


@alternative("sgns_step")
def one_hot_matrices(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Gives new matrices and leaves the old ones; which tensor holds the result is not graded."""
    dtype, vocab_size = input_vectors.dtype, len(input_vectors)
    center_rows = functional.one_hot(centers, vocab_size).to(dtype)  # (B, V)
    positive = functional.one_hot(contexts, len(output_vectors)).to(dtype)  # (B, V)
    times = functional.one_hot(negatives, len(output_vectors)).sum(dim=1).to(dtype)  # (B, V)
    scores = center_rows @ input_vectors @ output_vectors.T  # (B, V)
    loss = positive * functional.softplus(-scores) + times * functional.softplus(scores)
    errors = times * torch.sigmoid(scores) - positive * torch.sigmoid(-scores)
    new_input = input_vectors - learning_rate * center_rows.T @ errors @ output_vectors
    new_output = output_vectors - learning_rate * errors.T @ center_rows @ input_vectors
    return new_input, new_output, loss.sum(dim=1).mean()


# ------------------------------------------------------------------------------ most_similar


@alternative("most_similar")
def lowest_possible_cosine(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    cosines = functional.cosine_similarity(vectors, vectors[word_id][None], dim=1)
    cosines[word_id] = -torch.inf
    values, ids = cosines.sort(descending=True, stable=True)
    return ids[:k], values[:k]


@alternative("most_similar")
def tiny_number_guards_the_division(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    lengths = vectors.norm(dim=1)
    cosines = vectors @ vectors[word_id] / (lengths * lengths[word_id] + 1e-12)
    others = torch.tensor([i for i in range(len(vectors)) if i != word_id])
    ids = others[torch.argsort(-cosines[others], stable=True)[:k]]
    return ids, cosines[ids]


@alternative("most_similar")
def sorted_list(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    def cosine(a: Tensor, b: Tensor) -> float:
        lengths = float(a.norm()) * float(b.norm())
        return float(a @ b) / lengths if lengths else 0.0

    own = vectors[word_id]
    found = [(-cosine(row, own), i) for i, row in enumerate(vectors) if i != word_id]
    found = sorted(found)[:k]
    ids = torch.tensor([i for _, i in found], dtype=torch.int64)
    return ids, torch.tensor([-negative for negative, _ in found], dtype=vectors.dtype)


# ----------------------------------------------------------------------------------- analogy


@alternative("analogy")
def normalised_query(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    unit = functional.normalize(vectors, dim=1)
    query = functional.normalize(unit[b] - unit[a] + unit[c], dim=0)
    cosines = torch.einsum("vd,d->v", unit, query)
    cosines[[a, b, c]] = -torch.inf
    return cosines.sort(descending=True, stable=True).indices[:k]


@alternative("analogy")
def sum_of_three_cosines(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    rows = vectors.numpy()
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    scores = cosines[b] - cosines[a] + cosines[c]
    order = [word for word in np.argsort(-scores, kind="stable").tolist() if word not in (a, b, c)]
    return torch.tensor(order[:k], dtype=torch.int64)
