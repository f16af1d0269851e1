"""The tokenizer that comes inside a GGUF file, so that a real model can be asked a question."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from autograder.notebook.gguf_files import open_gguf

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CONTROL = 3  # the kind of token that stands for no text, such as the end of a turn


def gguf_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """Build the tokenizer of a GGUF file: byte-level BPE, digits one by one, as SmolLM2 has it.

    Args:
        path: the file.

    Returns:
        The tokenizer: ``encode(text).ids`` gives token ids, ``decode(ids)`` gives the text without
        control tokens. Control tokens in the text are recognised; none are added. Bytes that have
        no token, of control characters and of the rarest scripts, are left out.

    Raises:
        ValueError: the file has no tokenizer, or one of another kind.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    fields = open_gguf(path).fields

    def read(name: str) -> Any:
        field = fields.get(f"tokenizer.ggml.{name}")
        if field is None:
            raise ValueError(f"{path}: the file has no setting 'tokenizer.ggml.{name}'")
        return field.contents()

    kind = (read("model"), read("pre"))
    if kind != ("gpt2", "smollm"):
        raise ValueError(f"{path}: the tokenizer is {kind}; only ('gpt2', 'smollm') is supported")
    tokens, merges = read("tokens"), read("merges")
    pairs = [tuple(merge.split(" ")) for merge in merges]
    tokenizer = Tokenizer(models.BPE({token: id_ for id_, token in enumerate(tokens)}, pairs))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [
            AddedToken(token, special=True, normalized=False)
            for token, type_ in zip(tokens, read("token_type"), strict=True)
            if type_ == CONTROL
        ]
    )
    return tokenizer


def chat_prompt(
    question: str,
    system: str = "You are a helpful AI assistant named SmolLM, trained by Hugging Face",
) -> str:
    """Give the text that asks SmolLM2 a question, up to where its answer begins.

    Args:
        question: what the user says.
        system: what the model is told about itself; the default is what it was trained with.

    Returns:
        The text to encode; the model goes on from its end.
    """
    return (
        f"<|im_start|>system\n{system}<|im_end|>\n"
        f"<|im_start|>user\n{question}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
