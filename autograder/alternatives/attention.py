"""Right answers to the exercises of chapter 4, written differently from the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autograder.alternatives import alternative

# ---------------------------------------------------------------------------------- softmax


@alternative("softmax")
def torch_softmax_without_hopeless_rows(scores: Tensor, dim: int = -1) -> Tensor:
    hopeless = (scores == -torch.inf).all(dim, keepdim=True)
    return torch.softmax(scores.masked_fill(hopeless, 0.0), dim).masked_fill(hopeless, 0.0)


@alternative("softmax")
def exponential_of_log_softmax(scores: Tensor, dim: int = -1) -> Tensor:
    alive = (scores > -torch.inf).any(dim, keepdim=True)
    logarithms = torch.log_softmax(torch.where(alive, scores, torch.zeros_like(scores)), dim)
    return torch.where(alive, logarithms.exp(), torch.zeros_like(scores))


@alternative("softmax")
def logarithm_of_the_sum_taken_away(scores: Tensor, dim: int = -1) -> Tensor:
    """Stable, though in float32 it rounds large scores more roughly than the others do."""
    hopeless = (scores == -torch.inf).all(dim, keepdim=True)
    finite = scores.masked_fill(hopeless, 0.0)
    return (finite - finite.logsumexp(dim, keepdim=True)).exp() * ~hopeless


@alternative("softmax")
def largest_detached_and_clamped(scores: Tensor, dim: int = -1) -> Tensor:
    lowest = torch.finfo(scores.dtype).min
    largest = scores.detach().max(dim, keepdim=True).values.clamp(min=lowest)
    exponentials = torch.exp(scores - largest)
    return exponentials / exponentials.sum(dim, keepdim=True).clamp(min=1e-30)


@alternative("softmax")
def each_score_against_all_others(scores: Tensor, dim: int = -1) -> Tensor:
    """1 / sum over j of exp(score j - score i): no number is subtracted for safety."""
    last = scores.movedim(dim, -1)
    allowed = last > -torch.inf
    finite = last.masked_fill(~allowed, 0.0)
    gaps = finite.unsqueeze(-2) - finite.unsqueeze(-1)
    gaps = gaps.masked_fill(~allowed.unsqueeze(-2), -torch.inf)
    result = 1 / gaps.exp().sum(-1).clamp(min=1e-30)
    return torch.where(allowed, result, torch.zeros_like(result)).movedim(-1, dim)


# ------------------------------------------------------------------------ attention_weights


@alternative("attention_weights")
def query_scaled_first(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    scores = torch.einsum("...td,...sd->...ts", query * query.shape[-1] ** -0.5, key)
    if mask is not None:
        scores = torch.where(mask, scores, torch.full_like(scores, -torch.inf))
    return torch_softmax_without_hopeless_rows(scores)


@alternative("attention_weights")
def attention_to_unit_vectors(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """The weights are what attention gives when the values are the rows of the identity."""
    num_keys = key.shape[-2]
    value = torch.eye(num_keys, dtype=key.dtype).expand(*key.shape[:-2], num_keys, num_keys)
    return functional.scaled_dot_product_attention(query, key, value, mask)


@alternative("attention_weights")
def mask_added_as_minus_infinity(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    scores = torch.matmul(query, key.mT) / math.sqrt(query.size(-1))
    if mask is None:
        return torch.softmax(scores, dim=-1)
    scores = scores + torch.zeros(mask.shape, dtype=scores.dtype).masked_fill(~mask, -torch.inf)
    return largest_detached_and_clamped(scores)


@alternative("attention_weights")
def very_low_scores_then_zeros(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is None:
        return scores.softmax(-1)
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1)
    return weights.masked_fill(~mask, 0.0)


@alternative("attention_weights")
def nan_replaced_behind_a_mask(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """The NaN of a masked row never reaches the gradient: filling in cuts it off."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(mask.logical_not(), float("-inf"))
    return functional.softmax(scores, dim=-1).nan_to_num(nan=0.0)


@alternative("attention_weights")
def query_by_query(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    num_queries, num_keys = query.shape[-2], key.shape[-2]
    if mask is None:
        mask = torch.ones(num_queries, num_keys, dtype=torch.bool)
    mask = mask.expand(*query.shape[:-1], num_keys)
    rows = []
    for t in range(num_queries):
        scores = (query[..., t : t + 1, :] * key).sum(-1) / query.shape[-1] ** 0.5
        scores = scores.masked_fill(~mask[..., t, :], -torch.inf)
        rows.append(torch_softmax_without_hopeless_rows(scores))
    return torch.stack(rows, dim=-2)


# ------------------------------------------------------------- scaled_dot_product_attention


@alternative("scaled_dot_product_attention")
def torch_fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)


