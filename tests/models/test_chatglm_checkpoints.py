"""Checkpoints of ChatGLM: every way of storing one, and what is wrong with the others."""

import json
from pathlib import Path

import pytest
import torch

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import assert_agree, reference
from tests.models.stored import (
    Spoil,
    changed,
    check_half_precision,
    read,
    with_tensor,
    without,
    write,
)
from tests.models.tiny_glm import (
    BOS,
    DATA,
    GMASK,
    MASK,
    PAD,
    case,
    real,
)


def _same_logits(one: Path, other: Path) -> None:
    chatglm = reference("chatglm")
    ids = case("mask_infill")["in.input_ids"]
    with torch.no_grad():
        first = chatglm.ChatGLM.from_pretrained(one)(ids)
        second = chatglm.ChatGLM.from_pretrained(other)(ids)
    assert torch.equal(first, second)


def test_stored_frequencies_are_not_needed(tmp_path: Path) -> None:
    config, tensors = read(DATA)
    for layer in range(2):
        name = f"transformer.layers.{layer}.attention.rotary_emb.inv_freq"
        tensors[name] = torch.tensor([1.0, 0.01]).half()
    _same_logits(write(tmp_path / "buffers", config, tensors), DATA)


def test_half_precision_torch_files_and_shards_are_read(tmp_path: Path) -> None:
    config, tensors = read(DATA)
    check_half_precision(DATA, tmp_path, _same_logits)
    sharded = tmp_path / "sharded"
    sharded.mkdir()
    (sharded / "config.json").write_text(json.dumps(config))
    names = sorted(tensors)
    weight_map = {}
    for number, some in enumerate((names[:9], names[9:])):
        file = f"pytorch_model-0000{number + 1}-of-00002.bin"
        torch.save({name: tensors[name] for name in some}, sharded / file)
        weight_map |= dict.fromkeys(some, file)
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (sharded / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    _same_logits(sharded, DATA)


def test_settings_are_read(tmp_path: Path) -> None:
    config, tensors = read(DATA)
    load = reference("chatglm").ChatGLM.from_pretrained
    changes = {"max_sequence_length": 9, "eos_token_id": [7, 9], "pad_token_id": 0}
    model = load(write(tmp_path / "others", config | changes, tensors))
    assert (model.config.max_positions, model.end_ids, model.pad_id) == (9, (7, 9), 0)
    for name in ("layernorm_epsilon", "max_sequence_length", "eos_token_id", "model_type"):
        config.pop(name)
    model = load(write(tmp_path / "defaults", config, tensors))
    assert (model.config.norm_eps, model.config.max_positions, model.end_ids) == (1e-5, 2048, ())


def test_special_ids_are_those_of_the_configuration(tmp_path: Path) -> None:
    """With other ids, and the embeddings and the head moved along, everything stays the same."""
    config, tensors = read(DATA)
    swapped = {PAD: 30, MASK: 31, GMASK: 32, BOS: 33}
    order = list(range(53))
    for old, new in swapped.items():
        order[old], order[new] = new, old
    for name in ("transformer.word_embeddings.weight", "lm_head.weight"):
        tensors[name] = tensors[name][order]
    names = ("pad_token_id", "mask_token_id", "gmask_token_id", "bos_token_id")
    changed = config | dict(zip(names, swapped.values(), strict=True))
    model = reference("chatglm").ChatGLM.from_pretrained(
        write(tmp_path / "swapped", changed, tensors)
    )
    for name in ("left_padded_batch", "mask_infill"):
        ids, logits = case(name)["in.input_ids"], case(name)["out.logits"]
        with torch.no_grad():
            ours = model(torch.tensor(order)[ids])
        assert_agree(ours[real(ids)], logits[..., order][real(ids)], name)


FUSED = "transformer.layers.1.attention.query_key_value.weight"
INNER = "transformer.layers.0.mlp.dense_h_to_4h.weight"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(model_type="llama"), "of type 'llama'.*'chatglm'"),
        (changed(position_encoding_2d=False), "position_encoding_2d is False"),
        (changed(quantization_bit=4), "quantization_bit is 4"),
        (changed(pre_seq_len=128), "pre_seq_len is 128"),
        (changed(tie_word_embeddings=True), "tie_word_embeddings is True"),
        (changed(padded_vocab_size=65024), "padded_vocab_size.*ChatGLM2"),
        (changed(num_attention_heads=4), "hidden_size is 24; with 4 heads"),
        (changed(bos_token_id=53), "bos_id is 53"),
        (changed(inner_hidden_size=95), r"dense_h_to_4h.weight' has shape \(96, 24\)"),
        (without("mask_token_id"), "'mask_token_id' is missing"),
        (without("num_layers"), "'num_layers' is missing"),
        (without("lm_head.weight"), "'lm_head.weight' is missing"),
        (without(FUSED), "layers.1.attention.query_key_value.weight' is missing"),
        (without(INNER), "layers.0.mlp.dense_h_to_4h.weight' is missing"),
        (without("transformer.final_layernorm.bias"), "final_layernorm.bias' is missing"),
        (
            with_tensor(FUSED, torch.zeros(71, 24)),
            r"query_key_value.weight.*\(71, 24\).*\(72, 24\)",
        ),
        (with_tensor(FUSED, torch.zeros(72, 24, dtype=torch.int8)), "query_key_value.*quantised"),
        (with_tensor(f"{FUSED}_scale", torch.zeros(72)), "query_key_value.weight_scale.*quantised"),
        (
            with_tensor("transformer.prefix.weight", torch.zeros(2)),
            "no place for 'transformer.prefix",
        ),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_named(
    spoil: Spoil, sentence: str, tmp_path: Path
) -> None:
    config, tensors = read(DATA)
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        reference("chatglm").ChatGLM.from_pretrained(write(tmp_path / "bad", config, tensors))
