"""LLaMA's checkpoints in the format of Meta's own releases, whole and in parts."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import LOGITS, Mutation, assert_agree, reference
from tests.models.stored import Spoil, Tensors, changed, with_tensor, without
from tests.models.tiny_llama import FOLDERS, LLAMA3, interleaved, load, logits, saved, texts

META_NAMES = {
    "model.embed_tokens": "tok_embeddings",
    "model.norm": "norm",
    "lm_head": "output",
    "model.layers": "layers",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.down_proj": "feed_forward.w2",
    "mlp.up_proj": "feed_forward.w3",
    "input_layernorm": "attention_norm",
    "post_attention_layernorm": "ffn_norm",
}
META_PARAMS = {
    "dim": 84,
    "n_heads": 6,
    "n_kv_heads": 2,
    "n_layers": 2,
    "multiple_of": 8,
    "norm_eps": 1e-3,
    "rope_theta": 100.0,
    "vocab_size": -1,
}


def meta_model(**changes: Any) -> LlamaForCausalLM:
    """A model of transformers whose inner size is that of Meta's formula, 2/3 of 4 * 84."""
    return saved(**({"intermediate_size": 224} | changes))[0]


def meta_tensors(model: LlamaForCausalLM) -> Tensors:
    tensors = {}
    for name, tensor in model.state_dict().items():
        if "q_proj" in name:
            tensor = interleaved(tensor, model.config.num_attention_heads)
        if "k_proj" in name:
            tensor = interleaved(tensor, model.config.num_key_value_heads)
        for theirs, metas in META_NAMES.items():
            name = name.replace(theirs, metas)
        tensors[name] = tensor.contiguous()
    tensors["rope.freqs"] = torch.zeros(7)
    tensors["layers.0.attention.inner_attention.rope.freqs"] = torch.zeros(7)  # LLaMA 1
    return tensors


def meta_shards(tensors: Tensors, number: int, split_vocabulary: bool) -> list[Tensors]:
    """Split as fairscale's layers do: some by rows, some by columns, the norms not at all."""
    shards: list[Tensors] = [{} for _ in range(number)]
    for name, tensor in tensors.items():
        kind = name.split(".")[-2]
        if kind in ("wq", "wk", "wv", "w1", "w3", "output"):
            parts = tensor.chunk(number, dim=0)
        elif kind in ("wo", "w2"):
            parts = tensor.chunk(number, dim=1)
        elif kind == "tok_embeddings":
            parts = tensor.chunk(number, dim=0 if split_vocabulary else 1)
        else:
            parts = (tensor,) * number
        for shard, part in zip(shards, parts, strict=True):
            shard[name] = part.clone()
    return shards


def write_meta(folder: Path, shards: list[Tensors], **changes: Any) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "params.json").write_text(json.dumps(META_PARAMS | changes))
    for number, shard in enumerate(shards):
        torch.save(shard, folder / f"consolidated.{number:02}.pth")
    return folder


@cache
def meta_folder(number: int = 1, split_vocabulary: bool = False) -> Path:
    shards = meta_shards(meta_tensors(meta_model(vocab_size=60)), number, split_vocabulary)
    return write_meta(Path(FOLDERS.name) / f"meta {number} {split_vocabulary}", shards)


def agree_meta() -> None:
    ids = texts(2, 30, 60)
    with torch.no_grad():
        expected = meta_model(vocab_size=60)(ids).logits
        for number, split_vocabulary in ((1, False), (2, False), (2, True)):
            found = load(meta_folder(number, split_vocabulary))(ids)
            assert_agree(found, expected, f"{number} parts", LOGITS)


def agree_meta_scaled() -> None:
    """LLaMA 3.1's frequencies; wide heads and texts of 8192, or few of them would change."""
    rope = LLAMA3 | {
        "rope_theta": 5e5,
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    model = meta_model(rope_parameters=rope)
    folder = Path(FOLDERS.name) / "meta scaled"
    if not folder.exists():
        shards = meta_shards(meta_tensors(model), 1, False)
        write_meta(folder, shards, rope_theta=5e5, use_scaled_rope=True, vocab_size=61)
    ours = load(folder)
    frequencies = reference("llama").rope_frequencies(14, 5e5)
    frequencies = frequencies / torch.tensor(ours.config.rope_divisors)
    assert_agree(frequencies, model.model.rotary_emb.inv_freq, "frequencies", (0.0, 1e-6))
    assert_agree(logits(ours), logits(model), "logits", LOGITS)


AGREEMENTS: list[Callable[[], None]] = [agree_meta, agree_meta_scaled]

MUTATIONS = [
    Mutation("checkpoints.meta", "interleaved=True", "interleaved=False"),
    Mutation("checkpoints.meta", "hidden_size, 8.0)", "hidden_size, 32.0)"),
    Mutation("checkpoints.meta", '"norm_eps", default=1e-5', '"eps", default=1e-5'),
    Mutation("checkpoints.meta", '"rope_theta", default=10000.0', '"theta", default=10000.0'),
    Mutation(
        "checkpoints.meta", 'glob("consolidated.*.pth"))', 'glob("consolidated.*.pth"))[::-1]'
    ),
    Mutation("checkpoints.llama", "heads[turned[1]]", 'heads["key"]'),
    Mutation("llama", "num_heads, -1, 2, *weight.shape[1:]", "num_heads, 2, -1, *weight.shape[1:]"),
]


def test_metas_format_is_read_whole_and_in_parts() -> None:
    agree_meta()


def test_metas_scaled_frequencies_agree_with_transformers() -> None:
    agree_meta_scaled()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((4096, 256), 11008),  # LLaMA 7B
        ((5120, 256), 13824),  # 13B
        ((6656, 256), 17920),  # 33B
        ((8192, 256), 22016),  # 65B
        ((8192, 4096, 1.3), 28672),  # LLaMA 2 and 3, 70B
        ((4096, 1024, 1.3), 14336),  # LLaMA 3 8B
        ((16384, 4096, 1.2), 53248),  # LLaMA 3.1 405B
    ],
)
def test_the_inner_sizes_of_the_released_models_come_out(
    sizes: tuple[Any, ...], expected: int
) -> None:
    assert reference("checkpoints.meta").feed_forward_size(*sizes) == expected


