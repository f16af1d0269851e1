"""What BERT is trained on, and what is made of its vectors."""

import pytest
import torch

from tests.models.agreement import (
    STRICT,
    assert_agree,
    reference,
)


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
