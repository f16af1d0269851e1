"""Chapter 10: five models, one table. What a row of it costs, and how it becomes a model.

A configuration is a dictionary: the four columns of the table, and the sizes. Its keys are
explained in `solutions.models.published_configs`, which has those of the published models. The
exercises of the chapter come first, in its order; the model that they make is in
`solutions.models.table_model`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import causal_mask, merge_heads, split_heads
from solutions.bloom import alibi_slopes
from solutions.chatglm import apply_rope_2d, geglu, position_ids_2d, prefix_mask
from solutions.llama import apply_rope, rms_norm, rope_frequencies, swiglu
from solutions.transformer import feed_forward, sinusoidal_positions

if TYPE_CHECKING:
    from solutions.models.table_model import TableModel

# ---------------------------------------------------------------------------- exercises


def count_parameters(config: Mapping[str, Any]) -> int:
    """Give how many numbers a model learns.

    Counted are the embeddings of tokens, of positions if they are learned, and of segments; the
    blocks; all norms; the pooler; and the head, if it has a matrix of its own. BERT's heads for
    training, for masked tokens and for the next sentence, are not. In an encoder-decoder, source
    and text share the embeddings and the norm on them, so they count once.

    A linear map from m to n numbers has n * m of them, and n more if it has a bias; a head of its
    own has none. A layer norm has a gain and a bias, an RMSNorm a gain only. Each sublayer has a
    norm: attention and the feed-forward network, and in the decoder of an encoder-decoder attention
    to the encoder, too. Where norms come before the sublayers, each stack of blocks has one more at
    its end.

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
        source_length: how many tokens the encoder has read for each, in an encoder-decoder. It
            doesn't count with another structure.
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


def table_norm(x: Tensor, weights: Mapping[str, Tensor], norm: str, eps: float) -> Tensor:
    """Normalise each vector, as the column "norm" says: by RMSNorm or by layer norm.

    Args:
        x: shape (..., D), float.
        weights: "weight", the gain, shape (D,); and but for RMSNorm "bias", shape (D,).
        norm: a word of the column. "pre RMSNorm" is an RMSNorm, all the others are layer norms.
        eps: of the norm.

    Returns:
        Shape (..., D).

    Source: the chapters on the five models.
    """
    if norm == "pre RMSNorm":
        return rms_norm(x, weights["weight"], eps)
    return F.layer_norm(x, x.shape[-1:], weights["weight"], weights["bias"], eps)


def table_embeddings(
    input_ids: Tensor,
    weights: Mapping[str, Any],
    config: Mapping[str, Any],
    token_type_ids: Tensor | None = None,
) -> Tensor:
    """Give the vectors that enter the first block: tokens, and what the row adds to them.

    In this order: the row of each token; where "position" is "sinusoidal", that times sqrt(D), plus
    the waves; where it is "learned absolute", plus the row of each position; where there are
    segments, plus the row of each segment; and where "embedding_norm" is true, the norm of the sum.

    Args:
        input_ids: shape (B, T), int64.
        weights: "embeddings": "token_embedding" (V, D); with learned positions
            "position_embedding" (at least T rows, D); with segments "segment_embedding" (how many
            there are, D). And "embedding_norm", as ``table_norm`` takes it, if there is that norm.
        config: the keys "position", "num_segments", "embedding_norm", "norm" and "norm_eps" count.
        token_type_ids: the segment of each token, shape (B, T), int64; where there are no segments,
            None. None where there are some: all 0.

    Returns:
        Shape (B, T, D).

    Source: the chapters on the five models.
    """
    embeddings = weights["embeddings"]
    x = F.embedding(input_ids, embeddings["token_embedding"])  # (B, T, D)
    time, size = x.shape[1:]
    if config["position"] == "sinusoidal":
        x = x * size**0.5 + sinusoidal_positions(time, size).to(x.dtype)
    if config["position"] == "learned absolute":
        x = x + embeddings["position_embedding"][:time]
    if config["num_segments"]:
        segments = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        x = x + F.embedding(segments, embeddings["segment_embedding"])
    if config["embedding_norm"]:
        x = table_norm(x, weights["embedding_norm"], config["norm"], config["norm_eps"])
    return x