@alternative("scaled_dot_product_attention")
def einsum_all_the_way(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    weights = query_scaled_first(query, key, mask)
    return torch.einsum("...ts,...sv->...tv", weights, value)


@alternative("scaled_dot_product_attention")
def divided_last(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """As fused kernels do it: average with the exponentials, divide by their sum at the end."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    largest = scores.detach().amax(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).min)
    exponentials = (scores - largest).exp()
    return exponentials @ value / exponentials.sum(-1, keepdim=True).clamp(min=1e-30)


@alternative("scaled_dot_product_attention")
def key_after_key(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """The online softmax: largest score, sum and average so far, brought up to date key by key."""
    shape, lowest = query.shape[:-1], torch.finfo(query.dtype).min
    largest = torch.full((*shape, 1), lowest, dtype=query.dtype)
    total = torch.zeros((*shape, 1), dtype=query.dtype)
    average = torch.zeros((*shape, value.shape[-1]), dtype=query.dtype)
    allowed = None if mask is None else mask.expand(*shape, key.shape[-2])
    for s in range(key.shape[-2]):
        score = (query * key[..., s : s + 1, :]).sum(-1, keepdim=True) / query.shape[-1] ** 0.5
        if allowed is not None:
            score = score.masked_fill(~allowed[..., s : s + 1], -torch.inf)
        higher = torch.maximum(largest, score.detach())
        shrink, exponential = (largest - higher).exp(), (score - higher).exp()
        total = total * shrink + exponential
        average = average * shrink + exponential * value[..., s : s + 1, :]
        largest = higher
    return average / torch.where(total == 0, torch.ones_like(total), total)


# ------------------------------------------------------------------------------ causal_mask


@alternative("causal_mask")
def lower_triangle(num_queries: int, num_keys: int | None = None) -> Tensor:
    num_keys = num_queries if num_keys is None else num_keys
    ones = torch.ones(num_queries, num_keys, dtype=torch.bool)
    return torch.tril(ones, diagonal=num_keys - num_queries)


@alternative("causal_mask")
def last_rows_of_the_square(num_queries: int, num_keys: int | None = None) -> Tensor:
    size = num_queries if num_keys is None else num_keys
    return ~torch.ones(size, size).triu(1).bool()[size - num_queries :]


@alternative("causal_mask")
def row_after_row(num_queries: int, num_keys: int | None = None) -> Tensor:
    if num_keys is None:
        num_keys = num_queries
    before = num_keys - num_queries
    return torch.tensor(
        [[s <= t + before for s in range(num_keys)] for t in range(num_queries)]
    ).reshape(num_queries, num_keys)


@alternative("causal_mask")
def numpy_triangle(num_queries: int, num_keys: int | None = None) -> Tensor:
    num_keys = num_keys or num_queries
    return torch.from_numpy(np.tri(num_queries, num_keys, num_keys - num_queries, dtype=bool))


# ----------------------------------------------------------------------------- padding_mask


@alternative("padding_mask")
def compared_and_unsqueezed(attention_mask: Tensor) -> Tensor:
    return (attention_mask != 0).unsqueeze(1).unsqueeze(1)


@alternative("padding_mask")
def equal_to_one(attention_mask: Tensor) -> Tensor:
    batch, time = attention_mask.shape
    return (attention_mask == 1).view(batch, 1, 1, time)


@alternative("padding_mask")
def sentence_by_sentence(attention_mask: Tensor) -> Tensor:
    rows = [[[[bool(real) for real in row]]] for row in attention_mask.tolist()]
    return torch.tensor(rows, dtype=torch.bool)


# ------------------------------------------------------------------------------ split_heads


@alternative("split_heads")
def chunks_stacked(x: Tensor, num_heads: int) -> Tensor:
    return torch.stack(x.chunk(num_heads, dim=-1), dim=1)


@alternative("split_heads")
def head_by_head(x: Tensor, num_heads: int) -> Tensor:
    size = x.shape[-1] // num_heads
    pieces = [x[:, None, :, h * size : (h + 1) * size] for h in range(num_heads)]
    return torch.cat(pieces, dim=1)


@alternative("split_heads")
def unflattened(x: Tensor, num_heads: int) -> Tensor:
    return x.unflatten(-1, (num_heads, -1)).permute(0, 2, 1, 3).contiguous()


@alternative("split_heads")
def windows_that_step_by_their_size(x: Tensor, num_heads: int) -> Tensor:
    size = x.shape[-1] // num_heads
    return x.unfold(-1, size, size).movedim(2, 1)


# ------------------------------------------------------------------------------ merge_heads


@alternative("merge_heads")
def heads_side_by_side(x: Tensor) -> Tensor:
    return torch.cat([x[:, h] for h in range(x.shape[1])], dim=-1)


@alternative("merge_heads")
def contiguous_and_viewed(x: Tensor) -> Tensor:
    batch, num_heads, time, size = x.shape
    return x.transpose(1, 2).contiguous().view(batch, time, num_heads * size)


@alternative("merge_heads")
def unbound_heads(x: Tensor) -> Tensor:
    return torch.hstack([head.mT for head in x.unbind(dim=1)]).mT


# --------------------------------------------------------------------- multi_head_attention


@alternative("multi_head_attention")
def a_loop_over_heads(
    x: Tensor,
    context: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    size = x.shape[-1] // num_heads
    whole = (len(x), num_heads, x.shape[1], context.shape[1])
    allowed = torch.ones(whole, dtype=torch.bool) if mask is None else mask.expand(whole)
    projected = {}
    for name, source in (("query", x), ("key", context), ("value", context)):
        projected[name] = source @ weights[f"{name}_weight"].T
        if f"{name}_bias" in weights:
            projected[name] = projected[name] + weights[f"{name}_bias"]
    found = []
    for h in range(num_heads):
        query, key, value = (
            projected[name][..., h * size : (h + 1) * size] for name in ("query", "key", "value")
        )
        found.append(query_by_query(query, key, allowed[:, h]) @ value)
    out = torch.cat(found, dim=-1) @ weights["output_weight"].T
    return out + weights["output_bias"] if "output_bias" in weights else out


@alternative("multi_head_attention")
def heads_in_the_matrices(
    x: Tensor,
    context: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Each head has its own rows of the matrices, and its own columns of the output's: their
    sum."""
    parts = {
        name: tensor.unflatten(0, (num_heads, -1))
        for name, tensor in weights.items()
        if not name.startswith("output")
    }

    def head(name: str, source: Tensor) -> Tensor:
        mapped = torch.einsum("btm,hdm->bhtd", source, parts[f"{name}_weight"])
        bias = parts.get(f"{name}_bias")
        return mapped if bias is None else mapped + bias[:, None, :]

    found = divided_last(head("query", x), head("key", context), head("value", context), mask)
    columns = weights["output_weight"].unflatten(1, (num_heads, -1))
    out = torch.einsum("bhtd,nhd->btn", found, columns)
    bias = weights.get("output_bias")
    return out if bias is None else out + bias


@alternative("multi_head_attention")
def torch_multi_head_attention(
    x: Tensor,
    context: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Torch's own; its masks are True where a query may *not* attend, and it adds masks up."""
    batch, time, dim = x.shape
    zeros = torch.zeros(dim, dtype=x.dtype)
    biases = [weights.get(f"{name}_bias", zeros) for name in ("query", "key", "value")]
    hidden, blind = None, None
    if mask is not None:
        allowed = mask.expand(batch, num_heads, time, context.shape[1])
        blind = ~allowed.any(-1, keepdim=True)
        hidden = ~(allowed | blind).flatten(0, 1)  # torch gives NaN where all is hidden
    size = dim // num_heads
    identity = torch.eye(dim, dtype=x.dtype)
    found, _ = functional.multi_head_attention_forward(
        x.transpose(0, 1),
        context.transpose(0, 1),
        context.transpose(0, 1),
        dim,
        num_heads,
        None,
        torch.cat(biases),
        None,
        None,
        False,
        0.0,
        identity,
        None,
        attn_mask=hidden,
        need_weights=False,
        use_separate_proj_weight=True,
        q_proj_weight=weights["query_weight"],
        k_proj_weight=weights["key_weight"],
        v_proj_weight=weights["value_weight"],
    )
    found = found.transpose(0, 1)
    if blind is not None:
        sees = (~blind).to(x.dtype).expand(-1, -1, -1, size)
        found = found * sees.transpose(1, 2).flatten(-2)
    return functional.linear(found, weights["output_weight"], weights.get("output_bias"))


@alternative("multi_head_attention")
def bias_of_the_keys_left_out(
    x: Tensor,
    context: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """It adds the same to all scores of a query, which a softmax does not see."""
    rest = {name: tensor for name, tensor in weights.items() if name != "key_bias"}
    return a_loop_over_heads(x, context, rest, num_heads, mask)
