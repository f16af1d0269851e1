"""The exercises of chapter 5 and the paper's model in agreement with torch; what it learns."""

import itertools
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.models.agreement import (
    GRADIENTS,
    STRICT,
    Mutation,
    assert_agree,
    randomise,
    reference,
)
from tests.models.translators import PADDED, TARGET_PADDED, sources, targets

# ---------------------------------------------------------------------------- against torch


def naive_positions(num_positions: int, dim: int) -> Tensor:
    """The paper's formula, number by number."""
    return torch.tensor(
        [
            [
                (math.cos if entry % 2 else math.sin)(p / 10000 ** ((entry - entry % 2) / dim))
                for entry in range(dim)
            ]
            for p in range(num_positions)
        ]
    )


def agree_positions() -> None:
    for num_positions, dim in ((1, 2), (50, 6), (1000, 64)):
        found = reference("transformer").sinusoidal_positions(num_positions, dim)
        assert_agree(found, naive_positions(num_positions, dim), "positions", STRICT)


def agree_layer_norm() -> None:
    generator = torch.Generator().manual_seed(0)
    for eps in (1e-5, 1e-1):
        x, gain, bias = (torch.randn(size, generator=generator) for size in ((3, 2, 5), 5, 5))
        found = reference("transformer").layer_norm(x * 0.3, gain, bias, eps)
        assert_agree(found, F.layer_norm(x * 0.3, (5,), gain, bias, eps), "layer norm", STRICT)


TorchLayer = nn.TransformerEncoderLayer | nn.TransformerDecoderLayer


Weights = dict[str, dict[str, Tensor]]


def layer_weights(
    layer: TorchLayer, of: Callable[[Any], Any] = lambda parameter: parameter
) -> Weights:
    """The weights of a layer of torch, or what `of` gives for them, as our functions take them."""

    def attention(module: nn.MultiheadAttention) -> dict[str, Tensor]:
        names = ("query", "key", "value")
        matrices, biases = of(module.in_proj_weight).chunk(3), of(module.in_proj_bias).chunk(3)
        return {
            **{f"{name}_weight": matrix for name, matrix in zip(names, matrices, strict=True)},
            **{f"{name}_bias": bias for name, bias in zip(names, biases, strict=True)},
            "output_weight": of(module.out_proj.weight),
            "output_bias": of(module.out_proj.bias),
        }

    if isinstance(layer, nn.TransformerDecoderLayer):
        groups = {
            "self_attention": attention(layer.self_attn),
            "cross_attention": attention(layer.multihead_attn),
        }
        norms = [layer.norm1, layer.norm2, layer.norm3]
    else:
        groups = {"attention": attention(layer.self_attn)}
        norms = [layer.norm1, layer.norm2]
    for name, norm in zip([*groups, "feed_forward"], norms, strict=True):
        groups[f"{name}_norm"] = {"weight": of(norm.weight), "bias": of(norm.bias)}
    groups["feed_forward"] = {
        "inner_weight": of(layer.linear1.weight),
        "inner_bias": of(layer.linear1.bias),
        "outer_weight": of(layer.linear2.weight),
        "outer_bias": of(layer.linear2.bias),
    }
    return groups


@cache
def torch_layers(num_heads: int, activation: str, eps: float) -> tuple[TorchLayer, TorchLayer]:
    options: dict[str, Any] = {
        "activation": activation,
        "layer_norm_eps": eps,
        "dropout": 0.0,
        "batch_first": True,
    }
    kinds = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    # In training mode torch takes no shortcut; there is no dropout either way.
    encoder, decoder = (randomise(kind(84, num_heads, 40, **options)).train() for kind in kinds)
    assert isinstance(encoder, nn.TransformerEncoderLayer)
    assert isinstance(decoder, nn.TransformerDecoderLayer)
    return encoder, decoder


