"""Wrong answers to the exercise `sample_top_p`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception


def _ordered(logits: Tensor) -> tuple[Tensor, Tensor]:
    probabilities = logits.softmax(-1)
    token_ids = probabilities.argsort(dim=-1, descending=True, stable=True)
    return token_ids, probabilities.gather(-1, token_ids)


def _draw(token_ids: Tensor, kept: Tensor, draws: Tensor, rescale: bool = True) -> Tensor:
    upto = kept.cumsum(-1)
    level = draws.unsqueeze(-1) * (upto[:, -1:] if rescale else 1)
    place = (upto <= level).sum(-1, keepdim=True).clamp(max=token_ids.shape[-1] - 1)
    return token_ids.gather(-1, place).squeeze(-1)


def _kept(logits: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The tokens in order, and their probabilities, 0 where they are cut off."""
    token_ids, ordered = _ordered(logits)
    return token_ids, _cut(ordered, ordered.cumsum(-1) - ordered < top_p)


def _cut(ordered: Tensor, keep: Tensor) -> Tensor:
    return torch.where(keep, ordered, torch.zeros_like(ordered))


@misconception("sample_top_p")
def top_p_not_used(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You draw from all tokens. `top_p` says where the tail is cut off."""
    token_ids, ordered = _ordered(logits)
    return _draw(token_ids, ordered, draws)


@misconception("sample_top_p")
def token_that_crosses_is_dropped(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You drop the token with which the sum reaches `top_p`. Without it, those that you keep have
    less than that together. (The first token is always kept.)"""
    token_ids, ordered = _ordered(logits)
    keep = ordered.cumsum(-1) <= top_p
    keep[:, 0] = True
    return _draw(token_ids, _cut(ordered, keep), draws)


@misconception("sample_top_p")
def one_token_too_many(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You keep one token more than needed: as soon as those in front have `top_p` together, the
    rest goes."""
    token_ids, ordered = _ordered(logits)
    before = ordered.cumsum(-1) - ordered
    keep = before < top_p
    keep = torch.cat([keep[:, :1], keep[:, :-1]], dim=1)
    return _draw(token_ids, _cut(ordered, keep), draws)


@misconception("sample_top_p")
def not_made_to_sum_to_one(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """The probabilities of the tokens that you keep sum to less than 1, so a large draw goes past
    the last of them. Divide by their sum."""
    token_ids, ordered = _ordered(logits)
    keep = ordered.cumsum(-1) - ordered < top_p
    kept = _cut(ordered, keep)
    upto = kept.cumsum(-1)
    place = (upto <= draws.unsqueeze(-1)).sum(-1, keepdim=True)
    last = keep.sum(-1, keepdim=True) - 1
    return token_ids.gather(-1, torch.minimum(place, last)).squeeze(-1)


@misconception("sample_top_p")
def tail_lives_on(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """A large draw gives a token that was cut off: the probabilities that you keep don't sum to 1.
    Divide by their sum."""
    token_ids, ordered = _ordered(logits)
    keep = ordered.cumsum(-1) - ordered < top_p
    return _draw(token_ids, _cut(ordered, keep), draws, rescale=False)


@misconception("sample_top_p")
def each_token_on_its_own(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You keep the tokens whose own probability is at least `top_p`. It is their sum that counts,
    from the most probable one on."""
    token_ids, ordered = _ordered(logits)
    keep = ordered >= top_p
    keep[:, 0] = True
    return _draw(token_ids, _cut(ordered, keep), draws)


@misconception("sample_top_p")
def least_probable_first(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You begin with the least probable token. Which way does `sort` go unless told otherwise?"""
    probabilities = logits.softmax(-1)
    ordered, token_ids = probabilities.sort(dim=-1, stable=True)
    keep = ordered.cumsum(-1) - ordered < top_p
    return _draw(token_ids, _cut(ordered, keep), draws)


@misconception("sample_top_p")
def place_in_the_order_returned(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You give back the place in the sorted row: 0 for the most probable token. Which token stands
    at that place?"""
    token_ids, ordered = _ordered(logits)
    keep = ordered.cumsum(-1) - ordered < top_p
    places = torch.arange(logits.shape[-1]).expand_as(token_ids)
    return _draw(places, _cut(ordered, keep), draws)


@misconception("sample_top_p")
def added_up_in_the_order_of_ids(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You keep the right tokens, but you add them up in the order of their ids. The docstring says
    which order a draw refers to."""
    token_ids, ordered = _ordered(logits)
    kept = _cut(ordered, ordered.cumsum(-1) - ordered < top_p)
    by_id = torch.zeros_like(kept).scatter(-1, token_ids, kept)
    return _draw(torch.arange(logits.shape[-1]).expand_as(token_ids), by_id, draws)


@misconception("sample_top_p")
def always_the_most_probable(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You always take the most probable token: `draws` says which of the kept ones it is."""
    return logits.argmax(-1)


@misconception("sample_top_p")
def softmax_along_the_batch(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """Your softmax runs along the texts. The probabilities of one text, a row, sum to 1."""
    probabilities = logits.softmax(0)
    token_ids = probabilities.argsort(dim=-1, descending=True, stable=True)
    ordered = probabilities.gather(-1, token_ids)
    kept = _cut(ordered, ordered.cumsum(-1) - ordered < top_p)
    return _draw(token_ids, kept, draws)


@misconception("sample_top_p")
def logits_taken_for_probabilities(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You treat logits as probabilities. A softmax makes probabilities of them."""
    token_ids = logits.argsort(dim=-1, descending=True, stable=True)
    ordered = logits.gather(-1, token_ids)
    kept = _cut(ordered, ordered.cumsum(-1) - ordered < top_p)
    return _draw(token_ids, kept, draws)


@misconception("sample_top_p")
def column_returned(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """Your result has an axis too many, of length 1. Wanted is one number for each text."""
    token_ids, ordered = _ordered(logits)
    kept = _cut(ordered, ordered.cumsum(-1) - ordered < top_p)
    return _draw(token_ids, kept, draws).unsqueeze(-1)


@misconception("sample_top_p")
def exponentials_not_divided(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You compare `top_p` with exponentials that don't sum to 1. A softmax divides them by their
    sum."""
    token_ids, _ = _ordered(logits)
    powers = logits.exp().gather(-1, token_ids)
    return _draw(token_ids, _cut(powers, powers.cumsum(-1) - powers < top_p), draws)


@misconception("sample_top_p")
def place_behind_the_row(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """Your place lies behind the end of the row: the probabilities that you keep sum to less than
    1, and the draw is larger. Divide by their sum."""
    token_ids, kept = _kept(logits, top_p)
    place = (kept.cumsum(-1) <= draws.unsqueeze(-1)).sum(-1, keepdim=True)
    return token_ids.gather(-1, place).squeeze(-1)


@misconception("sample_top_p")
def last_sum_below_the_draw(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """No sum of yours is above this draw, which is just below 1: rounding has left the last sum a
    hair smaller. Divide the sums themselves by the last one."""
    token_ids, kept = _kept(logits, top_p)
    upto = (kept / kept.sum(-1, keepdim=True)).cumsum(-1)
    place = (upto <= draws.unsqueeze(-1)).sum(-1, keepdim=True)
    return token_ids.gather(-1, place).squeeze(-1)


@misconception("sample_top_p")
def end_of_the_row_in_place_of_the_last_kept(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """A draw just below 1 gives a token that was cut off: rounding has left your last sum a hair
    smaller, and you go on to the end of the row. The last token that is kept is meant."""
    token_ids, kept = _kept(logits, top_p)
    upto = (kept / kept.sum(-1, keepdim=True)).cumsum(-1)
    place = (upto <= draws.unsqueeze(-1)).sum(-1, keepdim=True)
    return token_ids.gather(-1, place.clamp(max=logits.shape[-1] - 1)).squeeze(-1)


@misconception("sample_top_p")
def first_token_where_no_sum_is_above(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """A draw just below 1 gives the first token: rounding has left your last sum a hair smaller, so
    that no sum is above the draw, and `argmax` of nothing but zeros is 0."""
    token_ids, kept = _kept(logits, top_p)
    upto = (kept / kept.sum(-1, keepdim=True)).cumsum(-1)
    place = (upto > draws.unsqueeze(-1)).int().argmax(-1, keepdim=True)
    return token_ids.gather(-1, place).squeeze(-1)


@misconception("sample_top_p")
def border_belongs_to_the_left(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """Your draw lies exactly on the border between two tokens, and you take the first of them. The
    sum has to be above the draw, and not equal to it."""
    token_ids, kept = _kept(logits, top_p)
    upto = kept.cumsum(-1)
    place = (upto < draws.unsqueeze(-1) * upto[:, -1:]).sum(-1, keepdim=True)
    return token_ids.gather(-1, place).squeeze(-1)


@misconception("sample_top_p")
def one_more_where_the_sum_is_exact(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You keep one token more where the sum is exactly `top_p`. At least that much together is
    enough."""
    token_ids, ordered = _ordered(logits)
    return _draw(token_ids, _cut(ordered, ordered.cumsum(-1) - ordered <= top_p), draws)


@misconception("sample_top_p")
def equal_ones_turned_round(logits: Tensor, top_p: float, draws: Tensor) -> Tensor:
    """You sort upwards and turn the order round. So equal tokens come with the larger id first:
    the docstring wants the smaller one."""
    probabilities = logits.softmax(-1)
    token_ids = probabilities.argsort(dim=-1, stable=True).flip(-1)
    ordered = probabilities.gather(-1, token_ids)
    return _draw(token_ids, _cut(ordered, ordered.cumsum(-1) - ordered < top_p), draws)
