"""LLaMA in agreement with transformers, its parts with their formulas, and what it learns."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.models.agreement import (
    GRADIENTS,
    LOGITS,
    STRICT,
    Mutation,
    assert_agree,
    randomise,
    reference,
)
from tests.models.tiny_llama import CASES, PADDED, saved, texts


@cache
def their_logits(case: str, time: int, padded: bool) -> Tensor:
    theirs, _ = saved(case)
    mask = torch.tensor(PADDED) if padded else None
    with torch.no_grad():
        return theirs(texts(4, time), attention_mask=mask).logits


def agree(case: str, time: int = 7, padded: bool = True) -> None:
    """The logits agree with transformers' at the real tokens."""
    ours = reference("llama").Llama.from_pretrained(saved(case)[1])
    mask = torch.tensor(PADDED) if padded else None
    with torch.no_grad():
        logits = ours(texts(4, time), mask)
    is_real = torch.ones(4, time, dtype=torch.bool) if mask is None else mask.bool()
    assert_agree(logits[is_real], their_logits(case, time, padded)[is_real], case, LOGITS)


def agree_grouped() -> None:
    agree("6 heads in 2 groups")


def agree_multi_query() -> None:
    agree("6 heads, multi-query, wide")


def agree_tied() -> None:
    agree("7 heads, multi-head, tied")


def agree_biases() -> None:
    agree("12 heads in 4 groups, biases")


def agree_eps_and_theta() -> None:
    agree("another eps and theta")


def agree_linear() -> None:
    agree("linear", time=23, padded=False)


def agree_llama3() -> None:
    agree("llama3", time=23, padded=False)


def agree_length_1() -> None:
    agree("6 heads in 2 groups", time=1, padded=False)


def labels() -> Tensor:
    """The tokens, or -100 where the token, or the one that it is told from, is padding."""
    mask = torch.tensor(PADDED)
    mask[:, 1:] *= mask[:, :-1].clone()
    return texts(4, 7).masked_fill(mask == 0, -100)


@cache
def their_gradients(case: str) -> tuple[Tensor, dict[str, Tensor]]:
    theirs, _ = saved(case)
    theirs.zero_grad()
    loss = theirs(texts(4, 7), attention_mask=torch.tensor(PADDED), labels=labels()).loss
    loss.backward()
    gradients = {
        name.removeprefix("model."): parameter.grad.clone()
        for name, parameter in theirs.named_parameters()
    }
    return loss.detach(), gradients


def agree_gradients(case: str = "12 heads in 4 groups, biases") -> None:
    """The loss of next tokens, and the gradient of every parameter."""
    ours = reference("llama").Llama.from_pretrained(saved(case)[1])
    logits = ours(texts(4, 7), torch.tensor(PADDED))
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels()[:, 1:].flatten())
    loss.backward()
    expected, gradients = their_gradients(case)
    assert_agree(loss, expected, "loss", LOGITS)
    loader = reference("checkpoints.llama")
    theirs = {loader._their_name(name, loader._MODULES): p for name, p in ours.named_parameters()}
    assert theirs.keys() == gradients.keys()
    for name, parameter in theirs.items():
        assert_agree(parameter.grad, gradients[name], f"gradient of {name}", GRADIENTS)


def agree_that_padding_is_not_learned() -> None:
    agree_gradients("a token of padding that occurs")


AGREEMENTS: list[Callable[[], None]] = [
    agree_grouped,
    agree_multi_query,
    agree_tied,
    agree_biases,
    agree_eps_and_theta,
    agree_linear,
    agree_llama3,
    agree_length_1,
    agree_gradients,
    agree_that_padding_is_not_learned,
]