def agree_layers(num_heads: int = 6, activation: str = "relu", eps: float = 1e-3) -> None:
    """Both layers, with padding, against torch's; and the cached decoder layer."""
    transformer, attention = reference("transformer"), reference("attention")
    encoder, decoder = torch_layers(num_heads, activation, eps)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(4, 7, 84, generator=generator)
    y = torch.randn(4, 5, 84, generator=generator)
    is_real = torch.tensor(PADDED).bool()
    act = getattr(F, activation)
    mask = attention.padding_mask(is_real)
    memory = transformer.encoder_layer(x, layer_weights(encoder), num_heads, mask, act, eps)
    expected = encoder(x, src_key_padding_mask=~is_real)
    assert_agree(memory, expected, "encoder layer", STRICT)

    future = torch.ones(5, 5).triu(1).bool()
    weights = layer_weights(decoder)
    causal = attention.causal_mask(5)
    found = transformer.decoder_layer(y, expected, weights, num_heads, causal, mask, act, eps)
    theirs = decoder(y, expected, tgt_mask=future, memory_key_padding_mask=~is_real)
    assert_agree(found, theirs, "decoder layer", STRICT)

    cached = reference("models.cached_decoder")
    keys = cached.key_value_heads(expected, weights["cross_attention"], num_heads)
    past = None
    for first, last in ((0, 2), (2, 3), (3, 5)):
        chunk_mask = attention.causal_mask(last - first, last)
        chunk, past = cached.cached_decoder_layer(
            y[:, first:last], past, keys, weights, num_heads, chunk_mask, mask, act, eps
        )
        assert_agree(chunk, theirs[:, first:last], f"cached from {first}", STRICT)


def agree_layers_7_heads_gelu() -> None:
    agree_layers(7, "gelu", 1e-1)


@cache
def torch_transformer(num_heads: int) -> tuple[nn.Module, nn.Transformer]:
    """An embedding, and torch's Transformer without the norm that it adds at the end."""
    model = nn.Transformer(84, num_heads, 2, 3, 40, 0.0, layer_norm_eps=1e-3, batch_first=True)
    model.encoder.norm = model.decoder.norm = None
    return randomise(nn.Embedding(61, 84, padding_idx=60)), randomise(model, 1).train()


def ours_like(model: nn.Transformer, embedding: nn.Module, num_heads: int) -> Any:
    """Our model with the weights of torch's."""
    transformer = reference("transformer")
    config = transformer.TransformerConfig(
        vocab_size=61,
        hidden_size=84,
        num_layers=2,
        num_decoder_layers=3,
        num_heads=num_heads,
        intermediate_size=40,
        norm_eps=1e-3,
        pad_id=60,
    )
    ours = transformer.Transformer(config)
    with torch.no_grad():
        ours.embeddings["source"].copy_(embedding.weight)
        for own, theirs in ((ours.encoder, model.encoder), (ours.decoder, model.decoder)):
            for weights, layer in zip(own, theirs.layers, strict=True):
                for group, tensors in layer_weights(layer).items():
                    for name, tensor in tensors.items():
                        weights[group][name].copy_(tensor)
    return ours


