"""BLOOM in agreement with transformers, and what it learns."""

import json
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
from transformers.models.bloom.modeling_bloom import build_alibi_tensor

from tests.models.agreement import (
    GRADIENTS,
    Mutation,
    assert_agree,
    reference,
)
from tests.models.tiny_bloom import PADDED, VOCAB, ours, saved, tokens


@cache
def _their_logits(num_heads: int, mask: str, changes: tuple[tuple[str, Any], ...]) -> Tensor:
    theirs, _ = saved(num_heads, **dict(changes))
    attention_mask = torch.tensor(json.loads(mask))
    with torch.no_grad():
        return theirs(tokens(*attention_mask.shape), attention_mask=attention_mask).logits


def agree(num_heads: int, mask: list[list[int]], **changes: Any) -> None:
    """The logits agree with transformers' at the real tokens."""
    expected = _their_logits(num_heads, json.dumps(mask), tuple(changes.items()))
    attention_mask = torch.tensor(mask)
    is_real = attention_mask.bool()
    with torch.no_grad():
        found = ours(num_heads, **changes)(tokens(*is_real.shape), attention_mask)
        assert_agree(found[is_real], expected[is_real], "logits")
        if is_real.all():
            found = ours(num_heads, **changes)(tokens(*is_real.shape))
            assert_agree(found, expected, "logits without a mask")


def agree_7_heads() -> None:
    agree(7, PADDED)


def agree_12_heads_residual_after_norm() -> None:
    agree(12, PADDED, apply_residual_connection_post_layernorm=True, layer_norm_epsilon=1e-5)


def agree_without_padding() -> None:
    agree(8, [[1] * 11])


def agree_cache() -> None:
    """Prompt, then chunks of 1 and 3 with padding on both sides, give what one call gives."""
    bloom = reference("bloom")
    mask = torch.tensor(PADDED)
    expected = _their_logits(6, json.dumps(PADDED), ())
    cache = bloom.KeyValueCache()
    model, parts = ours(), []
    with torch.no_grad():
        for start, end in ((0, 3), (3, 4), (4, 7)):
            parts.append(model(tokens(4, 7)[:, start:end], mask[:, :end], cache))
    assert cache.length == 7
    assert_agree(torch.cat(parts, 1)[mask.bool()], expected[mask.bool()], "cached logits")


@cache
def _their_text(prompt_mask: str) -> Tensor:
    mask = torch.tensor(json.loads(prompt_mask))
    theirs, _ = saved()
    return theirs.generate(
        tokens(*mask.shape), attention_mask=mask, max_new_tokens=12, do_sample=False, pad_token_id=0
    )


def agree_generation() -> None:
    mask = [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]]
    found = ours().generate(tokens(3, 5), 12, torch.tensor(mask))
    assert torch.equal(found, _their_text(json.dumps(mask)))


@cache
def _their_gradients() -> tuple[Tensor, dict[str, Tensor]]:
    theirs, _ = saved(7)
    mask = torch.tensor(PADDED)
    loss = _loss(theirs(tokens(4, 7), attention_mask=mask).logits, mask)
    theirs.zero_grad()
    loss.backward()
    gradients = {n.removeprefix("transformer."): p.grad for n, p in theirs.named_parameters()}
    return loss, gradients


def _loss(logits: Tensor, mask: Tensor) -> Tensor:
    targets = tokens(4, 8)[:, 1:]
    return F.cross_entropy(logits[mask.bool()], targets[mask.bool()])


def agree_gradients() -> None:
    """The loss and the gradient of every parameter."""
    expected, gradients = _their_gradients()
    model, mask = ours(7), torch.tensor(PADDED)
    loss = _loss(model(tokens(4, 7), mask), mask)
    loss.backward()
    assert_agree(loss, expected, "loss")
    left = dict(gradients)
    their_name = reference("checkpoints.bloom")._their_name
    for name, parameter in model.named_parameters():
        assert_agree(parameter.grad, left.pop(their_name(name)), f"gradient {name}", GRADIENTS)
    assert not left, f"gradients that we lack: {list(left)}"


