"""The table of chapter 10 against the chapters' models, published counts and measurements."""

import itertools
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from solutions.models.published_configs import PARTS, PUBLISHED, SMALL, TABLE
from tests.models.agreement import STRICT, Mutation, assert_agree, randomise, reference

SIZES = {
    "vocab_size": 31,
    "hidden_size": 24,
    "num_layers": 2,
    "num_heads": 3,
    "num_key_value_heads": 3,
    "intermediate_size": 20,
    "max_positions": 16,
    "norm_eps": 1e-3,
}
OURS = ("vocab_size", "hidden_size", "num_layers", "num_heads", "intermediate_size", "norm_eps")


def sizes_for(name: str, **changes: Any) -> dict[str, Any]:
    """A small configuration of a published kind."""
    return PUBLISHED[name] | SIZES | changes


def class_sizes(config: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """The sizes that the configurations of all chapters have, and some more."""
    return {name: config[name] for name in (*OURS, *more)}


def tokens(batch: int = 2, time: int = 7, vocab_size: int = 31, seed: int = 1) -> Tensor:
    """Texts of random tokens."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(vocab_size, (batch, time), generator=generator)


def table_model(config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Any:
    """The model of the table with given weights, all of them and no others."""
    model = reference("five_models").build_model(config)
    model.load_state_dict(weights, strict=True)
    return model.eval()


# ---------------------------------------------------------------------------- the five rows


@torch.no_grad()
def agree_transformer() -> None:
    config = sizes_for("Transformer base")
    transformer = reference("transformer")
    theirs = randomise(
        transformer.Transformer(transformer.TransformerConfig(**class_sizes(config)))
    )
    weights = {}
    for name, tensor in theirs.state_dict().items():
        name = name.replace("embeddings.source", "embeddings.token_embedding")
        weights[name.replace("decoder.", "blocks.").replace("self_attention", "attention")] = tensor
    source, target = tokens(2, 9), tokens(2, 5, seed=2)
    found = table_model(config, weights)(target, source)
    assert_agree(found, theirs(source, target), "logits")


@torch.no_grad()
def agree_bert() -> None:
    config = sizes_for("BERT-base")
    bert = reference("bert")
    sizes = class_sizes(config, "max_positions", "num_segments")
    heads = {"has_prediction_head": False, "has_next_sentence_head": False}
    theirs = randomise(bert.Bert(bert.BertConfig(**sizes, **heads)))
    weights = {}
    for name, tensor in theirs.state_dict().items():
        if name in ("embeddings.weight", "embeddings.bias"):
            name = name.replace("embeddings", "embedding_norm")
        weights[name.replace("layers.", "blocks.")] = tensor
    ids, segments = tokens(), tokens(vocab_size=2, seed=2)
    model = table_model(config, weights)
    hidden = model.hidden_states(ids, token_type_ids=segments)
    expected = theirs(ids, token_type_ids=segments)
    assert_agree(hidden, expected.hidden_states[-1], "hidden states", STRICT)
    assert_agree(model.pool(hidden), expected.pooler_output, "pooler", STRICT)


@torch.no_grad()
def agree_llama(num_key_value_heads: int = 3) -> None:
    config = sizes_for("LLaMA-7B", num_key_value_heads=num_key_value_heads)
    llama = reference("llama")
    sizes = class_sizes(config, "num_key_value_heads") | {"head_dim": 8}
    theirs = randomise(llama.Llama(llama.LlamaConfig(**sizes)))
    model = table_model(config, theirs.state_dict())
    assert_agree(model(tokens()), theirs(tokens()), "logits")


def agree_llama_with_shared_keys() -> None:
    agree_llama(1)


@torch.no_grad()
def agree_chatglm(config: Mapping[str, Any], **settings: Any) -> None:
    chatglm = reference("chatglm")
    ids = {"pad_id": 30, "mask_id": 29, "gmask_id": 28, "bos_id": 27, "end_ids": ()}
    theirs = randomise(
        chatglm.ChatGLM(chatglm.ChatGLMConfig(**class_sizes(config), **ids, **settings))
    )
    texts = tokens(3, 8, 27)
    prefix_lengths = torch.tensor([3, 1, 6])
    texts[torch.arange(3), prefix_lengths - 1] = 28
    texts[torch.arange(3), prefix_lengths] = 27
    found = table_model(config, theirs.state_dict())(texts, prefix_lengths=prefix_lengths)
    assert_agree(found, theirs(texts), "logits")


def agree_chatglm_released() -> None:
    code = {"gated": False, "embedding_norm": True, "deepnorm": "chatglm"}
    agree_chatglm(sizes_for("ChatGLM-6B"), **code)


def agree_chatglm_papers() -> None:
    papers = {"activation": "GeGLU", "norm": "post DeepNorm", "embedding_norm": False}
    agree_chatglm(sizes_for("ChatGLM-6B", **papers))


@torch.no_grad()
def agree_bloom() -> None:
    config = sizes_for("BLOOM-176B", intermediate_size=96)
    bloom = reference("bloom")
    sizes = class_sizes(config)
    del sizes["intermediate_size"]
    theirs = randomise(bloom.Bloom(bloom.BloomConfig(**sizes)))
    weights = {}
    for name, tensor in theirs.state_dict().items():
        if name in ("embeddings.weight", "embeddings.bias"):
            name = name.replace("embeddings", "embedding_norm")
        if "qkv" in name:
            parts = tensor.reshape(3, 3, 8, -1).unbind(1)  # heads, then query, key and value
            for part, piece in zip(("query", "key", "value"), parts, strict=True):
                shape = (24, 24) if tensor.ndim == 2 else (24,)
                weights[name.replace("qkv", part)] = piece.reshape(shape)
        else:
            weights[name] = tensor
    assert_agree(table_model(config, weights)(tokens()), theirs(tokens()), "logits")


# ---------------------------------------------------------------------------- counts


@cache
def _released_models() -> dict[str, int]:
    """How many parameters transformers' models have; no memory is used for them."""
    classes = {
        "BERT-base": transformers.BertModel(transformers.BertConfig()),
        "LLaMA-7B": transformers.LlamaForCausalLM(transformers.LlamaConfig()),
        "LLaMA-2-70B": transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                hidden_size=8192,
                num_hidden_layers=80,
                num_attention_heads=64,
                num_key_value_heads=8,
                intermediate_size=28672,
            )
        ),
        "BLOOM-176B": transformers.BloomForCausalLM(
            transformers.BloomConfig(hidden_size=14336, n_layer=70, n_head=112)
        ),
    }
    return {name: numel(model) for name, model in classes.items()}