def agree_with_torch(num_heads: int = 7) -> None:
    """The paper's model against nn.Transformer: logits, loss, and all gradients."""
    embedding, model = torch_transformer(num_heads)
    ours = ours_like(model, embedding, num_heads)
    inputs = sources(PADDED) | targets(TARGET_PADDED)
    target_real = inputs["decoder_attention_mask"].bool()
    labels = torch.randint(0, 61, target_real.shape, generator=torch.Generator().manual_seed(3))

    def embed(ids: Tensor) -> Tensor:
        return embedding(ids) * 84**0.5 + naive_positions(ids.shape[1], 84)

    is_padding = inputs["attention_mask"] == 0
    hidden = model(
        embed(inputs["input_ids"]),
        embed(inputs["decoder_input_ids"]),
        tgt_mask=torch.ones(5, 5).triu(1).bool(),
        src_key_padding_mask=is_padding,
        tgt_key_padding_mask=~target_real,
        memory_key_padding_mask=is_padding,
    )
    expected = hidden @ embedding.weight.T
    found = ours(**inputs)
    assert_agree(found[target_real], expected[target_real], "logits")
    for parameter in itertools.chain(embedding.parameters(), model.parameters()):
        parameter.grad = None
    for logits in (expected, found):
        F.cross_entropy(logits[target_real], labels[target_real]).backward()
    assert_agree(ours.embeddings["source"].grad, embedding.weight.grad, "embedding", GRADIENTS)
    for own, theirs in ((ours.encoder, model.encoder), (ours.decoder, model.decoder)):
        for number, (weights, layer) in enumerate(zip(own, theirs.layers, strict=True)):
            for group, gradients in layer_weights(layer, lambda p: p.grad).items():
                for name, gradient in gradients.items():
                    what = f"gradient of layer {number}, {group}, {name}"
                    assert_agree(weights[group][name].grad, gradient, what, GRADIENTS)


# ---------------------------------------------------------------------------- the other exercises


def agree_noam() -> None:
    """Against a straight line and a root that meet at the last step of the warm-up."""
    noam = reference("transformer").noam_learning_rate
    for model_dim, warmup in ((512, 4000), (48, 1)):
        peak = 1 / math.sqrt(model_dim * warmup)
        for step in (1, 2, warmup // 2 + 1, warmup, warmup + 1, 10 * warmup):
            expected = peak * (step / warmup if step < warmup else math.sqrt(warmup / step))
            assert math.isclose(noam(step, model_dim, warmup), expected, rel_tol=1e-12)


def agree_label_smoothing() -> None:
    """Against torch; and against the cross-entropy with targets that are written out."""
    smoothed = reference("transformer").label_smoothed_loss
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 7, generator=generator) * 3
    targets = torch.tensor([[1, 2, 6, 0], [5, 5, 0, 0], [3, 0, 0, 0]])
    flat, flat_targets = logits.flatten(0, 1), targets.flatten()
    for smoothing in (0.0, 0.1, 0.9):
        found = smoothed(logits, targets, smoothing, 0)
        expected = F.cross_entropy(flat, flat_targets, ignore_index=0, label_smoothing=smoothing)
        assert_agree(found, expected, f"all, {smoothing}", STRICT)

        wanted = F.one_hot(flat_targets, 7).double() * (1 - smoothing)
        wanted[wanted == 0] = smoothing / 6
        if smoothing == 0:
            wanted = F.one_hot(flat_targets, 7).double()
        losses = -(wanted * flat.double().log_softmax(-1)).sum(-1)
        expected = losses[flat_targets != 0].mean()
        found = smoothed(logits.double(), targets, smoothing, 0, spread="wrong")
        assert_agree(found, expected, f"wrong, {smoothing}", STRICT)


def random_model(seed: int, vocab_size: int, length: int) -> Callable[..., Tensor]:
    """Logits that depend on the last token, the length, and how often token 1 occurred."""
    generator = torch.Generator().manual_seed(seed)
    table = torch.randn(length + 1, 3, vocab_size, vocab_size, generator=generator).double()

    def next_logits(ids: Tensor, parents: Tensor | None = None) -> Tensor:
        counts = (ids == 1).sum(1) % 3
        return 2 * table[ids.shape[1], counts, ids[:, -1]]

    return next_logits


@cache
def best_by_hand(seed: int, start: int, n: int, end: int, penalty: float) -> list[int]:
    """The best of all texts of at most n tokens, by trying them all."""
    next_logits = random_model(seed, 4, n)
    scored = []

    def extend(ids: list[int], log_p: float) -> None:
        added = len(ids) - 1
        if added and (ids[-1] == end or added == n):
            scored.append((log_p / ((5 + added) / 6) ** penalty, ids))
            return
        step = next_logits(torch.tensor([ids])).log_softmax(-1)[0].tolist()
        for token, token_log_p in enumerate(step):
            extend([*ids, token], log_p + token_log_p)

    extend([start], 0.0)
    return max(scored)[1]


