"""BERT in agreement with transformers, and what it learns."""

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import BertConfig, BertForPreTraining, BertModel

from autograder.notebook import data
from solutions.checkpoints.files import CheckpointError
from tests.models.agreement import (
    GRADIENTS,
    STRICT,
    Mutation,
    assert_agree,
    randomise,
    reference,
)
from tests.models.stored import (
    Spoil,
    changed,
    check_half_precision,
    read,
    with_tensor,
    without,
    write,
)

_FOLDERS = tempfile.TemporaryDirectory()


@cache
def saved(num_heads: int = 6, **changes: Any) -> tuple[BertForPreTraining, Path]:
    """A small BERT of transformers with weights that bite, and the folder that it is saved in."""
    sizes = {
        "vocab_size": 61,
        "hidden_size": 84 if num_heads in (6, 7, 12) else 8 * num_heads,
        "num_hidden_layers": 2,
        "num_attention_heads": num_heads,
        "intermediate_size": 40,
        "max_position_embeddings": 24,
        "layer_norm_eps": 1e-3,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "attn_implementation": "eager",
    }
    model = randomise(BertForPreTraining(BertConfig(**(sizes | changes))))
    folder = Path(tempfile.mkdtemp(dir=_FOLDERS.name))
    model.save_pretrained(folder)
    return model, folder


def inputs(mask: list[list[int]] | None = None, seed: int = 1) -> dict[str, Tensor]:
    """Three texts of 9 tokens, or as many as the mask has, in two segments."""
    generator = torch.Generator().manual_seed(seed)
    shape = (3, 9) if mask is None else (len(mask), len(mask[0]))
    given = {
        "input_ids": torch.randint(61, shape, generator=generator),
        "token_type_ids": torch.randint(2, shape, generator=generator),
    }
    if mask is not None:
        given["attention_mask"] = torch.tensor(mask)
    return given


PADDED = [
    [1, 1, 1, 1, 1, 0, 0],  # on the right
    [0, 0, 1, 1, 1, 1, 1],  # on the left
    [1, 1, 0, 0, 1, 0, 1],  # in the middle
    [1, 1, 1, 1, 1, 1, 1],
]


def agree(num_heads: int, mask: list[list[int]] | None = None, **changes: Any) -> None:
    """Every output agrees with transformers' at the real tokens."""
    theirs, folder = saved(num_heads, **changes)
    ours = reference("bert").Bert.from_pretrained(folder)
    given = inputs(mask)
    with torch.no_grad():
        expected = theirs(**given, output_hidden_states=True)
        pooled = theirs.bert(**given).pooler_output
        found = ours(**given)
    is_real = given.get("attention_mask", torch.ones_like(given["input_ids"])).bool()
    for number, pair in enumerate(zip(found.hidden_states, expected.hidden_states, strict=True)):
        assert_agree(pair[0][is_real], pair[1][is_real], f"hidden state {number}", STRICT)
    assert_agree(
        found.prediction_logits[is_real], expected.prediction_logits[is_real], "tokens", STRICT
    )
    assert_agree(
        found.seq_relationship_logits, expected.seq_relationship_logits, "next sentence", STRICT
    )
    assert_agree(found.pooler_output, pooled, "pooler", STRICT)


def agree_7_heads_erf() -> None:
    agree(7, PADDED)


def agree_12_heads_tanh() -> None:
    agree(12, hidden_act="gelu_new", layer_norm_eps=1e-5)


def agree_length_1() -> None:
    agree(6, [[1]])


