"""Wrong answers to the exercise `glm_block`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import chatglm
from solutions.attention import merge_heads, split_heads
from solutions.chatglm import apply_rope_2d, deepnorm_residual, geglu
from solutions.transformer import feed_forward

Weights = Mapping[str, Mapping[str, Tensor]]
Pair = tuple[Tensor, Tensor]


def _heads(x: Tensor, attention: Mapping[str, Tensor], num_heads: int) -> list[Tensor]:
    """Query, key and value of each head, not turned, (B, H, T, d)."""
    return [
        split_heads(
            F.linear(x, attention[f"{name}_weight"], attention.get(f"{name}_bias")), num_heads
        )
        for name in ("query", "key", "value")
    ]


def _attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, attention: Mapping[str, Tensor]
) -> Tensor:
    merged = merge_heads(F.scaled_dot_product_attention(query, key, value, mask))
    return F.linear(merged, attention["output_weight"], attention.get("output_bias"))


def _network(x: Tensor, weights: Mapping[str, Tensor], gated: bool) -> Tensor:
    if gated:
        return geglu(x, weights)
    return feed_forward(x, weights, lambda inner: F.gelu(inner, approximate="tanh"))


def _block(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None,
    past: Pair | None,
    gated: bool,
    eps: float,
    **slip: Any,
) -> tuple[Tensor, Pair]:
    """The block, with one slip: which parts are turned, the order of the past, or the attention."""
    attention = weights["attention"]
    query, key, value = _heads(x, attention, num_heads)
    turned = slip.get("turn", "qk")
    if "q" in turned:
        query = apply_rope_2d(query, position_ids, frequencies)
    if "k" in turned:
        key = apply_rope_2d(key, position_ids, frequencies)
    if "v" in turned:
        value = apply_rope_2d(value, position_ids, frequencies)
    if past is not None:
        if slip.get("order") == "past last":
            key, value = torch.cat([key, past[0]], dim=2), torch.cat([value, past[1]], dim=2)
        else:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    attend = slip.get("attend", F.scaled_dot_product_attention)
    merged = merge_heads(attend(query, key, value, mask))
    attended = F.linear(merged, attention["output_weight"], attention.get("output_bias"))
    middle = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    transformed = _network(middle, weights["feed_forward"], gated)
    out = deepnorm_residual(
        middle, transformed, **weights["feed_forward_norm"], alpha=alpha, eps=eps
    )
    return out, (key, value)


@misconception("glm_block")
def nothing_turned(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """The positions have no effect in your block. Queries and keys are turned by them, once they
    are cut into heads."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    return _block(x, weights, num_heads, *rest, turn="")