def agree_beams_find_the_best() -> None:
    """With as many beams as there are texts, the best text is found, whatever the penalty."""
    beam_search = reference("transformer").beam_search
    for seed, penalty in itertools.product(range(4), (0.0, 0.6, 3.0)):
        model = random_model(seed, 4, 4)
        start_ids = torch.tensor([[1], [2]])
        found = beam_search(model, start_ids, 4, 256, 3, 0, penalty)
        texts = [best_by_hand(seed, start, 4, 3, penalty) for start in (1, 2)]
        longest = max(map(len, texts))
        assert found.tolist() == [text + [0] * (longest - len(text)) for text in texts]


AGREEMENTS: list[Callable[[], None]] = [
    agree_positions,
    agree_layer_norm,
    agree_layers,
    agree_layers_7_heads_gelu,
    agree_with_torch,
    agree_noam,
    agree_label_smoothing,
    agree_beams_find_the_best,
]

MUTATIONS = [
    Mutation("transformer", "torch.arange(0, dim, 2, dtype", "torch.arange(1, dim, 2, dtype"),
    Mutation("transformer", "[angles.sin(), angles.cos()]", "[angles.cos(), angles.sin()]"),
    Mutation("transformer", "dim=-1).flatten(-2)", "dim=-2).flatten(-2)"),
    Mutation("transformer", "(variance + eps).sqrt()", "(variance.sqrt() + eps)"),
    Mutation(
        "transformer",
        '**weights["cross_attention_norm"], eps=eps)',
        '**weights["cross_attention_norm"])',
    ),
    Mutation(
        "transformer",
        'weights["self_attention"], num_heads, mask)',
        'weights["self_attention"], num_heads)',
    ),
    Mutation("transformer", "num_heads, memory_mask)", "num_heads)"),
    Mutation("transformer", "F.layer_norm(x + read,", "F.layer_norm(read,"),
    Mutation("transformer", "warmup_steps**-1.5", "warmup_steps**-1"),
    Mutation("transformer", "min(step**-0.5", "max(step**-0.5"),
    Mutation("transformer", "vocab_size / (vocab_size - 1)", "(vocab_size - 1) / vocab_size"),
    Mutation("transformer", "log_probabilities.mean(-1)", "log_probabilities.sum(-1)"),
    Mutation("transformer", "targets != pad_id", "targets >= pad_id"),
    Mutation("transformer", "(5 + lengths.to(log_p.dtype)) / 6", "lengths.to(log_p.dtype)"),
    Mutation("transformer", "lengths + ~ended", "lengths + 1"),
    Mutation("transformer", "only_padding[pad_id] = 0", "only_padding[end_id] = 0"),
    Mutation("transformer", "lengths = lengths[parents]", "pass"),
    Mutation("transformer", "ended = ended[parents] |", "ended = ended |"),
    Mutation("models.cached_decoder", "torch.cat([past[1], value]", "torch.cat([value, past[1]]"),
    Mutation("models.cached_decoder", "F.layer_norm(x + read,", "F.layer_norm(attended + read,"),
    Mutation("models.encoder_decoder", "F.linear(hidden, matrix,", "F.linear(2 * hidden, matrix,"),
    Mutation("models.encoder_decoder", "padding_idx=config.pad_id", "padding_idx=None"),
    Mutation("models.encoder_decoder", "config.hidden_size**0.5", "config.hidden_size"),
    Mutation(
        "models.encoder_decoder", "mask = mask & padding_mask(", "mask = mask | padding_mask("
    ),
]


def test_positions_agree_with_the_formula() -> None:
    agree_positions()


def test_layer_norm_agrees_with_torch() -> None:
    agree_layer_norm()


@pytest.mark.parametrize("eps", [1e-12, 1e-5, 1e-1])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("num_heads", [6, 7, 12])
def test_layers_agree_with_torch_and_the_cached_layer(
    num_heads: int, activation: str, eps: float
) -> None:
    agree_layers(num_heads, activation, eps)


