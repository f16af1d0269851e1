"""Chapter 8: ChatGLM-6B, a decoder that reads its prompt in both directions.

The exercises come first, in the chapter's order; the model is assembled from them after. As it
comes, it is the lecture's table with DeepNet's constants; what the released code of ChatGLM-6B does
differently is a setting each, and ``ChatGLMConfig.released`` has them all.

Papers: Du et al. 2022, "GLM: General Language Model Pretraining with Autoregressive Blank
Infilling" (arXiv:2103.10360); Zeng et al. 2023, "GLM-130B: An Open Bilingual Pre-trained Model"
(arXiv:2210.02414); Wang et al. 2022, "DeepNet: Scaling Transformers to 1,000 Layers"
(arXiv:2203.00555).
"""

import os
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import causal_mask, merge_heads, split_heads
from solutions.llama import apply_rope, rope_frequencies
from solutions.models.chatglm_config import ChatGLMConfig, block_shapes, set_initial_weights
from solutions.models.generation import KeyValue
from solutions.models.prefix_decoder import PrefixDecoder
from solutions.models.weights import LayerStack, WeightGroup, norm_shapes
from solutions.transformer import feed_forward

# ---------------------------------------------------------------------------- exercises


def prefix_mask(prefix_lengths: Tensor, num_queries: int, num_keys: int | None = None) -> Tensor:
    """Give the mask with which everybody sees all of the prefix, and beyond it only the past.

    Tokens of the prefix see each other in both directions, and nothing behind the prefix. A token
    behind the prefix sees the prefix, itself, and what stands between the two.

    The queries are the last of the positions, as in ``causal_mask``.

    Args:
        prefix_lengths: how many tokens of each text are prefix, from 0 to S, shape (B,), int64.
        num_queries: T, how many positions ask.
        num_keys: S, how many positions there are, at least T. None: T.

    Returns:
        Shape (B, T, S), bool, True where the query may attend to the key.

    Source: Du et al. 2022, section 2.1 and figure 2d.
    """
    causal = causal_mask(num_queries, num_keys)  # (T, S)
    in_prefix = torch.arange(causal.shape[-1]) < prefix_lengths[:, None, None]  # (B, 1, S)
    return causal | in_prefix


def position_ids_2d(
    prefix_lengths: Tensor, mask_indices: Tensor, length: int, padding_lengths: Tensor | None = None
) -> Tensor:
    """Give each token its two positions: where it belongs in the text, and where in its answer.

    The first counts the tokens of the prefix from 0. A token behind the prefix fills the blank
    that a mask token marks, so it has the first position of that mask token, as has every token
    after it. The second is 0 in the prefix and counts from 1 behind it.

    Padding on the left is not counted, and has 0 for both.

    Args:
        prefix_lengths: where the prefix of each text ends: the index of the first token behind it,
            padding included. Shape (B,), int64.
        mask_indices: the index of the mask token of each text, padding included, shape (B,), int64.
        length: T.
        padding_lengths: how many tokens of padding stand in front, shape (B,), int64. None: none.

    Returns:
        Shape (B, 2, T), int64.

    Source: Du et al. 2022, section 2.3. The paper counts the first positions from 1, the released
        code of ChatGLM-6B from 0.
    """
    if padding_lengths is None:
        padding_lengths = torch.zeros_like(prefix_lengths)
    index = torch.arange(length)  # (T,)
    prefix_lengths = prefix_lengths.unsqueeze(1)  # (B, 1)
    belongs = torch.where(index < prefix_lengths, index, mask_indices.unsqueeze(1))  # (B, T)
    first = (belongs - padding_lengths.unsqueeze(1)).clamp(min=0)
    second = (index - prefix_lengths + 1).clamp(min=0)
    return torch.stack([first, second], dim=1)  # (B, 2, T)


