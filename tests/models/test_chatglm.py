"""ChatGLM in agreement with what the released code gave, and with a plain second writing of it.

`naive_glm` covers what the fixture has no case for, and the variant of the lecture's table.
"""

import json
import math
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from solutions.models.generation import KeyValueCache
from tests.models import naive_glm
from tests.models.agreement import GRADIENTS, Mutation, assert_agree, reference
from tests.models.stored import read, write
from tests.models.tiny_glm import (
    BLANKS,
    BOS,
    DATA,
    DERIVED,
    EOS,
    FULL,
    GMASK,
    MASK,
    PAD,
    SPANS,
    TEXTS,
    case,
    in_pieces,
    mix,
    real,
    released,
    table,
)

_FOLDERS = tempfile.TemporaryDirectory()


# ---------------------------------------------------------------------------- agreement


def agree_with_case(name: str) -> None:
    """Logits with rounded and with exact frequencies, and the last hidden states."""
    tensors = case(name)
    ids = tensors["in.input_ids"]
    keep = real(ids)
    with torch.no_grad():
        model = released()
        assert_agree(model(ids)[keep], tensors["out.logits"][keep], name)
        if "out.hidden.last" in tensors:
            hidden = model.hidden_states(ids, None, None)
            assert_agree(hidden[keep], tensors["out.hidden.last"][keep], f"{name}, hidden states")
        exact = released(round_frequencies=False)(ids)
        assert_agree(exact[keep], tensors["out.logits_exact_invfreq"][keep], f"{name}, exact")


def agree_mask_and_positions() -> None:
    model = released()
    for name in DERIVED:
        tensors = case(name)
        mask, positions = model.mask_and_positions(tensors["in.input_ids"])
        theirs = ~tensors["in.attention_mask_true_is_masked"].squeeze(1)
        assert_agree(mask, theirs, f"{name}, mask")
        assert_agree(positions, tensors["in.position_ids"], f"{name}, positions")


def agree_naive_mask_and_positions() -> None:
    """Of prompts that the fixture has no case for, by the second writing."""
    model = released()
    for text, ids in TEXTS.items():
        mask, positions = model.mask_and_positions(torch.tensor([ids]))
        seen = naive_glm.sight(ids, naive_glm.TINY)
        places = [place or (0, 0) for place in naive_glm.places(ids, naive_glm.TINY)]
        assert [row.nonzero().flatten().tolist() for row in mask[0]] == seen, text
        assert positions[0].T.tolist() == [list(place) for place in places], text


def agree_rounding() -> None:
    """In a text long enough, rounded frequencies show: by 1.2e-4, which is above 2e-5."""
    tensors = case("long")
    with torch.no_grad():
        ours = released()(tensors["in.input_ids"]) - released(round_frequencies=False)(
            tensors["in.input_ids"]
        )
    theirs = tensors["out.logits"] - tensors["out.logits_exact_invfreq"]
    assert_agree(ours, theirs, "effect of rounding", (1e-5, 0.0))


def agree_cache() -> None:
    """Prompt, then token by token; keys and values of the first layer, too."""
    tensors = case("kv_cache")
    ids, length = tensors["in.input_ids"], int(tensors["in.prefill_length"])
    model, past = released(), KeyValueCache()
    with torch.no_grad():
        pieces = [model(piece, cache=past) for piece in in_pieces(ids, length)]
    assert_agree(torch.cat(pieces, dim=1), tensors["out.logits_cached"], "cached logits")
    assert_agree(past.layers[0][0], tensors["out.k0"], "keys")
    assert_agree(past.layers[0][1], tensors["out.v0"], "values")


def agree_greedy() -> None:
    tensors = case("greedy")
    ours = released().generate(tensors["in.input_ids"], 8, end_ids=())
    assert_agree(ours, tensors["out.ids"], "continuation")


