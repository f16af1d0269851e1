"""Reading LLaMA from a GGUF file, the format of llama.cpp: one file with settings and weights.

Queries and keys are in the order of Meta's code. Quantised weights are turned into float32.
"""

import os
from pathlib import Path

import torch
from gguf import GGUFReader, dequantize
from torch import Tensor

from solutions.checkpoints.files import Checkpoint, CheckpointError, Settings, make_config
from solutions.checkpoints.llama import Modules, build, even_head_dim
from solutions.llama import Llama
from solutions.models.llama_config import LlamaConfig

_MODULES: Modules = {
    "embeddings.token_embedding": "token_embd",
    "attention_norm": "blk.{}.attn_norm",
    "attention.query": "blk.{}.attn_q",
    "attention.key": "blk.{}.attn_k",
    "attention.value": "blk.{}.attn_v",
    "attention.output": "blk.{}.attn_output",
    "feed_forward_norm": "blk.{}.ffn_norm",
    "feed_forward.gate": "blk.{}.ffn_gate",
    "feed_forward.up": "blk.{}.ffn_up",
    "feed_forward.down": "blk.{}.ffn_down",
    "final_norm": "output_norm",
    "output.output": "output",
}

_READ = {
    "llama.attention.head_count",
    "llama.attention.head_count_kv",
    "llama.attention.key_length",
    "llama.attention.layer_norm_rms_epsilon",
    "llama.attention.value_length",
    "llama.block_count",
    "llama.embedding_length",
    "llama.feed_forward_length",
    "llama.rope.dimension_count",
    "llama.rope.freq_base",
    "llama.rope.scale_linear",
    "llama.rope.scaling.factor",
    "llama.rope.scaling.type",
}
_HARMLESS = {
    "llama.context_length",
    "llama.rope.scaling.finetuned",
    "llama.rope.scaling.original_context_length",
    "llama.tensor_data_layout",
    "llama.vocab_size",
}

_PAD_ID = "tokenizer.ggml.padding_token_id"


def load_gguf(path: str | os.PathLike[str]) -> Llama:
    """Read a GGUF file.

    Args:
        path: the file; its architecture must be "llama".

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not a LLaMA that the class can be.
    """
    reader, source = _open(Path(path)), str(path)
    values = {name: field.contents() for name, field in reader.fields.items()}
    architecture = values.get("general.architecture")
    if architecture != "llama":
        raise CheckpointError(
            f"{source}: the architecture is {architecture!r}; this class reads 'llama'"
        )
    for name, value in values.items():
        if name.startswith("llama.") and name not in _READ | _HARMLESS and value not in (0, False):
            raise CheckpointError(f"{source}: the setting {name!r} ({value!r}) is not supported")
    checkpoint = Checkpoint(_dequantise(reader, source), source)
    config = _read_config(Settings(values, source), checkpoint)
    return build(config, checkpoint, _MODULES, interleaved=True)


def _open(path: Path) -> GGUFReader:
    if not path.exists():
        raise CheckpointError(f"{path}: the file is missing")
    try:
        return GGUFReader(path)
    except (IndexError, KeyError, OSError, OverflowError, ValueError) as error:
        raise CheckpointError(
            f"{path}: the file is damaged or truncated, or no GGUF file ({error})"
        ) from None


def _dequantise(reader: GGUFReader, source: str) -> dict[str, Tensor]:
    tensors = {}
    for stored in reader.tensors:
        try:
            numbers = dequantize(stored.data, stored.tensor_type)
        except NotImplementedError:
            raise CheckpointError(
                f"{source}: the tensor {stored.name!r} is stored as {stored.tensor_type.name}, "
                "which is not supported"
            ) from None
        tensors[stored.name] = torch.tensor(numbers)
    return tensors


def _read_config(settings: Settings, checkpoint: Checkpoint) -> LlamaConfig:
    hidden_size = settings.get(int, "llama.embedding_length")
    num_heads = settings.get(int, "llama.attention.head_count")
    if "llama.attention.key_length" in settings.values:
        head_dim = settings.get(int, "llama.attention.key_length")
    else:
        head_dim = even_head_dim(settings.source, hidden_size, num_heads)
    settings.require("llama.attention.value_length", head_dim)
    settings.require("llama.rope.dimension_count", head_dim)
    end_ids = [
        settings.get(int, name)
        for name in ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id")
        if name in settings.values
    ]
    return make_config(
        LlamaConfig,
        settings.source,
        vocab_size=checkpoint.shape("token_embd.weight")[0],
        hidden_size=hidden_size,
        intermediate_size=settings.get(int, "llama.feed_forward_length"),
        num_layers=settings.get(int, "llama.block_count"),
        num_heads=num_heads,
        num_key_value_heads=settings.get(int, "llama.attention.head_count_kv", default=num_heads),
        head_dim=head_dim,
        norm_eps=settings.get(float, "llama.attention.layer_norm_rms_epsilon"),
        rope_theta=settings.get(float, "llama.rope.freq_base", default=10000.0),
        rope_divisors=_read_divisors(settings, checkpoint, head_dim),
        attention_bias="blk.0.attn_q.bias" in checkpoint,
        feed_forward_bias="blk.0.ffn_gate.bias" in checkpoint,
        tied_head="output.weight" not in checkpoint,
        pad_id=settings.get(int, _PAD_ID) if _PAD_ID in settings.values else None,
        end_ids=tuple(dict.fromkeys(end_ids)),
    )


def _read_divisors(settings: Settings, checkpoint: Checkpoint, head_dim: int) -> tuple[float, ...]:
    """Give what the frequencies are divided by: linear scaling says it, LLaMA 3.1 stores it."""
    kinds = {name: name for name in ("none", "linear")}
    default = "linear" if "llama.rope.scale_linear" in settings.values else "none"
    kind = settings.one_of(kinds, "llama.rope.scaling.type", default=default)
    factor = 1.0
    if kind == "linear":
        factor = settings.get(float, "llama.rope.scaling.factor", "llama.rope.scale_linear")
    divisors = (factor,) * (head_dim // 2)
    if "rope_freqs.weight" in checkpoint:
        stored = checkpoint.take("rope_freqs.weight", (head_dim // 2,))
        divisors = tuple((factor * stored).tolist())
    return divisors if set(divisors) != {1.0} else ()