def agree_alibi() -> None:
    """Slopes and bias of many head counts, with padding; the paper's 8 heads: 1/2 ... 1/256."""
    bloom = reference("bloom")
    mask = torch.tensor(PADDED)
    for num_heads in (1, 2, 3, 6, 7, 8, 12, 16, 20, 112):
        expected = build_alibi_tensor(mask, num_heads, torch.float32)
        found = bloom.alibi_bias(bloom.alibi_slopes(num_heads), mask)
        assert_agree(found, expected.view(4, num_heads, 1, 7), f"{num_heads} heads")
    assert bloom.alibi_slopes(8).tolist() == [2.0**-step for step in range(1, 9)]


AGREEMENTS: list[Callable[[], None]] = [
    agree_alibi,
    agree_7_heads,
    agree_12_heads_residual_after_norm,
    agree_without_padding,
    agree_cache,
    agree_gradients,
    agree_generation,
]

MUTATIONS = [
    Mutation("bloom", "[-8 * step / power", "[-4 * step / power"),
    Mutation("bloom", "range(1, power + 1)", "range(power)"),
    Mutation("bloom", "num_heads.bit_length() - 1", "(num_heads - 1).bit_length()"),
    Mutation("bloom", "for step in range(1, 2 * (num", "for step in range(0, 2 * (num"),
    Mutation("bloom", "-8 * step / (2 * power)", "-8 * step / power"),
    Mutation("bloom", "slopes[:, None, None] *", "-slopes[:, None, None] *"),
    Mutation("bloom", "is_real.cumsum(-1) - 1", "torch.ones_like(is_real).cumsum(-1) - 1"),
    Mutation(
        "bloom",
        "time, num_heads, 3, width // (3 * num_heads))",
        "time, 3, num_heads, width // (3 * num_heads)).transpose(2, 3)",
    ),
    Mutation("bloom", "query, key, value = heads", "query, value, key = heads"),
    Mutation("bloom", "query, key, value = heads", "key, query, value = heads"),
    Mutation("bloom", "[past[0], key]", "[key, past[0]]"),
    Mutation("bloom", "(query, key, value, bias)", "(query, key, value, bias, scale=1.0)"),
    Mutation("bloom", "(query, key, value, bias)", "(query, key, value, bias / 2)"),
    Mutation("bloom", 'weights["qkv_bias"]', "None"),
    Mutation("bloom", 'weights["bias"], eps)', 'weights["bias"])'),
    Mutation("bloom", 'F.gelu(inner, approximate="tanh")', "F.gelu(inner)"),
    Mutation(
        "bloom", '**weights["feed_forward_norm"], eps=eps)', '**weights["feed_forward_norm"])'
    ),
    Mutation("bloom", "x = (normed if residual_after_norm else x)", "x = x"),
    Mutation("bloom", "return (normed if residual_after_norm else x)", "return x"),
    Mutation("bloom", "**self.final_norm, eps=config.norm_eps)", "**self.final_norm)"),
    Mutation(
        "bloom",
        "mask = causal_mask(num_queries, num_keys)",
        "mask = causal_mask(num_queries, num_keys).roll(1, -1)",
    ),
    Mutation(
        "bloom",
        "causal_mask(num_queries, num_keys) & padding_mask(attention_mask)",
        "causal_mask(num_queries, num_keys)[None, None]",
    ),
    Mutation("checkpoints.bloom", '"layer_norm_epsilon", default', '"layer_norm_eps", default'),
    Mutation(
        "checkpoints.bloom", '"num_attention_heads", "n_head"', '"num_hidden_layers", "n_layer"'
    ),
]


@pytest.mark.parametrize("mask", [PADDED, [[1]], [[1] * 9] * 2], ids=str)
@pytest.mark.parametrize("num_heads", [6, 7, 8, 12])
@pytest.mark.parametrize("after_norm", [False, True])
def test_logits_agree_with_transformers(
    num_heads: int, mask: list[list[int]], after_norm: bool
) -> None:
    agree(num_heads, mask, apply_residual_connection_post_layernorm=after_norm)


