"""ELMo once more, as slowly and plainly as it can be written: the other side of its tests.

One word, one character, one step and one entry at a time, in float64, straight from arrays that are
named and laid out as in the released files. Nothing comes from `solutions`.
"""

import json
import math
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Arrays = dict[str, np.ndarray]
Options = dict[str, Any]
State = dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]  # by direction and layer

_FOLDERS = tempfile.TemporaryDirectory()

# Of several lengths, with a repeated word, none, letters of two and three bytes, a word to be cut.
SENTENCES = [
    ["the", "river", "the", "bank"],
    [],
    ["überlanges", "•", "a", "river", "</S>"],
    ["bank"],
]


def tiny_options(**changes: Any) -> Options:
    """Options of a tiny model, whose clips bite; those of "lstm" or "char_cnn" can be changed."""
    lstm = {
        "cell_clip": 0.6,
        "proj_clip": 0.4,
        "dim": 6,
        "projection_dim": 4,
        "n_layers": 2,
        "use_skip_connections": True,
    }
    char_cnn = {
        "activation": "relu",
        "embedding": {"dim": 3},
        "filters": [[1, 2], [2, 3], [3, 4]],
        "max_characters_per_token": 9,
        "n_characters": 262,
        "n_highway": 2,
    }
    for name, value in changes.items():
        (lstm if name in lstm else char_cnn)[name] = value
    return {"lstm": lstm, "char_cnn": char_cnn}


def draw_arrays(options: Options, seed: int = 0) -> Arrays:
    """Weights that bite, by the released names, float32."""
    random = np.random.default_rng(seed)
    lstm, char_cnn = options["lstm"], options["char_cnn"]
    char_size, filters = char_cnn["embedding"]["dim"], char_cnn["filters"]
    found = sum(count for _, count in filters)
    size, dim = lstm["projection_dim"], lstm["dim"]
    shapes: dict[str, tuple[int, ...]] = {"char_embed": (261, char_size)}
    for number, (width, count) in enumerate(filters):
        shapes[f"CNN/W_cnn_{number}"] = (1, width, char_size, count)
        shapes[f"CNN/b_cnn_{number}"] = (count,)
    for number in range(char_cnn["n_highway"] or 0):
        for name in ("carry", "transform"):
            shapes[f"CNN_high_{number}/W_{name}"] = (found, found)
            shapes[f"CNN_high_{number}/b_{name}"] = (found,)
    if found != size:
        shapes["CNN_proj/W_proj"] = (found, size)
        shapes["CNN_proj/b_proj"] = (size,)
    for direction in range(2):
        for layer in range(lstm["n_layers"]):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes[f"{cell}/W_0"] = (2 * size, 4 * dim)
            shapes[f"{cell}/B"] = (4 * dim,)
            if dim != size:
                shapes[f"{cell}/W_P_0"] = (dim, size)
    return {name: random.normal(0, 0.8, shape).astype("float32") for name, shape in shapes.items()}


def write(folder: Path, options: Options, arrays: Arrays, prefix: str = "") -> Path:
    """Write a model as it is released; gives the folder back."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"{prefix}options.json").write_text(json.dumps(options))
    with h5py.File(folder / f"{prefix}weights.hdf5", "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array)
    return folder


@cache
def saved(**changes: Any) -> tuple[Options, Arrays, Path]:
    """A tiny model in the released layout, and the folder that it is saved in."""
    options = tiny_options(**changes)
    arrays = draw_arrays(options)
    return options, arrays, write(Path(tempfile.mkdtemp(dir=_FOLDERS.name)), options, arrays)


def spell(word: str, length: int) -> list[int]:
    """The ids of one word's characters."""
    if word in ("<S>", "</S>"):
        inner = [257 if word == "<S>" else 258]
    else:
        inner = [byte + 1 for byte in word.encode("utf-8")]
    ids = [259]
    for one in inner:
        if len(ids) < length - 1:
            ids.append(one)
    ids.append(260)
    while len(ids) < length:
        ids.append(261)
    return ids


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def convolve(
    vectors: np.ndarray, kernel: np.ndarray, bias: np.ndarray, activation: Callable[[float], float]
) -> list[float]:
    """What each filter finds at its best place; kernel (width, char_size, count)."""
    width, char_size, count = kernel.shape
    found = []
    for which in range(count):
        best = -math.inf
        for place in range(len(vectors) - width + 1):
            total = float(bias[which])
            for step in range(width):
                for entry in range(char_size):
                    total += vectors[place + step][entry] * kernel[step][entry][which]
            best = max(best, total)
        found.append(activation(best))
    return found


