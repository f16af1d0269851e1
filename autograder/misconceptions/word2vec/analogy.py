"""Wrong answers to the exercise `analogy`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.word2vec import best


@misconception("analogy")
def question_words_not_left_out(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You answer with a word of the question. b - a + c often lies nearest to b or c itself: leave
    out a, b and c."""
    unit = functional.normalize(vectors, dim=1)
    return best(unit @ (unit[b] - unit[a] + unit[c]), [], k)


@misconception("analogy")
def only_c_left_out(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You leave out c, but a and b can still be answers. All three words of the question are left
    out."""
    unit = functional.normalize(vectors, dim=1)
    return best(unit @ (unit[b] - unit[a] + unit[c]), [c], k)


@misconception("analogy")
def a_and_b_swapped(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You go the way from b to a. "a is to b as c is to ..." goes from a to b, starting at c: look
    at the signs."""
    unit = functional.normalize(vectors, dim=1)
    return best(unit @ (unit[a] - unit[b] + unit[c]), [a, b, c], k)


@misconception("analogy")
def rows_not_normalised(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You make b - a + c from vectors of different lengths, so that the longest one decides. Bring
    all rows to length 1 first."""
    unit = functional.normalize(vectors, dim=1)
    return best(unit @ (vectors[b] - vectors[a] + vectors[c]), [a, b, c], k)


@misconception("analogy")
def candidates_not_normalised(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Your answers are the words with the longest vectors in about the right direction. Rank by the
    cosine: the candidates need length 1, too."""
    unit = functional.normalize(vectors, dim=1)
    return best(vectors @ (unit[b] - unit[a] + unit[c]), [a, b, c], k)


@misconception("analogy")
def question_words_set_to_minus_one(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You give the words of the question the score -1, and other words can score less. Take a
    number that no score reaches, or leave the words out by their ids."""
    unit = functional.normalize(vectors, dim=1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -1
    return best(scores, [], k)


@misconception("analogy")
def analogy_ties_as_topk_has_them(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Words with the same cosine come in no certain order in your answer. `topk` makes no promise
    about them, and neither does sorting without `stable=True`: the smaller id comes first."""
    unit = functional.normalize(vectors, dim=1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices


@misconception("analogy")
def analogy_order_flipped(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Of words with the same cosine, yours come with the larger id first. You sort upwards and turn
    the result round, which turns equal ones round, too: sort downwards."""
    unit = functional.normalize(vectors, dim=1)
    order = torch.argsort(unit @ (unit[b] - unit[a] + unit[c]), stable=True).flip(0)
    return order[~torch.isin(order, torch.tensor([a, b, c]))][:k]


@misconception("analogy")
def analogy_divided_by_length_zero(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """A vector of zeros has length 0, and dividing by it gives no number, which a sort puts in
    front. A row of zeros stays as it is: look after it before you divide."""
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    return best(unit @ (unit[b] - unit[a] + unit[c]), [a, b, c], k)


@misconception("analogy")
def same_word_removed_twice(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Two words of the question may be the same, and then there is only one of them to remove. Keep
    what is not in the question, rather than remove its words one by one."""
    unit = functional.normalize(vectors, dim=1)
    order = best(unit @ (unit[b] - unit[a] + unit[c]), [], len(vectors)).tolist()
    for word in (a, b, c):
        order.remove(word)
    return torch.tensor(order[:k], dtype=torch.int64)
