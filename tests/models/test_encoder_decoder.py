"""Marian and FSMT in agreement with transformers: logits, gradients, cache and generation."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.models.agreement import GRADIENTS, Mutation, assert_agree, randomise, reference
from tests.models.translators import PADDED, TARGET_PADDED, fsmt, marian, sources, targets

MAKERS: dict[str, Callable[..., Any]] = {"marian": marian, "fsmt": fsmt}
PAD_AND_START = {"marian": (60, 60), "fsmt": (1, 2)}


def inputs_for(
    kind: str, mask: Any = PADDED, target_mask: Any = TARGET_PADDED
) -> dict[str, Tensor]:
    """Sources and targets, with the padding and the start token of a kind of model."""
    pad_id, start_id = PAD_AND_START[kind]
    return sources(mask, pad_id) | targets(target_mask, start_id, pad_id)


@cache
def expected_logits(kind: str, mask: str, **changes: Any) -> Tensor:
    theirs, _ = MAKERS[kind](**changes)
    with torch.no_grad():
        return theirs(**inputs_for(kind, *MASKS[mask]), use_cache=False).logits


MASKS: dict[str, tuple[Any, Any]] = {
    "padded": (PADDED, TARGET_PADDED),
    "one token": ([[1]], [[1]]),
    "batch of one": ([[0, 1, 1, 1, 1]], [[1, 1, 1]]),
    "all real": ([[1] * 6] * 2, [[1] * 7] * 2),
}


def agree(kind: str, mask: str = "padded", **changes: Any) -> None:
    """The logits at real tokens of the targets agree with transformers'."""
    ours = reference("transformer").Transformer.from_pretrained(MAKERS[kind](**changes)[1])
    inputs = inputs_for(kind, *MASKS[mask])
    is_real = inputs["decoder_attention_mask"].bool()
    with torch.no_grad():
        found = ours(**inputs)[is_real]
    assert_agree(found, expected_logits(kind, mask, **changes)[is_real], "logits")


def agree_marian() -> None:
    agree("marian")
    agree("marian", stored_positions=True)


def agree_marian_with_two_vocabularies() -> None:
    agree("marian", **TWO_VOCABULARIES, scale_embedding=True, activation_function="gelu_new")


TWO_VOCABULARIES = {"share_encoder_decoder_embeddings": False, "decoder_vocab_size": 71}


def agree_fsmt() -> None:
    agree("fsmt")
    agree("fsmt", scale_embedding=False, pad_token_id=3)


def agree_fsmt_with_stored_positions() -> None:
    agree("fsmt", stored_positions=True)


def agree_fsmt_tied() -> None:
    agree("fsmt", tie_word_embeddings=True, src_vocab_size=53)


@cache
def expected_gradients(kind: str, **changes: Any) -> tuple[Tensor, dict[str, Tensor]]:
    theirs, _ = MAKERS[kind](**changes)
    theirs.zero_grad()
    inputs = inputs_for(kind)
    loss = loss_of(theirs(**inputs, use_cache=False).logits, inputs)
    loss.backward()
    gradients = {
        name.removeprefix("model."): parameter.grad
        for name, parameter in theirs.named_parameters()
        # Positions do not learn in our model; Marian that ties nothing has a matrix of no use.
        if "embed_positions" not in name and parameter.grad is not None
    }
    return loss.detach(), gradients


def loss_of(logits: Tensor, inputs: dict[str, Tensor]) -> Tensor:
    is_real = inputs["decoder_attention_mask"].bool()
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(0, logits.shape[-1], is_real.shape, generator=generator)
    return F.cross_entropy(logits[is_real], labels[is_real])


