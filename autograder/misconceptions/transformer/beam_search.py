"""Wrong answers to the exercise `beam_search`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import transformer

NextLogits = Callable[[Tensor, Tensor], Tensor]


def _search(
    mistake: str,
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float,
) -> Tensor:
    """The search of the reference, with one mistake."""
    batch, start_time = start_ids.shape
    rows = torch.arange(batch * num_beams)
    parents, first_rows = rows, rows[::num_beams].unsqueeze(1)
    ids = start_ids.repeat_interleave(num_beams, dim=0)
    log_p = torch.zeros(len(rows))
    if mistake != "all beams begin":
        log_p[rows % num_beams != 0] = -torch.inf
    ended = torch.zeros(len(rows), dtype=torch.bool)
    if mistake == "end in the start":
        ended = (ids == end_id).any(1)
    lengths = torch.zeros(len(rows), dtype=torch.int64)
    if mistake == "start counted":
        lengths += start_time
    for _ in range(max_new_tokens):
        step = next_logits(ids, rows if mistake == "parents not told" else parents)
        if mistake != "logits summed":
            step = step.log_softmax(-1)
        if mistake != "ended beams grow":
            padding = torch.full_like(step[0], -torch.inf)
            padding[pad_id] = 0
            if mistake == "ended beams may write":
                step[ended, pad_id] = 0
            elif mistake == "padding adds to the score":
                step[ended] = torch.where(padding == 0, step[ended], padding)
            else:
                step[ended] = padding
        extended = log_p.unsqueeze(1) + step
        lengths = lengths + ~ended
        n = lengths.unsqueeze(1)
        if mistake == "end not counted":
            n = n - (ended.unsqueeze(1) | (torch.arange(step.shape[1]) == end_id)).long()
        penalty = ((5 + n) / 6) ** length_penalty
        if mistake == "power of the length":
            penalty = n**length_penalty
        if mistake == "penalty multiplied":
            penalty = 1 / penalty
        scores = (extended / penalty).reshape(batch, -1)
        best = scores.topk(num_beams).indices
        chosen = (best % step.shape[1]).flatten()
        offsets = 0 if mistake == "parents within the text" else first_rows
        parents = (offsets + best // step.shape[1]).flatten()
        if mistake == "each beam by itself" and ids.shape[1] > start_time:
            chosen, parents = step.argmax(-1), rows
        log_p = extended[parents, chosen]
        if mistake == "penalty again and again":
            log_p = (extended / penalty)[parents, chosen]
        before = ids if mistake == "texts not reordered" else ids[parents]
        ids = torch.cat([before, chosen.unsqueeze(1)], dim=1)
        if mistake != "ends not reordered":
            ended, lengths = ended[parents], lengths[parents]
        ended = ended | (chosen == end_id)
        best_ended = ended[::num_beams].all()
        if (mistake == "stops with the best" and best_ended) or ended.all():
            break
    if mistake == "each beam by itself":
        n = lengths.to(log_p.dtype)
        scores = (log_p / ((5 + n) / 6) ** length_penalty).reshape(batch, num_beams)
        winners = first_rows.squeeze(1) + scores.argmax(1)
        return ids[winners, : start_time + int(lengths[winners].max())]
    if mistake == "last of the beams":
        return ids[num_beams - 1 :: num_beams]
    if mistake == "trailing padding":
        return ids[::num_beams]
    longest = start_time + int(lengths[::num_beams].max())
    if mistake == "start counted":
        longest -= start_time
    return ids[::num_beams, :longest]


@misconception("beam_search")
def all_beams_begin(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """In your first step all K beams of a text are the same, so the best extension is taken K
    times, and they stay the same. Let only one of them be extended in the first step."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("all beams begin", next_logits, start_ids, *sizes)


