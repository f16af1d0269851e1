"""Saved checkpoints: read, written in another form, spoilt."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

Config = dict[str, Any]
Tensors = dict[str, Tensor]
Spoil = Callable[[Config, Tensors], None]


def read(folder: Path) -> tuple[Config, Tensors]:
    """Configuration and tensors of a saved model, to be spoilt or spelled in another way."""
    config = json.loads((folder / "config.json").read_text())
    return config, load_file(folder / "model.safetensors")


def write(folder: Path, config: Config, tensors: Tensors) -> Path:
    """Write such a folder."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, folder / "model.safetensors")
    return folder


def write_torch_file(folder: Path, config: Config, tensors: Tensors) -> Path:
    """Write such a folder with the tensors in a file of torch."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(tensors, folder / "pytorch_model.bin")
    return folder


def check_half_precision(
    whole: Path, scratch: Path, assert_same: Callable[[Path, Path], None]
) -> None:
    """Half-precision weights, in either kind of file, give what the rounded weights give.

    Args:
        whole: a saved model in float32.
        scratch: an empty folder.
        assert_same: holds the models of two folders equal.
    """
    config, tensors = read(whole)
    for dtype in (torch.float16, torch.bfloat16):
        half = {name: tensor.to(dtype) for name, tensor in tensors.items()}
        rounded = {name: tensor.float() for name, tensor in half.items()}
        expected = write(scratch / f"{dtype}-rounded", config, rounded)
        assert_same(write(scratch / f"{dtype}", config, half), expected)
        assert_same(write_torch_file(scratch / f"{dtype}-bin", config, half), expected)


def changed(**changes: Any) -> Spoil:
    """Other settings."""
    return lambda config, tensors: config.update(changes)


def without(*names: str) -> Spoil:
    """Settings or tensors are gone."""

    def spoil(config: Config, tensors: Tensors) -> None:
        for name in names:
            del (config if name in config else tensors)[name]

    return spoil


def with_tensor(name: str, tensor: Tensor) -> Spoil:
    """Another tensor, or one more."""
    return lambda config, tensors: tensors.update({name: tensor})
