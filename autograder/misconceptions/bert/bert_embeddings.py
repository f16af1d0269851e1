"""Wrong answers to the exercise `bert_embeddings`."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import bert

Weights = Mapping[str, Tensor]


def _norm(total: Tensor, weights: Weights, eps: float) -> Tensor:
    return functional.layer_norm(total, total.shape[-1:], weights["weight"], weights["bias"], eps)


def _vectors(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights
) -> tuple[Tensor, Tensor, Tensor]:
    """The vectors of the tokens, of their positions and of their segments."""
    positions = torch.arange(input_ids.shape[1])
    return (
        weights["token_embedding"][input_ids],
        weights["position_embedding"][positions],
        weights["segment_embedding"][token_type_ids],
    )


@misconception("bert_embeddings")
def no_norm(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """You give the sum of the three vectors. The layer norm over the sum is missing."""
    token, position, segment = _vectors(input_ids, token_type_ids, weights)
    return token + position + segment


@misconception("bert_embeddings")
def gain_and_bias_forgotten(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """Your layer norm has no gain and no bias: hand over "weight" and "bias"."""
    token, position, segment = _vectors(input_ids, token_type_ids, weights)
    total = token + position + segment
    return functional.layer_norm(total, total.shape[-1:], eps=eps)


@misconception("bert_embeddings")
def eps_of_the_transformer(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """Your layer norm uses its own eps, 1e-5. Hand the argument `eps` on to it."""
    return bert.bert_embeddings(input_ids, token_type_ids, weights, 1e-5)


@misconception("bert_embeddings")
def positions_forgotten(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """The vector of the position is missing in your sum."""
    token, _, segment = _vectors(input_ids, token_type_ids, weights)
    return _norm(token + segment, weights, eps)


@misconception("bert_embeddings")
def segments_forgotten(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """The vector of the segment is missing in your sum."""
    token, position, _ = _vectors(input_ids, token_type_ids, weights)
    return _norm(token + position, weights, eps)


@misconception("bert_embeddings")
def positions_from_one(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """You count positions from 1. The first token of a text has position 0."""
    token, _, segment = _vectors(input_ids, token_type_ids, weights)
    position = weights["position_embedding"][torch.arange(1, input_ids.shape[1] + 1)]
    return _norm(token + position + segment, weights, eps)


@misconception("bert_embeddings")
def whole_table_of_positions(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """You add the whole table of positions. A text has T tokens, and the table may have more rows:
    take the first T."""
    token, _, segment = _vectors(input_ids, token_type_ids, weights)
    return _norm(token + weights["position_embedding"] + segment, weights, eps)


@misconception("bert_embeddings")
def position_of_the_token(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """You look up the position by the id of the token. It is the place in the text that counts: 0,
    1, 2 and so on."""
    token, _, segment = _vectors(input_ids, token_type_ids, weights)
    position = weights["position_embedding"][input_ids % len(weights["position_embedding"])]
    return _norm(token + position + segment, weights, eps)


@misconception("bert_embeddings")
def positions_anew_in_each_segment(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """Your positions begin anew in the second segment. They run on through the whole row."""
    token, _, segment = _vectors(input_ids, token_type_ids, weights)
    places = torch.arange(input_ids.shape[1]).expand(input_ids.shape)
    lengths = (token_type_ids == 0).sum(1, keepdim=True)
    places = torch.where(token_type_ids == 1, places - lengths, places)
    position = weights["position_embedding"][places.clamp(min=0)]
    return _norm(token + position + segment, weights, eps)


@misconception("bert_embeddings")
def segments_exchanged(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """Your segments have changed places: row 0 of the table belongs to segment 0."""
    return bert.bert_embeddings(input_ids, 1 - token_type_ids, weights, eps)


@misconception("bert_embeddings")
def times_the_root_of_d(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """You multiply the tokens by the root of D, as the Transformer does. BERT does not."""
    token, position, segment = _vectors(input_ids, token_type_ids, weights)
    return _norm(token * token.shape[-1] ** 0.5 + position + segment, weights, eps)


@misconception("bert_embeddings")
def only_the_tokens_normed(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """You norm the vectors of the tokens and add the others after that. Add first, then norm the
    sum."""
    token, position, segment = _vectors(input_ids, token_type_ids, weights)
    return _norm(token, weights, eps) + position + segment


@misconception("bert_embeddings")
def eps_fixed(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """Your eps is always 1e-12. That is only the default: hand on what the caller gives."""
    return bert.bert_embeddings(input_ids, token_type_ids, weights)


@misconception("bert_embeddings")
def gain_and_bias_exchanged(
    input_ids: Tensor, token_type_ids: Tensor, weights: Weights, eps: float = 1e-12
) -> Tensor:
    """Gain and bias have changed places: "weight" multiplies, "bias" is added."""
    changed = {**weights, "weight": weights["bias"], "bias": weights["weight"]}
    return bert.bert_embeddings(input_ids, token_type_ids, changed, eps)
