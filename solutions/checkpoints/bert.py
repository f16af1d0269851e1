"""Reading BERT: as Google's code, transformers of all ages, and sentence encoders spell it."""

import os
from collections.abc import Mapping

from torch import Tensor

from solutions.bert import Bert, BertConfig
from solutions.checkpoints.files import Checkpoint, Settings, fill, make_config

_GELU = {"gelu": "none", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}

_ATTENTION = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "output": "attention.output.dense",
}
_FEED_FORWARD = {"inner": "intermediate.dense", "outer": "output.dense"}
_NORMS = {"attention_norm": "attention.output.LayerNorm", "feed_forward_norm": "output.LayerNorm"}
_EMBEDDINGS = {
    "token_embedding": "word_embeddings",
    "position_embedding": "position_embeddings",
    "segment_embedding": "token_type_embeddings",
}
_HEADS = {
    "pooler.dense_weight": "pooler.dense.weight",
    "pooler.dense_bias": "pooler.dense.bias",
    "prediction.dense_weight": "cls.predictions.transform.dense.weight",
    "prediction.dense_bias": "cls.predictions.transform.dense.bias",
    "prediction.weight": "cls.predictions.transform.LayerNorm.weight",
    "prediction.bias": "cls.predictions.transform.LayerNorm.bias",
    "prediction.output_bias": "cls.predictions.bias",
    "next_sentence.weight": "cls.seq_relationship.weight",
    "next_sentence.bias": "cls.seq_relationship.bias",
}

# Weights that are tied, and where they may be stored a second time.
_TWINS = {
    "embeddings.word_embeddings.weight": "cls.predictions.decoder.weight",
    "cls.predictions.bias": "cls.predictions.decoder.bias",
}


def load_bert(directory: str | os.PathLike[str]) -> Bert:
    """Read a checkpoint of BERT, with or without pooler and heads.

    Args:
        directory: has config.json, and safetensors or pytorch_model.bin, whole or sharded.

    Returns:
        The model in evaluation mode; heads that the checkpoint lacks, it lacks too.

    Raises:
        CheckpointError: if it is damaged, or not a BERT that the class can be.
    """
    settings = Settings.open(directory, ["bert"])
    checkpoint = Checkpoint.open(directory)
    checkpoint.rename(_modern_name)
    checkpoint.drop(r"embeddings\.(position_ids|token_type_ids)")
    for name, twin in _TWINS.items():
        checkpoint.use_twin(name, twin)
    config = _read_config(settings, checkpoint)

    def state(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
        tensors = {
            name: checkpoint.take(_their_name(name), tensor.shape) for name, tensor in ours.items()
        }
        for name, tensor in tensors.items():
            twin = _TWINS.get(_their_name(name))
            if twin is not None and twin in checkpoint:
                checkpoint.take_twin(twin, tensor)
        checkpoint.finish()
        return tensors

    return fill(lambda: Bert(config), state)


def _read_config(settings: Settings, checkpoint: Checkpoint) -> BertConfig:
    settings.require("position_embedding_type", "absolute")
    settings.require("is_decoder", False)
    settings.require("add_cross_attention", False)
    settings.require("tie_word_embeddings", True)
    # A head is there if any part of it is, so that a missing part is an error that names it.
    parts = {name.rpartition(".")[0].partition(".dense")[0] for name in checkpoint.names}
    has_next_sentence_head = "cls.seq_relationship" in parts
    return make_config(
        BertConfig,
        settings.source,
        vocab_size=settings.get(int, "vocab_size"),
        hidden_size=settings.get(int, "hidden_size"),
        num_layers=settings.get(int, "num_hidden_layers"),
        num_heads=settings.get(int, "num_attention_heads"),
        intermediate_size=settings.get(int, "intermediate_size"),
        max_positions=settings.get(int, "max_position_embeddings"),
        num_segments=settings.get(int, "type_vocab_size", default=2),
        pad_id=settings.get(int, "pad_token_id", default=0),
        norm_eps=settings.get(float, "layer_norm_eps", default=1e-12),
        gelu=settings.one_of(_GELU, "hidden_act", default="gelu"),
        initializer_range=settings.get(float, "initializer_range", default=0.02),
        has_pooler="pooler" in parts or has_next_sentence_head,
        has_prediction_head=any(part.startswith("cls.predictions") for part in parts),
        has_next_sentence_head=has_next_sentence_head,
    )


def _modern_name(name: str) -> str:
    """Give the name that transformers has today, without the prefix."""
    name = name.removeprefix("bert.")
    for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
        name = name.removesuffix(old) + new if name.endswith(old) else name
    return name


def _their_name(name: str) -> str:
    """Give the stored name of one of our tensors."""
    if name in _HEADS:
        return _HEADS[name]
    group, _, rest = name.partition(".")
    if group == "embeddings":
        if rest in _EMBEDDINGS:
            return f"embeddings.{_EMBEDDINGS[rest]}.weight"
        return f"embeddings.LayerNorm.{rest}"
    number, part, tensor = rest.split(".")  # such as layers.3.attention.query_weight
    if part in _NORMS:
        return f"encoder.layer.{number}.{_NORMS[part]}.{tensor}"
    which, _, kind = tensor.rpartition("_")
    modules = _ATTENTION if part == "attention" else _FEED_FORWARD
    return f"encoder.layer.{number}.{modules[which]}.{kind}"
