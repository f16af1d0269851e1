"""Chapter 7: LLaMA, a causal decoder with rotary positions, gated layers and shared keys.

The exercises of the chapter come first, in its order; the model is assembled from them after.

Paper: Touvron et al. 2023, "LLaMA: Open and Efficient Foundation Language Models"
(arXiv:2302.13971).
"""

import os
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import (
    causal_mask,
    merge_heads,
    padding_mask,
    scaled_dot_product_attention,
    split_heads,
)
from solutions.models.generation import CausalDecoder, KeyValueCache
from solutions.models.inputs import check_attention_mask, check_token_ids
from solutions.models.llama_config import LlamaConfig, block_shapes
from solutions.models.weights import LayerStack, WeightGroup

__all__ = [
    "Llama",
    "LlamaConfig",
    "apply_rope",
    "decode_step",
    "grouped_query_attention",
    "interleaved_to_half",
    "llama_block",
    "rms_norm",
    "rope_frequencies",
    "sample_top_p",
    "swiglu",
]

# ---------------------------------------------------------------------------- exercises


def rms_norm(x: Tensor, weight: Tensor, eps: float = 1e-6) -> Tensor:
    """Scale each vector so that the mean of its squares is 1, then apply a learned gain.

    Squares, mean, root and division are computed in float32 at least: numbers in half precision are
    turned into float32 before, and back after. The gain may be applied before they are turned back,
    or after. float64 stays float64.

    Args:
        x: shape (..., D), floating point of any precision.
        weight: the gain, shape (D,).
        eps: is added to the mean of the squares, under the root.

    Returns:
        Shape (..., D), the dtype of ``x``.

    Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization" (arXiv:1910.07467),
        equation 4; the precision and eps as in the released code.
    """
    precise = x.to(torch.promote_types(x.dtype, torch.float32))
    normed = precise * torch.rsqrt(precise.square().mean(-1, keepdim=True) + eps)
    return normed.to(x.dtype) * weight.to(x.dtype)


def rope_frequencies(head_dim: int, theta: float = 10000.0) -> Tensor:
    """Give how far each pair of entries is turned from one position to the next.

    The first pair turns by 1 radian; each further pair more slowly, in a geometric series that
    would reach 1 / theta at index head_dim / 2.

    Args:
        head_dim: d, the size of a query or key, even.
        theta: the base of the series.

    Returns:
        The angles, shape (d/2,), in radians per position, of torch's default float type.

    Raises:
        ValueError: if ``head_dim`` is odd.

    Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding"
        (arXiv:2104.09864), section 3.2.2.
    """
    if head_dim % 2 != 0:
        raise ValueError(f"head_dim is {head_dim}; it must be even, since entries turn in pairs")
    return theta ** -(torch.arange(0, head_dim, 2) / head_dim)


def apply_rope(x: Tensor, angles: Tensor) -> Tensor:
    """Turn each pair of entries of queries or keys by an angle that tells their position.

    Entry i and entry i + d/2 are the two coordinates of a point in the plane, which is turned
    anticlockwise, from the first towards the second axis.

    Args:
        x: queries or keys, shape (..., T, d), float, d even.
        angles: in radians, shape (..., T, d/2); its axes in front broadcast against those of
            ``x``. They may be large and more precise than ``x``: sine and cosine are taken of them
            as they are.

    Returns:
        The shape and dtype of ``x``.

    Source: Su et al. 2021, equation 34; the paper pairs neighbours, the entries 2i and 2i + 1.
    """
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)  # (..., T, d/2)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)


def interleaved_to_half(weight: Tensor, num_heads: int) -> Tensor:
    """Reorder the rows of a query or key matrix, so that a head's pairs lie half a head apart.

    The paper and Meta's code turn the entries 2i and 2i + 1 of a head together, ``apply_rope`` the
    entries i and i + d/2. Products of queries and keys don't depend on the order of the entries: if
    both are reordered alike, the model stays the same.

    Args:
        weight: shape (H * d, ...), such as a matrix (H * d, D) or a bias (H * d,), where rows 2i
            and 2i + 1 of each head belong together.
        num_heads: how many heads the rows are shared out to: H for queries, G for keys.

    Returns:
        The same shape; row 2i of a head has become its row i, and row 2i + 1 its row i + d/2.
    """
    pairs = weight.reshape(num_heads, -1, 2, *weight.shape[1:])  # (H, d/2, 2, ...)
    return pairs.transpose(1, 2).reshape(weight.shape)  # (H, 2, d/2, ...) -> (H*d, ...)


