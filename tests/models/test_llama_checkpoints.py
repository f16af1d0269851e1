"""LLaMA's checkpoints in Hugging Face's format, in the spellings of every age."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import LlamaForCausalLM, LlamaModel

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import LOGITS, Mutation, assert_agree
from tests.models.stored import Config, Spoil, changed, read, with_tensor, without, write
from tests.models.tiny_llama import CASES, FOLDERS, LLAMA3, load, logits, saved


@cache
def their_logits(folder: Path) -> Tensor:
    return logits(LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval())


def like_transformers(folder: Path) -> None:
    """Our model and transformers' make the same of this folder."""
    assert_agree(logits(load(folder)), their_logits(folder), "logits", LOGITS)


def like(folder: Path, other: Path) -> None:
    """Our models of two folders are the same."""
    assert_agree(logits(load(folder)), logits(load(other)), "logits", (0.0, 0.0))


# ---------------------------------------------------------------------------- Hugging Face's

# The settings of version 4, and what they are called in version 5.
OLD_ROPE: dict[str, Config] = {
    "neither": {},
    "theta": {"rope_theta": 300.0},
    "linear with type": {"rope_theta": 300.0, "rope_scaling": {"type": "linear", "factor": 4}},
    "linear without theta": {"rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "both": {"rope_scaling": {"rope_type": "linear", "type": "linear", "factor": 4.0}},
    "llama3": {
        "rope_theta": 300.0,
        "rope_scaling": {name: value for name, value in LLAMA3.items() if name != "rope_theta"},
    },
    "null": {"rope_theta": 300.0, "rope_scaling": None},
    "version 5, theta outside": {"rope_theta": 300.0, "rope_parameters": {"rope_type": "default"}},
    "llama3 without a length": {
        "max_position_embeddings": 32,
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
        },
    },
}


@cache
def with_old_rope(name: str) -> Path:
    config, tensors = read(saved()[1])
    del config["rope_parameters"]
    return write(Path(FOLDERS.name) / f"rope {name}", config | OLD_ROPE[name], tensors)


def agree_old_rope() -> None:
    for name in ("neither", "linear with type", "llama3"):
        like_transformers(with_old_rope(name))


@cache
def with_defaults() -> Path:
    """A folder whose configuration leaves out all that may be left out."""
    _, folder = saved(num_key_value_heads=6, rms_norm_eps=1e-6, rope_parameters=None)
    config, tensors = read(folder)
    for name in (
        "attention_bias",
        "head_dim",
        "hidden_act",
        "mlp_bias",
        "model_type",
        "num_key_value_heads",
        "rms_norm_eps",
        "rope_parameters",
        "tie_word_embeddings",
    ):
        del config[name]
    return write(Path(FOLDERS.name) / "defaults", config, tensors)


def agree_defaults() -> None:
    expected, _ = saved(num_key_value_heads=6, rms_norm_eps=1e-6, rope_parameters=None)
    assert_agree(logits(load(with_defaults())), logits(expected), "logits", LOGITS)


def agree_tied() -> None:
    like_transformers(saved("7 heads, multi-head, tied")[1])


def agree_biases() -> None:
    like_transformers(saved("12 heads in 4 groups, biases")[1])


AGREEMENTS: list[Callable[[], None]] = [
    agree_old_rope,
    agree_defaults,
    agree_tied,
    agree_biases,
]

MUTATIONS = [
    Mutation("checkpoints.llama", '"rope_theta", default=10000.0', '"rope_theta", default=1000.0'),
    Mutation("checkpoints.llama", "(factor,) * (head_dim // 2)", "(1 / factor,) * (head_dim // 2)"),
    Mutation("checkpoints.llama", '"rms_norm_eps", default=1e-6', '"rms_norm_eps", default=1e-5'),
    Mutation("checkpoints.llama", '"rms_norm_eps", default=1e-6', '"norm_eps", default=1e-6'),
    Mutation("checkpoints.llama", "default=default)\n    kinds", "default=10000.0)\n    kinds"),
]


