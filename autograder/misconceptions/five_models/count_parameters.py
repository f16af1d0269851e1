"""Wrong answers to the exercise `count_parameters`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.misconceptions import misconception
from solutions.five_models import count_parameters

Config = Mapping[str, Any]


def _stacks(config: Config) -> int:
    """How many stacks of blocks there are."""
    return 2 if config["structure"] == "encoder-decoder" else 1


@misconception("count_parameters")
def biases_forgotten(config: Config) -> int:
    """Your count has no biases of linear maps. Where `has_bias` is true, each linear map of the
    blocks has one, as wide as what comes out."""
    return count_parameters(dict(config) | {"has_bias": False})


@misconception("count_parameters")
def bias_as_wide_as_what_goes_in(config: Config) -> int:
    """Your biases are as wide as what goes *into* a linear map. They are added to what comes
    out."""
    if not config["has_bias"]:
        return count_parameters(config)
    size, inner = config["hidden_size"], config["intermediate_size"]
    shared = size // config["num_heads"] * config["num_key_value_heads"]
    halves = 2 if config["activation"] in ("SwiGLU", "GeGLU") else 1
    attention = 2 * (size - shared)
    network = (size - inner) * (halves - 1)
    blocks = config["num_layers"] * _stacks(config)
    cross = config["num_layers"] if _stacks(config) == 2 else 0
    return count_parameters(config) + blocks * (attention + network) + cross * attention


@misconception("count_parameters")
def gate_not_counted(config: Config) -> int:
    """You count two matrices in every feed-forward network. How many has a gated one?"""
    return count_parameters(dict(config) | {"activation": "ReLU"})


@misconception("count_parameters")
def only_swiglu_is_gated(config: Config) -> int:
    """You count three matrices for SwiGLU, and two for GeGLU. Its inner map gives twice as many
    numbers: one half gates the other."""
    plain = {"activation": "ReLU"} if config["activation"] == "GeGLU" else {}
    return count_parameters(dict(config) | plain)


@misconception("count_parameters")
def heads_not_shared(config: Config) -> int:
    """Your key and value maps lead to D numbers. With fewer heads of keys and values than of
    queries, they lead to fewer."""
    return count_parameters(dict(config) | {"num_key_value_heads": config["num_heads"]})


@misconception("count_parameters")
def head_always_counted(config: Config) -> int:
    """You count the head's matrix though it is tied. Then it is the embedding matrix, which you
    have counted already."""
    return count_parameters(dict(config) | {"tied_head": False})


@misconception("count_parameters")
def head_never_counted(config: Config) -> int:
    """You never count a matrix of the head. If the head is not tied, it has one of its own."""
    return count_parameters(dict(config) | {"tied_head": True})


@misconception("count_parameters")
def norms_forgotten(config: Config) -> int:
    """You have left out the norms of the blocks. Each sublayer has one, with its own gain."""
    norm = config["hidden_size"] * (1 if config["norm"] == "pre RMSNorm" else 2)
    blocks = 5 if config["structure"] == "encoder-decoder" else 2
    return count_parameters(config) - config["num_layers"] * blocks * norm


@misconception("count_parameters")
def one_norm_a_block(config: Config) -> int:
    """Your norms have half of what they should. Either you count one for each block, where each
    sublayer has one, or you count a layer norm's gain and leave out its bias."""
    norm = config["hidden_size"] * (1 if config["norm"] == "pre RMSNorm" else 2)
    blocks = 3 if config["structure"] == "encoder-decoder" else 1
    return count_parameters(config) - config["num_layers"] * blocks * norm


@misconception("count_parameters")
def rmsnorm_with_a_bias(config: Config) -> int:
    """You give an RMSNorm a bias. It has a gain only."""
    same = {"pre RMSNorm": "pre layer norm"}
    return count_parameters(dict(config) | {"norm": same.get(config["norm"], config["norm"])})


@misconception("count_parameters")
def final_norm_forgotten(config: Config) -> int:
    """Where norms stand before the sublayers, the last sum of a stack would have none: there is one
    more, which you have not counted."""
    if not config["norm"].startswith("pre"):
        return count_parameters(config)
    norm = config["hidden_size"] * (1 if config["norm"] == "pre RMSNorm" else 2)
    return count_parameters(config) - _stacks(config) * norm


@misconception("count_parameters")
def final_norm_everywhere(config: Config) -> int:
    """You count a final norm in every model. Where norms stand after the sublayers, the last one
    has done that work."""
    extra = 0 if config["norm"].startswith("pre") else 2 * config["hidden_size"]
    return count_parameters(config) + _stacks(config) * extra


@misconception("count_parameters")
def one_final_norm_for_two_towers(config: Config) -> int:
    """An encoder-decoder with norms before its sublayers has two stacks of blocks. Each of them
    ends in a norm; you count one."""
    if _stacks(config) == 1 or not config["norm"].startswith("pre"):
        return count_parameters(config)
    return count_parameters(config) - config["hidden_size"] * (
        1 if config["norm"] == "pre RMSNorm" else 2
    )


@misconception("count_parameters")
def embedding_norm_forgotten(config: Config) -> int:
    """You have left out the norm of the embeddings, which some rows have."""
    return count_parameters(dict(config) | {"embedding_norm": False})


