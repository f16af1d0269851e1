"""ChatGLM once more, as slowly and plainly as it can be written: the other side of its tests.

One text, one position, one head and one pair of entries at a time, in float64, from the facts of
the released code (`released`) and of the lecture's table (`table`). Nothing comes from `solutions`.
"""

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Place = tuple[int, int]  # first and second position
Map = tuple[Tensor, Tensor]  # weight and bias


@dataclass(frozen=True)
class Special:
    """The ids of the special tokens; the defaults are those of the tiny checkpoint."""

    pad: int = 3
    mask: int = 4
    gmask: int = 5
    bos: int = 6


TINY = Special()


def places(ids: list[int], special: Special) -> list[Place | None]:
    """Both positions of each token of one text; None for padding."""
    start = 0
    while start < len(ids) and ids[start] == special.pad:
        start += 1
    text = ids[start:]
    prefix = text.index(special.bos) if special.bos in text else len(text)
    if special.gmask in text[:prefix]:
        answer = text[:prefix].index(special.gmask)
    elif special.mask in text[:prefix]:
        answer = text[:prefix].index(special.mask)
    else:
        answer = 0  # matters for a text without prefix only
    found: list[Place | None] = [None] * start
    for index in range(len(text)):
        found.append((index, 0) if index < prefix else (answer, index - prefix + 1))
    return found


def sight(ids: list[int], special: Special) -> list[list[int]]:
    """The indices that each index of one text sees; none for padding."""
    where = places(ids, special)
    seen = []
    for i in range(len(ids)):
        row = []
        for j in range(len(ids)):
            if where[i] is None or where[j] is None:
                continue
            is_prefix = special.bos not in [t for k, t in enumerate(ids[: j + 1]) if where[k]]
            if is_prefix or j <= i:
                row.append(j)
        seen.append(row)
    return seen


