"""Writing token by token: what a cache gives, how a token is chosen, and where a text ends."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.generation.logits_process import TopKLogitsWarper, TopPLogitsWarper

from tests.models.agreement import LOGITS, STRICT, Mutation, assert_agree, reference
from tests.models.tiny_llama import CASES, PADDED, saved, texts

LEFT = torch.tensor([[0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1]])


def load(case: str = "6 heads in 2 groups") -> Any:
    return reference("llama").Llama.from_pretrained(saved(case)[1])


def in_chunks(model: Any, ids: Tensor, mask: Tensor | None, sizes: list[int]) -> Tensor:
    """The logits, where the model reads a few tokens at a time, and keeps a cache."""
    kept, logits, start = reference("models.generation").KeyValueCache(), [], 0
    with torch.no_grad():
        for size in sizes:
            until = start + size
            part = None if mask is None else mask[:, :until]
            logits.append(model(ids[:, start:until], part, kept))
            start = until
            assert kept.length == until
    return torch.cat(logits, dim=1)


def agree_cached(
    case: str = "6 heads in 2 groups", padded: bool = True, sizes: tuple[int, ...] = (1,) * 7
) -> None:
    """The logits with a cache agree with those of transformers without one."""
    theirs, _ = saved(case)
    mask = torch.tensor(PADDED) if padded else None
    with torch.no_grad():
        expected = theirs(texts(4, 7), attention_mask=mask).logits
    found = in_chunks(load(case), texts(4, 7), mask, list(sizes))
    is_real = torch.tensor(PADDED).bool() if padded else torch.ones(4, 7, dtype=torch.bool)
    assert_agree(found[is_real], expected[is_real], f"{case} in chunks of {sizes}", LOGITS)


def agree_cached_in_chunks() -> None:
    agree_cached(sizes=(3, 1, 2, 1))


def agree_cached_without_padding() -> None:
    agree_cached("llama3", padded=False)


@cache
def their_continuation(case: str, padded: bool, end: int | None) -> Tensor:
    theirs, _ = saved(case)
    return theirs.generate(
        texts(3, 6),
        attention_mask=LEFT if padded else torch.ones_like(LEFT),
        max_new_tokens=9,
        do_sample=False,
        eos_token_id=end,
        pad_token_id=0,
    )


def agree_greedy(
    case: str = "6 heads in 2 groups", padded: bool = True, end: int | None = None
) -> None:
    """The greedy continuation is transformers', token for token."""
    found = load(case).generate(
        texts(3, 6), 9, LEFT if padded else None, end_ids=() if end is None else (end,)
    )
    assert found.tolist() == their_continuation(case, padded, end).tolist()


def agree_greedy_with_an_end() -> None:
    """One text ends while the others go on: it is filled up with padding."""
    free = their_continuation("6 heads in 2 groups", True, None)
    end = int(free[0, 8])
    assert end not in free[1:, 6:12], "the case does not bite"
    agree_greedy(end=end)


def agree_kept_tokens() -> None:
    """Of the tokens, as many are kept and as probable as transformers has them."""
    generator = torch.Generator().manual_seed(6)
    logits = 3 * torch.randn(4, 23, generator=generator, dtype=torch.float64)
    draws = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
    for top_p in (0.05, 0.5, 0.9, 1.0):
        theirs = TopPLogitsWarper(top_p)(None, logits).softmax(-1)
        for row in range(4):
            repeated = logits[row].expand(4000, -1)
            tokens = reference("llama").sample_top_p(repeated, top_p, draws)
            found = tokens.bincount(minlength=23) / 4000
            # Evenly spaced draws miss a token's probability by one draw at most.
            assert_agree(found, theirs[row].float(), f"top_p {top_p}", (1.1 / 4000, 0.0))


def agree_top_k() -> None:
    generator = torch.Generator().manual_seed(7)
    logits = torch.randn(1, 23, generator=generator)
    allowed = TopKLogitsWarper(3)(None, logits).isfinite()[0].nonzero().flatten()
    repeated = logits.expand(3000, -1)
    chosen = reference("models.generation").choose_next(repeated, 2.0, 3, None, generator)
    assert chosen.unique().tolist() == allowed.tolist()
    share = chosen.bincount(minlength=23)[allowed] / 3000
    expected = (logits[0, allowed] / 2.0).softmax(-1)
    # 3000 draws: a share is off by 0.009 (one standard deviation) at most.
    assert_agree(share, expected, "shares at temperature 2", (0.04, 0.0))


AGREEMENTS: list[Callable[[], None]] = [
    agree_kept_tokens,
    agree_top_k,
    agree_cached,
    agree_cached_in_chunks,
    agree_cached_without_padding,
    agree_greedy,
    agree_greedy_with_an_end,
]

