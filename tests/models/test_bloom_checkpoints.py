"""BLOOM's checkpoints: every spelling and form is read, and what can't be is a sentence."""

from pathlib import Path

import pytest
import torch

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import (
    reference,
)
from tests.models.stored import (
    Spoil,
    changed,
    check_half_precision,
    read,
    with_tensor,
    without,
    write,
)
from tests.models.tiny_bloom import VOCAB, saved, tokens


def _same_logits(one: Path, other: Path) -> None:
    load = reference("bloom").Bloom.from_pretrained
    with torch.no_grad():
        assert torch.equal(load(one)(tokens()), load(other)(tokens()))


def test_the_released_spelling_is_read(tmp_path: Path) -> None:
    """No prefix; n_embed and num_attention_heads; settings that only fused kernels read."""
    config, tensors = read(saved()[1])
    config["n_embed"] = config.pop("hidden_size")
    config["num_attention_heads"] = config.pop("n_head")
    config["num_hidden_layers"] = config.pop("n_layer")
    config |= {"n_inner": None, "offset_alibi": 100, "seq_length": 2048, "pretraining_tp": 4}
    config |= {"attention_softmax_in_fp32": True, "slow_but_exact": False, "hidden_dropout": 0.1}
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    assert "h.1.self_attention.query_key_value.weight" in bare
    _same_logits(write(tmp_path / "released", config, bare), saved()[1])


def test_a_doubled_head_and_a_stale_mask_are_read(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    tensors["lm_head.weight"] = tensors["transformer.word_embeddings.weight"].clone()
    buffer = "transformer.h.1.self_attention.scale_mask_softmax.causal_mask"
    tensors[buffer] = torch.ones(4, 4, dtype=torch.bool)
    _same_logits(write(tmp_path / "doubled", config, tensors), saved()[1])


def test_half_precision_torch_files_and_shards_are_read(tmp_path: Path) -> None:
    theirs, whole = saved()
    check_half_precision(whole, tmp_path, _same_logits)
    theirs.save_pretrained(tmp_path / "sharded", max_shard_size="90KB")
    assert (tmp_path / "sharded" / "model.safetensors.index.json").exists()
    _same_logits(tmp_path / "sharded", whole)


def test_the_configuration_is_taken_over(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    config |= {"initializer_range": 0.03, "eos_token_id": [2, 5], "pad_token_id": 4}
    found = reference("bloom").Bloom.from_pretrained(write(tmp_path / "it", config, tensors))
    assert (found.config.initializer_range, found.end_ids, found.pad_id) == (0.03, (2, 5), 4)
    assert not found.training


QKV = "transformer.h.1.self_attention.query_key_value.weight"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(model_type="gpt2"), "of type 'gpt2'.*'bloom'"),
        (changed(tie_word_embeddings=False), "tie_word_embeddings is False"),
        (changed(is_causal=False), "is_causal is False"),
        (changed(n_inner=100), "n_inner is 100; only 336"),
        (changed(n_head=5), "hidden_size is 84.*5 heads"),
        (changed(layer_norm_epsilon="small"), "layer_norm_epsilon is 'small'.*float"),
        (without("vocab_size"), "'vocab_size' is missing"),
        (without(QKV), "h.1.self_attention.query_key_value.weight' is missing"),
        (with_tensor(QKV, torch.zeros(252, 83)), r"query_key_value.*\(252, 83\).*\(252, 84\)"),
        (with_tensor("lm_head.weight", torch.zeros(VOCAB, 84)), "'lm_head.weight'.*tied"),
        (with_tensor("score.weight", torch.zeros(2, 84)), "no place for 'score.weight'"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(saved()[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        reference("bloom").Bloom.from_pretrained(write(tmp_path / "spoilt", config, tensors))


def test_behind_the_end_stands_what_transformers_puts_there(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    config |= {"pad_token_id": None, "eos_token_id": 7}
    folder = write(tmp_path / "no-pad", config, tensors)
    assert reference("bloom").Bloom.from_pretrained(folder).pad_id == 7