def frequencies(half: int, rounded: bool) -> list[float]:
    """Radians per position of each pair in half a head."""
    exact = [10000.0 ** (-2 * k / half) for k in range(half // 2)]
    if not rounded:
        return exact
    return [torch.tensor(value).to(torch.float16).item() for value in exact]


def turned(vector: Tensor, place: Place, radians: list[float]) -> Tensor:
    """A query or key, its halves turned by the two positions: pairs as complex numbers."""
    half = len(vector) // 2
    pieces = []
    for part, position in ((vector[:half], place[0]), (vector[half:], place[1])):
        pairs = torch.complex(part[: half // 2], part[half // 2 :])
        factors = [cmath.exp(1j * position * radian) for radian in radians]
        pairs = pairs * torch.tensor(factors, dtype=torch.complex128)
        pieces += [pairs.real, pairs.imag]
    return torch.cat(pieces)


def normed(x: Tensor, gain_and_bias: Map, eps: float) -> Tensor:
    mean = x.sum() / len(x)
    variance = ((x - mean) ** 2).sum() / len(x)
    return (x - mean) / torch.sqrt(variance + eps) * gain_and_bias[0] + gain_and_bias[1]


def linear(x: Tensor, weight_and_bias: Map) -> Tensor:
    return weight_and_bias[0] @ x + weight_and_bias[1]


def gelu_tanh(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def gelu_erf(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def gated(x: Tensor, inner: Map, outer: Map) -> Tensor:
    both = linear(x, inner)
    size = len(both) // 2
    return linear(both[:size] * gelu_erf(both[size:]), outer)


def ungated(x: Tensor, inner: Map, outer: Map) -> Tensor:
    return linear(gelu_tanh(linear(x, inner)), outer)


def attention(
    xs: list[Tensor],
    heads: list[tuple[Map, Map, Map]],
    output: Map,
    where: list[Place | None],
    seen: list[list[int]],
    radians: list[float],
    layer: int,
) -> list[Tensor]:
    """What each position finds; queries are divided by the layer's number, scores multiplied."""
    found: list[list[Tensor]] = [[] for _ in xs]
    for query_map, key_map, value_map in heads:
        values = [linear(x, value_map) for x in xs]
        keys = [
            turned(linear(x, key_map), place or (0, 0), radians)
            for x, place in zip(xs, where, strict=True)
        ]
        for i, x in enumerate(xs):
            total = torch.zeros_like(values[i])
            if seen[i]:
                query = turned(linear(x, query_map), where[i] or (0, 0), radians)
                query = query / (math.sqrt(len(query)) * (layer + 1))
                scores = torch.stack([(query * keys[j]).sum() for j in seen[i]]) * (layer + 1)
                shares = torch.exp(scores - scores.max())
                shares = shares / shares.sum()
                for share, j in zip(shares, seen[i], strict=True):
                    total = total + share * values[j]
            found[i].append(total)
    return [linear(torch.cat(pieces), output) for pieces in found]


def released(
    tensors: dict[str, Tensor],
    num_heads: int,
    ids: list[int],
    *,
    rounded: bool = True,
    special: Special = TINY,
    eps: float = 1e-5,
) -> Tensor:
    """The logits of one text, (T, V), by the released code's rules and names of tensors."""
    weights = {name: tensor.double() for name, tensor in tensors.items()}

    def pair(name: str) -> Map:
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    where, seen = places(ids, special), sight(ids, special)
    xs = [weights["transformer.word_embeddings.weight"][token] for token in ids]
    size = len(xs[0])
    head_dim = size // num_heads
    num_layers = sum(name.endswith("input_layernorm.weight") for name in weights)
    alpha = math.sqrt(2 * num_layers)
    for layer in range(num_layers):
        name = f"transformer.layers.{layer}"
        fused = pair(f"{name}.attention.query_key_value")
        heads = []
        for head in range(num_heads):
            starts = [(3 * head + which) * head_dim for which in range(3)]
            query, key, value = (
                (fused[0][start : start + head_dim], fused[1][start : start + head_dim])
                for start in starts
            )
            heads.append((query, key, value))
        entering = [normed(x, pair(f"{name}.input_layernorm"), eps) for x in xs]
        attended = attention(
            entering,
            heads,
            pair(f"{name}.attention.dense"),
            where,
            seen,
            frequencies(head_dim // 2, rounded),
            layer,
        )
        xs = [alpha * x + more for x, more in zip(entering, attended, strict=True)]
        inner, outer = pair(f"{name}.mlp.dense_h_to_4h"), pair(f"{name}.mlp.dense_4h_to_h")
        network = gated if inner[0].shape[0] == 2 * outer[0].shape[1] else ungated
        entering = [normed(x, pair(f"{name}.post_attention_layernorm"), eps) for x in xs]
        xs = [alpha * x + network(x, inner, outer) for x in entering]
    xs = [normed(x, pair("transformer.final_layernorm"), eps) for x in xs]
    return torch.stack([weights["lm_head.weight"] @ x for x in xs])


def table(
    weights: Callable[[str], Tensor],
    num_layers: int,
    num_heads: int,
    ids: list[int],
    *,
    special: Special = TINY,
    eps: float = 1e-5,
    given: list[Place | None] | None = None,
) -> Tensor:
    """The logits of one text, (T, V), by the lecture's table: GeGLU, and LN(alpha x + f(x)).

    `weights` gives a tensor in float64 by the name that our model has for it; `given` are other
    positions than those that the special tokens say.
    """

    def pair(name: str) -> Map:
        return weights(f"{name}_weight"), weights(f"{name}_bias")

    def norm(name: str) -> Map:
        return weights(f"{name}.weight"), weights(f"{name}.bias")

    where, seen = given or places(ids, special), sight(ids, special)
    xs = [weights("embeddings.token_embedding")[token] for token in ids]
    head_dim = len(xs[0]) // num_heads
    alpha = math.sqrt(math.sqrt(2 * num_layers))
    for layer in range(num_layers):
        name = f"blocks.{layer}"
        heads = []
        for head in range(num_heads):
            rows = slice(head * head_dim, (head + 1) * head_dim)
            query, key, value = (
                (weight[rows], bias[rows])
                for weight, bias in (
                    pair(f"{name}.attention.{which}") for which in ("query", "key", "value")
                )
            )
            heads.append((query, key, value))
        output, radians = pair(f"{name}.attention.output"), frequencies(head_dim // 2, False)
        attended = attention(xs, heads, output, where, seen, radians, 0)
        norms = norm(f"{name}.attention_norm")
        xs = [normed(alpha * x + f, norms, eps) for x, f in zip(xs, attended, strict=True)]
        inner, outer = pair(f"{name}.feed_forward.inner"), pair(f"{name}.feed_forward.outer")
        norms = norm(f"{name}.feed_forward_norm")
        xs = [normed(alpha * x + gated(x, inner, outer), norms, eps) for x in xs]
    return torch.stack([weights("output.output_weight") @ x for x in xs])
