"""Wrong answers that students give in chapter 7, one module an exercise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from solutions import llama
from solutions.attention import merge_heads, split_heads

Weights = Mapping[str, Mapping[str, Tensor]]
Pair = tuple[Tensor, Tensor]


def project(name: str, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """One of the four linear maps of attention."""
    return functional.linear(x, weights[f"{name}_weight"], weights.get(f"{name}_bias"))


def block(
    mistake: str,
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None,
    past: Pair | None,
    eps: float,
) -> tuple[Tensor, Any]:
    """The block of the reference, with one mistake."""
    attention, head_dim = weights["attention"], 2 * angles.shape[-1]
    if mistake == "half a head":
        head_dim = angles.shape[-1]
    biases = {"no biases": "", "no key bias": "key", "no output bias": "output"}
    if mistake in biases:
        left_out = f"{biases[mistake]}_bias"
        attention = {name: t for name, t in attention.items() if not name.endswith(left_out)}
    norms = [weights["attention_norm"]["weight"], weights["feed_forward_norm"]["weight"]]
    if mistake == "one norm":
        norms[1] = norms[0]
    if mistake == "norms exchanged":
        norms.reverse()
    if mistake == "eps":
        eps = 1e-6
    epses = [1e-6 if mistake == f"eps of the {place}" else eps for place in ("first", "second")]
    first = x if mistake in ("post", "first norm") else llama.rms_norm(x, norms[0], epses[0])
    query, key, value = (project(name, first, attention) for name in ("query", "key", "value"))
    if mistake == "turned before the cut":
        query, key = llama.apply_rope(query, angles), llama.apply_rope(key, angles)
    num_heads = query.shape[-1] // head_dim
    query = split_heads(query, num_heads)
    groups = num_heads if mistake == "as many keys" else key.shape[-1] // head_dim
    key, value = split_heads(key, groups), split_heads(value, groups)
    if mistake != "query not turned":
        query = llama.apply_rope(query, angles)
    not_turned = key
    if mistake not in ("key not turned", "past turned too"):
        key = llama.apply_rope(key, angles)
    if mistake == "value turned":
        value = llama.apply_rope(value, angles)
    new = key, value
    if past is not None and mistake != "past forgotten":
        parts = [(past[0], key), (past[1], value)]
        if mistake == "new ones first":
            parts = [(b, a) for a, b in parts]
        axis = 1 if mistake == "heads lengthened" else 2
        key, value = (torch.cat(pair, dim=axis) for pair in parts)
    if mistake == "past turned too":
        key = llama.apply_rope(key, angles)
    seen = key
    if mistake == "unturned given back":
        seen = not_turned if past is None else torch.cat([past[0], not_turned], dim=2)
    if mistake == "mask forgotten":
        mask = None
    if mistake == "mask inverted" and mask is not None:
        mask = ~mask
    heads = llama.grouped_query_attention(query, key, value, mask)
    if mistake == "heads not merged in order":
        merged = heads.reshape(*x.shape[:2], -1)
    else:
        merged = merge_heads(heads)
    found = merged if mistake == "no output matrix" else project("output", merged, attention)
    if mistake == "post":
        x = llama.rms_norm(x + found, norms[0], eps)
        x = llama.rms_norm(x + llama.swiglu(x, weights["feed_forward"]), norms[1], eps)
        return x, (seen, value)
    before = x
    if mistake == "no residual":
        x = found
    elif mistake == "residual of the normed":
        x = first + found
    else:
        x = x + found
    second = x if mistake == "second norm" else llama.rms_norm(x, norms[1], epses[1])
    if mistake == "side by side":
        second = llama.rms_norm(before, norms[1], eps)
    if mistake == "norm of the normed":
        second = llama.rms_norm(first, norms[1], eps)
    if mistake == "second without the road":
        second = llama.rms_norm(found, norms[1], eps)
    thought = llama.swiglu(second, weights["feed_forward"])
    if mistake in ("no residual", "second residual"):
        x = thought
    elif mistake == "residual from the start":
        x = before + thought
    elif mistake == "second residual of the normed":
        x = second + thought
    else:
        x = x + thought
    if mistake == "only the output":
        return x, None
    if mistake == "only new ones":
        return x, new
    return x, (seen, value)
