"""ELMo in agreement with torch.nn, a naive form, and the released model's own outputs."""

import json
import warnings
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from autograder.notebook import data
from tests.models import naive_elmo
from tests.models.agreement import (
    GRADIENTS,
    STRICT,
    Mutation,
    assert_agree,
    randomise,
    reference,
)
from tests.models.naive_elmo import SENTENCES, State, saved
from tests.models.torch_elmo import Twin

# The released outputs are float32, up to 4.6, and up to 1.2e-6 away from what float64 gives.
RELEASED = (4e-6, 0.0)


@cache
def naive_layers(**changes: Any) -> list[list[Tensor]]:
    """What the naive form gives for each sentence."""
    options, arrays, _ = saved(**changes)
    return [
        [torch.from_numpy(layer).float() for layer in naive_elmo.elmo(options, arrays, sentence)]
        for sentence in SENTENCES
    ]


def weights_of(shapes: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, Tensor]:
    """Weights by name that bite, float64."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64)
        for name, shape in shapes.items()
    }


def lstm_weights(inputs: int = 5, cell: int = 6, projection: int = 4) -> dict[str, Tensor]:
    return weights_of(
        {
            "input_weight": (4 * cell, inputs),
            "hidden_weight": (4 * cell, projection),
            "bias": (4 * cell,),
            "projection_weight": (projection, cell),
        }
    )


def close(ours: Tensor, theirs: Tensor, what: str) -> None:
    """Two float64 results agree."""
    assert_agree(ours, theirs, what, (1e-12, 1e-12))


# ---------------------------------------------------------------------------- exercises


def agree_char_ids() -> None:
    elmo = reference("elmo")
    assert elmo.char_ids(["aé"], 8).tolist() == [[259, 98, 196, 170, 260, 261, 261, 261]]
    words = ["", "<S>", "</S>", "•", "a" * 60, "é" * 30, "model"]
    for length in (50, 9, 3):
        expected = [naive_elmo.spell(word, length) for word in words]
        assert elmo.char_ids(words, length).tolist() == expected
    assert elmo.char_ids([]).shape == (0, 50)


def agree_char_cnn() -> None:
    """With torch's modules, and each filter at each place in the naive form."""
    elmo = reference("elmo")
    ids = elmo.char_ids(["river", "", "a"], 7)
    embedding = weights_of({"all": (262, 3)}, seed=1)["all"]
    sizes = [(2, 3, 1), (3, 3, 4), (1, 3, 7)]
    filters = [weights_of({"weight": size, "bias": size[:1]}, seed=2) for size in sizes]
    for ours, theirs in ((torch.relu, nn.ReLU()), (torch.tanh, nn.Tanh())):
        found = []
        for group in filters:
            convolution = nn.Conv1d(3, len(group["bias"]), group["weight"].shape[2]).double()
            convolution.load_state_dict(group)
            place = convolution(embedding[ids].mT)
            found.append(theirs(nn.AdaptiveMaxPool1d(1)(place)).squeeze(-1))
        close(elmo.char_cnn(ids, embedding, filters, ours), torch.cat(found, dim=1), str(theirs))
    kernel, bias = filters[1]["weight"].permute(2, 1, 0).numpy(), filters[1]["bias"].numpy()
    naive = [
        naive_elmo.convolve(vectors, kernel, bias, lambda x: max(x, 0.0))
        for vectors in embedding[ids].numpy()
    ]
    close(
        elmo.char_cnn(ids, embedding, filters[1:2]),
        torch.tensor(naive, dtype=torch.float64),
        "naive",
    )


def agree_highway() -> None:
    names = {"transform_weight": (3, 3), "transform_bias": (3,)}
    weights = weights_of({**names, "gate_weight": (3, 3), "gate_bias": (3,)})
    x = torch.randn(2, 4, 3, dtype=torch.float64)
    found = reference("elmo").highway(x, weights)
    for at in np.ndindex(2, 4, 3):
        row, entry = x[at[:2]], at[2]
        transformed = row @ weights["transform_weight"][entry] + weights["transform_bias"][entry]
        gate = row @ weights["gate_weight"][entry] + weights["gate_bias"][entry]
        gate = 1 / (1 + torch.exp(-gate))
        expected = gate * max(transformed, torch.tensor(0.0)) + (1 - gate) * row[entry]
        close(found[at], expected, f"entry {at}")