def agree_on_gradients(kind: str, **changes: Any) -> None:
    """The loss, and the gradient of every parameter that both models have."""
    ours = reference("transformer").Transformer.from_pretrained(MAKERS[kind](**changes)[1])
    inputs = inputs_for(kind)
    loss = loss_of(ours(**inputs), inputs)
    loss.backward()
    their_loss, gradients = expected_gradients(kind, **changes)
    assert_agree(loss, their_loss, "loss")
    is_shared = ours.config.share_embeddings
    embeddings = {
        "source": "encoder.embed_tokens.weight",
        "target": "decoder.embed_tokens.weight",
        "output": "lm_head.weight" if kind == "marian" else "decoder.output_projection.weight",
    }
    if is_shared and kind == "marian":
        embeddings["source"] = "shared.weight"
    loader = reference("checkpoints.encoder_decoder")
    seen = set()
    for name, parameter in ours.named_parameters():
        if name == "embeddings.output_bias" or not parameter.requires_grad:
            continue  # the bias is a constant in theirs, and positions are in ours
        group, _, rest = name.partition(".")
        theirs = embeddings[rest] if group == "embeddings" else loader._their_name(name)
        seen.add(theirs)
        assert_agree(parameter.grad, gradients[theirs], f"gradient of {name}", GRADIENTS)
    assert seen == set(gradients)


def agree_marian_gradients() -> None:
    agree_on_gradients("marian")


def agree_fsmt_gradients() -> None:
    agree_on_gradients("fsmt")


# ---------------------------------------------------------------------------- writing


@cache
def expected_texts(
    kind: str, end_id: int | None, num_beams: int, banned: tuple[int, ...], **changes: Any
) -> Tensor:
    theirs, _ = MAKERS[kind](is_lively=True, **changes)
    pad_id, start_id = PAD_AND_START[kind]
    return theirs.generate(
        **sources(PADDED, pad_id),
        max_new_tokens=8,
        max_length=None,
        num_beams=num_beams,
        do_sample=False,
        length_penalty=0.0,
        early_stopping=False,
        eos_token_id=end_id,
        bad_words_ids=[[token] for token in banned],
        renormalize_logits=True,  # so that banned tokens have no share of the probability
        decoder_start_token_id=start_id,
    )


def agree_on_texts(kind: str, num_beams: int, **changes: Any) -> None:
    """What both write is the same, with no end, and where texts end at different lengths."""
    transformer = reference("transformer")
    ours = transformer.Transformer.from_pretrained(MAKERS[kind](is_lively=True, **changes)[1])
    pad_id, _ = PAD_AND_START[kind]
    # In transformers a padding token that FSMT writes by itself moves the positions after it.
    for banned in ((pad_id,), (pad_id, int(expected_texts(kind, None, 1, (pad_id,))[0, 2]))):
        traits = vars(ours.config) | {"banned_ids": banned}
        ours.config = transformer.TransformerConfig(**traits)
        free = expected_texts(kind, None, num_beams, banned, **changes)
        for end_id in (None, int(free[0, 3]), int(free[1, 5])):
            expected = expected_texts(kind, end_id, num_beams, banned, **changes)
            ends = () if end_id is None else (end_id,)
            source = sources(PADDED, pad_id)
            found = ours.generate(**source, max_new_tokens=8, num_beams=num_beams, end_ids=ends)
            assert torch.equal(found, expected), f"banned {banned}, end token {end_id}"


def agree_greedy() -> None:
    agree_on_texts("marian", 1)
    agree_on_texts("fsmt", 1)


def agree_beams() -> None:
    agree_on_texts("marian", 3)
    agree_on_texts("fsmt", 4)


def whole_texts(kind: str) -> dict[str, Tensor]:
    """Targets of 7 tokens, all of which count, though some are the token of padding."""
    inputs = inputs_for(kind, PADDED, [[1] * 7, [1, 1, 0, 0, 1, 0, 1], [1] * 7, [1] * 7])
    return inputs | {"decoder_attention_mask": torch.ones(4, 7, dtype=torch.int64)}


@cache
def expected_of_whole_texts(kind: str, **changes: Any) -> Tensor:
    theirs, _ = MAKERS[kind](**changes)
    with torch.no_grad():
        return theirs(**whole_texts(kind), use_cache=False).logits


