"""What a model can be called with: the sentences that a wrong call gets."""

from torch import Tensor


def check_token_ids(input_ids: Tensor, vocab_size: int, name: str = "input_ids") -> None:
    """Make sure that these are tokens of a batch of texts.

    Args:
        input_ids: what was given.
        vocab_size: V.
        name: what the argument is called.

    Raises:
        ValueError: if the shape is not (batch, time), or there is no token.
        IndexError: if an id is negative, or V or more.
    """
    if input_ids.ndim != 2:
        raise ValueError(f"{name} has shape {tuple(input_ids.shape)}; it must be (batch, time)")
    if input_ids.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(input_ids.shape)}; there is no token to read")
    if ((input_ids < 0) | (input_ids >= vocab_size)).any():
        raise IndexError(
            f"{name} has ids from {int(input_ids.min())} to {int(input_ids.max())}; the "
            f"vocabulary's go from 0 to {vocab_size - 1}"
        )


def check_attention_mask(
    attention_mask: Tensor | None, batch: int, time: int, name: str = "attention_mask"
) -> None:
    """Make sure that an attention mask has an entry for each position.

    Args:
        attention_mask: what was given; None is always right.
        batch: how many texts there are.
        time: how many positions each has, those in a cache included.
        name: what the argument is called.

    Raises:
        ValueError: if the shape is not (batch, time).
    """
    if attention_mask is not None and tuple(attention_mask.shape) != (batch, time):
        raise ValueError(
            f"{name} has shape {tuple(attention_mask.shape)}; with these tokens it must "
            f"be {(batch, time)}, 1 for a real token and 0 for padding"
        )
