"""Wrong answers to the exercise `bloom_block`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.bloom import Attended, Past, layer_norm
from solutions.bloom import bloom_attention, bloom_block
from solutions.transformer import feed_forward

Weights = Mapping[str, Mapping[str, Tensor]]


def _tanh_gelu(inner: Tensor) -> Tensor:
    return functional.gelu(inner, approximate="tanh")


def _with_activation(activation: Any, arguments: tuple[Any, ...]) -> Attended:
    """The block with another function between the two matrices."""
    x, weights, num_heads, bias, past, eps, after = arguments
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = (normed if after else x) + attended
    normed = layer_norm(x, weights["feed_forward_norm"], eps)
    return (normed if after else x) + feed_forward(
        normed, weights["feed_forward"], activation
    ), longer


@misconception("bloom_block")
def exact_gelu(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You use the exact GELU. BLOOM has the approximation with tanh: what is the second argument of
    your `gelu`?"""
    return _with_activation(
        functional.gelu, (x, weights, num_heads, bias, past, eps, residual_after_norm)
    )


@misconception("bloom_block")
def relu_left(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """Your feed-forward network still has ReLU, which it takes if you say nothing. Hand it the GELU
    with tanh."""
    return _with_activation(
        torch.relu, (x, weights, num_heads, bias, past, eps, residual_after_norm)
    )


@misconception("bloom_block")
def activation_called_without_the_inside(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You hand over the name of the activation. `feed_forward` wants a function of one tensor."""
    return _with_activation("tanh", (x, weights, num_heads, bias, past, eps, residual_after_norm))


@misconception("bloom_block")
def norms_behind_the_parts(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You normalise behind the sums, as the Transformer does. In BLOOM a norm stands at the entry
    of each part, and the sum goes on as it is."""
    attended, longer = bloom_attention(x, weights["attention"], num_heads, bias, past)
    x = layer_norm(x + attended, weights["attention_norm"], eps)
    transformed = feed_forward(x, weights["feed_forward"], _tanh_gelu)
    return layer_norm(x + transformed, weights["feed_forward_norm"], eps), longer


@misconception("bloom_block")
def always_around_from_behind_the_norm(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You add each part's output to the normalised vectors. Unless `residual_after_norm` says
    otherwise, it is added to the vectors as they were before the norm."""
    return bloom_block(x, weights, num_heads, bias, past, eps, True)


@misconception("bloom_block")
def switch_ignored(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """`residual_after_norm` changes nothing in your block. With True, each part's output is added
    to the normalised vectors."""
    return bloom_block(x, weights, num_heads, bias, past, eps, False)


@misconception("bloom_block")
def switch_for_the_first_step_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """`residual_after_norm` works in the attention's step only. It is meant for both steps."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = (normed if residual_after_norm else x) + attended
    normed = layer_norm(x, weights["feed_forward_norm"], eps)
    return x + feed_forward(normed, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def norm_in_front_of_attention_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """The attention gets the vectors as they come. It should get them normalised."""
    attended, longer = bloom_attention(x, weights["attention"], num_heads, bias, past)
    x = x + attended
    normed = layer_norm(x, weights["feed_forward_norm"], eps)
    return x + feed_forward(normed, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def switch_for_the_second_step_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """`residual_after_norm` works in the feed-forward network's step only. It is meant for both
    steps."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = x + attended
    normed = layer_norm(x, weights["feed_forward_norm"], eps)
    transformed = feed_forward(normed, weights["feed_forward"], _tanh_gelu)
    return (normed if residual_after_norm else x) + transformed, longer


@misconception("bloom_block")
def second_sum_with_the_input(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """Your second step adds to the block's input again, so what the attention found is lost on that
    way. It adds to what the first step has made."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    normed = layer_norm(x + attended, weights["feed_forward_norm"], eps)
    return x + feed_forward(normed, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def norms_swapped(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You have swapped the two norms. "attention_norm" stands in front of the attention."""
    swapped = {
        **weights,
        "attention_norm": weights["feed_forward_norm"],
        "feed_forward_norm": weights["attention_norm"],
    }
    return bloom_block(x, swapped, num_heads, bias, past, eps, residual_after_norm)


@misconception("bloom_block")
def norm_in_front_of_the_network_forgotten(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """The feed-forward network gets the sum as it is. It has a norm in front of it, too."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = x + attended
    return x + feed_forward(x, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def one_norm_for_both(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You use the attention's norm twice. The feed-forward network has a norm of its own."""
    same = {**weights, "feed_forward_norm": weights["attention_norm"]}
    return bloom_block(x, same, num_heads, bias, past, eps, residual_after_norm)


@misconception("bloom_block")
def both_parts_side_by_side(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """Your feed-forward network gets the block's input. It should get what the attention's step has
    made of it."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    beside = layer_norm(x, weights["feed_forward_norm"], eps)
    return x + attended + feed_forward(beside, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def no_way_around_the_attention(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """The attention's output replaces what went in. It is added to it."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    x, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    normed = layer_norm(x, weights["feed_forward_norm"], eps)
    return x + feed_forward(normed, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def no_way_around_the_network(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """The feed-forward network's output replaces what went in. It is added to it."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    normed = layer_norm(x + attended, weights["feed_forward_norm"], eps)
    return feed_forward(normed, weights["feed_forward"], _tanh_gelu), longer


@misconception("bloom_block")
def eps_never_handed_on(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """Both of your norms have the usual eps. Hand on the one that was given."""
    return bloom_block(x, weights, num_heads, bias, past, 1e-5, residual_after_norm)


@misconception("bloom_block")
def eps_for_the_first_norm_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """Your first norm gets the given eps, the second one does not. Hand it on to both."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = (normed if residual_after_norm else x) + attended
    normed = layer_norm(x, weights["feed_forward_norm"], 1e-5)
    transformed = feed_forward(normed, weights["feed_forward"], _tanh_gelu)
    return (normed if residual_after_norm else x) + transformed, longer


@misconception("bloom_block")
def eps_for_the_second_norm_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """Your second norm gets the given eps, the first one does not. Hand it on to both."""
    normed = layer_norm(x, weights["attention_norm"], 1e-5)
    attended, longer = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    x = (normed if residual_after_norm else x) + attended
    normed = layer_norm(x, weights["feed_forward_norm"], eps)
    transformed = feed_forward(normed, weights["feed_forward"], _tanh_gelu)
    return (normed if residual_after_norm else x) + transformed, longer


@misconception("bloom_block")
def past_not_handed_on(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You don't hand `past` on to the attention."""
    return bloom_block(
        x, weights, num_heads, bias[..., -x.shape[1] :], None, eps, residual_after_norm
    )


@misconception("bloom_block")
def pair_dropped(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Tensor:
    """You give back the vectors alone. Keys and values, which the attention gave you, go out, too:
    the next call needs them."""
    return bloom_block(x, weights, num_heads, bias, past, eps, residual_after_norm)[0]


@misconception("bloom_block")
def input_changed_in_place(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    """You add the pair that `bloom_attention` gives to a tensor. It gives two things: take them
    apart first."""
    normed = layer_norm(x, weights["attention_norm"], eps)
    attended: Any = bloom_attention(normed, weights["attention"], num_heads, bias, past)
    return x + attended, attended
