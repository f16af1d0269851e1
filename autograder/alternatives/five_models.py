"""Differently written right answers to the exercises of chapter 10."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.alternatives import alternative
from solutions.attention import causal_mask
from solutions.bloom import alibi_slopes
from solutions.chatglm import position_ids_2d
from solutions.five_models import (
    residual_step,
    structure_mask,
    table_attention,
    table_block,
    table_embeddings,
    table_network,
    table_norm,
)
from solutions.llama import rope_frequencies
from solutions.transformer import sinusoidal_positions

Config = Mapping[str, Any]
Weights = Mapping[str, Any]

# ------------------------------------------------------------------------- count_parameters


def _shapes_of_attention(config: Config) -> list[tuple[int, ...]]:
    size, has_bias = config["hidden_size"], config["has_bias"]
    shared = config["num_key_value_heads"] * (size // config["num_heads"])
    shapes: list[tuple[int, ...]] = []
    for rows in (size, shared, shared, size):
        shapes += [(rows, size), (rows,)] if has_bias else [(rows, size)]
    return shapes


def _shapes_of_network(config: Config) -> list[tuple[int, ...]]:
    size, inner = config["hidden_size"], config["intermediate_size"]
    rows = {"SwiGLU": [inner, inner], "GeGLU": [2 * inner]}.get(config["activation"], [inner])
    shapes: list[tuple[int, ...]] = [*((number, size) for number in rows), (size, inner)]
    return shapes + ([(number,) for number in [*rows, size]] if config["has_bias"] else [])


@alternative("count_parameters")
def shapes_multiplied_and_added(config: Config) -> int:
    size = config["hidden_size"]
    norm: list[tuple[int, ...]] = [(size,)] if config["norm"] == "pre RMSNorm" else [(size,)] * 2
    attention = _shapes_of_attention(config) + norm
    network = _shapes_of_network(config) + norm
    shapes: list[tuple[int, ...]] = [(config["vocab_size"], size), (config["num_segments"], size)]
    towers = [attention + network]
    if config["structure"] == "encoder-decoder":
        towers.append(attention + attention + network)
    for block in towers:
        shapes += block * config["num_layers"]
        shapes += norm if "pre" in config["norm"] else []
    shapes += [(config["max_positions"], size)] * (config["position"] == "learned absolute")
    shapes += norm if config["embedding_norm"] else []
    shapes += [(size, size), (size,)] if config["has_pooler"] else []
    shapes += [] if config["tied_head"] else [(config["vocab_size"], size)]
    return sum(math.prod(shape) for shape in shapes)


@alternative("count_parameters")
def a_long_sum(config: Config) -> int:
    d, f, n = config["hidden_size"], config["intermediate_size"], config["num_layers"]
    g = d * config["num_key_value_heads"] // config["num_heads"]
    b = 1 if config["has_bias"] else 0
    gated = 1 if config["activation"].endswith("GLU") else 0
    gain_and_bias = d if "RMS" in config["norm"] else 2 * d
    attends = 3 if config["structure"] == "encoder-decoder" else 1
    thinks = 2 if config["structure"] == "encoder-decoder" else 1
    total = attends * n * (2 * d * d + 2 * d * g + b * (2 * d + 2 * g) + gain_and_bias)
    total += thinks * n * (2 * d * f + gated * d * f + b * (d + f + gated * f) + gain_and_bias)
    total += thinks * gain_and_bias * config["norm"].startswith("pre")
    total += gain_and_bias * config["embedding_norm"]
    total += config["vocab_size"] * d * (1 if config["tied_head"] else 2)
    total += (d + 1) * d * config["has_pooler"] + config["num_segments"] * d
    return total + config["max_positions"] * d * (config["position"] == "learned absolute")


# --------------------------------------------------------------------------- kv_cache_bytes


@alternative("kv_cache_bytes")
def shapes_of_the_tensors(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    heads, size = config["num_key_value_heads"], config["hidden_size"] // config["num_heads"]
    kept = {
        "encoder": [],
        "encoder-decoder": [length, length, source_length, source_length],
    }.get(config["structure"], [length, length])
    numbers = [math.prod((batch_size, heads, time, size)) for time in kept]
    return sum(numbers) * config["num_layers"] * bytes_per_number


@alternative("kv_cache_bytes")
def layer_by_layer(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    total = 0
    if config["structure"] != "encoder":
        vector = config["hidden_size"] * config["num_key_value_heads"] // config["num_heads"]
        for _layer in range(config["num_layers"]):
            for _kind in ("key", "value"):
                total += batch_size * length * vector * bytes_per_number
                if config["structure"] == "encoder-decoder":
                    total += batch_size * source_length * vector * bytes_per_number
    return total


# ---------------------------------------------------------------------------- forward_flops


@alternative("forward_flops")
def products_listed(config: Config, length: int, source_length: int = 0) -> int:
    """Every product of matrices as its three sizes."""
    size, inner, heads = (
        config["hidden_size"],
        config["intermediate_size"],
        config["num_heads"],
    )
    head_dim = size // heads
    shared = config["num_key_value_heads"] * head_dim

    def attention(time: int, others: int) -> list[tuple[int, int, int]]:
        maps = [(time, size, size), (others, size, shared), (others, size, shared)]
        pairs = [(time, head_dim, others), (time, others, head_dim)] * heads
        return [*maps, *pairs, (time, size, size)]

    def network(time: int) -> list[tuple[int, int, int]]:
        halves = 2 if config["activation"] in ("SwiGLU", "GeGLU") else 1
        return [(time, size, halves * inner), (time, inner, size)]

    products = attention(length, length) + network(length)
    if config["structure"] == "encoder-decoder":
        products += attention(source_length, source_length) + network(source_length)
        products += attention(length, source_length)
    products = products * config["num_layers"] + [(length, size, config["vocab_size"])]
    return 2 * sum(math.prod(product) for product in products)


@alternative("forward_flops")
def from_the_parameters_of_the_matrices(config: Config, length: int, source_length: int = 0) -> int:
    """Two for each number of a matrix and token, and the pairs besides."""
    size, layers = config["hidden_size"], config["num_layers"]
    half = size * (size + size * config["num_key_value_heads"] // config["num_heads"])
    maps = 3 if "GLU" in config["activation"] else 2
    network = maps * size * config["intermediate_size"]
    total = length * (2 * half + network) + 2 * length * length * size
    if config["structure"] == "encoder-decoder":
        square = source_length * source_length
        total += source_length * (2 * half + network) + 2 * square * size
        total += 2 * length * size * size + source_length * (2 * half - 2 * size * size)
        total += 2 * length * source_length * size
    return 2 * (layers * total + length * size * config["vocab_size"])


# --------------------------------------------------------------------------- training_flops


@alternative("training_flops")
def three_times_forward(num_parameters: int, num_tokens: int) -> int:
    forward = 2 * num_parameters
    backward = 2 * forward
    return num_tokens * (forward + backward)


@alternative("training_flops")
def product_of_a_list(num_parameters: int, num_tokens: int) -> int:
    return math.prod([6, num_tokens, num_parameters])


# --------------------------------------------------------------------------- structure_mask


@alternative("structure_mask")
def written_out(structure: str, length: int, prefix_lengths: Tensor | None = None) -> Tensor:
    if structure == "prefix decoder":
        if prefix_lengths is None:
            raise ValueError("how long are the prefixes?")
        rows = [
            [[s <= t or s < prefix for s in range(length)] for t in range(length)]
            for prefix in prefix_lengths.tolist()
        ]
        return torch.tensor(rows).reshape(len(rows), 1, length, length)
    if prefix_lengths is not None or structure not in (
        "encoder",
        "causal decoder",
        "encoder-decoder",
    ):
        raise ValueError(f"no such thing: {structure}")
    full = torch.full((length, length), True)
    return full if structure == "encoder" else full.tril()


@alternative("structure_mask")
def causal_with_a_prefix_let_in(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    known = ["encoder", "encoder-decoder", "causal decoder", "prefix decoder"]
    if structure not in known or (structure == known[3]) is (prefix_lengths is None):
        raise ValueError(structure)
    if structure == "encoder":
        return causal_mask(length) | ~causal_mask(length)
    if prefix_lengths is None:
        return causal_mask(length)
    let_in = torch.from_numpy(np.arange(length)) < prefix_lengths.reshape(-1, 1, 1, 1)
    return torch.logical_or(let_in, causal_mask(length))


# ------------------------------------------------------------------------------- table_norm


@alternative("table_norm")
def norm_written_out(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    if norm != "pre RMSNorm":
        x = x - x.mean(-1, keepdim=True)
    normed = x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + eps) * weights["weight"]
    return normed if norm == "pre RMSNorm" else normed + weights["bias"]


@alternative("table_norm")
def torch_norms(x: Tensor, weights: Weights, norm: str, eps: float) -> Tensor:
    if "RMS" in norm:
        return F.rms_norm(x, (x.shape[-1],), weights["weight"], eps)
    return F.layer_norm(x, (x.shape[-1],), eps=eps, **weights)


# ---------------------------------------------------------------------------- residual_step


@alternative("residual_step")
def three_cases(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    if norm in ("pre RMSNorm", "pre layer norm"):
        return sublayer(norm_written_out(x, weights, norm, eps)) + x
    if norm == "post layer norm":
        return norm_written_out(sublayer(x) + x, weights, norm, eps)
    return norm_written_out(torch.add(sublayer(x), x, alpha=alpha), weights, norm, eps)


@alternative("residual_step")
def before_or_after(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    weights: Weights,
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    def same(v: Tensor) -> Tensor:
        return v

    def normed(v: Tensor) -> Tensor:
        return table_norm(v, weights, norm, eps)

    before, after = (normed, same) if norm[:3] == "pre" else (same, normed)
    scale = alpha if "DeepNorm" in norm else 1.0
    return after(scale * x + sublayer(before(x)))


# ---------------------------------------------------------------------------- table_network


@alternative("table_network")
def looked_up(x: Tensor, weights: Mapping[str, Tensor], activation: str) -> Tensor:
    plain: dict[str, Callable[[Tensor], Tensor]] = {
        "ReLU": lambda v: v.clamp(min=0),
        "GELU": lambda v: v * 0.5 * (1 + torch.erf(v / math.sqrt(2))),
        "GELU (tanh)": lambda v: F.gelu(v, approximate="tanh"),
    }

    def linear(v: Tensor, name: str) -> Tensor:
        out = v @ weights[f"{name}_weight"].T
        return out + weights[f"{name}_bias"] if f"{name}_bias" in weights else out

    if activation in plain:
        return linear(plain[activation](linear(x, "inner")), "outer")
    if activation == "SwiGLU":
        gate = linear(x, "gate")
        return linear(gate * torch.sigmoid(gate) * linear(x, "up"), "down")
    if activation == "GeGLU":
        left, right = linear(x, "inner").tensor_split(2, dim=-1)
        return linear(left * F.gelu(right), "outer")
    raise ValueError(activation)


@alternative("table_network")
def matched(x: Tensor, weights: Mapping[str, Tensor], activation: str) -> Tensor:
    match activation:
        case "ReLU" | "GELU" | "GELU (tanh)":
            inner = F.linear(x, weights["inner_weight"], weights.get("inner_bias"))
            form = "tanh" if activation.endswith("(tanh)") else "none"
            inner = F.relu(inner) if activation == "ReLU" else F.gelu(inner, approximate=form)
            return F.linear(inner, weights["outer_weight"], weights.get("outer_bias"))
        case "SwiGLU" | "GeGLU":
            return table_network(x, weights, activation)
        case _:
            raise ValueError(f"{activation}?")


# ------------------------------------------------------------------------- table_embeddings


@alternative("table_embeddings")
def indexed(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    tables = weights["embeddings"]
    x = tables["token_embedding"][input_ids]
    time, size = input_ids.shape[1], x.shape[-1]
    if config["position"] == "sinusoidal":
        x = math.sqrt(size) * x + sinusoidal_positions(time, size)
    elif config["position"] == "learned absolute":
        x = x + tables["position_embedding"][torch.arange(time)]
    if config["num_segments"] > 0:
        zero = tables["segment_embedding"][0]
        x = x + (zero if token_type_ids is None else tables["segment_embedding"][token_type_ids])
    if not config["embedding_norm"]:
        return x
    return norm_written_out(x, weights["embedding_norm"], config["norm"], config["norm_eps"])


@alternative("table_embeddings")
def one_hot_products(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """Chapter 1's way: a row is a one-hot vector times a matrix."""

    def rows(ids: Tensor, name: str) -> Tensor:
        table = weights["embeddings"][name]
        return F.one_hot(ids, len(table)).to(table.dtype) @ table

    total = rows(input_ids, "token_embedding")
    if config["position"] == "sinusoidal":
        total = total * total.shape[-1] ** 0.5
        total = total + sinusoidal_positions(*total.shape[1:])
    if config["position"] == "learned absolute":
        total = total + rows(torch.arange(input_ids.shape[1]), "position_embedding")
    if config["num_segments"]:
        ids = input_ids * 0 if token_type_ids is None else token_type_ids
        total = total + rows(ids, "segment_embedding")
    if config["embedding_norm"]:
        total = table_norm(total, weights["embedding_norm"], config["norm"], config["norm_eps"])
    return total


