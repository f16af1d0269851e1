"""Chapter 2: word2vec, from pairs of words to vectors that mean something.

The exercises of the chapter come first, in its order; what the chapter only shows comes after.
Papers: Mikolov et al. 2013a, "Efficient Estimation of Word Representations in Vector Space"
(arXiv:1301.3781), and Mikolov et al. 2013b, "Distributed Representations of Words and Phrases
and their Compositionality" (arXiv:1310.4546).
"""

import torch
from torch import Tensor

from solutions.vectors.files import load_vectors, save_vectors

__all__ = [
    "analogy",
    "cbow_loss_and_grad",
    "draw_window_sizes",
    "keep_probability",
    "linear_learning_rate",
    "load_vectors",
    "most_similar",
    "naive_softmax_loss_and_grad",
    "negative_sampling_loss_and_grad",
    "noise_distribution",
    "save_vectors",
    "sgns_step",
    "skipgram_pairs",
]


# ---------------------------------------------------------------------------- exercises


def skipgram_pairs(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """List the (centre, context) pairs of one text.

    Every position t is the centre once. Its contexts are the words at most ``window_sizes[t]``
    positions away, on either side, that the text really has; the centre's own position is not
    one of them. (The same word at another position is.)

    Args:
        token_ids: the text as word ids, shape (T,), int64. T may be 0.
        window_sizes: how far each centre looks to each side, shape (T,), int64, zero or more.

    Returns:
        Pairs of word ids, shape (number of pairs, 2), int64: column 0 the centre, column 1 the
        context. Ordered by the centre's position, then by the context's position. With no pair,
        shape (0, 2).

    Raises:
        ValueError: if ``token_ids`` and ``window_sizes`` differ in length.

    Source: Mikolov et al. 2013b, section 2, the double sum in equation 1.
    """
    if len(token_ids) != len(window_sizes):
        raise ValueError(
            f"token_ids has {len(token_ids)} entries and window_sizes {len(window_sizes)}; "
            "each position needs its own window size"
        )
    ids = token_ids.tolist()
    pairs = []
    for center, window in enumerate(window_sizes.tolist()):
        first = max(0, center - window)
        last = min(len(ids) - 1, center + window)
        for context in range(first, last + 1):
            if context != center:
                pairs.append((ids[center], ids[context]))
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)  # (number of pairs, 2)


