"""Tiny models and texts for the tests of ChatGLM.

`tests/data/chatglm-2l` has a checkpoint in the released layout and the outputs of the released
code (`cases.json` says which).
"""

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.models.agreement import randomise, reference

DATA = Path(__file__).parents[1] / "data" / "chatglm-2l"
PAD, MASK, GMASK, BOS, EOS = 3, 4, 5, 6, 7


@cache
def case(name: str) -> dict[str, Tensor]:
    """The tensors of one of the cases, such as "in.input_ids" and "out.logits"."""
    return load_file(DATA / "cases" / f"{name}.safetensors")


FULL = (
    "gmask_prefix",
    "mask_infill",
    "prompt_only",
    "empty_context",
    "batch_same_length",
    "left_padded_batch",
    "long",
    "kv_cache",
)
DERIVED = FULL[:-1]  # those with mask and positions


def released(**options: Any) -> Any:
    """Our model with the tiny checkpoint."""
    return reference("chatglm").ChatGLM.from_pretrained(DATA, **options)


def table(num_heads: int = 3, **changes: Any) -> Any:
    """Our model of the lecture's table, with weights that bite."""
    sizes = {
        "vocab_size": 23,
        "hidden_size": 8 * num_heads,
        "num_layers": 2,
        "num_heads": num_heads,
        "intermediate_size": 10,
        "max_positions": 32,
        "norm_eps": 1e-3,
        "pad_id": PAD,
        "mask_id": MASK,
        "gmask_id": GMASK,
        "bos_id": BOS,
        "end_ids": (EOS,),
    }
    chatglm = reference("chatglm")
    return randomise(chatglm.ChatGLM(chatglm.ChatGLMConfig(**(sizes | changes))))


# Each has one feature that the fixture has no case for.
TEXTS = {
    "gmask counts, not an earlier mask": [9, MASK, 10, GMASK, BOS, 11, 12],
    "the first of two masks counts": [9, MASK, 10, MASK, 11, BOS, 12, 13],
    "the first of two gmasks counts": [GMASK, 10, GMASK, BOS, 12, 13],
    "masks behind BOS do not count": [9, MASK, 10, BOS, 11, GMASK, 12, MASK],
    "no prefix": [BOS, 8, 9, 10],
    "no prefix, and a mask behind BOS": [BOS, 8, MASK, 9],
    "no BOS: all is prefix": [8, 9, GMASK, 10, 11],
    "no BOS and no mask": [8, 9, 10],
    "a second BOS is a token": [8, MASK, 9, BOS, 10, BOS, 11],
    "padding": [PAD, PAD, 8, 9, MASK, 10, BOS, 11, 12],
    "a pad id in the text is a token": [PAD, 8, PAD, 9, GMASK, BOS, PAD, 11],
    "padding before BOS": [PAD, PAD, BOS, 8, 9],
    "one token": [8],
    "BOS alone": [BOS],
}


def real(ids: Tensor) -> Tensor:
    """True where `input_ids` are no padding on the left."""
    return (ids != PAD).cumsum(1) > 0


def in_pieces(ids: Tensor, *cuts: int) -> list[Tensor]:
    """A first piece, pieces that end at the cuts, and the rest one by one."""
    edges = [0, *cuts, *range(cuts[-1] + 1, ids.shape[1] + 1)]
    return [ids[:, start:end] for start, end in pairwise(edges)]


def mix(logits: Tensor) -> Tensor:
    """Weights for a sum over logits, so that each of their gradients matters."""
    return torch.linspace(-1, 1, logits.numel(), dtype=logits.dtype).reshape(logits.shape)


BLANKS = [[8, 9, 10, 11, 12, 13], [14, 15, 16, 17]]
SPANS = [[(4, 6), (2, 3)], [(0, 2), (3, 4)]]