def numel(model: nn.Module) -> int:
    """How many numbers a model learns; tied ones count once."""
    return sum(parameter.numel() for parameter in model.parameters())


def agree_counts() -> None:
    """With transformers' models, and with what is published."""
    count = reference("five_models").count_parameters
    with torch.device("meta"):
        for name, number in _released_models().items():
            assert count(PUBLISHED[name]) == number, name
    assert count(PUBLISHED["BERT-base"]) == 109_482_240
    assert count(PUBLISHED["LLaMA-7B"]) == 6_738_415_616
    assert count(PUBLISHED["BLOOM-176B"]) == 176_247_271_424
    # "6.2 billion" with the head tied; the files hold both copies in half precision, 13.4 GB.
    assert count(PUBLISHED["ChatGLM-6B"] | {"tied_head": True}) == 6_173_286_400
    assert round(2 * count(PUBLISHED["ChatGLM-6B"]) / 1e9, 1) == 13.4


def agree_counts_of_every_kind() -> None:
    five_models = reference("five_models")
    with torch.device("meta"):
        for config in every_kind(has_bias=False, embedding_norm=True, num_segments=2):
            expected = numel(five_models.build_model(config | {"num_key_value_heads": 1}))
            assert five_models.count_parameters(config | {"num_key_value_heads": 1}) == expected
        config = sizes_for("Transformer base", has_pooler=True, tied_head=False)
        assert five_models.count_parameters(config) == numel(five_models.build_model(config))


