"""Attention in agreement with torch's, and its properties."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.models.agreement import GRADIENTS, STRICT, Mutation, assert_agree, reference

Weights = dict[str, Tensor]


def random(*shape: int, seed: int = 0) -> Tensor:
    """Numbers of a size that does not saturate the softmax."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@cache
def torchs(num_heads: int, dim: int, has_bias: bool) -> nn.MultiheadAttention:
    """Torch's own multi-head attention; its biases are not left at 0."""
    torch.manual_seed(num_heads)
    module = nn.MultiheadAttention(dim, num_heads, bias=has_bias, batch_first=True)
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.normal_()
    return module


def weights_of(module: nn.MultiheadAttention) -> Weights:
    """Torch's weights by our names."""
    names = ("query", "key", "value")
    weights = {
        f"{name}_weight": part
        for name, part in zip(names, module.in_proj_weight.chunk(3), strict=True)
    }
    weights["output_weight"] = module.out_proj.weight
    if module.in_proj_bias is not None:
        parts = module.in_proj_bias.chunk(3)
        weights |= {f"{name}_bias": part for name, part in zip(names, parts, strict=True)}
        weights["output_bias"] = module.out_proj.bias
    return weights


def agree(num_heads: int, dim: int, has_bias: bool, times: tuple[int, int], masked: bool) -> None:
    """Output and gradients agree with torch's, self-attention or cross-attention."""
    theirs = torchs(num_heads, dim, has_bias)
    num_queries, num_keys = times
    x, context = random(3, num_queries, dim, seed=1), random(3, num_keys, dim, seed=2)
    x.requires_grad_()
    mask = None
    if masked:
        mask = random(3, 1, num_queries, num_keys, seed=3) > -0.5
        mask[..., 0] = True  # torch's own gives NaN where nothing is left
    found = reference("attention").multi_head_attention(
        x, context, weights_of(theirs), num_heads, mask
    )
    forbidden = None if mask is None else ~mask.expand(3, num_heads, -1, -1).flatten(0, 1)
    expected, _ = theirs(x, context, context, attn_mask=forbidden, need_weights=False)
    assert_agree(found, expected, "output", STRICT)
    wanted = [x, *theirs.parameters()]
    ours = torch.autograd.grad(found.sin().sum(), wanted)
    for name, one, other in zip(
        ["x", *dict(theirs.named_parameters())],
        ours,
        torch.autograd.grad(expected.sin().sum(), wanted),
        strict=True,
    ):
        assert_agree(one, other, f"gradient of {name}", GRADIENTS)


def agree_7_heads_masked() -> None:
    agree(7, 42, True, (5, 8), True)


def agree_12_heads_without_bias() -> None:
    agree(12, 36, False, (9, 9), False)


def agree_by_hand() -> None:
    """The clear form and torch's fused one are the same, gradients included."""
    attention = reference("attention")
    query, key, value = (random(2, 3, time, 5, seed=time) for time in (4, 7, 6))
    key, value = key[:, :, :6], random(2, 3, 6, 9, seed=5)
    query.requires_grad_()
    mask = random(2, 1, 4, 6, seed=8) > 0
    mask[0, 0, 2] = False  # a query that may see nothing
    for allowed in (None, mask):
        found = attention.scaled_dot_product_attention(query, key, value, allowed)
        expected = nn.functional.scaled_dot_product_attention(query, key, value, allowed)
        assert_agree(found, expected, "output", STRICT)
        ours, theirs = (torch.autograd.grad(y.sin().sum(), query)[0] for y in (found, expected))
        assert_agree(ours, theirs, "gradient of query", GRADIENTS)


def agree_softmax() -> None:
    scores = random(3, 4, 5) * 3
    for dim in (0, 1, 2, -1):
        ours = reference("attention").softmax(scores, dim)
        assert_agree(ours, scores.softmax(dim), f"softmax along {dim}", STRICT)
    huge = torch.tensor([[1000.0, 1000.0, -torch.inf], [-1e4, -torch.inf, -1e4 - 1]])
    assert_agree(reference("attention").softmax(huge), huge.softmax(-1), "huge scores", STRICT)
    nothing = reference("attention").softmax(torch.full((2, 3), -torch.inf))
    assert_agree(nothing, torch.zeros(2, 3), "nothing to choose from", (0.0, 0.0))


def agree_causal_mask() -> None:
    ours = reference("attention").causal_mask
    expected = nn.Transformer.generate_square_subsequent_mask(6) == 0
    assert_agree(ours(6), expected, "mask", (0.0, 0.0))
    assert_agree(ours(2, 6), expected[4:], "mask of the last two", (0.0, 0.0))


AGREEMENTS: list[Callable[[], None]] = [
    agree_softmax,
    agree_causal_mask,
    agree_by_hand,
    agree_7_heads_masked,
    agree_12_heads_without_bias,
]