def agree_in_chunks(kind: str, chunks: tuple[int, ...], **changes: Any) -> None:
    """Chunk by chunk, with a cache, the logits are those that transformers gives for all."""
    ours = reference("transformer").Transformer.from_pretrained(MAKERS[kind](**changes)[1])
    inputs = whole_texts(kind)
    ids, found = inputs["decoder_input_ids"], []
    with torch.no_grad():
        cache_ = ours.start_cache(*ours.encode(inputs["input_ids"], inputs["attention_mask"]), 7)
        for chunk in chunks:
            new = ours.decode_next(ids[:, : cache_.length + chunk], cache_)
            assert new.shape[1] == chunk
            found.append(ours.head(new))
    expected = expected_of_whole_texts(kind, **changes)
    assert_agree(torch.cat(found, dim=1), expected, f"logits in chunks {chunks}")


def agree_cache() -> None:
    agree_in_chunks("marian", (2, 1, 4))
    agree_in_chunks("fsmt", (1,) * 7)
    agree_in_chunks("fsmt", (3, 4), stored_positions=True)


AGREEMENTS: list[Callable[[], None]] = [
    agree_marian,
    agree_marian_with_two_vocabularies,
    agree_fsmt,
    agree_fsmt_with_stored_positions,
    agree_fsmt_tied,
    agree_marian_gradients,
    agree_fsmt_gradients,
    agree_cache,
    agree_greedy,
    agree_beams,
]

MUTATIONS = [
    Mutation("models.transformer_config", "size // 2 - 1)", "size // 2)"),
    Mutation(
        "models.transformer_config", 'position_layout == "halves"', 'position_layout == "half"'
    ),
    Mutation("models.transformer_config", "table[config.pad_id] = 0", "table[0] = 0"),
    Mutation("models.transformer_config", 'approximate="tanh"', 'approximate="none"'),
    Mutation("models.encoder_decoder", "is_real + config.pad_id", "is_real + 1"),
    Mutation("models.encoder_decoder", "is_real.cumsum(dim=1) * is_real", "is_real.cumsum(dim=1)"),
    Mutation(
        "models.encoder_decoder", "if config.scale_embedding:", "if not config.scale_embedding:"
    ),
    Mutation("models.encoder_decoder", "config.num_decoder_heads or config.num", "config.num"),
    Mutation("models.encoder_decoder", 'self.embeddings.get("output_bias")', "None"),
    Mutation("models.encoder_decoder", "return x + positions[first :", "return x + positions[0 :"),
    Mutation("models.encoder_decoder", "numbers[:, first:]", "numbers[:, : ids.shape[1] - first]"),
    Mutation("models.encoder_decoder", "causal_mask(time - first, time)", "None"),
    Mutation("models.encoder_decoder", "cache.reorder(parents)", "pass"),
    Mutation("models.encoder_decoder", "logits[:, list(config.banned_ids)] = -torch.inf", "pass"),
    Mutation("models.encoder_decoder", "mask = padding_mask(attention_mask)", "mask = None"),
    Mutation("models.cached_decoder", "value[parents]", "value"),
    Mutation("transformer", "masks = (mask, memory_mask)", "masks = (mask, None)"),
    Mutation("transformer", "parents % num_beams != 0", "parents < 0"),
    Mutation("transformer", "masked_fill(ended, pad_id)", "masked_fill(ended, end_id)"),
    Mutation("checkpoints.encoder_decoder", "norm_eps=1e-5", "norm_eps=1e-6"),
    Mutation("checkpoints.encoder_decoder", '"gelu_new": "gelu_tanh"', '"gelu_new": "gelu"'),
    Mutation(
        "checkpoints.marian",
        '"scale_embedding", default=False)',
        '"scale_embedding_", default=False)',
    ),
    Mutation("checkpoints.marian", '"halves"', '"interleaved"'),
    Mutation("checkpoints.fsmt", "skip_padding=True", "skip_padding=False"),
    Mutation("checkpoints.fsmt", '"pad_token_id", default=1', '"pad_token_id_", default=1'),
]


