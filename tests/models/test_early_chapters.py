"""One-hot and word2vec in agreement with torch, numpy and gensim."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from gensim.models import KeyedVectors
from torch import Tensor

from tests.models.agreement import STRICT, Mutation, assert_agree, reference


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def agree_one_hot() -> None:
    ids = torch.tensor([[3, 0], [4, 4]])
    one_hot = reference("one_hot")
    assert_agree(one_hot.one_hot(ids, 5), F.one_hot(ids, 5).float(), "one-hot", (0.0, 0.0))
    counts = torch.stack([torch.bincount(text, minlength=5) for text in ids]).float()
    assert_agree(one_hot.bag_of_words(ids, 5), counts, "counts", (0.0, 0.0))


def agree_lookup() -> None:
    """The product and the look-up give what torch's embedding gives, and its gradient."""
    ids = torch.tensor([[3, 0], [3, 4]])
    matrix = random(5, 4).requires_grad_()
    expected = F.embedding(ids, matrix)
    gradient = torch.autograd.grad(expected.sin().sum(), matrix)[0]
    for name in ("embed_by_matmul", "embed_by_lookup"):
        found = getattr(reference("one_hot"), name)(ids, matrix)
        assert_agree(found, expected, name, STRICT)
        assert_agree(torch.autograd.grad(found.sin().sum(), matrix)[0], gradient, name, STRICT)


def agree_cosine() -> None:
    vectors = torch.cat([random(6, 4), torch.zeros(1, 4)])
    expected = F.cosine_similarity(vectors[:, None], vectors[None], dim=-1)
    found = reference("one_hot").cosine_similarity_matrix(vectors)
    assert_agree(found, expected, "cosine", STRICT)


def agree_softmax_loss() -> None:
    vector, outputs = random(4).requires_grad_(), random(7, 4, seed=1).requires_grad_()
    expected = F.cross_entropy((outputs @ vector)[None], torch.tensor([3]))
    gradients = torch.autograd.grad(expected, [vector, outputs])
    with torch.no_grad():
        found = reference("word2vec").naive_softmax_loss_and_grad(vector, outputs, 3)
    for one, other in zip(found, (expected, *gradients), strict=True):
        assert_agree(one, other, "naive softmax", STRICT)


def _sampled(vector: Tensor, outputs: Tensor, target: int, negatives: Tensor) -> Tensor:
    noise = sum(F.softplus(outputs[word] @ vector) for word in negatives.tolist())
    return F.softplus(-outputs[target] @ vector) + noise


def agree_negative_sampling() -> None:
    vector, outputs = random(4).requires_grad_(), random(7, 4, seed=1).requires_grad_()
    negatives = torch.tensor([5, 5, 3, 0])
    expected = _sampled(vector, outputs, 3, negatives)
    gradients = torch.autograd.grad(expected, [vector, outputs])
    with torch.no_grad():
        word2vec = reference("word2vec")
        found = word2vec.negative_sampling_loss_and_grad(vector, outputs, 3, negatives)
    for one, other in zip(found, (expected, *gradients), strict=True):
        assert_agree(one, other, "negative sampling", STRICT)


def agree_step() -> None:
    """One step is one step of torch's SGD on the summed loss."""
    inputs, outputs = random(7, 4).requires_grad_(), random(7, 4, seed=1).requires_grad_()
    centers, contexts = torch.tensor([1, 1, 4]), torch.tensor([2, 0, 1])
    negatives = torch.tensor([[5, 5], [2, 6], [1, 3]])
    before = inputs.detach().clone(), outputs.detach().clone()
    losses = [
        _sampled(inputs[center], outputs, int(context), noise)
        for center, context, noise in zip(centers, contexts, negatives, strict=True)
    ]
    optimizer = torch.optim.SGD([inputs, outputs], lr=0.3)
    torch.stack(losses).sum().backward()
    optimizer.step()
    found = reference("word2vec").sgns_step(*before, centers, contexts, negatives, 0.3)
    for one, other in zip(found, (inputs, outputs, torch.stack(losses).mean()), strict=True):
        assert_agree(one, other, "step", STRICT)


