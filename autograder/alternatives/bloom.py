"""Right answers to the exercises of chapter 9, written differently from the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from autograder.alternatives import alternative
from solutions.attention import softmax
from solutions.transformer import feed_forward

Past = tuple[Tensor, Tensor] | None
Attended = tuple[Tensor, tuple[Tensor, Tensor]]

# ----------------------------------------------------------------------------- alibi_slopes


@alternative("alibi_slopes")
def powers_of_the_first_slope(num_heads: int) -> Tensor:
    """As the paper's released code has it: it calls itself for the additional heads."""
    if num_heads < 1:
        raise ValueError("no heads")
    if math.log2(num_heads).is_integer():
        start = 2 ** (-(2 ** -(math.log2(num_heads) - 3)))
        return torch.tensor([start * start**i for i in range(num_heads)])
    closest = 2 ** math.floor(math.log2(num_heads))
    more = powers_of_the_first_slope(2 * closest)[0::2][: num_heads - closest]
    return torch.cat([powers_of_the_first_slope(closest), more])


@alternative("alibi_slopes")
def tensors_of_exponents(num_heads: int) -> Tensor:
    """As transformers has it."""
    if num_heads <= 0:
        raise ValueError("there is no head")
    closest = 1
    while 2 * closest <= num_heads:
        closest *= 2
    slopes = torch.pow(torch.tensor(2.0 ** (-8.0 / closest)), torch.arange(1, closest + 1))
    if closest < num_heads:
        base = torch.tensor(2.0 ** (-4.0 / closest))
        slopes = torch.cat([slopes, base ** torch.arange(1, 1 + 2 * (num_heads - closest), 2)])
    return slopes


@alternative("alibi_slopes")
def numpy_logspace(num_heads: int) -> Tensor:
    if num_heads < 1:
        raise ValueError("num_heads must be positive")
    power = 2 ** int(np.log2(num_heads))

    def of(heads: int) -> np.ndarray:
        return np.logspace(-8 / heads, -8, heads, base=2.0)

    both = np.concatenate([of(power), of(2 * power)[::2][: num_heads - power]])
    return torch.from_numpy(both).to(torch.get_default_dtype())


# ------------------------------------------------------------------------------- alibi_bias


