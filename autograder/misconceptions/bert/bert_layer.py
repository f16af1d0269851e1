"""Wrong answers to the exercise `bert_layer`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions.attention import multi_head_attention
from solutions.bert import gelu
from solutions.transformer import encoder_layer, feed_forward

Weights = Mapping[str, Mapping[str, Tensor]]


def _layer(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None,
    approximate: str,
    eps: float,
) -> Tensor:
    return encoder_layer(x, weights, num_heads, mask, lambda inner: gelu(inner, approximate), eps)


@misconception("bert_layer")
def relu_kept(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Your feed-forward network still has ReLU, the default of `encoder_layer`. Hand GELU over as
    the activation."""
    return encoder_layer(x, weights, num_heads, mask, eps=eps)


@misconception("bert_layer")
def always_exact(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """You use the exact GELU whatever `approximate` says. A function that is handed over gets its
    input only: make one that hands `approximate` on."""
    return _layer(x, weights, num_heads, mask, "none", eps)


@misconception("bert_layer")
def always_tanh(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """You use the approximation of GELU whatever `approximate` says. Hand the argument on."""
    return _layer(x, weights, num_heads, mask, "tanh", eps)


@misconception("bert_layer")
def activation_called(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """You call GELU and hand over what it gives. `encoder_layer` wants the function itself, which
    it calls when its time has come."""
    called: Any = gelu(x, approximate)
    return encoder_layer(x, weights, num_heads, mask, called, eps)


@misconception("bert_layer")
def eps_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Your norms use the eps of `encoder_layer`, 1e-5. BERT has its own: hand the argument on."""
    return encoder_layer(x, weights, num_heads, mask, lambda inner: gelu(inner, approximate))


@misconception("bert_layer")
def mask_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Your positions attend to everything, also where the mask forbids it. Hand the mask on."""
    return _layer(x, weights, num_heads, None, approximate, eps)


@misconception("bert_layer")
def mask_inverted(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """You read the mask the other way round. Here True means: may attend."""
    return _layer(x, weights, num_heads, None if mask is None else ~mask, approximate, eps)


@misconception("bert_layer")
def causal_reader(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Your positions see only what came before them. An encoder reads in both directions: no causal
    mask."""
    past = torch.ones(x.shape[1], x.shape[1]).tril().bool()
    both = past if mask is None else past & mask
    return _layer(x, weights, num_heads, both, approximate, eps)


@misconception("bert_layer")
def norm_first(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """You norm what goes into each part, as later models do. In BERT the norm comes last, and is
    applied to the sum."""
    size = x.shape[-1:]
    normed = functional.layer_norm(x, size, **weights["attention_norm"], eps=eps)
    x = x + multi_head_attention(normed, normed, weights["attention"], num_heads, mask)
    normed = functional.layer_norm(x, size, **weights["feed_forward_norm"], eps=eps)
    return x + feed_forward(normed, weights["feed_forward"], lambda y: gelu(y, approximate))


@misconception("bert_layer")
def one_head_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Your attention has a single head. Hand the number of heads on."""
    return _layer(x, weights, 1, mask, approximate, eps)


@misconception("bert_layer")
def activation_behind_the_layer(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """You apply GELU to the layer's output. It belongs inside, between the two matrices of the
    feed-forward network."""
    return gelu(encoder_layer(x, weights, num_heads, mask, eps=eps), approximate)


@misconception("bert_layer")
def eps_in_the_first_norm_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Your first norm uses `eps` and the second one does not. It belongs to both."""
    size = x.shape[-1:]
    x = x + multi_head_attention(x, x, weights["attention"], num_heads, mask)
    x = functional.layer_norm(x, size, **weights["attention_norm"], eps=eps)
    x = x + feed_forward(x, weights["feed_forward"], lambda y: gelu(y, approximate))
    return functional.layer_norm(x, size, **weights["feed_forward_norm"], eps=1e-12)
