"""Wrong answers to the exercise `encoder_layer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.transformer import norm
from solutions.attention import multi_head_attention
from solutions.transformer import encoder_layer, feed_forward

Weights = Mapping[str, Mapping[str, Tensor]]
Activation = Callable[[Tensor], Tensor]


@misconception("encoder_layer")
def norm_first(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You norm what goes into each sublayer, as later models do (pre-norm). Here the norm comes
    last, and is applied to the sum."""
    normed = norm(x, weights["attention_norm"], eps)
    x = x + multi_head_attention(normed, normed, weights["attention"], num_heads, mask)
    normed = norm(x, weights["feed_forward_norm"], eps)
    return x + feed_forward(normed, weights["feed_forward"], activation)


@misconception("encoder_layer")
def no_residual(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You norm what a sublayer gives, without its input. Add the sublayer's input to its output
    first: that is the residual."""
    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    x = norm(attended, weights["attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(transformed, weights["feed_forward_norm"], eps)


@misconception("encoder_layer")
def second_residual_missing(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your feed-forward step has no residual. Both steps add the sublayer's input to its output."""
    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    x = norm(x + attended, weights["attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(transformed, weights["feed_forward_norm"], eps)


@misconception("encoder_layer")
def residual_around_the_norm(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You norm the sublayer's output and add the input after that. Add first, then norm the sum."""
    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    x = x + norm(attended, weights["attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return x + norm(transformed, weights["feed_forward_norm"], eps)


@misconception("encoder_layer")
def residual_from_the_start(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """In your second step you add the input of the layer. Add what went into the feed-forward
    network: the result of the first step."""
    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    middle = norm(x + attended, weights["attention_norm"], eps)
    transformed = feed_forward(middle, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("encoder_layer")
def sublayers_side_by_side(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your feed-forward network reads the input of the layer. It comes second: it reads what the
    first step gave."""
    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    middle = norm(x + attended, weights["attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(middle + transformed, weights["feed_forward_norm"], eps)


@misconception("encoder_layer")
def first_norm_left_out(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You norm only once, at the end. Each of the two steps ends with its norm."""
    x = x + multi_head_attention(x, x, weights["attention"], num_heads, mask)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("encoder_layer")
def one_norm_for_both(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your two norms use the same gain and bias. Each step has a norm of its own: look at the names
    of the groups."""
    shared = {**weights, "feed_forward_norm": weights["attention_norm"]}
    return encoder_layer(x, shared, num_heads, mask, activation, eps)


@misconception("encoder_layer")
def norms_exchanged(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your two norms have changed places: each uses the gain and the bias of the other."""
    exchanged = {
        **weights,
        "attention_norm": weights["feed_forward_norm"],
        "feed_forward_norm": weights["attention_norm"],
    }
    return encoder_layer(x, exchanged, num_heads, mask, activation, eps)


@misconception("encoder_layer")
def mask_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your positions attend to everything, also where the mask forbids it. Hand the mask on to the
    attention."""
    return encoder_layer(x, weights, num_heads, None, activation, eps)


@misconception("encoder_layer")
def mask_inverted(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You read the mask the other way round, as `nn.MultiheadAttention` does. Here True means: may
    attend."""
    return encoder_layer(x, weights, num_heads, None if mask is None else ~mask, activation, eps)


@misconception("encoder_layer")
def activation_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your feed-forward network always uses ReLU. Hand the activation on to it."""
    return encoder_layer(x, weights, num_heads, mask, F.relu, eps)


@misconception("encoder_layer")
def eps_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your norms use an eps of their own. Hand the argument `eps` on to both of them."""
    return encoder_layer(x, weights, num_heads, mask, activation)


@misconception("encoder_layer")
def one_head_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your attention has a single head. Hand the number of heads on to it."""
    return encoder_layer(x, weights, 1, mask, activation, eps)