@pytest.mark.parametrize("eps", [1e-8, 1e-5, 1e-2])
def test_each_eps_agrees(eps: float) -> None:
    agree(6, PADDED, layer_norm_epsilon=eps)


def test_loss_and_gradients_agree_with_transformers() -> None:
    agree_gradients()


def test_greedy_texts_agree_with_transformers() -> None:
    agree_generation()


def test_slopes_and_bias_agree_with_transformers() -> None:
    agree_alibi()


def test_a_cache_gives_the_logits_of_one_call() -> None:
    agree_cache()


# ---------------------------------------------------------------------------- exercises


@settings(max_examples=20, deadline=None)
@given(num_heads=st.integers(1, 20), time=st.integers(1, 12), seed=st.integers(0, 99))
def test_a_bias_by_key_index_equals_one_by_distance(num_heads: int, time: int, seed: int) -> None:
    bloom = reference("bloom")
    scores = torch.randn(num_heads, time, time, generator=torch.Generator().manual_seed(seed))
    scores = scores.masked_fill(~torch.ones(time, time).bool().tril(), -torch.inf)
    slopes = bloom.alibi_slopes(num_heads)
    by_index = bloom.alibi_bias(slopes, torch.ones(1, time))[0]
    distance = torch.arange(time)[:, None] - torch.arange(time)
    by_distance = -slopes[:, None, None] * distance
    assert_agree((scores + by_index).softmax(-1), (scores + by_distance).softmax(-1), "weights")


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (3, 2)], ids=str)
def test_the_clear_attention_equals_the_fused_one(shape: tuple[int, int]) -> None:
    """In float64, with padding and rows that may attend to nothing."""
    bloom, attention = reference("bloom"), reference("attention")
    generator = torch.Generator().manual_seed(3)

    def draw(*size: int) -> Tensor:
        return torch.randn(size, generator=generator, dtype=torch.float64)

    (batch, time), size, heads = shape, 18, 3
    x = draw(batch, time, size)
    weights = {"qkv_weight": draw(54, 18), "qkv_bias": draw(54)}
    weights |= {"output_weight": draw(18, 18), "output_bias": draw(18)}
    may = torch.rand(batch, 1, time, time, generator=generator) < 0.6
    may[0, 0, :1] = False
    bias = draw(batch, heads, 1, time).masked_fill(~may, -torch.inf)
    found, (key, value) = bloom.bloom_attention(x, weights, heads, bias)

    fused = (x @ weights["qkv_weight"].T + weights["qkv_bias"]).view(batch, time, heads, 3, 6)
    query, expected_key, expected_value = fused.permute(3, 0, 2, 1, 4)
    scores = query @ expected_key.transpose(-1, -2) / 6**0.5 + bias
    heads_out = attention.merge_heads(attention.softmax(scores) @ expected_value)
    expected = heads_out @ weights["output_weight"].T + weights["output_bias"]
    assert found.dtype == torch.float64
    for one, other in ((found, expected), (key, expected_key), (value, expected_value)):
        assert_agree(one, other, "output, key or value", (1e-12, 1e-12))


def test_no_head_has_no_slope() -> None:
    with pytest.raises(ValueError, match="num_heads is 0"):
        reference("bloom").alibi_slopes(0)


# ---------------------------------------------------------------------------- properties


@settings(max_examples=15, deadline=None)
@given(time=st.integers(2, 9), position=st.data())
def test_future_tokens_do_not_change_the_past(time: int, position: Any) -> None:
    changed = position.draw(st.integers(1, time - 1))
    ids = tokens(1, time)
    other = ids.clone()
    other[0, changed:] = (other[0, changed:] + 1) % VOCAB
    model = ours()
    with torch.no_grad():
        one, two = model(ids)[0], model(other)[0]
    assert_agree(one[:changed], two[:changed], "logits before the change")
    assert (one[changed] - two[changed]).abs().max() > 1e-3


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 10), max_size=5), pad=st.integers(0, 4))
def test_a_cache_in_any_chunks_gives_the_logits_of_one_call(cuts: list[int], pad: int) -> None:
    model, cache = ours(7), reference("bloom").KeyValueCache()
    ids = tokens(2, 11)
    mask = torch.ones(2, 11, dtype=torch.int64)
    mask[0, :pad] = 0
    ends = sorted({*cuts, 11})
    with torch.no_grad():
        parts = [
            model(ids[:, start:end], mask[:, :end], cache)
            for start, end in zip([0, *ends], ends, strict=False)
        ]
        whole = model(ids, mask)
    assert_agree(torch.cat(parts, 1)[mask.bool()], whole[mask.bool()], "logits")


