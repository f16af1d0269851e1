"""A real model: SmolLM2-135M-Instruct reads a question with its own tokenizer, and answers it."""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import pytest
import regex
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.notebook import data
from autograder.notebook.tokenizers import chat_prompt, gguf_tokenizer
from tests.models.agreement import reference

pytestmark = pytest.mark.data

CASES = [
    "",
    "The capital of France is Paris.",
    "  Two spaces, then\ttabs\n\n\nand lines \n ",
    "In 2024, 3.14159 was 100% of pi; 1234567 apples",
    "we'll don't I'M they've you're it's he'd",
    "Größe, naïve, 北京大学, Привет, مرحبا, 🙂🙂 and ½ of a² + ١٢٣",
    "def f(x):\n    return x  # a comment\n",
    "<|im_start|>user\nHi!<|im_end|>\n<|im_start|>assistant\n",
    "a<|endoftext|>b <|im_end |>",
    "\x00\x7f\u2028\u00a0 \ufeff",
]


@cache
def tokenizer() -> Any:
    return gguf_tokenizer(data.path("smollm2"))


@cache
def fields() -> dict[str, Any]:
    """The settings of the file that are about its tokenizer."""
    found = gguf.GGUFReader(data.path("smollm2")).fields
    prefix = "tokenizer.ggml."
    return {
        name.removeprefix(prefix): field.contents()
        for name, field in found.items()
        if name.startswith("tokenizer.")
    }


@cache
def byte_letters() -> dict[int, str]:
    """What stands for each byte in the tokens: printable letters for themselves, others shifted."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {
        byte: chr(256 + number) for number, byte in enumerate(others)
    }


@cache
def tables() -> tuple[dict[str, int], dict[tuple[str, str], int], list[str]]:
    """Tokens, the rank of each merge, and the control tokens."""
    tokens = fields()["tokens"]
    ranks = {tuple(merge.split(" ")): rank for rank, merge in enumerate(fields()["merges"])}
    control = [
        token for token, kind in zip(tokens, fields()["token_type"], strict=True) if kind == 3
    ]
    return {token: number for number, token in enumerate(tokens)}, ranks, control


def pieces(text: str) -> Iterator[str]:
    """Cut a text as the two patterns of llama.cpp for "smollm" do: digits alone, then GPT-2's."""
    words = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    for part in regex.findall(r"\p{N}|[^\p{N}]+", text):
        yield from regex.findall(words, part)


def plain_encoding(text: str) -> list[int]:
    """Byte-level BPE in plain Python: always merge the pair that was learned first."""
    numbers, ranks, control = tables()
    found: list[int] = []
    for part in regex.split("(" + "|".join(map(regex.escape, control)) + ")", text):
        if part in control:
            found.append(numbers[part])
            continue
        for piece in pieces(part):
            symbols = [byte_letters()[byte] for byte in piece.encode()]
            symbols = [symbol for symbol in symbols if symbol in numbers]
            while True:
                pairs = list(pairwise(symbols))
                known = [place for place, pair in enumerate(pairs) if pair in ranks]
                if not known:
                    break
                place = min(known, key=lambda place: ranks[pairs[place]])
                symbols[place : place + 2] = ["".join(pairs[place])]
            found += [numbers[symbol] for symbol in symbols]
    return found


@pytest.mark.parametrize("text", CASES)
def test_the_tokens_are_those_of_a_plain_implementation(text: str) -> None:
    assert tokenizer().encode(text).ids == plain_encoding(text)


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_is_encoded_alike_and_comes_back(text: str) -> None:
    ids = tokenizer().encode(text).ids
    assert ids == plain_encoding(text)
    if all(byte_letters()[byte] in tables()[0] for byte in text.encode()):
        assert tokenizer().decode(ids, skip_special_tokens=False) == text


def test_control_tokens_are_single_and_left_out_of_what_is_decoded() -> None:
    ids = tokenizer().encode("<|im_start|>user\nHi<|im_end|>").ids
    assert (ids[0], ids[-1]) == (1, 2)
    assert tokenizer().decode(ids) == "user\nHi"


def test_the_prompt_is_what_the_files_own_template_makes() -> None:
    jinja2 = pytest.importorskip("jinja2")
    template = fields()["tokenizer.chat_template"]
    expected = jinja2.Template(template).render(
        messages=[{"role": "user", "content": "Why?"}], add_generation_prompt=True
    )
    assert chat_prompt("Why?") == expected


def test_another_kind_of_tokenizer_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(ValueError, match=r"\('llama', 'default'\)"):
        gguf_tokenizer(path)


@cache
def smollm2() -> Any:
    return reference("llama").Llama.from_gguf(data.path("smollm2"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "answer"),
    [("What is the capital of France?", "Paris"), ("What is the capital of Japan?", "Tokyo")],
)
def test_it_answers_a_question(question: str, answer: str) -> None:
    model = smollm2()
    prompt = torch.tensor([tokenizer().encode(chat_prompt(question)).ids])
    written = model.generate(prompt, 20)[0, prompt.shape[1] :]
    assert answer in tokenizer().decode(written.tolist())
    assert written[-1] == 2, "the answer ends with the mark of a turn's end"