def every_kind(**changes: Any) -> list[dict[str, Any]]:
    """Small configurations in which each structure meets each position, and each activation each
    norm.
    """
    places = [
        {"structure": structure, "position": position}
        for structure, position in itertools.product(PARTS["structure"], PARTS["position"])
        if position != "RoPE (2-D)" or structure == "prefix decoder"
    ]
    layers = [
        {"activation": activation, "norm": norm}
        for activation, norm in itertools.product(PARTS["activation"], PARTS["norm"])
    ]
    # 21 and 25 have no common divisor: going through both at once meets other pairs each time.
    pairs = zip(places * 2, (layers * 2)[: 2 * len(places)], strict=True)
    return [sizes_for("Transformer base", **place, **layer, **changes) for place, layer in pairs]


def call(model: Any, batch: int = 2, time: int = 7, source_time: int = 5) -> Tensor:
    """The logits of some texts, with what the model's structure needs besides."""
    more = {}
    if model.config["structure"] == "encoder-decoder":
        more["source_ids"] = tokens(batch, source_time, seed=3)
    if model.config["structure"] == "prefix decoder":
        more["prefix_lengths"] = torch.arange(2, 2 + batch)
    return model(tokens(batch, time), **more)


def agree_flops() -> None:
    """With torch's counter of operations, for each structure, with shared keys and gates."""
    five_models = reference("five_models")
    for structure, activation in itertools.product(PARTS["structure"], ("GELU", "SwiGLU")):
        config = sizes_for("LLaMA-7B", structure=structure, activation=activation)
        for more in ({}, {"num_key_value_heads": 1}):
            model = five_models.build_model(config | more)
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                call(model, 1, 7, 5)
            source_time = 5 if structure == "encoder-decoder" else 0
            assert five_models.forward_flops(config | more, 7, source_time) == (
                counter.get_total_flops()
            ), f"{structure}, {activation}, {more}"


@torch.no_grad()
def agree_cache() -> None:
    """With the tensors that the models of the chapters keep, in float32."""
    kv_cache_bytes = reference("five_models").kv_cache_bytes
    config = sizes_for("LLaMA-7B", num_key_value_heads=1)
    llama = reference("llama")
    sizes = class_sizes(config, "num_key_value_heads") | {"head_dim": 8}
    kept = llama.KeyValueCache()
    llama.Llama(llama.LlamaConfig(**sizes))(tokens(2, 7), cache=kept)
    assert kv_cache_bytes(config, 2, 7, bytes_per_number=4) == held(kept.layers)

    config = sizes_for("Transformer base")
    transformer = reference("transformer")
    model = transformer.Transformer(transformer.TransformerConfig(**class_sizes(config)))
    kept = model.start_cache(*model.encode(tokens(2, 9)), 4)
    model.decode_next(tokens(2, 4), kept)
    found = kv_cache_bytes(config, 2, 4, 9, bytes_per_number=4)
    assert found == held([*kept.layers, *kept.memory])
    assert kv_cache_bytes(sizes_for("BERT-base"), 2, 4) == 0


def held(layers: list[tuple[Tensor, Tensor]]) -> int:
    """How many bytes some keys and values take."""
    return sum(tensor.nbytes for pair in layers for tensor in pair)


@cache
def _their_compute() -> list[tuple[int, int, float]]:
    """Parameters, tokens and operations as other papers give them: GPT-3's, table D.1."""
    return [(174_600_000_000, 300_000_000_000, 3.14e23), (125_000_000, 300_000_000_000, 2.25e20)]


def agree_training() -> None:
    for parameters, num_tokens, published in _their_compute():
        found = reference("five_models").training_flops(parameters, num_tokens)
        assert math.isclose(found, published, rel_tol=0.005)


