"""LLaMA from GGUF files that the tests write: against the model that was written, and transformers.

The names of the tensors come from the `gguf` package itself.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Stored
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import LOGITS, Mutation, assert_agree, reference
from tests.models.stored import Config, Spoil, Tensors, changed, with_tensor, without
from tests.models.tiny_llama import CASES, FOLDERS, interleaved, logits, saved


def gguf_settings(model: LlamaForCausalLM) -> Config:
    """The settings that llama.cpp's converter writes."""
    config = model.config
    settings = {
        "general.architecture": "llama",
        "llama.block_count": config.num_hidden_layers,
        "llama.context_length": config.max_position_embeddings,
        "llama.embedding_length": config.hidden_size,
        "llama.feed_forward_length": config.intermediate_size,
        "llama.attention.head_count": config.num_attention_heads,
        "llama.attention.head_count_kv": config.num_key_value_heads,
        "llama.attention.key_length": config.head_dim,
        "llama.attention.value_length": config.head_dim,
        "llama.attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "llama.rope.dimension_count": config.head_dim,
        "llama.rope.freq_base": config.rope_parameters["rope_theta"],
        "llama.vocab_size": config.vocab_size,
        "tokenizer.ggml.eos_token_id": 7,
        "tokenizer.ggml.eot_token_id": 9,
        "tokenizer.ggml.padding_token_id": 3,
    }
    if config.rope_parameters["rope_type"] == "linear":
        settings["llama.rope.scaling.type"] = "linear"
        settings["llama.rope.scaling.factor"] = config.rope_parameters["factor"]
    return settings


def gguf_tensors(model: LlamaForCausalLM) -> Tensors:
    """The tensors that the converter writes; LLaMA 3.1's frequencies are among them."""
    config = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    tensors = {}
    for name, tensor in model.state_dict().items():
        if "q_proj" in name:
            tensor = interleaved(tensor, config.num_attention_heads)
        if "k_proj" in name:
            tensor = interleaved(tensor, config.num_key_value_heads)
        if name != "lm_head.weight" or not config.tie_word_embeddings:
            stem, _, kind = name.rpartition(".")
            tensors[f"{names.get_name(stem)}.{kind}"] = tensor.contiguous()
    if config.rope_parameters["rope_type"] == "llama3":
        exponents = torch.arange(0, config.head_dim, 2) / config.head_dim
        usual = config.rope_parameters["rope_theta"] ** -exponents
        tensors["rope_freqs.weight"] = usual / model.model.rotary_emb.inv_freq
    return tensors


def write_gguf(path: Path, settings: Config, tensors: Tensors, stored: Stored = Stored.F32) -> Path:
    writer = gguf.GGUFWriter(path, settings["general.architecture"])
    for name, value in settings.items():
        if name == "general.architecture":  # the writer has written it
            continue
        if isinstance(value, list):
            writer.add_array(name, value)
        elif isinstance(value, str):
            writer.add_string(name, value)
        elif isinstance(value, float):
            writer.add_float32(name, value)
        else:
            writer.add_uint32(name, value)
    for name, tensor in tensors.items():
        if tensor.ndim == 1 or stored == Stored.F32:
            writer.add_tensor(name, tensor.numpy())
        else:
            numbers = gguf.quantize(tensor.numpy(), stored)
            writer.add_tensor(name, numbers, raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@cache
def gguf_file(case: str) -> Path:
    model, _ = saved(case)
    path = Path(FOLDERS.name) / f"{case}.gguf"
    return write_gguf(path, gguf_settings(model), gguf_tensors(model))


def load(path: Path) -> Any:
    return reference("llama").Llama.from_gguf(path)


def agree_gguf(case: str = "6 heads in 2 groups") -> None:
    assert_agree(logits(load(gguf_file(case))), logits(saved(case)[0]), case, LOGITS)


def agree_multi_query() -> None:
    agree_gguf("6 heads, multi-query, wide")


def agree_biases() -> None:
    agree_gguf("12 heads in 4 groups, biases")


def agree_linear() -> None:
    agree_gguf("linear")


def agree_llama3() -> None:
    agree_gguf("llama3")


@cache
def transformers_reads(path: Path) -> Tensor:
    """The logits of the model that transformers makes of a GGUF file."""
    config = LlamaConfig(**load_gguf_checkpoint(str(path))["config"])
    model = LlamaForCausalLM(config).eval()
    parsed = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=model)
    assert model.load_state_dict(parsed["tensors"], strict=False).unexpected_keys == []
    model.tie_weights()
    return logits(model)


def agree_with_the_reader_of_transformers() -> None:
    for case in ("6 heads in 2 groups", "7 heads, multi-head, tied"):
        path = gguf_file(case)
        assert_agree(logits(load(path)), transformers_reads(path), case, LOGITS)


AGREEMENTS: list[Callable[[], None]] = [
    agree_gguf,
    agree_multi_query,
    agree_biases,
    agree_linear,
    agree_llama3,
    agree_with_the_reader_of_transformers,
]

MUTATIONS = [
    Mutation("checkpoints.gguf", "interleaved=True", "interleaved=False"),
    Mutation("checkpoints.gguf", '"llama.rope.freq_base", default', '"freq_base", default'),
    Mutation("checkpoints.gguf", '"llama.rope.scaling.type", default=', '"type", default='),
    Mutation("checkpoints.gguf", "(factor * stored)", "(factor / stored)"),
    Mutation("checkpoints.gguf", "(factor,) * (head_dim // 2)", "(1.0,) * (head_dim // 2)"),
    Mutation("checkpoints.gguf", "if set(divisors) != {1.0}", "if set(divisors) == {1.0}"),
]


