"""Reading LLaMA in the format of Meta's own releases: params.json and consolidated.*.pth."""

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from solutions.checkpoints.files import (
    Checkpoint,
    CheckpointError,
    Settings,
    make_config,
    read_json,
    read_tensors,
)
from solutions.checkpoints.llama import Modules, build, even_head_dim
from solutions.llama import Llama, rope_frequencies
from solutions.models.llama_config import LlamaConfig, llama3_divisors

_MODULES: Modules = {
    "embeddings.token_embedding": "tok_embeddings",
    "attention_norm": "layers.{}.attention_norm",
    "attention.query": "layers.{}.attention.wq",
    "attention.key": "layers.{}.attention.wk",
    "attention.value": "layers.{}.attention.wv",
    "attention.output": "layers.{}.attention.wo",
    "feed_forward_norm": "layers.{}.ffn_norm",
    "feed_forward.gate": "layers.{}.feed_forward.w1",
    "feed_forward.up": "layers.{}.feed_forward.w3",
    "feed_forward.down": "layers.{}.feed_forward.w2",
    "final_norm": "norm",
    "output.output": "output",
}

# Between the parts of a model that was split over several devices.
_SPLIT_ROWS = re.compile(r"output\.weight|.*\.(wq|wk|wv|w1|w3)\.weight")
_SPLIT_COLUMNS = re.compile(r".*\.(wo|w2)\.weight")
_EMBEDDINGS = "tok_embeddings.weight"

_READ = {
    "dim",
    "ffn_dim_multiplier",
    "multiple_of",
    "n_heads",
    "n_kv_heads",
    "n_layers",
    "norm_eps",
    "rope_theta",
    "use_scaled_rope",
    "vocab_size",
}
_HARMLESS = {"max_batch_size", "max_seq_len"}

# How much longer texts may be with use_scaled_rope. params.json does not say it: it is 32 in LLaMA
# 3.2, which is told by its sizes, and 8 in LLaMA 3.1.
_SCALE_FACTORS = {2048: 32.0, 3072: 32.0}

# The tokens that end a text are with the tokenizer: these are LLaMA 3's and, else, LLaMA 1 and 2's.
_END_IDS = {128256: (128001, 128008, 128009)}


def load_meta(folder: Path) -> Llama:
    """Read a checkpoint in Meta's format.

    Args:
        folder: has params.json and consolidated.00.pth, consolidated.01.pth and so on.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not a LLaMA that the class can be.
    """
    settings = Settings(read_json(folder / "params.json"), str(folder / "params.json"))
    shards = [read_tensors(file) for file in _shard_files(folder)]
    source = str(folder / "consolidated.*.pth")
    checkpoint = Checkpoint(_merge(shards, settings.get(int, "dim"), source), source)
    checkpoint.drop(r"(layers\.\d+\.attention\.inner_attention\.)?rope\.freqs")
    return build(_read_config(settings, checkpoint), checkpoint, _MODULES, interleaved=True)


def feed_forward_size(hidden_size: int, multiple_of: int, multiplier: float | None = None) -> int:
    """Give the inner size of SwiGLU, as Meta's code computes it.

    Two thirds of 4 * D, since SwiGLU has three matrices where other networks have two; then times
    the multiplier, and up to the next multiple of a number that suits the hardware.

    Args:
        hidden_size: D.
        multiple_of: what the size must be a multiple of.
        multiplier: None: 1.

    Returns:
        F.
    """
    size = int(2 * (4 * hidden_size) / 3)
    if multiplier is not None:
        size = int(multiplier * size)
    return (size + multiple_of - 1) // multiple_of * multiple_of


def _shard_files(folder: Path) -> list[Path]:
    files = sorted(folder.glob("consolidated.*.pth"))
    expected = [folder / f"consolidated.{number:02}.pth" for number in range(max(1, len(files)))]
    for file in expected:
        if file not in files:
            raise CheckpointError(f"{file}: the file is missing")
    return files


def _merge(shards: Sequence[dict[str, Tensor]], hidden_size: int, source: str) -> dict[str, Tensor]:
    """Put the parts of each tensor together."""
    for number, shard in enumerate(shards):
        in_one_only = sorted(set(shard) ^ set(shards[0]))
        if in_one_only:
            raise CheckpointError(
                f"{source}: the tensor {in_one_only[0]!r} is in one of parts 0 and {number}, not "
                "in both"
            )
    if len(shards) == 1:
        return shards[0]
    merged = {}
    for name, part in shards[0].items():
        axis = _split_axis(name, part, hidden_size)
        merged[name] = part if axis is None else torch.cat([one[name] for one in shards], dim=axis)
    return merged


def _split_axis(name: str, part: Tensor, hidden_size: int) -> int | None:
    """Give the axis along which a tensor is split; None: each part has the whole of it."""
    if name == _EMBEDDINGS:  # LLaMA 3 splits the vocabulary, earlier ones split the vectors
        return 0 if part.shape[-1] == hidden_size else 1
    if _SPLIT_ROWS.fullmatch(name):
        return 0
    return 1 if _SPLIT_COLUMNS.fullmatch(name) else None


def _read_config(settings: Settings, checkpoint: Checkpoint) -> LlamaConfig:
    for name, value in settings.values.items():
        if name not in _READ | _HARMLESS and value not in (None, False):
            raise CheckpointError(
                f"{settings.source}: the setting {name!r} ({value!r}) is not supported"
            )
    hidden_size = settings.get(int, "dim")
    num_heads = settings.get(int, "n_heads")
    head_dim = even_head_dim(settings.source, hidden_size, num_heads)
    multiplier = settings.get(float, "ffn_dim_multiplier", default=1.0)
    theta = settings.get(float, "rope_theta", default=10000.0)
    divisors: tuple[float, ...] = ()
    if settings.get(bool, "use_scaled_rope", default=False):
        frequencies = rope_frequencies(head_dim, theta).tolist()
        factor = _SCALE_FACTORS.get(hidden_size, 8.0)
        divisors = llama3_divisors(frequencies, factor, 1.0, 4.0, 8192)
    # Before LLaMA 3 the size of the vocabulary is -1: it is that of the tokenizer.
    vocab_size = settings.get(int, "vocab_size", default=-1)
    if vocab_size == -1:
        vocab_size = checkpoint.shape(_EMBEDDINGS)[0]
    return make_config(
        LlamaConfig,
        settings.source,
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        intermediate_size=feed_forward_size(
            hidden_size, settings.get(int, "multiple_of", default=256), multiplier
        ),
        num_layers=settings.get(int, "n_layers"),
        num_heads=num_heads,
        num_key_value_heads=settings.get(int, "n_kv_heads", default=num_heads),
        head_dim=head_dim,
        norm_eps=settings.get(float, "norm_eps", default=1e-5),
        rope_theta=theta,
        rope_divisors=divisors,
        tied_head="output.weight" not in checkpoint,
        end_ids=_END_IDS.get(vocab_size, (2,)),
    )
