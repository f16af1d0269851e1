"""What all checkpoints share: no file runs code, and nothing is overlooked or swallowed."""

import json
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from solutions.checkpoints.files import Checkpoint, CheckpointError, Settings, read_tensors
from tests.models.agreement import Mutation, reference


class Intruder:
    """Pickled, it makes whoever loads it create a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def _refusal(call: Callable[[], Any]) -> str:
    """The sentence that a call is refused with."""
    try:
        call()
    except Exception as error:  # the mutated module has a CheckpointError of its own
        assert type(error).__name__ == "CheckpointError", repr(error)
        return str(error)
    raise AssertionError("it was read")


def _accepted(call: Callable[[], Any]) -> None:
    """Holds that a call is not refused."""
    try:
        call()
    except ValueError as error:
        raise AssertionError(f"refused: {error}") from error


def agree_that_code_does_not_run() -> None:
    """Neither in torch's form nor in a plain pickle, beside tensors that are all right."""
    read = reference("checkpoints.files").read_tensors
    with TemporaryDirectory() as folder:
        trap = Path(folder) / "was-here"
        content = {"weight": torch.ones(2), "more": Intruder(trap)}
        for name in ("torch.bin", "plain.bin"):
            file = Path(folder) / name
            if name == "torch.bin":
                torch.save(content, file)
            else:
                file.write_bytes(pickle.dumps(content, protocol=2))
            sentence = _refusal(lambda file=file: read(file))  # type: ignore[misc]
            assert "which may be code; it was not loaded" in sentence
            assert str(file) in sentence
            assert not trap.exists()


def agree_that_nothing_is_left_over() -> None:
    checkpoint = reference("checkpoints.files").Checkpoint({"a.b": torch.ones(2)}, "here")
    assert "here: the model has no place for 'a.b'" in _refusal(checkpoint.finish)
    _accepted(lambda: checkpoint.take("a.b", (2,)))
    _accepted(checkpoint.finish)
    assert "here: the tensor 'a.b' is missing" in _refusal(lambda: checkpoint.take("a.b"))


def agree_that_a_tensor_is_a_copy_in_float32() -> None:
    stored = torch.ones(2, 3)
    taken = reference("checkpoints.files").Checkpoint({"a": stored.T}, "here").take("a", (3, 2))
    taken += 1
    assert torch.equal(stored, torch.ones(2, 3))
    assert taken.is_contiguous()
    half = reference("checkpoints.files").Checkpoint({"a": stored.half()}, "here").take("a")
    assert half.dtype == torch.float32


def agree_that_errors_spell_names_as_the_file_does() -> None:
    make = reference("checkpoints.files").Checkpoint
    checkpoint = make({"model.a.weight": torch.ones(2), "head.weight": torch.ones(3)}, "here")
    checkpoint.rename(lambda name: name.removeprefix("model."))
    assert "'model.a.weight'" in _refusal(lambda: checkpoint.take("a.weight", (3,)))
    assert "'model.a.bias' is missing" in _refusal(lambda: checkpoint.take("a.bias"))
    assert "'head.bias' is missing" in _refusal(lambda: checkpoint.take("head.bias"))
    assert "'model.a.weight', 'head.weight'" in _refusal(checkpoint.finish)
    twice = make({"model.a": torch.ones(2), "a": torch.ones(2)}, "here")
    sentence = _refusal(lambda: twice.rename(lambda name: name.removeprefix("model.")))
    assert "'a' is there twice" in sentence


def agree_that_tied_copies_are_equal() -> None:
    make = reference("checkpoints.files").Checkpoint
    kept = torch.ones(2)
    same = make({"head": kept.clone()}, "here")
    _accepted(lambda: same.take_twin("head", kept))
    other = make({"head": kept + 1}, "here")
    assert "'head'" in _refusal(lambda: other.take_twin("head", kept))
    only = make({"head": kept}, "here")
    only.use_twin("embedding", "head")
    assert only.names == ["embedding"]


