"""Wrong answers to the exercise `structure_mask`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.attention import causal_mask
from solutions.chatglm import prefix_mask
from solutions.five_models import structure_mask


@misconception("structure_mask")
def no_axis_for_the_heads(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """Your prefix mask has no axis for the heads. It has to broadcast to (B, H, T, T)."""
    mask = structure_mask(structure, length, prefix_lengths)
    return mask.squeeze(1) if structure == "prefix decoder" else mask


@misconception("structure_mask")
def axis_at_the_wrong_place(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """The new axis stands in front of the batch. The heads come second, behind the texts."""
    mask = structure_mask(structure, length, prefix_lengths)
    return mask.transpose(0, 1) if structure == "prefix decoder" else mask


@misconception("structure_mask")
def an_encoder_sees_the_past_only(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """Your encoder is causal. In an encoder everybody sees everybody."""
    return structure_mask(
        "causal decoder" if structure == "encoder" else structure, length, prefix_lengths
    )


@misconception("structure_mask")
def encoder_decoder_as_an_encoder(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """For an encoder-decoder you give the encoder's mask. Asked for is that of what the decoder
    writes, and it may not look ahead."""
    return structure_mask(
        "encoder" if structure == "encoder-decoder" else structure, length, prefix_lengths
    )


@misconception("structure_mask")
def everything_starts_with_causal(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """Your prefix decoder is causal from its first token on. Within the prefix everybody sees
    everybody."""
    if structure == "prefix decoder" and prefix_lengths is not None:
        return causal_mask(length).expand(len(prefix_lengths), 1, length, length)
    return structure_mask(structure, length, prefix_lengths)


@misconception("structure_mask")
def only_the_prefix_sees_itself(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """Behind the prefix your tokens see all of the text. Only the prefix is read in both
    directions; what follows sees it, itself and its past."""
    if structure == "prefix decoder" and prefix_lengths is not None:
        in_prefix = torch.arange(length) < prefix_lengths.unsqueeze(1)  # (B, T)
        return prefix_mask(prefix_lengths, length).unsqueeze(1) | ~in_prefix[:, None, :, None]
    return structure_mask(structure, length, prefix_lengths)


@misconception("structure_mask")
def true_where_hidden(structure: str, length: int, prefix_lengths: Tensor | None = None) -> Tensor:
    """Your mask is True where a query may *not* look. In this course True means that it may."""
    return ~structure_mask(structure, length, prefix_lengths)


@misconception("structure_mask")
def ones_of_floats(structure: str, length: int, prefix_lengths: Tensor | None = None) -> Tensor:
    """Your encoder's mask holds floats, which attention would add to the scores. A mask is bool:
    give `torch.ones` a dtype."""
    mask = structure_mask(structure, length, prefix_lengths)
    return mask.float() if structure == "encoder" else mask


@misconception("structure_mask")
def any_other_word_is_causal(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """A word that is not in the table gets a causal mask. It should be an error: a typing mistake
    would train the wrong model."""
    if structure not in ("encoder", "encoder-decoder", "prefix decoder"):
        structure = "causal decoder"
    return structure_mask(structure, length, prefix_lengths)


@misconception("structure_mask")
def no_prefix_is_an_empty_prefix(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """A prefix decoder without `prefix_lengths` gets a causal mask. They are needed there: without
    them raise an error."""
    if structure == "prefix decoder" and prefix_lengths is None:
        return causal_mask(length)
    return structure_mask(structure, length, prefix_lengths)


@misconception("structure_mask")
def needless_prefix_ignored(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """You take no notice of `prefix_lengths` where the structure has no prefix. Whoever passes them
    believes something else: raise an error."""
    if structure in ("encoder", "causal decoder", "encoder-decoder"):
        prefix_lengths = None
    return structure_mask(structure, length, prefix_lengths)


@misconception("structure_mask")
def needless_prefix_an_error_for_one_word(
    structure: str, length: int, prefix_lengths: Tensor | None = None
) -> Tensor:
    """You refuse `prefix_lengths` for a causal decoder only. They are as much too much for an
    encoder and an encoder-decoder."""
    if structure in ("encoder", "encoder-decoder"):
        prefix_lengths = None
    return structure_mask(structure, length, prefix_lengths)
