"""A GGUF file as plain values."""

from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from autograder.notebook.gguf_files import gguf_settings, gguf_weights


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(3)
    writer.add_rope_freq_base(50.0)
    writer.add_tokenizer_model("gpt2")
    numbers = np.arange(96, dtype=np.float32).reshape(3, 32)
    writer.add_tensor("blk.0.attn_q.weight", numbers)
    few_bits = gguf.quantize(numbers, gguf.GGMLQuantizationType.Q8_0)
    few = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor("blk.0.attn_k.weight", few_bits, raw_dtype=few)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_settings_come_by_name_and_without_the_tokenizer_s(file: Path) -> None:
    settings = gguf_settings(file)
    assert settings["llama.block_count"] == 3
    assert settings["llama.rope.freq_base"] == 50.0
    assert not any(name.startswith("tokenizer.") for name in settings)


def test_weights_are_float32_whatever_they_are_stored_with(file: Path) -> None:
    weights = gguf_weights(file)
    numbers = torch.arange(96.0).reshape(3, 32)
    assert torch.equal(weights["blk.0.attn_q.weight"], numbers)
    assert weights["blk.0.attn_k.weight"].dtype == torch.float32
    assert (weights["blk.0.attn_k.weight"] - numbers).abs().max() < 0.5


def test_weights_may_be_changed(file: Path) -> None:
    weights = gguf_weights(file)
    weights["blk.0.attn_q.weight"] += 1
    assert gguf_weights(file)["blk.0.attn_q.weight"][0, 0] == 0
