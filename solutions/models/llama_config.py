"""The sizes of a LLaMA, and what follows from them: shapes of weights, stretched frequencies.

The model itself is in `solutions.llama`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solutions.models.weights import Shapes


@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of a LLaMA; the defaults are those of LLaMA-7B.

    Attributes:
        vocab_size: V.
        hidden_size: D.
        intermediate_size: F, the inner size of SwiGLU.
        num_layers: L.
        num_heads: H, heads of queries.
        num_key_value_heads: K, heads of keys and values, a divisor of H: H of them is multi-head
            attention, 1 multi-query attention, anything between grouped-query attention.
        head_dim: d, the size of a head, even; need not be D / H.
        norm_eps: added to the mean square in every norm.
        rope_theta: the base of the frequencies.
        rope_divisors: what the d/2 frequencies are divided by, so that a model trained on short
            texts can read longer ones; empty: nothing.
        attention_bias: whether the four maps of attention have a bias.
        feed_forward_bias: whether the three maps of SwiGLU have one.
        tied_head: whether the embeddings are the matrix of the head, too.
        initializer_range: matrices start from a normal distribution with this standard deviation.
        pad_id: the token of padding, whose vector is not learned at the input. None: there is none;
            behind the end of a text stands the token that ended it.
        end_ids: the tokens that end a text.
    """

    vocab_size: int = 32000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_layers: int = 32
    num_heads: int = 32
    num_key_value_heads: int = 32
    head_dim: int = 128
    norm_eps: float = 1e-6
    rope_theta: float = 10000.0
    rope_divisors: tuple[float, ...] = ()
    attention_bias: bool = False
    feed_forward_bias: bool = False
    tied_head: bool = False
    initializer_range: float = 0.02
    pad_id: int | None = None
    end_ids: tuple[int, ...] = (2,)

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        for name in ("vocab_size", "hidden_size", "intermediate_size", "num_layers", "num_heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be 1 or more")
        if (
            not 1 <= self.num_key_value_heads <= self.num_heads
            or self.num_heads % self.num_key_value_heads
        ):
            raise ValueError(
                f"{self.num_heads} query heads can't share {self.num_key_value_heads} heads of "
                "keys and values equally"
            )
        if self.head_dim < 2 or self.head_dim % 2:
            raise ValueError(f"head_dim is {self.head_dim}; it must be even: entries turn in pairs")
        if self.rope_divisors and len(self.rope_divisors) != self.head_dim // 2:
            raise ValueError(
                f"there are {len(self.rope_divisors)} rope_divisors; heads of size {self.head_dim} "
                f"have {self.head_dim // 2} frequencies"
            )


def block_shapes(config: LlamaConfig) -> Mapping[str, Shapes]:
    """Give the groups of weights that ``llama_block`` takes."""
    size, inner = config.hidden_size, config.intermediate_size
    queries = config.num_heads * config.head_dim
    keys = config.num_key_value_heads * config.head_dim
    attention: dict[str, tuple[int, ...]] = {
        "query_weight": (queries, size),
        "key_weight": (keys, size),
        "value_weight": (keys, size),
        "output_weight": (size, queries),
    }
    feed_forward: dict[str, tuple[int, ...]] = {
        "gate_weight": (inner, size),
        "up_weight": (inner, size),
        "down_weight": (size, inner),
    }
    for shapes, has_bias in (
        (attention, config.attention_bias),
        (feed_forward, config.feed_forward_bias),
    ):
        for name, shape in list(shapes.items()) if has_bias else ():
            shapes[name.replace("weight", "bias")] = shape[:1]
    norm: Shapes = {"weight": (size,)}
    return {
        "attention_norm": norm,
        "attention": attention,
        "feed_forward_norm": norm,
        "feed_forward": feed_forward,
    }


def llama3_divisors(
    frequencies: Sequence[float],
    factor: float,
    low_freq_factor: float,
    high_freq_factor: float,
    original_positions: int,
) -> tuple[float, ...]:
    """Give what LLaMA 3.1 divides each frequency by, so that it can read longer texts.

    What counts is how often a pair turns round within the length of the texts of the first
    training. Pairs that turn often are left alone, pairs that turn seldom are slowed down by
    ``factor``, and between the two a straight line is drawn for the frequency.

    Args:
        frequencies: in radians per position, as ``rope_frequencies`` gives them.
        factor: how much longer the texts may be.
        low_freq_factor: up to this many turns are seldom.
        high_freq_factor: from this many turns on is often.
        original_positions: how long the texts of the first training were.

    Returns:
        The divisors, one for each frequency, from 1 to ``factor``.

    Source: the released code of LLaMA 3.1.
    """
    divisors = []
    for frequency in frequencies:
        turns = original_positions * frequency / (2 * math.pi)
        smooth = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor)
        smooth = min(max(smooth, 0.0), 1.0)
        divisors.append(1 / ((1 - smooth) / factor + smooth))
    return tuple(divisors)