def gate_by_gate(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: dict[str, Tensor],
    cell_clip: float | None,
    projection_clip: float | None,
) -> tuple[Tensor, Tensor]:
    """One step for one sentence, one entry of the cell at a time."""
    size, new_cell, outputs = len(cell), [], []
    for entry in range(size):
        before = [
            weights["input_weight"][row] @ x
            + weights["hidden_weight"][row] @ hidden
            + weights["bias"][row]
            for row in range(entry, 4 * size, size)
        ]
        write_gate, keep_gate, read_gate = (torch.sigmoid(before[row]) for row in (0, 1, 3))
        value = keep_gate * cell[entry] + write_gate * torch.tanh(before[2])
        if cell_clip is not None:
            value = torch.tensor(max(-cell_clip, min(cell_clip, float(value))), dtype=value.dtype)
        new_cell.append(value)
        outputs.append(read_gate * torch.tanh(value))
    new_hidden = weights["projection_weight"] @ torch.stack(outputs)
    if projection_clip is not None:
        limit = torch.tensor(projection_clip, dtype=new_hidden.dtype)
        new_hidden = torch.minimum(torch.maximum(new_hidden, -limit), limit)
    return new_hidden, torch.stack(new_cell)


def agree_lstm_cell() -> None:
    """With clips that bite on both sides, one at a time and together, and without."""
    weights, elmo = lstm_weights(), reference("elmo")
    x, hidden, cell = (torch.randn(3, size, dtype=torch.float64) for size in (5, 4, 6))
    for clips in ((None, None), (0.5, None), (None, 0.3), (0.5, 0.3)):
        found = elmo.lstm_cell(x, hidden, 2 * cell, weights, *clips)
        for row in range(3):
            expected = gate_by_gate(x[row], hidden[row], 2 * cell[row], weights, *clips)
            close(found[0][row], expected[0], f"hidden state, clips {clips}")
            close(found[1][row], expected[1], f"cell, clips {clips}")


def agree_fast_and_clear_lstm() -> None:
    """The sequence form gives what the cell gives, step after step."""
    weights = lstm_weights()
    x, hidden, cell = (
        torch.randn(shape, dtype=torch.float64) for shape in ((3, 5, 5), (3, 4), (3, 6))
    )
    for clips in ((None, None), (0.5, 0.3)):
        hiddens, cells = reference("models.elmo_bilm").lstm(x, hidden, cell, weights, *clips)
        last_hidden, last_cell = hidden, cell
        for step in range(5):
            last_hidden, last_cell = reference("elmo").lstm_cell(
                x[:, step], last_hidden, last_cell, weights, *clips
            )
            close(hiddens[:, step], last_hidden, f"hidden state, step {step}")
            close(cells[:, step], last_cell, f"cell, step {step}")


def agree_torch_lstm() -> None:
    """Without clipping, and with clips too wide to bite, it is torch's LSTM with a projection."""
    weights = lstm_weights()
    x, hidden, cell = (
        torch.randn(shape, dtype=torch.float64) for shape in ((3, 7, 5), (3, 4), (3, 6))
    )
    theirs = nn.LSTM(5, 6, proj_size=4, batch_first=True).double()
    theirs.load_state_dict(
        {
            "weight_ih_l0": weights["input_weight"],
            "weight_hh_l0": weights["hidden_weight"],
            "bias_ih_l0": weights["bias"],
            "bias_hh_l0": torch.zeros(24),
            "weight_hr_l0": weights["projection_weight"],
        }
    )
    expected, (_, expected_cell) = theirs(x, (hidden[None], cell[None]))
    for clips in ((None, None), (1e6, 1e6)):
        hiddens, cells = reference("models.elmo_bilm").lstm(x, hidden, cell, weights, *clips)
        close(hiddens, expected, "hidden states")
        close(cells[:, -1], expected_cell[0], "last cell")


def agree_bilm_loss() -> None:
    """Prediction by prediction, with padding and without."""
    forward, backward = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    weights = weights_of({"weight": (7, 4), "bias": (7,)})
    ids = torch.randint(7, (3, 5), generator=torch.Generator().manual_seed(0))
    loss = reference("elmo").bilm_loss
    for lengths in ([5, 5, 5], [5, 3, 2], [1, 5, 4]):
        mask = torch.arange(5) < torch.tensor(lengths)[:, None]
        losses: dict[str, list[Tensor]] = {"forward": [], "backward": []}
        for row, length in enumerate(lengths):
            for left, right in pairwise(range(length)):
                for name, hidden, target in (
                    ("forward", forward[row, left], ids[row, right]),
                    ("backward", backward[row, right], ids[row, left]),
                ):
                    scores = weights["weight"] @ hidden + weights["bias"]
                    losses[name].append(scores.logsumexp(0) - scores[target])
        expected = sum(torch.stack(one).mean() for one in losses.values()) / 2
        spoilt = ids.masked_fill(~mask, -100)
        close(loss(forward, backward, spoilt, weights, mask.long()), expected, f"{lengths}")
    full = torch.ones(3, 5).bool()
    assert torch.equal(
        loss(forward, backward, ids, weights), loss(forward, backward, ids, weights, full)
    )