def keep_probability(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """Give the probability with which an occurrence of each word is kept.

    With f the word's relative frequency (its count over the sum of all counts), an occurrence is
    kept with probability

    * ``formula="paper"``: sqrt(threshold / f)
    * ``formula="code"``: sqrt(threshold / f) + threshold / f, as in the released word2vec program

    and never with more than 1. A word with count 0 has probability 1.

    Args:
        counts: how often each word occurs, shape (V,), integer or float.
        threshold: a relative frequency; words rarer than that are always kept.
        formula: ``"paper"`` or ``"code"``.

    Returns:
        Probabilities from 0 to 1, shape (V,), in the dtype of ``counts`` if that is a float dtype,
        else in torch's default float dtype.

    Raises:
        ValueError: if ``formula`` is neither of the two.

    Source: Mikolov et al. 2013b, equation 5 (there the probability to discard is given).
    """
    if formula not in ("paper", "code"):
        raise ValueError(f'formula is {formula!r}; it must be "paper" or "code"')
    frequency = counts / counts.sum()
    ratio = threshold / frequency  # infinite where the count is 0
    probability = ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio
    return torch.where(counts > 0, probability.clamp(max=1.0), torch.ones_like(probability))


def noise_distribution(counts: Tensor, power: float = 0.75) -> Tensor:
    """Give the distribution that negative words are drawn from: counts to a power, normalised.

    Args:
        counts: how often each word occurs, shape (V,), integer or float, at least one above 0.
        power: the exponent; 1 gives the relative frequencies, 0 the same chance to every word
            (0 is for counts that are all above 0). With a power above 0, a word with count 0 has
            probability 0.

    Returns:
        Probabilities that sum to 1, shape (V,), in the dtype of ``counts`` if that is a float
        dtype, else in torch's default float dtype.

    Source: Mikolov et al. 2013b, section 2.2 (3/4 did better there than 1 and than 0).
    """
    weights = counts**power
    return weights / weights.sum()


def naive_softmax_loss_and_grad(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the loss of predicting one context word with a softmax over all words, and its gradient.

    The loss is -log p(target | centre), where p is the softmax of the V scores u_w . v, with v the
    centre's vector and u_w the output vector of word w. Must stay finite for scores of some
    hundreds.

    Args:
        center_vector: v, shape (D,), float.
        output_vectors: U, one row a word, shape (V, D), same dtype.
        target: id of the word to predict.

    Returns:
        loss, shape (); its gradient with respect to ``center_vector``, shape (D,); its gradient
        with respect to ``output_vectors``, shape (V, D). All in the dtype of the inputs. The
        inputs are not changed.

    Source: Mikolov et al. 2013b, equation 2.
    """
    scores = output_vectors @ center_vector  # (V,)
    log_probabilities = torch.log_softmax(scores, dim=0)  # (V,)
    errors = log_probabilities.exp()
    errors[target] -= 1.0  # predicted minus true distribution, (V,)
    return -log_probabilities[target], errors @ output_vectors, torch.outer(errors, center_vector)


def negative_sampling_loss_and_grad(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the negative-sampling loss of one pair of words, and its gradient.

    The loss is -log sigma(u_target . v) minus the sum over the K negatives of
    log sigma(-u_negative . v), with sigma the logistic function and v the centre's vector.
    A word that occurs several times among the negatives counts each time; a negative that is
    the target counts as a negative too. Must stay finite for scores of some hundreds.

    Args:
        center_vector: v, shape (D,), float.
        output_vectors: U, one row a word, shape (V, D), same dtype.
        target: id of the context word that was really there.
        negatives: ids of the words drawn from the noise, shape (K,), int64. K may be 0.

    Returns:
        loss, shape (); its gradient with respect to ``center_vector``, shape (D,); its gradient
        with respect to ``output_vectors``, shape (V, D), zero in the rows of other words. All in
        the dtype of the inputs. The inputs are not changed.

    Source: Mikolov et al. 2013b, equation 4 (there to be maximised, here its negative).
    """
    words = torch.cat([torch.tensor([target]), negatives])  # (1 + K,)
    labels = torch.zeros(len(words), dtype=center_vector.dtype)
    labels[0] = 1.0
    rows = output_vectors[words]  # (1 + K, D)
    scores = rows @ center_vector  # (1 + K,)
    signs = 2 * labels - 1  # +1 for the target, -1 for each negative
    loss = -torch.nn.functional.logsigmoid(signs * scores).sum()
    errors = torch.sigmoid(scores) - labels  # (1 + K,)
    grad_output = torch.zeros_like(output_vectors)  # (V, D)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))  # adds up repeated words
    return loss, errors @ rows, grad_output


def sgns_step(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Take one step of stochastic gradient descent on a batch of skip-gram pairs.

    Every pair has the negative-sampling loss with its own K negatives. The gradients of all
    pairs are taken at the old values of both matrices and summed over the batch (not averaged);
    then both matrices move against their sum, by the learning rate. A word that stands in the
    batch several times collects all its gradients. A negative that is its pair's own context
    counts as a negative too.

    Args:
        input_vectors: Q, one row a word, shape (V, D), float. Changed in place.
        output_vectors: U, one row a word, shape (V, D), same dtype. Changed in place.
        centers: ids of the centre words, shape (B,), int64, B at least 1.
        contexts: ids of the context words, shape (B,), int64.
        negatives: ids of each pair's negatives, shape (B, K), int64, K at least 1.
        learning_rate: the step's length.

    Returns:
        ``input_vectors`` and ``output_vectors`` (the same tensors, updated), and the loss before
        the step, the mean over the pairs, shape ().

    Source: Mikolov et al. 2013b, equation 4; the update is plain gradient descent.
    """
    words = torch.cat([contexts[:, None], negatives], dim=1)  # (B, 1 + K)
    labels = torch.zeros(words.shape, dtype=input_vectors.dtype)
    labels[:, 0] = 1.0
    center_rows = input_vectors[centers]  # a copy, (B, D)
    output_rows = output_vectors[words]  # a copy, (B, 1 + K, D)
    scores = torch.einsum("bd,bkd->bk", center_rows, output_rows)  # (B, 1 + K)
    loss = -torch.nn.functional.logsigmoid((2 * labels - 1) * scores).sum(dim=1).mean()
    errors = torch.sigmoid(scores) - labels  # (B, 1 + K)
    grad_centers = torch.einsum("bk,bkd->bd", errors, output_rows)  # (B, D)
    grad_outputs = errors[:, :, None] * center_rows[:, None, :]  # (B, 1 + K, D)
    input_vectors.index_add_(0, centers, grad_centers, alpha=-learning_rate)
    output_vectors.index_add_(0, words.flatten(), grad_outputs.flatten(0, 1), alpha=-learning_rate)
    return input_vectors, output_vectors, loss


def most_similar(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """Find the k words whose vectors have the largest cosine with the vector of one word.

    The word itself is left out. Of two words with equal cosine the smaller id comes first. A
    vector of zeros has cosine 0 with everything.

    Args:
        vectors: one row a word, shape (V, D), float.
        word_id: the word whose neighbours are wanted.
        k: how many neighbours, at most V - 1.

    Returns:
        ids, shape (k,), int64, and their cosines, shape (k,), in the dtype of ``vectors``, the
        most similar first.
    """
    lengths = vectors.norm(dim=1, keepdim=True)  # (V, 1)
    unit = vectors / torch.where(lengths > 0, lengths, torch.ones_like(lengths))  # (V, D)
    cosines = unit @ unit[word_id]  # (V,)
    order = torch.argsort(cosines, descending=True, stable=True)  # stable: smaller id first
    ids = order[order != word_id][:k]
    return ids, cosines[ids]


def analogy(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Answer "a is to b as c is to ...": the k words nearest to b - a + c.

    All rows are first brought to length 1 (a row of zeros stays as it is); b - a + c is made from
    these, and the words are ranked by their cosine with it. The three words of the question are
    left out; two of them, or all three, may be the same word. Of two words with equal cosine the
    smaller id comes first. A vector of zeros has cosine 0 with everything.

    Args:
        vectors: one row a word, shape (V, D), float.
        a, b, c: ids of the words of the question.
        k: how many answers, at most V less the number of different words in the question.

    Returns:
        ids, shape (k,), int64, the best answer first.

    Source: Mikolov et al. 2013a, section 4; called 3CosAdd by Levy and Goldberg 2014.
    """
    lengths = vectors.norm(dim=1, keepdim=True)  # (V, 1)
    unit = vectors / torch.where(lengths > 0, lengths, torch.ones_like(lengths))  # (V, D)
    query = unit[b] - unit[a] + unit[c]  # (D,)
    order = torch.argsort(unit @ query, descending=True, stable=True)  # as cosine, times |query|
    in_question = torch.isin(order, torch.tensor([a, b, c]))
    return order[~in_question][:k]


# ------------------------------------------------------------------- shown in the chapter


def cbow_loss_and_grad(
    context_vectors: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Give the loss of continuous bag-of-words for one position, and its gradient.

    The mean of the context words' input vectors takes the place of the centre's vector, and the
    word to predict is the one in the middle; the rest is negative sampling. This is the paper's
    form, with the true gradient: each context vector gets 1/C of the error that flows back to
    the mean. The released program differs: it adds the whole error, undivided, to every context
    vector, which is C times the gradient.

    Args:
        context_vectors: input vectors of the C words around, shape (C, D), float, C at least 1.
        output_vectors: U, one row a word, shape (V, D), same dtype.
        target: id of the word in the middle.
        negatives: ids of the words drawn from the noise, shape (K,), int64.

    Returns:
        loss, shape (); its gradient with respect to ``context_vectors``, shape (C, D); its
        gradient with respect to ``output_vectors``, shape (V, D).

    Raises:
        ValueError: if there is no context vector.

    Source: Mikolov et al. 2013a, section 3.1, with the loss of 2013b, equation 4.
    """
    num_contexts = len(context_vectors)
    if num_contexts == 0:
        raise ValueError("there is no context vector; CBOW needs at least one word around")
    loss, grad_mean, grad_output = negative_sampling_loss_and_grad(
        context_vectors.mean(dim=0), output_vectors, target, negatives
    )
    grad_contexts = (grad_mean / num_contexts).expand(num_contexts, -1).clone()  # (C, D)
    return loss, grad_contexts, grad_output


def draw_window_sizes(num_tokens: int, max_window: int, generator: torch.Generator) -> Tensor:
    """Draw a window size for each position, uniform from 1 to the largest.

    A word at distance m is then a context with probability (max_window - m + 1) / max_window:
    near words count more.

    Args:
        num_tokens: T, the number of positions.
        max_window: the largest window, at least 1.
        generator: where the randomness comes from.

    Returns:
        Window sizes, shape (T,), int64.

    Raises:
        ValueError: if ``max_window`` is below 1.

    Source: Mikolov et al. 2013a, section 3.2.
    """
    if max_window < 1:
        raise ValueError(f"max_window is {max_window}; a window reaches at least one word")
    return torch.randint(1, max_window + 1, (num_tokens,), generator=generator)


def linear_learning_rate(start: float, progress: float) -> float:
    """Give the learning rate at a point of the training: linear, from ``start`` towards zero.

    Args:
        start: the learning rate at the beginning.
        progress: the part of all words (over all epochs) that has been seen, 0 to 1.

    Returns:
        ``start * (1 - progress)``, but never less than ``start * 1e-4``.

    Source: the released word2vec program.
    """
    return start * max(1.0 - progress, 1e-4)
