"""The weights that a notebook reads, and what takes their place where they are missing."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from autograder.notebook import data, pretrained


def names_without_numbers(tensors: dict[str, torch.Tensor]) -> set[str]:
    """The names of the tensors, the same for each layer."""
    floats = (name for name, tensor in tensors.items() if tensor.is_floating_point())
    return {".".join(part for part in name.split(".") if not part.isdigit()) for name in floats}


@pytest.mark.skipif(not data.available("minilm"), reason="MiniLM is not installed")
def test_the_stand_in_has_the_names_settings_and_special_tokens_of_the_real_model() -> None:
    real, other = pretrained.minilm(), pretrained.stand_in()
    assert names_without_numbers(other.tensors) == names_without_numbers(real.tensors)
    assert all(type(real.config[name]) is type(value) for name, value in other.config.items())
    assert set(pretrained.SPECIAL) <= set(real.vocabulary)
    assert len(real.vocabulary) == real.config["vocab_size"]


def test_the_stand_in_is_the_same_each_time_and_reads_any_lower_case_word() -> None:
    one, other = pretrained.stand_in(), pretrained.stand_in()
    assert all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
    assert one.vocabulary == other.vocabulary
    assert sorted(one.vocabulary.values()) == list(range(one.config["vocab_size"]))
    for letter in "az09.-":
        assert {letter, f"##{letter}"} <= set(one.vocabulary)


def test_without_the_wheel_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert pretrained.minilm().config == pretrained.stand_in().config
    assert "MiniLM is not installed" in capsys.readouterr().out