MUTATIONS = [
    Mutation("llama", '["token_embedding"], config.pad_id)', '["token_embedding"])'),
    Mutation("llama", "F.silu(", "F.gelu("),
    Mutation("llama", 'weights["up_weight"], weights.get("up_bias")', 'weights["up_weight"]'),
    Mutation("llama", "query, key, value, mask, enable_gqa", "query, key, value, None, enable_gqa"),
    Mutation(
        "llama",
        "key = apply_rope(split_heads(key, key.shape[-1] // head_dim), angles)",
        "key = split_heads(key, key.shape[-1] // head_dim)",
    ),
    Mutation(
        "llama",
        "value = split_heads(value, value.shape[-1] // head_dim)",
        "value = apply_rope(split_heads(value, value.shape[-1] // head_dim), angles)",
    ),
    Mutation(
        "llama", 'weights["attention_norm"]["weight"], eps)', 'weights["attention_norm"]["weight"])'
    ),
    Mutation(
        "llama",
        'weights["feed_forward_norm"]["weight"], eps)',
        'weights["attention_norm"]["weight"], eps)',
    ),
    Mutation("llama", "return x + swiglu(normed", "return normed + swiglu(normed"),
    Mutation("llama", "causal_mask(time, start + time)", "torch.ones(time, start + time).bool()"),
    Mutation("llama", "else mask & not_padding", "else mask"),
    Mutation("llama", "frequencies / torch.tensor(", "frequencies * torch.tensor("),
    Mutation("llama", 'self.final_norm["weight"], config.norm_eps)', 'self.final_norm["weight"])'),
    Mutation("llama", "config.head_dim, config.rope_theta)", "config.head_dim)"),
    Mutation(
        "models.llama_config", "(1 - smooth) / factor + smooth", "(1 - smooth) + smooth / factor"
    ),
    Mutation("models.llama_config", "(2 * math.pi)", "math.pi"),
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("time", "padded"), [(7, True), (23, False), (1, False)])
def test_logits_agree_with_transformers(case: str, time: int, padded: bool) -> None:
    agree(case, time, padded)


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradients_agree_with_transformers(case: str) -> None:
    agree_gradients(case)


def test_a_single_text_agrees_with_transformers() -> None:
    theirs, folder = saved()
    ours = reference("llama").Llama.from_pretrained(folder)
    with torch.no_grad():
        assert_agree(ours(texts(1, 9)), theirs(texts(1, 9)).logits, "logits", LOGITS)


# ---------------------------------------------------------------------------- the model


def _small_llama(**changes: Any) -> Any:
    llama = reference("llama")
    sizes = {
        "vocab_size": 19,
        "hidden_size": 12,
        "intermediate_size": 16,
        "num_layers": 2,
        "num_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 6,
    }
    return randomise(llama.Llama(llama.LlamaConfig(**(sizes | changes))))


@settings(max_examples=20, deadline=None)
@given(time=st.integers(2, 9), data=st.data())
def test_future_tokens_do_not_change_the_past(time: int, data: st.DataObject) -> None:
    model, ids = _small_llama(), texts(1, time, 19)
    place = data.draw(st.integers(1, time - 1))
    changed = ids.clone()
    changed[:, place:] = (changed[:, place:] + data.draw(st.integers(1, 18))) % 19
    with torch.no_grad():
        one, other = model(ids), model(changed)
    assert_agree(one[:, :place], other[:, :place], "earlier logits", STRICT)
    assert not torch.allclose(one[:, place], other[:, place])


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 7), left=st.integers(0, 5), filler=st.integers(0, 18))
def test_padding_on_the_left_changes_nothing(length: int, left: int, filler: int) -> None:
    model, ids = _small_llama(), texts(2, length, 19)
    padded = torch.cat([torch.full((2, left), filler), ids], dim=1)
    mask = torch.tensor([[0] * left + [1] * length] * 2)
    with torch.no_grad():
        assert_agree(model(padded, mask)[:, left:], model(ids), "logits of real tokens", LOGITS)