def swiglu(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Send each position through two linear maps side by side; one opens and shuts the other.

    The gate goes through SiLU, z * sigmoid(z), and is multiplied with the other map's result, entry
    by entry; a third map leads back.

    Args:
        x: shape (..., D), float.
        weights: "gate_weight" and "up_weight", each (D_inner, D), and "down_weight" (D, D_inner),
            used as ``F.linear`` does: x @ weight.T. A bias for each may be there, "gate_bias" and
            "up_bias", (D_inner,), and "down_bias" (D,), or may be missing.

    Returns:
        Shape (..., D).

    Source: Shazeer 2020, "GLU Variants Improve Transformer" (arXiv:2002.05202), equation 6.
    """
    gate = F.silu(F.linear(x, weights["gate_weight"], weights.get("gate_bias")))
    inner = gate * F.linear(x, weights["up_weight"], weights.get("up_bias"))
    return F.linear(inner, weights["down_weight"], weights.get("down_bias"))


def grouped_query_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Let several query heads share one head of keys and values.

    The H query heads are cut into G groups of neighbours; all of a group attend to the same keys
    and values, the first group to those of head 0. With G = H this is the attention of chapter 4.

    Args:
        query: shape (B, H, T, d), float.
        key: shape (B, G, S, d), G a divisor of H.
        value: shape (B, G, S, d).
        mask: True where the query may attend to the key, bool, a shape that broadcasts to
            (B, H, T, S). None: everywhere.

    Returns:
        Shape (B, H, T, d). A query that may attend to no key gets zeros.

    Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from
        Multi-Head Checkpoints" (arXiv:2305.13245), section 2.2.
    """
    group_size = query.shape[1] // key.shape[1]
    key = key.repeat_interleave(group_size, dim=1)  # (B, G, S, d) -> (B, H, S, d)
    value = value.repeat_interleave(group_size, dim=1)
    return scaled_dot_product_attention(query, key, value, mask)


def llama_block(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    angles: Tensor,
    mask: Tensor | None = None,
    past: tuple[Tensor, Tensor] | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Apply one block of LLaMA: grouped attention with turned queries and keys, then SwiGLU.

    Each of the two is a residual step with the norm before it: x + sublayer(norm(x)). Queries and
    keys are turned after they are cut into heads; values are not turned.

    Args:
        x: shape (B, T, D), float.
        weights: four groups. "attention_norm": "weight" (D,). "attention": "query_weight"
            (H * d, D), "key_weight" and "value_weight" (G * d, D), "output_weight" (D, H * d), and
            a bias for each, "query_bias" and so on, which may be missing. "feed_forward_norm":
            "weight" (D,). "feed_forward": as ``swiglu`` takes them.
        angles: how far each position is turned, shape (T, d/2): d, and so the numbers of heads H
            and G, are found from it.
        mask: True where a position may attend to another, bool, a shape that broadcasts to
            (B, H, T, S), where S counts the earlier positions and the T of ``x``. None: everywhere.
        past: keys (turned already) and values of earlier positions, each of shape (B, G, S - T, d).
            None: there are none, and S is T.
        eps: of both norms.

    Returns:
        The output, shape (B, T, D); and the keys and values of all positions, earlier ones first,
        each of shape (B, G, S, d).

    Source: Touvron et al. 2023, "LLaMA" (arXiv:2302.13971), section 2.2.
    """
    attention, head_dim = weights["attention"], 2 * angles.shape[-1]
    normed = rms_norm(x, weights["attention_norm"]["weight"], eps)
    query = F.linear(normed, attention["query_weight"], attention.get("query_bias"))
    key = F.linear(normed, attention["key_weight"], attention.get("key_bias"))
    value = F.linear(normed, attention["value_weight"], attention.get("value_bias"))
    query = apply_rope(split_heads(query, query.shape[-1] // head_dim), angles)  # (B, H, T, d)
    key = apply_rope(split_heads(key, key.shape[-1] // head_dim), angles)  # (B, G, T, d)
    value = split_heads(value, value.shape[-1] // head_dim)
    if past is not None:
        key = torch.cat([past[0], key], dim=2)  # (B, G, S, d)
        value = torch.cat([past[1], value], dim=2)
    # grouped_query_attention as above, in torch's fused and faster form.
    heads = F.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)
    x = x + F.linear(merge_heads(heads), attention["output_weight"], attention.get("output_bias"))
    normed = rms_norm(x, weights["feed_forward_norm"]["weight"], eps)
    return x + swiglu(normed, weights["feed_forward"]), (key, value)


def decode_step(
    x: Tensor,
    layers: Sequence[Mapping[str, Mapping[str, Tensor]]],
    past: Sequence[tuple[Tensor, Tensor]] | None,
    frequencies: Tensor,
    attention_mask: Tensor | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
    """Send new positions through all blocks; of earlier ones, only keys and values are needed.

    Positions count from 0 through all that is there, padding too: the new ones come after those in
    ``past``. Each attends to itself and to earlier ones that are no padding.

    Args:
        x: the vectors of the new tokens, shape (B, T, D), float; T is 1 while a text is written,
            and more for the prompt.
        layers: the weights of each block, as ``llama_block`` takes them; a list.
        past: for each block the keys and values of the S - T earlier positions, each of shape
            (B, G, S - T, d); empty if there are none. None: there are none, and none are kept.
        frequencies: how far a position turns from the last one, shape (d/2,).
        attention_mask: 1 for a real token, 0 for padding, shape (B, S), for earlier and new
            positions. None: all real.
        eps: of the norms.

    Returns:
        The vectors after the last block, shape (B, T, D); and for each block the keys and values of
        all positions, each of shape (B, G, S, d), or an empty list if none are kept.

    Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need"
        (arXiv:1911.02150), the incremental form.
    """
    time, start = x.shape[1], past[0][0].shape[2] if past else 0
    positions = torch.arange(start, start + time)
    angles = positions.unsqueeze(-1) * frequencies  # (T, d/2)
    mask = None if time == 1 else causal_mask(time, start + time)  # one alone sees everything
    if attention_mask is not None:
        not_padding = padding_mask(attention_mask)  # (B, 1, 1, S)
        mask = not_padding if mask is None else mask & not_padding
    longer = []
    for number, weights in enumerate(layers):
        x, pair = llama_block(x, weights, angles, mask, past[number] if past else None, eps)
        if past is not None:
            longer.append(pair)
    return x, longer


def sample_top_p(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """Draw a token for each text from the most probable ones only.

    The tokens are put in order of probability, of equal ones the smaller id first. Kept are the
    fewest from the front that together have at least the probability ``top_p``, and theirs is made
    to sum to 1. A draw u stands for the first token at which the sum of probabilities, added up in
    this order, is above u. Where rounding leaves even the last sum at u or below, it stands for the
    last token that is kept.

    Args:
        logits: shape (B, V), float; -inf is probability 0.
        top_p: above 0, at most 1.
        draws: one number for each text, uniform in [0, 1), shape (B,), float.

    Returns:
        Tokens, shape (B,), int64.

    Source: Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration"
        (arXiv:1904.09751), section 3.1.
    """
    probabilities = logits.softmax(-1)
    token_ids = probabilities.argsort(dim=-1, descending=True, stable=True)  # (B, V)
    ordered = probabilities.gather(-1, token_ids)
    before = ordered.cumsum(-1) - ordered  # what the tokens in front of each have together
    kept = torch.where(before < top_p, ordered, torch.zeros_like(ordered))
    upto = kept.cumsum(-1)
    reached = upto <= draws.unsqueeze(-1) * upto[:, -1:]
    return token_ids.gather(-1, reached.sum(-1, keepdim=True)).squeeze(-1)  # (B,)


# ---------------------------------------------------------------------------- the model


class Llama(CausalDecoder):
    """LLaMA: embeddings, blocks, a norm, and a head.

    There is no limit to the length of a text, and no dropout. Matrices start from a normal
    distribution, biases from 0 and gains from 1; neither the paper nor Meta's code says how they
    start, and this is what Hugging Face's code does.
    """

    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.end_ids = config.end_ids
        self.pad_id = next(iter(config.end_ids), 0) if config.pad_id is None else config.pad_id
        std, embeddings = config.initializer_range, (config.vocab_size, config.hidden_size)
        self.embeddings = WeightGroup({"token_embedding": embeddings}, std)
        self.blocks = LayerStack(block_shapes(config), config.num_layers, std)
        self.final_norm = WeightGroup({"weight": (config.hidden_size,)})
        if not config.tied_head:
            self.output = WeightGroup({"output_weight": embeddings}, std)

    @classmethod
    def from_pretrained(cls, directory: str | os.PathLike[str]) -> "Llama":
        """Read a checkpoint in Hugging Face's format (config.json) or Meta's (params.json).

        Raises:
            CheckpointError: if it is damaged, or not a LLaMA that this class can be.
        """
        from solutions.checkpoints.llama import load_llama  # here, since that module imports this

        return load_llama(directory)

    @classmethod
    def from_gguf(cls, path: str | os.PathLike[str]) -> "Llama":
        """Read a GGUF file, as llama.cpp uses them; quantised weights become float32.

        Raises:
            CheckpointError: if it is damaged, or not a LLaMA that this class can be.
        """
        from solutions.checkpoints.gguf import load_gguf  # here, since that module imports this

        return load_gguf(path)

    def hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None, cache: KeyValueCache | None
    ) -> Tensor:
        """Give the vectors from which the head makes logits, shape (B, T, D)."""
        config = self.config
        check_token_ids(input_ids, config.vocab_size)
        batch, time = input_ids.shape
        check_attention_mask(attention_mask, batch, (cache.length if cache else 0) + time)
        frequencies = rope_frequencies(config.head_dim, config.rope_theta)
        if config.rope_divisors:
            frequencies = frequencies / torch.tensor(config.rope_divisors)
        x = F.embedding(input_ids, self.embeddings["token_embedding"], config.pad_id)
        past = None if cache is None else cache.layers
        blocks = list(self.blocks)
        x, layers = decode_step(x, blocks, past, frequencies, attention_mask, config.norm_eps)
        if cache is not None:
            cache.layers = layers
        return rms_norm(x, self.final_norm["weight"], config.norm_eps)

    def head(self, hidden: Tensor) -> Tensor:
        """Give the logits, shape (..., V), of vectors (..., D)."""
        if self.config.tied_head:
            return F.linear(hidden, self.embeddings["token_embedding"])
        return F.linear(hidden, self.output["output_weight"])