# ---------------------------------------------------------------------------- logits


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("kind", MAKERS)
def test_logits_agree_with_transformers(kind: str, mask: str) -> None:
    agree(kind, mask)


@pytest.mark.parametrize(("encoder_heads", "decoder_heads"), [(12, 6), (7, 12), (1, 84)])
@pytest.mark.parametrize("kind", MAKERS)
def test_each_number_of_heads_agrees(kind: str, encoder_heads: int, decoder_heads: int) -> None:
    heads = {"encoder_attention_heads": encoder_heads, "decoder_attention_heads": decoder_heads}
    agree(kind, **heads)


@pytest.mark.parametrize("kind", MAKERS)
def test_padding_without_a_mask_is_read_as_transformers_reads_it(kind: str) -> None:
    """Marian reads it like any token; FSMT does in the source, and sees none in the target."""
    theirs, folder = MAKERS[kind]()
    inputs = inputs_for(kind)
    del inputs["attention_mask"], inputs["decoder_attention_mask"]
    with torch.no_grad():
        found = reference("transformer").Transformer.from_pretrained(folder)(**inputs)
        expected = theirs(**inputs, use_cache=False).logits
    is_real = inputs["decoder_input_ids"] != theirs.config.pad_token_id
    kept = is_real if kind == "fsmt" else torch.ones_like(is_real)
    assert_agree(found[kept], expected[kept], "logits")


ACTIVATIONS = [
    *("gelu", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python", "gelu_python_tanh"),
    *("gelu_pytorch_tanh", "hardswish", "leaky_relu", "mish", "quick_gelu", "relu", "relu6"),
    *("sigmoid", "silu", "swish", "tanh"),
]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_each_activation_agrees(activation: str) -> None:
    agree("marian", activation_function=activation)


def test_every_activation_that_can_be_read_is_tested() -> None:
    assert sorted(reference("checkpoints.encoder_decoder")._ACTIVATIONS) == ACTIVATIONS


@pytest.mark.parametrize("tie_word_embeddings", [True, False])
@pytest.mark.parametrize("scale_embedding", [True, False])
@pytest.mark.parametrize("shape", [{}, TWO_VOCABULARIES], ids=["shared", "two"])
def test_each_kind_of_tying_and_scale_agrees(
    shape: dict[str, Any], scale_embedding: bool, tie_word_embeddings: bool
) -> None:
    traits = {"scale_embedding": scale_embedding, "tie_word_embeddings": tie_word_embeddings}
    agree("marian", **shape, **traits)
    agree_on_gradients("marian", **shape, **traits)


@pytest.mark.parametrize("stored_positions", [True, False])
@pytest.mark.parametrize("tie_word_embeddings", [True, False])
@pytest.mark.parametrize("pad_token_id", [1, 5])
def test_each_kind_of_fsmt_agrees(
    stored_positions: bool, tie_word_embeddings: bool, pad_token_id: int
) -> None:
    traits: dict[str, Any] = {"pad_token_id": pad_token_id, "scale_embedding": pad_token_id == 1}
    if tie_word_embeddings:
        traits |= {"tie_word_embeddings": True, "src_vocab_size": 53}
    agree("fsmt", stored_positions=stored_positions, **traits)
    agree_on_gradients("fsmt", stored_positions=stored_positions, **traits)


# ---------------------------------------------------------------------------- cache


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(sorted(MAKERS)),
    cuts=st.sets(st.integers(1, 6)),
)
def test_a_cache_in_any_chunks_agrees(kind: str, cuts: set[int]) -> None:
    ends = [0, *sorted(cuts), 7]
    agree_in_chunks(kind, tuple(last - first for first, last in pairwise(ends)))


