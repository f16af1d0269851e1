"""Checkpoints of Marian and FSMT as they are found: spellings, storage, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import MarianModel

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import LOGITS, assert_agree, reference
from tests.models.stored import (
    Spoil,
    changed,
    check_half_precision,
    read,
    with_tensor,
    without,
    write,
)
from tests.models.translators import (
    PADDED,
    TARGET_PADDED,
    fsmt,
    marian,
    sources,
    targets,
)

SHARED, OUTPUT = "model.shared.weight", "lm_head.weight"
SOURCE, TARGET = "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"
PROJECTION = "model.decoder.output_projection.weight"
POSITIONS = [f"model.{side}.embed_positions.weight" for side in ("encoder", "decoder")]
QUERY = "model.decoder.layers.2.encoder_attn.q_proj.weight"
UNTIED = {"tie_word_embeddings": False}
TIED_FSMT = {"tie_word_embeddings": True, "src_vocab_size": 53}


def load(folder: Path) -> Any:
    return reference("transformer").Transformer.from_pretrained(folder)


def logits_of(model: Any) -> Tensor:
    with torch.no_grad():
        inputs = sources(PADDED, model.config.pad_id) | targets(TARGET_PADDED)
        inputs["decoder_input_ids"] %= model.target_vocab_size
        return model(**inputs)


def assert_same(one: Path, other: Path, tolerance: tuple[float, float] = (0.0, 0.0)) -> None:
    assert_agree(logits_of(load(one)), logits_of(load(other)), "logits", tolerance)


# ---------------------------------------------------------------------------- spellings


@pytest.mark.parametrize("kept", [SHARED, SOURCE, TARGET, OUTPUT])
def test_one_copy_of_the_tied_matrix_of_marian_is_enough(tmp_path: Path, kept: str) -> None:
    config, tensors = read(marian()[1])
    tensors[kept] = tensors.pop(SHARED)
    assert_same(write(tmp_path / "other", config, tensors), marian()[1])


@pytest.mark.parametrize("kept", [SOURCE, TARGET, PROJECTION])
def test_one_copy_of_the_tied_matrix_of_fsmt_is_enough(tmp_path: Path, kept: str) -> None:
    config, tensors = read(fsmt(**TIED_FSMT)[1])
    (matrix,) = (tensors.pop(name) for name in (SOURCE, TARGET, PROJECTION) if name in tensors)
    assert_same(write(tmp_path / "other", config, {**tensors, kept: matrix}), fsmt(**TIED_FSMT)[1])


def test_a_torch_file_as_transformers_4_wrote_it_is_read(tmp_path: Path) -> None:
    """All copies of what is tied, the positions, and a configuration full of old settings."""
    config, tensors = read(marian()[1])
    for name in (SOURCE, TARGET, OUTPUT):
        tensors[name] = tensors[SHARED]
    for name in POSITIONS:
        table = reference("transformer").sinusoidal_positions(24, 84)
        tensors[name] = torch.cat([table[:, 0::2], table[:, 1::2]], dim=1)
    old = {
        "add_bias_logits": False,
        "add_final_layer_norm": False,
        "bad_words_ids": [[60]],
        "extra_pos_embeddings": 61,
        "force_bos_token_to_be_generated": False,
        "max_length": 512,
        "normalize_before": False,
        "normalize_embedding": False,
        "num_beams": 6,
        "num_hidden_layers": 2,
        "static_position_embeddings": True,
    }
    (tmp_path / "config.json").write_text(json.dumps(config | old))
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    assert_same(tmp_path, marian()[1], LOGITS)
    ours = load(tmp_path)
    assert ours.config.banned_ids == (60,)
    assert ours.config.stored_positions
    assert not any(table.requires_grad for table in ours.positions.parameters())


def test_marian_that_shares_embeddings_but_not_the_output_is_read(tmp_path: Path) -> None:
    """transformers 4 stored one embedding and the output; 5 stores a third matrix of no use."""
    config, tensors = read(marian(**UNTIED)[1])
    assert SHARED in tensors
    same = {**tensors, SOURCE: tensors[SHARED], TARGET: tensors[SHARED]}
    new = write(tmp_path / "new", config, {name: t.clone() for name, t in same.items()})
    del same[SOURCE], same[TARGET]
    old = write(tmp_path / "old", config, same)
    assert_same(old, new)
    assert load(old).config.share_embeddings


def test_a_checkpoint_without_head_and_prefix_has_no_bias(tmp_path: Path) -> None:
    theirs, folder = marian()
    model = MarianModel(theirs.config)
    model.load_state_dict(theirs.model.state_dict())
    model.save_pretrained(tmp_path / "bare")
    tensors = read(tmp_path / "bare")[1]
    assert not any(name.startswith("model.") for name in tensors)
    ours = load(tmp_path / "bare")
    bias = load(folder).embeddings["output_bias"]
    assert_agree(logits_of(ours) + bias, logits_of(load(folder)), "logits")


def test_fsmt_whose_output_is_the_embedding_may_say_so_as_fairseq_does(tmp_path: Path) -> None:
    config, tensors = read(fsmt()[1])
    tensors[PROJECTION] = tensors[TARGET].clone()
    both = write(tmp_path / "both", config, tensors)
    del tensors[PROJECTION]
    config["share_decoder_input_output_embed"] = True
    assert_same(write(tmp_path / "one", config, tensors), both)


def test_stale_buffers_and_general_names_of_settings_are_read(tmp_path: Path) -> None:
    config, tensors = read(fsmt()[1])
    tensors["model.encoder.embed_positions._float_tensor"] = torch.zeros(1)
    tensors["model.decoder.version"] = torch.tensor([3.0])
    for special, general in (
        ("d_model", "hidden_size"),
        ("encoder_layers", "num_hidden_layers"),
        ("encoder_attention_heads", "num_attention_heads"),
        ("tgt_vocab_size", "vocab_size"),
    ):
        config[general] = config.pop(special)
    for unsaid in ("activation_function", "pad_token_id", "decoder_start_token_id", "eos_token_id"):
        del config[unsaid]
    ours = load(write(tmp_path / "general", config, tensors))
    assert ours.config == load(fsmt()[1]).config
    assert_same(tmp_path / "general", fsmt()[1])


@pytest.mark.parametrize("make", [marian, fsmt])
def test_half_precision_torch_files_and_shards_are_read(
    tmp_path: Path, make: Callable[..., Any]
) -> None:
    theirs, whole = make(stored_positions=True)
    check_half_precision(whole, tmp_path, assert_same)
    theirs.save_pretrained(tmp_path / "sharded", max_shard_size="60KB")
    assert (tmp_path / "sharded" / "model.safetensors.index.json").exists()
    if make is fsmt:  # of which transformers stores all tensors
        assert_same(tmp_path / "sharded", whole)
    else:
        assert_same(tmp_path / "sharded", marian()[1])


def test_banned_words_may_stand_in_the_file_for_generation(tmp_path: Path) -> None:
    config, tensors = read(marian()[1])
    folder = write(tmp_path / "banned", config, tensors)
    (folder / "generation_config.json").write_text('{"bad_words_ids": [[60], [3]]}')
    ours = load(folder)
    assert ours.config.banned_ids == (60, 3)
    assert not torch.isin(ours.generate(**sources(PADDED), max_new_tokens=6)[:, 1:], 3).any()


# ---------------------------------------------------------------------------- refusals


BOTH: list[tuple[Spoil, str]] = [
    (changed(model_type="bart"), "of type 'bart'.*'marian', 'fsmt'"),
    (without("model_type"), "'model_type' is missing"),
    (changed(activation_function="prelu"), "activation_function is 'prelu'.*not supported"),
    (changed(is_encoder_decoder=False), "is_encoder_decoder is False"),
    (changed(normalize_before=True), "normalize_before is True"),
    (changed(normalize_embedding=True), "normalize_embedding is True"),
    (changed(add_final_layer_norm=True), "add_final_layer_norm is True"),
    (changed(d_model="84"), "d_model is '84'.*int"),
    (changed(decoder_attention_heads=5), "hidden_size is 84.*5 heads"),
    (changed(pad_token_id=99), "config.json: pad_id has 99"),
    (changed(bad_words_ids=[[3, 4]]), r"bad_words_ids is \[\[3, 4\]\].*one token"),
    (changed(bad_words_ids=[[77]]), "banned_ids has 77"),
    (without("encoder_ffn_dim"), "'encoder_ffn_dim' is missing"),
    (without(QUERY), "'model.decoder.layers.2.encoder_attn.q_proj.weight' is missing"),
    (
        with_tensor(QUERY, torch.zeros(84, 83)),
        r"encoder_attn.q_proj.weight.*\(84, 83\).*\(84, 84\)",
    ),
    (with_tensor(QUERY, torch.zeros(84, 84, dtype=torch.int8)), "q_proj.weight.*quantised"),
    (
        with_tensor("model.encoder.layer_norm.weight", torch.zeros(84)),
        "no place for 'model.encoder.layer_norm",
    ),
    (with_tensor(POSITIONS[0], torch.zeros(24, 84)), "embed_positions.weight"),
]


@pytest.mark.parametrize("make", [marian, fsmt])
@pytest.mark.parametrize(("spoil", "sentence"), BOTH, ids=[sentence for _, sentence in BOTH])
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, make: Callable[..., Any], spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(make()[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        load(write(tmp_path / "spoilt", config, tensors))


MARIAN: list[tuple[dict[str, Any], Spoil, str]] = [
    ({}, changed(static_position_embeddings=False), "encoder.embed_positions.*is missing"),
    ({}, without(SHARED), "'shared.weight' is missing"),
    ({}, with_tensor(OUTPUT, torch.zeros(61, 84)), "lm_head.weight.*tied.*differs"),
    ({}, with_tensor("final_logits_bias", torch.zeros(1, 60)), r"final_logits_bias.*\(1, 61\)"),
    (UNTIED, without(OUTPUT), "'lm_head.weight' is missing"),
    (UNTIED, without(SOURCE, TARGET, SHARED), "'shared.weight' is missing"),
]
FSMT: list[tuple[dict[str, Any], Spoil, str]] = [
    ({}, without(PROJECTION), "'model.decoder.output_projection.weight' is missing"),
    ({}, without("tgt_vocab_size"), "'tgt_vocab_size' is missing"),
    ({}, changed(tie_word_embeddings=True), "61 and 53 tokens"),
    (TIED_FSMT, with_tensor(PROJECTION, torch.zeros(53, 84)), "output_projection.*differs"),
]


@pytest.mark.parametrize(("changes", "spoil", "sentence"), MARIAN, ids=[case[2] for case in MARIAN])
def test_what_marian_cannot_be_is_a_sentence(
    tmp_path: Path, changes: dict[str, Any], spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(marian(**changes)[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        load(write(tmp_path / "spoilt", config, tensors))


@pytest.mark.parametrize(("changes", "spoil", "sentence"), FSMT, ids=[case[2] for case in FSMT])
def test_what_fsmt_cannot_be_is_a_sentence(
    tmp_path: Path, changes: dict[str, Any], spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(fsmt(**changes)[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        load(write(tmp_path / "spoilt", config, tensors))
