"""Reading ChatGLM-6B: the layout of the released files."""

import os
from collections.abc import Mapping

from torch import Tensor

from solutions.chatglm import ChatGLM
from solutions.checkpoints.files import Checkpoint, CheckpointError, Settings, fill, make_config
from solutions.models.chatglm_config import ChatGLMConfig

_MODULES = {"output": "attention.dense", "inner": "mlp.dense_h_to_4h", "outer": "mlp.dense_4h_to_h"}
_FUSED = ("query", "key", "value")  # in this order within each head


def load_chatglm(directory: str | os.PathLike[str], round_frequencies: bool = True) -> ChatGLM:
    """Read a checkpoint of ChatGLM-6B, or one with gated layers in the same layout.

    Args:
        directory: has config.json, and safetensors or pytorch_model.bin, whole or sharded.
        round_frequencies: whether the frequencies of RoPE are rounded to float16.

    Returns:
        The model in evaluation mode.

    Raises:
        CheckpointError: if it is damaged, or not a ChatGLM that the class can be.
    """
    settings = Settings.open(directory, ["chatglm"])
    checkpoint = Checkpoint.open(directory)
    config = _read_config(settings, checkpoint, round_frequencies)
    for name in checkpoint.names:
        if name.endswith(".weight_scale"):
            raise CheckpointError(
                f"{checkpoint.source}: the tensor {name!r} is the scale of quantised weights, "
                "which are not supported"
            )
    # The frequencies are computed; files store them, in float16, with every layer.
    checkpoint.drop(r"(.*\.)?rotary_emb\.inv_freq")

    def state(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = {}
        for name, tensor in ours.items():
            which, _, kind = name.rpartition(".")[2].rpartition("_")
            if which not in _FUSED:
                stored = _their_name(name, config.num_layers)
                tensors[name] = checkpoint.take(stored, tensor.shape)
            elif which == _FUSED[0]:
                stored = f"transformer.layers.{name.split('.')[1]}.attention.query_key_value.{kind}"
                size, *rest = tensor.shape
                fused = checkpoint.take(stored, (3 * size, *rest))
                heads = fused.reshape(config.num_heads, 3, -1, *rest)  # (H, 3, d, ...)
                for one, part in zip(_FUSED, heads.unbind(1), strict=True):
                    tensors[name.replace(f"{which}_{kind}", f"{one}_{kind}")] = part.flatten(0, 1)
        checkpoint.finish()
        return tensors

    return fill(lambda: ChatGLM(config), state)


def _read_config(
    settings: Settings, checkpoint: Checkpoint, round_frequencies: bool
) -> ChatGLMConfig:
    if "padded_vocab_size" in settings.values:
        raise CheckpointError(
            f"{settings.source}: padded_vocab_size is a setting of ChatGLM2 and later, which are "
            "other architectures"
        )
    settings.require("position_encoding_2d", True)
    settings.require("quantization_bit", 0)
    settings.require("pre_seq_len", None)
    settings.require("tie_word_embeddings", False)
    inner = settings.get(int, "inner_hidden_size")
    rows = checkpoint.shape("transformer.layers.0.mlp.dense_h_to_4h.weight")[:1]
    return make_config(
        ChatGLMConfig.released,
        settings.source,
        vocab_size=settings.get(int, "vocab_size"),
        hidden_size=settings.get(int, "hidden_size"),
        num_layers=settings.get(int, "num_layers"),
        num_heads=settings.get(int, "num_attention_heads"),
        intermediate_size=inner,
        max_positions=settings.get(int, "max_sequence_length", default=2048),
        norm_eps=settings.get(float, "layernorm_epsilon", default=1e-5),
        gated=rows == (2 * inner,),
        round_frequencies=round_frequencies,
        pad_id=settings.get(int, "pad_token_id"),
        mask_id=settings.get(int, "mask_token_id"),
        gmask_id=settings.get(int, "gmask_token_id"),
        bos_id=settings.get(int, "bos_token_id"),
        end_ids=settings.end_ids(),
    )


def _their_name(name: str, num_layers: int) -> str:
    """Give the stored name of one of our tensors that is stored by itself.

    The norm at the end of a block is stored as the one at the start of the next.
    """
    group, _, rest = name.partition(".")
    if group == "embeddings":
        return "transformer.word_embeddings.weight"
    if group == "output":
        return "lm_head.weight"
    if group == "embedding_norm":
        return f"transformer.layers.0.input_layernorm.{rest}"
    number, part, tensor = rest.split(".")  # such as blocks.3.attention.output_weight
    if part == "attention_norm":
        return f"transformer.layers.{number}.post_attention_layernorm.{tensor}"
    if part == "feed_forward_norm":
        following = int(number) + 1
        if following == num_layers:
            return f"transformer.final_layernorm.{tensor}"
        return f"transformer.layers.{following}.input_layernorm.{tensor}"
    which, _, kind = tensor.rpartition("_")
    return f"transformer.layers.{number}.{_MODULES[which]}.{kind}"
