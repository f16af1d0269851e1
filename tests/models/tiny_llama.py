"""Small LLaMAs of transformers, saved, and texts for them: what several test modules share."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from tests.models.agreement import randomise, reference

FOLDERS = tempfile.TemporaryDirectory()

LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 300.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 3.0,
    "original_max_position_embeddings": 24,
}

# Grouped queries unless the case says something else; 12 heads of 8 are wider than the vectors.
CASES: dict[str, dict[str, Any]] = {
    "6 heads in 2 groups": {},
    "6 heads, multi-query, wide": {"num_key_value_heads": 1, "head_dim": 20},
    "7 heads, multi-head, tied": {
        "num_attention_heads": 7,
        "num_key_value_heads": 7,
        "tie_word_embeddings": True,
    },
    "12 heads in 4 groups, biases": {
        "num_attention_heads": 12,
        "num_key_value_heads": 4,
        "head_dim": 8,
        "attention_bias": True,
        "mlp_bias": True,
    },
    "another eps and theta": {
        "rms_norm_eps": 0.1,
        "rope_parameters": {"rope_type": "default", "rope_theta": 2e5},
    },
    "linear": {
        "rope_parameters": {"rope_type": "linear", "rope_theta": 500.0, "factor": 2.5},
    },
    "llama3": {"rope_parameters": LLAMA3},
    "a token of padding that occurs": {"pad_token_id": 56},
}

PADDED = [
    [1, 1, 1, 1, 1, 0, 0],  # on the right
    [0, 0, 1, 1, 1, 1, 1],  # on the left
    [1, 1, 0, 0, 1, 0, 1],  # in the middle
    [1, 1, 1, 1, 1, 1, 1],
]


_KEPT: dict[str, tuple[LlamaForCausalLM, Path]] = {}


def saved(case: str = "6 heads in 2 groups", **changes: Any) -> tuple[LlamaForCausalLM, Path]:
    """A small LLaMA of transformers with weights that bite, and the folder that it is saved in."""
    sizes = {
        "vocab_size": 61,
        "hidden_size": 84,
        "intermediate_size": 40,
        "num_hidden_layers": 2,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-3,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100.0},
        "max_position_embeddings": 64,
        "bos_token_id": None,
        "eos_token_id": None,
        "attn_implementation": "eager",
    }
    sizes |= CASES[case] | changes
    if repr(sizes) not in _KEPT:
        model = randomise(LlamaForCausalLM(LlamaConfig(**sizes)))
        folder = Path(tempfile.mkdtemp(dir=FOLDERS.name))
        model.save_pretrained(folder)
        _KEPT[repr(sizes)] = model, folder
    return _KEPT[repr(sizes)]


@cache
def texts(batch: int, time: int, vocab_size: int = 61, seed: int = 1) -> Tensor:
    """Token ids at random, shape (batch, time)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(vocab_size, (batch, time), generator=generator)


def interleaved(rows: Tensor, num_heads: int) -> Tensor:
    """Rows of a query or key matrix in the order of Meta's code: the halves of a head dealt out."""
    return rows.unflatten(0, (num_heads, 2, -1)).transpose(1, 2).flatten(0, 2)


# ---------------------------------------------------------------------------- checkpoints


def logits(model: Any) -> Tensor:
    """What a model gives, ours or transformers', for two texts long enough to tell frequencies."""
    with torch.no_grad():
        output = model(texts(2, 30))
    return output if isinstance(output, Tensor) else output.logits


def load(folder: Path) -> Any:
    """Our model of a folder."""
    return reference("llama").Llama.from_pretrained(folder)
