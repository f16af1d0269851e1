"""Wrong answers to the exercise `sgns_step`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import word2vec

Triple = tuple[Tensor, Tensor, Tensor]


@misconception("sgns_step")
def gradients_averaged(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your step is too short by the number of pairs in the batch. The gradients of the pairs are
    summed; only the loss that you report is a mean."""
    return word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate / len(centers)
    )


@misconception("sgns_step")
def step_uphill(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your step goes along the gradient, and the loss grows. Gradient descent goes against it."""
    return word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, -learning_rate
    )


@misconception("sgns_step")
def pairs_one_after_another(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """You take one step for each pair, and the later pairs already see moved vectors. The gradients
    of the whole batch are taken at the old values: move nothing before you have them all."""
    losses = []
    for i in range(len(centers)):
        loss = word2vec.sgns_step(
            input_vectors,
            output_vectors,
            centers[i : i + 1],
            contexts[i : i + 1],
            negatives[i : i + 1],
            learning_rate,
        )[2]
        losses.append(loss)
    return input_vectors, output_vectors, torch.stack(losses).mean()


@misconception("sgns_step")
def output_sees_moved_input(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """The gradient of the output vectors is made from input vectors that have already moved. Copy
    the rows you need, or work out both gradients, before you change either matrix."""
    words = torch.cat([contexts[:, None], negatives], dim=1)
    labels = torch.zeros(words.shape, dtype=input_vectors.dtype)
    labels[:, 0] = 1
    rows = output_vectors[words]
    scores = torch.einsum("bd,bkd->bk", input_vectors[centers], rows)
    loss = -functional.logsigmoid((2 * labels - 1) * scores).sum(dim=1).mean()
    errors = torch.sigmoid(scores) - labels
    input_vectors.index_add_(
        0, centers, torch.einsum("bk,bkd->bd", errors, rows), alpha=-learning_rate
    )
    grad_rows = errors[:, :, None] * input_vectors[centers][:, None, :]
    output_vectors.index_add_(0, words.flatten(), grad_rows.flatten(0, 1), alpha=-learning_rate)
    return input_vectors, output_vectors, loss


@misconception("sgns_step")
def repeated_words_overwritten(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """A word that stands in the batch twice moves only once. Indexing with a list of ids writes
    each row once, also with `-=`: use an operation that adds up repeated rows, or a loop."""
    words = torch.cat([contexts[:, None], negatives], dim=1)
    labels = torch.zeros(words.shape, dtype=input_vectors.dtype)
    labels[:, 0] = 1
    center_rows, rows = input_vectors[centers], output_vectors[words]
    scores = torch.einsum("bd,bkd->bk", center_rows, rows)
    loss = -functional.logsigmoid((2 * labels - 1) * scores).sum(dim=1).mean()
    errors = torch.sigmoid(scores) - labels
    input_vectors[centers] -= learning_rate * torch.einsum("bk,bkd->bd", errors, rows)
    output_vectors[words] -= learning_rate * errors[:, :, None] * center_rows[:, None, :]
    return input_vectors, output_vectors, loss


@misconception("sgns_step")
def output_vectors_stand_still(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your output vectors have not moved. Both matrices are learned: take the step for both."""
    still = output_vectors.clone()
    _, _, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return input_vectors, still, loss


@misconception("sgns_step")
def loss_summed(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your vectors are right; the loss is the sum over the batch. Report the mean over the pairs,
    so that batches of different sizes can be compared."""
    new_input, new_output, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return new_input, new_output, loss * len(centers)


@misconception("sgns_step")
def repeated_centres_overwritten(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your output vectors are right, but a centre that stands in the batch twice moves only once.
    Indexing with a list of ids writes each row once, also with `-=`: add its gradients up."""
    old, new = input_vectors.clone(), input_vectors.clone()
    for i, center in enumerate(centers.tolist()):  # what the last pair of a centre writes, stays
        moved, _, _ = word2vec.sgns_step(
            old.clone(),
            output_vectors.clone(),
            centers[i : i + 1],
            contexts[i : i + 1],
            negatives[i : i + 1],
            learning_rate,
        )
        new[center] = moved[center]
    _, new_output, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return new, new_output, loss


@misconception("sgns_step")
def loss_after_the_step(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your vectors are right; the loss is that of the vectors after the step. Report the loss
    before it: work it out from the old values."""
    new_input, new_output, _ = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    _, _, loss = word2vec.sgns_step(
        new_input.clone(), new_output.clone(), centers, contexts, negatives, learning_rate
    )
    return new_input, new_output, loss


@misconception("sgns_step")
def loss_divided_by_all_scores(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your vectors are right; the loss is the mean over all 1 + K words of all pairs. A pair's loss
    is the sum of its 1 + K terms: take the mean over the pairs only."""
    new_input, new_output, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return new_input, new_output, loss / (1 + negatives.shape[1])


@misconception("sgns_step")
def own_context_skipped(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """You skip a negative that happens to be the pair's own context. Here it counts as a negative
    like the others (the docstring says so)."""
    total_loss = torch.zeros((), dtype=input_vectors.dtype)
    new_input, new_output = input_vectors.clone(), output_vectors.clone()
    for i in range(len(centers)):
        drawn = negatives[i][negatives[i] != contexts[i]]
        moved_input, moved_output, loss = word2vec.sgns_step(
            input_vectors.clone(),
            output_vectors.clone(),
            centers[i : i + 1],
            contexts[i : i + 1],
            drawn[None],
            learning_rate,
        )
        new_input += moved_input - input_vectors
        new_output += moved_output - output_vectors
        total_loss += loss
    input_vectors.copy_(new_input)
    output_vectors.copy_(new_output)
    return input_vectors, output_vectors, total_loss / len(centers)


@misconception("sgns_step")
def axes_of_length_one_vanish(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """With one pair, or one negative a pair, an axis of your tensors is gone. `squeeze()` drops
    every axis of length 1: name the axis that it should drop, or do without it."""
    rows = output_vectors[negatives]
    scores = torch.bmm(rows, input_vectors[centers][:, :, None]).squeeze()
    functional.softplus(scores).sum(dim=1)
    return word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
