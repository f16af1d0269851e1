"""The parts of LLaMA in agreement with transformers and torch, and with their formulas."""

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.models.llama.modeling_llama import (
    LlamaRMSNorm,
    LlamaRotaryEmbedding,
    apply_rotary_pos_emb,
)

from tests.models.agreement import STRICT, Mutation, assert_agree, reference
from tests.models.tiny_llama import LLAMA3, saved


def agree_rms_norm() -> None:
    """Every precision agrees with transformers' norm, to the last bit of the half ones."""
    llama = reference("llama")
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(3, 5, 16, generator=generator)
    norm = LlamaRMSNorm(16, eps=0.03)
    norm.weight.data.normal_(1.0, 0.3, generator=generator)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        ours = llama.rms_norm(x.to(dtype), norm.weight.to(dtype), 0.03)
        assert ours.dtype == dtype
        tolerance = STRICT if dtype == torch.float32 else (0.0, 0.0)
        assert_agree(ours, norm.to(dtype)(x.to(dtype)), f"norm in {dtype}", tolerance)
    exact = F.rms_norm(x.double(), (16,), norm.weight.double(), 0.03)
    ours = llama.rms_norm(x.double(), norm.weight.double(), 0.03)
    assert_agree(ours, exact, "norm in float64", (1e-14, 1e-14))


def agree_rope() -> None:
    """Frequencies and turning agree with transformers', for each kind of frequencies."""
    llama, sizes = reference("llama"), reference("models.llama_config")
    generator = torch.Generator().manual_seed(4)
    x = torch.randn(2, 3, 40, 14, generator=generator)
    positions = torch.arange(40)
    for case, theta in (("6 heads in 2 groups", 100.0), ("llama3", LLAMA3["rope_theta"])):
        rotary = LlamaRotaryEmbedding(saved(case)[0].config)
        frequencies = llama.rope_frequencies(14, theta)
        if case == "llama3":
            divisors = sizes.llama3_divisors(frequencies.tolist(), 4.0, 1.0, 3.0, 24)
            assert 1.0 in divisors and 4.0 in divisors and len(set(divisors)) > 2
            frequencies = frequencies / torch.tensor(divisors)
        assert_agree(frequencies, rotary.inv_freq, f"frequencies, {case}", (0.0, 1e-6))
        ours = llama.apply_rope(x, positions.unsqueeze(-1) * frequencies)
        theirs, _ = apply_rotary_pos_emb(x, x, *rotary(x, positions.unsqueeze(0)))
        assert_agree(ours, theirs, f"turned, {case}", STRICT)


def agree_grouped_attention() -> None:
    """The clear form agrees with the fused one that the blocks use, and its rows with no key."""
    llama = reference("llama")
    generator = torch.Generator().manual_seed(5)
    query = torch.randn(2, 6, 5, 8, generator=generator, dtype=torch.float64)
    mask = torch.rand(2, 1, 5, 7, generator=generator) < 0.6
    mask[1, 0, 2] = False
    for num_key_value_heads in (1, 2, 6):
        shape = (2, num_key_value_heads, 7, 8)
        key = torch.randn(shape, generator=generator, dtype=torch.float64)
        value = torch.randn(shape, generator=generator, dtype=torch.float64)
        for one in (None, mask):
            assert_agree(
                llama.grouped_query_attention(query, key, value, one),
                F.scaled_dot_product_attention(query, key, value, one, enable_gqa=True),
                f"{num_key_value_heads} heads of keys and values",
                (1e-12, 1e-12),
            )


AGREEMENTS: list[Callable[[], None]] = [agree_rms_norm, agree_rope, agree_grouped_attention]

MUTATIONS = [
    Mutation("llama", "keepdim=True) + eps)", "keepdim=True))"),
    Mutation("llama", ".square().mean(-1", ".square().sum(-1"),
    Mutation("llama", "torch.promote_types(x.dtype, torch.float32)", "x.dtype"),
    Mutation("llama", "theta ** -(", "theta ** ("),
    Mutation("llama", "first * cos - second * sin", "first * cos + second * sin"),
    Mutation("llama", "first, second = x.chunk(2, dim=-1)", "second, first = x.chunk(2, dim=-1)"),
    Mutation(
        "llama", "key.repeat_interleave(group_size, dim=1)", "key.repeat(1, group_size, 1, 1)"
    ),
]