AGREEMENTS: list[Callable[[], None]] = [
    agree_transformer,
    agree_bert,
    agree_llama,
    agree_llama_with_shared_keys,
    agree_chatglm_released,
    agree_chatglm_papers,
    agree_bloom,
    agree_counts,
    agree_flops,
    agree_cache,
    agree_training,
    agree_counts_of_every_kind,
]

MUTATIONS = [
    Mutation("five_models", '(rows if config["has_bias"] else 0)', "rows"),
    Mutation("five_models", 'if config["norm"] == "pre RMSNorm" else 2 * size', "- 0"),
    Mutation(
        "five_models", "2 * linear(size, size) + 2 * linear(size, shared)", "4 * linear(size, size)"
    ),
    Mutation("five_models", "(2 if is_gated else 1) * linear", "linear"),
    Mutation("five_models", "(2 * attention + network) + final_norm", "(2 * attention + network)"),
    Mutation("five_models", 'if not config["tied_head"]', 'if config["tied_head"]'),
    Mutation("five_models", 'total += config["max_positions"] * size', "pass"),
    Mutation("five_models", "numbers = 2 * config", "numbers = config"),
    Mutation("five_models", "positions += source_length", "positions += 0"),
    Mutation("five_models", "2 * queries * keys * size", "queries * keys * size"),
    Mutation("five_models", "2 * keys * size * shared", "2 * keys * size * size"),
    Mutation("five_models", "encoder + attention(length, source_length)", "encoder"),
    Mutation("five_models", "return 6 * num", "return 2 * num"),
    Mutation("five_models", "rope_frequencies(head_dim)  #", "rope_frequencies(head_dim, 1e5)  #"),
    Mutation("five_models", "rope_frequencies(head_dim // 2)", "rope_frequencies(head_dim)[:2]"),
    Mutation(
        "five_models",
        "apply_rope(query, angles), apply_rope(key, angles)",
        "apply_rope(query, angles), key",
    ),
    Mutation("five_models", "key = apply_rope_2d(key, position_ids, frequencies)", "pass"),
    Mutation(
        "five_models",
        '"attention", config["position"], mask',
        '"attention", config["position"], None',
    ),
    Mutation(
        "five_models", "context = entering if memory is None else memory", "context = entering"
    ),
    Mutation("five_models", "feed_forward(x, weights, F.gelu)", "feed_forward(x, weights, F.relu)"),
    Mutation("five_models", 'approximate="tanh"', 'approximate="none"'),
    Mutation("five_models", "table_norm(alpha * x + ", "table_norm(x + "),
    Mutation("five_models", 'weights["bias"], eps)', 'weights["bias"])'),
    Mutation(
        "five_models", 'rms_norm(x, weights["weight"], eps)', 'rms_norm(x, weights["weight"])'
    ),
    Mutation("five_models", "x * size**0.5 +", "x +"),
    Mutation("five_models", "-alibi_slopes(", "alibi_slopes("),
    Mutation("five_models", "prefix_lengths - 1, time", "prefix_lengths, time"),
    Mutation(
        "five_models", 'if config["embedding_norm"]:\n        x = ', "if False:\n        x = "
    ),
    Mutation("five_models", "weights, config, token_type_ids)  #", "weights, config)  #"),
    Mutation(
        "five_models", "*norm_settings) if has_final_norm else x", "*norm_settings) if False else x"
    ),
    Mutation("models.table_model", 'deepnorm_constants("chatglm"', 'deepnorm_constants("decoder"'),
]


@pytest.mark.parametrize("agreement", AGREEMENTS[:7], ids=lambda function: function.__name__)
def test_a_row_of_the_table_is_the_model_of_its_chapter(agreement: Callable[[], None]) -> None:
    agreement()


def test_parameters_are_those_of_the_released_models() -> None:
    agree_counts()


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_those_of_our_models(name: str) -> None:
    """Of the chapter's class, and of the table's model."""
    five_models, config = reference("five_models"), PUBLISHED[name]
    with torch.device("meta"):
        assert five_models.count_parameters(config) == numel(chapter_model(name))
        assert five_models.count_parameters(config) == numel(five_models.build_model(config))