@misconception("count_parameters")
def positions_always_counted(config: Config) -> int:
    """You count a table of positions that nobody learns. Only "learned absolute" positions are
    parameters; waves, turns and slopes are worked out."""
    return count_parameters(dict(config) | {"position": "learned absolute"})


@misconception("count_parameters")
def positions_never_counted(config: Config) -> int:
    """Learned positions have a row of D numbers for each position. You have not counted them."""
    return count_parameters(dict(config) | {"position": "none"})


@misconception("count_parameters")
def segments_forgotten(config: Config) -> int:
    """Each kind of segment has a vector of D numbers. You have not counted them."""
    return count_parameters(dict(config) | {"num_segments": 0})


@misconception("count_parameters")
def pooler_forgotten(config: Config) -> int:
    """You have not counted the pooler."""
    return count_parameters(dict(config) | {"has_pooler": False})


@misconception("count_parameters")
def pooler_without_bias(config: Config) -> int:
    """The pooler has a bias in any case, whether the blocks have biases or not."""
    lost = config["hidden_size"] if config["has_pooler"] and not config["has_bias"] else 0
    return count_parameters(config) - lost


@misconception("count_parameters")
def second_tower_forgotten(config: Config) -> int:
    """An encoder-decoder has an encoder *and* a decoder, with L blocks each. You count one
    stack."""
    one = {"structure": "encoder"} if _stacks(config) == 2 else {}
    return count_parameters(dict(config) | one)


@misconception("count_parameters")
def cross_attention_forgotten(config: Config) -> int:
    """You count two stacks of the same block. A block of the decoder attends twice: to itself and
    to the encoder."""
    if _stacks(config) == 1:
        return count_parameters(config)
    twice = dict(config) | {"structure": "encoder", "num_layers": 2 * config["num_layers"]}
    final = 2 if config["norm"] == "pre layer norm" else 1
    more = final * config["hidden_size"] if config["norm"].startswith("pre") else 0
    return count_parameters(twice) + more


@misconception("count_parameters")
def cross_attention_without_a_norm(config: Config) -> int:
    """A block of the decoder has three sublayers, and so three norms. You count two."""
    if _stacks(config) == 1:
        return count_parameters(config)
    norm = config["hidden_size"] * (1 if config["norm"] == "pre RMSNorm" else 2)
    return count_parameters(config) - config["num_layers"] * norm


@misconception("count_parameters")
def head_with_a_bias(config: Config) -> int:
    """Where there are biases you give one to the head, too. A head of its own has none."""
    extra = config["vocab_size"] if config["has_bias"] and not config["tied_head"] else 0
    return count_parameters(config) + extra


@misconception("count_parameters")
def embedding_norm_always_with_a_bias(config: Config) -> int:
    """Your norm on the embeddings always has a bias. It is of the kind that the row names, and an
    RMSNorm has a gain only."""
    is_rms = config["embedding_norm"] and config["norm"] == "pre RMSNorm"
    return count_parameters(config) + (config["hidden_size"] if is_rms else 0)


@misconception("count_parameters")
def embeddings_for_each_tower(config: Config) -> int:
    """You give the encoder and the decoder embeddings of their own. Source and text share them."""
    extra = config["vocab_size"] * config["hidden_size"] if _stacks(config) == 2 else 0
    return count_parameters(config) + extra


@misconception("count_parameters")
def positions_for_each_tower(config: Config) -> int:
    """You give each tower a table of positions. Source and text share all embeddings, those of
    positions among them."""
    learned = config["position"] == "learned absolute" and _stacks(config) == 2
    extra = config["max_positions"] * config["hidden_size"] if learned else 0
    return count_parameters(config) + extra


@misconception("count_parameters")
def segments_for_each_tower(config: Config) -> int:
    """You give each tower a table of segments. Source and text share all embeddings."""
    extra = config["num_segments"] * config["hidden_size"] if _stacks(config) == 2 else 0
    return count_parameters(config) + extra


@misconception("count_parameters")
def embedding_norm_for_each_tower(config: Config) -> int:
    """You count the norm on the embeddings once for each tower. Source and text share it."""
    norm = config["hidden_size"] * (1 if config["norm"] == "pre RMSNorm" else 2)
    twice = config["embedding_norm"] and _stacks(config) == 2
    return count_parameters(config) + (norm if twice else 0)


@misconception("count_parameters")
def key_and_value_biases_of_a_query(config: Config) -> int:
    """Your key and value maps have biases of D numbers. With shared heads fewer numbers come out,
    and a bias is as wide as what comes out."""
    if not config["has_bias"]:
        return count_parameters(config)
    size = config["hidden_size"]
    shared = size // config["num_heads"] * config["num_key_value_heads"]
    attentions = config["num_layers"] * (3 if _stacks(config) == 2 else 1)
    return count_parameters(config) + attentions * 2 * (size - shared)


@misconception("count_parameters")
def prefix_decoder_as_two_towers(config: Config) -> int:
    """You count two stacks for a prefix decoder. It reads its prefix with the same blocks: only its
    mask differs from that of a causal decoder."""
    two = {"structure": "encoder-decoder"} if config["structure"] == "prefix decoder" else {}
    return count_parameters(dict(config) | two)
