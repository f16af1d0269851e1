"""Wrong answers to the exercise `naive_softmax_loss_and_grad`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import word2vec

Triple = tuple[Tensor, Tensor, Tensor]


def _softmax_answer(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    return word2vec.naive_softmax_loss_and_grad(center_vector, output_vectors, target)


@misconception("naive_softmax_loss_and_grad")
def softmax_gradient_sign(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your gradients point the other way. They are the gradients of the loss, which falls when the
    target's probability rises: predicted minus true, not true minus predicted."""
    loss, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    return loss, -grad_center, -grad_output


@misconception("naive_softmax_loss_and_grad")
def target_not_subtracted(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your gradients use the probabilities as errors. At the target the error is the probability
    minus 1, since there the true distribution has its 1."""
    loss, _, _ = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return loss, probabilities @ output_vectors, torch.outer(probabilities, center_vector)


@misconception("naive_softmax_loss_and_grad")
def only_the_targets_row(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your gradient of the output vectors is zero outside the target's row. Every word stands in
    the denominator of the softmax, so each row has a gradient."""
    loss, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    only = torch.zeros_like(grad_output)
    only[target] = grad_output[target]
    return loss, grad_center, only


@misconception("naive_softmax_loss_and_grad")
def scores_not_normalised(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your loss is only minus the target's score. The logarithm of a softmax has a second part, the
    logarithm of the sum over all words."""
    grad_output = torch.zeros_like(output_vectors)
    grad_output[target] = -center_vector
    return -(output_vectors[target] @ center_vector), -output_vectors[target], grad_output


@misconception("naive_softmax_loss_and_grad")
def output_gradient_transposed(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """Your gradient of the output vectors lies on its side. It has one row for each word, as the
    matrix itself: swap the two factors of the outer product."""
    loss, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    return loss, grad_center, grad_output.T.contiguous()


@misconception("naive_softmax_loss_and_grad")
def exponential_overflows(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """The exponential of a score of some hundreds is infinite in float32. A softmax does not change
    when the same number is taken from all scores: take away the largest first."""
    exponentials = torch.exp(output_vectors @ center_vector)
    errors = exponentials / exponentials.sum()
    loss = -torch.log(errors[target])
    errors[target] -= 1
    return loss, errors @ output_vectors, torch.outer(errors, center_vector)


@misconception("naive_softmax_loss_and_grad")
def logarithm_of_a_zero_probability(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """Your softmax is finite, but with scores of some hundreds the target's probability is 0 in
    float32, and its logarithm is minus infinity. Take the logarithm of the softmax in one step,
    from the scores."""
    _, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return -torch.log(probabilities[target]), grad_center, grad_output


@misconception("naive_softmax_loss_and_grad")
def small_number_in_the_logarithm(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """You add a small number inside the logarithm. That hides the probability 0, and the loss
    stops growing and tells a lie: take the logarithm of the softmax in one step, from the
    scores."""
    _, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return -torch.log(probabilities[target] + 1e-12), grad_center, grad_output


@misconception("naive_softmax_loss_and_grad")
def larger_number_in_the_logarithm(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """You add a small number inside the logarithm. That hides the probability 0, and the loss is
    a little wrong everywhere, and stops growing: take the logarithm of the softmax in one step,
    from the scores."""
    _, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return -torch.log(probabilities[target] + 1e-9), grad_center, grad_output
