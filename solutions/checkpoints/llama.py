"""Reading LLaMA: as transformers of all ages spells it, and what other formats share with it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from solutions.checkpoints.files import Checkpoint, CheckpointError, Settings, fill, make_config
from solutions.llama import Llama, interleaved_to_half, rope_frequencies
from solutions.models.llama_config import LlamaConfig, llama3_divisors

# Where each of our tensors is stored: the name of its module; {} is the number of the block.
Modules = Mapping[str, str]

_MODULES: Modules = {
    "embeddings.token_embedding": "embed_tokens",
    "attention_norm": "layers.{}.input_layernorm",
    "attention.query": "layers.{}.self_attn.q_proj",
    "attention.key": "layers.{}.self_attn.k_proj",
    "attention.value": "layers.{}.self_attn.v_proj",
    "attention.output": "layers.{}.self_attn.o_proj",
    "feed_forward_norm": "layers.{}.post_attention_layernorm",
    "feed_forward.gate": "layers.{}.mlp.gate_proj",
    "feed_forward.up": "layers.{}.mlp.up_proj",
    "feed_forward.down": "layers.{}.mlp.down_proj",
    "final_norm": "norm",
    "output.output": "lm_head",
}

# Settings of relatives that would change the numbers, and the only value that is LLaMA.
_FIXED = {
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "is_causal": True,
    "num_local_experts": None,
    "partial_rotary_factor": 1.0,
    "quantization_config": None,
    "sliding_window": None,
}


def load_llama(directory: str | os.PathLike[str]) -> Llama:
    """Read a checkpoint of LLaMA.

    Args:
        directory: has config.json, and safetensors or pytorch_model.bin, whole or sharded; or
            Meta's params.json and consolidated.*.pth.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not a LLaMA that the class can be.
    """
    folder = Path(directory)
    if (folder / "params.json").exists() and not (folder / "config.json").exists():
        from solutions.checkpoints.meta import load_meta  # here, since that module imports this

        return load_meta(folder)
    config = _read_config(Settings.open(folder, ["llama"]))
    checkpoint = Checkpoint.open(folder)
    checkpoint.rename(lambda name: name.removeprefix("model."))
    # Frequencies and tables were buffers once.
    checkpoint.drop(r"(layers\.\d+\.self_attn\.)?rotary_emb\.(inv_freq|cos_cached|sin_cached)")
    if config.tied_head and "embed_tokens.weight" not in checkpoint:  # the other twin was kept
        checkpoint.rename(lambda name: re.sub(r"^lm_head\.", "embed_tokens.", name))
    return build(config, checkpoint, _MODULES)


def build(
    config: LlamaConfig, checkpoint: Checkpoint, modules: Modules, interleaved: bool = False
) -> Llama:
    """Make a model of the tensors of a checkpoint.

    Args:
        config: its sizes.
        checkpoint: its tensors; all of them must have a place in the model.
        modules: where each of our tensors is stored.
        interleaved: whether queries and keys are in the order of Meta's code.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if a tensor is missing, misshapen or left over.
    """
    heads = {"query": config.num_heads, "key": config.num_key_value_heads}

    def state(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = {}
        for name, tensor in ours.items():
            tensors[name] = checkpoint.take(_their_name(name, modules), tensor.shape)
            turned = re.fullmatch(r"blocks\.\d+\.attention\.(query|key)_(weight|bias)", name)
            if interleaved and turned:
                tensors[name] = interleaved_to_half(tensors[name], heads[turned[1]])
        twin = f"{modules['output.output']}.weight"
        if config.tied_head and twin in checkpoint:
            checkpoint.take_twin(twin, tensors["embeddings.token_embedding"])
        checkpoint.finish()
        return tensors

    return fill(lambda: Llama(config), state)


def even_head_dim(source: str, hidden_size: int, num_heads: int) -> int:
    """Give the size of a head where the vector is shared out among the heads.

    Raises:
        CheckpointError: if they can't share it equally.
    """
    if num_heads < 1 or hidden_size % num_heads:
        raise CheckpointError(
            f"{source}: {num_heads} heads can't share vectors of size {hidden_size} equally"
        )
    return hidden_size // num_heads


def _read_config(settings: Settings) -> LlamaConfig:
    for name, value in _FIXED.items():
        settings.require(name, value)
    for kind in settings.values.get("layer_types") or ():
        if kind != "full_attention":
            raise CheckpointError(
                f"{settings.source}: layer_types has {kind!r}; only 'full_attention' is supported"
            )
    settings.one_of({"silu": None, "swish": None}, "hidden_act", default="silu")
    hidden_size = settings.get(int, "hidden_size")
    num_heads = settings.get(int, "num_attention_heads")
    if settings.values.get("head_dim") is None:
        head_dim = even_head_dim(settings.source, hidden_size, num_heads)
    else:
        head_dim = settings.get(int, "head_dim")
    theta, divisors = _read_rope(settings, head_dim)
    pad_id = settings.get(int, "pad_token_id", default=-1)
    return make_config(
        LlamaConfig,
        settings.source,
        vocab_size=settings.get(int, "vocab_size"),
        hidden_size=hidden_size,
        intermediate_size=settings.get(int, "intermediate_size"),
        num_layers=settings.get(int, "num_hidden_layers"),
        num_heads=num_heads,
        num_key_value_heads=settings.get(int, "num_key_value_heads", default=num_heads),
        head_dim=head_dim,
        norm_eps=settings.get(float, "rms_norm_eps", default=1e-6),
        rope_theta=theta,
        rope_divisors=divisors,
        attention_bias=settings.get(bool, "attention_bias", default=False),
        feed_forward_bias=settings.get(bool, "mlp_bias", default=False),
        tied_head=settings.get(bool, "tie_word_embeddings", default=False),
        initializer_range=settings.get(float, "initializer_range", default=0.02),
        # Some have no token for padding, or -1.
        pad_id=pad_id if pad_id >= 0 else None,
        end_ids=settings.end_ids(),
    )


def _read_rope(settings: Settings, head_dim: int) -> tuple[float, tuple[float, ...]]:
    """Give theta and the divisors, as transformers 4 (rope_scaling) and 5 (rope_parameters) say."""
    name = "rope_scaling" if settings.values.get("rope_scaling") else "rope_parameters"
    values = settings.values.get(name) or {}
    if not isinstance(values, dict) or any(isinstance(value, dict) for value in values.values()):
        raise CheckpointError(
            f"{settings.source}: {name} is {values!r}; it must hold settings by name, the same for "
            "all layers"
        )
    rope = Settings(values, f"{settings.source}, {name}")
    rope.require("partial_rotary_factor", 1.0)
    default = settings.get(float, "rope_theta", default=10000.0)
    theta = rope.get(float, "rope_theta", default=default)
    kinds = {name: name for name in ("default", "linear", "llama3")}
    kind = rope.one_of(kinds, "rope_type", "type", default="default")
    if kind == "default":
        return theta, ()
    factor = rope.get(float, "factor")
    if factor <= 0:
        raise CheckpointError(f"{rope.source}: factor is {factor}; it must be above 0")
    if kind == "linear":
        return theta, (factor,) * (head_dim // 2)
    low, high = rope.get(float, "low_freq_factor"), rope.get(float, "high_freq_factor")
    if high <= low:
        raise CheckpointError(
            f"{rope.source}: high_freq_factor is {high}; it must be above low_freq_factor, {low}"
        )
    positions = settings.get(int, "max_position_embeddings", default=2048)
    positions = rope.get(int, "original_max_position_embeddings", default=positions)
    frequencies = rope_frequencies(head_dim, theta).tolist()
    return theta, llama3_divisors(frequencies, factor, low, high, positions)


def _their_name(ours: str, modules: Modules) -> str:
    """Give the stored name of one of our tensors."""
    number = ""
    if ours.startswith("blocks."):
        _, number, ours = ours.split(".", 2)  # such as blocks.3.attention.query_weight
    kind = "bias" if ours.endswith("bias") else "weight"
    return f"{modules[re.sub(r'[._](weight|bias)$', '', ours)].format(number)}.{kind}"
