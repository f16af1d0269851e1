"""Chapter 10: the table of the five models, and the configurations with which they were published.

A configuration is a dictionary: the four columns of the table, and the sizes. A small model of the
same kind has the same dictionary with smaller sizes, ``PUBLISHED["LLaMA-7B"] | SMALL``; a model
with one part swapped has one other word in it, ``... | {"position": "ALiBi"}``.

The keys of a configuration:

* "structure", "position", "activation", "norm": a word each, from ``PARTS``.
* "vocab_size": V. "hidden_size": D. "num_layers": L; an encoder-decoder has L of each.
  "num_heads": H, a divisor of D. "num_key_value_heads": K, a divisor of H, less than H if query
  heads share keys and values. "intermediate_size": F, the inner size of the feed-forward network.
* "max_positions": how long texts were in training; with learned positions, how many there are.
* "num_segments": how many kinds of segment have an embedding of their own; 0: no such embedding.
* "has_bias": whether linear maps have a bias (the head has none in any case).
* "embedding_norm": whether the embeddings are normalised before the first block.
* "has_pooler": whether there is BERT's pooler, a linear map (D, D) of the first token's vector.
* "tied_head": whether the matrix of the head is that of the embeddings.
* "norm_eps": added to the variance, or to the mean square, in every norm.
* "training_tokens": how many tokens the model was trained on.
"""

from collections.abc import Mapping
from typing import Any

PARTS: Mapping[str, tuple[str, ...]] = {
    "structure": ("encoder-decoder", "encoder", "causal decoder", "prefix decoder"),
    "position": ("sinusoidal", "learned absolute", "RoPE", "RoPE (2-D)", "ALiBi", "none"),
    "activation": ("ReLU", "GELU", "GELU (tanh)", "SwiGLU", "GeGLU"),
    "norm": (
        "post layer norm",
        "pre layer norm",
        "pre RMSNorm",
        "post DeepNorm",
        "post DeepNorm (ChatGLM)",
    ),
}


def _row(structure: str, position: str, activation: str, norm: str) -> dict[str, Any]:
    return {"structure": structure, "position": position, "activation": activation, "norm": norm}


# As the lecture has it.
TABLE: Mapping[str, dict[str, Any]] = {
    "Transformer": _row("encoder-decoder", "sinusoidal", "ReLU", "post layer norm"),
    "BERT": _row("encoder", "learned absolute", "GELU", "post layer norm"),
    "LLaMA": _row("causal decoder", "RoPE", "SwiGLU", "pre RMSNorm"),
    "ChatGLM-6B": _row("prefix decoder", "RoPE", "GeGLU", "post DeepNorm"),
    "BLOOM": _row("causal decoder", "ALiBi", "GELU", "pre layer norm"),
}

# Sizes with which a model of any kind trains in seconds.
SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 64,
    "num_layers": 2,
    "num_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 128,
    "max_positions": 128,
}

_TRANSFORMER: dict[str, Any] = TABLE["Transformer"] | {
    "vocab_size": 37000,  # English and German, shared
    "num_layers": 6,
    "max_positions": 256,
    "num_segments": 0,
    "has_bias": True,
    "embedding_norm": False,
    "has_pooler": False,
    "tied_head": True,
    "norm_eps": 1e-6,
}
_LLAMA: dict[str, Any] = TABLE["LLaMA"] | {
    "vocab_size": 32000,
    "num_segments": 0,
    "has_bias": False,
    "embedding_norm": False,
    "has_pooler": False,
    "tied_head": False,
}