@settings(max_examples=15, deadline=None)
@given(length=st.integers(1, 7), left=st.integers(0, 4), right=st.integers(0, 4))
def test_padding_does_not_matter_wherever_it_is(length: int, left: int, right: int) -> None:
    model, ids = ours(7), tokens(1, length)
    padded = F.pad(ids, (left, right), value=5)
    mask = F.pad(torch.ones_like(ids), (left, right))
    with torch.no_grad():
        assert_agree(model(padded, mask)[:, left : left + length], model(ids), "logits")


def test_a_text_of_padding_only_gives_numbers() -> None:
    model = ours().train()
    logits = model(tokens(2, 4), torch.tensor([[0, 0, 0, 0], [0, 1, 1, 0]]))
    assert logits.isfinite().all()
    logits.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_texts_that_end_are_filled_with_padding() -> None:
    model = ours()
    free = model.generate(tokens(2, 3), 8)
    end = int(free[0, 3])
    assert end != free[1, 3]
    model.end_ids, model.pad_id = (end,), 7
    found = model.generate(tokens(2, 3), 8)
    assert found[0].tolist() == [*free[0, :4], *[7] * (found.shape[1] - 4)]
    assert torch.equal(found[1, :5], free[1, :5])


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ({"input_ids": torch.tensor([[0, VOCAB]])}, IndexError, "ids from 0 to 61.*0 to 60"),
        ({"input_ids": torch.zeros(3, dtype=torch.int64)}, ValueError, r"\(batch, time\)"),
        (
            {"input_ids": tokens(1, 4), "attention_mask": torch.ones(1, 3)},
            ValueError,
            r"attention_mask.*\(1, 3\).*\(1, 4\)",
        ),
    ],
    ids=["id", "shape", "mask"],
)
def test_a_wrong_call_is_a_sentence(
    call: dict[str, Tensor], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        ours()(**call)


def test_a_size_that_the_heads_cannot_share_is_refused() -> None:
    with pytest.raises(ValueError, match="hidden_size is 10, which 4 heads"):
        reference("bloom").BloomConfig(hidden_size=10, num_heads=4)


# ---------------------------------------------------------------------------- training


@pytest.mark.slow
def test_it_learns_to_look_two_back_and_that_distance_holds_for_longer_texts() -> None:
    """Each token repeats the one two before it with probability 3/4, else any of 8 is drawn.

    The token before it says nothing, so that a model that does not know what is two back stays at
    log 8.
    """
    bloom = reference("bloom")
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    states = 8
    same, other = 0.75 + 0.25 / states, 0.25 / states
    floor = -same * math.log(same) - (states - 1) * other * math.log(other)
    assert floor < math.log(states) - 0.8

    def batch(size: int, length: int) -> Tensor:
        drawn = torch.randint(states, (size, length), generator=generator)
        is_drawn = torch.rand(size, length, generator=generator) < 0.25
        for time in range(2, length):
            drawn[:, time] = torch.where(is_drawn[:, time], drawn[:, time], drawn[:, time - 2])
        return drawn

    def loss_of(ids: Tensor) -> Tensor:
        return F.cross_entropy(model(ids[:, :-1])[:, 1:].flatten(0, 1), ids[:, 2:].flatten())

    sizes = {"vocab_size": states, "hidden_size": 32, "num_layers": 2, "num_heads": 4}
    model = bloom.Bloom(bloom.BloomConfig(**sizes, initializer_range=0.1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(200):
        loss = loss_of(batch(32, 24))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        for length in (24, 96):
            loss = loss_of(batch(500, length))
            assert floor - 0.05 < loss < floor + 0.1, f"length {length}"
