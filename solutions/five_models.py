"""Chapter 10: five models, one table. What a row of it costs, and how it becomes a model.

A configuration is a dictionary: the four columns of the table, and the sizes. Its keys are
explained in `solutions.models.published_configs`, which has those of the published models. The
exercises of the chapter come first, in its order; the model that they make is in
`solutions.models.table_model`.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import causal_mask, merge_heads, split_heads
from solutions.chatglm import apply_rope_2d, deepnorm_residual, geglu, prefix_mask
from solutions.llama import apply_rope, rms_norm, rope_frequencies, swiglu
from solutions.transformer import feed_forward

if TYPE_CHECKING:
    from solutions.models.table_model import TableModel

# ---------------------------------------------------------------------------- exercises


def count_parameters(config: Mapping[str, Any]) -> int:
    """Give how many numbers a model learns.

    Counted are the embeddings of tokens, of positions if they are learned, and of segments; the
    blocks; all norms; the pooler; and the head, if it has a matrix of its own. BERT's heads for
    training, for masked tokens and for the next sentence, are not.

    A linear map from m to n numbers has n * m of them, and n more if it has a bias. A layer norm
    has a gain and a bias, an RMSNorm a gain only. Each sublayer has a norm: attention and the
    feed-forward network, and in the decoder of an encoder-decoder attention to the encoder, too.
    Where norms come before the sublayers, each stack of blocks has one more at its end.

    Args:
        config: a configuration, such as ``PUBLISHED["LLaMA-7B"]``; all its keys but
            "training_tokens" and "norm_eps" may matter.

    Returns:
        The number of parameters.

    Source: the papers and the released code of the five models.
    """
    size, inner = config["hidden_size"], config["intermediate_size"]
    shared = size // config["num_heads"] * config["num_key_value_heads"]
    is_gated = config["activation"] in ("SwiGLU", "GeGLU")

    def linear(columns: int, rows: int) -> int:
        return rows * columns + (rows if config["has_bias"] else 0)

    norm = size if config["norm"] == "pre RMSNorm" else 2 * size
    attention = 2 * linear(size, size) + 2 * linear(size, shared) + norm
    network = (2 if is_gated else 1) * linear(size, inner) + linear(inner, size) + norm
    final_norm = norm if config["norm"].startswith("pre") else 0

    total = config["num_layers"] * (attention + network) + final_norm
    if config["structure"] == "encoder-decoder":
        total += config["num_layers"] * (2 * attention + network) + final_norm
    total += (config["vocab_size"] + config["num_segments"]) * size
    if config["position"] == "learned absolute":
        total += config["max_positions"] * size
    if config["embedding_norm"]:
        total += norm
    if config["has_pooler"]:
        total += size * size + size
    if not config["tied_head"]:
        total += config["vocab_size"] * size
    return int(total)


def kv_cache_bytes(
    config: Mapping[str, Any],
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """Give how much memory the keys and values of texts take while a model writes them.

    Each layer keeps a key and a value for each position and each head of keys and values. A
    decoder that reads an encoder keeps those of the source as well. An encoder alone writes
    nothing, and keeps nothing.

    Args:
        config: a configuration, such as ``PUBLISHED["LLaMA-7B"]``.
        batch_size: how many texts there are.
        length: how many tokens each has so far.
        source_length: how many tokens the encoder has read for each, in an encoder-decoder.
        bytes_per_number: 2 in half precision, 4 in float32.

    Returns:
        The number of bytes.

    Source: Pope et al. 2022, "Efficiently Scaling Transformer Inference" (arXiv:2211.05102),
        section 3.3.
    """
    if config["structure"] == "encoder":
        return 0
    head_dim = config["hidden_size"] // config["num_heads"]
    numbers = 2 * config["num_layers"] * config["num_key_value_heads"] * head_dim
    positions = length
    if config["structure"] == "encoder-decoder":
        positions += source_length
    return int(batch_size * positions * numbers * bytes_per_number)


def forward_flops(config: Mapping[str, Any], length: int, source_length: int = 0) -> int:
    """Give how many floating-point operations the logits of one text take.

    Only products of matrices count, two operations (a multiplication and an addition) for each
    number that is multiplied: those of the linear maps, of queries and keys, of attention weights
    and values, and of the head at each position. All pairs of positions are counted, those that a
    mask hides too. The pooler is not.

    Args:
        config: a configuration, such as ``PUBLISHED["LLaMA-7B"]``.
        length: T, how many tokens the text has.
        source_length: S, how many the source has, in an encoder-decoder.

    Returns:
        The number of operations, of one forward pass. Divided by T it is that of a token, and for
        short texts about twice the parameters; less where the embeddings, which are only looked
        up, are not the head's matrix, too.

    Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models" (arXiv:2001.08361), table
        1, where scores and averages together have half of what is counted here.
    """
    size, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    shared: int = size // config["num_heads"] * config["num_key_value_heads"]
    num_maps = 3 if config["activation"] in ("SwiGLU", "GeGLU") else 2

    def attention(queries: int, keys: int) -> int:
        maps = 2 * queries * size * size + 2 * keys * size * shared  # query, output; key, value
        return 2 * (maps + 2 * queries * keys * size)  # scores, averages

    def network(tokens: int) -> int:
        return 2 * num_maps * tokens * size * inner

    total = config["num_layers"] * (attention(length, length) + network(length))
    if config["structure"] == "encoder-decoder":
        encoder = attention(source_length, source_length) + network(source_length)
        total += config["num_layers"] * (encoder + attention(length, source_length))
    return int(total + 2 * length * size * config["vocab_size"])


def training_flops(num_parameters: int, num_tokens: int) -> int:
    """Give about how many floating-point operations training takes: F = 6 P N.

    Args:
        num_parameters: P, how many numbers the model learns.
        num_tokens: N, how many tokens it learns from; one that is read twice counts twice.

    Returns:
        F: for each parameter and token two operations forward, a multiplication and an addition,
        and twice as many backward.

    Source: Kaplan et al. 2020, section 2.1, where it is C = 6 N B S; Hoffmann et al. 2022,
        "Training Compute-Optimal Large Language Models" (arXiv:2203.15556), where it is 6 N D.
    """
    return 6 * num_parameters * num_tokens


def structure_mask(structure: str, length: int, prefix_lengths: Tensor | None = None) -> Tensor:
    """Give who may attend to whom within a text: what the column "structure" says.

    Args:
        structure: "encoder": everybody to everybody. "causal decoder", and "encoder-decoder" for
            the text that its decoder writes: each to itself and what came before it. "prefix
            decoder": the same, and everybody to the whole prefix.
        length: T.
        prefix_lengths: how many tokens of each text are prefix, shape (B,), int64; for a "prefix
            decoder", and only for it.

    Returns:
        The mask, True where a query may attend to a key, bool, shape (T, T); of a prefix decoder
        (B, 1, T, T). Either broadcasts to (B, H, T, T).

    Raises:
        ValueError: if there is no such structure, or ``prefix_lengths`` is missing or too much.

    Source: Raffel et al. 2020, "Exploring the Limits of Transfer Learning with a Unified
        Text-to-Text Transformer" (arXiv:1910.10683), figures 3 and 4.
    """
    if (prefix_lengths is not None) != (structure == "prefix decoder"):
        raise ValueError("prefix_lengths is for a 'prefix decoder', and needed there")
    if structure == "encoder":
        return torch.ones(length, length, dtype=torch.bool)
    if structure in ("causal decoder", "encoder-decoder"):
        return causal_mask(length)
    if prefix_lengths is not None:
        return prefix_mask(prefix_lengths, length).unsqueeze(1)  # (B, 1, T, T)
    raise ValueError(f"structure is {structure!r}, which is not in the table")


def table_block(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    config: Mapping[str, Any],
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Apply one block of whatever model: three columns of the table say what is in it.

    The sublayers are attention, attention to ``memory`` if there is one, and the feed-forward
    network. "norm" says how each becomes a residual step: norm(x + sublayer(x)) if it begins with
    "post", x + sublayer(norm(x)) if it begins with "pre"; the two DeepNorm are "post", with
    alpha * x in place of the first x. "position" matters if it is one of the two RoPE: then queries
    and keys are turned, except in the attention to ``memory``. "activation" says what the
    feed-forward network is.

    Args:
        x: shape (B, T, D), float.
        weights: "attention" and "cross_attention": "query_weight", "key_weight", "value_weight" and
            "output_weight", as ``F.linear`` uses them; keys and values may have fewer heads.
            "feed_forward": as ``swiglu`` ("SwiGLU"), ``geglu`` ("GeGLU") or ``feed_forward`` (the
            others) take them. Biases may be missing. "attention_norm", "cross_attention_norm" and
            "feed_forward_norm": "weight" and, but for RMSNorm, "bias". The two for ``memory`` are
            there if it is.
        config: "position", "activation" and "norm" are words of the table; "num_heads" and
            "norm_eps" count, too.
        position_ids: the position of each token, shape (T,), int64; for "RoPE (2-D)" both
            positions, shape (B, 2, T).
        mask: as ``F.scaled_dot_product_attention`` takes it, of a shape that broadcasts to
            (B, H, T, T): bool, True where a query may attend to a key; or float, to be added to
            the scores, as ALiBi is. None: everywhere, nothing.
        memory: what an encoder gave, shape (B, S, D). None: there is no encoder.
        alpha: of DeepNorm; 1 with the other norms.

    Returns:
        Shape (B, T, D).

    Source: the chapters on the five models.
    """
    num_heads, eps = config["num_heads"], config["norm_eps"]
    head_dim = x.shape[-1] // num_heads

    def turn(heads: Tensor) -> Tensor:
        if config["position"] == "RoPE":
            return apply_rope(heads, position_ids.unsqueeze(-1) * rope_frequencies(head_dim))
        if config["position"] == "RoPE (2-D)":
            return apply_rope_2d(heads, position_ids, rope_frequencies(head_dim // 2))
        return heads

    def attend(entering: Tensor, name: str) -> Tensor:
        maps, to_memory = weights[name], name == "cross_attention"
        context = memory if to_memory and memory is not None else entering
        query = F.linear(entering, maps["query_weight"], maps.get("query_bias"))
        key = F.linear(context, maps["key_weight"], maps.get("key_bias"))
        value = F.linear(context, maps["value_weight"], maps.get("value_bias"))
        query = split_heads(query, num_heads)  # (B, H, T, d)
        key = split_heads(key, key.shape[-1] // head_dim)  # (B, K, S, d)
        value = split_heads(value, value.shape[-1] // head_dim)
        if not to_memory:
            query, key = turn(query), turn(key)
        heads = F.scaled_dot_product_attention(
            query, key, value, None if to_memory else mask, enable_gqa=True
        )
        return F.linear(merge_heads(heads), maps["output_weight"], maps.get("output_bias"))

    def transform(entering: Tensor, name: str) -> Tensor:
        if config["activation"] == "SwiGLU":
            return swiglu(entering, weights[name])
        if config["activation"] == "GeGLU":
            return geglu(entering, weights[name])
        if config["activation"] == "ReLU":
            return feed_forward(entering, weights[name], F.relu)
        form = "tanh" if config["activation"] == "GELU (tanh)" else "none"
        return feed_forward(entering, weights[name], partial(F.gelu, approximate=form))

    steps = [("attention", attend), ("feed_forward", transform)]
    if memory is not None:
        steps.insert(1, ("cross_attention", attend))
    for name, sublayer in steps:
        norm = weights[f"{name}_norm"]
        if config["norm"] == "pre RMSNorm":
            x = x + sublayer(rms_norm(x, norm["weight"], eps), name)
        elif config["norm"] == "pre layer norm":
            x = x + sublayer(F.layer_norm(x, x.shape[-1:], **norm, eps=eps), name)
        else:
            x = deepnorm_residual(x, sublayer(x, name), **norm, alpha=alpha, eps=eps)
    return x


# ---------------------------------------------------------------------------- the model


def build_model(config: Mapping[str, Any], seed: int = 0) -> "TableModel":
    """Give a model that is what a configuration says, with weights drawn from a seed.

    Args:
        config: a configuration, such as ``PUBLISHED["LLaMA-7B"] | SMALL | {"position": "ALiBi"}``.
        seed: of the weights; torch's own random numbers are left as they were.

    Raises:
        ValueError: if the configuration has a word that is not in the table, or parts that don't go
            together.
    """
    from solutions.models.table_model import TableModel  # here, since that module imports this one

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TableModel(config)
