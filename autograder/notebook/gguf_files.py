"""What a GGUF file holds, as plain values: its settings, and its weights as float32 tensors."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gguf import GGUFReader
    from torch import Tensor


def gguf_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the settings of a GGUF file, those of its tokenizer left out.

    Args:
        path: the file.

    Returns:
        The values by name, such as "llama.block_count".
    """
    fields = open_gguf(path).fields
    return {
        name: field.contents()
        for name, field in fields.items()
        if not name.startswith(("tokenizer.", "GGUF."))
    }


def gguf_weights(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the weights of a GGUF file; those that are stored with few bits become float32.

    Args:
        path: the file.

    Returns:
        The tensors by name, such as "blk.0.attn_q.weight", matrices of shape (out, in).
    """
    import torch
    from gguf import dequantize

    return {
        stored.name: torch.tensor(dequantize(stored.data, stored.tensor_type))
        for stored in open_gguf(path).tensors
    }


def open_gguf(path: str | os.PathLike[str]) -> GGUFReader:
    """Open a GGUF file; the one opened last is kept, since its index takes seconds to read."""
    return _open(Path(path))


@lru_cache(maxsize=1)
def _open(path: Path) -> GGUFReader:
    from gguf import GGUFReader

    return GGUFReader(path)