@misconception("glm_block")
def only_queries_turned(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You turn the queries and not the keys. Only if both are turned do their products depend on
    how far apart they are."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    return _block(x, weights, num_heads, *rest, turn="q")


@misconception("glm_block")
def values_turned_too(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You turn the values, too. They are what is handed over: only queries and keys are turned."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    return _block(x, weights, num_heads, *rest, turn="qkv")


@misconception("glm_block")
def past_behind_the_new(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You put the past behind the new keys and values. Earlier positions come first."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    return _block(x, weights, num_heads, *rest, order="past last")


@misconception("glm_block")
def past_ignored(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your block takes no notice of `past`. Its keys and values come first, the new ones after
    them, and the queries attend to all."""
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, None, gated, eps
    )


@misconception("glm_block")
def only_new_keys_given_back(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You give back the keys and values of the new positions only. Give back those of all
    positions, the earlier ones first."""
    out, (key, value) = chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )
    time = x.shape[1]
    return out, (key[:, :, -time:], value[:, :, -time:])


@misconception("glm_block")
def past_along_the_heads(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You join the past along the axis of the heads. The shape is (B, H, T, d): which axis is
    time?"""
    if past is not None:
        _, key, _ = _heads(x, weights["attention"], num_heads)
        torch.cat([past[0], key], dim=1)
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def unturned_keys_given_back(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your output is right, but the keys that you give back are not turned. Keep them turned:
    their positions will not change any more."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    out, _ = _block(x, weights, num_heads, *rest)
    _, pair = _block(x, weights, num_heads, *rest, turn="q")
    return out, pair


@misconception("glm_block")
def output_alone(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> Tensor:
    """You give back the output alone. The block gives two things: the output, and the pair of keys
    and values."""
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )[0]


@misconception("glm_block")
def mask_not_used(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your positions attend to everything, also where the mask forbids it. Hand the mask on to the
    attention."""
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, None, past, gated, eps
    )


@misconception("glm_block")
def mask_read_the_other_way_round(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You read the mask the other way round. Here True means: may attend."""
    turned = None if mask is None else ~mask
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, turned, past, gated, eps
    )


@misconception("glm_block")
def alpha_in_the_first_step_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your second residual step has no alpha. Both steps use it."""
    attention = weights["attention"]
    _, pair = _block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )
    query = apply_rope_2d(_heads(x, attention, num_heads)[0], position_ids, frequencies)
    attended = _attend(query, *pair, mask, attention)
    middle = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    transformed = _network(middle, weights["feed_forward"], gated)
    norm = weights["feed_forward_norm"]
    return deepnorm_residual(middle, transformed, **norm, alpha=1.0, eps=eps), pair


@misconception("glm_block")
def no_alpha_at_all(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """`alpha` has no effect in your block. Hand it on to both residual steps."""
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, 1.0, mask, past, gated, eps
    )


@misconception("glm_block")
def block_input_added_twice(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """In your second step you add the input of the block. Add what went into the feed-forward
    network: the result of the first step."""
    attention = weights["attention"]
    _, pair = _block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )
    query = apply_rope_2d(_heads(x, attention, num_heads)[0], position_ids, frequencies)
    attended = _attend(query, *pair, mask, attention)
    middle = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    transformed = _network(middle, weights["feed_forward"], gated)
    return deepnorm_residual(
        x, transformed, **weights["feed_forward_norm"], alpha=alpha, eps=eps
    ), pair


@misconception("glm_block")
def same_norm_twice(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Both of your residual steps use the gain and the bias of the first norm. Each has a group of
    its own: look at the names."""
    shared = {**weights, "feed_forward_norm": weights["attention_norm"]}
    return chatglm.glm_block(
        x, shared, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def eps_not_handed_on(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your norms use an eps of their own. Hand `eps` on to both residual steps."""
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated
    )


@misconception("glm_block")
def attention_biases_left_out(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your attention uses no biases. Where its group of weights has one, it is added."""
    attention = {n: w for n, w in weights["attention"].items() if n.endswith("weight")}
    bare = {**weights, "attention": attention}
    return chatglm.glm_block(
        x, bare, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def attention_biases_demanded(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You look up a bias of the attention that may be missing. Each of the four may be: use
    `get`."""
    for name in ("query", "key", "value", "output"):
        weights["attention"][f"{name}_bias"]
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def always_gated(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You use GeGLU whatever `gated` says. Where it is False, the network is the `feed_forward` of
    chapter 5."""
    return chatglm.glm_block(
        x, weights, num_heads, position_ids, frequencies, alpha, mask, past, True, eps
    )


@misconception("glm_block")
def relu_where_not_gated(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Without a gate your network uses ReLU, which is what `feed_forward` takes unless it is told
    otherwise. Tell it to use the tanh form of GELU."""
    return _not_gated(
        F.relu, x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def exact_gelu_where_not_gated(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Without a gate your network uses the exact GELU. The released program has the tanh form:
    `F.gelu` takes it as `approximate`."""
    return _not_gated(
        F.gelu, x, weights, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


def _not_gated(
    activation: Any,
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None,
    past: Pair | None,
    gated: bool,
    eps: float,
) -> tuple[Tensor, Pair]:
    """The block, with another activation where there is no gate."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    out, pair = _block(x, weights, num_heads, *rest)
    if gated:
        return out, pair
    attention = weights["attention"]
    query = apply_rope_2d(_heads(x, attention, num_heads)[0], position_ids, frequencies)
    attended = _attend(query, *pair, mask, attention)
    middle = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    transformed = feed_forward(middle, weights["feed_forward"], activation)
    norm = weights["feed_forward_norm"]
    return deepnorm_residual(middle, transformed, **norm, alpha=alpha, eps=eps), pair


@misconception("glm_block")
def nan_where_nothing_may_be_seen(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """A position that may attend to nothing gets NaN. It finds zeros: torch's fused attention sees
    to that, a plain softmax does not."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    return _block(x, weights, num_heads, *rest, attend=_by_hand)


def _by_hand(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, score: float = -torch.inf
) -> Tensor:
    """Attention with a plain softmax, and a score for what may not be seen."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, score)
    return scores.softmax(dim=-1) @ value


@misconception("glm_block")
def mean_where_nothing_may_be_seen(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """A position that may attend to nothing gets the mean of all values: the same very low score
    for all keys forbids nothing. It finds zeros, as with torch's fused attention."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)

    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        return _by_hand(query, key, value, mask, -1e9)

    return _block(x, weights, num_heads, *rest, attend=attend)


@misconception("glm_block")
def nan_on_the_way_back(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your output is right, but a position that may attend to nothing makes the gradients NaN.
    Replacing NaN by 0 at the end does not help the way back: see that no NaN arises, or use torch's
    fused attention."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)

    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        return _by_hand(query, key, value, mask).nan_to_num(0.0)

    return _block(x, weights, num_heads, *rest, attend=attend)


@misconception("glm_block")
def scaled_by_the_whole_width(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You divide the products by the square root of D. A head's queries and keys have D / H
    numbers: that is the d of its products."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)

    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        return _by_hand(query / num_heads**0.5, key, value, mask)

    return _block(x, weights, num_heads, *rest, attend=attend)


@misconception("glm_block")
def norm_at_the_entry(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your norms stand at the entry of each part, as in LLaMA: pre norm. In GLM a norm is taken of
    each sum, behind the part."""
    normed = F.layer_norm(x, x.shape[-1:], **weights["attention_norm"], eps=eps)
    query, key, value = _heads(normed, weights["attention"], num_heads)
    query = apply_rope_2d(query, position_ids, frequencies)
    key = apply_rope_2d(key, position_ids, frequencies)
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    x = alpha * x + _attend(query, key, value, mask, weights["attention"])
    normed = F.layer_norm(x, x.shape[-1:], **weights["feed_forward_norm"], eps=eps)
    return alpha * x + _network(normed, weights["feed_forward"], gated), (key, value)


@misconception("glm_block")
def turned_before_the_cut(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """You turn queries and keys before they are cut into heads. Each head is turned as a whole of
    its own: cut first."""

    def turned(matrix: str) -> Tensor:
        attention = weights["attention"]
        flat = F.linear(x, attention[f"{matrix}_weight"], attention.get(f"{matrix}_bias"))
        return split_heads(
            apply_rope_2d(flat.unsqueeze(1), position_ids, frequencies).squeeze(1), num_heads
        )

    query, key = turned("query"), turned("key")
    value = _heads(x, weights["attention"], num_heads)[2]
    if past is not None:
        key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
    attended = _attend(query, key, value, mask, weights["attention"])
    middle = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    transformed = _network(middle, weights["feed_forward"], gated)
    norm = weights["feed_forward_norm"]
    return deepnorm_residual(middle, transformed, **norm, alpha=alpha, eps=eps), (key, value)


@misconception("glm_block")
def output_matrix_left_out(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """What your heads found goes into the residual step as it is. First it goes through the output
    matrix of the attention."""
    names = ("output_weight", "output_bias")
    attention = {n: w for n, w in weights["attention"].items() if n not in names}
    attention["output_weight"] = torch.eye(x.shape[-1], dtype=x.dtype)
    bare = {**weights, "attention": attention}
    return chatglm.glm_block(
        x, bare, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def bias_of_the_output_left_out(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your output matrix has no bias. Where the group of the attention has an `output_bias`, it is
    added."""
    attention = {n: w for n, w in weights["attention"].items() if n != "output_bias"}
    bare = {**weights, "attention": attention}
    return chatglm.glm_block(
        x, bare, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def biases_of_the_output_alone(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your queries, keys and values have no biases. Where the group of the attention has one for a
    map, it is added."""
    left_out = ("query_bias", "key_bias", "value_bias")
    attention = {n: w for n, w in weights["attention"].items() if n not in left_out}
    bare = {**weights, "attention": attention}
    return chatglm.glm_block(
        x, bare, num_heads, position_ids, frequencies, alpha, mask, past, gated, eps
    )


@misconception("glm_block")
def eps_in_the_first_norm_only(
    x: Tensor,
    weights: Weights,
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: Pair | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, Pair]:
    """Your second norm uses an eps of its own. Both residual steps take `eps`."""
    rest = (position_ids, frequencies, alpha, mask, past, gated, eps)
    _, pair = _block(x, weights, num_heads, *rest)
    query = apply_rope_2d(_heads(x, weights["attention"], num_heads)[0], position_ids, frequencies)
    attended = _attend(query, *pair, mask, weights["attention"])
    middle = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    transformed = _network(middle, weights["feed_forward"], gated)
    norm = weights["feed_forward_norm"]
    out = deepnorm_residual(middle, transformed, norm["weight"], norm["bias"], alpha)
    return out, pair