@pytest.mark.parametrize("case", CASES)
def test_the_model_that_was_written_is_read(case: str) -> None:
    agree_gguf(case)


def test_transformers_reads_the_same() -> None:
    agree_with_the_reader_of_transformers()


@pytest.mark.parametrize("stored", [Stored.F16, Stored.BF16, Stored.Q8_0, Stored.Q4_1, Stored.Q4_0])
def test_half_precision_and_quantised_weights_are_read(tmp_path: Path, stored: Stored) -> None:
    """Against the model of the rounded weights; blocks have 32 weights, and so have the sizes."""
    model, _ = saved(hidden_size=96, intermediate_size=64)
    tensors = gguf_tensors(model)
    path = write_gguf(tmp_path / "rounded.gguf", gguf_settings(model), tensors, stored)
    rounded = LlamaForCausalLM(model.config).eval()
    rounded.load_state_dict(
        {
            name: torch.tensor(gguf.dequantize(gguf.quantize(tensor.numpy(), stored), stored))
            if tensor.ndim > 1
            else tensor
            for name, tensor in model.state_dict().items()
        }
    )
    found = logits(load(path))
    assert_agree(found, logits(rounded), str(stored), LOGITS)
    assert not torch.allclose(found, logits(model), atol=1e-4)


def test_ends_and_padding_are_read() -> None:
    model = load(gguf_file("llama3"))
    assert (model.end_ids, model.pad_id) == ((7, 9), 3)


def test_settings_that_may_be_missing_have_their_defaults(tmp_path: Path) -> None:
    model, _ = saved(num_key_value_heads=6, rope_parameters=None)
    settings = gguf_settings(model)
    for name in (
        "llama.attention.head_count_kv",
        "llama.attention.key_length",
        "llama.attention.value_length",
        "llama.rope.dimension_count",
        "llama.rope.freq_base",
        "llama.vocab_size",
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.padding_token_id",
    ):
        del settings[name]
    found = load(write_gguf(tmp_path / "short.gguf", settings, gguf_tensors(model)))
    assert_agree(logits(found), logits(model), "logits", LOGITS)
    assert (found.end_ids, found.pad_id) == ((), 0)


def test_the_old_spelling_of_linear_scaling_is_read(tmp_path: Path) -> None:
    model, _ = saved("linear")
    settings = gguf_settings(model)
    del settings["llama.rope.scaling.type"]
    settings["llama.rope.scale_linear"] = settings.pop("llama.rope.scaling.factor")
    found = load(write_gguf(tmp_path / "old.gguf", settings, gguf_tensors(model)))
    assert_agree(logits(found), logits(model), "logits", LOGITS)


def _named(**changes: Any) -> Spoil:
    """Settings below "llama."; a dot is written as two underscores."""
    return changed(**{f"llama.{name.replace('__', '.')}": changes[name] for name in changes})


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(**{"general.architecture": "qwen2"}), "the architecture is 'qwen2'.*'llama'"),
        (_named(rope__scaling__type="yarn"), "llama.rope.scaling.type is 'yarn'.*'linear'"),
        (_named(expert_count=8), "'llama.expert_count' .8. is not supported"),
        (_named(attention__sliding_window=64), "'llama.attention.sliding_window' .64."),
        (_named(rope__dimension_count=6), "llama.rope.dimension_count is 6; only 14"),
        (_named(attention__value_length=12), "llama.attention.value_length is 12; only 14"),
        (_named(attention__head_count_kv=4), "6 query heads can't share 4"),
        (_named(attention__head_count=[6, 6]), r"head_count is \[6, 6\].*int"),
        (without("llama.block_count"), "'llama.block_count' is missing"),
        (without("blk.1.attn_q.weight"), r"'blk\.1\.attn_q\.weight' is missing"),
        (with_tensor("blk.1.attn_q.weight", torch.zeros(84, 80)), r"attn_q\.weight'.*\(84, 80\)"),
        (with_tensor("blk.1.attn_q_norm.weight", torch.ones(14)), "no place for 'blk.1.attn_q_no"),
        (
            with_tensor("blk.1.attn_q.weight", torch.zeros(84, 84, dtype=torch.int32)),
            r"'blk\.1\.attn_q\.weight' is stored as I32",
        ),
    ],
)
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    model, _ = saved()
    settings, tensors = gguf_settings(model), gguf_tensors(model)
    spoil(settings, tensors)
    path = write_gguf(tmp_path / "spoilt.gguf", settings, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        load(path)


def test_a_truncated_file_is_a_sentence_wherever_it_ends(tmp_path: Path) -> None:
    content = gguf_file("6 heads in 2 groups").read_bytes()
    tensors = gguf.GGUFReader(gguf_file("6 heads in 2 groups")).tensors
    last = max(tensor.data_offset + tensor.n_bytes for tensor in tensors) - 1
    path = tmp_path / "short.gguf"
    ends = {0, 3, 4, 11, 23, 24, *np.linspace(25, last, 40).astype(int).tolist()}
    for end in sorted(ends):
        path.write_bytes(content[:end])
        with pytest.raises(CheckpointError, match=re.escape(str(path)) + ".*damaged or truncated"):
            load(path)


def test_a_missing_file_and_another_kind_of_file_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.gguf: the file is missing"):
        load(tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("This is no GGUF file, and long enough to be read.")
    with pytest.raises(CheckpointError, match="no GGUF file"):
        load(tmp_path / "text.gguf")