def agree_neighbours() -> None:
    vectors = random(40, 6)
    keyed = KeyedVectors(6)
    keyed.add_vectors([str(number) for number in range(40)], vectors.numpy())
    ids, cosines = reference("word2vec").most_similar(vectors, 7, 5)
    expected = keyed.most_similar("7", topn=5)
    assert [str(number) for number in ids.tolist()] == [word for word, _ in expected]
    assert_agree(cosines, torch.tensor([cosine for _, cosine in expected]), "cosines", STRICT)
    answers = reference("word2vec").analogy(vectors, 3, 8, 20, k=5)
    expected = keyed.most_similar(positive=["8", "20"], negative=["3"], topn=5)
    assert [str(number) for number in answers.tolist()] == [word for word, _ in expected]


def agree_noise_and_subsampling() -> None:
    counts = torch.tensor([900, 90, 10])
    word2vec = reference("word2vec")
    frequency = np.array([0.9, 0.09, 0.01])
    noise = frequency**0.75 / (frequency**0.75).sum()
    assert_agree(word2vec.noise_distribution(counts), torch.tensor(noise).float(), "noise", STRICT)
    for formula, more in (("paper", 0.0), ("code", 1.0)):
        ratio = 0.02 / frequency
        kept = np.minimum(np.sqrt(ratio) + more * ratio, 1.0)
        found = word2vec.keep_probability(counts, 0.02, formula)
        assert_agree(found, torch.tensor(kept).float(), formula, STRICT)


AGREEMENTS: list[Callable[[], None]] = [
    agree_one_hot,
    agree_lookup,
    agree_cosine,
    agree_softmax_loss,
    agree_negative_sampling,
    agree_step,
    agree_neighbours,
    agree_noise_and_subsampling,
]

MUTATIONS = [
    Mutation("one_hot", "ids.unsqueeze(-1) == places", "ids.unsqueeze(-1) == places + 1"),
    Mutation("one_hot", "return unit @ unit.T", "return unit @ vectors.T"),
    Mutation("one_hot", "counts.scatter_add(-1, ids", "counts.scatter(-1, ids"),
    Mutation("one_hot", "return embedding_matrix[ids]", "return embedding_matrix[ids.flip(-1)]"),
    Mutation("word2vec", "errors[target] -= 1.0", "errors[target] += 1.0"),
    Mutation(
        "word2vec",
        "torch.outer(errors, center_vector)\n\n",
        "torch.outer(errors, 2 * center_vector)\n\n",
    ),
    Mutation("word2vec", "    labels[0] = 1.0", "    labels[1] = 1.0"),
    Mutation(
        "word2vec",
        "grad_output.index_add_(0, words, torch.outer(errors, center_vector))",
        "grad_output[words] = torch.outer(errors, center_vector)",
    ),
    Mutation("word2vec", "signs = 2 * labels - 1", "signs = 1 - 2 * labels"),
    Mutation(
        "word2vec",
        "(2 * labels - 1) * scores).sum(dim=1).mean()",
        "(2 * labels - 1) * scores).sum()",
    ),
    Mutation(
        "word2vec",
        "grad_outputs.flatten(0, 1), alpha=-learning_rate",
        "grad_outputs.flatten(0, 1), alpha=learning_rate",
    ),
    Mutation(
        "word2vec",
        "    center_rows = input_vectors[centers]",
        "    center_rows = output_vectors[centers]",
    ),
    Mutation("word2vec", "unit[b] - unit[a] + unit[c]", "unit[b] + unit[a] - unit[c]"),
    Mutation("word2vec", "cosines = unit @ unit[word_id]", "cosines = vectors @ vectors[word_id]"),
    Mutation("word2vec", "weights = counts**power", "weights = counts**0.5"),
    Mutation("word2vec", "ratio = threshold / frequency", "ratio = frequency / threshold"),
]


@pytest.mark.parametrize("claim", AGREEMENTS, ids=lambda claim: claim.__name__)
def test_it_agrees_with_an_independent_implementation(claim: Callable[[], None]) -> None:
    claim()
