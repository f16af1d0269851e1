"""Right answers to the exercises of chapter 8, written differently from the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.alternatives import alternative

Weights = Mapping[str, Mapping[str, Tensor]]
Pair = tuple[Tensor, Tensor]

# ------------------------------------------------------------------------------ prefix_mask


@alternative("prefix_mask")
def mask_entry_by_entry(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    total = num_keys or num_queries
    return torch.tensor(
        [
            [[j < n or j <= t for j in range(total)] for t in range(total - num_queries, total)]
            for n in prefix_lengths.tolist()
        ]
    )


@alternative("prefix_mask")
def later_end_of_prefix_and_past(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    """A key is seen if it lies before the end of the prefix, or of the past, whichever is later."""
    total = num_queries if num_keys is None else num_keys
    past = torch.arange(total - num_queries + 1, total + 1)  # (T,): where it ends for each query
    ends = torch.maximum(past.unsqueeze(0), prefix_lengths.unsqueeze(1))  # (B, T)
    return torch.arange(total).expand(*ends.shape, total) < ends.unsqueeze(-1)


@alternative("prefix_mask")
def columns_opened_in_a_loop(
    prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None
) -> Tensor:
    total = num_queries if num_keys is None else num_keys
    causal = torch.ones(num_queries, total).tril(total - num_queries).bool()
    mask = causal.repeat(len(prefix_lengths), 1, 1)
    for row, n in enumerate(prefix_lengths):
        mask[row, :, : int(n)] = True
    return mask


# -------------------------------------------------------------------------- position_ids_2d


@alternative("position_ids_2d")
def token_by_token(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    rows = []
    for row in range(len(prefix_lengths)):
        n, m = int(prefix_lengths[row]), int(mask_indices[row])
        padding = 0 if padding_lengths is None else int(padding_lengths[row])
        first = [max(0, (t if t < n else m) - padding) for t in range(length)]
        second = [0 if t < n else t - n + 1 for t in range(length)]
        rows.append([first, second])
    return torch.tensor(rows)


@alternative("position_ids_2d")
def counted_by_cumsum(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    places = torch.arange(length).repeat(len(prefix_lengths), 1)
    if padding_lengths is None:
        padding_lengths = prefix_lengths.new_zeros(len(prefix_lengths))
    behind = places >= prefix_lengths[:, None]
    real = places >= padding_lengths[:, None]
    first = (real.long().cumsum(1) - 1).clamp(min=0)
    first[behind] = (mask_indices - padding_lengths)[:, None].expand_as(first)[behind]
    return torch.stack((first, behind.long().cumsum(1)), 1)


# ---------------------------------------------------------------------------- apply_rope_2d


@alternative("apply_rope_2d")
def complex_numbers(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    halves = x.unflatten(-1, (2, 2, -1))  # (B, H, T, half, coordinate, d/4)
    points = torch.complex(halves[..., 0, :], halves[..., 1, :])
    angles = torch.einsum("bpt,i->btpi", position_ids.to(x.dtype), frequencies.to(x.dtype))
    turned = points * torch.polar(torch.ones_like(angles), angles).unsqueeze(1)
    return torch.stack([turned.real, turned.imag], dim=-2).flatten(-3).to(x.dtype)


@alternative("apply_rope_2d")
def quarters_by_hand(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    a, b, c, d = x.split(x.shape[-1] // 4, dim=-1)
    one = position_ids[:, 0].unsqueeze(1).unsqueeze(-1) * frequencies
    two = position_ids[:, 1].unsqueeze(1).unsqueeze(-1) * frequencies
    parts = [
        a * one.cos() - b * one.sin(),
        a * one.sin() + b * one.cos(),
        c * two.cos() - d * two.sin(),
        c * two.sin() + d * two.cos(),
    ]
    return torch.cat(parts, dim=-1).to(x.dtype)


@alternative("apply_rope_2d")
def rotation_matrices(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    angles = (position_ids.unsqueeze(-1) * frequencies).to(x.dtype)  # (B, 2, T, d/4)
    cos, sin = angles.cos(), angles.sin()
    matrices = torch.stack([torch.stack([cos, sin], -1), torch.stack([-sin, cos], -1)], -2)
    points = x.unflatten(-1, (2, 2, -1))  # (B, H, T, p, c, i)
    return torch.einsum("bhtpci,bptice->bhtpei", points, matrices).flatten(-3)


# ------------------------------------------------------------------------------------ geglu


def _maybe(product: Tensor, bias: Tensor | None) -> Tensor:
    return product if bias is None else product + bias


@alternative("geglu")
def two_matrices_and_erf(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    inner_dim = weights["outer_weight"].shape[1]
    bias = weights.get("inner_bias")
    plain = _maybe(
        x @ weights["inner_weight"][:inner_dim].T, None if bias is None else bias[:inner_dim]
    )
    gate = _maybe(
        x @ weights["inner_weight"][inner_dim:].T, None if bias is None else bias[inner_dim:]
    )
    opened = gate * 0.5 * (1 + torch.erf(gate / math.sqrt(2)))
    return _maybe((plain * opened) @ weights["outer_weight"].T, weights.get("outer_bias"))


@alternative("geglu")
def einsum_with_gates(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    matrix = weights["inner_weight"].unflatten(0, (2, -1))  # (2, inner_dim, D)
    both = torch.einsum("...d,kid->...ki", x, matrix)
    if "inner_bias" in weights:
        both = both + weights["inner_bias"].reshape(2, -1)
    inner = both[..., 0, :] * torch.nn.GELU()(both[..., 1, :])
    out = torch.einsum("...i,di->...d", inner, weights["outer_weight"])
    return out + weights["outer_bias"] if "outer_bias" in weights else out


# ----------------------------------------------------------------------- deepnorm_constants


@alternative("deepnorm_constants")
def roots_of_roots(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    match architecture, num_encoder_layers:
        case "decoder", None:
            return {
                "alpha": math.sqrt(math.sqrt(2 * num_layers)),
                "beta": 1 / math.sqrt(math.sqrt(8 * num_layers)),
            }
        case "chatglm", None:
            return {"alpha": math.sqrt(2 * num_layers), "beta": 1 / math.sqrt(2 * num_layers)}
        case "encoder-decoder", int(layers):
            root = layers**0.25 * num_layers**0.0625
            return {
                "encoder_alpha": 0.81 * root,
                "encoder_beta": 0.87 / root,
                "alpha": math.pow(3 * num_layers, 1 / 4),
                "beta": math.pow(12 * num_layers, -1 / 4),
            }
    raise ValueError(f"{architecture} with {num_encoder_layers} layers in the encoder")


@alternative("deepnorm_constants")
def numpy_powers(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    powers = {"decoder": (2, 8, 0.25), "chatglm": (2, 2, 0.5), "encoder-decoder": (3, 12, 0.25)}
    if architecture not in powers:
        raise ValueError("unknown architecture")
    if (architecture == "encoder-decoder") == (num_encoder_layers is None):
        raise ValueError("the number of the encoder's layers")
    a, b, power = powers[architecture]
    result = {
        "alpha": float(np.power(float(a * num_layers), power)),
        "beta": float(np.power(float(b * num_layers), -power)),
    }
    if num_encoder_layers is not None:
        logarithm = (4 * np.log(num_encoder_layers) + np.log(num_layers)) / 16
        result["encoder_alpha"] = float(0.81 * np.exp(logarithm))
        result["encoder_beta"] = float(0.87 * np.exp(-logarithm))
    return result


# ------------------------------------------------------------------------ deepnorm_residual


@alternative("deepnorm_residual")
def norm_written_out(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    total = alpha * x + transformed
    centred = total - total.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias


@alternative("deepnorm_residual")
def added_with_alpha(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    total = torch.add(transformed, x, alpha=alpha)
    variance, mean = torch.var_mean(total, dim=-1, correction=0, keepdim=True)
    return torch.addcmul(bias, (total - mean) * torch.rsqrt(variance + eps), weight)


# -------------------------------------------------------------------------------- glm_block


@alternative("glm_block")
def block_of_einsums(
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
    attention = weights["attention"]

    def heads(name: str) -> Tensor:
        matrix = attention[f"{name}_weight"].unflatten(0, (num_heads, -1))  # (H, d, D)
        out = torch.einsum("btD,hdD->bhtd", x, matrix)
        if f"{name}_bias" in attention:
            out = out + attention[f"{name}_bias"].reshape(num_heads, 1, -1)
        return out

    query = quarters_by_hand(heads("query"), position_ids, frequencies)
    key, value = quarters_by_hand(heads("key"), position_ids, frequencies), heads("value")
    if past is not None:
        key = torch.cat((past[0], key), -2)
        value = torch.cat((past[1], value), -2)
    scores = torch.einsum("bhtd,bhsd->bhts", query, key) / math.sqrt(query.shape[-1])
    if mask is None:
        probabilities = scores.softmax(-1)
    else:  # a number instead of -inf, so that no NaN arises where nothing may be seen
        lowest = torch.finfo(scores.dtype).min
        probabilities = scores.masked_fill(~mask, lowest).softmax(-1) * mask
    found = torch.einsum("bhts,bhsd->bthd", probabilities, value).flatten(2)
    attended = _maybe(found @ attention["output_weight"].T, attention.get("output_bias"))
    x = norm_written_out(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    network = weights["feed_forward"]
    if gated:
        transformed = two_matrices_and_erf(x, network)
    else:
        inner = _maybe(x @ network["inner_weight"].T, network.get("inner_bias"))
        opened = torch.tanh(math.sqrt(2 / math.pi) * (inner + 0.044715 * inner**3))
        inner = 0.5 * inner * (1 + opened)
        transformed = _maybe(inner @ network["outer_weight"].T, network.get("outer_bias"))
    out = norm_written_out(x, transformed, **weights["feed_forward_norm"], alpha=alpha, eps=eps)
    return out, (key, value)


@alternative("glm_block")
def block_head_by_head(
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
    attention, network = weights["attention"], weights["feed_forward"]
    query, key, value = (
        F.linear(x, attention[f"{name}_weight"], attention.get(f"{name}_bias"))
        for name in ("query", "key", "value")
    )
    found, keys, values = [], [], []
    pieces = zip(*(part.chunk(num_heads, dim=-1) for part in (query, key, value)), strict=True)
    for head, (q, k, v) in enumerate(pieces):
        q = rotation_matrices(q.unsqueeze(1), position_ids, frequencies)  # (B, 1, T, d)
        k = rotation_matrices(k.unsqueeze(1), position_ids, frequencies)
        v = v.unsqueeze(1)
        if past is not None:
            k = torch.cat([past[0][:, head : head + 1], k], dim=2)
            v = torch.cat([past[1][:, head : head + 1], v], dim=2)
        own = mask
        if mask is not None and mask.ndim == 4 and mask.shape[1] > 1:
            own = mask[:, head : head + 1]
        found.append(F.scaled_dot_product_attention(q, k, v, own).squeeze(1))
        keys.append(k)
        values.append(v)
    attended = F.linear(
        torch.cat(found, dim=-1), attention["output_weight"], attention.get("output_bias")
    )
    x = added_with_alpha(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)
    if gated:
        more = einsum_with_gates(x, network)
    else:
        inner = F.linear(x, network["inner_weight"], network.get("inner_bias"))
        inner = F.gelu(inner, approximate="tanh")
        more = F.linear(inner, network["outer_weight"], network.get("outer_bias"))
    out = added_with_alpha(x, more, **weights["feed_forward_norm"], alpha=alpha, eps=eps)
    return out, (torch.cat(keys, dim=1), torch.cat(values, dim=1))


# ------------------------------------------------------------------ blank_infilling_example


@alternative("blank_infilling_example")
def one_walk_through_the_text(
    text: list[int], spans: list[tuple[int, int]], mask_id: int, bos_id: int, eos_id: int
) -> dict[str, list[int]]:
    """Each token gets the number of its span; a walk copies it, or leaves one mask token."""
    owner: list[int | None] = [None] * len(text)
    for number, (start, end) in enumerate(spans):
        if start < 0 or end > len(text) or end <= start:
            raise ValueError("a span is not in the text")
        for place in range(start, end):
            if owner[place] is not None:
                raise ValueError("two spans overlap")
            owner[place] = number
    if not spans:
        raise ValueError("no spans")
    corrupted: list[int] = []
    blank: dict[int, int] = {}
    for token, whose in zip(text, owner, strict=True):
        if whose is None:
            corrupted.append(token)
        elif whose not in blank:
            blank[whose] = len(corrupted)
            corrupted.append(mask_id)
    columns = [(token, place, 0, -100) for place, token in enumerate(corrupted)]
    for which, (start, end) in enumerate(spans):
        reads, says = [bos_id, *text[start:end]], [*text[start:end], eos_id]
        for step, (token, target) in enumerate(zip(reads, says, strict=True), 1):
            columns.append((token, blank[which], step, target))
    names = ("input_ids", "first_positions", "second_positions", "targets")
    return {name: list(row) for name, row in zip(names, zip(*columns, strict=True), strict=True)}


@alternative("blank_infilling_example")
def spans_cut_from_the_right(
    text: list[int], spans: list[tuple[int, int]], mask_id: int, bos_id: int, eos_id: int
) -> dict[str, list[int]]:
    """Cut from the right, so that the places on the left stay; then count what each cut removed."""
    if not spans:
        raise ValueError("no spans")
    following = len(text)
    corrupted = list(text)
    for start, end in sorted(spans, reverse=True):
        if not 0 <= start < end <= following:
            raise ValueError("a span is empty, outside or overlaps another")
        corrupted[start:end] = [mask_id]
        following = start
    count = len(corrupted)
    result = {
        "input_ids": corrupted,
        "first_positions": [*range(count)],
        "second_positions": [0 for _ in range(count)],
        "targets": [-100 for _ in range(count)],
    }
    for start, end in spans:
        removed = sum(e - s - 1 for s, e in spans if s < start)
        length = end - start + 1
        result["input_ids"].extend([bos_id, *text[start:end]])
        result["first_positions"].extend(start - removed for _ in range(length))
        result["second_positions"].extend(1 + step for step in range(length))
        result["targets"].extend([*text[start:end], eos_id])
    return result


# -------------------------------------------------------------------- blank_infilling_batch


@alternative("blank_infilling_batch")
def filled_into_tensors(
    texts: list[list[int]],
    spans: list[list[tuple[int, int]]],
    mask_id: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
) -> dict[str, Tensor]:
    if len(texts) != len(spans):
        raise ValueError("each text needs its spans")
    rows = [
        one_walk_through_the_text(text, spans[i], mask_id, bos_id, eos_id)
        for i, text in enumerate(texts)
    ]
    time = max(len(row["targets"]) for row in rows)
    input_ids = torch.full((len(rows), time), pad_id)
    position_ids = torch.zeros(len(rows), 2, time, dtype=torch.long)
    targets = torch.full((len(rows), time), -100)
    mask = torch.zeros(len(rows), time, time, dtype=torch.bool)
    for i, row in enumerate(rows):
        length = len(row["targets"])
        start, prefix = time - length, row["second_positions"].count(0)
        input_ids[i, start:] = torch.tensor(row["input_ids"])
        position_ids[i, 0, start:] = torch.tensor(row["first_positions"])
        position_ids[i, 1, start:] = torch.tensor(row["second_positions"])
        targets[i, start:] = torch.tensor(row["targets"])
        own = torch.ones(length, length, dtype=torch.bool).tril()
        own[:, :prefix] = True
        mask[i, start:, start:] = own
    return {"input_ids": input_ids, "position_ids": position_ids, "targets": targets, "mask": mask}


@alternative("blank_infilling_batch")
def padded_by_torch(
    texts: list[list[int]],
    spans: list[list[tuple[int, int]]],
    mask_id: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
) -> dict[str, Tensor]:
    """Reversed, padded on the right by torch, and reversed again."""
    rows = [
        spans_cut_from_the_right(text, own, mask_id, bos_id, eos_id)
        for text, own in zip(texts, spans, strict=True)
    ]

    def together(name: str, filler: int) -> Tensor:
        backwards = [torch.tensor(row[name]).flip(0) for row in rows]
        padded = torch.nn.utils.rnn.pad_sequence(backwards, batch_first=True, padding_value=filler)
        return padded.flip(1)

    first, second = together("first_positions", -1), together("second_positions", 0)
    real = first >= 0
    place = torch.arange(real.shape[1])
    earlier = place[None, :, None] >= place[None, None, :]
    mask = (earlier | (second == 0)[:, None, :]) & real[:, None, :] & real[:, :, None]
    return {
        "input_ids": together("input_ids", pad_id),
        "position_ids": torch.stack([first.clamp(min=0), second], dim=1),
        "targets": together("targets", -100),
        "mask": mask,
    }