def test_the_keys_of_the_source_are_computed_once_and_never_copied() -> None:
    ours = reference("transformer").Transformer.from_pretrained(marian()[1])
    memory, mask = ours.encode(**sources(PADDED))
    kept = ours.start_cache(memory, mask, 5)
    before = [(key.data_ptr(), key.shape[0]) for key, _ in kept.memory]
    ids = torch.ones(12, 2, dtype=torch.int64)  # three beams a text
    with torch.no_grad():
        ours.decode_next(ids[:, :1], kept)
        kept.reorder(torch.arange(12).flip(0))
        ours.decode_next(ids, kept)
    assert [(key.data_ptr(), key.shape[0]) for key, _ in kept.memory] == before


# ---------------------------------------------------------------------------- writing


@pytest.mark.parametrize("num_beams", [1, 2, 5])
@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("marian", {}),
        ("marian", TWO_VOCABULARIES),
        ("fsmt", {}),
        ("fsmt", {"scale_embedding": False}),
    ],
    ids=str,
)
def test_texts_agree_with_transformers(kind: str, changes: dict[str, Any], num_beams: int) -> None:
    agree_on_texts(kind, num_beams, **changes)


def small_transformer(**changes: Any) -> Any:
    """A small model as in the paper, with weights that bite."""
    transformer = reference("transformer")
    sizes = {"vocab_size": 19, "hidden_size": 12, "num_layers": 2, "num_heads": 3}
    config = transformer.TransformerConfig(**{**sizes, "intermediate_size": 16} | changes)
    return randomise(transformer.Transformer(config))


def test_a_model_that_has_learned_nothing_else_writes_what_its_logits_say() -> None:
    model = small_transformer(banned_ids=(7, 8))
    source = torch.arange(2, 14).reshape(3, 4)
    found = model.generate(source, 9, end_ids=())
    assert found.shape == (3, 10)
    assert (found[:, 0] == model.config.start_id).all()
    with torch.no_grad():
        logits = model(source, found[:, :-1])
    logits[..., [7, 8]] = -torch.inf
    assert torch.equal(logits.argmax(-1), found[:, 1:])


def test_nothing_new_is_the_start_token() -> None:
    model = small_transformer()
    source = torch.arange(2, 14).reshape(3, 4)
    for num_beams in (1, 2):
        found = model.generate(source, 0, num_beams=num_beams)
        assert torch.equal(found, torch.ones(3, 1, dtype=torch.int64))


# ---------------------------------------------------------------------------- properties


@settings(max_examples=20, deadline=None)
@given(position=st.integers(0, 6), token=st.integers(0, 18), skip_padding=st.booleans())
def test_the_future_of_the_target_does_not_change_its_past(
    position: int, token: int, skip_padding: bool
) -> None:
    model = small_transformer(skip_padding=skip_padding)
    source, target = torch.arange(3, 8).unsqueeze(0), torch.arange(1, 8).unsqueeze(0)
    changed = target.clone()
    changed[0, position] = token
    with torch.no_grad():
        one, other = model(source, target), model(source, changed)
    assert torch.equal(one[:, :position], other[:, :position])


@settings(max_examples=20, deadline=None)
@given(
    length=st.integers(1, 6),
    padding=st.integers(1, 5),
    filler=st.integers(0, 18),
    beams=st.integers(1, 3),
)
def test_padding_of_the_source_changes_nothing(
    length: int, padding: int, filler: int, beams: int
) -> None:
    model = small_transformer()
    source, target = torch.arange(3, 3 + length).unsqueeze(0), torch.tensor([[1, 5, 4]])
    padded = F.pad(source, (0, padding), value=filler)
    mask = (torch.arange(length + padding) < length).unsqueeze(0)
    with torch.no_grad():
        assert_agree(model(padded, target, mask), model(source, target), "logits")
    alone = model.generate(source, 5, num_beams=beams)
    assert torch.equal(model.generate(padded, 5, mask, num_beams=beams), alone)
    assert torch.equal(model.generate(padded, 5, mask.long(), num_beams=beams), alone)