@pytest.mark.parametrize("num_heads", [6, 7, 12])
def test_logits_loss_and_gradients_agree_with_torch(num_heads: int) -> None:
    agree_with_torch(num_heads)


def test_learning_rate_agrees_with_a_line_and_a_root() -> None:
    agree_noam()


def test_label_smoothing_agrees_with_torch_and_with_targets_written_out() -> None:
    agree_label_smoothing()


def test_enough_beams_find_the_best_text() -> None:
    agree_beams_find_the_best()


# ---------------------------------------------------------------------------- properties


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(0, 40), half=st.integers(1, 8))
def test_a_shift_of_the_position_is_a_rotation_of_its_vector(shift: int, half: int) -> None:
    table = reference("transformer").sinusoidal_positions(60, 2 * half).double()
    turns = [shift / 10000 ** (pair / half) for pair in range(half)]
    rotation = torch.block_diag(
        *(torch.tensor([[math.cos(t), math.sin(t)], [-math.sin(t), math.cos(t)]]) for t in turns)
    )
    assert_agree(table[:20] @ rotation.T.double(), table[shift : shift + 20], "shifted", STRICT)


def test_positions_of_odd_size_are_refused() -> None:
    with pytest.raises(ValueError, match="dim is 7"):
        reference("transformer").sinusoidal_positions(3, 7)


def test_steps_count_from_one() -> None:
    noam = reference("transformer").noam_learning_rate
    for step, warmup in ((0, 10), (1, 0)):
        with pytest.raises(ValueError, match="from 1"):
            noam(step, 512, warmup)


def test_an_unknown_way_to_smooth_is_refused() -> None:
    with pytest.raises(ValueError, match="spread is 'even'"):
        reference("transformer").label_smoothed_loss(
            torch.zeros(1, 1, 2), torch.ones(1, 1, dtype=torch.int64), 0.1, 0, spread="even"
        )


def test_padding_alone_has_no_loss() -> None:
    logits = torch.randn(2, 3, 5, requires_grad=True)
    targets = torch.full((2, 3), 4)
    loss = reference("transformer").label_smoothed_loss(logits, targets, 0.1, 4)
    loss.backward()
    assert loss == 0
    assert torch.equal(logits.grad, torch.zeros(2, 3, 5))