def agree_gradients() -> None:
    """The loss of pre-training and the gradient of every parameter."""
    theirs, folder = saved(6)
    bert = reference("bert")
    ours = bert.Bert.from_pretrained(folder)
    given = inputs(PADDED)
    generator = torch.Generator().manual_seed(2)
    labels = torch.randint(61, given["input_ids"].shape, generator=generator)
    labels[
        (torch.rand(labels.shape, generator=generator) < 0.5) | (torch.tensor(PADDED) == 0)
    ] = -100
    following = torch.tensor([0, 1, 1, 0])
    theirs.zero_grad()
    expected = theirs(**given, labels=labels, next_sentence_label=following).loss
    expected.backward()
    output = ours(**given)
    loss = bert.masked_lm_loss(output.prediction_logits, labels)
    loss = loss + torch.nn.functional.cross_entropy(output.seq_relationship_logits, following)
    loss.backward()
    assert_agree(loss, expected, "loss", STRICT)
    loader = reference("checkpoints.bert")
    gradients = {name.removeprefix("bert."): p.grad for name, p in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        assert_agree(
            parameter.grad, gradients.pop(loader._their_name(name)), f"gradient {name}", GRADIENTS
        )
    assert not gradients, f"gradients that we lack: {list(gradients)}"


def agree_gelu() -> None:
    x = torch.linspace(-6, 6, 101)
    for approximate in ("none", "tanh"):
        ours = reference("bert").gelu(x, approximate)
        assert_agree(
            ours, torch.nn.functional.gelu(x, approximate=approximate), approximate, STRICT
        )


AGREEMENTS: list[Callable[[], None]] = [
    agree_gelu,
    agree_7_heads_erf,
    agree_12_heads_tanh,
    agree_length_1,
    agree_gradients,
]

MUTATIONS = [
    Mutation("bert", "x * (1 + torch.erf(x / math.sqrt(2))) / 2", "x * (1 + torch.erf(x)) / 2"),
    Mutation("bert", "0.044715 * x**3", "0.045 * x**3"),
    Mutation("bert", "math.sqrt(2 / math.pi)", "math.sqrt(math.pi / 2)"),
    Mutation("bert", "torch.arange(input_ids.shape[1])", "torch.arange(1, input_ids.shape[1] + 1)"),
    Mutation("bert", "F.embedding(token_type_ids,", "F.embedding(1 - token_type_ids,"),
    Mutation(
        "bert", 'weights["bias"], eps)\n\n\ndef gelu', 'weights["bias"], 1e-12)\n\n\ndef gelu'
    ),
    Mutation("bert", "F.gelu(inner, approximate=approximate)", "F.gelu(inner)"),
    Mutation("bert", "F.gelu(dense, approximate=self.config.gelu)", "F.gelu(dense)"),
    Mutation("bert", "F.gelu(dense, approximate=self.config.gelu)", "F.relu(dense)"),
    Mutation("bert", "mask, config.gelu, eps)", "mask, config.gelu)"),
    Mutation("bert", "None if attention_mask is None else padding_mask(attention_mask)", "None"),
    Mutation("bert", ").tanh()", ")"),
    Mutation("bert", "self._pool(x[:, 0])", "self._pool(x[:, -1])"),
    Mutation("bert", "self.embeddings, eps, pad_id)", "self.embeddings, 1e-12, pad_id)"),
    Mutation(
        "transformer",
        '**weights["feed_forward_norm"], eps=eps)\n\n\ndef decoder_layer',
        '**weights["feed_forward_norm"])\n\n\ndef decoder_layer',
    ),
    Mutation(
        "transformer",
        'F.layer_norm(x + attended, x.shape[-1:], **weights["attention_norm"]',
        'F.layer_norm(attended, x.shape[-1:], **weights["attention_norm"]',
    ),
    Mutation(
        "attention",
        "attention_mask.bool()[:, None, None, :]",
        "~attention_mask.bool()[:, None, None, :]",
    ),
    Mutation(
        "attention",
        "reshape(batch, time, num_heads, -1).transpose(1, 2)",
        "reshape(batch, time, -1, num_heads).permute(0, 3, 1, 2)",
    ),
    Mutation(
        "attention", 'weights["value_weight"], weights.get("value_bias")', 'weights["key_weight"]'
    ),
    Mutation("checkpoints.bert", '"gelu_new": "tanh"', '"gelu_new": "none"'),
]


@pytest.mark.parametrize("mask", [None, PADDED, [[1]], [[1, 1, 1, 1, 1]]], ids=str)
@pytest.mark.parametrize("num_heads", [6, 7, 12])
def test_outputs_agree_with_transformers(num_heads: int, mask: list[list[int]] | None) -> None:
    agree(num_heads, mask)


@pytest.mark.parametrize("hidden_act", ["gelu", "gelu_new", "gelu_pytorch_tanh"])
@pytest.mark.parametrize("eps", [1e-12, 1e-5, 1e-2])
def test_each_activation_and_eps_agrees(hidden_act: str, eps: float) -> None:
    agree(6, PADDED, hidden_act=hidden_act, layer_norm_eps=eps)


def test_loss_and_gradients_agree_with_transformers() -> None:
    agree_gradients()


def test_gelu_agrees_with_torch() -> None:
    agree_gelu()


# ---------------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_file_cut_off_anywhere_is_a_sentence_that_names_it(tmp_path: Path, is_zip: bool) -> None:
    config, tensors = read(saved()[1])
    (tmp_path / "config.json").write_text(json.dumps(config))
    file = tmp_path / "pytorch_model.bin"
    torch.save(tensors, file, _use_new_zipfile_serialization=is_zip)
    content = file.read_bytes()
    for end in (*range(0, 3000, 37), len(content) // 2, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(CheckpointError, match=r"pytorch_model\.bin: the file is damaged"):
            reference("bert").Bert.from_pretrained(tmp_path)


def _same_logits(one: Path, other: Path, tolerance: tuple[float, float] = (0.0, 0.0)) -> None:
    bert = reference("bert")
    with torch.no_grad():
        first = bert.Bert.from_pretrained(one)(**inputs()).prediction_logits
        second = bert.Bert.from_pretrained(other)(**inputs()).prediction_logits
    assert_agree(first, second, "logits", tolerance)


def _google(name: str) -> str:
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
        "LayerNorm.bias", "LayerNorm.beta"
    )


def test_the_spelling_of_googles_code_is_read(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    old = {_google(name): tensor for name, tensor in tensors.items()}
    del config["model_type"]  # Google's bert_config.json has none
    _same_logits(write(tmp_path / "old", config, old), saved()[1])


def test_a_stale_buffer_and_doubled_tied_weights_are_read(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    tensors["bert.embeddings.position_ids"] = torch.arange(24).unsqueeze(0)
    tensors["cls.predictions.decoder.weight"] = tensors[
        "bert.embeddings.word_embeddings.weight"
    ].clone()
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].clone()
    _same_logits(write(tmp_path / "doubled", config, tensors), saved()[1])


def test_either_copy_of_tied_weights_is_enough(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    for name, twin in (
        ("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"),
        ("cls.predictions.bias", "cls.predictions.decoder.bias"),
    ):
        tensors.pop(twin, None)
        tensors[twin] = tensors.pop(name)
    _same_logits(write(tmp_path / "twins", config, tensors), saved()[1])


def test_untied_weights_are_refused(tmp_path: Path) -> None:
    config, tensors = read(saved()[1])
    tensors["cls.predictions.decoder.weight"] = torch.zeros(61, 84)
    with pytest.raises(CheckpointError, match=r"cls\.predictions\.decoder\.weight.*tied"):
        reference("bert").Bert.from_pretrained(write(tmp_path / "untied", config, tensors))


def test_a_checkpoint_without_heads_and_prefix_has_hidden_states_only(tmp_path: Path) -> None:
    theirs, _ = saved()
    model = BertModel(theirs.config, add_pooling_layer=False)
    model.load_state_dict(theirs.bert.state_dict(), strict=False)
    model.save_pretrained(tmp_path)
    ours = reference("bert").Bert.from_pretrained(tmp_path)
    with torch.no_grad():
        output = ours(**inputs())
        expected = model.eval()(**inputs()).last_hidden_state
    assert_agree(output.hidden_states[-1], expected, "hidden states", STRICT)
    assert output[:3] == (None, None, None)


def test_half_precision_torch_files_and_shards_are_read(tmp_path: Path) -> None:
    theirs, whole = saved()
    check_half_precision(whole, tmp_path, _same_logits)
    theirs.save_pretrained(tmp_path / "sharded", max_shard_size="60KB")
    assert (tmp_path / "sharded" / "model.safetensors.index.json").exists()
    _same_logits(tmp_path / "sharded", whole)


QUERY = "bert.encoder.layer.1.attention.self.query.weight"


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (changed(model_type="gpt2"), "of type 'gpt2'.*'bert'"),
        (changed(hidden_act="swish"), "hidden_act is 'swish'.*not supported"),
        (changed(position_embedding_type="relative_key"), "position_embedding_type"),
        (changed(is_decoder=True), "is_decoder"),
        (changed(hidden_size="84"), "hidden_size is '84'.*int"),
        (changed(num_attention_heads=5), "hidden_size is 84.*5 heads"),
        (without("vocab_size"), "'vocab_size' is missing"),
        (without(QUERY), "'bert.encoder.layer.1.attention.self.query.weight' is missing"),
        (with_tensor(QUERY, torch.zeros(84, 83)), r"self.query.weight.*\(84, 83\).*\(84, 84\)"),
        (with_tensor(QUERY, torch.zeros(84, 84, dtype=torch.int8)), "query.weight.*quantised"),
        (with_tensor("classifier.weight", torch.zeros(2, 84)), "no place for 'classifier.weight'"),
        (with_tensor("bert.foo.weight", torch.zeros(2)), "no place for 'bert.foo.weight'"),
        (without("bert.pooler.dense.weight"), "'bert.pooler.dense.weight' is missing"),
        (without("cls.seq_relationship.weight"), "'cls.seq_relationship.weight' is missing"),
        (changed(num_attention_heads=0), "hidden_size is 84.*0 heads"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_a_sentence_that_names_it(
    tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    config, tensors = read(saved()[1])
    spoil(config, tensors)
    with pytest.raises(CheckpointError, match=sentence):
        reference("bert").Bert.from_pretrained(write(tmp_path / "spoilt", config, tensors))


# ---------------------------------------------------------------------------- properties


def _small_bert() -> Any:
    bert = reference("bert")
    sizes = {"vocab_size": 19, "hidden_size": 12, "num_layers": 2, "num_heads": 3}
    return randomise(
        bert.Bert(bert.BertConfig(**sizes, intermediate_size=16, max_positions=16, norm_eps=1e-5))
    )


@settings(max_examples=20, deadline=None)
@given(
    length=st.integers(1, 8),
    left=st.integers(0, 4),
    right=st.integers(0, 4),
    filler=st.integers(0, 18),
)
def test_what_stands_in_the_padding_does_not_matter(
    length: int, left: int, right: int, filler: int
) -> None:
    model = _small_bert()
    ids = torch.arange(length + left + right).unsqueeze(0) % 19
    mask = torch.tensor([[0] * left + [1] * length + [0] * right])
    refilled = torch.where(mask.bool(), ids, filler)
    with torch.no_grad():
        one = model(ids, mask).prediction_logits[mask.bool()]
        other = model(refilled, mask).prediction_logits[mask.bool()]
    assert_agree(one, other, "logits of real tokens", STRICT)


def test_a_text_of_padding_only_gives_numbers() -> None:
    model = _small_bert().train()
    ids, mask = torch.ones(2, 3, dtype=torch.int64), torch.tensor([[0, 0, 0], [1, 1, 0]])
    loss = model(ids, mask).prediction_logits.sum()
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ({"input_ids": torch.tensor([[0, 19]])}, IndexError, "ids from 0 to 19.*0 to 18"),
        ({"input_ids": torch.zeros(3, dtype=torch.int64)}, ValueError, r"\(batch, time\)"),
        ({"input_ids": torch.zeros(2, 0, dtype=torch.int64)}, ValueError, "no token to read"),
        ({"input_ids": torch.zeros(1, 17, dtype=torch.int64)}, ValueError, "17 tokens.*16"),
        (
            {
                "input_ids": torch.zeros(1, 4, dtype=torch.int64),
                "attention_mask": torch.ones(1, 3),
            },
            ValueError,
            r"attention_mask.*\(1, 3\).*\(1, 4\)",
        ),
        (
            {
                "input_ids": torch.zeros(1, 1, dtype=torch.int64),
                "token_type_ids": torch.tensor([[2]]),
            },
            IndexError,
            "token_type_ids",
        ),
    ],
)
def test_a_wrong_call_is_a_sentence(
    call: dict[str, Tensor], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        _small_bert()(**call)


# ---------------------------------------------------------------------------- exercises


def test_masking_chooses_15_percent_and_hides_them_80_10_10() -> None:
    bert = reference("bert")
    ids = torch.randint(5, 1000, (200, 500), generator=torch.Generator().manual_seed(0))
    is_special = torch.rand(ids.shape, generator=torch.Generator().manual_seed(1)) < 0.1
    masked, labels = bert.mask_tokens(ids, is_special, mask_id=4, vocab_size=1000, seed=3)
    chosen = labels != -100
    assert not chosen[is_special].any()
    assert torch.equal(labels[chosen], ids[chosen])
    assert torch.equal(masked[~chosen], ids[~chosen])
    # 90,000 tokens may be chosen; five standard deviations around each share.
    count = int((~is_special).sum())
    assert abs(chosen.float().sum() / count - 0.15) < 5 * (0.15 * 0.85 / count) ** 0.5
    total = int(chosen.sum())
    random_kept = 0.1 / 1000  # a drawn token is the same one by chance
    for found, share in (
        ((masked == 4)[chosen], 0.8 + random_kept),
        ((masked == ids)[chosen], 0.1 + random_kept),
        (((masked != ids) & (masked != 4))[chosen], 0.1 * (1 - 2 / 1000)),
    ):
        assert abs(found.float().mean() - share) < 5 * (share * (1 - share) / total) ** 0.5
    again = bert.mask_tokens(ids, is_special, mask_id=4, vocab_size=1000, seed=3)
    assert torch.equal(again[0], masked)


def test_without_a_label_the_loss_is_zero_and_has_a_gradient() -> None:
    logits = torch.randn(2, 3, 5, requires_grad=True)
    loss = reference("bert").masked_lm_loss(logits, torch.full((2, 3), -100))
    loss.backward()
    assert loss == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_tokens_that_are_impossible_spoil_no_loss() -> None:
    logits = torch.tensor([[[0.5, 0.0, -torch.inf], [0.0, 0.0, -torch.inf]]])
    loss = reference("bert").masked_lm_loss
    assert loss(logits, torch.tensor([[-100, -100]])) == 0
    expected = torch.nn.functional.cross_entropy(logits[0], torch.tensor([1, 0]))
    assert_agree(loss(logits, torch.tensor([[1, 0]])), expected, "loss", STRICT)


def test_half_of_the_pairs_are_neighbours_and_the_rest_comes_from_other_documents() -> None:
    documents = [[f"{document}-{number}" for number in range(101)] for document in range(20)]
    pairs = reference("bert").next_sentence_pairs(documents, seed=5)
    assert [pair[0] for pair in pairs] == [s for document in documents for s in document[:-1]]
    for first, second, label in pairs:
        document, number = first.split("-")
        if label == 0:
            assert second == f"{document}-{int(number) + 1}"
        else:
            assert second.split("-")[0] != document
    share = sum(label for *_, label in pairs) / len(pairs)
    assert abs(share - 0.5) < 5 * (0.25 / len(pairs)) ** 0.5
    assert pairs != reference("bert").next_sentence_pairs(documents, seed=6)


def test_one_document_gives_no_random_sentence() -> None:
    with pytest.raises(ValueError, match="at least two"):
        reference("bert").next_sentence_pairs([["a", "b"], []], seed=0)


def test_the_mean_is_over_real_tokens() -> None:
    hidden = torch.randn(3, 4, 5)
    mask = torch.tensor([[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0]])
    pooled = reference("bert").mean_pool(hidden, mask)
    assert_agree(pooled[0], hidden[0, :2].mean(0), "right padding")
    assert_agree(pooled[1], hidden[1, [1, 3]].mean(0), "holes")
    assert torch.equal(pooled[2], torch.zeros(5))


# ---------------------------------------------------------------------------- training


@pytest.mark.slow
def test_it_learns_to_look_to_both_sides() -> None:
    """The masked token of a Markov chain is predicted better than from its left side alone."""
    bert = reference("bert")
    torch.manual_seed(0)
    states, length = 6, 13
    generator = torch.Generator().manual_seed(1)
    transition = torch.randn(states, states, generator=generator).mul(1.5).softmax(-1)
    stationary = torch.linalg.matrix_power(transition, 200)[0]
    # Exact floors in nats: what the left neighbour, and what both neighbours leave open.
    left_floor = -(stationary[:, None] * transition * transition.log()).sum()
    joint = stationary[:, None, None] * transition[:, :, None] * transition[None]  # left, x, right
    both_floor = -(joint * (joint / joint.sum(1, keepdim=True)).log()).sum()
    mask_id = states

    def batch(size: int) -> tuple[Tensor, Tensor]:
        chain = [torch.multinomial(stationary, size, replacement=True, generator=generator)]
        for _ in range(length - 1):
            rows = transition[chain[-1]]
            chain.append(torch.multinomial(rows, 1, generator=generator).squeeze(1))
        ids = torch.stack(chain, 1)
        labels = torch.full_like(ids, -100)
        start = int(torch.randint(1, 4, (1,), generator=generator))
        hidden = slice(start, length - 1, 3)  # every third, so that both neighbours are seen
        labels[:, hidden] = ids[:, hidden]
        return torch.where(labels == -100, ids, mask_id), labels

    model = bert.Bert(
        bert.BertConfig(
            vocab_size=states + 1,
            hidden_size=48,
            num_layers=2,
            num_heads=4,
            intermediate_size=96,
            max_positions=length,
            initializer_range=0.1,
            has_next_sentence_head=False,
        )
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(160):
        ids, labels = batch(128)
        loss = bert.masked_lm_loss(model(ids).prediction_logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        ids, labels = batch(4000)
        loss = bert.masked_lm_loss(model(ids).prediction_logits, labels)
    assert both_floor < left_floor - 0.2, "the task would not need both sides"
    assert loss < (both_floor + left_floor) / 2
    assert loss > both_floor - 0.1, "better than possible: the label leaks"


@pytest.mark.data
def test_minilm_gives_the_sentence_vectors_of_transformers() -> None:
    folder = data.path("minilm")
    bert = reference("bert")
    ours, theirs = bert.Bert.from_pretrained(folder), BertModel.from_pretrained(folder).eval()
    assert ours.config.num_layers == 6
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1000, 20000, (4, 17), generator=generator)
    mask = (torch.arange(17) < torch.tensor([[17], [9], [1], [12]])).long()
    with torch.no_grad():
        expected = theirs(ids, attention_mask=mask).last_hidden_state
        found = ours(ids, mask).hidden_states[-1]
    assert_agree(found[mask.bool()], expected[mask.bool()], "hidden states", STRICT)
    vectors = torch.nn.functional.normalize(bert.mean_pool(found, mask))
    weighted = (expected * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    assert_agree(vectors, torch.nn.functional.normalize(weighted), "sentence vectors", STRICT)