def chapter_model(name: str) -> nn.Module:
    """The model of a chapter in its published size."""
    sizes = class_sizes(PUBLISHED[name])
    if name.startswith("Transformer"):
        transformer = reference("transformer")
        return transformer.Transformer(transformer.TransformerConfig(**sizes))
    if name == "BERT-base":
        bert = reference("bert")
        heads = {"has_prediction_head": False, "has_next_sentence_head": False}
        return bert.Bert(bert.BertConfig(**heads))
    if name.startswith("LLaMA"):
        llama = reference("llama")
        shared = PUBLISHED[name]["num_key_value_heads"]
        return llama.Llama(llama.LlamaConfig(**sizes, num_key_value_heads=shared))
    if name == "ChatGLM-6B":
        chatglm = reference("chatglm")
        return chatglm.ChatGLM(chatglm.ChatGLMConfig.released())
    bloom = reference("bloom")
    return bloom.Bloom(bloom.BloomConfig())


def test_parameters_of_every_kind_of_model_are_counted() -> None:
    agree_counts_of_every_kind()


def test_operations_agree_with_torchs_counter() -> None:
    agree_flops()


def test_a_token_takes_about_two_operations_a_parameter() -> None:
    five_models, config = reference("five_models"), PUBLISHED["LLaMA-7B"]
    twice = 2 * five_models.count_parameters(config)
    assert math.isclose(five_models.forward_flops(config, 1), twice, rel_tol=0.03)


def test_cache_sizes_agree_with_what_the_models_keep() -> None:
    agree_cache()


def test_training_compute_agrees_with_a_published_table() -> None:
    agree_training()


# ---------------------------------------------------------------------------- swapping parts


@pytest.mark.parametrize("has_bias", [True, False])
def test_swapped_parts_learn_with_all_their_weights(has_bias: bool) -> None:
    for config in every_kind(has_bias=has_bias, num_segments=0):
        model = reference("five_models").build_model(config)
        logits = call(model)
        assert logits.shape == (2, 7, 31)
        F.cross_entropy(logits.flatten(0, 1), tokens(seed=4).flatten()).backward()
        for name, parameter in model.named_parameters():
            used = parameter.grad is not None and parameter.grad.isfinite().all()
            assert used, f"{name} of {config}"


@settings(max_examples=20, deadline=None)
@given(
    position=st.sampled_from(PARTS["position"]),
    activation=st.sampled_from(PARTS["activation"]),
    norm=st.sampled_from(PARTS["norm"]),
    changed=st.integers(0, 6),
)
def test_the_structure_says_who_sees_whom(
    position: str, activation: str, norm: str, changed: int
) -> None:
    """A token is changed; exactly the positions that see it, through two blocks, notice."""
    ids = tokens(1)
    other = ids.clone()
    other[0, changed] = (other[0, changed] + 1) % 31
    prefix = torch.tensor([3])
    seen = {
        "encoder": range(7),
        "causal decoder": range(changed, 7),
        "prefix decoder": range(0 if changed < 3 else changed, 7),
    }
    for structure, expected in seen.items():
        if structure != "prefix decoder" and position == "RoPE (2-D)":
            continue
        words = {"structure": structure, "position": position, "activation": activation}
        model = reference("five_models").build_model(sizes_for("LLaMA-7B", **words, norm=norm))
        model = randomise(model)
        more = {"prefix_lengths": prefix} if structure == "prefix decoder" else {}
        with torch.no_grad():
            difference = (model(ids, **more) - model(other, **more))[0].abs().amax(-1)
        assert (difference > 1e-4).nonzero().flatten().tolist() == list(expected), structure


def test_the_decoder_sees_all_of_the_source_and_its_own_past() -> None:
    model = randomise(reference("five_models").build_model(sizes_for("Transformer base")))
    source, target = tokens(1, 5), tokens(1, 6, seed=2)
    with torch.no_grad():
        whole = model(target, source)
        assert_agree(model(target[:, :4], source), whole[:, :4], "logits of a shorter text")
        source[0, 4] = (source[0, 4] + 1) % 31
        assert ((model(target, source) - whole).abs().amax(-1) > 1e-4).all()