def agree_loss_and_gradients() -> None:
    """The loss; the gradient of the first fused matrix; the length of every gradient."""
    tensors = case("training_loss")
    ids, labels = tensors["in.input_ids"], tensors["in.labels"]
    loader = reference("checkpoints.chatglm")
    for rounded, loss_name, gradient_name in (
        (True, "out.loss", "out.grad.qkv0"),
        (False, "out.loss_exact_invfreq", "out.grad_exact_invfreq.qkv0"),
    ):
        model = released(round_frequencies=rounded)
        loss = F.cross_entropy(model(ids)[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        assert_agree(loss, tensors[loss_name], loss_name)
        loss.backward()
        gradients = {name: p.grad for name, p in model.named_parameters()}
        fused = _fuse(gradients, "blocks.0.attention.{}_weight")
        assert_agree(fused, tensors[gradient_name], gradient_name, GRADIENTS)
    norms = json.loads((DATA / "cases.json").read_text())["cases"][-1]["grad_norms"]
    found = {}
    for name, gradient in gradients.items():
        which, _, kind = name.rpartition(".")[2].rpartition("_")
        if which == "query":
            number = name.split(".")[1]
            theirs = f"transformer.layers.{number}.attention.query_key_value.{kind}"
            found[theirs] = _fuse(gradients, f"blocks.{number}.attention.{{}}_{kind}").norm()
        elif which not in ("key", "value"):
            found[loader._their_name(name, 2)] = gradient.norm()
    assert found.keys() == norms.keys()
    for name, norm in norms.items():
        assert_agree(found[name], torch.tensor(norm), f"length of gradient {name}", GRADIENTS)


def _fuse(tensors: dict[str, Tensor], pattern: str) -> Tensor:
    """[q, k, v] per head, of three heads, as the released files have them."""
    parts = [tensors[pattern.format(name)].chunk(3) for name in ("query", "key", "value")]
    return torch.cat([part[head] for head in range(3) for part in parts])


@cache
def naive_released(text: str) -> Tensor:
    return naive_glm.released(load_file(DATA / "model.safetensors"), 3, TEXTS[text])


def agree_naive_released() -> None:
    """What the fixture has no case for, by the second writing of the released code."""
    model = released()
    for text, ids in TEXTS.items():
        keep = real(torch.tensor([ids]))
        with torch.no_grad():
            ours = model(torch.tensor([ids])).double()
        assert_agree(ours[keep], naive_released(text)[keep[0]], text)


@cache
def naive_table(text: str, num_heads: int, hidden_size: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Logits, and the gradients of the logits weighted by `mix`, of the lecture's table."""
    state = table(num_heads, hidden_size=hidden_size).state_dict()
    weights = {name: tensor.double().requires_grad_() for name, tensor in state.items()}
    ids = TEXTS[text]
    logits = naive_glm.table(weights.__getitem__, 2, num_heads, ids, eps=1e-3)
    keep = real(torch.tensor([ids]))[0]
    (logits * mix(logits))[keep].sum().backward()
    gradients = {
        name: torch.zeros_like(weight) if weight.grad is None else weight.grad
        for name, weight in weights.items()
    }
    return logits.detach()[keep], gradients


def agree_table(text: str, num_heads: int, hidden_size: int) -> None:
    """Logits, and gradients for every parameter."""
    logits, gradients = naive_table(text, num_heads, hidden_size)
    model = table(num_heads, hidden_size=hidden_size)
    ids = torch.tensor([TEXTS[text]])
    keep = real(ids)
    ours = model(ids)
    assert_agree(ours[keep].double(), logits, text)
    (ours[0] * mix(ours[0]))[keep[0]].sum().backward()
    for name, parameter in model.named_parameters():
        assert_agree(parameter.grad.double(), gradients[name], f"{text}, {name}", GRADIENTS)


def agree_table_masks() -> None:
    agree_table("gmask counts, not an earlier mask", 3, 24)
    agree_table("the first of two masks counts", 7, 28)


def agree_table_padding() -> None:
    agree_table("padding", 3, 24)
    agree_table("no prefix", 6, 48)


def agree_blank_infilling() -> None:
    """The example of the paper's figure 2, with a shorter text beside it, worked by hand."""
    batch = reference("chatglm").blank_infilling_batch(BLANKS, SPANS, MASK, BOS, EOS, PAD)
    no = -100
    assert batch["input_ids"].tolist() == [
        [8, 9, MASK, 11, MASK, BOS, 12, 13, BOS, 10],
        [PAD, PAD, MASK, 16, MASK, BOS, 14, 15, BOS, 17],
    ]
    assert batch["position_ids"].tolist() == [
        [[0, 1, 2, 3, 4, 4, 4, 4, 2, 2], [0, 0, 0, 0, 0, 1, 2, 3, 1, 2]],
        [[0, 0, 0, 1, 2, 0, 0, 0, 2, 2], [0, 0, 0, 0, 0, 1, 2, 3, 1, 2]],
    ]
    assert batch["targets"].tolist() == [
        [no, no, no, no, no, 12, 13, EOS, 10, EOS],
        [no, no, no, no, no, 14, 15, EOS, 17, EOS],
    ]
    rows = {
        (0, 0): "1111100000",
        (0, 4): "1111100000",
        (0, 5): "1111110000",
        (0, 8): "1111111110",
        (0, 9): "1111111111",
        (1, 1): "0000000000",
        (1, 2): "0011100000",
        (1, 4): "0011100000",
        (1, 5): "0011110000",
        (1, 8): "0011111110",
        (1, 9): "0011111111",
    }
    for (text, index), row in rows.items():
        assert batch["mask"][text, index].tolist() == [entry == "1" for entry in row]


@cache
def naive_blanks() -> Tensor:
    """The logits of the first text of the example, which has two blanks."""
    state = table().state_dict()
    places = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (4, 1), (4, 2), (4, 3), (2, 1), (2, 2)]
    ids = [8, 9, MASK, 11, MASK, BOS, 12, 13, BOS, 10]
    return naive_glm.table(lambda name: state[name].double(), 2, 3, ids, eps=1e-3, given=places)


def agree_several_blanks() -> None:
    """The model reads a batch with several blanks, with the positions that come with it."""
    batch = reference("chatglm").blank_infilling_batch(BLANKS, SPANS, MASK, BOS, EOS, PAD)
    with torch.no_grad():
        ours = table()(batch["input_ids"], position_ids=batch["position_ids"])
    assert_agree(ours[0].double(), naive_blanks(), "logits")


def agree_deepnorm_constants() -> None:
    """Against numbers worked out by hand from the table of the DeepNet paper's figure 2."""
    constants = reference("chatglm").deepnorm_constants
    for found, expected in (
        (constants("decoder", 8), {"alpha": 2.0, "beta": 2**-1.5}),
        (constants("chatglm", 28), {"alpha": 7.483314773547883, "beta": 0.1336306209562122}),
        (
            constants("encoder-decoder", 16, 8),  # 8^4 * 16 = 2^16
            {
                "alpha": 2 * 3**0.25,
                "beta": 12**-0.25 / 2,
                "encoder_alpha": 1.62,
                "encoder_beta": 0.435,
            },
        ),
    ):
        assert found.keys() == expected.keys()
        for name, number in expected.items():
            assert math.isclose(found[name], number, rel_tol=1e-6), (name, found[name])


@cache
def gated_checkpoint() -> tuple[Path, Tensor]:
    """A checkpoint in the released layout, gated and with another eps; and logits of one text."""
    config, tensors = read(DATA)
    generator = torch.Generator().manual_seed(3)
    for name in [name for name in tensors if "dense_h_to_4h" in name]:
        shape = (2 * 96, *tensors[name].shape[1:])
        tensors[name] = torch.randn(shape, generator=generator) / 24**0.5
    ids = TEXTS["the first of two masks counts"]
    folder = write(Path(_FOLDERS.name) / "gated", config | {"layernorm_epsilon": 1e-2}, tensors)
    return folder, naive_glm.released(tensors, 3, ids, eps=1e-2)


def agree_gated_checkpoint() -> None:
    """A network twice as wide inside as the configuration says is gated."""
    folder, logits = gated_checkpoint()
    ids = torch.tensor([TEXTS["the first of two masks counts"]])
    with torch.no_grad():
        ours = reference("chatglm").ChatGLM.from_pretrained(folder)(ids)
    assert_agree(ours[0].double(), logits, "logits")


AGREEMENTS: list[Callable[[], None]] = [
    agree_mask_and_positions,
    agree_naive_mask_and_positions,
    agree_deepnorm_constants,
    agree_blank_infilling,
    lambda: agree_with_case("left_padded_batch"),
    lambda: agree_with_case("mask_infill"),
    lambda: agree_with_case("empty_context"),
    agree_rounding,
    agree_cache,
    agree_greedy,
    agree_loss_and_gradients,
    agree_naive_released,
    agree_table_masks,
    agree_table_padding,
    agree_several_blanks,
    agree_gated_checkpoint,
]

MUTATIONS = [
    Mutation("chatglm", "< prefix_lengths[:, None, None]", "<= prefix_lengths[:, None, None]"),
    Mutation("chatglm", "return causal | in_prefix", "return causal"),
    Mutation("chatglm", "index - prefix_lengths + 1", "index - prefix_lengths"),
    Mutation(
        "chatglm", "torch.where(index < prefix_lengths, index,", "torch.where(index >= 0, index,"
    ),
    Mutation("chatglm", "(belongs - padding_lengths.unsqueeze(1))", "belongs"),
    Mutation(
        "chatglm",
        "[apply_rope(first, angles[:, 0]), apply_rope(second, angles[:, 1])]",
        "[apply_rope(first, angles[:, 1]), apply_rope(second, angles[:, 0])]",
    ),
    Mutation("chatglm", "apply_rope(second, angles[:, 1])", "second"),
    Mutation("chatglm", "plain * F.gelu(gate)", "gate * F.gelu(plain)"),
    Mutation("chatglm", "F.gelu(gate)", 'F.gelu(gate, approximate="tanh")'),
    Mutation("chatglm", 'F.gelu(inner, approximate="tanh")', "F.gelu(inner)"),
    Mutation("chatglm", "(2 * num_layers) ** 0.25", "(2 * num_layers) ** 0.5"),
    Mutation("chatglm", "(2 * num_layers) ** 0.5", "num_layers**0.5"),
    Mutation("chatglm", "num_encoder_layers**4 * num_layers", "num_encoder_layers * num_layers**4"),
    Mutation("chatglm", "alpha * x + transformed", "x + alpha * transformed"),
    Mutation("chatglm", "x.shape[-1:], weight, bias, eps)", "x.shape[-1:], weight, bias)"),
    Mutation(
        "chatglm",
        "key = apply_rope_2d(split_heads(key, num_heads), position_ids, frequencies)",
        "key = split_heads(key, num_heads)",
    ),
    Mutation("chatglm", 'attention.get("value_bias")', 'attention.get("key_bias")'),
    Mutation("chatglm", "config.head_dim // 2, config.rope_theta", "config.head_dim // 2, 1e5"),
    Mutation("chatglm", "if config.round_frequencies:", "if False:"),
    Mutation("chatglm", "if config.embedding_norm:\n            x =", "if False:\n            x ="),
    Mutation(
        "chatglm", "**self.embedding_norm, eps=config.norm_eps", "**self.embedding_norm, eps=1e-12"
    ),
    Mutation("models.prefix_decoder", "& prompt.is_real[:, None, :]", ""),
    Mutation(
        "models.prefix_decoder", "positions[:, :, start:]", "positions[:, :, : length - start]"
    ),
    Mutation("chatglm", "[mask_index[start]] * (end - start + 1)", "[start] * (end - start + 1)"),
    Mutation(
        "chatglm", "prefix_mask((second == 0).sum(1), length)", "prefix_mask(padding, length)"
    ),
    Mutation("chatglm", "range(1, end - start + 2)", "range(end - start + 1)"),
    Mutation("chatglm", "for start, end in spans:", "for start, end in sorted(spans):"),
    Mutation(
        "models.prefix_decoder", "is_gmask.any(1, keepdim=True)", "~is_mask.any(1, keepdim=True)"
    ),
    Mutation(
        "models.prefix_decoder",
        "(input_ids == config.mask_id) & before_bos",
        "(input_ids == config.mask_id)",
    ),
    Mutation("models.prefix_decoder", ".cumsum(1) > 0", ""),
    Mutation("checkpoints.chatglm", '("query", "key", "value")', '("key", "query", "value")'),
    Mutation(
        "checkpoints.chatglm",
        "fused.reshape(config.num_heads, 3, -1, *rest)",
        "fused.reshape(3, config.num_heads, -1, *rest).transpose(0, 1)",
    ),
    Mutation(
        "checkpoints.chatglm",
        'norm_eps=settings.get(float, "layernorm_epsilon", default=1e-5)',
        "norm_eps=1e-5",
    ),
]


# ---------------------------------------------------------------------------- the fixture


@pytest.mark.parametrize("name", FULL)
def test_logits_agree_with_the_released_code(name: str) -> None:
    agree_with_case(name)


def test_mask_and_positions_agree_with_the_released_code() -> None:
    agree_mask_and_positions()


def test_rounding_the_frequencies_has_the_effect_that_it_has_in_the_released_code() -> None:
    agree_rounding()


def test_the_cache_agrees_with_the_released_code() -> None:
    agree_cache()


def test_greedy_continuation_agrees_with_the_released_code() -> None:
    agree_greedy()


def test_loss_and_gradients_agree_with_the_released_code() -> None:
    agree_loss_and_gradients()


@pytest.mark.parametrize("name", ["gmask_prefix", "mask_infill", "left_padded_batch"])
@pytest.mark.parametrize("rounded", [True, False])
def test_the_second_writing_agrees_with_the_released_code(name: str, rounded: bool) -> None:
    tensors = case(name)
    theirs = tensors["out.logits" if rounded else "out.logits_exact_invfreq"]
    weights = load_file(DATA / "model.safetensors")
    for number, ids in enumerate(tensors["in.input_ids"]):
        logits = naive_glm.released(weights, 3, ids.tolist(), rounded=rounded)
        keep = real(ids.unsqueeze(0))[0]
        assert_agree(logits[keep].float(), theirs[number][keep], name)


# ---------------------------------------------------------------------------- the second writing


def test_prompts_that_the_fixture_lacks_agree() -> None:
    agree_naive_mask_and_positions()
    agree_naive_released()


@pytest.mark.parametrize("text", TEXTS)
def test_the_tables_variant_agrees(text: str) -> None:
    agree_table(text, 3, 24)


@pytest.mark.parametrize(("num_heads", "hidden_size"), [(6, 48), (7, 28), (12, 48), (1, 12)])
def test_the_tables_variant_agrees_with_any_number_of_heads(
    num_heads: int, hidden_size: int
) -> None:
    agree_table("the first of two masks counts", num_heads, hidden_size)


def test_a_batch_of_different_texts_agrees_row_by_row() -> None:
    """Texts of different lengths, padded on the left: each as if it were alone."""
    texts = [ids for ids in TEXTS.values() if ids[0] != PAD]
    length = max(len(ids) for ids in texts)
    batch = torch.tensor([[PAD] * (length - len(ids)) + ids for ids in texts])
    model = table()
    with torch.no_grad():
        together = model(batch)
        for row, ids in enumerate(texts):
            alone = model(torch.tensor([ids]))[0]
            assert_agree(together[row, length - len(ids) :], alone, str(ids))


def test_several_blanks_agree() -> None:
    agree_several_blanks()


@pytest.mark.parametrize("make", [released, table])
def test_gradients_agree_with_finite_differences(make: Callable[[], Any]) -> None:
    model = make().double()
    batch = torch.tensor([TEXTS["padding"], [8, 9, GMASK, BOS, 10, 11, 12, 13, 14]])

    def loss() -> Tensor:
        logits = model(batch)[:, -3:]
        return (logits * mix(logits)).sum()

    loss().backward()
    generator = torch.Generator().manual_seed(5)
    for name, parameter in model.named_parameters():
        flat = parameter.detach().view(-1)
        entries = torch.randint(len(flat), (2,), generator=generator).tolist()
        for entry in [*entries, int(parameter.grad.abs().argmax())]:
            kept, step = float(flat[entry]), 1e-5
            sides = []
            for sign in (1, -1):
                flat[entry] = kept + sign * step
                with torch.no_grad():
                    sides.append(loss())
            flat[entry] = kept
            slope = (sides[0] - sides[1]) / (2 * step)
            assert_agree(parameter.grad.view(-1)[entry], slope, f"{name} {entry}", (1e-7, 1e-6))


def test_blank_infilling_is_that_of_the_papers_figure() -> None:
    agree_blank_infilling()


def test_the_constants_are_those_of_the_paper() -> None:
    agree_deepnorm_constants()


def test_a_gated_network_is_read() -> None:
    agree_gated_checkpoint()
