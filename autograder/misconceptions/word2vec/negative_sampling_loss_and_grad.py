"""Wrong answers to the exercise `negative_sampling_loss_and_grad`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import word2vec

Triple = tuple[Tensor, Tensor, Tensor]


def _sampling_answer(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    return word2vec.negative_sampling_loss_and_grad(
        center_vector, output_vectors, target, negatives
    )


@misconception("negative_sampling_loss_and_grad")
def whole_vocabulary_as_negatives(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You push away every word but the target. Only the words in `negatives` are negatives: that
    is what makes the step cheap."""
    words = torch.arange(len(output_vectors))
    return _sampling_answer(center_vector, output_vectors, target, words[words != target])


@misconception("negative_sampling_loss_and_grad")
def negatives_not_negated(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You treat the negatives as if they were targets. For a negative the right answer is "no":
    its score goes into the logistic function with a minus sign."""
    words = torch.cat([torch.tensor([target]), negatives])
    rows = output_vectors[words]
    scores = rows @ center_vector
    errors = torch.sigmoid(scores) - 1
    grad_output = torch.zeros_like(output_vectors)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))
    return -functional.logsigmoid(scores).sum(), errors @ rows, grad_output


@misconception("negative_sampling_loss_and_grad")
def sampling_gradient_sign(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Your gradients point the other way. They are the gradients of the loss, so that a step
    against them makes the loss smaller."""
    loss, grad_center, grad_output = _sampling_answer(
        center_vector, output_vectors, target, negatives
    )
    return loss, -grad_center, -grad_output


@misconception("negative_sampling_loss_and_grad")
def negatives_averaged(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You take the mean over the negatives. Each one is a question of its own, and the loss is
    their sum."""
    none = negatives[:0]
    target_only = _sampling_answer(center_vector, output_vectors, target, none)
    everything = _sampling_answer(center_vector, output_vectors, target, negatives)
    share = 1 / max(1, len(negatives))
    first, second, third = (
        one + share * (all_of_it - one)
        for one, all_of_it in zip(target_only, everything, strict=True)
    )
    return first, second, third


@misconception("negative_sampling_loss_and_grad")
def target_alone(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """The negatives leave no trace in your result. With the target alone all vectors would soon
    point the same way: add one term for each negative."""
    return _sampling_answer(center_vector, output_vectors, target, negatives[:0])


@misconception("negative_sampling_loss_and_grad")
def repeated_negatives_counted_once(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """A word that was drawn twice as a negative counts only once in your result. It counts each
    time, in the loss and in both gradients."""
    return _sampling_answer(center_vector, output_vectors, target, negatives.unique())


@misconception("negative_sampling_loss_and_grad")
def repeated_rows_overwritten(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Your loss is right, but where a word is drawn twice its row of the gradient holds only one
    share. Indexing with a list of ids writes each row once, also with `+=`: use an operation that
    adds up repeated rows, or a loop."""
    loss, grad_center, _ = _sampling_answer(center_vector, output_vectors, target, negatives)
    words = torch.cat([torch.tensor([target]), negatives])
    labels = (torch.arange(len(words)) == 0).to(center_vector.dtype)
    errors = torch.sigmoid(output_vectors[words] @ center_vector) - labels
    grad_output = torch.zeros_like(output_vectors)
    grad_output[target] += errors[0] * center_vector
    grad_output[negatives] += torch.outer(errors[1:], center_vector)
    return loss, grad_center, grad_output


@misconception("negative_sampling_loss_and_grad")
def target_dropped_from_negatives(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You skip a negative that happens to be the target. Here it counts as a negative like the
    others (the docstring says so)."""
    kept = negatives[negatives != target]
    return _sampling_answer(center_vector, output_vectors, target, kept)


@misconception("negative_sampling_loss_and_grad")
def logarithm_of_zero(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """With scores of some hundreds your loss is infinite: there the logistic function gives 0 in
    float32, and its logarithm is minus infinity. Torch has a function for the logarithm of the
    logistic function that stays finite."""
    _, grad_center, grad_output = _sampling_answer(center_vector, output_vectors, target, negatives)
    loss = -torch.log(torch.sigmoid(output_vectors[target] @ center_vector))
    loss = loss - torch.log(torch.sigmoid(-(output_vectors[negatives] @ center_vector))).sum()
    return loss, grad_center, grad_output


@misconception("negative_sampling_loss_and_grad")
def error_of_a_negative_turned_round(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Your loss is right, but the error of a negative is sigma(-score) in your gradients. What was
    predicted minus what is true: for a negative the prediction is sigma(score), and true is 0."""
    loss, _, _ = _sampling_answer(center_vector, output_vectors, target, negatives)
    words = torch.cat([torch.tensor([target]), negatives])
    rows = output_vectors[words]
    scores = rows @ center_vector
    errors = torch.sigmoid(-scores)
    errors[0] = -errors[0]
    grad_output = torch.zeros_like(output_vectors)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))
    return loss, errors @ rows, grad_output


@misconception("negative_sampling_loss_and_grad")
def target_missing_in_the_centres_gradient(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """The gradient of the centre's vector holds the negatives only. The centre stands in the
    target's score, too: add the target's error times its vector."""
    loss, grad_center, grad_output = _sampling_answer(
        center_vector, output_vectors, target, negatives
    )
    error = torch.sigmoid(output_vectors[target] @ center_vector) - 1
    return loss, grad_center - error * output_vectors[target], grad_output


@misconception("negative_sampling_loss_and_grad")
def softmax_over_the_drawn_words(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You take a softmax over the target and its negatives. Negative sampling asks about each word
    on its own, yes or no: each score goes through the logistic function."""
    words = torch.cat([torch.tensor([target]), negatives])
    rows = output_vectors[words]
    log_probabilities = torch.log_softmax(rows @ center_vector, dim=0)
    errors = log_probabilities.exp()
    errors[0] -= 1
    grad_output = torch.zeros_like(output_vectors)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))
    return -log_probabilities[0], errors @ rows, grad_output


@misconception("negative_sampling_loss_and_grad")
def no_negatives_no_result(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Without negatives (K = 0) your code has an empty list to put together. Then the loss has the
    target's term alone: start from it, and add the others where there are any."""
    loss, grad_center, grad_output = _sampling_answer(
        center_vector, output_vectors, target, negatives
    )
    torch.stack([output_vectors[negative] @ center_vector for negative in negatives])
    return loss, grad_center, grad_output