@pytest.mark.parametrize(
    ("params", "inner", "factor"),
    [
        ({"dim": 4096, "n_heads": 32, "multiple_of": 1024, "ffn_dim_multiplier": 1.3}, 14336, 8.0),
        ({"dim": 2048, "n_heads": 32, "multiple_of": 256, "ffn_dim_multiplier": 1.5}, 8192, 32.0),
    ],
    ids=["3.1 8B", "3.2 1B"],
)
def test_the_settings_of_released_models_give_the_published_configurations(
    params: dict[str, Any], inner: int, factor: float
) -> None:
    """Against the frequencies that transformers computes from the published rope_scaling."""
    llama, files = reference("llama"), reference("checkpoints.files")
    params |= {"n_kv_heads": 8, "n_layers": 16, "norm_eps": 1e-5, "rope_theta": 5e5}
    params |= {"use_scaled_rope": True, "vocab_size": 128256}
    checkpoint = files.Checkpoint({"output.weight": torch.zeros(1)}, "weights")
    config = reference("checkpoints.meta")._read_config(files.Settings(params, "p"), checkpoint)
    rope = {"rope_type": "llama3", "rope_theta": 5e5, "factor": factor, "low_freq_factor": 1.0}
    rope |= {"high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
    theirs = LlamaConfig(
        hidden_size=config.hidden_size,
        num_attention_heads=config.num_heads,
        rope_parameters=rope,
    )
    frequencies = llama.rope_frequencies(config.head_dim, 5e5) / torch.tensor(config.rope_divisors)
    expected = LlamaRotaryEmbedding(theirs).inv_freq
    assert_agree(frequencies, expected, "frequencies", (0.0, 1e-6))
    assert config.intermediate_size == inner
    assert config.end_ids == (128001, 128008, 128009)


def test_metas_tied_head_half_precision_and_missing_settings_are_read(tmp_path: Path) -> None:
    model = meta_model(
        num_key_value_heads=6, rms_norm_eps=1e-5, rope_parameters=None, tie_word_embeddings=True
    )
    tensors = {name: tensor.bfloat16() for name, tensor in meta_tensors(model).items()}
    del tensors["output.weight"]
    write_meta(tmp_path, [tensors])
    params = {name: META_PARAMS[name] for name in ("dim", "n_heads", "n_layers", "multiple_of")}
    (tmp_path / "params.json").write_text(json.dumps(params | {"max_seq_len": 2048}))
    found = load(tmp_path)
    rounded = LlamaForCausalLM(model.config).eval()
    rounded.load_state_dict({name: x.bfloat16() for name, x in model.state_dict().items()})
    assert_agree(logits(found), logits(rounded), "logits", LOGITS)
    assert found.end_ids == (2,)


META_KEY = "layers.1.attention.wk.weight"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(moe={"num_experts": 8}), "'moe'.*not supported"),
        (changed(sliding_window=4096), "'sliding_window' .4096. is not supported"),
        (changed(n_heads=5), "5 heads can't share vectors of size 84"),
        (changed(n_heads=3, n_kv_heads=2), "3 query heads can't share 2"),
        (changed(ffn_dim_multiplier=1.5), r"feed_forward.w.*\(224, 84\).*\(336, 84\)"),
        (changed(vocab_size=62), r"tok_embeddings\.weight'.*\(61, 84\).*\(62, 84\)"),
        (without("n_layers"), "'n_layers' is missing"),
        (without(META_KEY), "layers.1.attention.wk.weight' is missing"),
        (with_tensor(META_KEY, torch.zeros(28, 83)), r"wk\.weight'.*\(28, 83\).*\(28, 84\)"),
        (
            with_tensor("layers.2.ffn_norm.weight", torch.ones(84)),
            "no place for 'layers.2.ffn_norm",
        ),
    ],
)
def test_what_cannot_be_read_of_metas_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    params, tensors = dict(META_PARAMS), meta_tensors(meta_model())
    spoil(params, tensors)
    write_meta(tmp_path, [tensors])
    (tmp_path / "params.json").write_text(json.dumps(params))
    with pytest.raises(CheckpointError, match=sentence):
        load(tmp_path)


def test_parts_that_do_not_fit_are_sentences(tmp_path: Path) -> None:
    shards = meta_shards(meta_tensors(meta_model(vocab_size=60)), 2, False)
    write_meta(tmp_path / "gap", shards)
    (tmp_path / "gap" / "consolidated.00.pth").unlink()
    with pytest.raises(CheckpointError, match=r"consolidated\.00\.pth: the file is missing"):
        load(tmp_path / "gap")
    write_meta(tmp_path / "half", shards[:1])
    with pytest.raises(CheckpointError, match=r"'.*weight' has shape"):
        load(tmp_path / "half")
    del shards[1]["norm.weight"]
    write_meta(tmp_path / "uneven", shards)
    with pytest.raises(CheckpointError, match=r"'norm\.weight' is in one of parts 0 and 1"):
        load(tmp_path / "uneven")
