"""A small BLOOM of transformers, saved, and texts for it."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import BloomConfig, BloomForCausalLM

from tests.models.agreement import (
    randomise,
    reference,
)

_FOLDERS = tempfile.TemporaryDirectory()
VOCAB = 61


@cache
def saved(num_heads: int = 6, **changes: Any) -> tuple[BloomForCausalLM, Path]:
    """A small BLOOM of transformers with weights that bite, and the folder that it is saved in."""
    sizes = {
        "vocab_size": VOCAB,
        "hidden_size": 84 if num_heads in (6, 7, 12) else 8 * num_heads,
        "n_layer": 2,
        "n_head": num_heads,
        "layer_norm_epsilon": 1e-3,
        "eos_token_id": None,
    }
    model = randomise(BloomForCausalLM(BloomConfig(**(sizes | changes))))
    folder = Path(tempfile.mkdtemp(dir=_FOLDERS.name))
    model.save_pretrained(folder)
    return model, folder


def ours(num_heads: int = 6, **changes: Any) -> Any:
    """The same model in our code."""
    return reference("bloom").Bloom.from_pretrained(saved(num_heads, **changes)[1])


def tokens(batch: int = 3, time: int = 9, seed: int = 1) -> Tensor:
    """Texts of random tokens."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(VOCAB, (batch, time), generator=generator)


PADDED = [
    [1, 1, 1, 1, 1, 0, 0],  # on the right
    [0, 0, 1, 1, 1, 1, 1],  # on the left
    [1, 1, 0, 0, 1, 0, 1],  # in the middle
    [1, 1, 1, 1, 1, 1, 1],
]