@alternative("alibi_bias")
def text_by_text(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    batch, num_keys = attention_mask.shape
    bias = torch.zeros(batch, len(slopes), 1, num_keys, dtype=slopes.dtype)
    for text, row in enumerate(attention_mask.tolist()):
        number = 0
        for key, real in enumerate(row):
            if real:
                bias[text, :, 0, key] = slopes * number
                number += 1
    return bias


@alternative("alibi_bias")
def outer_product(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    numbers = (attention_mask.to(slopes.dtype).cumsum(1) - 1).clamp(min=0)
    numbers = numbers.masked_fill(~attention_mask.bool(), 0)
    return torch.einsum("h,bs->bhs", slopes, numbers).unsqueeze(2)


@alternative("alibi_bias")
def numbers_scattered(slopes: Tensor, attention_mask: Tensor) -> Tensor:
    numbers = np.zeros(tuple(attention_mask.shape))
    for text in range(len(attention_mask)):
        (real,) = np.nonzero(attention_mask[text].numpy())
        numbers[text, real] = np.arange(len(real))
    spread = torch.from_numpy(numbers).to(slopes.dtype)[:, None, None, :]
    return spread * slopes.view(1, -1, 1, 1)


# ------------------------------------------------------------------------------- bloom_bias


@alternative("bloom_bias")
def query_by_query_and_key_by_key(
    slopes: Tensor, num_queries: int, attention_mask: Tensor
) -> Tensor:
    batch, num_keys = attention_mask.shape
    bias = torch.full((batch, len(slopes), num_queries, num_keys), -torch.inf, dtype=slopes.dtype)
    numbers = text_by_text(slopes, attention_mask)
    for text in range(batch):
        for query in range(num_queries):
            for key in range(num_keys - num_queries + query + 1):
                if attention_mask[text, key]:
                    bias[text, :, query, key] = numbers[text, :, 0, key]
    return bias


@alternative("bloom_bias")
def masks_of_minus_infinity_added(
    slopes: Tensor, num_queries: int, attention_mask: Tensor
) -> Tensor:
    num_keys = attention_mask.shape[1]
    future = torch.full((num_keys, num_keys), -torch.inf, dtype=slopes.dtype).triu(1)
    padding = torch.zeros(attention_mask.shape, dtype=slopes.dtype)
    padding[~attention_mask.bool()] = -torch.inf
    bias = outer_product(slopes, attention_mask) + padding[:, None, None, :]
    return bias + future[num_keys - num_queries :]


@alternative("bloom_bias")
def chosen_with_where(slopes: Tensor, num_queries: int, attention_mask: Tensor) -> Tensor:
    num_keys = attention_mask.shape[1]
    may = torch.ones(num_queries, num_keys, dtype=torch.bool).tril(num_keys - num_queries)
    may = may.logical_and(attention_mask.bool().view(-1, 1, 1, num_keys))
    minus_infinity = torch.tensor(-torch.inf, dtype=slopes.dtype)
    return torch.where(may, outer_product(slopes, attention_mask), minus_infinity)


# -------------------------------------------------------------------------- split_fused_qkv


@alternative("split_fused_qkv")
def head_by_head(fused: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    size = fused.shape[-1] // num_heads // 3
    parts: list[list[Tensor]] = [[], [], []]
    for head in range(num_heads):
        for number, part in enumerate(parts):
            start = (3 * head + number) * size
            part.append(fused[:, :, start : start + size])
    query, key, value = (torch.stack(part, dim=1) for part in parts)
    return query, key, value


@alternative("split_fused_qkv")
def permuted_in_one_go(fused: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    parts = fused.unflatten(-1, (num_heads, 3, -1)).permute(3, 0, 2, 1, 4)
    return parts[0], parts[1], parts[2]


@alternative("split_fused_qkv")
def heads_chunked(fused: Tensor, num_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    heads = torch.stack(fused.chunk(num_heads, dim=-1), dim=1)  # (B, H, T, 3d)
    query, key, value = heads.chunk(3, dim=-1)
    return query.contiguous(), key.clone(), value


# -------------------------------------------------------------------------- bloom_attention


@alternative("bloom_attention")
def written_out(
    x: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    bias: Tensor,
    past: Past = None,
) -> Attended:
    fused = x @ weights["qkv_weight"].T + weights["qkv_bias"]
    query, key, value = heads_chunked(fused, num_heads)
    if past is not None:
        key, value = torch.cat((past[0], key), dim=-2), torch.cat((past[1], value), dim=-2)
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.size(-1)) + bias
    merged = (softmax(scores) @ value).permute(0, 2, 1, 3).reshape(x.shape)
    return merged @ weights["output_weight"].T + weights["output_bias"], (key, value)


@alternative("bloom_attention")
def einsum_with_blind_rows_replaced(
    x: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    bias: Tensor,
    past: Past = None,
) -> Attended:
    fused = torch.einsum("btd,ed->bte", x, weights["qkv_weight"]) + weights["qkv_bias"]
    query, key, value = permuted_in_one_go(fused, num_heads)
    if past:
        key, value = (torch.cat([old, new], 2) for old, new in zip(past, (key, value), strict=True))
    scores = torch.einsum("bhtd,bhsd->bhts", query * query.shape[-1] ** -0.5, key) + bias
    blind = (scores == -torch.inf).all(-1, keepdim=True)
    shares = scores.masked_fill(blind, 0).softmax(-1).masked_fill(blind, 0)
    found = torch.einsum("bhts,bhsd->bthd", shares, value).flatten(2)
    return functional.linear(found, weights["output_weight"], weights["output_bias"]), (key, value)


@alternative("bloom_attention")
def one_head_after_another(
    x: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    bias: Tensor,
    past: Past = None,
) -> Attended:
    fused = functional.linear(x, weights["qkv_weight"], weights["qkv_bias"])
    query, key, value = head_by_head(fused, num_heads)
    if past is not None:
        key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
    whole = bias.expand(len(x), num_heads, x.shape[1], key.shape[2])
    output = weights["output_bias"]
    size = query.shape[-1]
    for head in range(num_heads):
        found = functional.scaled_dot_product_attention(
            query[:, head], key[:, head], value[:, head], whole[:, head]
        )
        columns = weights["output_weight"][:, head * size : (head + 1) * size]
        output = output + functional.linear(found, columns)
    return output, (key, value)


# --------------------------------------------------------------------- embedding_layer_norm


@alternative("embedding_layer_norm")
def matrix_normalised_first(
    input_ids: Tensor, weights: Mapping[str, Tensor], eps: float = 1e-5
) -> Tensor:
    matrix = weights["token_embedding"]
    centred = matrix - matrix.mean(dim=1, keepdim=True)
    spread = torch.sqrt(centred.pow(2).mean(dim=1, keepdim=True) + eps)
    return (centred / spread * weights["weight"] + weights["bias"])[input_ids]


@alternative("embedding_layer_norm")
def one_hot_times_matrix(
    input_ids: Tensor, weights: Mapping[str, Tensor], eps: float = 1e-5
) -> Tensor:
    matrix = weights["token_embedding"]
    rows = functional.one_hot(input_ids, len(matrix)).to(matrix.dtype) @ matrix
    variance, mean = torch.var_mean(rows, dim=-1, correction=0, keepdim=True)
    return (rows - mean) * torch.rsqrt(variance + eps) * weights["weight"] + weights["bias"]


# ------------------------------------------------------------------------------ bloom_block


def _norm(x: Tensor, group: Mapping[str, Tensor], eps: float) -> Tensor:
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps) * group["weight"] + group["bias"]


@alternative("bloom_block")
def all_written_out(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    normed = _norm(x, weights["attention_norm"], eps)
    attended, pair = written_out(normed, weights["attention"], num_heads, bias, past)
    around = normed if residual_after_norm else x
    x = around + attended
    normed = _norm(x, weights["feed_forward_norm"], eps)
    network = weights["feed_forward"]
    inner = normed @ network["inner_weight"].T + network["inner_bias"]
    cubic = inner + 0.044715 * inner * inner * inner
    inner = 0.5 * inner * (1 + torch.tanh(math.sqrt(2 / math.pi) * cubic))
    outer = inner @ network["outer_weight"].T + network["outer_bias"]
    return (normed if residual_after_norm else x) + outer, pair


@alternative("bloom_block")
def a_step_for_each_part(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    bias: Tensor,
    past: Past = None,
    eps: float = 1e-5,
    residual_after_norm: bool = False,
) -> Attended:
    kept: list[tuple[Tensor, Tensor]] = []

    def attend(normed: Tensor) -> Tensor:
        output, pair = einsum_with_blind_rows_replaced(
            normed, weights["attention"], num_heads, bias, past
        )
        kept.append(pair)
        return output

    def think(normed: Tensor) -> Tensor:
        return feed_forward(normed, weights["feed_forward"], torch.nn.GELU(approximate="tanh"))

    for name, part in (("attention_norm", attend), ("feed_forward_norm", think)):
        group = weights[name]
        normed = functional.layer_norm(x, x.shape[-1:], group["weight"], group["bias"], eps)
        x = part(normed) + (normed if residual_after_norm else x)
    return x, kept[0]
