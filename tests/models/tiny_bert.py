"""A small BERT of transformers, saved, and texts for it."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import BertConfig, BertForPreTraining

from tests.models.agreement import (
    randomise,
)

_FOLDERS = tempfile.TemporaryDirectory()


@cache
def saved(num_heads: int = 6, **changes: Any) -> tuple[BertForPreTraining, Path]:
    """A small BERT of transformers with weights that bite, and the folder that it is saved in."""
    sizes = {
        "vocab_size": 61,
        "hidden_size": 84 if num_heads in (6, 7, 12) else 8 * num_heads,
        "num_hidden_layers": 2,
        "num_attention_heads": num_heads,
        "intermediate_size": 40,
        "max_position_embeddings": 24,
        "layer_norm_eps": 1e-3,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "attn_implementation": "eager",
    }
    model = randomise(BertForPreTraining(BertConfig(**(sizes | changes))))
    folder = Path(tempfile.mkdtemp(dir=_FOLDERS.name))
    model.save_pretrained(folder)
    return model, folder


def inputs(mask: list[list[int]] | None = None, seed: int = 1) -> dict[str, Tensor]:
    """Three texts of 9 tokens, or as many as the mask has, in two segments."""
    generator = torch.Generator().manual_seed(seed)
    shape = (3, 9) if mask is None else (len(mask), len(mask[0]))
    given = {
        "input_ids": torch.randint(61, shape, generator=generator),
        "token_type_ids": torch.randint(2, shape, generator=generator),
    }
    if mask is not None:
        given["attention_mask"] = torch.tensor(mask)
    return given


PADDED = [
    [1, 1, 1, 1, 1, 0, 0],  # on the right
    [0, 0, 1, 1, 1, 1, 1],  # on the left
    [1, 1, 0, 0, 1, 0, 1],  # in the middle
    [1, 1, 1, 1, 1, 1, 1],
]