def test_the_norm_agrees_with_transformers_in_every_precision() -> None:
    agree_rms_norm()


def test_rope_agrees_with_transformers() -> None:
    agree_rope()


def test_the_clear_and_the_fused_grouped_attention_are_equal() -> None:
    agree_grouped_attention()


@settings(max_examples=20, deadline=None)
@given(m=st.integers(0, 500), n=st.integers(0, 500), shift=st.integers(-400, 400))
def test_products_of_turned_vectors_depend_on_the_distance_only(m: int, n: int, shift: int) -> None:
    llama = reference("llama")
    generator = torch.Generator().manual_seed(m)
    query, key = torch.randn(2, 1, 16, generator=generator, dtype=torch.float64)
    frequencies = llama.rope_frequencies(16).double()

    def product(query_position: int, key_position: int) -> Tensor:
        turned = (
            llama.apply_rope(x, position * frequencies.unsqueeze(0))
            for x, position in ((query, query_position), (key, key_position))
        )
        return torch.mul(*turned).sum()

    assert_agree(product(m + shift, n + shift), product(m, n), "product", (1e-10, 0.0))


def test_turning_keeps_lengths_and_position_0_turns_nothing() -> None:
    llama = reference("llama")
    x = torch.randn(2, 3, 5, 8, dtype=torch.float64)
    angles = torch.arange(5).unsqueeze(-1) * llama.rope_frequencies(8).double()
    turned = llama.apply_rope(x, angles)
    assert_agree(turned.norm(dim=-1), x.norm(dim=-1), "lengths", (1e-12, 0.0))
    assert_agree(turned[..., 0, :], x[..., 0, :], "position 0", (0.0, 0.0))


def test_a_quarter_turn_goes_from_the_first_half_to_the_second() -> None:
    turned = reference("llama").apply_rope(
        torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.tensor([[math.pi / 2, 0.0]])
    )
    assert_agree(turned, torch.tensor([[0.0, 0.0, 1.0, 0.0]]), "turned", STRICT)


def test_angles_may_differ_between_texts_and_keep_the_type_of_the_vectors() -> None:
    llama = reference("llama")
    x, angles = torch.randn(2, 3, 5, 8), torch.randn(2, 1, 5, 4)
    one_by_one = torch.stack([llama.apply_rope(x[i], angles[i]) for i in range(2)])
    assert_agree(llama.apply_rope(x, angles), one_by_one, "turned", STRICT)
    assert llama.apply_rope(x.bfloat16(), angles).dtype == torch.bfloat16
    assert llama.apply_rope(x.double(), angles.double()).dtype == torch.float64


@settings(max_examples=15, deadline=None)
@given(num_heads=st.integers(1, 5), pairs=st.integers(1, 6), position=st.integers(0, 90))
def test_reordered_rows_turn_as_the_interleaved_form_does(
    num_heads: int, pairs: int, position: int
) -> None:
    llama = reference("llama")
    rows = num_heads * 2 * pairs
    generator = torch.Generator().manual_seed(rows)
    weight = torch.randn(rows, 7, generator=generator, dtype=torch.float64)
    bias = torch.randn(rows, generator=generator, dtype=torch.float64)
    x = torch.randn(7, generator=generator, dtype=torch.float64)
    angles = position * llama.rope_frequencies(2 * pairs).double()
    # The paper's form: neighbours are the real and the imaginary part of a complex number.
    complex_pairs = torch.view_as_complex((weight @ x + bias).reshape(num_heads, pairs, 2))
    interleaved = torch.view_as_real(complex_pairs * torch.polar(torch.ones_like(angles), angles))
    half = llama.interleaved_to_half(weight, num_heads) @ x
    half = half + llama.interleaved_to_half(bias, num_heads)
    ours = llama.apply_rope(half.reshape(num_heads, 1, 2 * pairs), angles.unsqueeze(0))
    both = ours.reshape(num_heads, 2, pairs).transpose(1, 2)
    assert_agree(both, interleaved, "turned", (1e-12, 1e-12))


def test_an_odd_head_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"head_dim is 7.*even"):
        reference("llama").rope_frequencies(7)
