"""Wrong answers to the exercise `blank_infilling_example`."""

from __future__ import annotations

from autograder.misconceptions import misconception
from solutions import chatglm

Spans = list[tuple[int, int]]
Example = dict[str, list[int]]


def _pieces(example: Example, spans: Spans) -> list[slice]:
    """Where the pieces lie in an example."""
    start = example["second_positions"].count(0)
    places = []
    for first, end in spans:
        places.append(slice(start, start + end - first + 1))
        start = places[-1].stop
    return places


@misconception("blank_infilling_example")
def one_mask_for_each_token(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You leave as many mask tokens as the span had tokens, as BERT does. GLM leaves one for each
    span, so that its length is not given away."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    pieces = example["input_ids"][example["second_positions"].count(0) :]
    corrupted = list(text)
    for start, end in spans:
        corrupted[start:end] = [mask_id] * (end - start)
    first = list(range(len(corrupted)))
    for start, end in spans:
        first += [start] * (end - start + 1)
    second = [0] * len(corrupted) + [one for one in example["second_positions"] if one]
    targets = [-100] * len(corrupted) + [one for one in example["targets"] if one != -100]
    return {
        "input_ids": corrupted + pieces,
        "first_positions": first,
        "second_positions": second,
        "targets": targets,
    }


@misconception("blank_infilling_example")
def place_in_the_whole_text(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You give a piece the place at which its span began in the whole text. What counts is where
    its mask token stands in the corrupted text, which is shorter."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    for (start, end), piece in zip(spans, _pieces(example, spans), strict=True):
        example["first_positions"][piece] = [start] * (end - start + 1)
    return example


@misconception("blank_infilling_example")
def pieces_in_sorted_order(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your pieces follow in the order of the text. They follow in the order in which the spans are
    given."""
    return chatglm.blank_infilling_example(text, sorted(spans), mask_id, bos_id, eos_id)


@misconception("blank_infilling_example")
def eos_among_the_inputs(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You put `eos_id` behind each piece, as an input. It occurs in the targets only: it is what
    the model has to say at the last token."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    for piece in reversed(_pieces(example, spans)):
        end = piece.stop
        example["input_ids"].insert(end, eos_id)
        example["first_positions"].insert(end, example["first_positions"][end - 1])
        example["second_positions"].insert(end, example["second_positions"][end - 1] + 1)
        example["targets"].insert(end, -100)
    return example


@misconception("blank_infilling_example")
def targets_not_shifted(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your targets are the tokens themselves. At each token the *next* one has to be predicted: at
    `bos_id` the first of the piece."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    prefix = example["second_positions"].count(0)
    example["targets"] = [-100] * prefix + example["input_ids"][prefix:]
    return example


@misconception("blank_infilling_example")
def no_target_at_the_end(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """At the last token of a piece you have no target. There the model has to say `eos_id`, or it
    would never learn to stop."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    for piece in _pieces(example, spans):
        example["targets"][piece.stop - 1] = -100
    return example


@misconception("blank_infilling_example")
def prefix_has_targets(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You let the model predict the next token in the prefix, too. There every token sees all of
    the prefix, so nothing is to be predicted: -100."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    prefix = example["second_positions"].count(0)
    example["targets"][: prefix - 1] = example["input_ids"][1:prefix]
    return example


@misconception("blank_infilling_example")
def no_bos(text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int) -> Example:
    """Your pieces have no `bos_id` in front. It starts each piece, and at it the first token of
    the piece is predicted."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    for piece in reversed(_pieces(example, spans)):
        for numbers in example.values():
            del numbers[piece.start]
        length = piece.stop - piece.start - 1
        example["second_positions"][piece.start : piece.stop - 1] = range(1, length + 1)
    return example


@misconception("blank_infilling_example")
def counts_through_all_pieces(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your second positions count through all the pieces. They begin at 1 in each piece anew."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    prefix = example["second_positions"].count(0)
    behind = len(example["input_ids"]) - prefix
    example["second_positions"] = [0] * prefix + list(range(1, behind + 1))
    return example


@misconception("blank_infilling_example")
def second_positions_from_0(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your second positions begin with 0 in a piece. 0 is for the prefix: `bos_id` has 1."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    example["second_positions"] = [max(0, one - 1) for one in example["second_positions"]]
    return example


@misconception("blank_infilling_example")
def first_positions_go_on(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your first positions go on counting behind the prefix. All tokens of a piece have the place
    of the mask token that they fill."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    return example | {"first_positions": list(range(len(example["input_ids"])))}


@misconception("blank_infilling_example")
def nothing_is_refused(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your function gives an example where there is no span to fill in. Raise a ValueError where
    nothing can be learned."""
    if spans:
        return chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    ids = list(text)
    return {
        "input_ids": ids,
        "first_positions": list(range(len(ids))),
        "second_positions": [0] * len(ids),
        "targets": [-100] * len(ids),
    }


@misconception("blank_infilling_example")
def touching_spans_refused(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You refuse two spans that touch. They may: the end of one is the start of the other, and no
    token belongs to both."""
    ends = {end for _, end in spans}
    if any(start in ends for start, end in spans if start != end):
        raise ValueError("two spans touch or overlap")
    return chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)


@misconception("blank_infilling_example")
def mask_looked_for_by_its_id(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You look for the mask tokens by their number in the corrupted text, and a word of the text
    may have the same number. Note down where you put each of them."""
    example = chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
    places = [place for place, token in enumerate(example["input_ids"]) if token == mask_id]
    ranks = {span: rank for rank, span in enumerate(sorted(spans))}
    for span, piece in zip(spans, _pieces(example, spans), strict=True):
        example["first_positions"][piece] = [places[ranks[span]]] * (piece.stop - piece.start)
    return example


@misconception("blank_infilling_example")
def end_belongs_to_the_span(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You take the token at `end` into the span, too. A span is (start, end) without the token at
    end, as in a slice."""
    if not spans:
        raise ValueError("no spans")
    ids: list[int] = []
    places, done = {}, 0
    for start, end in sorted(spans):
        if not done <= start < end <= len(text):
            raise ValueError("a span is empty, outside or overlaps another")
        ids += text[done:start]
        places[start] = len(ids)
        ids.append(mask_id)
        done = end + 1
    ids += text[done:]
    first, second, targets = list(range(len(ids))), [0] * len(ids), [-100] * len(ids)
    for start, end in spans:
        piece = text[start : end + 1]
        ids += [bos_id, *piece]
        targets += [*piece, eos_id]
        first += [places[start]] * (len(piece) + 1)
        second += range(1, len(piece) + 2)
    return {
        "input_ids": ids,
        "first_positions": first,
        "second_positions": second,
        "targets": targets,
    }


@misconception("blank_infilling_example")
def touching_spans_merged(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """You make one blank of two spans that touch. They stay two: each has a mask token and a piece
    of its own."""
    merged: Spans = []
    for start, end in sorted(spans):
        if merged and merged[-1][1] == start < end:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    same = len(merged) == len(spans)
    return chatglm.blank_infilling_example(text, spans if same else merged, mask_id, bos_id, eos_id)


@misconception("blank_infilling_example")
def spans_sorted_in_place(
    text: list[int], spans: Spans, mask_id: int, bos_id: int, eos_id: int
) -> Example:
    """Your pieces follow in the order of the text, since `spans.sort()` changes the list that you
    were given. `sorted(spans)` gives a new one, and leaves the order in which the pieces follow."""
    spans.sort()
    return chatglm.blank_infilling_example(text, spans, mask_id, bos_id, eos_id)
