"""Wrong answers that students give in chapter 10, one module an exercise.

The block and the model are written here once more, with places at which they can go wrong. The
right functions are called through their module, since the modules here bear their names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions import five_models
from solutions.attention import merge_heads, split_heads
from solutions.chatglm import position_ids_2d

Config = Mapping[str, Any]
Weights = Mapping[str, Any]
Attend = Callable[[Tensor, Tensor, str, str, Tensor | None], Tensor]


def attend_with(
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    *,
    biases: Callable[[Mapping[str, Tensor], str], Tensor | None] | None = None,
    merged: Callable[[Tensor], Tensor] = merge_heads,
    output_map: bool = True,
    key_heads: int | None = None,
) -> Attend:
    """The attention of a block, right but for what is told."""
    num_heads = config["num_heads"]

    def bias(maps: Mapping[str, Tensor], name: str) -> Tensor | None:
        return maps.get(name) if biases is None else biases(maps, name)

    def attend(
        entering: Tensor, context: Tensor, name: str, position: str, mask: Tensor | None
    ) -> Tensor:
        maps, head_dim = weights[name], entering.shape[-1] // num_heads
        parts = []
        for part, source in (("query", entering), ("key", context), ("value", context)):
            mapped = F.linear(source, maps[f"{part}_weight"], bias(maps, f"{part}_bias"))
            heads = mapped.shape[-1] // head_dim
            parts.append(split_heads(mapped, heads if part == "query" else key_heads or heads))
        found = merged(
            five_models.table_attention(parts[0], parts[1], parts[2], position, position_ids, mask)
        )
        if not output_map:
            return found
        return F.linear(found, maps["output_weight"], bias(maps, "output_bias"))

    return attend


def block_with(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None,
    memory: Tensor | None,
    alpha: float,
    *,
    attend: Attend | None = None,
    order: tuple[str, ...] = ("attention", "cross_attention", "feed_forward"),
    asked: str = "memory",
    cross_position: str | None = None,
    cross_mask: bool = False,
) -> Tensor:
    """A block, right but for what is told."""
    run = attend or attend_with(weights, config, position_ids)
    given = x

    def sublayer(name: str, entering: Tensor) -> Tensor:
        if name == "feed_forward":
            return five_models.table_network(
                entering, weights["feed_forward"], config["activation"]
            )
        if name == "attention" or memory is None:
            return run(entering, entering, "attention", config["position"], mask)
        position, hidden = cross_position or "none", mask if cross_mask else None
        if asked == "itself":
            return run(entering, entering, name, position, hidden)
        if asked == "swapped":
            return run(memory, entering, name, position, hidden)
        if asked == "input":
            return run(given, memory, name, position, hidden)
        return run(entering, memory, name, position, hidden)

    for name in order:
        if name == "cross_attention" and memory is None:
            continue
        norm, eps = weights[f"{name}_norm"], config["norm_eps"]
        x = five_models.residual_step(x, partial(sublayer, name), norm, config["norm"], alpha, eps)
    return x


def vectors_with(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None,
    prefix_lengths: Tensor | None,
    token_type_ids: Tensor | None,
    alpha: float,
    encoder_alpha: float,
    *,
    encoder_structure: str = "encoder",
    final_norms: tuple[str, ...] = ("final_norm", "encoder_final_norm"),
    always_final_norm: bool = False,
    mask_offset: int = 1,
    same_block: bool = False,
    reads_memory: int | None = None,
    encoder_eps: float | None = None,
    encoder_stack: str = "encoder",
    source_segments: Tensor | None = None,
    structure: str | None = None,
) -> Tensor:
    """A whole model, right but for what is told."""
    has_final = config["norm"].startswith("pre") or always_final_norm
    settings = (config["norm"], config["norm_eps"])
    memory = None
    if source_ids is not None:
        memory = five_models.table_embeddings(source_ids, weights, config, source_segments)
        time = source_ids.shape[1]
        mask = five_models.structure_mask(encoder_structure, time)
        for block in weights[encoder_stack]:
            memory = five_models.table_block(
                memory, block, config, torch.arange(time), mask, None, encoder_alpha
            )
        if has_final and "encoder_final_norm" in final_norms:
            eps = config["norm_eps"] if encoder_eps is None else encoder_eps
            norm = weights["encoder_final_norm"]
            memory = five_models.table_norm(memory, norm, config["norm"], eps)
    x = five_models.table_embeddings(input_ids, weights, config, token_type_ids)
    time = input_ids.shape[1]
    positions = torch.arange(time)
    if config["position"] == "RoPE (2-D)" and prefix_lengths is not None:
        positions = position_ids_2d(prefix_lengths, prefix_lengths - mask_offset, time)
    mask = five_models.structure_mask(structure or config["structure"], time, prefix_lengths)
    for number, block in enumerate(weights["blocks"]):
        chosen = weights["blocks"][0] if same_block else block
        seen = memory if reads_memory is None or number < reads_memory else None
        x = five_models.table_block(x, chosen, config, positions, mask, seen, alpha)
    if has_final and "final_norm" in final_norms:
        x = five_models.table_norm(x, weights["final_norm"], *settings)
    return x