@pytest.mark.parametrize("case", CASES)
def test_what_transformers_saves_is_read(case: str) -> None:
    like_transformers(saved(case)[1])


@pytest.mark.parametrize("name", OLD_ROPE)
def test_frequencies_of_every_age_are_read(name: str) -> None:
    like_transformers(with_old_rope(name))


def test_the_spellings_of_frequencies_differ_in_what_they_give() -> None:
    """If they did not, the test before would show nothing."""
    found = {name: logits(load(with_old_rope(name))) for name in OLD_ROPE}
    for name in ("neither", "linear with type", "linear without theta", "llama3"):
        assert not torch.allclose(found[name], found["theta"], atol=1e-3), name


def test_what_a_configuration_leaves_out_has_its_default() -> None:
    agree_defaults()


def test_null_for_heads_and_their_size_is_the_default() -> None:
    config, tensors = read(with_defaults())
    config |= {"head_dim": None, "num_key_value_heads": None, "rope_scaling": None}
    config |= {"partial_rotary_factor": None, "sliding_window": None, "rope_theta": None}
    like(write(with_defaults().parent / "null", config, tensors), with_defaults())


def test_the_silu_of_old_files_is_read(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    like(write(tmp_path, config | {"hidden_act": "swish"}, tensors), saved()[1])


def test_stale_buffers_are_dropped(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    tensors["model.rotary_emb.inv_freq"] = torch.zeros(7)
    for number in range(2):
        tensors[f"model.layers.{number}.self_attn.rotary_emb.inv_freq"] = torch.zeros(7)
    like(write(tmp_path, config, tensors), saved()[1])


def test_tied_weights_may_be_doubled_or_under_either_name(tmp_path: Path) -> None:
    folder = saved("7 heads, multi-head, tied")[1]
    config, tensors = read(folder)
    assert "lm_head.weight" not in tensors
    embedding = tensors["model.embed_tokens.weight"]
    doubled = tensors | {"lm_head.weight": embedding.clone()}
    like(write(tmp_path / "doubled", config, doubled), folder)
    del doubled["model.embed_tokens.weight"]
    like(write(tmp_path / "other", config, doubled), folder)


def test_a_head_that_differs_from_its_twin_is_a_sentence(tmp_path: Path) -> None:
    config, tensors = read(saved("7 heads, multi-head, tied")[1])
    tensors["lm_head.weight"] = torch.zeros(61, 84)
    with pytest.raises(CheckpointError, match=r"lm_head\.weight.*tied"):
        load(write(tmp_path, config, tensors))


def test_a_tied_model_saved_without_its_head_is_read(tmp_path: Path) -> None:
    theirs, folder = saved("7 heads, multi-head, tied")
    inner = LlamaModel(theirs.config)
    inner.load_state_dict(theirs.model.state_dict())
    inner.save_pretrained(tmp_path)
    assert "embed_tokens.weight" in read(tmp_path)[1]
    like(tmp_path, folder)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_and_torch_files_are_read(tmp_path: Path, dtype: torch.dtype) -> None:
    config, tensors = read(saved()[1])
    stored = {name: tensor.to(dtype) for name, tensor in tensors.items()}
    rounded = {name: tensor.float() for name, tensor in stored.items()}
    expected = write(tmp_path / "rounded", config, rounded)
    like(write(tmp_path / "half", config, stored), expected)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "config.json").write_text(json.dumps(config))
    torch.save(stored, tmp_path / "bin" / "pytorch_model.bin")
    like(tmp_path / "bin", expected)


def test_shards_are_read(tmp_path: Path) -> None:
    theirs, whole = saved()
    theirs.save_pretrained(tmp_path, max_shard_size="60KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    like(tmp_path, whole)


@pytest.mark.parametrize(
    ("changes", "pad_id", "end_ids"),
    [
        ({"pad_token_id": None, "eos_token_id": None}, 0, ()),
        ({"pad_token_id": -1, "eos_token_id": 2}, 2, (2,)),
        ({"pad_token_id": 5, "eos_token_id": [7, 9]}, 5, (7, 9)),
        ({"pad_token_id": None, "eos_token_id": [7, 9]}, 7, (7, 9)),
    ],
)
def test_padding_and_ends_are_read(
    tmp_path: Path, changes: Config, pad_id: int, end_ids: tuple[int, ...]
) -> None:
    config, tensors = read(saved()[1])
    model = load(write(tmp_path, config | changes, tensors))
    assert (model.pad_id, model.end_ids) == (pad_id, end_ids)


def _rope(**values: Any) -> Spoil:
    return lambda config, tensors: config.update(rope_parameters=values)


QUERY = "model.layers.1.self_attn.q_proj.weight"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(model_type="mistral"), "of type 'mistral'.*'llama'"),
        (changed(hidden_act="gelu"), "hidden_act is 'gelu'"),
        (changed(sliding_window=16), "sliding_window is 16"),
        (changed(layer_types=["full_attention", "sliding_attention"]), "layer_types.*'sliding_att"),
        (changed(partial_rotary_factor=0.5), r"partial_rotary_factor is 0\.5"),
        (changed(quantization_config={"bits": 4}), "quantization_config"),
        (changed(num_local_experts=8), "num_local_experts is 8"),
        (changed(num_attention_heads=5, head_dim=None), "5 heads can't share vectors of size 84"),
        (changed(num_key_value_heads=4), "6 query heads can't share 4"),
        (changed(head_dim=7), "head_dim is 7.*even"),
        (changed(rope_parameters=[1]), "rope_parameters is .1.; it must hold settings"),
        (_rope(rope_type="yarn", factor=2.0), "rope_type is 'yarn'.*'llama3'"),
        (_rope(type="dynamic", factor=2.0), "rope_parameters: rope_type is 'dynamic'"),
        (_rope(rope_type="longrope"), "'longrope'"),
        (_rope(rope_type="linear"), "rope_parameters: the setting 'factor' is missing"),
        (_rope(rope_type="llama3", factor=8.0), "rope_parameters: the setting 'low_freq_factor'"),
        (_rope(full_attention={"rope_type": "default"}), "the same for all layers"),
        (_rope(rope_type="linear", factor=0), r"rope_parameters: factor is 0\.0; .*above 0"),
        (
            _rope(rope_type="llama3", factor=8.0, low_freq_factor=4.0, high_freq_factor=4.0),
            r"high_freq_factor is 4\.0; it must be above low_freq_factor, 4\.0",
        ),
        (_rope(partial_rotary_factor=0.25), r"partial_rotary_factor is 0\.25"),
        (changed(rms_norm_eps="small"), "rms_norm_eps is 'small'.*float"),
        (without("hidden_size"), "'hidden_size' is missing"),
        (without(QUERY), r"layers\.1\.self_attn\.q_proj\.weight' is missing"),
        (without("lm_head.weight"), r"lm_head\.weight' is missing"),
        (with_tensor(QUERY, torch.zeros(84, 83)), r"q_proj\.weight'.*\(84, 83\).*\(84, 84\)"),
        (with_tensor(QUERY, torch.zeros(84, 84, dtype=torch.int8)), "q_proj.weight.*quantised"),
        (
            with_tensor(QUERY.replace("weight", "bias"), torch.zeros(84)),
            "no place for .*q_proj.bias",
        ),
    ],
)
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(saved()[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        load(write(tmp_path, config, tensors))


def test_a_folder_with_nothing_in_it_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config\.json: the file is missing"):
        load(tmp_path)


def test_the_end_of_a_text_is_what_the_settings_of_generation_say(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    folder = write(tmp_path / "chat", config | {"eos_token_id": 2}, tensors)
    assert load(folder).end_ids == (2,)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [5, 6]}))
    assert load(folder).end_ids == (5, 6)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": "five"}))
    with pytest.raises(CheckpointError, match=r"generation_config\.json: eos_token_id is 'five'"):
        load(folder)
