"""Wrong answers to the exercise `decoder_layer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.transformer import norm
from solutions.attention import multi_head_attention
from solutions.transformer import decoder_layer, feed_forward

Weights = Mapping[str, Mapping[str, Tensor]]
Activation = Callable[[Tensor], Tensor]


@misconception("decoder_layer")
def keys_from_the_target(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your second attention reads `x` again, so the decoder never sees the source. Its keys and
    values come from the encoder's output, and the queries from the decoder."""
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    x = norm(x + attended, weights["self_attention_norm"], eps)
    read = multi_head_attention(x, x, weights["cross_attention"], num_heads, mask)
    x = norm(x + read, weights["cross_attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("decoder_layer")
def cross_attention_first(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You look at the source first. The decoder attends to its own positions first, then to the
    encoder's."""
    read = multi_head_attention(x, memory, weights["cross_attention"], num_heads, memory_mask)
    x = norm(x + read, weights["cross_attention_norm"], eps)
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    x = norm(x + attended, weights["self_attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("decoder_layer")
def queries_before_self_attention(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your second attention asks with the layer's input. Its queries come from what the first step
    gave."""
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    middle = norm(x + attended, weights["self_attention_norm"], eps)
    read = multi_head_attention(x, memory, weights["cross_attention"], num_heads, memory_mask)
    x = norm(middle + read, weights["cross_attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("decoder_layer")
def residual_from_the_start(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """In your second step you add the input of the layer. Add what went into that step: the result
    of the step before."""
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    middle = norm(x + attended, weights["self_attention_norm"], eps)
    read = multi_head_attention(middle, memory, weights["cross_attention"], num_heads, memory_mask)
    x = norm(x + read, weights["cross_attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("decoder_layer")
def residual_from_the_memory(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """In your second step you add the encoder's output. The residual is the decoder's own: what
    went into the step as queries."""
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    x = norm(x + attended, weights["self_attention_norm"], eps)
    read = multi_head_attention(x, memory, weights["cross_attention"], num_heads, memory_mask)
    x = norm(memory + read, weights["cross_attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("decoder_layer")
def cross_residual_missing(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your second step has no residual: what the decoder knew of the target is lost there. Each of
    the three steps adds its input to what its sublayer gives."""
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    x = norm(x + attended, weights["self_attention_norm"], eps)
    read = multi_head_attention(x, memory, weights["cross_attention"], num_heads, memory_mask)
    x = norm(read, weights["cross_attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return norm(x + transformed, weights["feed_forward_norm"], eps)


@misconception("decoder_layer")
def norm_first(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """You norm what goes into each sublayer, as later models do (pre-norm). Here the norm comes
    last, and is applied to the sum."""
    normed = norm(x, weights["self_attention_norm"], eps)
    x = x + multi_head_attention(normed, normed, weights["self_attention"], num_heads, mask)
    normed = norm(x, weights["cross_attention_norm"], eps)
    cross = weights["cross_attention"]
    x = x + multi_head_attention(normed, memory, cross, num_heads, memory_mask)
    normed = norm(x, weights["feed_forward_norm"], eps)
    return x + feed_forward(normed, weights["feed_forward"], activation)


@misconception("decoder_layer")
def masks_exchanged(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """The masks have changed places. One is for the target's own positions, the other for those of
    the source."""
    return decoder_layer(x, memory, weights, num_heads, memory_mask, mask, activation, eps)


@misconception("decoder_layer")
def mask_forgotten(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your target's positions see what `mask` forbids: with a causal mask that is the future. Hand
    it on to the first attention."""
    return decoder_layer(x, memory, weights, num_heads, None, memory_mask, activation, eps)


@misconception("decoder_layer")
def memory_mask_forgotten(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your decoder reads what `memory_mask` forbids, such as the source's padding. Hand it on to
    the second attention."""
    return decoder_layer(x, memory, weights, num_heads, mask, None, activation, eps)


@misconception("decoder_layer")
def one_attention_for_both(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Both attentions use the weights of the first. Each has matrices of its own: look at the names
    of the groups."""
    shared = {**weights, "cross_attention": weights["self_attention"]}
    return decoder_layer(x, memory, shared, num_heads, mask, memory_mask, activation, eps)


@misconception("decoder_layer")
def one_norm_for_all(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your norms share a gain and a bias. Each of the three steps has a norm of its own."""
    first = weights["self_attention_norm"]
    shared = {**weights, "cross_attention_norm": first, "feed_forward_norm": first}
    return decoder_layer(x, memory, shared, num_heads, mask, memory_mask, activation, eps)


@misconception("decoder_layer")
def activation_forgotten(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your feed-forward network always uses ReLU. Hand the activation on to it."""
    return decoder_layer(x, memory, weights, num_heads, mask, memory_mask, F.relu, eps)


@misconception("decoder_layer")
def eps_forgotten(
    x: Tensor,
    memory: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Activation = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Your norms use an eps of their own. Hand the argument `eps` on to all three of them."""
    return decoder_layer(x, memory, weights, num_heads, mask, memory_mask, activation)
