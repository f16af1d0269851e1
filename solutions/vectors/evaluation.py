"""Chapter 2: how good are word vectors? Compare them with what people say."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor


class SimilarityResult(NamedTuple):
    """Agreement with people's judgements of similarity.

    Attributes:
        correlation: Spearman's rank correlation over the covered pairs, -1 to 1; NaN if fewer
            than two pairs are covered.
        covered: number of pairs of which both words have a vector.
        total: number of pairs.
    """

    correlation: float
    covered: int
    total: int


class AnalogyResult(NamedTuple):
    """Answers to analogy questions.

    Attributes:
        correct: number of questions answered as the file does.
        covered: number of questions of which all four words have a vector.
        total: number of questions.
    """

    correct: int
    covered: int
    total: int


def spearman(first: Tensor, second: Tensor) -> float:
    """Give Spearman's rank correlation: Pearson's correlation of the ranks, ties averaged.

    Args:
        first: n numbers, shape (n,).
        second: n numbers, shape (n,).

    Returns:
        The correlation, -1 to 1; NaN if n is below 2 or one side has the same value everywhere.

    Raises:
        ValueError: if the two differ in length.
    """
    if first.shape != second.shape:
        raise ValueError(f"cannot correlate {len(first)} numbers with {len(second)}")
    a, b = _average_ranks(first), _average_ranks(second)
    a, b = a - a.mean(), b - b.mean()
    return float((a @ b) / (a.norm() * b.norm()))


def similarity_correlation(
    words: Sequence[str], vectors: Tensor, pairs: Iterable[tuple[str, str, float]]
) -> SimilarityResult:
    """Compare cosines of word vectors with people's judgements.

    Args:
        words: the vocabulary, V words.
        vectors: shape (V, D), float.
        pairs: two words and how similar people find them.

    Returns:
        Spearman's correlation over the pairs of which both words have a vector, and their number.
        Look at both: a small vocabulary may leave out the difficult half.
    """
    index = {word: number for number, word in enumerate(words)}
    pairs = list(pairs)
    known = [pair for pair in pairs if pair[0] in index and pair[1] in index]
    first = vectors[[index[word] for word, _, _ in known]]  # (n, D)
    second = vectors[[index[word] for _, word, _ in known]]  # (n, D)
    cosines = torch.nn.functional.cosine_similarity(first, second, dim=1)
    judgements = torch.tensor([judgement for _, _, judgement in known])
    return SimilarityResult(spearman(cosines, judgements), len(known), len(pairs))


def read_analogies(path: str | os.PathLike[str]) -> dict[str, list[tuple[str, str, str, str]]]:
    """Read analogy questions in the format of ``questions-words.txt``, in lower case.

    Args:
        path: a text file; a line ": name" opens a section, other lines hold four words.

    Returns:
        Questions (a, b, c, d), "a is to b as c is to d", for each section in the file's order.

    Raises:
        ValueError: if a line does not hold four words, or comes before the first section.
    """
    sections: dict[str, list[tuple[str, str, str, str]]] = {}
    section: list[tuple[str, str, str, str]] | None = None
    text = Path(path).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(":"):
            section = sections.setdefault(line[1:].strip(), [])
            continue
        fields = line.lower().split()
        if not fields:
            continue
        if section is None or len(fields) != 4:
            raise ValueError(f"{path}, line {number}: expected four words of a section: {line!r}")
        section.append((fields[0], fields[1], fields[2], fields[3]))
    return sections


def analogy_accuracy(
    words: Sequence[str],
    vectors: Tensor,
    questions: Iterable[tuple[str, str, str, str]],
    batch_size: int = 256,
) -> AnalogyResult:
    """Answer analogy questions as ``analogy`` does (3CosAdd), many at a time.

    Args:
        words: the vocabulary, V words.
        vectors: shape (V, D), float.
        questions: (a, b, c, d), "a is to b as c is to d".
        batch_size: how many questions are answered at once; a matrix of so many rows and V columns
            is needed.

    Returns:
        How many were right, how many could be asked, how many there were.
    """
    index = {word: number for number, word in enumerate(words)}
    questions = list(questions)
    known = [[index[word] for word in four] for four in questions if all(w in index for w in four)]
    unit = torch.nn.functional.normalize(vectors, dim=1)
    correct = 0
    asked = torch.tensor(known, dtype=torch.int64).reshape(-1, 4)
    for start in range(0, len(asked), batch_size):
        batch = asked[start : start + batch_size]
        a, b, c, d = batch.unbind(dim=1)
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T  # (batch, V)
        scores.scatter_(1, batch[:, :3], -torch.inf)  # the words of the question
        correct += int((scores.argmax(dim=1) == d).sum())
    return AnalogyResult(correct, len(known), len(questions))


def _average_ranks(values: Tensor) -> Tensor:
    """Give each number's place in ascending order; equal numbers share their places' mean."""
    _, group, sizes = torch.unique(values, return_inverse=True, return_counts=True)
    last = sizes.cumsum(0)
    ranks: Tensor = (last - (sizes - 1) / 2)[group]
    return ranks.double()
