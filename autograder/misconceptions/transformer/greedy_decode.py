"""Wrong answers to the exercise `greedy_decode`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import transformer

NextLogits = Callable[[Tensor], Tensor]


@misconception("greedy_decode")
def goes_on_after_the_end(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """A text that has ended goes on in your answer while others are not finished. Behind its end
    there is only padding."""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        ended = ended | (chosen == end_id)
        if ended.all():
            break
    return ids


@misconception("greedy_decode")
def padded_with_the_end(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You repeat the end token behind the end. What stands there is `pad_id`."""
    return transformer.greedy_decode(next_logits, start_ids, max_new_tokens, end_id, end_id)


@misconception("greedy_decode")
def stops_at_the_first_end(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You stop as soon as one text has ended. The others are not finished yet: stop when all have
    ended."""
    ids = start_ids
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        if (chosen == end_id).any():
            break
    return ids


@misconception("greedy_decode")
def all_must_end_at_once(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You go on after all texts have ended, unless they end in the same step. A text that ended
    earlier counts as well: keep in mind which have ended."""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        ended = ended | (chosen == end_id)
        if (chosen == end_id).all():
            break
    return ids


@misconception("greedy_decode")
def end_kept_for_one_step(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """One step after its end a text of yours is alive again. Whether it has ended must be kept from
    step to step: what happens to the old value when you work out the new one?"""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        ended = chosen == end_id
        if ended.all():
            break
    return ids


@misconception("greedy_decode")
def no_padding_at_all(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """Your texts go on after their end, and the search stops only if all of them get their end in
    the same step. Behind its end a text gets padding, and you keep in mind that it has ended."""
    ids = start_ids
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        if (chosen == end_id).all():
            break
    return ids


@misconception("greedy_decode")
def always_as_long_as_allowed(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You always add `max_new_tokens` columns. When all texts have ended there is nothing left to
    add: stop there."""
    ids = transformer.greedy_decode(next_logits, start_ids, max_new_tokens, end_id, pad_id)
    missing = start_ids.shape[1] + max_new_tokens - ids.shape[1]
    return torch.nn.functional.pad(ids, (0, missing), value=pad_id)


@misconception("greedy_decode")
def end_in_the_start_counts(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """A text whose start holds the end token is over in your answer before it begins. Only an end
    that was added counts."""
    ids = start_ids
    for _ in range(max_new_tokens):
        ended = (ids == end_id).any(1)
        if ended.all():
            break
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
    return ids


@misconception("greedy_decode")
def last_end_cut_off(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You stop before the last end is put into the text. It belongs to the result: add the column
    first, then look whether all have ended."""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)
        ended = ended | (chosen == end_id)
        if ended.all():
            break
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
    return ids


@misconception("greedy_decode")
def one_column_of_padding_too_many(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """Behind the last end you add one more column. You notice one step too late that all texts have
    ended."""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        if ended.all():
            break
        ended = ended | (chosen == end_id)
    return ids


@misconception("greedy_decode")
def sees_the_last_token_only(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You show the model nothing but the last token. It needs all tokens so far."""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids[:, -1:]).argmax(-1).masked_fill(ended, pad_id)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        ended = ended | (chosen == end_id)
        if ended.all():
            break
    return ids


@misconception("greedy_decode")
def padding_taken_for_an_end(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """A text that is given the padding's token by the model is over in your answer. Only the end
    token ends a text."""
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        ended = ended | (chosen == end_id) | (chosen == pad_id)
        if ended.all():
            break
    return ids


@misconception("greedy_decode")
def start_left_out(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You give only what was added. The result begins with `start_ids`."""
    ids = transformer.greedy_decode(next_logits, start_ids, max_new_tokens, end_id, pad_id)
    return ids[:, start_ids.shape[1] :]


@misconception("greedy_decode")
def least_probable(
    next_logits: NextLogits, start_ids: Tensor, max_new_tokens: int, end_id: int, pad_id: int
) -> Tensor:
    """You take the token with the smallest logit. The most probable token has the largest one."""
    return transformer.greedy_decode(
        lambda ids: -next_logits(ids), start_ids, max_new_tokens, end_id, pad_id
    )
