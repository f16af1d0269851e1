"""Right answers to the exercises of chapter 7, written differently from the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autograder.alternatives import alternative
from solutions import attention, llama

Weights = Mapping[str, Mapping[str, Tensor]]
Pair = tuple[Tensor, Tensor]

# --------------------------------------------------------------------------------- rms_norm


@alternative("rms_norm")
def divided_by_the_root(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    wide = x if x.dtype == torch.float64 else x.float()
    root = torch.sqrt((wide * wide).sum(-1, keepdim=True) / x.shape[-1] + eps)
    return weight.type_as(x) * (wide / root).type_as(x)


@alternative("rms_norm")
def torch_own(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    normed = functional.rms_norm(x.to(dtype), x.shape[-1:], eps=eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


@alternative("rms_norm")
def gain_in_the_wide_type_too(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Rounds once instead of twice where numbers are half-precision."""
    wide = x if x.dtype == torch.float64 else x.float()
    length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    scale = (length.square() / x.shape[-1] + eps).pow(-0.5)
    return (wide * scale * weight.to(wide.dtype)).to(x.dtype)


@alternative("rms_norm")
def einsum_of_squares(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    squares = torch.einsum("...d,...d->...", wide, wide) / wide.size(-1)
    normed = wide / (squares + eps).sqrt()[..., None]
    return normed.to(x.dtype) * weight.to(x.dtype)


# ------------------------------------------------------------------------- rope_frequencies


@alternative("rope_frequencies")
def number_by_number(head_dim: int, theta: float = 10000.0) -> Tensor:
    if head_dim % 2:
        raise ValueError(f"{head_dim} is odd")
    return torch.tensor([theta ** (-2 * i / head_dim) for i in range(head_dim // 2)])


@alternative("rope_frequencies")
def one_over_a_power(head_dim: int, theta: float = 10000.0) -> Tensor:
    if head_dim % 2 == 1:
        raise ValueError("odd")
    return 1.0 / (theta ** (torch.arange(0, head_dim, 2).float() / head_dim))


@alternative("rope_frequencies")
def exponential_of_a_logarithm(head_dim: int, theta: float = 10000.0) -> Tensor:
    if head_dim % 2:
        raise ValueError("odd")
    exponents = torch.arange(head_dim // 2, dtype=torch.float64) * (-2 / head_dim)
    return torch.exp(exponents * math.log(theta)).to(torch.get_default_dtype())


@alternative("rope_frequencies")
def numpy_logspace(head_dim: int, theta: float = 10000.0) -> Tensor:
    if head_dim % 2:
        raise ValueError("odd")
    series = np.logspace(0, -1, head_dim // 2, endpoint=False, base=theta)
    return torch.from_numpy(series).to(torch.get_default_dtype())


# ------------------------------------------------------------------------------- apply_rope


@alternative("apply_rope")
def half_exchanged(x: Tensor, angles: Tensor) -> Tensor:
    """As Hugging Face's code has it: times the cosine, and the exchanged halves times the sine."""
    half = x.shape[-1] // 2
    exchanged = torch.cat([-x[..., half:], x[..., :half]], dim=-1)
    doubled = torch.cat([angles, angles], dim=-1)
    return x * doubled.cos().to(x.dtype) + exchanged * doubled.sin().to(x.dtype)


@alternative("apply_rope")
def complex_numbers(x: Tensor, angles: Tensor) -> Tensor:
    """A pair is a complex number, and turning it is a product."""
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    first, second = x.to(dtype).chunk(2, dim=-1)
    turns = torch.polar(torch.ones_like(angles, dtype=dtype), angles.to(dtype))
    turned = torch.complex(first.contiguous(), second.contiguous()) * turns
    return torch.cat([turned.real, turned.imag], dim=-1).to(x.dtype)


@alternative("apply_rope")
def pair_by_pair(x: Tensor, angles: Tensor) -> Tensor:
    half = x.shape[-1] // 2
    columns: list[Tensor] = [x[..., 0]] * (2 * half)
    for i in range(half):
        cos, sin = (wave(angles[..., i]).to(x.dtype) for wave in (torch.cos, torch.sin))
        columns[i] = x[..., i] * cos - x[..., i + half] * sin
        columns[i + half] = x[..., i] * sin + x[..., i + half] * cos
    return torch.stack(columns, dim=-1)


@alternative("apply_rope")
def matrices_of_rotation(x: Tensor, angles: Tensor) -> Tensor:
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    rows = [torch.stack([cos, -sin], dim=-1), torch.stack([sin, cos], dim=-1)]
    rotation = torch.stack(rows, dim=-2)  # (..., T, d/2, 2, 2)
    pairs = torch.stack(x.chunk(2, dim=-1), dim=-1)  # (..., T, d/2, 2)
    turned = (rotation @ pairs.unsqueeze(-1)).squeeze(-1)
    return torch.cat([turned[..., 0], turned[..., 1]], dim=-1)


# ---------------------------------------------------------------------- interleaved_to_half


@alternative("interleaved_to_half")
def slices_of_each_head(weight: Tensor, num_heads: int) -> Tensor:
    heads = weight.chunk(num_heads)
    return torch.cat([part for head in heads for part in (head[0::2], head[1::2])])


@alternative("interleaved_to_half")
def list_of_rows(weight: Tensor, num_heads: int) -> Tensor:
    size = len(weight) // num_heads
    order = [*range(0, size, 2), *range(1, size, 2)]
    return weight[[head * size + row for head in range(num_heads) for row in order]]


@alternative("interleaved_to_half")
def sorted_by_evenness(weight: Tensor, num_heads: int) -> Tensor:
    row = torch.arange(len(weight)).reshape(num_heads, -1)
    return weight[torch.cat([row[:, 0::2], row[:, 1::2]], dim=1).flatten()]


# ----------------------------------------------------------------------------------- swiglu


@alternative("swiglu")
def written_out(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    def mapped(name: str, inputs: Tensor) -> Tensor:
        product = inputs @ weights[f"{name}_weight"].T
        return product + weights[f"{name}_bias"] if f"{name}_bias" in weights else product

    gate = mapped("gate", x)
    return mapped("down", gate * torch.sigmoid(gate) * mapped("up", x))


@alternative("swiglu")
def both_maps_in_one(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """One product with both matrices below each other, cut in two afterwards."""
    inner_dim = len(weights["gate_weight"])
    matrix = torch.cat([weights["gate_weight"], weights["up_weight"]])
    zeros = torch.zeros(inner_dim, dtype=x.dtype)
    bias = torch.cat([weights.get("gate_bias", zeros), weights.get("up_bias", zeros)])
    gate, up = functional.linear(x, matrix, bias).chunk(2, dim=-1)
    return functional.linear(
        up * gate / (1 + (-gate).exp()), weights["down_weight"], weights.get("down_bias")
    )


@alternative("swiglu")
def einsum_throughout(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    def mapped(name: str, inputs: Tensor) -> Tensor:
        product = torch.einsum("...i,oi->...o", inputs, weights[name + "_weight"])
        bias = weights.get(name + "_bias")
        return product if bias is None else product + bias

    return mapped("down", functional.silu(mapped("gate", x)) * mapped("up", x))


# ------------------------------------------------------------------ grouped_query_attention


@alternative("grouped_query_attention")
def group_by_group(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    batch, num_heads, time, _ = query.shape
    size = num_heads // key.shape[1]
    if mask is not None:
        mask = mask.expand(batch, num_heads, time, key.shape[2])
    found = []
    for head in range(num_heads):
        group = head // size
        own = None if mask is None else mask[:, head]
        pair = key[:, group], value[:, group]
        found.append(attention.scaled_dot_product_attention(query[:, head], *pair, own))
    return torch.stack(found, dim=1)


@alternative("grouped_query_attention")
def torch_with_groups(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    return functional.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)


@alternative("grouped_query_attention")
def axis_of_groups(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Nothing is copied: the query heads get an axis for the group, and one within it."""
    batch, num_heads, time, dim = query.shape
    groups, num_keys = key.shape[1], key.shape[2]
    parted = query.reshape(batch, groups, -1, time, dim)
    scores = torch.einsum("bgmtd,bgsd->bgmts", parted, key) / dim**0.5
    if mask is not None:
        whole = mask.expand(batch, num_heads, time, num_keys)
        scores = scores.masked_fill(~whole.reshape(scores.shape), -torch.inf)
    weights = attention.softmax(scores)
    return torch.einsum("bgmts,bgsd->bgmtd", weights, value).reshape(query.shape)


@alternative("grouped_query_attention")
def expanded_and_flattened(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    size = query.shape[1] // key.shape[1]
    key, value = (x[:, :, None].expand(-1, -1, size, -1, -1).flatten(1, 2) for x in (key, value))
    return attention.scaled_dot_product_attention(query, key, value, mask)


# ------------------------------------------------------------------------------ llama_block


@alternative("llama_block")
def from_the_exercises(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Pair]:
    """With the chapter's own attention, which is what students will write."""
    maps, dim = weights["attention"], 2 * angles.shape[-1]
    normed = llama.rms_norm(x, weights["attention_norm"]["weight"], eps)
    heads = {}
    for name in ("query", "key", "value"):
        mapped = normed @ maps[f"{name}_weight"].T
        if f"{name}_bias" in maps:
            mapped = mapped + maps[f"{name}_bias"]
        heads[name] = attention.split_heads(mapped, mapped.shape[-1] // dim)
    query = llama.apply_rope(heads["query"], angles)
    key, value = llama.apply_rope(heads["key"], angles), heads["value"]
    if past:
        key, value = torch.cat((past[0], key), -2), torch.cat((past[1], value), -2)
    found = llama.grouped_query_attention(query, key, value, mask)
    found = attention.merge_heads(found) @ maps["output_weight"].T
    if "output_bias" in maps:
        found = found + maps["output_bias"]
    middle = x + found
    normed = llama.rms_norm(middle, weights["feed_forward_norm"]["weight"], eps)
    return middle + llama.swiglu(normed, weights["feed_forward"]), (key, value)


@alternative("llama_block")
def heads_by_unflatten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Pair]:
    maps, dim = weights["attention"], angles.shape[-1] * 2
    gain = weights["attention_norm"]["weight"]
    normed = functional.rms_norm(x, gain.shape, gain, eps)
    parted = [
        functional.linear(normed, maps[f"{name}_weight"], maps.get(f"{name}_bias"))
        .unflatten(-1, (-1, dim))
        .transpose(1, 2)
        for name in ("query", "key", "value")
    ]
    query, key = half_exchanged(parted[0], angles), half_exchanged(parted[1], angles)
    both = [key, parted[2]]
    if past is not None:
        both = [torch.cat(pair, dim=2) for pair in zip(past, both, strict=True)]
    found = axis_of_groups(query, both[0], both[1], mask).transpose(1, 2).flatten(2)
    x = x + functional.linear(found, maps["output_weight"], maps.get("output_bias"))
    gain = weights["feed_forward_norm"]["weight"]
    thought = written_out(functional.rms_norm(x, gain.shape, gain, eps), weights["feed_forward"])
    return x + thought, (both[0], both[1])


# ------------------------------------------------------------------------------ decode_step


@alternative("decode_step")
def mask_from_positions(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, list[Pair]]:
    earlier = 0 if not past else past[0][0].size(2)
    positions = torch.arange(earlier + x.size(1))
    mask = positions[None, :] <= positions[earlier:, None]
    if attention_mask is not None:
        mask = mask & (attention_mask[:, None, None, :] == 1)
    angles = torch.outer(positions[earlier:].to(frequencies.dtype), frequencies)
    pairs = []
    for number, weights in enumerate(layers):
        x, pair = llama.llama_block(x, weights, angles, mask, past[number] if past else None, eps)
        pairs.append(pair)
    return x, [] if past is None else pairs


@alternative("decode_step")
def one_position_after_another(
    x: Tensor,
    layers: Sequence[Weights],
    past: Sequence[Pair] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, list[Pair]]:
    """Each new position by itself, with what those before it left: no causal mask is needed."""
    blocks, outputs = list(layers), []
    kept: list[Pair] = list(past or [])
    start = kept[0][0].shape[2] if kept else 0
    for time in range(x.shape[1]):
        angles = (start + time) * frequencies.unsqueeze(0)
        mask = None
        if attention_mask is not None:
            mask = attention.padding_mask(attention_mask[:, : start + time + 1])
        new, pairs = x[:, time : time + 1], []
        for number, weights in enumerate(blocks):
            before = kept[number] if kept else None
            new, pair = llama.llama_block(new, weights, angles, mask, before, eps)
            pairs.append(pair)
        kept = pairs
        outputs.append(new)
    return torch.cat(outputs, dim=1), kept if past is not None else []


# ----------------------------------------------------------------------------- sample_top_p


@alternative("sample_top_p")
def text_by_text(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    chosen = []
    for row, draw in zip(logits.double().tolist(), draws.tolist(), strict=True):
        largest = max(row)
        powers = [math.exp(score - largest) for score in row]
        order = sorted(range(len(row)), key=lambda token: (-powers[token], token))
        kept, together = [], 0.0
        for token in order:
            kept.append(token)
            together += powers[token] / sum(powers)
            if together >= top_p:
                break
        goal = draw * sum(powers[token] for token in kept)
        upto = 0.0
        for token in kept:
            upto += powers[token]
            if upto > goal:
                break
        chosen.append(token)
    return torch.tensor(chosen, dtype=torch.int64)


@alternative("sample_top_p")
def sorted_and_searched(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    ordered, token_ids = logits.softmax(-1).sort(dim=-1, descending=True, stable=True)
    upto = ordered.cumsum(-1)
    ordered = ordered.masked_fill(upto - ordered >= top_p, 0)
    last_kept = (ordered > 0).sum(-1, keepdim=True) - 1
    upto = (ordered / ordered.sum(-1, keepdim=True)).cumsum(-1)
    place = torch.searchsorted(upto, draws.to(upto.dtype).unsqueeze(-1), right=True)
    return token_ids.gather(-1, torch.minimum(place, last_kept))[:, 0]


@alternative("sample_top_p")
def tail_set_to_minus_infinity(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    ordered, token_ids = torch.sort(logits, dim=-1, descending=True, stable=True)
    upto = ordered.softmax(-1).cumsum(-1)
    tail = torch.zeros_like(upto, dtype=torch.bool)
    tail[:, 1:] = upto[:, :-1] >= top_p
    probabilities = ordered.masked_fill(tail, -torch.inf).softmax(-1)
    upto = probabilities.cumsum(-1)
    place = (upto / upto[:, -1:] > draws[:, None]).int().argmax(-1)
    return token_ids[torch.arange(len(logits)), place]


@alternative("sample_top_p")
def numpy_cumsum(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    scores = logits.double().numpy()
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chosen = []
    for row, draw in zip(powers / powers.sum(axis=1, keepdims=True), draws.numpy(), strict=True):
        order = np.argsort(-row, kind="stable")
        count = int(np.searchsorted(np.cumsum(row[order]), top_p)) + 1
        kept = row[order[:count]]
        place = int(np.searchsorted(np.cumsum(kept / kept.sum()), draw, side="right"))
        chosen.append(order[min(place, len(kept) - 1)])
    return torch.tensor(np.array(chosen), dtype=torch.int64)
