"""BERT's checkpoints: every spelling and form is read, and what can't be is a sentence."""

import json
from pathlib import Path

import pytest
import torch
from transformers import BertModel

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import (
    STRICT,
    assert_agree,
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
from tests.models.tiny_bert import inputs, saved


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_file_cut_off_anywhere_is_a_sentence_that_names_it(tmp_path: Path, is_zip: bool) -> None:
    config, tensors = read(saved()[1])
    (tmp_path / "config.json").write_text(json.dumps(config))
    file = tmp_path / "pytorch_model.bin"
    torch.save(tensors, file, _use_new_zipfile_serialization=is_zip)
    content = file.read_bytes()
    for end in (*range(0, 3000, 37), len(content) // 2, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(CheckpointError, match=r"pytorch_model\.bin: the file is damaged"):
            reference("bert").Bert.from_pretrained(tmp_path)


def _same_logits(one: Path, other: Path, tolerance: tuple[float, float] = (0.0, 0.0)) -> None:
    bert = reference("bert")
    with torch.no_grad():
        first = bert.Bert.from_pretrained(one)(**inputs()).prediction_logits
        second = bert.Bert.from_pretrained(other)(**inputs()).prediction_logits
    assert_agree(first, second, "logits", tolerance)


def _google(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
        "LayerNorm.bias", "LayerNorm.beta"
    )


def test_the_spelling_of_googles_code_is_read(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    old = {_google(name): tensor for name, tensor in tensors.items()}
    del config["model_type"]  # Google's bert_config.json has none
    _same_logits(write(tmp_path / "old", config, old), saved()[1])


def test_a_stale_buffer_and_doubled_tied_weights_are_read(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    tensors["bert.embeddings.position_ids"] = torch.arange(24).unsqueeze(0)
    tensors["cls.predictions.decoder.weight"] = tensors[
        "bert.embeddings.word_embeddings.weight"
    ].clone()
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()
    _same_logits(write(tmp_path / "doubled", config, tensors), saved()[1])


def test_either_copy_of_tied_weights_is_enough(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    for name, twin in (
        ("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"),
        ("cls.predictions.bias", "cls.predictions.decoder.bias"),
    ):
        tensors.pop(twin, None)
        tensors[twin] = tensors.pop(name)
    _same_logits(write(tmp_path / "twins", config, tensors), saved()[1])


def test_untied_weights_are_refused(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    tensors["cls.predictions.decoder.weight"] = torch.zeros(61, 84)
    with pytest.raises(CheckpointError, match=r"cls\.predictions\.decoder\.weight.*tied"):
        reference("bert").Bert.from_pretrained(write(tmp_path / "untied", config, tensors))


def test_a_checkpoint_without_heads_and_prefix_has_hidden_states_only(tmp_path: Path) -> None:
    theirs, _ = saved()
    model = BertModel(theirs.config, add_pooling_layer=False)
    model.load_state_dict(theirs.bert.state_dict(), strict=False)
    model.save_pretrained(tmp_path)
    ours = reference("bert").Bert.from_pretrained(tmp_path)
    with torch.no_grad():
        output = ours(**inputs())
        expected = model.eval()(**inputs()).last_hidden_state
    assert_agree(output.hidden_states[-1], expected, "hidden states", STRICT)
    assert output[:3] == (None, None, None)


def test_half_precision_torch_files_and_shards_are_read(tmp_path: Path) -> None:
    theirs, whole = saved()
    check_half_precision(whole, tmp_path, _same_logits)
    theirs.save_pretrained(tmp_path / "sharded", max_shard_size="60KB")
    assert (tmp_path / "sharded" / "model.safetensors.index.json").exists()
    _same_logits(tmp_path / "sharded", whole)


QUERY = "bert.encoder.layer.1.attention.self.query.weight"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(model_type="gpt2"), "of type 'gpt2'.*'bert'"),
        (changed(hidden_act="swish"), "hidden_act is 'swish'.*not supported"),
        (changed(position_embedding_type="relative_key"), "position_embedding_type"),
        (changed(is_decoder=True), "is_decoder"),
        (changed(hidden_size="84"), "hidden_size is '84'.*int"),
        (changed(num_attention_heads=5), "hidden_size is 84.*5 heads"),
        (without("vocab_size"), "'vocab_size' is missing"),
        (without(QUERY), "'bert.encoder.layer.1.attention.self.query.weight' is missing"),
        (with_tensor(QUERY, torch.zeros(84, 83)), r"self.query.weight.*\(84, 83\).*\(84, 84\)"),
        (with_tensor(QUERY, torch.zeros(84, 84, dtype=torch.int8)), "query.weight.*quantised"),
        (with_tensor("classifier.weight", torch.zeros(2, 84)), "no place for 'classifier.weight'"),
        (with_tensor("bert.foo.weight", torch.zeros(2)), "no place for 'bert.foo.weight'"),
        (without("bert.pooler.dense.weight"), "'bert.pooler.dense.weight' is missing"),
        (without("cls.seq_relationship.weight"), "'cls.seq_relationship.weight' is missing"),
        (changed(num_attention_heads=0), "hidden_size is 84.*0 heads"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(saved()[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        reference("bert").Bert.from_pretrained(write(tmp_path / "spoilt", config, tensors))