def table_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    position: str,
    position_ids: Tensor,
    mask: Tensor | None = None,
) -> Tensor:
    """Attend, with the positions where the column "position" wants them.

    "RoPE" turns queries and keys by their positions, and "RoPE (2-D)" by both of them, each with
    theta 10000. "ALiBi" takes from the score of a query and a key the head's slope times their
    distance, which is never below 0, whoever comes first. With any other word nothing is done here.

    Args:
        query: shape (B, H, T, d), float.
        key: shape (B, H, T, d), or with fewer heads, a divisor of H, that neighbours share.
        value: the shape of ``key``.
        position: a word of the column.
        position_ids: the position of each token, shape (T,), int64; for "RoPE (2-D)" both
            positions, shape (B, 2, T).
        mask: True where a query may attend to a key, bool, a shape that broadcasts to
            (B, H, T, T). None: everywhere.

    Returns:
        The heads, shape (B, H, T, d).

    Source: the chapters on LLaMA, ChatGLM-6B and BLOOM.
    """
    head_dim = query.shape[-1]
    if position == "RoPE":
        angles = position_ids.unsqueeze(-1) * rope_frequencies(head_dim)  # (T, d/2)
        query, key = apply_rope(query, angles), apply_rope(key, angles)
    if position == "RoPE (2-D)":
        frequencies = rope_frequencies(head_dim // 2)  # (d/4,)
        query = apply_rope_2d(query, position_ids, frequencies)
        key = apply_rope_2d(key, position_ids, frequencies)
    if position == "ALiBi":
        # By distance: a bias by key index says the same only where no key lies ahead.
        distances = (position_ids - position_ids.unsqueeze(-1)).abs()  # (T, T)
        bias = -alibi_slopes(query.shape[1])[:, None, None] * distances  # (H, T, T)
        mask = (bias if mask is None else bias.masked_fill(~mask, -torch.inf)).to(query.dtype)
    return F.scaled_dot_product_attention(query, key, value, mask, enable_gqa=True)


def table_network(x: Tensor, weights: Mapping[str, Tensor], activation: str) -> Tensor:
    """Apply the feed-forward network that the column "activation" names.

    Args:
        x: shape (..., D), float.
        weights: for "SwiGLU" as ``swiglu`` takes them, for "GeGLU" as ``geglu`` does, for the
            others as ``feed_forward`` does. Biases may be missing.
        activation: "ReLU"; "GELU", the exact one; "GELU (tanh)", its approximation; "SwiGLU";
            "GeGLU".

    Returns:
        Shape (..., D).

    Raises:
        ValueError: if it is another word.

    Source: the chapters on the five models.
    """
    if activation == "SwiGLU":
        return swiglu(x, weights)
    if activation == "GeGLU":
        return geglu(x, weights)
    if activation == "ReLU":
        return feed_forward(x, weights, F.relu)
    if activation == "GELU":
        return feed_forward(x, weights, F.gelu)
    if activation == "GELU (tanh)":
        return feed_forward(x, weights, partial(F.gelu, approximate="tanh"))
    raise ValueError(f"activation is {activation!r}, which is not in the table")


def residual_step(
    x: Tensor,
    sublayer: Callable[[Tensor], Tensor],
    weights: Mapping[str, Tensor],
    norm: str,
    alpha: float = 1.0,
    eps: float = 1e-5,
) -> Tensor:
    """Apply a sublayer, with the residual connection and the norm where the row wants them.

    x + sublayer(norm(x)) if the word begins with "pre", norm(x + sublayer(x)) if it begins with
    "post". The words with DeepNorm are "post", with alpha * x in place of the x that is added.

    Args:
        x: shape (..., D), float.
        sublayer: what to apply: it takes the shape of ``x`` and gives it back.
        weights: of the norm, as ``table_norm`` takes them.
        norm: a word of the column "norm".
        alpha: of DeepNorm; 1 where the norm is another.
        eps: of the norm.

    Returns:
        The shape of ``x``.

    Source: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture"
        (arXiv:2002.04745), figure 1; Wang et al. 2022 (arXiv:2203.00555), figure 2.
    """
    if norm.startswith("pre"):
        return x + sublayer(table_norm(x, weights, norm, eps))
    return table_norm(alpha * x + sublayer(x), weights, norm, eps)


def table_block(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    config: Mapping[str, Any],
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Apply one block of whatever model: the row says what is in it.

    The residual steps are attention among the positions of ``x``; attention to ``memory``, if there
    is one; and the feed-forward network. In attention, the vectors are mapped to queries, keys and
    values and cut into heads, which ``table_attention`` takes; what it finds is merged, and mapped
    once more. In the attention to ``memory``, keys and values come from there, positions do not
    matter, and nothing is masked.

    Args:
        x: shape (B, T, D), float.
        weights: "attention" and "cross_attention": "query_weight", "key_weight", "value_weight" and
            "output_weight", as ``F.linear`` uses them; keys and values may have fewer heads, of the
            same size. "feed_forward": as ``table_network`` takes them. Biases, such as
            "query_bias", may be missing. "attention_norm", "cross_attention_norm" and
            "feed_forward_norm": as ``table_norm`` takes them. The two for ``memory`` are there if
            it is.
        config: "position", "activation", "norm", "num_heads" and "norm_eps" count.
        position_ids: as ``table_attention`` takes them.
        mask: as ``table_attention`` takes it.
        memory: what an encoder gave, shape (B, S, D). None: there is no encoder.
        alpha: of DeepNorm; 1 with the other norms.

    Returns:
        Shape (B, T, D).

    Source: the chapters on the five models.
    """
    num_heads = config["num_heads"]
    head_dim = x.shape[-1] // num_heads

    def attend(
        entering: Tensor, context: Tensor, name: str, position: str, mask: Tensor | None
    ) -> Tensor:
        maps = weights[name]
        query = F.linear(entering, maps["query_weight"], maps.get("query_bias"))
        key = F.linear(context, maps["key_weight"], maps.get("key_bias"))
        value = F.linear(context, maps["value_weight"], maps.get("value_bias"))
        query = split_heads(query, num_heads)  # (B, H, T, d)
        key = split_heads(key, key.shape[-1] // head_dim)  # may have fewer heads
        value = split_heads(value, value.shape[-1] // head_dim)
        heads = table_attention(query, key, value, position, position_ids, mask)
        return F.linear(merge_heads(heads), maps["output_weight"], maps.get("output_bias"))

    def look_around(entering: Tensor) -> Tensor:
        return attend(entering, entering, "attention", config["position"], mask)

    def look_at_memory(entering: Tensor) -> Tensor:
        context = entering if memory is None else memory
        return attend(entering, context, "cross_attention", "none", None)

    def think(entering: Tensor) -> Tensor:
        return table_network(entering, weights["feed_forward"], config["activation"])

    settings = (config["norm"], alpha, config["norm_eps"])
    x = residual_step(x, look_around, weights["attention_norm"], *settings)
    if memory is not None:
        x = residual_step(x, look_at_memory, weights["cross_attention_norm"], *settings)
    return residual_step(x, think, weights["feed_forward_norm"], *settings)


def table_vectors(
    input_ids: Tensor,
    weights: Mapping[str, Any],
    config: Mapping[str, Any],
    source_ids: Tensor | None = None,
    prefix_lengths: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    alpha: float = 1.0,
    encoder_alpha: float = 1.0,
) -> Tensor:
    """Run a whole model of whatever row, from ids to the vectors that the head scores.

    An encoder-decoder first reads its source: embeddings, the blocks of "encoder" with the mask of
    an encoder, and the final norm if there is one. Then every model does the same with
    ``input_ids``: embeddings, "blocks", final norm. There is a final norm where the word for the
    norm begins with "pre".

    Positions count from 0. With "RoPE (2-D)", which only a prefix decoder has, they are those of
    ``position_ids_2d``, where the last token of each prefix is the mask token.

    Args:
        input_ids: shape (B, T), int64; in an encoder-decoder, what the decoder writes.
        weights: what ``table_embeddings`` takes; "blocks", a list of what ``table_block`` takes;
            for an encoder-decoder "encoder", another such list; and where there is a final norm
            "final_norm", and for the encoder "encoder_final_norm", as ``table_norm`` takes them.
        config: a configuration.
        source_ids: what the encoder reads, shape (B, S), int64, in an encoder-decoder.
        prefix_lengths: how many tokens of each text are prefix, shape (B,), int64, in a prefix
            decoder.
        token_type_ids: as ``table_embeddings`` takes them; the source has none.
        alpha: of DeepNorm, in "blocks".
        encoder_alpha: of DeepNorm, in "encoder".

    Returns:
        Shape (B, T, D).

    Source: the chapters on the five models.
    """
    has_final_norm = config["norm"].startswith("pre")
    norm_settings = (config["norm"], config["norm_eps"])

    memory = None
    if source_ids is not None:
        memory = table_embeddings(source_ids, weights, config)  # (B, S, D)
        positions = torch.arange(source_ids.shape[1])
        mask = structure_mask("encoder", source_ids.shape[1])
        for block in weights["encoder"]:
            memory = table_block(memory, block, config, positions, mask, alpha=encoder_alpha)
        if has_final_norm:
            memory = table_norm(memory, weights["encoder_final_norm"], *norm_settings)

    x = table_embeddings(input_ids, weights, config, token_type_ids)  # (B, T, D)
    time = input_ids.shape[1]
    positions = torch.arange(time)
    if config["position"] == "RoPE (2-D)" and prefix_lengths is not None:
        positions = position_ids_2d(prefix_lengths, prefix_lengths - 1, time)  # (B, 2, T)
    mask = structure_mask(config["structure"], time, prefix_lengths)
    for block in weights["blocks"]:
        x = table_block(x, block, config, positions, mask, memory, alpha)
    return table_norm(x, weights["final_norm"], *norm_settings) if has_final_norm else x


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
