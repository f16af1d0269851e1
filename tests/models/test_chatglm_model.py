"""How ChatGLM reads, remembers, writes and learns."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from solutions.models.generation import KeyValueCache
from tests.models.agreement import assert_agree, reference
from tests.models.tiny_glm import (
    BOS,
    EOS,
    GMASK,
    MASK,
    PAD,
    SPANS,
    TEXTS,
    in_pieces,
    real,
    released,
    table,
)


@st.composite
def prompts(draw: st.DrawFn) -> tuple[list[int], int]:
    """A text with prefix, mask token, BOS and what follows; and where BOS stands."""
    ordinary = st.integers(8, 22)
    before, after = draw(st.lists(ordinary, max_size=5)), draw(st.lists(ordinary, max_size=3))
    prefix = [*before, draw(st.sampled_from([MASK, GMASK])), *after]
    prefix = [PAD] * draw(st.integers(0, 3)) + prefix
    return [*prefix, BOS, *draw(st.lists(ordinary, min_size=2, max_size=7))], len(prefix)


@settings(max_examples=20, deadline=None)
@given(prompts(), st.data())
def test_a_later_token_changes_no_earlier_logit(
    prompt: tuple[list[int], int], data: st.DataObject
) -> None:
    ids, bos = prompt
    index = data.draw(st.integers(bos + 1, len(ids) - 1))
    changed = [*ids[:index], ids[index] % 15 + 8, *ids[index + 1 :]]
    with torch.no_grad():
        one, other = table()(torch.tensor([ids, changed]))
    assert torch.equal(one[:index], other[:index])
    assert not torch.allclose(one[index], other[index])


@settings(max_examples=15, deadline=None)
@given(prompts())
def test_the_end_of_the_prefix_changes_its_beginning(prompt: tuple[list[int], int]) -> None:
    ids, bos = prompt
    longer = [*ids[:bos], 9, *ids[bos:]]
    changed = [*ids[:bos], 10, *ids[bos:]]
    with torch.no_grad():
        one, other = table()(torch.tensor([longer, changed]))
    first = longer.index(next(token for token in longer if token != PAD))
    assert not torch.allclose(one[first], other[first])


@settings(max_examples=20, deadline=None)
@given(prompts(), st.data(), st.sampled_from([released, table]))
def test_the_cache_in_chunks_gives_the_same_logits(
    prompt: tuple[list[int], int], data: st.DataObject, make: Callable[[], Any]
) -> None:
    """The first chunk ends right before BOS or anywhere behind it."""
    ids, bos = prompt
    cuts = data.draw(st.sets(st.integers(bos, len(ids) - 1), min_size=1, max_size=4))
    edges = [0, *sorted(cuts), len(ids)]
    model, past, batch = make(), KeyValueCache(), torch.tensor([ids])
    with torch.no_grad():
        whole = model(batch)
        pieces = [model(batch[:, start:end], cache=past) for start, end in pairwise(edges)]
    keep = real(batch)
    assert past.length == len(ids)
    assert_agree(torch.cat(pieces, dim=1)[keep], whole[keep], "logits")


@pytest.mark.parametrize("make", [released, table])
@pytest.mark.parametrize("with_mask", [False, True])
def test_the_cache_gives_the_same_logits_in_a_batch_of_all_kinds(
    make: Callable[[], Any], with_mask: bool
) -> None:
    """Prefixes of all lengths, none and whole among them, token by token."""
    texts = [
        [8, 9, 10, GMASK, BOS, 11, 12, 13],
        [8, MASK, 10, 11, BOS, 12, GMASK, MASK],
        [PAD, PAD, PAD, GMASK, BOS, 9, 10, 11],
        [PAD, PAD, PAD, PAD, BOS, 9, PAD, 10],
        [PAD, 9, 10, MASK, GMASK, BOS, 14, 15],
        [BOS, 9, 10, MASK, GMASK, BOS, 14, 15],
        [PAD, PAD, PAD, PAD, PAD, PAD, BOS, 9],
    ]
    batch = torch.tensor(texts)
    mask = real(batch).long() if with_mask else None
    model, past, pieces, end = make(), KeyValueCache(), [], 0
    with torch.no_grad():
        whole = model(batch, attention_mask=mask)
        for piece in in_pieces(batch, 5):
            end += piece.shape[1]
            so_far = None if mask is None else mask[:, :end]
            pieces.append(model(piece, past, so_far))
    keep = real(batch)
    assert_agree(torch.cat(pieces, dim=1)[keep], whole[keep], "logits")


def test_the_cache_of_a_whole_prefix_goes_on_with_bos_only() -> None:
    model, past = table(), KeyValueCache()
    batch = torch.tensor([[8, 9, GMASK, BOS, 10]])
    with torch.no_grad():
        whole = model(batch)
        model(batch[:, :2], cache=past)
        with pytest.raises(ValueError, match="cache ends within a prefix"):
            model(batch[:, 2:], cache=past)
        assert past.length == 2, "a call that is refused leaves the cache alone"
        past = KeyValueCache()
        pieces = [model(piece, cache=past) for piece in in_pieces(batch, 3)]
    assert_agree(torch.cat(pieces, dim=1), whole, "logits")


@pytest.mark.parametrize("padding", [1, 4])
def test_padding_on_the_left_changes_nothing(padding: int) -> None:
    model, ids = table(), [8, 9, MASK, 10, BOS, 11, 12]
    batch, padded = torch.tensor([ids]), torch.tensor([[PAD] * padding + ids])
    other = torch.tensor([[9] * padding + ids])
    mask = torch.tensor([[0] * padding + [1] * len(ids)])
    with torch.no_grad():
        expected = model(batch)
        assert_agree(model(padded)[:, padding:], expected, "by the pad id")
        assert_agree(
            model(other, attention_mask=mask)[:, padding:], expected, "by the attention mask"
        )
        assert_agree(model(padded, attention_mask=mask)[:, padding:], expected, "by both")
        everything = model(padded, attention_mask=torch.ones_like(padded))[:, padding:]
    assert not torch.allclose(everything, expected), "with a mask, a pad id is a token"


def test_gradients_with_padding_are_finite() -> None:
    model = table()
    model(torch.tensor([TEXTS["padding"], [PAD] * 9])).square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_an_earlier_span_does_not_depend_on_a_later_one() -> None:
    chatglm, model = reference("chatglm"), table()
    logits = []
    for last in (10, 14):
        texts = [[8, 9, last, 11, 12, 13]]
        batch = chatglm.blank_infilling_batch(texts, SPANS[:1], MASK, BOS, EOS, PAD)
        with torch.no_grad():
            logits.append(model(batch["input_ids"], position_ids=batch["position_ids"]))
    assert torch.equal(logits[0][:, :9], logits[1][:, :9])
    assert not torch.allclose(logits[0][:, 9:], logits[1][:, 9:])


PROMPTS = [
    [8, 9, 10, 11, GMASK, BOS],
    [PAD, PAD, 12, MASK, 13, BOS],
    [PAD, PAD, PAD, PAD, GMASK, BOS],
    [PAD, PAD, PAD, PAD, PAD, BOS],
    [8, MASK, GMASK, BOS, 9, 10],
]


@pytest.mark.parametrize("make", [released, table])
def test_generation_is_that_of_full_forwards_without_padding(make: Callable[[], Any]) -> None:
    model = make()
    found = model.generate(torch.tensor(PROMPTS), 6, end_ids=())
    for row, prompt in zip(found, PROMPTS, strict=True):
        ids = [token for token in prompt if token != PAD]
        with torch.no_grad():
            for _ in range(6):
                ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
        assert row[-len(ids) :].tolist() == ids


def test_generation_with_an_attention_mask_is_that_by_the_pad_id() -> None:
    model, batch = table(), torch.tensor(PROMPTS)
    expected = model.generate(batch, 5, end_ids=())
    other = torch.where(real(batch), batch, 17)
    found = model.generate(other, 5, real(batch).long(), end_ids=())
    assert torch.equal(found[:, 6:], expected[:, 6:])


def test_a_text_that_has_ended_is_filled_up_and_the_others_go_on() -> None:
    model, batch = table(), torch.tensor(PROMPTS)
    free = model.generate(batch, 6, end_ids=())
    end = int(free[0, 7])
    found = model.generate(batch, 6, end_ids=(end,))
    for row, expected in zip(found.tolist(), free.tolist(), strict=True):
        written, continuation = row[6:], expected[6:]
        stop = continuation.index(end) + 1 if end in continuation else 6
        assert written[:stop] == continuation[:stop]
        assert set(written[stop:]) <= {PAD}


def test_sampling_draws_from_the_models_probabilities() -> None:
    """The first drawn token, in 2000 draws, against the probabilities of the full forward."""
    model, prompt = table(), torch.tensor([PROMPTS[0]])
    with torch.no_grad():
        probabilities = model(prompt)[0, -1].softmax(0)
    generator = torch.Generator().manual_seed(0)
    drawn = model.generate(
        prompt.expand(2000, -1), 1, temperature=1.0, end_ids=(), generator=generator
    )[:, -1]
    share = torch.bincount(drawn, minlength=23) / 2000
    margin = 4 * (probabilities * (1 - probabilities) / 2000).sqrt() + 1e-3
    assert ((share - probabilities).abs() < margin).all()


@pytest.mark.parametrize(
    ("ids", "options", "error", "sentence"),
    [
        ([8, 23], {}, IndexError, "ids from 8 to 23.*from 0 to 22"),
        ([-1, 8], {}, IndexError, "ids from -1 to 8"),
        ([8] * 33, {}, ValueError, "33 tokens; this model has 32 positions"),
        ([8, 9, BOS, 10], {}, ValueError, r"neither \[MASK\] \(id 4\) nor \[gMASK\] \(id 5\)"),
        ([8, 9, BOS, GMASK], {}, ValueError, r"before its BOS \(id 6\)"),
        (
            [8, 9],
            {"attention_mask": torch.ones(1, 3)},
            ValueError,
            r"attention_mask has shape \(1, 3\).*\(1, 2\)",
        ),
        (
            [8, 9],
            {"attention_mask": torch.tensor([[1, 0]])},
            ValueError,
            "0 behind a 1.*padded on the left",
        ),
        (
            [8, 9],
            {"position_ids": torch.zeros(1, 2, dtype=torch.int64)},
            ValueError,
            r"position_ids has shape \(1, 2\).*\(1, 2, 2\)",
        ),
    ],
)
def test_a_wrong_call_gets_a_sentence(
    ids: list[int], options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        table()(torch.tensor([ids]), **options)


def test_a_prompt_without_bos_is_refused() -> None:
    with pytest.raises(ValueError, match=r"without BOS \(id 6\).*\[gMASK\] and BOS"):
        table().generate(torch.tensor([[8, GMASK, BOS], [8, 9, GMASK]]), 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hidden_size": 30}, "hidden_size is 30; with 3 heads.*multiple of 12"),
        ({"deepnorm": "encoder"}, "deepnorm is 'encoder'"),
        ({"gmask_id": 23}, "gmask_id is 23.*from 0 to 22"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        table(**changes)


def test_chatglm_6b_has_6_7_billion_parameters_and_only_without_a_gate() -> None:
    """Two bytes each, that is 13.4 GB, the size of the released files."""
    chatglm = reference("chatglm")

    def count(**changes: Any) -> int:
        with torch.device("meta"):
            model = chatglm.ChatGLM(chatglm.ChatGLMConfig.released(**changes))
        return sum(parameter.numel() for parameter in model.parameters())

    assert round(2 * count() / 1e9, 1) == 13.4
    assert round(2 * count(gated=True) / 1e9, 1) == 17.2


@pytest.mark.parametrize(
    ("deepnorm", "beta"), [("decoder", (8 * 2) ** -0.25), ("chatglm", (2 * 2) ** -0.5)]
)
@pytest.mark.parametrize("gated", [True, False])
def test_weights_start_as_the_deepnet_paper_says(deepnorm: str, beta: float, gated: bool) -> None:
    chatglm = reference("chatglm")
    torch.manual_seed(0)
    size, inner = 96, 200
    sizes = {"vocab_size": 300, "hidden_size": size, "num_layers": 2, "num_heads": 3}
    special = {"pad_id": PAD, "mask_id": MASK, "gmask_id": GMASK, "bos_id": BOS}
    config = chatglm.ChatGLMConfig(
        intermediate_size=inner, deepnorm=deepnorm, gated=gated, **sizes, **special
    )
    model = chatglm.ChatGLM(config)
    square, oblong = size**-0.5, (2 / (size + inner)) ** 0.5
    for block in model.blocks:
        for name, std in (
            ("query", square),
            ("key", square),
            ("value", beta * square),
            ("output", beta * square),
        ):
            found = float(block["attention"][f"{name}_weight"].detach().std())
            assert math.isclose(found, std, rel_tol=0.04), name
        for name in ("inner", "outer"):
            found = float(block["feed_forward"][f"{name}_weight"].detach().std())
            assert math.isclose(found, beta * oblong, rel_tol=0.04), name
    assert math.isclose(
        float(model.embeddings["token_embedding"].detach().std()), 0.02, rel_tol=0.04
    )


# ---------------------------------------------------------------------------- learning


@pytest.mark.slow
def test_the_model_learns_to_use_both_sides_of_a_blank() -> None:
    """Walks on a ring of five tokens, each step 1 or 2 with equal chance, and one token blanked.

    From the left alone nobody gets below ln 2, in nats a token. With both neighbours, two steps
    together make 2 or 4 half of the time, which leaves no doubt, and else 3, which leaves ln 2: so
    nobody gets below ln 2 / 2 either. The model has to end nearer to this than to ln 2, and below
    it by no more than 0.03, five times the deviation of the mean over 4000 blanks.
    """
    chatglm = reference("chatglm")
    generator = torch.Generator().manual_seed(1)
    torch.manual_seed(0)
    model = chatglm.ChatGLM(table().config)  # not randomised

    def loss(count: int) -> Tensor:
        steps = torch.randint(1, 3, (count, 7), generator=generator)
        starts = torch.randint(5, (count, 1), generator=generator)
        walks = (starts + steps.cumsum(1)) % 5 + 8
        blanks = torch.randint(1, 6, (count,), generator=generator).tolist()
        spans = [[(blank, blank + 1)] for blank in blanks]
        batch = chatglm.blank_infilling_batch(walks.tolist(), spans, MASK, BOS, EOS, PAD)
        targets = batch["targets"][:, -2]  # at BOS; behind it comes the end, which is certain
        return F.cross_entropy(model(batch["input_ids"])[:, -2], targets)

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        loss(48).backward()
        optimizer.step()
    with torch.no_grad():
        final = float(loss(4000))
    assert math.log(2) / 2 - 0.03 < final < math.log(2) * 3 / 4, final
