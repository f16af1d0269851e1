"""Wrong answers to the exercise `forward_flops`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.misconceptions import misconception
from solutions.five_models import forward_flops

Config = Mapping[str, Any]


def _pairs(config: Config, length: int, source_length: int) -> int:
    """The operations of all scores, as many as those of all averages."""
    size, layers = int(config["hidden_size"]), int(config["num_layers"])
    pairs = length**2
    if config["structure"] == "encoder-decoder":
        pairs += source_length**2 + length * source_length
    return 2 * layers * pairs * size


def _head(config: Config, length: int) -> int:
    return 2 * length * int(config["hidden_size"]) * int(config["vocab_size"])


@misconception("forward_flops")
def multiplications_only(config: Config, length: int, source_length: int = 0) -> int:
    """You count the multiplications. In a product of matrices each is followed by an addition: two
    operations."""
    return forward_flops(config, length, source_length) // 2


@misconception("forward_flops")
def one_token(config: Config, length: int, source_length: int = 0) -> int:
    """You count the maps for one token. All tokens of the text go through them."""
    maps = forward_flops(config, 1) - _pairs(config, 1, 0)
    return maps + _pairs(config, length, source_length)


@misconception("forward_flops")
def pairs_forgotten(config: Config, length: int, source_length: int = 0) -> int:
    """Your count has the linear maps only. The products of queries with keys, and of weights with
    values, have no parameters, but they take operations."""
    return forward_flops(config, length, source_length) - 2 * _pairs(config, length, source_length)


@misconception("forward_flops")
def averages_forgotten(config: Config, length: int, source_length: int = 0) -> int:
    """You count the scores, and not the weighted averages of the values, which are a product of
    matrices, too."""
    return forward_flops(config, length, source_length) - _pairs(config, length, source_length)


@misconception("forward_flops")
def pairs_in_every_head_whole(config: Config, length: int, source_length: int = 0) -> int:
    """You count scores and averages for H heads of D numbers each. A head has D / H of them, so all
    heads together have D."""
    extra = 2 * _pairs(config, length, source_length) * (int(config["num_heads"]) - 1)
    return forward_flops(config, length, source_length) + extra


@misconception("forward_flops")
def half_of_the_pairs(config: Config, length: int, source_length: int = 0) -> int:
    """You count only the pairs that a causal mask lets through. All of them are computed, and then
    some are hidden."""
    if config["structure"] not in ("causal decoder", "encoder-decoder"):
        return forward_flops(config, length, source_length)
    hidden = length * (length - 1) // 2
    saved = 4 * int(config["num_layers"]) * hidden * int(config["hidden_size"])
    return forward_flops(config, length, source_length) - saved


@misconception("forward_flops")
def head_forgotten(config: Config, length: int, source_length: int = 0) -> int:
    """You have left out the head, which scores all words of the vocabulary."""
    return forward_flops(config, length, source_length) - _head(config, length)


@misconception("forward_flops")
def head_at_the_last_position(config: Config, length: int, source_length: int = 0) -> int:
    """You count the head once. Here there are logits at each position."""
    whole = forward_flops(config, length, source_length)
    return whole - _head(config, length) + _head(config, 1)


@misconception("forward_flops")
def embedding_as_a_product(config: Config, length: int, source_length: int = 0) -> int:
    """You count a product with the embedding matrix. Its rows are looked up, which takes no
    operation."""
    return forward_flops(config, length, source_length) + _head(config, length)


@misconception("forward_flops")
def gate_not_counted_in_flops(config: Config, length: int, source_length: int = 0) -> int:
    """You count two maps in every feed-forward network. A gated one has three."""
    return forward_flops(dict(config) | {"activation": "ReLU"}, length, source_length)


@misconception("forward_flops")
def shared_heads_not_counted(config: Config, length: int, source_length: int = 0) -> int:
    """Your key and value maps lead to D numbers. With fewer heads of keys and values they lead to
    fewer."""
    unshared = dict(config) | {"num_key_value_heads": config["num_heads"]}
    return forward_flops(unshared, length, source_length)


@misconception("forward_flops")
def shared_heads_have_fewer_scores(config: Config, length: int, source_length: int = 0) -> int:
    """You count fewer scores where heads share keys. Only the maps get smaller: each query head
    still has scores of its own."""
    share = int(config["num_heads"]) - int(config["num_key_value_heads"])
    lost = 2 * _pairs(config, length, source_length) * share // int(config["num_heads"])
    return forward_flops(config, length, source_length) - lost


@misconception("forward_flops")
def encoder_forgotten(config: Config, length: int, source_length: int = 0) -> int:
    """An encoder-decoder runs its encoder, too. You count the decoder alone."""
    if config["structure"] != "encoder-decoder":
        return forward_flops(config, length, source_length)
    both = forward_flops(config, length, source_length)
    alone = dict(config) | {"structure": "encoder"}
    return both - forward_flops(alone, source_length) + _head(config, source_length)


@misconception("forward_flops")
def second_attention_forgotten(config: Config, length: int, source_length: int = 0) -> int:
    """You count two stacks of the same block. A block of the decoder attends twice: the second time
    to the encoder."""
    if config["structure"] != "encoder-decoder":
        return forward_flops(config, length, source_length)
    alone = dict(config) | {"structure": "encoder"}
    encoder = forward_flops(alone, source_length) - _head(config, source_length)
    return forward_flops(alone, length) + encoder


@misconception("forward_flops")
def source_as_long_as_the_text(config: Config, length: int, source_length: int = 0) -> int:
    """You take the source to be as long as the text. The encoder works on `source_length` tokens,
    and so do the key and value maps of the attention to it."""
    return forward_flops(config, length, length)


@misconception("forward_flops")
def flops_as_a_fraction(config: Config, length: int, source_length: int = 0) -> float:
    """You give back a float. Operations are whole numbers."""
    return float(forward_flops(config, length, source_length))


@misconception("forward_flops")
def only_swiglu_has_three_maps(config: Config, length: int, source_length: int = 0) -> int:
    """You count three maps for SwiGLU, and two for GeGLU. Its inner map gives twice as many
    numbers: one half gates the other."""
    plain = {"activation": "ReLU"} if config["activation"] == "GeGLU" else {}
    return forward_flops(dict(config) | plain, length, source_length)


@misconception("forward_flops")
def head_scores_the_source(config: Config, length: int, source_length: int = 0) -> int:
    """You count the head for the source, too. Only the text gets logits."""
    both = config["structure"] == "encoder-decoder"
    extra = _head(config, source_length) if both else 0
    return forward_flops(config, length, source_length) + extra


@misconception("forward_flops")
def keys_of_the_source_at_the_text_s_length(
    config: Config, length: int, source_length: int = 0
) -> int:
    """In the attention to the source, your key and value maps work on the text. Keys and values
    come from the source, and so there are `source_length` of them."""
    whole = forward_flops(config, length, source_length)
    if config["structure"] != "encoder-decoder":
        return whole
    size = int(config["hidden_size"])
    shared = size // int(config["num_heads"]) * int(config["num_key_value_heads"])
    return whole + 4 * int(config["num_layers"]) * (length - source_length) * size * shared


@misconception("forward_flops")
def network_of_the_encoder_forgotten(config: Config, length: int, source_length: int = 0) -> int:
    """You count one feed-forward network for two towers. The encoder's blocks have one each, which
    works on the source."""
    whole = forward_flops(config, length, source_length)
    if config["structure"] != "encoder-decoder":
        return whole
    maps = 3 if config["activation"] in ("SwiGLU", "GeGLU") else 2
    matrices = maps * int(config["hidden_size"]) * int(config["intermediate_size"])
    return whole - 2 * int(config["num_layers"]) * source_length * matrices
