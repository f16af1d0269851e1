"""Reading ELMo as it was released: options.json, and weights.hdf5 as TensorFlow had them.

TensorFlow uses a matrix as x @ matrix, so each is turned around here.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import torch
from torch import Tensor

from solutions.checkpoints.files import (
    Checkpoint,
    CheckpointError,
    Settings,
    fill,
    make_config,
    read_json,
)
from solutions.elmo import Elmo
from solutions.models.elmo_config import NUM_CHARACTERS, ElmoConfig

_HIGHWAY = {"transform": "transform", "gate": "carry"}  # g is "carry" there, and goes with t too
_DIRECTIONS = {"forward_lstm": "RNN_0", "backward_lstm": "RNN_1"}


def load_elmo(directory: str | os.PathLike[str]) -> Elmo:
    """Read a released model. It gets no softmax, since none was released.

    Args:
        directory: has options.json and weights.hdf5, perhaps with something before these names,
            as in elmo_2x1024_128_2048cnn_1xhighway_options.json.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not an ELMo that the class can be.
    """
    folder = Path(directory)
    options, weights = _find(folder, "options.json"), _find(folder, "weights.hdf5")
    config = _read_config(read_json(options), str(options))
    checkpoint = Checkpoint(_read_hdf5(weights), str(weights))
    if _lacks_projection(checkpoint, config):
        config = replace(config, projection_clip=None)  # what is not projected is not clipped

    def state(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = {
            **_word_tensors(checkpoint, config),
            **_lstm_tensors(checkpoint, config),
        }
        checkpoint.finish()
        return tensors

    return fill(lambda: Elmo(config), state)


def _word_tensors(checkpoint: Checkpoint, config: ElmoConfig) -> dict[str, Tensor]:
    stored = checkpoint.take("char_embed", (NUM_CHARACTERS, config.char_size))
    # The row of words of padding is not stored.
    tensors = {"char_embedding": torch.cat([torch.zeros_like(stored[:1]), stored])}
    for number, (width, count) in enumerate(config.filters):
        kernel = checkpoint.take(f"CNN/W_cnn_{number}", (1, width, config.char_size, count))
        tensors[f"filters.{number}.weight"] = kernel[0].permute(2, 1, 0).contiguous()  # (n, d, w)
        tensors[f"filters.{number}.bias"] = checkpoint.take(f"CNN/b_cnn_{number}", (count,))
    found, size = config.num_filters, config.projection_size
    for number in range(config.num_highways):
        for ours, theirs in _HIGHWAY.items():
            stored = checkpoint.take(f"CNN_high_{number}/W_{theirs}", (found, found))
            tensors[f"highways.{number}.{ours}_weight"] = stored.T.contiguous()
            stored = checkpoint.take(f"CNN_high_{number}/b_{theirs}", (found,))
            tensors[f"highways.{number}.{ours}_bias"] = stored
    if found == size and "CNN_proj/W_proj" not in checkpoint:
        # The released code makes no map between equal sizes: the same as one that changes nothing.
        tensors["word_projection.weight"] = torch.eye(size)
        tensors["word_projection.bias"] = torch.zeros(size)
    else:
        stored = checkpoint.take("CNN_proj/W_proj", (found, size))
        tensors["word_projection.weight"] = stored.T.contiguous()
        tensors["word_projection.bias"] = checkpoint.take("CNN_proj/b_proj", (size,))
    return tensors


def _lstm_tensors(checkpoint: Checkpoint, config: ElmoConfig) -> dict[str, Tensor]:
    size, cell_size = config.projection_size, config.cell_size
    lacks_projection = _lacks_projection(checkpoint, config)
    tensors = {}
    for ours, theirs in _DIRECTIONS.items():
        for number in range(config.num_layers):
            cell = f"{theirs}/RNN/MultiRNNCell/Cell{number}/LSTMCell"
            # The gates are i, g, f, o there. 1 is added to what f is made of whenever it is used.
            i, g, f, o = checkpoint.take(f"{cell}/W_0", (2 * size, 4 * cell_size)).T.chunk(4)
            kernel = torch.cat([i, f, g, o])  # (4C, 2P), for the input and the last state
            i, g, f, o = checkpoint.take(f"{cell}/B", (4 * cell_size,)).chunk(4)
            tensors[f"layers.{number}.{ours}.input_weight"] = kernel[:, :size].contiguous()
            tensors[f"layers.{number}.{ours}.hidden_weight"] = kernel[:, size:].contiguous()
            tensors[f"layers.{number}.{ours}.bias"] = torch.cat([i, f + 1, g, o])
            tensors[f"layers.{number}.{ours}.projection_weight"] = (
                torch.eye(size)
                if lacks_projection
                else checkpoint.take(f"{cell}/W_P_0", (cell_size, size)).T.contiguous()
            )
    return tensors


def _lacks_projection(checkpoint: Checkpoint, config: ElmoConfig) -> bool:
    """True for LSTMs that were made without a projection, since it would not change the size."""
    is_stored = any(name.endswith("/W_P_0") for name in checkpoint.names)
    return config.cell_size == config.projection_size and not is_stored


def _find(folder: Path, name: str) -> Path:
    found = [folder / name] if (folder / name).exists() else sorted(folder.glob(f"*{name}"))
    if not found:
        raise CheckpointError(f"{folder}: there is no {name}, and no file whose name ends so")
    if len(found) > 1:
        some = ", ".join(path.name for path in found)
        raise CheckpointError(f"{folder}: has {some}; put the files of one model in a folder")
    return found[0]


def _read_hdf5(path: Path) -> dict[str, Tensor]:
    tensors = {}

    def collect(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.dtype.kind != "f":
            raise CheckpointError(
                f"{path}: the dataset {name!r} holds {item.dtype}, not floating-point numbers"
            )
        # A damaged name comes as bytes.
        tensors[str(name)] = torch.from_numpy(item.astype("float32")[...])

    try:
        with h5py.File(path, "r") as file:
            file.visititems(collect)
    except CheckpointError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(f"{path}: the file is damaged or truncated ({reason})") from None
    return tensors


# ---------------------------------------------------------------------------- options


def _read_config(options: Mapping[str, Any], source: str) -> ElmoConfig:
    settings = Settings(options, source)
    settings.require("bidirectional", True)
    lstm, char_cnn = _section(settings, "lstm"), _section(settings, "char_cnn")
    embedding = _section(char_cnn, "embedding")
    num_characters = char_cnn.get(int, "n_characters", default=NUM_CHARACTERS + 1)
    if num_characters not in (NUM_CHARACTERS, NUM_CHARACTERS + 1):  # in training, and after it
        raise CheckpointError(
            f"{source}: n_characters is {num_characters}; ELMo has {NUM_CHARACTERS}, and one more "
            "for padding"
        )
    return make_config(
        ElmoConfig,
        source,
        max_characters=char_cnn.get(int, "max_characters_per_token"),
        char_size=embedding.get(int, "dim"),
        filters=_filters(char_cnn),
        activation=char_cnn.get(str, "activation"),
        num_highways=char_cnn.get(int, "n_highway", default=0),
        projection_size=lstm.get(int, "projection_dim"),
        cell_size=lstm.get(int, "dim"),
        num_layers=lstm.get(int, "n_layers", default=1),
        cell_clip=_clip(lstm, "cell_clip"),
        projection_clip=_clip(lstm, "proj_clip"),
        skip_connections=lstm.get(bool, "use_skip_connections"),
    )


def _section(settings: Settings, name: str) -> Settings:
    values = settings.values.get(name)
    if not isinstance(values, dict):
        hint = "; only models that read characters are supported" if name == "char_cnn" else ""
        raise CheckpointError(f"{settings.source}: the section {name!r} is missing{hint}")
    return Settings(values, f"{settings.source}, {name}")


def _filters(char_cnn: Settings) -> tuple[tuple[int, int], ...]:
    filters = char_cnn.get(list, "filters")
    for pair in filters:
        if not (isinstance(pair, list) and [type(number) for number in pair] == [int, int]):
            raise CheckpointError(
                f"{char_cnn.source}: filters has {pair!r}; it must be pairs of a width and a number"
            )
    return tuple((width, count) for width, count in filters)


def _clip(lstm: Settings, name: str) -> float | None:
    if lstm.values.get(name) is None:
        return None
    clip: float = lstm.get(float, name)
    if clip <= 0:  # the released programs disagree about what 0 means
        raise CheckpointError(f"{lstm.source}: {name} is {clip}; it must be above 0, or null")
    return clip
