"""Wrong answers to the exercise `blank_infilling_batch`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import chatglm

Spans = list[list[tuple[int, int]]]
Batch = dict[str, Tensor]


def _real(batch: Batch) -> Tensor:
    """Where there is no padding, (B, T): a token sees itself, and padding sees nothing."""
    return batch["mask"].any(dim=2)


@misconception("blank_infilling_batch")
def padded_on_the_right(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You pad on the right. Here padding stands on the left, so that all texts end at the same
    place."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    order = torch.arange(batch["mask"].shape[1]).expand(len(texts), -1)
    order = (order + (~_real(batch)).sum(1, keepdim=True)) % batch["mask"].shape[1]
    rows = torch.arange(len(texts)).unsqueeze(1)
    return {
        "input_ids": batch["input_ids"].gather(1, order),
        "position_ids": torch.stack(
            [batch["position_ids"][:, which].gather(1, order) for which in (0, 1)], dim=1
        ),
        "targets": batch["targets"].gather(1, order),
        "mask": batch["mask"][rows.unsqueeze(2), order.unsqueeze(2), order.unsqueeze(1)],
    }


@misconception("blank_infilling_batch")
def padded_on_the_right_and_counted(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You pad on the right, behind the pieces. Padding stands on the left, in front, so that all
    texts end at the same place."""
    batch = padded_on_the_right(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = _real(batch)
    mask = chatglm.prefix_mask((batch["position_ids"][:, 1] == 0).sum(1), real.shape[1])
    return batch | {"mask": mask & real.unsqueeze(1) & real.unsqueeze(2)}


@misconception("blank_infilling_batch")
def padding_seen(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your mask lets tokens look at the padding, and the padding at tokens. It is left out of
    both: as a key and as a query."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    prefix = (batch["position_ids"][:, 1] == 0).sum(1)
    return batch | {"mask": chatglm.prefix_mask(prefix, batch["mask"].shape[1])}


@misconception("blank_infilling_batch")
def padding_looks(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Nobody looks at the padding with your mask, but the padding itself still looks at others.
    Its rows are False, too."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    prefix = (batch["position_ids"][:, 1] == 0).sum(1)
    mask = chatglm.prefix_mask(prefix, batch["mask"].shape[1])
    return batch | {"mask": mask & _real(batch).unsqueeze(1)}


@misconception("blank_infilling_batch")
def padding_told_by_its_id(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You take every `pad_id` for padding, in the midst of a text, too. Padding is what you have
    filled in yourself, in front."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = batch["input_ids"] != pad_id
    return batch | {"mask": batch["mask"] & real.unsqueeze(1) & real.unsqueeze(2)}


@misconception("blank_infilling_batch")
def prefix_without_the_padding(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your prefix ends too early in padded rows. `prefix_mask` wants the place where it ends in
    the row: the padding counts."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = _real(batch)
    prefix = ((batch["position_ids"][:, 1] == 0) & real).sum(1)
    mask = chatglm.prefix_mask(prefix, real.shape[1])
    return batch | {"mask": mask & real.unsqueeze(1) & real.unsqueeze(2)}


@misconception("blank_infilling_batch")
def causal_mask_alone(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your mask is causal in the prefix, too. There everybody sees everybody: use your
    `prefix_mask`."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    return batch | {"mask": batch["mask"].tril()}


@misconception("blank_infilling_batch")
def targets_filled_with_padding(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You fill the targets up with `pad_id`, so that the model would have to predict padding.
    Where nothing has to be predicted, the target is -100."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    return batch | {"targets": batch["targets"].where(_real(batch), pad_id)}


@misconception("blank_infilling_batch")
def positions_count_the_padding(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your first positions count the padding. They are those of the example, with 0 at the
    padding."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real, positions = _real(batch), batch["position_ids"].clone()
    positions[:, 0] += (~real).sum(1, keepdim=True) * real
    return batch | {"position_ids": positions}


@misconception("blank_infilling_batch")
def positions_stacked_in_front(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your positions have the axis of the two in front. The batch comes first: (B, 2, T)."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    return batch | {"position_ids": batch["position_ids"].transpose(0, 1)}


@misconception("blank_infilling_batch")
def mask_with_an_axis_for_the_heads(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your mask has an axis for the heads. Here it has the shape (B, T, T)."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    return batch | {"mask": batch["mask"].unsqueeze(1)}


@misconception("blank_infilling_batch")
def lists_of_two_lengths(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You stop with the shorter of the two lists. There must be a list of spans for each text:
    `zip` can be strict about that."""
    number = min(len(texts), len(spans))
    return chatglm.blank_infilling_batch(
        texts[:number], spans[:number], mask_id, bos_id, eos_id, pad_id
    )


@misconception("blank_infilling_batch")
def not_padded_at_all(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You make a tensor of lists of different lengths. Pad them first."""
    rows = [
        chatglm.blank_infilling_example(text, one, mask_id, bos_id, eos_id)
        for text, one in zip(texts, spans, strict=True)
    ]
    torch.tensor([row["input_ids"] for row in rows])
    return chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)


@misconception("blank_infilling_batch")
def prefix_ends_at_the_first_bos(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You look for the end of the prefix by the number of `bos_id`, and a word of the text may have
    the same number. Where does the example itself say what is prefix?"""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = _real(batch)
    ends = [
        int(padding) + row[int(padding) :].index(bos_id)
        for row, padding in zip(batch["input_ids"].tolist(), (~real).sum(1), strict=True)
    ]
    mask = chatglm.prefix_mask(torch.tensor(ends), real.shape[1])
    return batch | {"mask": mask & real.unsqueeze(1) & real.unsqueeze(2)}


@misconception("blank_infilling_batch")
def padding_looked_at(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Padding looks nowhere with your mask, but others still look at it. Its columns are False,
    too."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = _real(batch)
    mask = chatglm.prefix_mask((batch["position_ids"][:, 1] == 0).sum(1), real.shape[1])
    return batch | {"mask": mask & real.unsqueeze(2)}


@misconception("blank_infilling_batch")
def joined_by_or(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You join the prefix mask and the real tokens by `|`, so that one of them is enough. A token
    may be looked at if the prefix mask says so *and* it is no padding."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = _real(batch)
    mask = chatglm.prefix_mask((batch["position_ids"][:, 1] == 0).sum(1), real.shape[1])
    return batch | {"mask": mask | (real.unsqueeze(1) & real.unsqueeze(2))}


@misconception("blank_infilling_batch")
def ids_filled_with_0(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """You fill the ids up with 0. The number of the padding is `pad_id`, which may be another
    one."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    return batch | {"input_ids": batch["input_ids"].where(_real(batch), 0)}


@misconception("blank_infilling_batch")
def one_blank_for_all_pieces(
    texts: list[list[int]], spans: Spans, mask_id: int, bos_id: int, eos_id: int, pad_id: int
) -> Batch:
    """Your positions are those of a text with one blank. `position_ids_2d` knows one mask token
    only; with several blanks take the positions that the example has."""
    batch = chatglm.blank_infilling_batch(texts, spans, mask_id, bos_id, eos_id, pad_id)
    real = _real(batch)
    padding, prefix = (~real).sum(1), (batch["position_ids"][:, 1] == 0).sum(1)
    masks = [row.index(mask_id) for row in batch["input_ids"].tolist()]
    return batch | {
        "position_ids": chatglm.position_ids_2d(prefix, torch.tensor(masks), real.shape[1], padding)
    }
