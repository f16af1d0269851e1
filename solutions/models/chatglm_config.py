"""The settings of a ChatGLM, the shapes of its weights, and what they start from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from solutions.models.weights import (
    LayerStack,
    Shapes,
    attention_shapes,
    feed_forward_shapes,
    norm_shapes,
)


@dataclass(frozen=True)
class ChatGLMConfig:
    """The sizes of a ChatGLM, and where it follows the released code instead of the papers.

    The default sizes are those of ChatGLM-6B, with the inner size that GeGLU has in GLM-130B.

    Attributes:
        vocab_size: V.
        hidden_size: D.
        num_layers: L.
        num_heads: H; D / H must be divisible by 4.
        intermediate_size: F, the inner size of the feed-forward network.
        max_positions: how long a text may be.
        norm_eps: added to the variance in every layer norm.
        rope_theta: the base of the frequencies.
        gated: True is GeGLU; False two linear maps with the tanh form of GELU, as released: the
            class that is named GLU there gates nothing.
        embedding_norm: whether a layer norm stands between embeddings and blocks, as released.
        deepnorm: whose alpha and beta: "decoder", DeepNet's, or "chatglm", GLM-130B's, as released.
        round_frequencies: whether the frequencies of RoPE are rounded to float16, as released.
        initializer_range: embeddings and head start from a normal distribution with this standard
            deviation.
        pad_id: the token of padding.
        mask_id: [MASK], a short blank.
        gmask_id: [gMASK], a long one, at the end.
        bos_id: the first token behind the prefix.
        end_ids: the tokens that end a text.
    """

    vocab_size: int = 130528
    hidden_size: int = 4096
    num_layers: int = 28
    num_heads: int = 32
    intermediate_size: int = 10922
    max_positions: int = 2048
    norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    gated: bool = True
    embedding_norm: bool = False
    deepnorm: str = "decoder"
    round_frequencies: bool = False
    initializer_range: float = 0.02
    pad_id: int = 3
    mask_id: int = 130000
    gmask_id: int = 130001
    bos_id: int = 130004
    end_ids: tuple[int, ...] = (130005,)

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.hidden_size % (4 * self.num_heads):
            raise ValueError(
                f"hidden_size is {self.hidden_size}; with {self.num_heads} heads it must be a "
                f"multiple of {4 * self.num_heads}, so that each half of a head has whole pairs"
            )
        if self.deepnorm not in ("decoder", "chatglm"):
            raise ValueError(f"deepnorm is {self.deepnorm!r}; it must be 'decoder' or 'chatglm'")
        for name in ("pad_id", "mask_id", "gmask_id", "bos_id"):
            if not 0 <= getattr(self, name) < self.vocab_size:
                raise ValueError(
                    f"{name} is {getattr(self, name)}; the vocabulary's ids go from 0 to "
                    f"{self.vocab_size - 1}"
                )

    @property
    def head_dim(self) -> int:
        """The size of a head."""
        return self.hidden_size // self.num_heads

    @classmethod
    def released(cls, **changes: Any) -> "ChatGLMConfig":
        """Give the configuration of the released code; without changes, that of ChatGLM-6B."""
        code: dict[str, Any] = {
            "intermediate_size": 16384,
            "gated": False,
            "embedding_norm": True,
            "deepnorm": "chatglm",
            "round_frequencies": True,
        }
        return cls(**(code | changes))


def block_shapes(config: ChatGLMConfig) -> Mapping[str, Shapes]:
    """Give the groups of weights that ``glm_block`` takes."""
    size, inner = config.hidden_size, config.intermediate_size
    feed_forward = dict(feed_forward_shapes(size, inner))
    if config.gated:
        feed_forward |= {"inner_weight": (2 * inner, size), "inner_bias": (2 * inner,)}
    return {
        "attention": attention_shapes(size),
        "attention_norm": norm_shapes(size),
        "feed_forward": feed_forward,
        "feed_forward_norm": norm_shapes(size),
    }


def set_initial_weights(blocks: LayerStack, beta: float, gated: bool) -> None:
    """Start matrices as DeepNorm asks for: Xavier's normal distribution, some of them times beta.

    Args:
        blocks: have the groups of ``block_shapes``.
        beta: for the feed-forward network, and the values and the output of attention.
        gated: whether the inner matrix is two matrices, each with its own fan-out.
    """
    for weights in blocks:
        attention, feed_forward = weights["attention"], weights["feed_forward"]
        for name in ("query_weight", "key_weight"):
            nn.init.xavier_normal_(attention[name])
        for name in ("value_weight", "output_weight"):
            nn.init.xavier_normal_(attention[name], beta)
        for matrix in feed_forward["inner_weight"].detach().chunk(2 if gated else 1):
            nn.init.xavier_normal_(matrix, beta)
        nn.init.xavier_normal_(feed_forward["outer_weight"], beta)