def agree_mix_and_embed() -> None:
    layers = list(torch.randn(3, 2, 5, 4, dtype=torch.float64))
    scores, gamma = torch.tensor([0.3, -2.0, 1.0]).double(), torch.tensor(1.7).double()
    parts = scores.exp() / scores.exp().sum()
    expected = gamma * (parts[0] * layers[0] + parts[1] * layers[1] + parts[2] * layers[2])
    elmo = reference("elmo")
    close(elmo.scalar_mix(layers, scores, gamma), expected, "mix")
    found = elmo.elmo_embed(layers, torch.tensor([3, 1]), scores, gamma)
    close(found[0], expected[0, 1:4], "a sentence of 3 words")
    close(found[1, :1], expected[1, 1:2], "a sentence of 1 word")
    assert not found[1, 1:].any()


# ---------------------------------------------------------------------------- the model


def agree_released(**changes: Any) -> None:
    """Every layer of sentences read together agrees with the naive form of each alone."""
    elmo, (options, _, folder) = reference("elmo"), saved(**changes)
    model = elmo.Elmo.from_pretrained(folder)
    length = options["char_cnn"]["max_characters_per_token"]
    with torch.no_grad():
        layers = model(elmo.batch_char_ids(SENTENCES, length))
    for row, expected in enumerate(naive_layers(**changes)):
        assert len(layers) == len(expected)
        for number, (found, layer) in enumerate(zip(layers, expected, strict=True)):
            words = len(layer)
            assert_agree(found[row, :words], layer, f"sentence {row}, layer {number}", STRICT)
            assert not found[row, words:].any(), f"padding behind sentence {row} is not 0"


def agree_tanh_one_way_in() -> None:
    """Other options: tanh, no highway, three layers without skip connections, no clips."""
    agree_released(
        activation="tanh",
        n_highway=0,
        n_layers=3,
        use_skip_connections=False,
        cell_clip=None,
        proj_clip=None,
    )


def agree_state() -> None:
    """Batches one after the other, as the released program reads them."""
    elmo, (options, arrays, folder) = reference("elmo"), saved()
    model, state = elmo.Elmo.from_pretrained(folder), elmo.LstmState()
    states: list[State] = [{} for _ in SENTENCES]
    for turn in range(2):
        batch = SENTENCES[turn:] + SENTENCES[:turn]
        layers = model(elmo.batch_char_ids(batch, 9), state)
        for row, sentence in enumerate(batch):
            expected = naive_elmo.elmo(options, arrays, sentence, states[row])
            for found, layer in zip(layers, expected, strict=True):
                theirs = torch.from_numpy(layer).float()
                assert_agree(found[row, : len(layer)], theirs, f"turn {turn}, row {row}", STRICT)


@cache
def sizes() -> dict[str, Any]:
    return {
        "max_characters": 9,
        "char_size": 3,
        "filters": ((1, 2), (2, 3), (3, 4)),
        "projection_size": 4,
        "cell_size": 6,
        "vocab_size": 11,
    }


def small_elmo(**changes: Any) -> Any:
    elmo = reference("elmo")
    return randomise(elmo.Elmo(elmo.ElmoConfig(**sizes() | changes)))


def token_ids_of(sentences: list[list[str]]) -> Tensor:
    """Words by their length, marks 0 and 1, padding 0."""
    rows = [torch.tensor([0, *(2 + len(word) % 9 for word in one), 1]) for one in sentences]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)


def loss_from_logits(model: Any, token_ids: Tensor) -> Tensor:
    """The loss once more, with the padding marked in torch's way."""
    forward, backward = model.logits(reference("elmo").batch_char_ids(SENTENCES, 9))
    real = torch.arange(7) < torch.tensor([[len(sentence) + 2] for sentence in SENTENCES])
    targets, score = token_ids.masked_fill(~real, -100), nn.CrossEntropyLoss()
    before = targets[:, :-1].masked_fill(~real[:, 1:], -100)
    return (score(forward[:, :-1].mT, targets[:, 1:]) + score(backward[:, 1:].mT, before)) / 2