def test_float64_stays_float64() -> None:
    transformer = reference("transformer")
    encoder, decoder = (
        {
            group: {name: tensor.double() for name, tensor in tensors.items()}
            for group, tensors in layer_weights(layer).items()
        }
        for layer in torch_layers(6, "relu", 1e-3)
    )
    x = torch.randn(2, 3, 84, dtype=torch.float64)
    assert transformer.encoder_layer(x, encoder, 6).dtype == torch.float64
    assert transformer.decoder_layer(x, x, decoder, 6).dtype == torch.float64
    ids = torch.ones(2, 3, dtype=torch.int64)
    assert transformer.label_smoothed_loss(x, ids, 0.1, 0).dtype == torch.float64


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    start=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    max_new_tokens=st.integers(0, 7),
    penalty=st.sampled_from([0.0, 0.6, 2.0]),
)
def test_one_beam_is_greedy_and_greedy_takes_the_most_probable(
    seed: int, start: list[int], max_new_tokens: int, penalty: float
) -> None:
    transformer, model = reference("transformer"), random_model(seed, 5, 8)
    start_ids = torch.tensor(start).unsqueeze(1)
    greedy = transformer.greedy_decode(model, start_ids, max_new_tokens, 3, 0)
    beam = transformer.beam_search(model, start_ids, max_new_tokens, 1, 3, 0, penalty)
    assert torch.equal(greedy, beam)
    assert torch.equal(greedy[:, :1], start_ids)
    longest = 0
    for row in greedy.tolist():
        ended = False
        for position in range(1, len(row)):
            likeliest = int(model(torch.tensor([row[:position]])).argmax())
            assert row[position] == (0 if ended else likeliest)
            longest = longest if ended else max(longest, position)
            ended = ended or likeliest == 3
    assert greedy.shape[1] == 1 + longest, "it should stop once all texts have ended"


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), num_beams=st.integers(1, 6), batch=st.integers(1, 3))
def test_parents_say_which_row_each_row_continues(seed: int, num_beams: int, batch: int) -> None:
    model, kept = random_model(seed, 5, 7), []

    def next_logits(ids: Tensor, parents: Tensor) -> Tensor:
        assert ids.shape[0] == len(parents) == batch * num_beams
        assert torch.equal(parents // num_beams, torch.arange(len(ids)) // num_beams)
        if kept:
            assert torch.equal(kept[0][parents], ids[:, :-1])
        kept[:] = [ids]
        return model(ids)

    start_ids = torch.arange(batch).unsqueeze(1)
    beam_search = reference("transformer").beam_search
    found = beam_search(next_logits, start_ids, 6, num_beams, 3, 0)
    for row, start in zip(found, start_ids, strict=True):  # a text does not see its neighbours
        alone = beam_search(model, start.unsqueeze(0), 6, num_beams, 3, 0)[0]
        assert torch.equal(row[: len(alone)], alone)
        assert not row[len(alone) :].any()


# ---------------------------------------------------------------------------- training


def test_weights_start_as_in_the_released_code() -> None:
    transformer = reference("transformer")
    config = transformer.TransformerConfig(vocab_size=500, hidden_size=64, num_layers=1)
    torch.manual_seed(0)
    model = transformer.Transformer(config)
    embedding = model.embeddings["source"]
    assert not embedding[config.pad_id].any()
    assert abs(embedding[1:].std() - 1 / 8) < 0.01
    inner = next(iter(model.encoder))["feed_forward"]["inner_weight"]
    assert abs(inner.abs().max() - math.sqrt(6 / (64 + 2048))) < 1e-4  # Glorot's uniform
    assert sum(p.numel() for p in model.parameters()) == sum(
        tensor.numel() for tensor in model.state_dict().values()
    ), "there should be nothing but weights"


@pytest.mark.slow
def test_it_learns_to_reverse_what_it_has_not_seen() -> None:
    """Sources are orders of six tokens, targets the same backwards.

    All sources have the same tokens: a model that lacks positions, or that can't look at the
    source, knows no more than which tokens are left. It can't get below log(6!) / 6 nats a token.
    """
    transformer = reference("transformer")
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(1)
    orders = torch.tensor(list(itertools.permutations(range(3, 9))))
    orders = orders[torch.randperm(len(orders), generator=generator)]
    known, unseen = orders[:540], orders[540:]
    floor = math.log(math.factorial(6)) / 6

    def target(source: Tensor) -> Tensor:
        start, end = torch.full((len(source), 1), 1), torch.full((len(source), 1), 2)
        return torch.cat([start, source.flip(1), end], dim=1)

    sizes = {"vocab_size": 9, "hidden_size": 48, "num_layers": 1, "num_heads": 4}
    model = transformer.Transformer(transformer.TransformerConfig(**sizes, intermediate_size=96))
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), eps=1e-9)
    for step in range(1, 401):
        source = known[torch.randint(540, (64,), generator=generator)]
        ids = target(source)
        for group in optimizer.param_groups:
            group["lr"] = transformer.noam_learning_rate(step, 48, 100)
        logits = model(source, ids[:, :-1])
        loss = transformer.label_smoothed_loss(logits, ids[:, 1:], 0.1, 0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logits = model(unseen, target(unseen)[:, :-1])[:, :6]
        loss = F.cross_entropy(logits.flatten(0, 1), unseen.flip(1).flatten())
        written = model.generate(unseen, 7)
    assert loss < floor / 4
    assert (written == target(unseen)).all(dim=1).float().mean() > 0.9