def word_vector(options: Options, arrays: Arrays, word: str) -> np.ndarray:
    """The vector that a word's characters make."""
    char_cnn = options["char_cnn"]
    activation = {"relu": lambda x: max(x, 0.0), "tanh": math.tanh}[char_cnn["activation"]]
    ids = spell(word, char_cnn["max_characters_per_token"])
    vectors = np.array([arrays["char_embed"][one - 1] for one in ids], dtype="float64")
    found: list[float] = []
    for number in range(len(char_cnn["filters"])):
        kernel, bias = arrays[f"CNN/W_cnn_{number}"][0], arrays[f"CNN/b_cnn_{number}"]
        found += convolve(vectors, kernel, bias, activation)
    x = np.array(found)
    for number in range(char_cnn["n_highway"] or 0):
        high = f"CNN_high_{number}"
        carry = sigmoid(x @ arrays[f"{high}/W_carry"] + arrays[f"{high}/b_carry"])
        new = np.maximum(x @ arrays[f"{high}/W_transform"] + arrays[f"{high}/b_transform"], 0)
        x = carry * new + (1 - carry) * x
    if "CNN_proj/W_proj" in arrays:
        x = x @ arrays["CNN_proj/W_proj"] + arrays["CNN_proj/b_proj"]
    return x


def clip(x: np.ndarray, limit: float | None) -> np.ndarray:
    """Entries kept from -limit to limit."""
    return x if limit is None else np.minimum(np.maximum(x, -limit), limit)


def read(
    options: Options, arrays: Arrays, direction: int, inputs: list[np.ndarray], state: State
) -> list[list[np.ndarray]]:
    """What each layer of one direction gives at each step; the state is moved on."""
    lstm = options["lstm"]
    dim, layers = lstm["dim"], []
    for layer in range(lstm["n_layers"]):
        cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
        start = (np.zeros(lstm["projection_dim"]), np.zeros(dim))
        hidden, memory = state.get((direction, layer), start)
        outputs = []
        for x in inputs:
            gates = np.concatenate([x, hidden]) @ arrays[f"{cell}/W_0"] + arrays[f"{cell}/B"]
            i, j, f, o = (gates[number * dim : (number + 1) * dim] for number in range(4))
            memory = sigmoid(f + 1) * memory + sigmoid(i) * np.tanh(j)
            memory = clip(memory, lstm["cell_clip"])
            hidden = sigmoid(o) * np.tanh(memory)
            if f"{cell}/W_P_0" in arrays:
                hidden = clip(hidden @ arrays[f"{cell}/W_P_0"], lstm["proj_clip"])
            is_residual = layer > 0 and lstm["use_skip_connections"]
            outputs.append(hidden + x if is_residual else hidden)
        state[direction, layer] = (hidden, memory)
        layers.append(outputs)
        inputs = outputs
    return layers


def elmo(
    options: Options, arrays: Arrays, sentence: list[str], state: State | None = None
) -> list[np.ndarray]:
    """All layers for one sentence, each of shape (words + 2, twice the projection)."""
    state = {} if state is None else state
    words = [word_vector(options, arrays, word) for word in ["<S>", *sentence, "</S>"]]
    forward = read(options, arrays, 0, words, state)
    backward = read(options, arrays, 1, words[::-1], state)
    layers = [np.concatenate([words, words], axis=-1)]
    for one, other in zip(forward, backward, strict=True):
        layers.append(np.concatenate([one, other[::-1]], axis=-1))
    return layers
