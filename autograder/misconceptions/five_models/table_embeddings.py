"""Wrong answers to the exercise `table_embeddings`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from autograder.misconceptions import misconception
from solutions.five_models import table_embeddings, table_norm
from solutions.transformer import sinusoidal_positions

Weights = Mapping[str, Any]
Config = Mapping[str, Any]


def _normed(x: Tensor, weights: Weights, config: Config) -> Tensor:
    if config["embedding_norm"]:
        return table_norm(x, weights["embedding_norm"], config["norm"], config["norm_eps"])
    return x


def _without_norm(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None
) -> Tensor:
    return table_embeddings(
        input_ids, weights, dict(config) | {"embedding_norm": False}, token_type_ids
    )


@misconception("table_embeddings")
def root_forgotten(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """With sinusoidal positions, the tokens' rows are multiplied by the square root of D before the
    waves are added."""
    if config["position"] != "sinusoidal":
        return table_embeddings(input_ids, weights, config, token_type_ids)
    x = _without_norm(input_ids, weights, dict(config) | {"position": "none"}, token_type_ids)
    return _normed(x + sinusoidal_positions(*x.shape[1:]), weights, config)


@misconception("table_embeddings")
def waves_multiplied_too(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You multiply the sum by the square root of D. Only the tokens' rows are; the waves come
    after."""
    x = _without_norm(input_ids, weights, config, token_type_ids)
    if config["position"] == "sinusoidal":
        time, size = x.shape[1:]
        x = x + (size**0.5 - 1) * sinusoidal_positions(time, size)
    return _normed(x, weights, config)


@misconception("table_embeddings")
def root_everywhere(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You multiply by the square root of D in every model. Only the row with sinusoidal positions
    does so."""
    x = _without_norm(input_ids, weights, config, token_type_ids)
    if config["position"] != "sinusoidal":
        rows = F.embedding(input_ids, weights["embeddings"]["token_embedding"])
        x = x + (rows.shape[-1] ** 0.5 - 1) * rows
    return _normed(x, weights, config)


@misconception("table_embeddings")
def waves_for_all(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You add waves whatever the word is. RoPE and ALiBi act in attention, and nothing is added for
    them here."""
    if config["position"] != "learned absolute":
        config = dict(config) | {"position": "sinusoidal"}
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def all_positions_added(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You add the whole table of positions. A text of T tokens needs its first T rows."""
    if config["position"] == "learned absolute":
        embeddings = weights["embeddings"]
        x = F.embedding(input_ids, embeddings["token_embedding"])
        x = x + embeddings["position_embedding"]
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def positions_looked_up_by_token(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You look positions up by the ids of the tokens. The row is that of the place: 0, 1, 2, and so
    on."""
    x = _without_norm(input_ids, weights, dict(config) | {"position": "none"}, token_type_ids)
    if config["position"] == "learned absolute":
        x = x + F.embedding(input_ids, weights["embeddings"]["position_embedding"])
        return _normed(x, weights, config)
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def positions_forgotten(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You leave learned positions out. Their rows are added like the waves."""
    if config["position"] == "learned absolute":
        config = dict(config) | {"position": "none"}
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def segments_never_added(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You don't add the segments' rows."""
    return table_embeddings(input_ids, weights, dict(config) | {"num_segments": 0})


@misconception("table_embeddings")
def nothing_without_segment_ids(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """Without `token_type_ids` you add no row. If the model has segments, all tokens are of segment
    0 then, and its row is added."""
    if token_type_ids is None:
        config = dict(config) | {"num_segments": 0}
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def segment_ids_demanded(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You look segments up without `token_type_ids`. They may be None: then all tokens are of
    segment 0."""
    if config["num_segments"]:
        F.embedding(token_type_ids, weights["embeddings"]["segment_embedding"])  # type: ignore[arg-type]
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def norm_never_applied(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You leave out the norm of the embeddings, which this row asks for."""
    return _without_norm(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def norm_always_applied(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You norm the embeddings in every model. `embedding_norm` says whether."""
    return table_embeddings(
        input_ids, weights, dict(config) | {"embedding_norm": True}, token_type_ids
    )


@misconception("table_embeddings")
def norm_before_the_sum(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You norm the tokens' rows, and add positions and segments after. The norm is the last step:
    it is applied to the sum."""
    if not config["embedding_norm"]:
        return table_embeddings(input_ids, weights, config, token_type_ids)
    rows = F.embedding(input_ids, weights["embeddings"]["token_embedding"])
    added = _without_norm(input_ids, weights, config, token_type_ids) - rows
    return _normed(rows, weights, config) + added


@misconception("table_embeddings")
def always_a_layer_norm(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You apply a layer norm though the row has an RMSNorm. Use your `table_norm`."""
    return table_embeddings(
        input_ids, weights, dict(config) | {"norm": "pre layer norm"}, token_type_ids
    )


@misconception("table_embeddings")
def eps_of_its_own(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """The norm has its eps from the configuration; you take another."""
    return table_embeddings(input_ids, weights, dict(config) | {"norm_eps": 1e-5}, token_type_ids)


@misconception("table_embeddings")
def two_segments_or_none(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You add segments where there are two kinds of them. There may be any number: `num_segments`
    is 0 only where there are none."""
    if config["num_segments"] != 2:
        config = dict(config) | {"num_segments": 0}
    return table_embeddings(input_ids, weights, config, token_type_ids)


@misconception("table_embeddings")
def norm_before_the_segments(
    input_ids: Tensor, weights: Weights, config: Config, token_type_ids: Tensor | None = None
) -> Tensor:
    """You norm before the segments are added. The norm is the last step."""
    segments = _without_norm(input_ids, weights, config, token_type_ids) - _without_norm(
        input_ids, weights, dict(config) | {"num_segments": 0}, None
    )
    x = table_embeddings(input_ids, weights, dict(config) | {"num_segments": 0})
    return x + segments