def apply_rope_2d(x: Tensor, position_ids: Tensor, frequencies: Tensor) -> Tensor:
    """Turn one half of each query or key by its first position, the other half by its second.

    The first d/2 entries of a head are turned as ``apply_rope`` turns a whole head, by the first
    positions; the last d/2 entries likewise, by the second, with the same frequencies.

    Args:
        x: queries or keys, shape (B, H, T, d), float, d divisible by 4.
        position_ids: shape (B, 2, T), int64, as ``position_ids_2d`` gives them.
        frequencies: those of a head of size d/2, in radians per position, shape (d/4,), float.

    Returns:
        The shape and dtype of ``x``.

    Source: the released code of ChatGLM-6B; Su et al. 2021 (arXiv:2104.09864), equation 34.
    """
    angles = position_ids[:, :, None, :, None] * frequencies  # (B, 2, 1, T, d/4)
    first, second = x.chunk(2, dim=-1)  # (B, H, T, d/2)
    return torch.cat([apply_rope(first, angles[:, 0]), apply_rope(second, angles[:, 1])], dim=-1)


def geglu(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Send each position through a feed-forward network in which one half gates the other.

    The inner linear map gives 2 * inner_dim numbers. The first inner_dim of them are multiplied by
    GELU of the last inner_dim, and the outer linear map takes the products. GELU is the exact one,
    with erf.

    Args:
        x: shape (..., D), float.
        weights: "inner_weight" (2 * inner_dim, D) and "outer_weight" (D, inner_dim), used as
            ``F.linear`` does: x @ weight.T. Their biases, "inner_bias" (2 * inner_dim,) and
            "outer_bias" (D,), may be missing, both or one of them.

    Returns:
        Shape (..., D).

    Source: Shazeer 2020, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 6; the
        order of the halves as in GLM-130B's code.
    """
    inner = F.linear(x, weights["inner_weight"], weights.get("inner_bias"))  # (..., 2 * inner_dim)
    plain, gate = inner.chunk(2, dim=-1)
    return F.linear(plain * F.gelu(gate), weights["outer_weight"], weights.get("outer_bias"))


def deepnorm_constants(
    architecture: str, num_layers: int, num_encoder_layers: int | None = None
) -> dict[str, float]:
    """Give what DeepNorm multiplies by: the residual by alpha, some initial weights by beta.

    The weights are those of the feed-forward network and of attention's values and output.

    With L_d layers in the decoder, and L_e in the encoder:

    * "decoder": alpha = (2 L_d)^(1/4), beta = (8 L_d)^(-1/4).
    * "encoder-decoder": in the decoder alpha = (3 L_d)^(1/4), beta = (12 L_d)^(-1/4); in the
      encoder alpha = 0.81 (L_e^4 L_d)^(1/16), beta = 0.87 (L_e^4 L_d)^(-1/16).
    * "chatglm": alpha = sqrt(2 L_d), beta = 1 / alpha.

    Args:
        architecture: "decoder": a decoder alone (an encoder alone has the same constants).
            "encoder-decoder": both. "chatglm": the decoder of GLM-130B and ChatGLM-6B.
        num_layers: L_d, at least 1; no need to check that.
        num_encoder_layers: L_e, for "encoder-decoder", and only for it: with the others each
            number is too much, 0 as well.

    Returns:
        "alpha" and "beta" of the decoder; with "encoder-decoder", "encoder_alpha" and
        "encoder_beta", too.

    Raises:
        ValueError: if there is no such architecture, or a number of layers is missing or too much.

    Source: Wang et al. 2022, figure 2; "chatglm" as in Zeng et al. 2023, section 2.1. The released
        code of ChatGLM-6B has this alpha, and no beta.
    """
    if architecture not in ("decoder", "encoder-decoder", "chatglm"):
        known = "'decoder', 'encoder-decoder' or 'chatglm'"
        raise ValueError(f"architecture is {architecture!r}; it must be {known}")
    if (num_encoder_layers is not None) != (architecture == "encoder-decoder"):
        raise ValueError("num_encoder_layers is for 'encoder-decoder', and needed there")
    if architecture == "chatglm":
        return {"alpha": (2 * num_layers) ** 0.5, "beta": (2 * num_layers) ** -0.5}
    if num_encoder_layers is None:
        return {"alpha": (2 * num_layers) ** 0.25, "beta": (8 * num_layers) ** -0.25}
    both = num_encoder_layers**4 * num_layers
    return {
        "alpha": (3 * num_layers) ** 0.25,
        "beta": (12 * num_layers) ** -0.25,
        "encoder_alpha": 0.81 * both ** (1 / 16),
        "encoder_beta": 0.87 * both ** (-1 / 16),
    }


def deepnorm_residual(
    x: Tensor, transformed: Tensor, weight: Tensor, bias: Tensor, alpha: float, eps: float = 1e-5
) -> Tensor:
    """Add what a sublayer makes of x to alpha times x, and normalise the sum.

    Args:
        x: what went into the sublayer, shape (..., D), float.
        transformed: what came out of it, the same shape.
        weight: the gain of the layer norm, shape (D,).
        bias: of the layer norm, shape (D,).
        alpha: what x is multiplied by.
        eps: of the layer norm.

    Returns:
        Shape (..., D).

    Source: Wang et al. 2022, figure 2.
    """
    # F.layer_norm is layer_norm of chapter 5, in torch's fused and faster form.
    return F.layer_norm(alpha * x + transformed, x.shape[-1:], weight, bias, eps)


def glm_block(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    position_ids: Tensor,
    frequencies: Tensor,
    alpha: float,
    mask: Tensor | None = None,
    past: tuple[Tensor, Tensor] | None = None,
    gated: bool = True,
    eps: float = 1e-5,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Apply one block of GLM: attention, then a feed-forward network.

    Both end in a DeepNorm residual step. Queries and keys are turned, values are not.

    Args:
        x: shape (B, T, D), float.
        weights: four groups. "attention": "query_weight", "key_weight", "value_weight" and
            "output_weight", each (D, D), and for each a bias (D,), such as "query_bias", which may
            be missing. "attention_norm": "weight" and "bias", each (D,). "feed_forward": as
            ``geglu`` takes them, or ``feed_forward`` of chapter 5 where ``gated`` is False.
            "feed_forward_norm": "weight" and "bias".
        num_heads: H, a divisor of D.
        position_ids: of the T positions, shape (B, 2, T), int64.
        frequencies: shape (D / H / 4,), as ``apply_rope_2d`` takes them.
        alpha: of both residual steps.
        mask: True where a query may attend to a key, bool, a shape that broadcasts to
            (B, H, T, S), where S counts the earlier positions and the T of ``x``. None: everywhere.
            A position that may attend to nothing finds zeros, and gets gradient 0 through them.
        past: keys (turned already) and values of earlier positions, each of shape
            (B, H, S - T, D / H). None: there are none, and S is T.
        gated: True is GeGLU, False two linear maps with the tanh form of GELU between them.
        eps: of both norms.

    Returns:
        The output, shape (B, T, D); and the keys and values of all positions, earlier ones first,
        each of shape (B, H, S, D / H).

    Source: Zeng et al. 2023, section 2.1; ``gated`` False as in the released code of ChatGLM-6B.
    """
    attention, network = weights["attention"], weights["feed_forward"]
    query = F.linear(x, attention["query_weight"], attention.get("query_bias"))
    key = F.linear(x, attention["key_weight"], attention.get("key_bias"))
    value = F.linear(x, attention["value_weight"], attention.get("value_bias"))
    query = apply_rope_2d(split_heads(query, num_heads), position_ids, frequencies)  # (B, H, T, d)
    key = apply_rope_2d(split_heads(key, num_heads), position_ids, frequencies)
    value = split_heads(value, num_heads)
    if past is not None:
        key = torch.cat([past[0], key], dim=2)  # (B, H, S, D/H)
        value = torch.cat([past[1], value], dim=2)
    heads = F.scaled_dot_product_attention(query, key, value, mask)  # (B, H, T, D/H)
    merged = merge_heads(heads)  # (B, T, D)
    attended = F.linear(merged, attention["output_weight"], attention.get("output_bias"))
    x = deepnorm_residual(x, attended, **weights["attention_norm"], alpha=alpha, eps=eps)

    if gated:
        transformed = geglu(x, network)
    else:
        transformed = feed_forward(x, network, lambda inner: F.gelu(inner, approximate="tanh"))
    x = deepnorm_residual(x, transformed, **weights["feed_forward_norm"], alpha=alpha, eps=eps)
    return x, (key, value)


def blank_infilling_example(
    text: list[int], spans: list[tuple[int, int]], mask_id: int, bos_id: int, eos_id: int
) -> dict[str, list[int]]:
    """Blank spans of a text, and put the pieces that fill the blanks behind it.

    Each span is cut out of the text, and one mask token left in its place: this corrupted text is
    the prefix. The pieces that were cut out follow, in the order of ``spans``, each with ``bos_id``
    in front. At each token of a piece, ``bos_id`` among them, the next token of the piece has to be
    predicted, and ``eos_id`` at its last one.

    Args:
        text: tokens; any number may be among them, ``mask_id`` and the others, too.
        spans: at least one, each (start, end) without the token at end, in any order.
        mask_id: what takes the place of a span.
        bos_id: starts a piece.
        eos_id: ends a piece; occurs in the targets only.

    Returns:
        Four lists of the same length. "input_ids": the corrupted text, then the pieces.
        "first_positions": 0, 1, 2 ... in the prefix; all tokens of a piece have the first position
        of the mask token that they fill. "second_positions": 0 in the prefix, and 1, 2, 3 ... in
        each piece anew, from its ``bos_id`` on. "targets": what has to be predicted at each token,
        -100 in the prefix, where nothing has to be.

    Raises:
        ValueError: if there is no span, or one is empty, not in the text, or overlaps another.

    Source: Du et al. 2022, sections 2.1 to 2.3 and figure 2. The paper shuffles the pieces, and
        counts first positions from 1; here the caller sets the order, and they count from 0.
    """
    if not spans:
        raise ValueError("a text has no span to blank; there is nothing to learn from it")
    ids: list[int] = []
    mask_index = {}  # by where the span starts
    done = 0  # how much of the text is in ids, or blanked
    for start, end in sorted(spans):
        if not done <= start < end <= len(text):
            raise ValueError(f"the span {(start, end)} is empty, outside or overlaps another")
        ids += text[done:start]
        mask_index[start] = len(ids)
        ids.append(mask_id)
        done = end
    ids += text[done:]
    first, second, targets = list(range(len(ids))), [0] * len(ids), [-100] * len(ids)
    for start, end in spans:
        ids += [bos_id, *text[start:end]]
        targets += [*text[start:end], eos_id]
        first += [mask_index[start]] * (end - start + 1)
        second += range(1, end - start + 2)
    return {
        "input_ids": ids,
        "first_positions": first,
        "second_positions": second,
        "targets": targets,
    }


def blank_infilling_batch(
    texts: list[list[int]],
    spans: list[list[tuple[int, int]]],
    mask_id: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
) -> dict[str, Tensor]:
    """Make a batch of what GLM is trained on: an example of each text, padded on the left.

    Args:
        texts: tokens of each text, as ``blank_infilling_example`` takes them.
        spans: for each text what to blank, as ``blank_infilling_example`` takes it.
        mask_id: what takes the place of a span.
        bos_id: starts a piece.
        eos_id: ends a piece; occurs in the targets only.
        pad_id: fills up on the left, in the ids.

    Returns:
        "input_ids", shape (B, T), int64, with T the length of the longest example. "position_ids",
        first and second positions, shape (B, 2, T), int64, 0 at padding. "targets", shape (B, T),
        int64, -100 at padding, too. "mask", shape (B, T, T), bool, True where a token may attend to
        another: the prefix mask of each example; padding neither attends nor is attended to.

    Raises:
        ValueError: if there are not as many lists of spans as texts, or as
            ``blank_infilling_example`` does.

    Source: Du et al. 2022, sections 2.1 to 2.3; padding on the left as in the released code of
        ChatGLM-6B.
    """
    rows = [
        blank_infilling_example(text, blanks, mask_id, bos_id, eos_id)
        for text, blanks in zip(texts, spans, strict=True)
    ]
    length = max(len(row["input_ids"]) for row in rows)

    def padded(name: str, filler: int) -> Tensor:
        lists = [row[name] for row in rows]
        return torch.tensor([[filler] * (length - len(one)) + one for one in lists])  # (B, T)

    second = padded("second_positions", 0)
    padding = torch.tensor([length - len(row["input_ids"]) for row in rows])  # (B,)
    is_real = torch.arange(length) >= padding.unsqueeze(1)  # (B, T)
    mask = prefix_mask((second == 0).sum(1), length)  # padding counts as prefix here
    return {
        "input_ids": padded("input_ids", pad_id),
        "position_ids": torch.stack([padded("first_positions", 0), second], dim=1),
        "targets": padded("targets", -100),
        "mask": mask & is_real.unsqueeze(1) & is_real.unsqueeze(2),
    }


# ---------------------------------------------------------------------------- the model


class ChatGLM(PrefixDecoder):
    """ChatGLM: embeddings, blocks, and a head.

    The released code normalises x where it enters a sublayer, and once at the very end; here x is
    normalised where it leaves a sublayer. Both compute the same: the first norm there is
    ``embedding_norm`` here, and any other belongs to the sublayer before it.

    There is no dropout. Matrices of the blocks start as the DeepNet paper says, embeddings and head
    from a normal distribution, biases from 0 and gains from 1.
    """

    def __init__(self, config: ChatGLMConfig) -> None:
        super().__init__(config)
        size, std = (config.vocab_size, config.hidden_size), config.initializer_range
        constants = deepnorm_constants(config.deepnorm, config.num_layers)
        self.alpha = constants["alpha"]
        self.embeddings = WeightGroup({"token_embedding": size}, std)
        if config.embedding_norm:
            self.embedding_norm = WeightGroup(norm_shapes(config.hidden_size))
        self.blocks = LayerStack(block_shapes(config), config.num_layers)
        set_initial_weights(self.blocks, constants["beta"], config.gated)
        self.output = WeightGroup({"output_weight": size}, std)

    @classmethod
    def from_pretrained(
        cls, directory: str | os.PathLike[str], round_frequencies: bool = True
    ) -> "ChatGLM":
        """Read a checkpoint of the released layout.

        Args:
            directory: has config.json, and safetensors or pytorch_model.bin.
            round_frequencies: whether RoPE's are rounded to float16, as in the released code.

        Raises:
            CheckpointError: if it is damaged, or not a ChatGLM that this class can be.
        """
        from solutions.checkpoints.chatglm import load_chatglm  # here, since it imports this module

        return load_chatglm(directory, round_frequencies)

    def run_blocks(
        self, input_ids: Tensor, position_ids: Tensor, mask: Tensor, past: list[KeyValue]
    ) -> tuple[Tensor, list[KeyValue]]:
        """Give the vectors after the last block, and the keys and values of each block."""
        config = self.config
        frequencies = rope_frequencies(config.head_dim // 2, config.rope_theta)
        if config.round_frequencies:
            frequencies = frequencies.to(torch.float16).to(frequencies.dtype)
        x = F.embedding(input_ids, self.embeddings["token_embedding"])
        if config.embedding_norm:
            x = F.layer_norm(x, x.shape[-1:], **self.embedding_norm, eps=config.norm_eps)
        shared = (config.num_heads, position_ids, frequencies, self.alpha, mask)
        longer = []
        for number, weights in enumerate(self.blocks):
            earlier = past[number] if past else None
            x, pair = glm_block(x, weights, *shared, earlier, config.gated, config.norm_eps)
            longer.append(pair)
        return x, longer

    def head(self, hidden: Tensor) -> Tensor:
        """Give the logits, shape (..., V), of vectors (..., D)."""
        return F.linear(hidden, self.output["output_weight"])
