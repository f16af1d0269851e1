"""What a Transformer can be like: the paper's traits, and those of models that followed it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor


def _quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "quick_gelu": _quick_gelu,
    "silu": F.silu,
    "mish": F.mish,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "hardswish": F.hardswish,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
}
LAYOUTS = ("interleaved", "halves", "tensor2tensor")


@dataclass(frozen=True)
class TransformerConfig:
    """The sizes and traits of a Transformer; the defaults are those of the paper's base model.

    Attributes:
        vocab_size: V, how many tokens there are, in the source if the target has others.
        target_vocab_size: how many tokens the target has. None: the same.
        hidden_size: D, even.
        num_layers: L, of the encoder.
        num_heads: H, a divisor of D, of the encoder.
        intermediate_size: F, the inner size of the encoder's feed-forward networks.
        num_decoder_layers: None: as in the encoder.
        num_decoder_heads: None: as in the encoder.
        decoder_intermediate_size: None: as in the encoder.
        activation: of the feed-forward networks, a name in ``ACTIVATIONS``.
        norm_eps: added to the variance in every layer norm. The paper gives none; the default is
            that of the released code, tensor2tensor.
        position_layout: how a position's vector is laid out. "interleaved": as
            ``sinusoidal_positions`` gives it. "halves": all its sines, then all its cosines.
            "tensor2tensor": halves again, with D / 2 - 1 in the exponent where the paper has D / 2.
        skip_padding: False: the first position is 0. True: padding is not counted and gets no
            position at all, and the first real token has position ``pad_id + 1``.
        stored_positions: True: the vectors of positions are kept with the weights, as some
            checkpoints have them; they are not learned. False: they are computed.
        max_positions: how long a text may be; None: as long as you like.
        scale_embedding: True multiplies embeddings by sqrt(D).
        share_embeddings: one embedding for source and target.
        tied_head: the matrix that gives the logits is the embedding of the target.
        output_bias: a bias is added to the logits.
        pad_id: the token of padding. Its embedding starts at 0 and is not learned as an input.
        start_id: the token that the target starts with.
        end_ids: the tokens that end a text.
        banned_ids: tokens that ``generate`` never chooses.
    """

    vocab_size: int = 37000
    target_vocab_size: int | None = None
    hidden_size: int = 512
    num_layers: int = 6
    num_heads: int = 8
    intermediate_size: int = 2048
    num_decoder_layers: int | None = None
    num_decoder_heads: int | None = None
    decoder_intermediate_size: int | None = None
    activation: str = "relu"
    norm_eps: float = 1e-6
    position_layout: str = "interleaved"
    skip_padding: bool = False
    stored_positions: bool = False
    max_positions: int | None = None
    scale_embedding: bool = True
    share_embeddings: bool = True
    tied_head: bool = True
    output_bias: bool = False
    pad_id: int = 0
    start_id: int = 1
    end_ids: tuple[int, ...] = (2,)
    banned_ids: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.hidden_size % 2 or self.hidden_size < 4:
            raise ValueError(
                f"hidden_size is {self.hidden_size}; it must be even and at least 4, since a "
                "position's sines and cosines fill it"
            )
        for num_heads in (self.num_heads, self.num_decoder_heads or self.num_heads):
            if self.hidden_size % num_heads:
                raise ValueError(
                    f"hidden_size is {self.hidden_size}, which {num_heads} heads can't share "
                    "equally"
                )
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"activation is {self.activation!r}; known are {', '.join(ACTIVATIONS)}"
            )
        if self.position_layout not in LAYOUTS:
            raise ValueError(
                f"position_layout is {self.position_layout!r}; known are {', '.join(LAYOUTS)}"
            )
        if self.stored_positions and self.max_positions is None:
            raise ValueError("stored_positions needs max_positions: how many are stored")
        sizes = (self.vocab_size, self.target_vocab_size or self.vocab_size)
        if self.share_embeddings and sizes[0] != sizes[1]:
            raise ValueError(
                f"source and target have {sizes[0]} and {sizes[1]} tokens: they can't share one "
                "embedding"
            )
        for name, token, size in (
            ("pad_id", self.pad_id, min(sizes)),
            *(("banned_ids", token, sizes[1]) for token in self.banned_ids),
        ):
            if not 0 <= token < size:
                raise ValueError(f"{name} has {token}; the vocabulary goes from 0 to {size - 1}")


def position_table(config: TransformerConfig, time: int) -> Tensor:
    """Give the vectors of the positions that a text may need.

    Args:
        config: what the positions are like.
        time: T, how many tokens the text has.

    Returns:
        Shape (P, D), of torch's default float type: row p for position p. P is T, or more if the
        positions of real tokens start at ``pad_id + 1``; then the row of padding is 0.
    """
    from solutions.transformer import sinusoidal_positions  # here, since it imports this module

    size = config.hidden_size
    num_positions = time + (config.pad_id + 1 if config.skip_padding else 0)
    if config.position_layout == "tensor2tensor":
        exponents = torch.arange(size // 2, dtype=torch.float64) / (size // 2 - 1)
        positions = torch.arange(num_positions, dtype=torch.float64)
        angles = torch.outer(positions, 10000**-exponents)  # (P, D/2)
        table = torch.cat([angles.sin(), angles.cos()], dim=1).to(torch.get_default_dtype())
    else:
        table = sinusoidal_positions(num_positions, size)
        if config.position_layout == "halves":
            table = torch.cat([table[:, 0::2], table[:, 1::2]], dim=1)
    if config.skip_padding:
        table[config.pad_id] = 0
    return table
