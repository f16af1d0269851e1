"""Wrong answers to the exercises of chapter 2, word2vec."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import word2vec

Triple = tuple[Tensor, Tensor, Tensor]


def _pairs(pairs: list[tuple[int, int]]) -> Tensor:
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)


# ---------------------------------------------------------------------------- skipgram_pairs


@misconception("skipgram_pairs")
def window_on_one_side(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your pairs all have the context to the right of the centre. The window looks to both sides:
    begin the contexts before the centre, not after it."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t + 1, t + sizes[t] + 1)
         if j < len(ids)]
    )  # fmt: skip


@misconception("skipgram_pairs")
def window_size_as_total_width(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your window reaches only half as far as it should. The window size is the distance to each
    side, not the width of both sides together."""
    return word2vec.skipgram_pairs(token_ids, window_sizes // 2)


@misconception("skipgram_pairs")
def right_end_left_out(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """On the right your window ends one word too early. The last number of a `range` or of a slice
    is not included; the word exactly `window_sizes[t]` positions away is a context."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t - sizes[t], t + sizes[t])
         if 0 <= j < len(ids) and j != t]
    )  # fmt: skip


@misconception("skipgram_pairs")
def centre_paired_with_itself(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Each centre is paired with its own position, too. A word is not its own context: leave out
    the position in the middle of the window."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t - sizes[t], t + sizes[t] + 1)
         if 0 <= j < len(ids)]
    )  # fmt: skip


@misconception("skipgram_pairs")
def same_word_left_out(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You leave out contexts that are the same word as the centre. Only the centre's own position
    is left out: if the word stands a second time in its window, that is a pair like any other.
    Compare positions, not ids."""
    pairs = word2vec.skipgram_pairs(token_ids, window_sizes)
    return pairs[pairs[:, 0] != pairs[:, 1]]


@misconception("skipgram_pairs")
def columns_swapped(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your two columns have changed places. Column 0 is the centre and column 1 the context, in
    the order of the centres."""
    return word2vec.skipgram_pairs(token_ids, window_sizes).flip(1)


@misconception("skipgram_pairs")
def window_of_the_context(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You ask how far the context looks. The centre's own window size decides which words are its
    contexts: use the entry of `window_sizes` at the centre's position."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(len(ids))
         if j != t and abs(t - j) <= sizes[j]]
    )  # fmt: skip


@misconception("skipgram_pairs")
def window_wraps_around(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """The first words of your text have the last words as contexts. A negative index counts from
    the end in Python: cut the window off where the text begins."""
    ids, sizes = token_ids.tolist(), window_sizes.tolist()
    return _pairs(
        [(ids[t], ids[j]) for t in range(len(ids)) for j in range(t - sizes[t], t + sizes[t] + 1)
         if -len(ids) <= j < len(ids) and j != t]
    )  # fmt: skip


@misconception("skipgram_pairs")
def positions_instead_of_words(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your pairs hold positions in the text. Look up which word stands at each position: the pairs
    are pairs of word ids."""
    return word2vec.skipgram_pairs(torch.arange(len(token_ids)), window_sizes)


@misconception("skipgram_pairs")
def slice_with_negative_start(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Near the beginning of the text your centres lose their left contexts. A slice that starts
    below 0 counts from the end of the text and comes out empty: let it start at 0 at the
    lowest."""
    ids, pairs = token_ids.tolist(), []
    for t, size in enumerate(window_sizes.tolist()):
        pairs += [(ids[t], word) for word in ids[t - size : t] + ids[t + 1 : t + size + 1]]
    return _pairs(pairs)


@misconception("skipgram_pairs")
def contexts_by_distance(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """Your pairs are the right ones in another order: the nearest context comes first. The
    docstring orders the contexts of a centre by their position in the text, from left to
    right."""
    ids, pairs = token_ids.tolist(), []
    for t, size in enumerate(window_sizes.tolist()):
        for distance in range(1, size + 1):
            pairs += [(ids[t], ids[j]) for j in (t - distance, t + distance) if 0 <= j < len(ids)]
    return _pairs(pairs)


@misconception("skipgram_pairs")
def duplicate_pairs_removed(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """A pair that occurs twice in the text stands only once in your result. How often two words
    stand together is what the vectors learn from: keep every pair."""
    pairs = word2vec.skipgram_pairs(token_ids, window_sizes).tolist()
    return _pairs(list(dict.fromkeys((center, context) for center, context in pairs)))


@misconception("skipgram_pairs")
def lengths_not_compared(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You go on when the text and the window sizes differ in length. Each position needs its own
    window size: compare the lengths first, and raise what the docstring says."""
    shorter = min(len(token_ids), len(window_sizes))
    ids, pairs = token_ids.tolist(), []
    for t, size in enumerate(window_sizes[:shorter].tolist()):
        first, last = max(0, t - size), min(len(ids) - 1, t + size)
        pairs += [(ids[t], ids[j]) for j in range(first, last + 1) if j != t]
    return _pairs(pairs)


@misconception("skipgram_pairs")
def too_many_window_sizes_accepted(token_ids: Tensor, window_sizes: Tensor) -> Tensor:
    """You refuse too few window sizes, but too many of them go through. The two lengths must be
    equal."""
    if len(window_sizes) > len(token_ids):
        window_sizes = window_sizes[: len(token_ids)]
    return word2vec.skipgram_pairs(token_ids, window_sizes)


# -------------------------------------------------------------------------- keep_probability


@misconception("keep_probability")
def probability_to_discard(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    """This is the probability with which an occurrence is thrown away. The function gives the
    probability with which it is kept, one minus that."""
    return 1 - word2vec.keep_probability(counts, threshold, formula)


@misconception("keep_probability")
def counts_not_divided(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """You compare the threshold with the counts themselves. f is the relative frequency: a word's
    count divided by the number of all words in the corpus."""
    ratio = threshold / counts
    value = ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio
    return value.clamp(max=1.0)


@misconception("keep_probability")
def square_root_missing(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """Your probabilities fall as t/f. Both formulas have a square root: frequent words are thinned
    out less than that."""
    ratio = threshold / (counts / counts.sum())
    value = ratio if formula == "paper" else 2 * ratio
    return value.clamp(max=1.0)


@misconception("keep_probability")
def larger_than_one(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """Rare words have a probability above 1 in your result. A probability ends at 1: words rarer
    than the threshold are always kept."""
    ratio = threshold / (counts / counts.sum())
    return ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio


@misconception("keep_probability")
def fraction_upside_down(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """In your result frequent words are the ones that are kept. Look at which of t and f stands
    above the other in the fraction."""
    ratio = (counts / counts.sum()) / threshold
    value = ratio.sqrt() if formula == "paper" else ratio.sqrt() + ratio
    return value.clamp(max=1.0)


@misconception("keep_probability")
def formula_ignored(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """You get the paper's formula for both values of `formula`. The released code has a second
    term: see what to do for "code"."""
    return word2vec.keep_probability(counts, threshold, "paper")


@misconception("keep_probability")
def never_seen_never_kept(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    """A word that never occurs has probability 0 in your result. There is nothing of it to throw
    away: the docstring says which probability it has."""
    probability = word2vec.keep_probability(counts, threshold, formula)
    return torch.where(counts > 0, probability, torch.zeros_like(probability))


@misconception("keep_probability")
def zero_times_infinity(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """A word that never occurs has no number at all in your result: for f = 0 your formula makes
    0 times infinity, or 0 divided by 0. Put the probability of such words in separately."""
    frequency = counts / counts.sum()
    value = (frequency / threshold).sqrt() * (threshold / frequency)
    if formula == "code":
        value = value + threshold / frequency
    elif formula != "paper":
        raise ValueError(formula)
    return value.clamp(max=1.0)


@misconception("keep_probability")
def counts_made_whole(counts: Tensor, threshold: float = 1e-3, formula: str = "paper") -> Tensor:
    """You turn the counts into whole numbers, and counts such as 0.7 become 0. Counts may be
    floats, for example shares: divide them as they are."""
    whole = counts.long().to(
        counts.dtype if counts.is_floating_point() else torch.get_default_dtype()
    )
    ratio = threshold / (whole / whole.sum())
    if formula == "code":
        return (ratio.sqrt() + ratio).clamp(max=1.0)
    if formula == "paper":
        return ratio.sqrt().clamp(max=1.0)
    raise ValueError(formula)


@misconception("keep_probability")
def unknown_formula_accepted(
    counts: Tensor, threshold: float = 1e-3, formula: str = "paper"
) -> Tensor:
    """You take any other value of `formula` for "code". A misspelt name should not go through:
    raise what the docstring says."""
    return word2vec.keep_probability(counts, threshold, "paper" if formula == "paper" else "code")


# ------------------------------------------------------------------------ noise_distribution


@misconception("noise_distribution")
def power_missing(counts: Tensor, power: float = 0.75) -> Tensor:
    """These are the relative frequencies of the words. The counts are raised to the power before
    they are normalised."""
    return counts / counts.sum()


@misconception("noise_distribution")
def normalised_before_the_power(counts: Tensor, power: float = 0.75) -> Tensor:
    """Your numbers don't sum to 1. You divide by the sum first and raise to the power afterwards:
    the last step must be the one that makes the sum 1."""
    return (counts / counts.sum()) ** power


@misconception("noise_distribution")
def divided_by_the_sum_of_counts(counts: Tensor, power: float = 0.75) -> Tensor:
    """Your numbers don't sum to 1. You raise the counts to the power, and then divide by the sum of
    the plain counts: divide by the sum of what you have."""
    return counts**power / counts.sum()


@misconception("noise_distribution")
def power_always_three_quarters(counts: Tensor, power: float = 0.75) -> Tensor:
    """You always take the power 0.75. That is the default; use the argument `power`."""
    return word2vec.noise_distribution(counts)


@misconception("noise_distribution")
def softmax_of_counts(counts: Tensor, power: float = 0.75) -> Tensor:
    """This is a softmax. Here nothing is exponentiated: a count to the power is a weight already,
    and only needs to be divided by the sum."""
    return torch.softmax(counts**power, dim=0)


# --------------------------------------------------------------- naive_softmax_loss_and_grad


def _softmax_answer(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    return word2vec.naive_softmax_loss_and_grad(center_vector, output_vectors, target)


@misconception("naive_softmax_loss_and_grad")
def softmax_gradient_sign(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your gradients point the other way. They are the gradients of the loss, which falls when the
    target's probability rises: predicted minus true, not true minus predicted."""
    loss, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    return loss, -grad_center, -grad_output


@misconception("naive_softmax_loss_and_grad")
def target_not_subtracted(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your gradients use the probabilities as errors. At the target the error is the probability
    minus 1, since there the true distribution has its 1."""
    loss, _, _ = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return loss, probabilities @ output_vectors, torch.outer(probabilities, center_vector)


@misconception("naive_softmax_loss_and_grad")
def only_the_targets_row(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your gradient of the output vectors is zero outside the target's row. Every word stands in
    the denominator of the softmax, so each row has a gradient."""
    loss, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    only = torch.zeros_like(grad_output)
    only[target] = grad_output[target]
    return loss, grad_center, only


@misconception("naive_softmax_loss_and_grad")
def scores_not_normalised(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """Your loss is only minus the target's score. The logarithm of a softmax has a second part, the
    logarithm of the sum over all words."""
    grad_output = torch.zeros_like(output_vectors)
    grad_output[target] = -center_vector
    return -(output_vectors[target] @ center_vector), -output_vectors[target], grad_output


@misconception("naive_softmax_loss_and_grad")
def output_gradient_transposed(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """Your gradient of the output vectors lies on its side. It has one row for each word, as the
    matrix itself: swap the two factors of the outer product."""
    loss, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    return loss, grad_center, grad_output.T.contiguous()


@misconception("naive_softmax_loss_and_grad")
def exponential_overflows(center_vector: Tensor, output_vectors: Tensor, target: int) -> Triple:
    """The exponential of a score of some hundreds is infinite in float32. A softmax does not change
    when the same number is taken from all scores: take away the largest first."""
    exponentials = torch.exp(output_vectors @ center_vector)
    errors = exponentials / exponentials.sum()
    loss = -torch.log(errors[target])
    errors[target] -= 1
    return loss, errors @ output_vectors, torch.outer(errors, center_vector)


@misconception("naive_softmax_loss_and_grad")
def logarithm_of_a_zero_probability(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """Your softmax is finite, but with scores of some hundreds the target's probability is 0 in
    float32, and its logarithm is minus infinity. Take the logarithm of the softmax in one step,
    from the scores."""
    _, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return -torch.log(probabilities[target]), grad_center, grad_output


@misconception("naive_softmax_loss_and_grad")
def small_number_in_the_logarithm(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """You add a small number inside the logarithm. That hides the probability 0, and the loss
    stops growing and tells a lie: take the logarithm of the softmax in one step, from the
    scores."""
    _, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return -torch.log(probabilities[target] + 1e-12), grad_center, grad_output


@misconception("naive_softmax_loss_and_grad")
def larger_number_in_the_logarithm(
    center_vector: Tensor, output_vectors: Tensor, target: int
) -> Triple:
    """You add a small number inside the logarithm. That hides the probability 0, and the loss is
    a little wrong everywhere, and stops growing: take the logarithm of the softmax in one step,
    from the scores."""
    _, grad_center, grad_output = _softmax_answer(center_vector, output_vectors, target)
    probabilities = torch.softmax(output_vectors @ center_vector, dim=0)
    return -torch.log(probabilities[target] + 1e-9), grad_center, grad_output


# ----------------------------------------------------------- negative_sampling_loss_and_grad


def _sampling_answer(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    return word2vec.negative_sampling_loss_and_grad(
        center_vector, output_vectors, target, negatives
    )


@misconception("negative_sampling_loss_and_grad")
def whole_vocabulary_as_negatives(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You push away every word but the target. Only the words in `negatives` are negatives: that
    is what makes the step cheap."""
    words = torch.arange(len(output_vectors))
    return _sampling_answer(center_vector, output_vectors, target, words[words != target])


@misconception("negative_sampling_loss_and_grad")
def negatives_not_negated(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You treat the negatives as if they were targets. For a negative the right answer is "no":
    its score goes into the logistic function with a minus sign."""
    words = torch.cat([torch.tensor([target]), negatives])
    rows = output_vectors[words]
    scores = rows @ center_vector
    errors = torch.sigmoid(scores) - 1
    grad_output = torch.zeros_like(output_vectors)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))
    return -functional.logsigmoid(scores).sum(), errors @ rows, grad_output


@misconception("negative_sampling_loss_and_grad")
def sampling_gradient_sign(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Your gradients point the other way. They are the gradients of the loss, so that a step
    against them makes the loss smaller."""
    loss, grad_center, grad_output = _sampling_answer(
        center_vector, output_vectors, target, negatives
    )
    return loss, -grad_center, -grad_output


@misconception("negative_sampling_loss_and_grad")
def negatives_averaged(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You take the mean over the negatives. Each one is a question of its own, and the loss is
    their sum."""
    none = negatives[:0]
    target_only = _sampling_answer(center_vector, output_vectors, target, none)
    everything = _sampling_answer(center_vector, output_vectors, target, negatives)
    share = 1 / max(1, len(negatives))
    first, second, third = (
        one + share * (all_of_it - one)
        for one, all_of_it in zip(target_only, everything, strict=True)
    )
    return first, second, third


@misconception("negative_sampling_loss_and_grad")
def target_alone(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """The negatives leave no trace in your result. With the target alone all vectors would soon
    point the same way: add one term for each negative."""
    return _sampling_answer(center_vector, output_vectors, target, negatives[:0])


@misconception("negative_sampling_loss_and_grad")
def repeated_negatives_counted_once(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """A word that was drawn twice as a negative counts only once in your result. It counts each
    time, in the loss and in both gradients."""
    return _sampling_answer(center_vector, output_vectors, target, negatives.unique())


@misconception("negative_sampling_loss_and_grad")
def repeated_rows_overwritten(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Your loss is right, but where a word is drawn twice its row of the gradient holds only one
    share. Indexing with a list of ids writes each row once, also with `+=`: use an operation that
    adds up repeated rows, or a loop."""
    loss, grad_center, _ = _sampling_answer(center_vector, output_vectors, target, negatives)
    words = torch.cat([torch.tensor([target]), negatives])
    labels = (torch.arange(len(words)) == 0).to(center_vector.dtype)
    errors = torch.sigmoid(output_vectors[words] @ center_vector) - labels
    grad_output = torch.zeros_like(output_vectors)
    grad_output[target] += errors[0] * center_vector
    grad_output[negatives] += torch.outer(errors[1:], center_vector)
    return loss, grad_center, grad_output


@misconception("negative_sampling_loss_and_grad")
def target_dropped_from_negatives(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You skip a negative that happens to be the target. Here it counts as a negative like the
    others (the docstring says so)."""
    kept = negatives[negatives != target]
    return _sampling_answer(center_vector, output_vectors, target, kept)


@misconception("negative_sampling_loss_and_grad")
def logarithm_of_zero(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """With scores of some hundreds your loss is infinite: there the logistic function gives 0 in
    float32, and its logarithm is minus infinity. Torch has a function for the logarithm of the
    logistic function that stays finite."""
    _, grad_center, grad_output = _sampling_answer(center_vector, output_vectors, target, negatives)
    loss = -torch.log(torch.sigmoid(output_vectors[target] @ center_vector))
    loss = loss - torch.log(torch.sigmoid(-(output_vectors[negatives] @ center_vector))).sum()
    return loss, grad_center, grad_output


@misconception("negative_sampling_loss_and_grad")
def error_of_a_negative_turned_round(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Your loss is right, but the error of a negative is sigma(-score) in your gradients. What was
    predicted minus what is true: for a negative the prediction is sigma(score), and true is 0."""
    loss, _, _ = _sampling_answer(center_vector, output_vectors, target, negatives)
    words = torch.cat([torch.tensor([target]), negatives])
    rows = output_vectors[words]
    scores = rows @ center_vector
    errors = torch.sigmoid(-scores)
    errors[0] = -errors[0]
    grad_output = torch.zeros_like(output_vectors)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))
    return loss, errors @ rows, grad_output


@misconception("negative_sampling_loss_and_grad")
def target_missing_in_the_centres_gradient(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """The gradient of the centre's vector holds the negatives only. The centre stands in the
    target's score, too: add the target's error times its vector."""
    loss, grad_center, grad_output = _sampling_answer(
        center_vector, output_vectors, target, negatives
    )
    error = torch.sigmoid(output_vectors[target] @ center_vector) - 1
    return loss, grad_center - error * output_vectors[target], grad_output


@misconception("negative_sampling_loss_and_grad")
def softmax_over_the_drawn_words(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """You take a softmax over the target and its negatives. Negative sampling asks about each word
    on its own, yes or no: each score goes through the logistic function."""
    words = torch.cat([torch.tensor([target]), negatives])
    rows = output_vectors[words]
    log_probabilities = torch.log_softmax(rows @ center_vector, dim=0)
    errors = log_probabilities.exp()
    errors[0] -= 1
    grad_output = torch.zeros_like(output_vectors)
    grad_output.index_add_(0, words, torch.outer(errors, center_vector))
    return -log_probabilities[0], errors @ rows, grad_output


@misconception("negative_sampling_loss_and_grad")
def no_negatives_no_result(
    center_vector: Tensor, output_vectors: Tensor, target: int, negatives: Tensor
) -> Triple:
    """Without negatives (K = 0) your code has an empty list to put together. Then the loss has the
    target's term alone: start from it, and add the others where there are any."""
    loss, grad_center, grad_output = _sampling_answer(
        center_vector, output_vectors, target, negatives
    )
    torch.stack([output_vectors[negative] @ center_vector for negative in negatives])
    return loss, grad_center, grad_output


# --------------------------------------------------------------------------------- sgns_step


@misconception("sgns_step")
def gradients_averaged(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your step is too short by the number of pairs in the batch. The gradients of the pairs are
    summed; only the loss that you report is a mean."""
    return word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate / len(centers)
    )


@misconception("sgns_step")
def step_uphill(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your step goes along the gradient, and the loss grows. Gradient descent goes against it."""
    return word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, -learning_rate
    )


@misconception("sgns_step")
def pairs_one_after_another(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """You take one step for each pair, and the later pairs already see moved vectors. The gradients
    of the whole batch are taken at the old values: move nothing before you have them all."""
    losses = []
    for i in range(len(centers)):
        loss = word2vec.sgns_step(
            input_vectors,
            output_vectors,
            centers[i : i + 1],
            contexts[i : i + 1],
            negatives[i : i + 1],
            learning_rate,
        )[2]
        losses.append(loss)
    return input_vectors, output_vectors, torch.stack(losses).mean()


@misconception("sgns_step")
def output_sees_moved_input(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """The gradient of the output vectors is made from input vectors that have already moved. Copy
    the rows you need, or work out both gradients, before you change either matrix."""
    words = torch.cat([contexts[:, None], negatives], dim=1)
    labels = torch.zeros(words.shape, dtype=input_vectors.dtype)
    labels[:, 0] = 1
    rows = output_vectors[words]
    scores = torch.einsum("bd,bkd->bk", input_vectors[centers], rows)
    loss = -functional.logsigmoid((2 * labels - 1) * scores).sum(dim=1).mean()
    errors = torch.sigmoid(scores) - labels
    input_vectors.index_add_(
        0, centers, torch.einsum("bk,bkd->bd", errors, rows), alpha=-learning_rate
    )
    grad_rows = errors[:, :, None] * input_vectors[centers][:, None, :]
    output_vectors.index_add_(0, words.flatten(), grad_rows.flatten(0, 1), alpha=-learning_rate)
    return input_vectors, output_vectors, loss


@misconception("sgns_step")
def repeated_words_overwritten(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """A word that stands in the batch twice moves only once. Indexing with a list of ids writes
    each row once, also with `-=`: use an operation that adds up repeated rows, or a loop."""
    words = torch.cat([contexts[:, None], negatives], dim=1)
    labels = torch.zeros(words.shape, dtype=input_vectors.dtype)
    labels[:, 0] = 1
    center_rows, rows = input_vectors[centers], output_vectors[words]
    scores = torch.einsum("bd,bkd->bk", center_rows, rows)
    loss = -functional.logsigmoid((2 * labels - 1) * scores).sum(dim=1).mean()
    errors = torch.sigmoid(scores) - labels
    input_vectors[centers] -= learning_rate * torch.einsum("bk,bkd->bd", errors, rows)
    output_vectors[words] -= learning_rate * errors[:, :, None] * center_rows[:, None, :]
    return input_vectors, output_vectors, loss


@misconception("sgns_step")
def output_vectors_stand_still(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your output vectors have not moved. Both matrices are learned: take the step for both."""
    still = output_vectors.clone()
    _, _, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return input_vectors, still, loss


@misconception("sgns_step")
def loss_summed(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your vectors are right; the loss is the sum over the batch. Report the mean over the pairs,
    so that batches of different sizes can be compared."""
    new_input, new_output, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return new_input, new_output, loss * len(centers)


@misconception("sgns_step")
def repeated_centres_overwritten(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your output vectors are right, but a centre that stands in the batch twice moves only once.
    Indexing with a list of ids writes each row once, also with `-=`: add its gradients up."""
    old, new = input_vectors.clone(), input_vectors.clone()
    for i, center in enumerate(centers.tolist()):  # what the last pair of a centre writes, stays
        moved, _, _ = word2vec.sgns_step(
            old.clone(),
            output_vectors.clone(),
            centers[i : i + 1],
            contexts[i : i + 1],
            negatives[i : i + 1],
            learning_rate,
        )
        new[center] = moved[center]
    _, new_output, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return new, new_output, loss


@misconception("sgns_step")
def loss_after_the_step(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your vectors are right; the loss is that of the vectors after the step. Report the loss
    before it: work it out from the old values."""
    new_input, new_output, _ = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    _, _, loss = word2vec.sgns_step(
        new_input.clone(), new_output.clone(), centers, contexts, negatives, learning_rate
    )
    return new_input, new_output, loss


@misconception("sgns_step")
def loss_divided_by_all_scores(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """Your vectors are right; the loss is the mean over all 1 + K words of all pairs. A pair's loss
    is the sum of its 1 + K terms: take the mean over the pairs only."""
    new_input, new_output, loss = word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )
    return new_input, new_output, loss / (1 + negatives.shape[1])


@misconception("sgns_step")
def own_context_skipped(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """You skip a negative that happens to be the pair's own context. Here it counts as a negative
    like the others (the docstring says so)."""
    total_loss = torch.zeros((), dtype=input_vectors.dtype)
    new_input, new_output = input_vectors.clone(), output_vectors.clone()
    for i in range(len(centers)):
        drawn = negatives[i][negatives[i] != contexts[i]]
        moved_input, moved_output, loss = word2vec.sgns_step(
            input_vectors.clone(),
            output_vectors.clone(),
            centers[i : i + 1],
            contexts[i : i + 1],
            drawn[None],
            learning_rate,
        )
        new_input += moved_input - input_vectors
        new_output += moved_output - output_vectors
        total_loss += loss
    input_vectors.copy_(new_input)
    output_vectors.copy_(new_output)
    return input_vectors, output_vectors, total_loss / len(centers)


@misconception("sgns_step")
def axes_of_length_one_vanish(
    input_vectors: Tensor,
    output_vectors: Tensor,
    centers: Tensor,
    contexts: Tensor,
    negatives: Tensor,
    learning_rate: float,
) -> Triple:
    """With one pair, or one negative a pair, an axis of your tensors is gone. `squeeze()` drops
    every axis of length 1: name the axis that it should drop, or do without it."""
    rows = output_vectors[negatives]
    scores = torch.bmm(rows, input_vectors[centers][:, :, None]).squeeze()
    functional.softplus(scores).sum(dim=1)
    return word2vec.sgns_step(
        input_vectors, output_vectors, centers, contexts, negatives, learning_rate
    )


# ------------------------------------------------------------------------------ most_similar


def _cosines(vectors: Tensor, word_id: int) -> Tensor:
    unit = functional.normalize(vectors, dim=1)
    return unit @ unit[word_id]


def _best(scores: Tensor, leave_out: list[int], k: int) -> Tensor:
    order = torch.argsort(scores, descending=True, stable=True)
    return order[~torch.isin(order, torch.tensor(leave_out, dtype=torch.int64))][:k]


@misconception("most_similar")
def word_itself_not_left_out(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """The first neighbour you give is the word itself, with cosine 1. Every word is nearest to
    itself: leave it out."""
    cosines = _cosines(vectors, word_id)
    ids = _best(cosines, [], k)
    return ids, cosines[ids]


@misconception("most_similar")
def plain_dot_product(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You rank by the dot product, in which long vectors win. For the cosine, divide by the
    lengths of both vectors."""
    scores = vectors @ vectors[word_id]
    ids = _best(scores, [word_id], k)
    return ids, scores[ids]


@misconception("most_similar")
def only_the_word_normalised(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You divide by the length of the word's own vector only. The other vectors have lengths, too:
    the cosine divides by both."""
    scores = vectors @ functional.normalize(vectors[word_id], dim=0)
    ids = _best(scores, [word_id], k)
    return ids, scores[ids]


@misconception("most_similar")
def smallest_distance(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You rank by distance between the vectors. Two vectors that point the same way but differ in
    length have cosine 1 and still lie apart: rank by the cosine."""
    ids = _best(-(vectors - vectors[word_id]).norm(dim=1), [word_id], k)
    return ids, _cosines(vectors, word_id)[ids]


@misconception("most_similar")
def least_similar_first(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You give the words with the smallest cosines. Sort the other way round: the largest cosine
    comes first."""
    cosines = _cosines(vectors, word_id)
    ids = _best(-cosines, [word_id], k)
    return ids, cosines[ids]


@misconception("most_similar")
def divided_by_length_zero(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """A vector of zeros has length 0, and dividing by it gives no number. The docstring says which
    cosine such a vector has: look after it before you divide."""
    lengths = vectors.norm(dim=1)
    cosines = vectors @ vectors[word_id] / (lengths * lengths[word_id])
    ids = _best(cosines, [word_id], k)
    return ids, cosines[ids]


@misconception("most_similar")
def ties_as_topk_has_them(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """Your cosines are right, but words with the same cosine come in no certain order. `topk` makes
    no promise about them, and neither does sorting without `stable=True`: the smaller id
    comes first."""
    cosines = _cosines(vectors, word_id)
    cosines[word_id] = -torch.inf
    best = cosines.topk(k)
    return best.indices, best.values


@misconception("most_similar")
def ascending_order_flipped(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """Words with the same cosine come with the larger id first. You sort upwards and turn the
    result round, which turns equal ones round, too: sort downwards."""
    cosines = _cosines(vectors, word_id)
    order = torch.argsort(cosines, stable=True).flip(0)
    ids = order[order != word_id][:k]
    return ids, cosines[ids]


@misconception("most_similar")
def first_of_the_order_dropped(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You drop the first of the sorted words, and that need not be the word itself: another vector
    can have cosine 1 with it, and a vector of zeros has cosine 0 with itself. Leave the word
    out by its id."""
    cosines = _cosines(vectors, word_id)
    ids = torch.argsort(cosines, descending=True, stable=True)[1 : k + 1]
    return ids, cosines[ids]


@misconception("most_similar")
def own_cosine_set_to_minus_one(vectors: Tensor, word_id: int, k: int) -> tuple[Tensor, Tensor]:
    """You give the word itself the cosine -1, which other words may have, too. Then it can come
    before them: take a number that no cosine reaches, or leave it out by its id."""
    cosines = _cosines(vectors, word_id)
    cosines[word_id] = -1
    ids = _best(cosines, [], k)
    return ids, cosines[ids]


# ----------------------------------------------------------------------------------- analogy


@misconception("analogy")
def question_words_not_left_out(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You answer with a word of the question. b - a + c often lies nearest to b or c itself: leave
    out a, b and c."""
    unit = functional.normalize(vectors, dim=1)
    return _best(unit @ (unit[b] - unit[a] + unit[c]), [], k)


@misconception("analogy")
def only_c_left_out(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You leave out c, but a and b can still be answers. All three words of the question are left
    out."""
    unit = functional.normalize(vectors, dim=1)
    return _best(unit @ (unit[b] - unit[a] + unit[c]), [c], k)


@misconception("analogy")
def a_and_b_swapped(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You go the way from b to a. "a is to b as c is to ..." goes from a to b, starting at c: look
    at the signs."""
    unit = functional.normalize(vectors, dim=1)
    return _best(unit @ (unit[a] - unit[b] + unit[c]), [a, b, c], k)


@misconception("analogy")
def rows_not_normalised(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You make b - a + c from vectors of different lengths, so that the longest one decides. Bring
    all rows to length 1 first."""
    unit = functional.normalize(vectors, dim=1)
    return _best(unit @ (vectors[b] - vectors[a] + vectors[c]), [a, b, c], k)


@misconception("analogy")
def candidates_not_normalised(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Your answers are the words with the longest vectors in about the right direction. Rank by the
    cosine: the candidates need length 1, too."""
    unit = functional.normalize(vectors, dim=1)
    return _best(vectors @ (unit[b] - unit[a] + unit[c]), [a, b, c], k)


@misconception("analogy")
def question_words_set_to_minus_one(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """You give the words of the question the score -1, and other words can score less. Take a
    number that no score reaches, or leave the words out by their ids."""
    unit = functional.normalize(vectors, dim=1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -1
    return _best(scores, [], k)


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
    return _best(unit @ (unit[b] - unit[a] + unit[c]), [a, b, c], k)


@misconception("analogy")
def same_word_removed_twice(vectors: Tensor, a: int, b: int, c: int, k: int = 1) -> Tensor:
    """Two words of the question may be the same, and then there is only one of them to remove. Keep
    what is not in the question, rather than remove its words one by one."""
    unit = functional.normalize(vectors, dim=1)
    order = _best(unit @ (unit[b] - unit[a] + unit[c]), [], len(vectors)).tolist()
    for word in (a, b, c):
        order.remove(word)
    return torch.tensor(order[:k], dtype=torch.int64)
