"""Wrong answers to the exercise `table_vectors`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.five_models import Config, Weights, vectors_with
from solutions.five_models import structure_mask, table_block, table_embeddings, table_norm


@misconception("table_vectors")
def final_norm_left_out(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Where norms stand before the parts, the last block's sum is not normed yet. You have left out
    the final norm."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        final_norms=("encoder_final_norm",),
    )


@misconception("table_vectors")
def encoder_s_final_norm_left_out(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """The encoder's stack ends in a norm, too, where norms stand before the parts:
    "encoder_final_norm"."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        final_norms=("final_norm",),
    )


@misconception("table_vectors")
def final_norm_for_every_row(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You look for a final norm in every row. Only words that begin with "pre" have one."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        always_final_norm=True,
    )


@misconception("table_vectors")
def encoder_s_norm_for_both(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You use one final norm for both towers. Each has its own."""
    if source_ids is not None and "final_norm" in weights:
        weights = dict(weights) | {"encoder_final_norm": weights["final_norm"]}
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def encoder_that_can_t_look_ahead(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Your encoder is causal. It may see all of its source: its mask is that of an encoder,
    whatever the row is."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        encoder_structure="causal decoder",
    )


@misconception("table_vectors")
def text_that_looks_ahead(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Your decoder sees what comes next. The mask of the text is that of the row's structure."""
    if config["structure"] in ("causal decoder", "encoder-decoder"):
        return vectors_with(
            input_ids,
            weights,
            config,
            source_ids,
            prefix_lengths,
            token_type_ids,
            alpha,
            encoder_alpha,
            structure="encoder",
        )
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def every_text_causal(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You make a causal mask, whatever the structure is. The row's word says which one."""
    if config["structure"] == "encoder":
        return vectors_with(
            input_ids,
            weights,
            config,
            source_ids,
            prefix_lengths,
            token_type_ids,
            alpha,
            encoder_alpha,
            structure="causal decoder",
        )
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def prefix_not_passed_on(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Your prefix decoder is causal from its first token on. Pass `prefix_lengths` to
    `structure_mask`."""
    if config["structure"] == "prefix decoder" and config["position"] != "RoPE (2-D)":
        changed = dict(config) | {"structure": "causal decoder"}
        return vectors_with(input_ids, weights, changed, None, None, token_type_ids, alpha, 1.0)
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def mask_token_one_too_far(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """With 2-D positions you take the length of the prefix for the place of its mask token. It is
    the last one *in* the prefix."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        mask_offset=0,
    )


@misconception("table_vectors")
def one_position_for_two_dimensions(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """With 2-D positions you pass plain positions on. `position_ids_2d` makes both, shape (B, 2,
    T)."""
    if config["position"] == "RoPE (2-D)":
        time = input_ids.shape[1]
        plain = torch.arange(time).expand(len(input_ids), 2, time)
        x = table_embeddings(input_ids, weights, config, token_type_ids)
        mask = structure_mask(config["structure"], time, prefix_lengths)
        for block in weights["blocks"]:
            x = table_block(x, block, config, plain, mask, None, alpha)
        return x
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def first_block_again_and_again(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You run the first block again and again. Each block has its own weights."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        same_block=True,
    )


@misconception("table_vectors")
def one_block_only(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You run one block. The model has as many as there are in "blocks"."""
    weights = dict(weights) | {"blocks": list(weights["blocks"])[:1]}
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def memory_not_passed_on(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Your decoder never sees what the encoder gave. Pass it on to each block as `memory`."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        reads_memory=0,
    )


@misconception("table_vectors")
def encoder_with_the_decoder_s_blocks(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You read the source with the decoder's blocks. The encoder has its own, in "encoder"."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        encoder_stack="blocks",
    )


@misconception("table_vectors")
def encoder_without_an_alpha(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You have not passed `encoder_alpha` on to the encoder's blocks."""
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, 1.0
    )


@misconception("table_vectors")
def one_alpha_for_both(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You use `alpha` in the encoder, too. It has its own: `encoder_alpha`."""
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, alpha
    )


@misconception("table_vectors")
def blocks_without_alpha(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You have not passed `alpha` on to the blocks."""
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, 1.0, encoder_alpha
    )


@misconception("table_vectors")
def segments_not_passed_on(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You have not passed `token_type_ids` on, so that all tokens are of segment 0."""
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, None, alpha, encoder_alpha
    )


@misconception("table_vectors")
def segments_for_the_source(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You pass `token_type_ids` on for the source as well. They are the text's; the source has
    none."""
    if source_ids is not None and token_type_ids is not None:
        table_embeddings(source_ids, weights, config, token_type_ids)
    return vectors_with(
        input_ids, weights, config, source_ids, prefix_lengths, token_type_ids, alpha, encoder_alpha
    )


@misconception("table_vectors")
def norm_s_eps_forgotten(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Your final norm takes an eps of its own. It stands in the configuration."""
    if "final_norm" not in weights or source_ids is not None:
        return vectors_with(
            input_ids,
            weights,
            config,
            source_ids,
            prefix_lengths,
            token_type_ids,
            alpha,
            encoder_alpha,
        )
    x = vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        final_norms=(),
    )
    return table_norm(x, weights["final_norm"], config["norm"], 1e-5)


@misconception("table_vectors")
def encoder_s_norm_with_an_eps_of_its_own(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """The final norm of the encoder takes an eps of its own. It stands in the configuration."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        encoder_eps=1e-5,
    )


@misconception("table_vectors")
def memory_for_the_first_block(
    input_ids: Tensor,
    weights: Weights,
    config: Config,
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """You pass `memory` to the first block only. Each block of the decoder reads it."""
    return vectors_with(
        input_ids,
        weights,
        config,
        source_ids,
        prefix_lengths,
        token_type_ids,
        alpha,
        encoder_alpha,
        reads_memory=1,
    )
