"""Reading BLOOM: the released files, and what transformers of all ages write."""

import os
from collections.abc import Mapping

from torch import Tensor

from solutions.bloom import Bloom, BloomConfig
from solutions.checkpoints.files import Checkpoint, Settings, fill, make_config

_EMBEDDINGS = {
    "embeddings.token_embedding": "word_embeddings.weight",
    "embeddings.weight": "word_embeddings_layernorm.weight",
    "embeddings.bias": "word_embeddings_layernorm.bias",
}
_NORMS = {"attention_norm": "input_layernorm", "feed_forward_norm": "post_attention_layernorm"}
_MODULES = {
    "qkv": "self_attention.query_key_value",
    "output": "self_attention.dense",
    "inner": "mlp.dense_h_to_4h",
    "outer": "mlp.dense_4h_to_h",
}


def load_bloom(directory: str | os.PathLike[str]) -> Bloom:
    """Read a checkpoint of BLOOM.

    Args:
        directory: has config.json, and safetensors or pytorch_model.bin, whole or sharded.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not a BLOOM that the class can be.
    """
    config = _read_config(Settings.open(directory, ["bloom"]))
    checkpoint = Checkpoint.open(directory)
    checkpoint.rename(lambda name: name.removeprefix("transformer."))
    # The mask was a buffer once.
    checkpoint.drop(r"h\.\d+\.self_attention\.scale_mask_softmax\.causal_mask")
    checkpoint.use_twin("word_embeddings.weight", "lm_head.weight")

    def state(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = {
            name: checkpoint.take(_their_name(name), tensor.shape) for name, tensor in ours.items()
        }
        if "lm_head.weight" in checkpoint:
            checkpoint.take_twin("lm_head.weight", tensors["embeddings.token_embedding"])
        checkpoint.finish()
        return tensors

    return fill(lambda: Bloom(config), state)


def _read_config(settings: Settings) -> BloomConfig:
    settings.require("tie_word_embeddings", True)
    settings.require("is_causal", True)
    hidden_size = settings.get(int, "n_embed", "hidden_size")
    end_ids = settings.end_ids()
    if settings.values.get("n_inner") is not None:
        settings.require("n_inner", 4 * hidden_size)
    return make_config(
        BloomConfig,
        settings.source,
        vocab_size=settings.get(int, "vocab_size"),
        hidden_size=hidden_size,
        num_layers=settings.get(int, "num_hidden_layers", "n_layer"),
        num_heads=settings.get(int, "num_attention_heads", "n_head"),
        norm_eps=settings.get(float, "layer_norm_epsilon", default=1e-5),
        residual_after_norm=settings.get(
            bool, "apply_residual_connection_post_layernorm", default=False
        ),
        initializer_range=settings.get(float, "initializer_range", default=0.02),
        pad_id=settings.get(int, "pad_token_id", default=next(iter(end_ids), 3)),
        end_ids=end_ids,
    )


def _their_name(name: str) -> str:
    """Give the stored name, without the prefix, of one of our tensors."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    group, _, rest = name.partition(".")
    if group == "final_norm":
        return f"ln_f.{rest}"
    number, part, tensor = rest.split(".")  # such as blocks.3.attention.qkv_weight
    if part in _NORMS:
        return f"h.{number}.{_NORMS[part]}.{tensor}"
    which, _, kind = tensor.rpartition("_")
    return f"h.{number}.{_MODULES[which]}.{kind}"