def agree_loss_and_gradients() -> None:
    """The loss and the gradient of every parameter, against torch's modules."""
    ours, token_ids = small_elmo(cell_clip=None, projection_clip=1e6), token_ids_of(SENTENCES)
    theirs = Twin(ours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says that its LSTM with a projection is slow
        expected = theirs.loss(SENTENCES, token_ids, 9)
    expected.backward()
    loss = ours.loss(reference("elmo").batch_char_ids(SENTENCES, 9), token_ids)
    loss.backward()
    assert_agree(loss, expected, "loss", STRICT)
    assert_agree(loss_from_logits(ours, token_ids), expected, "loss from logits", STRICT)
    gradients = {name: parameter.grad for name, parameter in ours.named_parameters()}
    assert gradients.keys() == theirs.pairs.keys()
    for name, gradient in gradients.items():
        expected_gradient = theirs.pairs[name].grad
        assert gradient is not None and expected_gradient is not None, name
        assert_agree(gradient, expected_gradient, f"gradient {name}", GRADIENTS)
    assert not gradients["char_embedding"][0].any(), "padding must not learn"


def agree_first_values() -> None:
    """The weights that are not drawn around 0 start as in the released code."""
    torch.manual_seed(0)
    elmo = reference("elmo")
    for activation in ("relu", "tanh"):
        model = elmo.Elmo(elmo.ElmoConfig(**sizes() | {"activation": activation, "cell_size": 50}))
        assert not model.char_embedding[0].any()
        assert 0.9 < model.char_embedding[1:].abs().max() <= 1
        largest = model.filters["2"]["weight"].abs().max()
        assert largest <= 0.05 if activation == "relu" else largest > 0.3
        assert torch.equal(model.highways["1"]["gate_bias"], torch.full((9,), -2.0))
        for layer in model.layers:
            i, f, g, o = layer["backward_lstm"]["bias"].chunk(4)
            assert (f == 1).all() and not torch.cat([i, g, o]).any()
            bound = (6 / (8 + 200)) ** 0.5
            assert 0.9 * bound < layer["backward_lstm"]["hidden_weight"].abs().max() <= bound


AGREEMENTS: list[Callable[[], None]] = [
    agree_char_ids,
    agree_char_cnn,
    agree_highway,
    agree_lstm_cell,
    agree_fast_and_clear_lstm,
    agree_torch_lstm,
    agree_bilm_loss,
    agree_mix_and_embed,
    agree_released,
    agree_tanh_one_way_in,
    agree_state,
    agree_loss_and_gradients,
    agree_first_values,
]

MUTATIONS = [
    Mutation("elmo", "[: max_characters - 2]", "[: max_characters - 3]"),
    Mutation("elmo", "(-1, max_characters) + 1", "(-1, max_characters)"),
    Mutation("elmo", '{"<S>": [256], "</S>": [257]}', '{"<S>": [257], "</S>": [256]}'),
    Mutation("elmo", 'encode("utf-8", "ignore")', 'encode("latin-1", "ignore")'),
    Mutation("elmo", "everywhere.max(dim=-1).values", "everywhere.mean(dim=-1)"),
    Mutation("elmo", "activation(everywhere", "F.relu(everywhere"),
    Mutation(
        "elmo",
        "return gate * transformed + (1 - gate) * x",
        "return (1 - gate) * transformed + gate * x",
    ),
    Mutation("elmo", 'weights["transform_bias"]).relu()', 'weights["transform_bias"]).tanh()'),
    Mutation("elmo", "i, f, g, o =", "i, g, f, o ="),
    Mutation("elmo", "cell.clamp(-cell_clip, cell_clip)", "cell.clamp(max=cell_clip)"),
    Mutation("elmo", "hidden.clamp(-projection_clip, projection_clip)", "hidden"),
    Mutation("elmo", "o.sigmoid() * cell.tanh()", "o.sigmoid() * cell"),
    Mutation("elmo", "real[:, :-1] & real[:, 1:]", "real[:, :-1]"),
    Mutation("elmo", "backward_hidden[:, 1:][counts]", "backward_hidden[:, :-1][counts]"),
    Mutation("elmo", "F.cross_entropy(backward_logits, left)) / 2", "0 * backward_logits.sum())"),
    Mutation("elmo", "return gamma * mixed", "return mixed"),
    Mutation(
        "elmo",
        "scalar_mix(layers, scores, gamma)[:, 1:-1]",
        "scalar_mix(layers, scores, gamma)[:, :-2]",
    ),
    Mutation("elmo", "< num_words.unsqueeze(-1)", "<= num_words.unsqueeze(-1)"),
    Mutation("elmo", "torch.cat([words, words], dim=-1)", "torch.cat([words, 0 * words], dim=-1)"),
    Mutation("elmo", "layer.masked_fill(is_padding, 0.0)", "layer"),
    Mutation("elmo", "F.linear(forward, **softmax), F", "F.linear(backward, **softmax), F"),
    Mutation("elmo", "any(-1), (2, 0), value=True", "any(-1), (1, 1), value=True"),
    Mutation("models.elmo_bilm", "i, f, g, o =", "i, f, o, g ="),
    Mutation("models.elmo_bilm", "cell.clamp(-cell_clip, cell_clip)", "cell.clamp(min=-cell_clip)"),
    Mutation("models.elmo_bilm", "hidden.clamp(-projection_clip, projection_clip)", "hidden"),
    Mutation(
        "models.elmo_bilm", "number > 0 and config.skip_connections", "config.skip_connections"
    ),
    Mutation("models.elmo_bilm", "number > 0 and config.skip_connections", "number > 0"),
    Mutation("models.elmo_bilm", "(hiddens[rows, last].detach()", "(hiddens[:, -1].detach()"),
    Mutation("models.elmo_bilm", "cells[rows, last].detach()", "cells[:, -1].detach()"),
    Mutation(
        "models.elmo_bilm", "(hiddens[rows, last].detach()", "((hiddens + x)[rows, last].detach()"
    ),
    Mutation("models.elmo_bilm", "positions < ends, ends - 1", "positions >= 0, x.shape[1] - 1"),
    Mutation("models.elmo_bilm", "[left, reverse_sentences(right, lengths)]", "[left, right]"),
    Mutation("models.elmo_bilm", "num_words + 1] = marks[1]", "-1] = marks[1]"),
    Mutation(
        "models.elmo_config", 'weights["gate_bias"].fill_(-2)', 'weights["gate_bias"].fill_(2)'
    ),
    Mutation("models.elmo_config", "[cell_size : 2 * cell_size] = 1", "[:cell_size] = 1"),
    Mutation("checkpoints.elmo", "torch.cat([i, f + 1, g, o])", "torch.cat([i, f, g, o])"),
    Mutation(
        "checkpoints.elmo", "torch.cat([i, f, g, o])  # (4C", "torch.cat([i, g, f, o])  # (4C"
    ),
    Mutation(
        "checkpoints.elmo",
        '"transform": "transform", "gate": "carry"',
        '"transform": "carry", "gate": "transform"',
    ),
    Mutation(
        "checkpoints.elmo",
        '"forward_lstm": "RNN_0", "backward_lstm": "RNN_1"',
        '"forward_lstm": "RNN_1", "backward_lstm": "RNN_0"',
    ),
    Mutation(
        "checkpoints.elmo",
        "[torch.zeros_like(stored[:1]), stored]",
        "[stored, torch.zeros_like(stored[:1])]",
    ),
    Mutation("checkpoints.elmo", '_clip(lstm, "proj_clip")', '_clip(lstm, "cell_clip")'),
]


def test_words_are_spelled_as_bytes_between_marks() -> None:
    agree_char_ids()


def test_the_character_cnn_agrees_with_torchs_modules_and_a_naive_form() -> None:
    agree_char_cnn()


def test_the_highway_agrees_entry_by_entry() -> None:
    agree_highway()


def test_the_lstm_cell_agrees_gate_by_gate_with_clips_that_bite() -> None:
    agree_lstm_cell()


def test_the_fast_form_of_the_lstm_gives_what_the_clear_one_gives() -> None:
    agree_fast_and_clear_lstm()


def test_without_clips_the_lstm_is_torchs() -> None:
    agree_torch_lstm()


def test_the_loss_agrees_prediction_by_prediction() -> None:
    agree_bilm_loss()


def test_the_mix_and_the_words_embedding_agree_with_their_formulas() -> None:
    agree_mix_and_embed()


def test_the_weights_start_as_in_the_released_code() -> None:
    agree_first_values()


def test_the_loss_and_all_gradients_agree_with_torchs_modules() -> None:
    agree_loss_and_gradients()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("clips", [(None, None), (0.6, 0.4), (0.2, None), (None, 0.1)], ids=str)
@pytest.mark.parametrize("skip", [True, False])
def test_each_option_agrees_with_the_naive_form(
    activation: str, clips: tuple[float | None, float | None], skip: bool
) -> None:
    agree_released(
        activation=activation, cell_clip=clips[0], proj_clip=clips[1], use_skip_connections=skip
    )


@pytest.mark.parametrize(("layers", "highways"), [(1, 1), (3, 0), (2, 3)])
def test_each_depth_agrees_with_the_naive_form(layers: int, highways: int) -> None:
    agree_released(n_layers=layers, n_highway=highways)


def test_maps_that_the_released_code_leaves_out_are_left_out() -> None:
    agree_released(projection_dim=9)  # as many as there are filters
    agree_released(dim=4, proj_clip=0.1)  # as large as the projection, and so never clipped


def test_a_state_is_carried_from_batch_to_batch() -> None:
    agree_state()


def test_without_a_state_every_call_starts_from_zero() -> None:
    elmo, model = reference("elmo"), small_elmo()
    ids = elmo.batch_char_ids(SENTENCES, 9)
    first, again = model(ids), model(ids)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    state = elmo.LstmState()
    assert torch.equal(model(ids, state)[2], first[2])
    assert not torch.allclose(model(ids, state)[2], first[2])
    assert not any(tensor.requires_grad for pair in state.backward_layers for tensor in pair)


def test_a_model_in_float64_gives_float64() -> None:
    elmo = reference("elmo")
    ids, model = elmo.batch_char_ids(SENTENCES, 9), small_elmo().double()
    assert {layer.dtype for layer in model(ids)} == {torch.float64}
    assert model.loss(ids, token_ids_of(SENTENCES)).dtype == torch.float64


# ---------------------------------------------------------------------------- released outputs


@pytest.mark.data
def test_the_vectors_of_words_are_the_released_ones() -> None:
    elmo, folder = reference("elmo"), data.path("elmo")
    words = (folder / "vocab_test.txt").read_text(encoding="utf-8").split()
    with h5py.File(folder / "elmo_token_embeddings.hdf5") as file:
        expected = torch.from_numpy(file["embedding"][...])
    with torch.no_grad():
        found = elmo.Elmo.from_pretrained(folder).embed_words(elmo.batch_char_ids([words]))[0]
    assert_agree(found, expected, "vectors of words", RELEASED)


@pytest.mark.data
def test_the_top_layer_is_the_released_one_batch_after_batch() -> None:
    elmo, folder = reference("elmo"), data.path("elmo")
    texts = json.loads((folder / "sentences.json").read_text(encoding="utf-8"))
    model, state = elmo.Elmo.from_pretrained(folder), elmo.LstmState()
    batches = [[text.split() for text in batch] for batch in zip(*texts, strict=True)]
    assert len(batches) == 10
    for turn, batch in enumerate(batches):
        with torch.no_grad():
            top = model(elmo.batch_char_ids(batch), state)[-1]
        for row, sentence in enumerate(batch):
            with h5py.File(folder / f"lm_embeddings_{row}.hdf5") as file:
                expected = torch.from_numpy(np.concatenate(file[str(turn)][...], axis=-1))
            found = top[row, 1 : len(sentence) + 1]
            assert_agree(found, expected, f"batch {turn}, sentence {row}", RELEASED)
    clipped = [cell.abs().max() for _, cell in state.forward_layers + state.backward_layers]
    assert max(clipped) == 3.0, "these weights reach the clip of cells"


@pytest.mark.data
@pytest.mark.parametrize("language", ["es", "fr", "it"])
def test_the_small_models_of_other_languages_are_read(language: str) -> None:
    elmo, folder = reference("elmo"), data.path("elmo").parent / "elmo_multilingual" / language
    options = json.loads((folder / "options.json").read_text())
    with h5py.File(folder / "weights.hdf5") as file:
        names: list[str] = []
        file.visit(names.append)
        arrays = {name: file[name][...] for name in names if isinstance(file[name], h5py.Dataset)}
    sentence = ["el", "río", "più"]
    with torch.no_grad():
        layers = elmo.Elmo.from_pretrained(folder)(elmo.batch_char_ids([sentence]))
    expected = naive_elmo.elmo(options, arrays, sentence)
    for found, layer in zip(layers, expected, strict=True):
        assert_agree(found[0], torch.from_numpy(layer).float(), language, STRICT)


# ---------------------------------------------------------------------------- properties

WORDS = st.sampled_from(["the", "bank", "river", "of", "money", "a"])
TEXTS = st.lists(WORDS, min_size=1, max_size=6)


@settings(max_examples=20, deadline=None)
@given(text=TEXTS, where=st.integers(0, 5))
def test_forward_is_blind_to_the_future_and_backward_to_the_past(
    text: list[str], where: int
) -> None:
    elmo, model = reference("elmo"), small_elmo()
    where = where % len(text)
    changed = [*text[:where], "other", *text[where + 1 :]]
    with torch.no_grad():
        one, other = (model(elmo.batch_char_ids([words], 9)) for words in (text, changed))
    for number in (1, 2):
        forward, backward = (
            ((first - second)[0].abs() > 1e-6).any(-1)
            for first, second in zip(
                one[number].chunk(2, -1), other[number].chunk(2, -1), strict=True
            )
        )
        position = where + 1  # behind the mark of the begin
        assert not forward[:position].any() and forward[position]
        assert not backward[position + 1 :].any() and backward[position]


@settings(max_examples=20, deadline=None)
@given(texts=st.lists(st.lists(WORDS, max_size=5), min_size=1, max_size=4), more=st.integers(0, 3))
def test_a_sentence_alone_gives_what_it_gives_in_a_batch(texts: list[list[str]], more: int) -> None:
    elmo, model = reference("elmo"), small_elmo()
    ids = torch.nn.functional.pad(elmo.batch_char_ids(texts, 9), (0, 0, 0, more))
    with torch.no_grad():
        together = model(ids)
        for row, text in enumerate(texts):
            alone = model(elmo.batch_char_ids([text], 9))
            for number, layer in enumerate(alone):
                found = together[number][row]
                assert_agree(found[: len(text) + 2], layer[0], f"layer {number}", STRICT)
                assert not found[len(text) + 2 :].any()


@settings(max_examples=20, deadline=None)
@given(
    scores=st.lists(st.floats(-50, 50), min_size=1, max_size=5),
    gamma=st.floats(-3, 3),
    shift=st.floats(-50, 50),
)
def test_mix_weights_sum_to_one_and_only_differences_of_scores_count(
    scores: list[float], gamma: float, shift: float
) -> None:
    elmo, factor = reference("elmo"), torch.tensor(gamma).double()
    layer = torch.tensor([[0.5, -2.0, 0.0]]).double()
    given_scores = torch.tensor(scores).double()
    close(elmo.scalar_mix([layer] * len(scores), given_scores, factor), factor * layer, "the same")
    layers = [layer * (1 + number) for number in range(len(scores))]
    close(
        elmo.scalar_mix(layers, given_scores + shift, factor),
        elmo.scalar_mix(layers, given_scores, factor),
        "shifted scores",
    )


def test_layer_0_is_the_words_vector_twice_whatever_stands_around_it() -> None:
    elmo, model = reference("elmo"), small_elmo()
    layers = model(elmo.batch_char_ids([["bank", "of", "the", "bank"]], 9))
    left, right = layers[0][0].chunk(2, dim=-1)
    assert torch.equal(left, right) and torch.equal(left[1], left[4])
    assert not torch.allclose(layers[1][0, 1], layers[1][0, 4])


def test_marks_and_padding_leave_the_words_embedding() -> None:
    elmo, model = reference("elmo"), small_elmo()
    layers = model(elmo.batch_char_ids(SENTENCES, 9))
    scores, gamma = torch.zeros(3), torch.tensor(1.0)
    num_words = torch.tensor([len(sentence) for sentence in SENTENCES])
    found = elmo.elmo_embed(layers, num_words, scores, gamma)
    assert found.shape == (4, 5, 8)
    assert torch.equal(found.any(-1).sum(-1), num_words)


# ---------------------------------------------------------------------------- wrong calls


@pytest.mark.parametrize(
    ("ids", "error", "sentence"),
    [
        (torch.ones(2, 9, dtype=torch.int64), ValueError, r"\(2, 9\).*\(batch, time, 9\)"),
        (torch.ones(1, 2, 50, dtype=torch.int64), ValueError, r"\(1, 2, 50\).*9\)"),
        (torch.full((1, 2, 9), 262), IndexError, "char_ids.*262.*0 to 261"),
        (torch.tensor([[[0] * 9, [5] * 9]]), ValueError, "word behind padding"),
    ],
)
def test_wrong_characters_are_a_sentence(
    ids: Tensor, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        small_elmo()(ids)


def test_other_wrong_calls_are_sentences() -> None:
    elmo, model = reference("elmo"), small_elmo()
    ids, token_ids = elmo.batch_char_ids(SENTENCES, 9), token_ids_of(SENTENCES)
    with pytest.raises(ValueError, match=r"token_ids has shape \(4, 6\).*\(4, 7\)"):
        model.loss(ids, token_ids[:, :-1])
    with pytest.raises(IndexError, match=r"token_ids.*0 to 10"):
        model.loss(ids, token_ids + 5)
    for call in (lambda one: one.loss(ids, token_ids), lambda one: one.logits(ids)):
        with pytest.raises(ValueError, match="vocab_size is None"):
            call(small_elmo(vocab_size=None))
    state = elmo.LstmState()
    model(ids, state)
    with pytest.raises(ValueError, match=r"state is one of 4 sentences.*batch has 2"):
        model(ids[:2], state)
    with pytest.raises(ValueError, match="2 layers and 3 scores"):
        elmo.scalar_mix([torch.zeros(2)] * 2, torch.zeros(3), torch.tensor(1.0))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"max_characters": 2}, "max_characters is 2"),
        ({"filters": ((0, 3),)}, r"filters are \(\(0, 3\),\)"),
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"cell_clip": 0.0}, "cell_clip is 0.0"),
        ({"projection_clip": -3.0}, "projection_clip is -3.0"),
        ({"cell_size": 0}, "cell_size is 0"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        reference("elmo").ElmoConfig(**changes)


# ---------------------------------------------------------------------------- learning

CHAIN_WORDS = ["river", "bank", "water", "money", "loan", "debt"]
REPEATS = 0.9


def chain(count: int, seed: int) -> Tensor:
    """Sentences of 8 words; each is most often the word two before it, and ignores its neighbour.

    Shape (count, 8), numbers of words.
    """
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(6, (count, 8), generator=generator)
    repeats = torch.rand(count, 8, generator=generator) < REPEATS
    for position in range(2, 8):
        before = words[:, position - 2]
        words[:, position] = torch.where(repeats[:, position], before, words[:, position])
    return words


@pytest.mark.slow
def test_it_learns_what_no_neighbour_tells() -> None:
    """The loss comes near the floor, and far below what a model of neighbouring words can reach.

    The floor is the negative log probability of the sentences, over the 9 predictions (8 words and
    a mark) of each. By the chain rule it is the same in both directions.
    """
    elmo, length = reference("elmo"), 8
    torch.manual_seed(0)
    model = elmo.Elmo(
        elmo.ElmoConfig(
            max_characters=length,
            char_size=8,
            filters=((1, 8), (2, 16), (3, 16)),
            num_highways=1,
            projection_size=16,
            cell_size=48,
            vocab_size=8,
        )
    )
    spelled = elmo.char_ids(CHAIN_WORDS, length)

    def loss(words: Tensor) -> Tensor:
        token_ids = torch.nn.functional.pad(words + 2, (1, 0))
        token_ids = torch.nn.functional.pad(token_ids, (0, 1), value=1)
        return model.loss(spelled[words], token_ids)

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - step / 200)
        optimizer.zero_grad()
        loss(chain(64, step)).backward()
        optimizer.step()
    test = chain(1000, 10_000)
    is_repeat = test[:, 2:] == test[:, :-2]
    of_repeat, of_other = REPEATS + (1 - REPEATS) / 6, (1 - REPEATS) / 6
    pairs = torch.where(is_repeat, of_repeat, of_other).log().sum(1)  # the last 6 words
    floor = -float((pairs + 2 * torch.tensor(1 / 6).log()).mean()) / 9
    # To a model of neighbours, all words are equally likely: 8 times log 6.
    neighbours = 8 * float(torch.tensor(6.0).log()) / 9
    with torch.no_grad():
        found = float(loss(test))
    assert floor - 0.02 < found < floor + 0.1
    assert found < neighbours - 0.7


def test_ids_of_another_integer_type_give_the_same() -> None:
    model = small_elmo()
    ids = reference("elmo").batch_char_ids([["a", "bank"], ["river"]], 9)
    with torch.no_grad():
        for one, other in zip(model(ids), model(ids.int()), strict=True):
            assert torch.equal(one, other)