def test_alibi_and_no_position_read_a_mirrored_text_the_same_way_in_an_encoder() -> None:
    for position in ("ALiBi", "none"):
        config = sizes_for("BERT-base", position=position)
        model = randomise(reference("five_models").build_model(config))
        with torch.no_grad():
            assert_agree(model(tokens().flip(1)).flip(1), model(tokens()), position)


def test_weights_come_from_the_seed_alone() -> None:
    build_model, config = reference("five_models").build_model, TABLE["BLOOM"]
    config = PUBLISHED["BLOOM-176B"] | config | SMALL
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, same, other = build_model(config, 1), build_model(config, 1), build_model(config, 2)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(one(tokens()), same(tokens()))
    assert not torch.equal(one(tokens()), other(tokens()))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"position": "sinusoids"}, "position is 'sinusoids'; known are sinusoidal, learned"),
        ({"num_heads": 5}, "hidden_size 24, 5 query heads"),
        ({"num_key_value_heads": 2}, "3 query heads and 2 heads of keys"),
        ({"hidden_size": 15}, "hidden_size is 15 with 3 heads; position 'RoPE'"),
        ({"position": "RoPE (2-D)"}, "'causal decoder' has no prefix: take 'RoPE'"),
    ],
    ids=str,
)
def test_parts_that_do_not_go_together_are_a_sentence(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
        reference("five_models").build_model(sizes_for("LLaMA-7B", **changes))


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("Transformer base", {}, "source_ids.*needed"),
        ("LLaMA-7B", {"source_ids": tokens()}, "source_ids is for an 'encoder-decoder'"),
        ("ChatGLM-6B", {}, "prefix_lengths.*needed"),
        ("LLaMA-7B", {"prefix_lengths": torch.tensor([1, 1])}, "prefix_lengths is for"),
        ("LLaMA-7B", {"token_type_ids": tokens()}, "num_segments is 0"),
        ("BERT-base", {"input_ids": tokens(2, 17)}, "17 tokens; this model has 16"),
    ],
)
def test_a_wrong_call_is_a_sentence(name: str, arguments: dict[str, Tensor], sentence: str) -> None:
    model = reference("five_models").build_model(sizes_for(name))
    with pytest.raises(ValueError, match=sentence):
        model(**({"input_ids": tokens()} | arguments))


def test_an_unknown_structure_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="structure is 'decoder'"):
        reference("five_models").structure_mask("decoder", 3)


# ---------------------------------------------------------------------------- training


@pytest.mark.slow
def test_one_block_knows_the_order_only_if_it_has_positions() -> None:
    """Of three tokens, the first is to be named. Without positions, it and the second are alike.

    One block then knows which two tokens stand before the last, and not which came first: the
    loss can't be below log 2 where they differ, which is in 1 - 1/V of the texts.
    """
    states = 5
    floor = (1 - 1 / states) * math.log(2)
    every = torch.cartesian_prod(*[torch.arange(states)] * 3)  # all texts there are
    changes = {"vocab_size": states, "hidden_size": 32, "num_layers": 1}
    changes |= {"num_heads": 8, "num_key_value_heads": 8}
    for position in ("sinusoidal", "learned absolute", "RoPE", "ALiBi", "none"):
        config = PUBLISHED["BLOOM-176B"] | SMALL | changes | {"position": position}
        model = reference("five_models").build_model(config)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        lowest = math.inf
        for _ in range(80 if position == "none" else 400):
            loss = F.cross_entropy(model(every)[:, -1], every[:, 0])
            lowest = min(lowest, loss.item())
            if lowest < floor / 4:
                break
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if position == "none":
            assert floor - 1e-4 < lowest < floor + 0.1
        else:
            assert lowest < floor / 4, position
