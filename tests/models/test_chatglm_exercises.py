"""The exercises of chapter 8, one by one."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.models.agreement import assert_agree, reference
from tests.models.tiny_glm import BLANKS, BOS, EOS, GMASK, MASK, PAD, table


def test_a_prefix_of_length_0_is_causal_and_a_whole_one_sees_everything() -> None:
    chatglm = reference("chatglm")
    mask = chatglm.prefix_mask(torch.tensor([0, 4, 2]), 4)
    assert torch.equal(mask[0], torch.ones(4, 4).tril().bool())
    assert mask[1].all()
    assert mask[2].int().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert torch.equal(chatglm.prefix_mask(torch.tensor([0, 4, 2]), 2, 4), mask[:, 2:])


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    shift=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    axis=st.integers(0, 1),
)
def test_products_of_turned_vectors_depend_on_differences_of_both_positions(
    seed: int, shift: tuple[int, int], axis: int
) -> None:
    chatglm = reference("chatglm")
    generator = torch.Generator().manual_seed(seed)
    query, key = torch.randn(2, 1, 2, 5, 8, generator=generator, dtype=torch.float64)
    positions = torch.randint(9, (2, 1, 2, 5), generator=generator)
    radians = torch.tensor([1.0, 0.3], dtype=torch.float64)

    def products(query_positions: Tensor, key_positions: Tensor) -> Tensor:
        turned = chatglm.apply_rope_2d(query, query_positions, radians)
        assert_agree(turned.norm(dim=-1), query.norm(dim=-1), "length", (1e-9, 1e-9))
        return turned @ chatglm.apply_rope_2d(key, key_positions, radians).transpose(-2, -1)

    before = products(*positions)
    both = torch.tensor(shift).unsqueeze(-1)  # (2, 1): one shift for each of the two
    assert_agree(products(*(positions + both)), before, "shifted", (1e-9, 1e-9))
    one = positions[1].clone()
    one[:, axis] += 1
    assert (products(positions[0], one) - before).abs().max() > 1e-3


def test_each_half_of_a_head_is_turned_by_its_own_position() -> None:
    chatglm = reference("chatglm")
    x, radians = torch.randn(1, 3, 4, 8), torch.tensor([1.0, 0.1])
    nowhere = torch.zeros(1, 2, 4, dtype=torch.int64)
    for half, kept in ((0, slice(4, 8)), (1, slice(0, 4))):
        positions = nowhere.clone()
        positions[:, half] = torch.arange(1, 5)
        turned = chatglm.apply_rope_2d(x, positions, radians)
        assert torch.equal(turned[..., kept], x[..., kept])
        moved = slice(4 * half, 4 * half + 4)
        expected = reference("llama").apply_rope(
            x[..., moved], torch.arange(1, 5).unsqueeze(-1) * radians
        )
        assert torch.equal(turned[..., moved], expected)


def test_geglu_works_without_biases_and_in_any_shape() -> None:
    geglu = reference("chatglm").geglu
    weights = {"inner_weight": torch.randn(10, 3), "outer_weight": torch.randn(3, 5)}
    zeros = {"inner_bias": torch.zeros(10), "outer_bias": torch.zeros(3)}
    x = torch.randn(2, 4, 3)
    assert torch.equal(geglu(x, weights), geglu(x, weights | zeros))
    assert_agree(geglu(x[0, 0], weights), geglu(x, weights)[0, 0], "one vector")


def test_the_residual_step_is_the_clear_layer_norm_of_chapter_5() -> None:
    x, more = torch.randn(2, 2, 3, 8, dtype=torch.float64)
    gain, bias = torch.randn(2, 8, dtype=torch.float64)
    ours = reference("chatglm").deepnorm_residual(x, more, gain, bias, 1.7, 1e-3)
    clear = reference("transformer").layer_norm(1.7 * x + more, gain, bias, 1e-3)
    assert_agree(ours, clear, "residual step", (1e-12, 1e-12))


def test_float64_stays_float64() -> None:
    chatglm = reference("chatglm")
    model = table().double()
    block, where = next(iter(model.blocks)), torch.zeros(1, 2, 4, dtype=torch.int64)
    x, radians = torch.randn(1, 4, 24, dtype=torch.float64), torch.tensor([1.0, 0.1])
    output, (key, value) = chatglm.glm_block(x, block, 3, where, radians, 1.4)
    found = [output, key, value, chatglm.geglu(x, block["feed_forward"])]
    found.append(chatglm.apply_rope_2d(key, where, radians))
    found.append(model(torch.tensor([[GMASK, BOS]])))
    assert {tensor.dtype for tensor in found} == {torch.float64}


def test_a_block_with_a_past_is_the_end_of_the_block_without() -> None:
    chatglm = reference("chatglm")
    block, radians = next(iter(table().blocks)), torch.tensor([1.0, 0.1])
    x, where = torch.randn(2, 5, 24), torch.randint(9, (2, 2, 5))
    mask = chatglm.prefix_mask(torch.tensor([2, 3]), 5).unsqueeze(1)
    whole, kept = chatglm.glm_block(x, block, 3, where, radians, 1.4, mask)
    _, past = chatglm.glm_block(
        x[:, :3], block, 3, where[..., :3], radians, 1.4, mask[:, :, :3, :3]
    )
    end, longer = chatglm.glm_block(
        x[:, 3:], block, 3, where[..., 3:], radians, 1.4, mask[:, :, 3:], past
    )
    assert_agree(end, whole[:, 3:], "output")
    assert_agree(longer[0], kept[0], "keys")
    assert_agree(longer[1], kept[1], "values")


@st.composite
def blanked(draw: st.DrawFn) -> tuple[list[list[int]], list[list[tuple[int, int]]]]:
    """Texts of tokens from 8 on, and for each some spans in any order."""
    texts, spans = [], []
    for _ in range(draw(st.integers(1, 3))):
        length = draw(st.integers(1, 9))
        edges = draw(st.sets(st.integers(0, length), min_size=2, max_size=6))
        cuts = sorted(edges)
        blanks = list(zip(cuts[::2], cuts[1::2], strict=False))
        texts.append(draw(st.lists(st.integers(8, 22), min_size=length, max_size=length)))
        spans.append(draw(st.permutations(blanks)))
    return texts, spans


@settings(max_examples=25, deadline=None)
@given(blanked())
def test_a_text_can_be_put_together_again_from_what_it_was_blanked_into(
    given_: tuple[list[list[int]], list[list[tuple[int, int]]]],
) -> None:
    texts, spans = given_
    batch = reference("chatglm").blank_infilling_batch(texts, spans, MASK, BOS, EOS, PAD)
    for row, (text, blanks) in enumerate(zip(texts, spans, strict=True)):
        answers: dict[int, list[int]] = {}
        first, second = batch["position_ids"][row].tolist()
        targets = batch["targets"][row].tolist()
        for place, step, target in zip(first, second, targets, strict=True):
            if step > 0:
                answers.setdefault(place, []).append(target)
                assert len(answers[place]) == step
        restored = []
        for token, place, step in zip(batch["input_ids"][row].tolist(), first, second, strict=True):
            if step == 0 and token == MASK:
                assert answers[place][-1] == EOS
                restored += answers[place][:-1]
            elif step == 0 and token != PAD:
                restored.append(token)
        assert restored == text
        assert len(answers) == len(blanks)


@pytest.mark.parametrize("mask_id", [MASK, GMASK])
def test_with_one_blank_mask_and_positions_are_those_that_the_model_finds(mask_id: int) -> None:
    batch = reference("chatglm").blank_infilling_batch(
        BLANKS, [[(2, 4)], [(2, 3)]], mask_id, BOS, EOS, PAD
    )
    mask, positions = table().mask_and_positions(batch["input_ids"])
    assert torch.equal(mask, batch["mask"])
    assert torch.equal(positions, batch["position_ids"])


@pytest.mark.parametrize(
    ("spans", "sentence"),
    [
        ([[], [(0, 1)]], "no span to blank"),
        ([[(2, 2)], [(0, 1)]], r"span \(2, 2\) is empty"),
        ([[(4, 7)], [(0, 1)]], r"\(4, 7\).*outside"),
        ([[(3, 5), (1, 4)], [(0, 1)]], r"\(3, 5\).*overlaps"),
        ([[(-2, 1)], [(0, 1)]], r"\(-2, 1\)"),
    ],
)
def test_blanks_that_do_not_fit_are_refused(
    spans: list[list[tuple[int, int]]], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        reference("chatglm").blank_infilling_batch(BLANKS, spans, MASK, BOS, EOS, PAD)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("encoder", 3), "architecture is 'encoder'"),
        (("encoder-decoder", 3), "needed there"),
        (("decoder", 3, 3), "is for 'encoder-decoder'"),
    ],
)
def test_constants_of_what_does_not_exist_are_refused(
    arguments: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        reference("chatglm").deepnorm_constants(*arguments)
