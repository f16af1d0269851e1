"""Wrong answers to the exercise `kv_cache_bytes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.misconceptions import misconception
from solutions.five_models import kv_cache_bytes

Config = Mapping[str, Any]


@misconception("kv_cache_bytes")
def keys_only(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You keep one vector for each position and layer. There are two: its key and its value."""
    return kv_cache_bytes(config, batch_size, length, source_length, bytes_per_number) // 2


@misconception("kv_cache_bytes")
def one_layer(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You count the cache of one layer. Each layer has keys and values of its own."""
    whole = kv_cache_bytes(config, batch_size, length, source_length, bytes_per_number)
    return whole // int(config["num_layers"])


@misconception("kv_cache_bytes")
def one_text(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You count one text, however many there are. Each text of the batch has its own keys and
    values."""
    return kv_cache_bytes(config, 1, length, source_length, bytes_per_number)


@misconception("kv_cache_bytes")
def every_query_head(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """Your cache is as large as if no head shared its keys and values. There are fewer heads of
    them, and each has the size of a query's head, D / H."""
    unshared = dict(config) | {"num_key_value_heads": config["num_heads"]}
    return kv_cache_bytes(unshared, batch_size, length, source_length, bytes_per_number)


@misconception("kv_cache_bytes")
def always_half_precision(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You take two bytes for each number, whatever the caller asks for."""
    return kv_cache_bytes(config, batch_size, length, source_length)


@misconception("kv_cache_bytes")
def numbers_instead_of_bytes(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You count the numbers. How many bytes does each of them take?"""
    return kv_cache_bytes(config, batch_size, length, source_length, 1)


@misconception("kv_cache_bytes")
def source_forgotten(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """A decoder that reads an encoder keeps the keys and values of the source, too."""
    return kv_cache_bytes(config, batch_size, length, 0, bytes_per_number)


@misconception("kv_cache_bytes")
def an_encoder_keeps_as_well(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """An encoder reads a text once and is done. It keeps nothing."""
    alone = {"structure": "causal decoder"} if config["structure"] == "encoder" else {}
    changed = dict(config) | alone
    return kv_cache_bytes(changed, batch_size, length, source_length, bytes_per_number)


@misconception("kv_cache_bytes")
def bytes_as_a_fraction(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> float:
    """You give back a float. Bytes are whole numbers: `//` divides without a rest."""
    return float(kv_cache_bytes(config, batch_size, length, source_length, bytes_per_number))


@misconception("kv_cache_bytes")
def source_counted_for_all(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You add `source_length` in a structure that has no encoder. Only an encoder-decoder reads a
    source."""
    if config["structure"] in ("causal decoder", "prefix decoder"):
        length += source_length
    return kv_cache_bytes(config, batch_size, length, source_length, bytes_per_number)


@misconception("kv_cache_bytes")
def source_only(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """In an encoder-decoder you keep the source alone. The decoder also looks back at what it has
    written."""
    if config["structure"] == "encoder-decoder":
        length = 0
    return kv_cache_bytes(config, batch_size, length, source_length, bytes_per_number)


@misconception("kv_cache_bytes")
def source_in_one_layer(
    config: Config,
    batch_size: int,
    length: int,
    source_length: int = 0,
    bytes_per_number: int = 2,
) -> int:
    """You keep the source once. Each layer of the decoder has maps of its own, and so keys and
    values of its own for the source."""
    text = kv_cache_bytes(config, batch_size, length, 0, bytes_per_number)
    one = dict(config) | {"num_layers": 1}
    both = kv_cache_bytes(one, batch_size, length, source_length, bytes_per_number)
    return text + both - kv_cache_bytes(one, batch_size, length, 0, bytes_per_number)
