"""What Marian and FSMT share: the names of layers and settings, and weights that are tied."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from solutions.checkpoints.files import (
    Checkpoint,
    CheckpointError,
    Settings,
    fill,
    make_config,
    read_json,
)
from solutions.transformer import Transformer, TransformerConfig

SOURCE, TARGET = "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"
POSITIONS = {
    "positions.source": "encoder.embed_positions.weight",
    "positions.target": "decoder.embed_positions.weight",
}

_ACTIVATIONS = {
    "gelu": "gelu",
    "gelu_accurate": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_new": "gelu_tanh",
    "gelu_python": "gelu",
    "gelu_python_tanh": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "hardswish": "hardswish",
    "leaky_relu": "leaky_relu",
    "mish": "mish",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "relu6": "relu6",
    "sigmoid": "sigmoid",
    "silu": "silu",
    "swish": "silu",
    "tanh": "tanh",
}
_PARTS = {
    "attention": "self_attn",
    "attention_norm": "self_attn_layer_norm",
    "self_attention": "self_attn",
    "self_attention_norm": "self_attn_layer_norm",
    "cross_attention": "encoder_attn",
    "cross_attention_norm": "encoder_attn_layer_norm",
    "feed_forward_norm": "final_layer_norm",
}
_ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
_FEED_FORWARD = {"inner": "fc1", "outer": "fc2"}


def read_config(settings: Settings, activation: str, **traits: Any) -> TransformerConfig:
    """Read what both kinds of configuration say alike.

    Args:
        settings: of the checkpoint.
        activation: the activation where the configuration names none.
        traits: what the caller has read, as ``TransformerConfig`` takes it.

    Raises:
        CheckpointError: if a setting is missing, not supported, or does not fit the others.
    """
    settings.require("is_encoder_decoder", True)
    settings.require("normalize_before", False)
    settings.require("normalize_embedding", False)
    settings.require("add_final_layer_norm", False)
    return make_config(
        TransformerConfig,
        settings.source,
        hidden_size=settings.get(int, "d_model", "hidden_size"),
        num_layers=settings.get(int, "encoder_layers", "num_hidden_layers"),
        num_heads=settings.get(int, "encoder_attention_heads", "num_attention_heads"),
        intermediate_size=settings.get(int, "encoder_ffn_dim"),
        num_decoder_layers=settings.get(int, "decoder_layers"),
        num_decoder_heads=settings.get(int, "decoder_attention_heads"),
        decoder_intermediate_size=settings.get(int, "decoder_ffn_dim"),
        activation=settings.one_of(_ACTIVATIONS, "activation_function", default=activation),
        norm_eps=1e-5,  # not a setting of theirs
        banned_ids=_banned_ids(settings),
        **traits,
    )


def load(
    checkpoint: Checkpoint, config: TransformerConfig, embeddings: Mapping[str, Sequence[str]]
) -> Transformer:
    """Make the model of a configuration and give it the weights of a checkpoint.

    Args:
        checkpoint: its tensors, by names without the prefix "model.".
        config: what the model is like.
        embeddings: for each of the model's embeddings the names under which it may be stored. If
            several are there, they must be equal.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if tensors are missing, misshapen, or left over.
    """
    checkpoint.drop(r"(encoder|decoder)\.(version|embed_positions\._float_tensor)")

    def state(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = {}
        for name, tensor in ours.items():
            if name == "embeddings.output_bias":
                bias = checkpoint.take("final_logits_bias", (1, *tensor.shape))
                tensors[name] = bias.squeeze(0)
                continue
            stored = embeddings.get(name) or [POSITIONS.get(name) or _their_name(name)]
            first = next((each for each in stored if each in checkpoint), stored[0])
            tensors[name] = checkpoint.take(first, tensor.shape)
            for twin in stored:
                if twin in checkpoint:
                    checkpoint.take_twin(twin, tensors[name])
        checkpoint.finish()
        return tensors

    return fill(lambda: Transformer(config), state)


def end_ids(settings: Settings, default: int) -> tuple[int, ...]:
    """Give the tokens that end a text, or ``default`` if the configuration says nothing of them."""
    return settings.end_ids() if "eos_token_id" in settings.values else (default,)


def _banned_ids(settings: Settings) -> tuple[int, ...]:
    """Give the tokens that must never be chosen: in Marian, padding, whose logit means nothing."""
    path = Path(settings.source).with_name("generation_config.json")
    banned = settings.values.get("bad_words_ids")
    if banned is None and path.exists():
        banned = read_json(path).get("bad_words_ids")
    if banned is None:
        return ()
    if not isinstance(banned, list) or not all(
        isinstance(word, list) and len(word) == 1 and type(word[0]) is int for word in banned
    ):
        raise CheckpointError(
            f"{settings.source}: bad_words_ids is {banned!r}; only words of one token are supported"
        )
    return tuple(token for (token,) in banned)


def _their_name(name: str) -> str:
    """Give the stored name of a tensor of a layer."""
    side, number, part, tensor = name.split(".")  # such as encoder.3.attention.query_weight
    if part.endswith("_norm"):
        return f"{side}.layers.{number}.{_PARTS[part]}.{tensor}"
    which, _, kind = tensor.rpartition("_")
    if part == "feed_forward":
        return f"{side}.layers.{number}.{_FEED_FORWARD[which]}.{kind}"
    return f"{side}.layers.{number}.{_PARTS[part]}.{_ATTENTION[which]}.{kind}"
