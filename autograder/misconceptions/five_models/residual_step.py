"""Wrong answers to the exercise `residual_step`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from autograder.misconceptions import misconception
from solutions.five_models import residual_step, table_norm

Weights = Mapping[str, Tensor]
Sublayer = Callable[[Tensor], Tensor]


@misconception("residual_step")
def always_before(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You norm what goes into the part, whatever the word is. Words that begin with "post" want the
    norm on the sum."""
    return alpha * x + sublayer(table_norm(x, weights, norm, eps))


@misconception("residual_step")
def always_after(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You norm the sum, whatever the word is. Words that begin with "pre" want the norm on what
    goes into the part, and the sum stays as it is."""
    return table_norm(alpha * x + sublayer(x), weights, norm, eps)


@misconception("residual_step")
def before_and_after(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """Where the norm stands before the part you norm twice: what goes in, and the sum."""
    if norm.startswith("pre"):
        x = residual_step(x, sublayer, weights, norm, alpha, eps)
        return table_norm(x, weights, norm, eps)
    return residual_step(x, sublayer, weights, norm, alpha, eps)


@misconception("residual_step")
def norm_of_the_part_alone(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You norm what the part gives, and add x to that. The norm comes after the sum."""
    if norm.startswith("post"):
        return alpha * x + table_norm(sublayer(x), weights, norm, eps)
    return residual_step(x, sublayer, weights, norm, alpha, eps)


@misconception("residual_step")
def no_residual_connection(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """What came in is lost: you give what the part makes of it. Add x."""
    if norm.startswith("pre"):
        return sublayer(table_norm(x, weights, norm, eps))
    return table_norm(sublayer(x), weights, norm, eps)


@misconception("residual_step")
def normed_input_added(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """With the norm before the part, you add the normed x. What is added is x as it came in."""
    if norm.startswith("pre"):
        x = table_norm(x, weights, norm, eps)
        return x + sublayer(x)
    return residual_step(x, sublayer, weights, norm, alpha, eps)


@misconception("residual_step")
def alpha_left_out(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """With DeepNorm, the x that is added is multiplied by alpha. You don't use it."""
    return residual_step(x, sublayer, weights, norm, 1.0, eps)


@misconception("residual_step")
def alpha_goes_into_the_part(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You multiply x by alpha before it goes into the part. Only the x that is added is
    multiplied."""
    if norm.startswith("pre"):
        return residual_step(x, sublayer, weights, norm, alpha, eps)
    return table_norm(alpha * x + sublayer(alpha * x), weights, norm, eps)


@misconception("residual_step")
def alpha_times_the_part(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You multiply what the part gives by alpha. DeepNorm makes the other term of the sum
    larger."""
    if norm.startswith("pre"):
        return residual_step(x, sublayer, weights, norm, alpha, eps)
    return table_norm(x + alpha * sublayer(x), weights, norm, eps)


@misconception("residual_step")
def alpha_times_the_sum(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You multiply the whole sum by alpha, and the norm takes that away again. Which term is
    multiplied?"""
    if norm.startswith("pre"):
        return residual_step(x, sublayer, weights, norm, alpha, eps)
    return table_norm(alpha * (x + sublayer(x)), weights, norm, eps)


@misconception("residual_step")
def eps_not_passed_on(
    x: Tensor,
    sublayer: Sublayer,
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """You have not passed `eps` to the norm."""
    return residual_step(x, sublayer, weights, norm, alpha)