# -------------------------------------------------------------------------- table_attention


def _rotated(x: Tensor, angles: Tensor) -> Tensor:
    """Pairs as complex numbers, multiplied by numbers of length 1."""
    first, second = x.chunk(2, -1)
    turned = torch.complex(first, second) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], -1)


@alternative("table_attention")
def scores_written_out(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    num_heads, head_dim = query.shape[1], query.shape[-1]
    share = num_heads // key.shape[1]
    if position == "RoPE":
        angles = torch.outer(position_ids.to(torch.float32), rope_frequencies(head_dim))
        query, key = _rotated(query, angles), _rotated(key, angles)
    elif position == "RoPE (2-D)":
        angles = position_ids.unsqueeze(-1) * rope_frequencies(head_dim // 2)  # (B, 2, T, d/4)
        both = []
        for x in (query, key):
            first, second = x.split(head_dim // 2, dim=-1)
            halves = [_rotated(first, angles[:, :1]), _rotated(second, angles[:, 1:])]
            both.append(torch.cat(halves, -1))
        query, key = both
    key, value = (x.repeat_interleave(share, 1) for x in (key, value))
    scores = torch.einsum("bhtd,bhsd->bhts", query, key) / math.sqrt(head_dim)
    if position == "ALiBi":
        distances = (position_ids[:, None] - position_ids[None, :]).abs()
        scores = scores - alibi_slopes(num_heads).reshape(-1, 1, 1) * distances
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1) @ value


@alternative("table_attention")
def head_after_head(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    batch, num_heads, time = query.shape[:3]
    share = num_heads // key.shape[1]
    allowed = torch.ones(time, time, dtype=torch.bool) if mask is None else mask
    allowed = allowed.expand(batch, num_heads, time, time)
    bias = torch.zeros(num_heads, time, time, dtype=query.dtype)
    if position == "ALiBi":
        places = position_ids.tolist()
        for h, slope in enumerate(alibi_slopes(num_heads).tolist()):
            for t, here in enumerate(places):
                for s, there in enumerate(places):
                    bias[h, t, s] = -slope * abs(here - there)
        position = "none"
    found = []
    for h in range(num_heads):
        own = slice(h // share, h // share + 1)
        q, k, v = query[:, h : h + 1], key[:, own], value[:, own]
        if bias.any():
            added = bias[h].masked_fill(~allowed[:, h : h + 1], -torch.inf)
            found.append(F.scaled_dot_product_attention(q, k, v, added))
        else:
            found.append(table_attention(q, k, v, position, position_ids, allowed[:, h : h + 1]))
    return torch.cat(found, 1)


# ------------------------------------------------------------------------------ table_block


def _attended(
    entering: Tensor, context: Tensor, maps: Mapping[str, Tensor], config: Config, settings: Any
) -> Tensor:
    """Attention with einsum; the heads are cut out by `unflatten`."""
    size = entering.shape[-1] // config["num_heads"]

    def heads(part: str, source: Tensor) -> Tensor:
        mapped = torch.einsum("btm,nm->btn", source, maps[f"{part}_weight"])
        if f"{part}_bias" in maps:
            mapped = mapped + maps[f"{part}_bias"]
        return mapped.unflatten(-1, (-1, size)).transpose(1, 2)

    parts = heads("query", entering), heads("key", context), heads("value", context)
    merged = table_attention(*parts, *settings).transpose(1, 2).flatten(-2)
    out = merged @ maps["output_weight"].T
    return out + maps["output_bias"] if "output_bias" in maps else out


@alternative("table_block")
def steps_in_a_loop(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    own = (config["position"], position_ids, mask)
    steps: dict[str, Callable[[Tensor], Tensor]] = {
        "attention": lambda v: _attended(v, v, weights["attention"], config, own),
        "feed_forward": lambda v: table_network(v, weights["feed_forward"], config["activation"]),
    }
    if memory is not None:
        other = ("none", position_ids, None)
        cross = weights["cross_attention"]
        steps = {
            "attention": steps["attention"],
            "cross_attention": lambda v: _attended(v, memory, cross, config, other),
            "feed_forward": steps["feed_forward"],
        }
    for name, step in steps.items():
        norm = weights[f"{name}_norm"]
        x = residual_step(x, step, norm, config["norm"], alpha, config["norm_eps"])
    return x


@alternative("table_block")
def norms_in_place(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    first = config["norm"].startswith("pre")

    def norm(v: Tensor, name: str) -> Tensor:
        return norm_written_out(v, weights[name], config["norm"], config["norm_eps"])

    own = (config["position"], position_ids, mask)
    entering = norm(x, "attention_norm") if first else x
    x = alpha * x + _attended(entering, entering, weights["attention"], config, own)
    x = x if first else norm(x, "attention_norm")
    if memory is not None:
        entering = norm(x, "cross_attention_norm") if first else x
        other = ("none", position_ids, None)
        read = _attended(entering, memory, weights["cross_attention"], config, other)
        x = alpha * x + read
        x = x if first else norm(x, "cross_attention_norm")
    entering = norm(x, "feed_forward_norm") if first else x
    x = alpha * x + table_network(entering, weights["feed_forward"], config["activation"])
    return x if first else norm(x, "feed_forward_norm")


# ---------------------------------------------------------------------------- table_vectors


@alternative("table_vectors")
def one_tower_twice(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    def tower(
        x: Tensor, blocks: Any, norm: str, mask: Tensor, scale: float, memory: Tensor | None
    ) -> Tensor:
        places = torch.arange(x.shape[1])
        if prefix_lengths is not None and "2-D" in config["position"]:
            places = position_ids_2d(prefix_lengths, prefix_lengths - 1, x.shape[1])
        for block in blocks:
            x = table_block(x, block, config, places, mask, memory, scale)
        if config["norm"] in ("pre RMSNorm", "pre layer norm"):
            x = norm_written_out(x, weights[norm], config["norm"], config["norm_eps"])
        return x

    memory = None
    if config["structure"] == "encoder-decoder" and source_ids is not None:
        x, full = table_embeddings(source_ids, weights, config), structure_mask("encoder", 1)
        memory = tower(x, weights["encoder"], "encoder_final_norm", full, encoder_alpha, None)
    x = table_embeddings(input_ids, weights, config, token_type_ids)
    mask = structure_mask(config["structure"], input_ids.shape[1], prefix_lengths)
    return tower(x, weights["blocks"], "final_norm", mask, alpha, memory)


@alternative("table_vectors")
def text_by_text(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Each text alone; an encoder goes without a mask."""
    rows = []
    for number in range(len(input_ids)):
        text, own = slice(number, number + 1), None
        if source_ids is not None:
            own = table_embeddings(source_ids[text], weights, config)
            for block in weights["encoder"]:
                places = torch.arange(own.shape[1])
                own = table_block(own, block, config, places, alpha=encoder_alpha)
            if "encoder_final_norm" in weights and config["norm"].startswith("pre"):
                name = "encoder_final_norm"
                own = table_norm(own, weights[name], config["norm"], config["norm_eps"])
        time, prefix = input_ids.shape[1], None
        if prefix_lengths is not None:
            prefix = prefix_lengths[text]
        mask = structure_mask(config["structure"], time, prefix)
        places = torch.arange(time)
        if config["position"] == "RoPE (2-D)" and prefix is not None:
            length = int(prefix)
            first = [min(place, length - 1) for place in range(time)]
            second = [max(0, place - length + 1) for place in range(time)]
            places = torch.tensor([[first, second]])
        segments = None if token_type_ids is None else token_type_ids[text]
        x = table_embeddings(input_ids[text], weights, config, segments)
        for block in weights["blocks"]:
            x = table_block(x, block, config, places, mask, own, alpha)
        if config["norm"].startswith("pre"):
            x = table_norm(x, weights["final_norm"], config["norm"], config["norm_eps"])
        rows.append(x)
    return torch.cat(rows)
