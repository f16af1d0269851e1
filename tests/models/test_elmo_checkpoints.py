"""Reading ELMo as it was released: what is understood, and what is refused by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import reference
from tests.models.naive_elmo import SENTENCES, Arrays, Options, saved, write


def same_layers(one: Path, other: Path) -> None:
    """Two folders hold the same model."""
    elmo = reference("elmo")
    ids = elmo.batch_char_ids(SENTENCES, 9)
    with torch.no_grad():
        pairs = zip(*(elmo.Elmo.from_pretrained(path)(ids) for path in (one, other)), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)


def test_files_with_a_prefix_are_read(tmp_path: Path) -> None:
    options, arrays, folder = saved()
    same_layers(write(tmp_path, options, arrays, "elmo_2x4096_512_2048cnn_2xhighway_"), folder)


@pytest.mark.parametrize("dtype", ["float16", "float64", ">f4"])
def test_each_precision_and_byte_order_is_read(tmp_path: Path, dtype: str) -> None:
    options, arrays, _ = saved()
    stored = {name: array.astype(dtype) for name, array in arrays.items()}
    rounded = {name: array.astype("float32") for name, array in stored.items()}
    same_layers(
        write(tmp_path / "stored", options, stored), write(tmp_path / "rounded", options, rounded)
    )


def test_options_as_they_are_in_training_are_read(tmp_path: Path) -> None:
    options, arrays, folder = saved()
    trained = {
        "bidirectional": True,
        "char_cnn": options["char_cnn"] | {"n_characters": 261},
        "lstm": options["lstm"],
        "dropout": 0.1,
        "n_tokens_vocab": 3,
        "unroll_steps": 20,
    }
    same_layers(write(tmp_path, trained, arrays), folder)


def test_what_is_left_out_of_the_options_is_as_in_the_released_code(tmp_path: Path) -> None:
    options, arrays, folder = saved(n_highway=0, n_layers=1, cell_clip=None, proj_clip=None)
    char_cnn = {key: value for key, value in options["char_cnn"].items() if key != "n_highway"}
    lstm = {key: options["lstm"][key] for key in ("dim", "projection_dim", "use_skip_connections")}
    same_layers(write(tmp_path, {"char_cnn": char_cnn, "lstm": lstm}, arrays), folder)


Spoil = Callable[[Options, Arrays], None]


def lstm_option(**changes: Any) -> Spoil:
    return lambda options, arrays: options["lstm"].update(changes)


def cnn_option(**changes: Any) -> Spoil:
    return lambda options, arrays: options["char_cnn"].update(changes)


def without(*keys: str) -> Spoil:
    def spoil(options: Options, arrays: Arrays) -> None:
        inside: Any = arrays if keys[0] in arrays else options
        for key in keys[:-1]:
            inside = inside[key]
        del inside[keys[-1]]

    return spoil


def with_array(name: str, array: np.ndarray) -> Spoil:
    return lambda options, arrays: arrays.update({name: array})


CELL = "RNN_1/RNN/MultiRNNCell/Cell1/LSTMCell"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (without("char_cnn"), "'char_cnn' is missing; only models that read characters"),
        (without("lstm"), "'lstm' is missing"),
        (without("char_cnn", "embedding"), "'embedding' is missing"),
        (without("char_cnn", "embedding", "dim"), "'dim' is missing"),
        (without("char_cnn", "activation"), "'activation' is missing"),
        (without("char_cnn", "filters"), "'filters' is missing"),
        (without("char_cnn", "max_characters_per_token"), "'max_characters_per_token' is missing"),
        (without("lstm", "dim"), "'dim' is missing"),
        (without("lstm", "projection_dim"), "'projection_dim' is missing"),
        (without("lstm", "use_skip_connections"), "'use_skip_connections' is missing"),
        (lambda options, arrays: options.update(bidirectional=False), "bidirectional is False"),
        (cnn_option(activation="gelu"), "activation is 'gelu'"),
        (cnn_option(n_characters=300), "n_characters is 300"),
        (cnn_option(filters=[[1, 2], [2]]), r"filters has \[2\].*pairs"),
        (cnn_option(filters=[]), "no filters"),
        (cnn_option(filters=[[1, 2], [10, 3]]), r"filters are .*\(10, 3\).*max_characters"),
        (cnn_option(max_characters_per_token="9"), "max_characters_per_token is '9'.*int"),
        (cnn_option(n_highway=3), "'CNN_high_2/W_transform' is missing"),
        (cnn_option(n_highway=1), "no place for 'CNN_high_1/W_carry'"),
        (cnn_option(filters=[[1, 2], [2, 3], [3, 5]]), r"W_cnn_2.*\(1, 3, 3, 4\).*\(1, 3, 3, 5\)"),
        (lstm_option(cell_clip=0), "cell_clip is 0.0.*above 0"),
        (lstm_option(proj_clip=-1.0), "proj_clip is -1.0.*above 0"),
        (lstm_option(proj_clip="3"), "proj_clip is '3'.*float"),
        (lstm_option(use_skip_connections=1), "use_skip_connections is 1.*bool"),
        (lstm_option(n_layers=0), "num_layers is 0"),
        (lstm_option(n_layers=3), "RNN_0/RNN/MultiRNNCell/Cell2/LSTMCell/W_0' is missing"),
        (lstm_option(n_layers=1), "no place for '.*Cell1"),
        (lstm_option(dim=7), r"Cell0/LSTMCell/W_0.*\(8, 24\).*\(8, 28\)"),
        (lstm_option(projection_dim=5), r"CNN_proj/W_proj.*\(9, 4\).*\(9, 5\)"),
        (without("char_embed"), "'char_embed' is missing"),
        (without(f"{CELL}/W_P_0"), f"'{CELL}/W_P_0' is missing"),
        (without("CNN_proj/b_proj"), "'CNN_proj/b_proj' is missing"),
        (with_array("char_embed", np.zeros((262, 3), "float32")), r"char_embed.*262.*261"),
        (with_array(f"{CELL}/B", np.zeros(23, "float32")), rf"{CELL}/B.*\(23,\).*\(24,\)"),
        (with_array("CNN/b_cnn_1", np.zeros(3, "int64")), "CNN/b_cnn_1' holds int64"),
        (with_array("CNN/b_cnn_1", np.array(b"text")), "CNN/b_cnn_1' holds"),
        (with_array("softmax/W", np.zeros((5, 4), "float32")), "no place for 'softmax/W'"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    options, arrays = json.loads(json.dumps(saved()[0])), dict(saved()[1])
    spoil(options, arrays)
    with pytest.raises(CheckpointError, match=sentence):
        reference("elmo").Elmo.from_pretrained(write(tmp_path, options, arrays))


def test_missing_doubled_and_damaged_files_are_sentences(tmp_path: Path) -> None:
    options, arrays, _ = saved()
    read = reference("elmo").Elmo.from_pretrained
    with pytest.raises(CheckpointError, match=r"there is no options\.json"):
        read(tmp_path / "nowhere")
    folder = write(tmp_path, options, arrays, "small_")
    weights = folder / "small_weights.hdf5"
    whole = weights.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not one"):
        weights.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"small_weights\.hdf5: .*damaged or truncated"):
            read(folder)
    weights.unlink()
    with pytest.raises(CheckpointError, match=r"there is no weights\.hdf5"):
        read(folder)
    write(tmp_path, options, arrays, "large_")
    with pytest.raises(CheckpointError, match=r"large_options\.json, small_options\.json"):
        read(folder)
    write(tmp_path, options, arrays)  # the plain names come first
    assert read(folder).config.num_layers == 2
    (folder / "options.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"options\.json: the file is not JSON"):
        read(folder)