MUTATIONS = [
    Mutation("llama", "torch.arange(start, start + time)", "torch.arange(time)"),
    Mutation("llama", "torch.cat([past[0], key], dim=2)", "torch.cat([key, past[0]], dim=2)"),
    Mutation("llama", "torch.cat([past[1], value], dim=2)", "torch.cat([value, past[1]], dim=2)"),
    Mutation("llama", "mask = None if time == 1 else causal", "mask = None if start else causal"),
    Mutation("llama", "not_padding if mask is None else", "mask if mask is None else"),
    Mutation("llama", "past[number] if past", "past[0] if past"),
    Mutation("llama", "before < top_p", "before < top_p / 2"),
    Mutation("llama", "kept.cumsum(-1)", "ordered.cumsum(-1)"),
    Mutation("llama", "descending=True", "descending=False"),
    Mutation(
        "llama", "reached.sum(-1, keepdim=True)", "reached.sum(-1, keepdim=True).clamp(max=1)"
    ),
    Mutation(
        "models.generation",
        "[mask, mask.new_ones(new_ids.shape)]",
        "[mask.new_ones(new_ids.shape), mask]",
    ),
    Mutation("models.generation", "new_ids, mask, cache)[:, -1]", "new_ids, mask, cache)[:, 0]"),
    Mutation("models.generation", "torch.where(ended, pad_id,", "torch.where(ended, pad_id + 1,"),
    Mutation("models.generation", "ended = ended | torch.isin", "ended = torch.isin"),
    Mutation("models.generation", "logits = logits / temperature", "logits = logits * temperature"),
    Mutation("models.generation", "logits < smallest", "logits <= smallest"),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("sizes", [(1,) * 7, (4, 3), (1, 5, 1), (7,)], ids=str)
def test_a_cache_gives_the_logits_of_the_whole(
    case: str, padded: bool, sizes: tuple[int, ...]
) -> None:
    agree_cached(case, padded, sizes)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), time=st.integers(1, 9))
def test_chunks_of_any_size_give_the_same_with_any_mask(data: st.DataObject, time: int) -> None:
    ends = sorted(data.draw(st.sets(st.integers(1, time - 1)) if time > 1 else st.just(set())))
    bits = st.lists(st.integers(0, 1), min_size=time, max_size=time)
    mask = torch.tensor(data.draw(st.lists(bits, min_size=2, max_size=2)))
    edges = [0, *ends, time]
    sizes = [until - start for start, until in pairwise(edges)]
    model = load("7 heads, multi-head, tied")
    with torch.no_grad():
        whole = model(texts(2, time), mask)
    is_real = mask.bool()
    found = in_chunks(model, texts(2, time), mask, sizes)
    assert_agree(found[is_real], whole[is_real], f"chunks of {sizes}", LOGITS)


def test_a_block_keeps_keys_and_values_and_gives_the_same_with_them() -> None:
    llama, model = reference("llama"), load()
    x, layers = torch.randn(2, 5, 84), list(model.blocks)
    frequencies = llama.rope_frequencies(14)
    whole, pairs = llama.decode_step(x, layers, [], frequencies)
    first, kept = llama.decode_step(x[:, :3], layers, [], frequencies)
    second, longer = llama.decode_step(x[:, 3:], layers, kept, frequencies)
    assert_agree(torch.cat([first, second], dim=1), whole, "vectors", STRICT)
    for pair, expected in zip(longer, pairs, strict=True):
        assert_agree(pair[0], expected[0], "keys", STRICT)
        assert_agree(pair[1], expected[1], "values", STRICT)
        assert pair[0].shape == (2, 2, 5, 14)


def test_without_a_cache_nothing_is_kept() -> None:
    llama, model = reference("llama"), load()
    x = torch.randn(2, 5, 84)
    output, kept = llama.decode_step(x, model.blocks, None, llama.rope_frequencies(14))
    assert kept == []
    same, _ = llama.decode_step(x, model.blocks, [], llama.rope_frequencies(14))
    assert_agree(output, same, "vectors", (0.0, 0.0))


# ---------------------------------------------------------------------------- whole texts


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("padded", [True, False])
def test_greedy_continuations_are_those_of_transformers(case: str, padded: bool) -> None:
    agree_greedy(case, padded)


def test_a_text_that_has_ended_is_filled_up_while_others_go_on() -> None:
    agree_greedy_with_an_end()


def test_generation_stops_when_all_texts_have_ended() -> None:
    model = load()
    free = model.generate(texts(1, 6), 9, end_ids=())
    place = 6 + free[0, 6:].tolist().index(int(free[0, 8]))
    found = model.generate(texts(1, 6), 9, end_ids=(int(free[0, 8]), 60))
    assert found.tolist() == free[:, : place + 1].tolist()


def test_the_models_own_ends_are_used_unless_told_otherwise() -> None:
    model = load()
    free = model.generate(texts(1, 6), 9)
    model.end_ids = (int(free[0, 6]),)
    assert model.generate(texts(1, 6), 9).tolist() == free[:, :7].tolist()
    assert model.generate(texts(1, 6), 9, end_ids=()).tolist() == free.tolist()