PUBLISHED: Mapping[str, dict[str, Any]] = {
    # Vaswani et al. 2017, table 3 and section 5: 100,000 steps of about 25,000 target tokens (and
    # as many source tokens, which the encoder reads), 300,000 for the big one. Length of texts and
    # eps as in the released code, tensor2tensor.
    "Transformer base": _TRANSFORMER
    | {
        "hidden_size": 512,
        "num_heads": 8,
        "num_key_value_heads": 8,
        "intermediate_size": 2048,
        "training_tokens": 2_500_000_000,
    },
    "Transformer big": _TRANSFORMER
    | {
        "hidden_size": 1024,
        "num_heads": 16,
        "num_key_value_heads": 16,
        "intermediate_size": 4096,
        "training_tokens": 7_500_000_000,
    },
    # Devlin et al. 2019, section 3 and appendix A.2: a million steps of 256 texts, 90 % of them
    # with 128 tokens a text, the rest with 512.
    "BERT-base": TABLE["BERT"]
    | {
        "vocab_size": 30522,
        "hidden_size": 768,
        "num_layers": 12,
        "num_heads": 12,
        "num_key_value_heads": 12,
        "intermediate_size": 3072,
        "max_positions": 512,
        "num_segments": 2,
        "has_bias": True,
        "embedding_norm": True,
        "has_pooler": True,
        "tied_head": True,
        "norm_eps": 1e-12,
        "training_tokens": 256 * (900_000 * 128 + 100_000 * 512),
    },
    # Touvron et al. 2023 (arXiv:2302.13971), table 2.
    "LLaMA-7B": _LLAMA
    | {
        "hidden_size": 4096,
        "num_layers": 32,
        "num_heads": 32,
        "num_key_value_heads": 32,
        "intermediate_size": 11008,
        "max_positions": 2048,
        "norm_eps": 1e-6,
        "training_tokens": 1_000_000_000_000,
    },
    # Touvron et al. 2023, "Llama 2" (arXiv:2307.09288), table 1: 8 query heads share keys.
    "LLaMA-2-70B": _LLAMA
    | {
        "hidden_size": 8192,
        "num_layers": 80,
        "num_heads": 64,
        "num_key_value_heads": 8,
        "intermediate_size": 28672,
        "max_positions": 4096,
        "norm_eps": 1e-5,
        "training_tokens": 2_000_000_000_000,
    },
    # The released code and files, which differ from the lecture's row in three of its words. The
    # head has a matrix of its own in the files; its makers' "6.2 billion" counts it as tied.
    "ChatGLM-6B": _row("prefix decoder", "RoPE (2-D)", "GELU (tanh)", "post DeepNorm (ChatGLM)")
    | {
        "vocab_size": 130528,
        "hidden_size": 4096,
        "num_layers": 28,
        "num_heads": 32,
        "num_key_value_heads": 32,
        "intermediate_size": 16384,
        "max_positions": 2048,
        "num_segments": 0,
        "has_bias": True,
        "embedding_norm": True,
        "has_pooler": False,
        "tied_head": False,
        "norm_eps": 1e-5,
        "training_tokens": 1_000_000_000_000,
    },
    # BigScience Workshop 2022 (arXiv:2211.05100), table 3; the form of GELU as in the code.
    "BLOOM-176B": TABLE["BLOOM"]
    | {
        "activation": "GELU (tanh)",
        "vocab_size": 250880,
        "hidden_size": 14336,
        "num_layers": 70,
        "num_heads": 112,
        "num_key_value_heads": 112,
        "intermediate_size": 57344,
        "max_positions": 2048,
        "num_segments": 0,
        "has_bias": True,
        "embedding_norm": True,
        "has_pooler": False,
        "tied_head": True,
        "norm_eps": 1e-5,
        "training_tokens": 366_000_000_000,
    },
}


def check_config(config: Mapping[str, Any]) -> None:
    """Make sure that a configuration describes a model that can be built.

    Raises:
        ValueError: if a column has a word that is not in ``PARTS``, the heads can't share the
            vectors equally, or two parts don't go together.
    """
    for column, known in PARTS.items():
        if config[column] not in known:
            raise ValueError(f"{column} is {config[column]!r}; known are {', '.join(known)}")
    size, heads, shared = (
        config[name] for name in ("hidden_size", "num_heads", "num_key_value_heads")
    )
    if size % heads or heads % shared:
        raise ValueError(
            f"hidden_size {size}, {heads} query heads and {shared} heads of keys and values: each "
            "must be a multiple of the next"
        )
    parts = {"RoPE": 2, "RoPE (2-D)": 4}.get(config["position"], 1)
    if size // heads % parts or (config["position"] == "sinusoidal" and size % 2):
        raise ValueError(
            f"hidden_size is {size} with {heads} heads; position {config['position']!r} turns or "
            "fills entries in pairs"
        )
    if config["position"] == "RoPE (2-D)" and config["structure"] != "prefix decoder":
        raise ValueError(
            "position 'RoPE (2-D)' counts what stands in the prefix and what behind it; structure "
            f"{config['structure']!r} has no prefix: take 'RoPE'"
        )