@misconception("beam_search")
def texts_not_reordered(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You append the chosen token to whatever stands in the row. Each new beam continues its
    parent: take the parent's tokens first."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("texts not reordered", next_logits, start_ids, *sizes)


@misconception("beam_search")
def parents_not_told(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You don't tell the model which row each beam continues, so it goes on with the memory of
    another beam. Hand over the parents of the step before."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("parents not told", next_logits, start_ids, *sizes)


@misconception("beam_search")
def parents_counted_within_a_text(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Your parents are counted from 0 within each text. They are rows of the whole batch: the
    beams of text b begin at row b * K."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("parents within the text", next_logits, start_ids, *sizes)


@misconception("beam_search")
def ended_and_lengths_not_reordered(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You move the texts to their new rows, but not what you know about each: whether it has
    ended, and how long it is. All that belongs to a beam moves with it."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("ends not reordered", next_logits, start_ids, *sizes)


@misconception("beam_search")
def ended_beams_grow(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Your beams go on after their end. A beam that has ended is extended by padding only."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("ended beams grow", next_logits, start_ids, *sizes)


@misconception("beam_search")
def ended_beams_may_write(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """A beam that has ended gets padding for nothing, but it can still be extended by other tokens.
    Make them impossible: what log-probability is that?"""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("ended beams may write", next_logits, start_ids, *sizes)


@misconception("beam_search")
def padding_adds_to_the_score(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """In your search padding makes a beam that has ended less probable from step to step. Padding
    changes neither its probability nor its length."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("padding adds to the score", next_logits, start_ids, *sizes)


@misconception("beam_search")
def stops_with_the_best(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You stop as soon as the best beams have ended. One of the others may still overtake them:
    the search is over when all beams have ended."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("stops with the best", next_logits, start_ids, *sizes)


@misconception("beam_search")
def each_beam_by_itself(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """After the first step each of your beams takes its own best token, as if it were alone. The
    extensions of all beams of a text compete: the best K of these K * V stay."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("each beam by itself", next_logits, start_ids, *sizes)


@misconception("beam_search")
def logits_summed(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You add up logits. Only log-probabilities can be compared between beams: turn the logits
    into them first."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("logits summed", next_logits, start_ids, *sizes)


@misconception("beam_search")
def last_of_the_beams(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You give the last of the beams. Which one has the best score?"""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("last of the beams", next_logits, start_ids, *sizes)


@misconception("beam_search")
def trailing_padding(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Your result has columns in which there is nothing but padding. The search went on for beams
    that did not win: cut the result behind the longest text in it."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("trailing padding", next_logits, start_ids, *sizes)


@misconception("beam_search")
def end_in_the_start_counts(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """A text whose start holds the end token is over in your answer before it begins. Only an end
    that was added counts."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("end in the start", next_logits, start_ids, *sizes)


@misconception("beam_search")
def penalty_of_the_length_alone(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You divide by a power of the length. Look at the formula: 5 is added to it, and the sum is
    divided by 6."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("power of the length", next_logits, start_ids, *sizes)


@misconception("beam_search")
def penalty_multiplied(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You multiply by the penalty, so that long texts suffer twice. The score is the
    log-probability divided by it."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("penalty multiplied", next_logits, start_ids, *sizes)


@misconception("beam_search")
def start_counts_as_length(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You count the start in the length. Only tokens that were added count."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("start counted", next_logits, start_ids, *sizes)


@misconception("beam_search")
def end_does_not_count(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You leave the end token out of the length. It is one of the tokens that were added, so it
    counts."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("end not counted", next_logits, start_ids, *sizes)


@misconception("beam_search")
def penalty_again_and_again(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You keep the score, penalty and all, as the log-probability of the next step, so that it is
    divided again and again. Keep the log-probability as it is, and divide a copy for the
    comparison."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id, length_penalty)
    return _search("penalty again and again", next_logits, start_ids, *sizes)


@misconception("beam_search")
def penalty_ignored(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Your length penalty changes nothing. Either you leave it out, or all beams of a step have the
    same length for you: that of a beam that has ended stands still."""
    sizes = (max_new_tokens, num_beams, end_id, pad_id)
    return transformer.beam_search(next_logits, start_ids, *sizes)


@misconception("beam_search")
def ended_beams_leave_room(
    next_logits: NextLogits,
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """You put ended texts aside and go on with K others. Here a beam that has ended stays one of
    the K: the fewer are left, the fewer are searched."""
    batch = len(start_ids)
    parents = torch.arange(batch * num_beams)
    ids = start_ids.repeat_interleave(num_beams, dim=0)
    log_p = torch.zeros(len(ids)).masked_fill(parents % num_beams != 0, -torch.inf)
    done: list[list[tuple[float, Tensor]]] = [[] for _ in range(batch)]
    for n in range(1, max_new_tokens + 1):
        extended = log_p.unsqueeze(1) + next_logits(ids, parents).log_softmax(-1)
        vocab_size = extended.shape[1]
        best = extended.reshape(batch, -1).topk(2 * num_beams).indices
        going_on = []
        for b, candidates in enumerate(best.tolist()):
            rows = [(b * num_beams + one // vocab_size, one % vocab_size) for one in candidates]
            for row, token in rows:
                if token == end_id:
                    score = float(extended[row, token]) / ((5 + n) / 6) ** length_penalty
                    done[b].append((score, torch.cat([ids[row], torch.tensor([end_id])])))
            going_on += [one for one in rows if one[1] != end_id][:num_beams]
        parents, chosen = torch.tensor(going_on).T
        ids = torch.cat([ids[parents], chosen.unsqueeze(1)], dim=1)
        log_p = extended[parents, chosen]
        if all(len(texts) >= num_beams for texts in done):
            break
    last = ids[::num_beams]
    winners = [
        max(texts, key=lambda one: one[0])[1] if texts else text
        for texts, text in zip(done, last, strict=True)
    ]
    return torch.nn.utils.rnn.pad_sequence(winners, batch_first=True, padding_value=pad_id)