def test_a_text_of_padding_only_gives_numbers() -> None:
    model = _small_llama().train()
    loss = model(torch.ones(2, 3, dtype=torch.int64), torch.tensor([[0, 0, 0], [0, 1, 1]])).sum()
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_a_model_in_float64_computes_in_float64() -> None:
    model, ids = _small_llama(), texts(2, 6, 19)
    with torch.no_grad():
        single, double = model(ids), model.double()(ids)
    assert double.dtype == torch.float64
    assert_agree(single, double.float(), "logits", LOGITS)


def test_weights_start_as_the_configuration_says() -> None:
    llama = reference("llama")
    model = llama.Llama(
        llama.LlamaConfig(
            vocab_size=500,
            hidden_size=96,
            intermediate_size=96,
            num_layers=1,
            num_heads=3,
            num_key_value_heads=3,
            head_dim=32,
            attention_bias=True,
            initializer_range=0.1,
        )
    )
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            assert parameter.std().item() == pytest.approx(0.1, rel=0.05), name
        else:
            assert parameter.unique().tolist() == [0.0 if name.endswith("bias") else 1.0], name


def test_the_default_sizes_have_the_published_number_of_parameters() -> None:
    llama = reference("llama")
    with torch.device("meta"):
        model = llama.Llama(llama.LlamaConfig())
    assert sum(parameter.numel() for parameter in model.parameters()) == 6_738_415_616


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_key_value_heads": 3}, "4 query heads can't share 3 heads"),
        ({"num_key_value_heads": 0}, "4 query heads can't share 0 heads"),
        ({"num_layers": 0}, "num_layers is 0"),
        ({"head_dim": 5}, "head_dim is 5"),
        ({"rope_divisors": (1.0, 2.0)}, "2 rope_divisors.*3 frequencies"),
    ],
)
def test_sizes_that_do_not_fit_are_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        _small_llama(**changes)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ({"input_ids": torch.tensor([[0, 19]])}, IndexError, "ids from 0 to 19.*0 to 18"),
        ({"input_ids": torch.tensor([[-1, 3]])}, IndexError, "ids from -1 to 3"),
        ({"input_ids": torch.tensor([1, 2])}, ValueError, r"\(batch, time\)"),
        (
            {"input_ids": torch.tensor([[1, 2]]), "attention_mask": torch.ones(1, 3)},
            ValueError,
            r"attention_mask.*\(1, 3\).*\(1, 2\)",
        ),
    ],
)
def test_a_wrong_call_is_a_sentence(
    call: dict[str, Tensor], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        _small_llama()(**call)


def test_it_learns_to_repeat_what_stood_three_places_before() -> None:
    """A token repeats the one three places before it with probability 0.9, else it is any of 8.

    No model can do better than the entropy of that, 0.467; one that does not know places, or sees
    its own place only, can't do better than guess among 8: 2.079.
    """
    repeated = 0.9 + 0.1 / 8
    floor = -repeated * math.log(repeated) - 7 * 0.1 / 8 * math.log(0.1 / 8)
    generator = torch.Generator().manual_seed(0)

    def batch(size: int) -> Tensor:
        ids = torch.randint(8, (size, 24), generator=generator)
        repeats = torch.rand(size, 24, generator=generator) < 0.9
        for place in range(3, 24):
            ids[:, place] = torch.where(repeats[:, place], ids[:, place - 3], ids[:, place])
        return ids

    def loss_on(model: Any, ids: Tensor) -> Tensor:
        return F.cross_entropy(model(ids)[:, 2:-1].flatten(0, 1), ids[:, 3:].flatten())

    llama = reference("llama")
    torch.manual_seed(0)
    model = llama.Llama(
        llama.LlamaConfig(
            vocab_size=8,
            hidden_size=32,
            intermediate_size=64,
            num_layers=2,
            num_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            rope_theta=100.0,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=150)
    for _ in range(150):
        loss = loss_on(model, batch(32))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        found = loss_on(model, batch(2048)).item()
    # The texts of the measurement are drawn, too: one standard error of their loss is 0.006.
    assert floor - 0.02 < found < floor + 0.06, (found, floor)