AGREEMENTS: list[Callable[[], None]] = [
    agree_that_code_does_not_run,
    agree_that_nothing_is_left_over,
    agree_that_a_tensor_is_a_copy_in_float32,
    agree_that_errors_spell_names_as_the_file_does,
    agree_that_tied_copies_are_equal,
]

MUTATIONS = [
    Mutation(
        "checkpoints.files", "weights_only=True)\n    except", "weights_only=False)\n    except"
    ),
    Mutation("checkpoints.files", "        if self._tensors:\n", "        if not self.source:\n"),
    Mutation("checkpoints.files", "        del self._tensors[name]\n", ""),
    Mutation("checkpoints.files", "torch.float32, copy=True).contiguous()", "torch.float32)"),
    Mutation("checkpoints.files", 'self._prefixes.get(name.partition(".")[0], "") + name', "name"),
    Mutation("checkpoints.files", "            if new in renamed:\n", "            if not new:\n"),
    Mutation("checkpoints.files", "if not torch.equal(", "if torch.equal("),
    Mutation("checkpoints.files", "if name not in self and twin in self:", "if name in self:"),
]


@pytest.mark.parametrize("claim", AGREEMENTS, ids=lambda claim: claim.__name__)
def test_a_checkpoint_keeps_its_promises(claim: Callable[[], None]) -> None:
    claim()


def _index(folder: Path, content: Any) -> Path:
    (folder / "model.safetensors.index.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({}, 'there is no "weight_map"'),
        ({"weight_map": ["a"]}, 'there is no "weight_map"'),
        ([], "holds a list, not settings"),
        ({"weight_map": {"a": "gone.safetensors"}}, r"gone\.safetensors: the file is missing"),
        ({"weight_map": {"a": "../one.safetensors"}}, "'../one.safetensors' is not the name"),
        ({"weight_map": {"b": "one.safetensors"}}, r"'b' should be in one\.safetensors"),
    ],
    ids=str,
)
def test_a_wrong_index_is_a_sentence(tmp_path: Path, content: Any, sentence: str) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "one.safetensors")
    with pytest.raises(CheckpointError, match=sentence):
        Checkpoint.open(_index(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([torch.ones(2)], "holds a list, not tensors by name"),
        ({"a": 3}, "the entry 'a' is a int under a str, not a named tensor"),
        ({3: torch.ones(2)}, "the entry 3 is a Tensor under a int"),
        ({"state_dict": OrderedDict(a=torch.ones(2))}, "the entry 'state_dict' is a OrderedDict"),
    ],
    ids=str,
)
def test_a_torch_file_of_something_else_is_a_sentence(
    tmp_path: Path, content: Any, sentence: str
) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=sentence):
        read_tensors(tmp_path / "pytorch_model.bin")


def test_a_folder_without_weights_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.safetensors.*pytorch_model\.bin"):
        Checkpoint.open(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "the file is missing"),
        ("{", "is not JSON"),
        ("[1]", "holds a list"),
        (b"\xff\xfe", "is not JSON"),
    ],
    ids=str,
)
def test_a_configuration_that_is_none_is_a_sentence(
    tmp_path: Path, text: str | bytes | None, sentence: str
) -> None:
    if text is not None:
        (tmp_path / "config.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CheckpointError, match=sentence):
        Settings.open(tmp_path, ["bert"])


def test_a_file_in_place_of_the_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="the file is missing"):
        Settings.open(tmp_path / "file", ["bert"])


def test_a_setting_is_found_under_its_first_spelling_and_has_its_type() -> None:
    settings = Settings({"n_embed": 4, "eps": 1, "flag": True, "none": None}, "here")
    assert settings.get(int, "hidden_size", "n_embed") == 4
    assert settings.get(float, "eps") == 1.0
    assert settings.get(int, "none", default=7) == 7
    for wrong in ("flag", "eps"):
        kind = int if wrong == "flag" else str
        with pytest.raises(CheckpointError, match=f"{wrong} is .* must be of type {kind.__name__}"):
            settings.get(kind, wrong)
    with pytest.raises(CheckpointError, match="'hidden_size' is missing"):
        settings.get(int, "hidden_size")