MUTATIONS = [
    Mutation("attention", "(scores - largest).exp()", "scores.exp()"),
    Mutation(
        "attention", "exponentials.sum(dim, keepdim=True)", "exponentials.sum(-1, keepdim=True)"
    ),
    Mutation("attention", "scores.amax(dim, keepdim=True)", "scores.amax()"),
    Mutation(
        "attention",
        "largest == -torch.inf, torch.zeros_like(largest)",
        "largest == -torch.inf, largest",
    ),
    Mutation("attention", "torch.where(total == 0, torch.ones_like(total), total)", "total"),
    Mutation("attention", "query.shape[-1] ** 0.5", "query.shape[-1]"),
    Mutation("attention", "query.shape[-1] ** 0.5", "query.shape[-2] ** 0.5"),
    Mutation("attention", "/ query.shape[-1] ** 0.5", "* 1.0"),
    Mutation("attention", "masked_fill(~mask, -torch.inf)", "masked_fill(mask, -torch.inf)"),
    Mutation("attention", "masked_fill(~mask, -torch.inf)", "masked_fill(~mask, -10.0)"),
    Mutation("attention", "return softmax(scores)\n", "return softmax(scores, -2)\n"),
    Mutation("attention", "torch.arange(num_keys) <= query", "torch.arange(num_keys) < query"),
    Mutation("attention", "torch.arange(num_keys) <= query", "torch.arange(num_keys) >= query"),
    Mutation(
        "attention", "torch.arange(num_keys - num_queries, num_keys)", "torch.arange(num_queries)"
    ),
    Mutation("attention", "num_heads, -1).transpose(1, 2)", "-1, num_heads).permute(0, 3, 1, 2)"),
    Mutation("attention", "x.transpose(1, 2).flatten(-2)", "x.permute(0, 2, 3, 1).flatten(-2)"),
    Mutation(
        "attention",
        'F.linear(context, weights["key_weight"]',
        'F.linear(context, weights["query_weight"]',
    ),
    Mutation(
        "attention",
        'weights["output_weight"], weights.get("output_bias")',
        'weights["output_weight"]',
    ),
    Mutation("attention", "        mask,\n    )", "    )"),
]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("times", [(1, 1), (7, 7), (5, 8), (1, 9)], ids=str)
@pytest.mark.parametrize("has_bias", [False, True])
@pytest.mark.parametrize(("num_heads", "dim"), [(1, 5), (6, 18), (7, 42), (12, 36)])
def test_multi_head_attention_agrees_with_torch(
    num_heads: int, dim: int, has_bias: bool, times: tuple[int, int], masked: bool
) -> None:
    agree(num_heads, dim, has_bias, times, masked)


@pytest.mark.parametrize("claim", [agree_softmax, agree_causal_mask, agree_by_hand])
def test_each_part_agrees_with_torch(claim: Callable[[], None]) -> None:
    claim()


def self_attention(x: Tensor, num_heads: int = 3, mask: Tensor | None = None) -> Tensor:
    weights = weights_of(torchs(num_heads, x.shape[-1], True))
    with torch.no_grad():
        return reference("attention").multi_head_attention(x, x, weights, num_heads, mask)


@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(6)))
def test_without_a_mask_the_order_of_the_words_does_not_matter(order: list[int]) -> None:
    x = random(2, 6, 12)
    assert_agree(self_attention(x[:, order]), self_attention(x)[:, order], "shuffled", STRICT)


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 9), changed=st.integers(0, 8))
def test_the_future_does_not_change_the_past(length: int, changed: int) -> None:
    changed = min(changed, length - 1)
    x = random(2, length, 12)
    other = x.clone()
    other[:, changed] += 1
    mask = reference("attention").causal_mask(length)
    before, after = self_attention(x, mask=mask), self_attention(other, mask=mask)
    assert torch.equal(before[:, :changed], after[:, :changed])
    assert (before[:, changed:] != after[:, changed:]).any(-1).all()


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 3), time=st.integers(1, 5), heads=st.integers(1, 4), dim=st.integers(1, 4)
)
def test_merging_undoes_splitting(batch: int, time: int, heads: int, dim: int) -> None:
    attention = reference("attention")
    x = random(batch, time, heads * dim)
    split = attention.split_heads(x, heads)
    assert split.shape == (batch, heads, time, dim)
    assert torch.equal(attention.merge_heads(split), x)


def test_padding_gets_no_weight_and_the_rest_sums_to_one() -> None:
    attention = reference("attention")
    mask = attention.padding_mask(torch.tensor([[1, 1, 0, 0], [0, 1, 1, 1]]))
    weights = attention.attention_weights(random(2, 3, 4, 5), random(2, 3, 4, 5, seed=1), mask)
    assert (weights[0, ..., 2:] == 0).all()
    assert (weights[1, ..., 0] == 0).all()
    assert_agree(weights.sum(-1), torch.ones(2, 3, 4), "sum of a row", STRICT)


def test_half_precision_stays_half_and_double_stays_double() -> None:
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        x = random(1, 2, 3, 4).to(dtype)
        assert reference("attention").scaled_dot_product_attention(x, x, x).dtype == dtype