def test_padding_on_the_left_changes_no_continuation() -> None:
    model = load("llama3")
    together = model.generate(texts(3, 6), 7, LEFT, end_ids=())
    for row, length in ((0, 3), (1, 6), (2, 1)):
        alone = model.generate(texts(3, 6)[row : row + 1, -length:], 7, end_ids=())
        assert together[row, 6:].tolist() == alone[0, length:].tolist()


def test_no_new_tokens_gives_the_prompt() -> None:
    assert load().generate(texts(2, 3), 0).tolist() == texts(2, 3).tolist()


def test_the_same_seed_gives_the_same_text() -> None:
    model = load()

    def write(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        found = model.generate(texts(2, 3), 8, temperature=1.0, top_p=0.9, generator=generator)
        return found.tolist()

    assert write(1) == write(1)
    assert write(1) != write(2)


def test_a_very_small_top_p_or_top_k_1_is_greedy() -> None:
    model = load()
    greedy = model.generate(texts(2, 3), 6).tolist()
    assert model.generate(texts(2, 3), 6, temperature=0.7, top_p=1e-6).tolist() == greedy
    assert model.generate(texts(2, 3), 6, temperature=0.7, top_k=1).tolist() == greedy


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"input_ids": torch.zeros(2, 0, dtype=torch.int64)}, r"\(2, 0\).*at least one token"),
        ({"input_ids": torch.zeros(3, dtype=torch.int64)}, r"\(batch, time\)"),
        ({"max_new_tokens": -1}, "max_new_tokens is -1"),
        ({"temperature": -0.5}, r"temperature is -0\.5"),
        ({"top_k": 0, "temperature": 1.0}, "top_k is 0"),
        ({"top_p": 0.0, "temperature": 1.0}, r"top_p is 0\.0"),
        ({"top_p": 1.5, "temperature": 1.0}, r"top_p is 1\.5"),
        ({"top_p": 0.5}, "set a temperature above 0"),
        ({"attention_mask": torch.tensor([[1, 1, 0], [1, 1, 1]])}, "padding.*on the left"),
        ({"attention_mask": torch.ones(2, 4)}, r"attention_mask has shape \(2, 4\)"),
    ],
)
def test_a_wrong_call_is_a_sentence(call: dict[str, Any], sentence: str) -> None:
    usual = {"input_ids": texts(2, 3), "max_new_tokens": 2}
    with pytest.raises(ValueError, match=sentence):
        load().generate(**(usual | call))


# ---------------------------------------------------------------------------- choosing


def test_what_is_kept_agrees_with_transformers() -> None:
    agree_kept_tokens()


def test_top_k_and_temperature_agree_with_transformers() -> None:
    agree_top_k()


@settings(max_examples=25, deadline=None)
@given(
    logits=st.lists(st.floats(-8, 8), min_size=1, max_size=7),
    top_p=st.floats(0.01, 1.0),
    draw=st.floats(0.0, 1.0, exclude_max=True),
)
def test_a_draw_is_the_inverse_of_the_cumulative_distribution(
    logits: list[float], top_p: float, draw: float
) -> None:
    """The definition in plain Python; draws within 1e-9 of a border may go either way."""
    exact = torch.tensor(logits, dtype=torch.float64)
    probabilities = exact.softmax(0).tolist()
    kept, together = [], 0.0
    for token in sorted(range(len(logits)), key=lambda token: (-probabilities[token], token)):
        if together >= top_p - 1e-12:
            break
        kept.append(token)
        together += probabilities[token]
    allowed, reached = set(), 0.0
    for token in kept:
        if reached - 1e-9 <= draw * together < reached + probabilities[token] + 1e-9:
            allowed.add(token)
        reached += probabilities[token]
    found = reference("llama").sample_top_p(
        exact.unsqueeze(0), top_p, torch.tensor([draw], dtype=torch.float64)
    )
    assert found.shape == (1,)
    assert found.dtype == torch.int64
    assert int(found) in allowed


def test_a_draw_just_below_1_gives_a_possible_token() -> None:
    logits = torch.full((64, 1000), -torch.inf)
    generator = torch.Generator().manual_seed(8)
    logits[:, :700] = torch.randn(64, 700, generator=generator)
    draws = torch.full((64,), 1 - 2**-24)
    found = reference("llama").sample_top_p(logits, 1.0, draws)
    assert (found < 700).all()


def test_of_equally_probable_tokens_the_smaller_id_comes_first() -> None:
    found = reference("llama").sample_top_p(
        torch.zeros(4, 4), 1.0, torch.tensor([0.0, 0.25, 0.6, 0.99])
    )
    assert found.tolist() == [0, 1, 2, 3]