def test_positions_that_leave_out_padding_do_not_care_where_it_stands() -> None:
    model = small_transformer(skip_padding=True, position_layout="tensor2tensor")
    source = torch.tensor([[5, 6, 7, 0, 0], [0, 5, 0, 6, 7], [0, 0, 5, 6, 7]])
    with torch.no_grad():
        logits = model(source, torch.tensor([[1, 4]] * 3), source != 0)
    assert_agree(logits, logits[:1].expand(3, -1, -1), "logits")


def test_a_source_of_padding_only_gives_numbers() -> None:
    model = small_transformer().train()
    source, mask = torch.ones(2, 3, dtype=torch.int64), torch.tensor([[0, 0, 0], [1, 1, 0]])
    loss = model(source, torch.ones(2, 2, dtype=torch.int64), mask).logsumexp(-1).sum()
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_in_float64_nothing_is_rounded_to_float32() -> None:
    model = small_transformer()
    source, target = torch.arange(3, 8).unsqueeze(0), torch.tensor([[1, 5, 4]])
    with torch.no_grad():
        single = model(source, target)
        double = model.double()(source, target)
    assert double.dtype == torch.float64
    assert_agree(single.double(), double, "logits")
    assert model.generate(source, 3, num_beams=2).dtype == torch.int64


IDS = torch.ones(2, 4, dtype=torch.int64)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"input_ids": IDS * 19}, IndexError, "^input_ids has ids from 19 to 19.*0 to 18"),
        ({"decoder_input_ids": -IDS}, IndexError, "decoder_input_ids has ids from -1 to -1"),
        ({"input_ids": IDS[0]}, ValueError, r"input_ids.*\(batch, time\)"),
        ({"decoder_input_ids": IDS[:1]}, ValueError, "2 texts and decoder_input_ids 1"),
        ({"attention_mask": IDS[:, 1:]}, ValueError, r"^attention_mask.*\(2, 3\).*\(2, 4\)"),
        ({"decoder_attention_mask": IDS[:, 1:]}, ValueError, r"^decoder_attention_mask.*\(2, 3\)"),
        ({"input_ids": IDS.repeat(1, 2)}, ValueError, "source has up to 8 tokens.*6 positions"),
        ({"decoder_input_ids": IDS.repeat(1, 2)}, ValueError, "target has up to 8 tokens"),
    ],
)
def test_a_wrong_call_is_a_sentence(
    change: dict[str, Tensor], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        small_transformer(max_positions=6)(**{"input_ids": IDS, "decoder_input_ids": IDS} | change)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"max_new_tokens": -1}, ValueError, "max_new_tokens is -1"),
        ({"max_new_tokens": 3, "num_beams": 0}, ValueError, "num_beams 0"),
        ({"max_new_tokens": 3, "end_ids": (2, 3)}, ValueError, r"\(2, 3\).*one end token"),
        ({"max_new_tokens": 7}, ValueError, "target has up to 7 tokens.*6 positions"),
    ],
)
def test_writing_with_a_senseless_option_is_a_sentence(
    options: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        small_transformer(max_positions=6).generate(IDS, **options)


def test_a_start_token_that_is_none_is_a_sentence() -> None:
    with pytest.raises(IndexError, match="start_ids has ids from 19"):
        small_transformer(start_id=19).generate(IDS, 3)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"hidden_size": 9}, "hidden_size is 9; it must be even"),
        ({"num_heads": 5}, "hidden_size is 12.*5 heads"),
        ({"num_decoder_heads": 8}, "hidden_size is 12.*8 heads"),
        ({"activation": "prelu"}, "activation is 'prelu'; known are relu"),
        ({"position_layout": "learned"}, "position_layout is 'learned'"),
        ({"stored_positions": True}, "max_positions"),
        ({"target_vocab_size": 20}, "19 and 20 tokens"),
        ({"pad_id": 19}, "pad_id has 19"),
        ({"banned_ids": (3, -1)}, "banned_ids has -1"),
    ],
)
def test_traits_that_do_not_fit_are_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        small_transformer(**changes)
