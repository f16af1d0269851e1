"""The sizes of an ELMo, and what follows from them: shapes of weights, and their first values.

The model itself is in `solutions.elmo`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from solutions.models.weights import Shapes

Groups = Mapping[str, Mapping[str, Tensor]]

NUM_CHARACTERS = 261  # 256 bytes and 5 marks; their ids start at 1, since 0 is a word of padding
ACTIVATIONS = ("relu", "tanh")


@dataclass(frozen=True)
class ElmoConfig:
    """The sizes of an ELMo; the defaults are those of the released model "original".

    Attributes:
        max_characters: C, how many characters of a word are read, marks and padding included.
        char_size: d, the size of a character's vector.
        filters: width and number of the filters over characters.
        activation: "relu" or "tanh", what is applied to what the filters find.
        num_highways: how many highway layers there are behind the filters.
        projection_size: P, the size of a word's vector, and of an LSTM's hidden states.
        cell_size: the size of an LSTM's cell.
        num_layers: L, LSTM layers in each direction.
        cell_clip: what the entries of cells are clipped to; None: they are not.
        projection_clip: the same for hidden states.
        skip_connections: whether from the second layer on a layer's input is added to its output.
        vocab_size: V, how many words the language models choose from; None: there is no softmax, as
            in the released files.
    """

    max_characters: int = 50
    char_size: int = 16
    filters: tuple[tuple[int, int], ...] = (
        (1, 32),
        (2, 32),
        (3, 64),
        (4, 128),
        (5, 256),
        (6, 512),
        (7, 1024),
    )
    activation: str = "relu"
    num_highways: int = 2
    projection_size: int = 512
    cell_size: int = 4096
    num_layers: int = 2
    cell_clip: float | None = 3.0
    projection_clip: float | None = 3.0
    skip_connections: bool = True
    vocab_size: int | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.max_characters < 3:
            raise ValueError(
                f"max_characters is {self.max_characters}; two marks and a character take 3"
            )
        if not self.filters:
            raise ValueError("there are no filters; a word's vector is made of what they find")
        widest = max(width for width, _ in self.filters)
        if min(width for width, _ in self.filters) < 1 or widest > self.max_characters:
            raise ValueError(
                f"filters are {self.filters}; their widths must go from 1 to max_characters, which "
                f"is {self.max_characters}"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(f'activation is {self.activation!r}; it must be "relu" or "tanh"')
        for name, clip in (
            ("cell_clip", self.cell_clip),
            ("projection_clip", self.projection_clip),
        ):
            if clip is not None and clip <= 0:
                raise ValueError(f"{name} is {clip}; it must be above 0, or None for no clipping")
        for name in ("char_size", "projection_size", "cell_size", "num_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")

    @property
    def num_filters(self) -> int:
        """How many filters there are in all."""
        return sum(count for _, count in self.filters)


def filter_shapes(config: ElmoConfig) -> Mapping[str, Shapes]:
    """Give the groups of weights that ``char_cnn`` takes, one for each width."""
    return {
        str(number): {"weight": (count, config.char_size, width), "bias": (count,)}
        for number, (width, count) in enumerate(config.filters)
    }


def highway_shapes(config: ElmoConfig) -> Mapping[str, Shapes]:
    """Give the weights that ``highway`` takes, a group for each layer."""
    size = config.num_filters
    shapes: Shapes = {
        "transform_weight": (size, size),
        "transform_bias": (size,),
        "gate_weight": (size, size),
        "gate_bias": (size,),
    }
    return {str(number): shapes for number in range(config.num_highways)}


def lstm_shapes(config: ElmoConfig) -> Shapes:
    """Give the names and shapes of the weights that ``lstm_cell`` takes."""
    size, cell_size = config.projection_size, config.cell_size
    return {
        "input_weight": (4 * cell_size, size),
        "hidden_weight": (4 * cell_size, size),
        "bias": (4 * cell_size,),
        "projection_weight": (size, cell_size),
    }


@torch.no_grad()
def draw_weights(
    char_embedding: Tensor,
    filters: Groups,
    highways: Groups,
    lstms: Iterable[Groups],
    config: ElmoConfig,
) -> None:
    """Give weights that do not start from a normal distribution or 0 their first values, in place.

    All as in the released code.

    Args:
        char_embedding: the vectors of characters; row 0, of words of padding, is left alone.
        filters: groups as ``char_cnn`` takes them.
        highways: groups as ``highway`` takes them.
        lstms: for each layer, groups as ``lstm_cell`` takes them.
        config: their sizes, and which activation the filters have.
    """
    size, cell_size = config.projection_size, config.cell_size
    char_embedding[1:].uniform_(-1, 1)
    for (width, _), weights in zip(config.filters, filters.values(), strict=True):
        if config.activation == "relu":
            weights["weight"].uniform_(-0.05, 0.05)
        else:
            weights["weight"].normal_(0, (width * config.char_size) ** -0.5)
    for weights in highways.values():
        weights["gate_bias"].fill_(-2)  # most of a vector passes as it is
    for layer in lstms:
        for weights in layer.values():  # Glorot, with input and hidden state as one vector
            bound = (6 / (2 * size + 4 * cell_size)) ** 0.5
            weights["input_weight"].uniform_(-bound, bound)
            weights["hidden_weight"].uniform_(-bound, bound)
            bound = (6 / (cell_size + size)) ** 0.5
            weights["projection_weight"].uniform_(-bound, bound)
            weights["bias"][cell_size : 2 * cell_size] = 1  # little is forgotten
