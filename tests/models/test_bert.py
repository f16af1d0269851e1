"""BERT in agreement with transformers, and what it learns."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from torch import Tensor
from transformers import BertModel

from autograder.notebook import data
from tests.models.agreement import (
    GRADIENTS,
    STRICT,
    Mutation,
    assert_agree,
    randomise,
    reference,
)
from tests.models.tiny_bert import PADDED, inputs, saved


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


def agree_wordpiece() -> None:
    """The pieces are those of the library that the released tokenizers are built with."""
    names = ["[UNK]", "a", "ab", "abc", "##a", "##b", "##bc", "##cab", "c", "##c"]
    vocabulary = {name: number for number, name in enumerate(names)}
    theirs = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    for length in range(1, 6):
        for letters in itertools.product("abcd"[: 4 if length < 5 else 3], repeat=length):
            word = "".join(letters)
            assert reference("bert").wordpiece(word, vocabulary) == theirs.encode(word).tokens, word
    assert reference("bert").wordpiece("", vocabulary) == []


AGREEMENTS: list[Callable[[], None]] = [
    agree_gelu,
    agree_wordpiece,
    agree_7_heads_erf,
    agree_12_heads_tanh,
    agree_length_1,
    agree_gradients,
]

MUTATIONS = [
    Mutation("bert", "range(len(word), start, -1)", "range(start + 1, len(word) + 1)"),
    Mutation("bert", '"##" if start > 0 else ""', '""'),
    Mutation("bert", 'return ["[UNK]"]', 'return [*pieces, "[UNK]"]'),
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
    Mutation("bert", "token_type_ids, embeddings, eps)", "token_type_ids, embeddings, 1e-12)"),
    Mutation(
        "bert",
        '_without_gradient(embeddings["token_embedding"], pad_id)',
        'self.embeddings["token_embedding"]',
    ),
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
