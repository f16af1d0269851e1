"""Wrong answers to the exercise `mask_tokens`."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.misconceptions import misconception
from solutions import bert

Pair = tuple[Tensor, Tensor]


def _rand(shape: torch.Size, seed: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def _hide(
    input_ids: Tensor,
    chosen: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    masked_share: float = 0.8,
    drawn_share: float = 0.1,
    drawn: Tensor | None = None,
    way: Tensor | None = None,
) -> Tensor:
    """Replace what is chosen, right but for what the arguments say."""
    generator = torch.Generator().manual_seed(seed + 1_000_003)
    if way is None:
        way = torch.rand(input_ids.shape, generator=generator)
    if drawn is None:
        drawn = torch.randint(vocab_size, input_ids.shape, generator=generator)
    masked = torch.where(chosen & (way < masked_share), mask_id, input_ids)
    replaced = chosen & (way >= masked_share) & (way < masked_share + drawn_share)
    return torch.where(replaced, drawn, masked)


def _chosen(input_ids: Tensor, is_special: Tensor, seed: int, probability: float) -> Tensor:
    return (_rand(input_ids.shape, seed) < probability) & ~is_special


def _labels(input_ids: Tensor, chosen: Tensor) -> Tensor:
    return torch.where(chosen, input_ids, -100)


@misconception("mask_tokens")
def special_tokens_chosen(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You choose special tokens, too. There is nothing to learn from guessing [CLS] or padding:
    leave out the places where `is_special` is True."""
    none = torch.zeros_like(is_special)
    return bert.mask_tokens(input_ids, none, mask_id, vocab_size, seed, mask_probability)


@misconception("mask_tokens")
def only_special_tokens_chosen(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You choose the special tokens and nothing else. `is_special` says who must not be chosen."""
    return bert.mask_tokens(input_ids, ~is_special, mask_id, vocab_size, seed, mask_probability)


@misconception("mask_tokens")
def labels_everywhere(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Your labels hold every token. Where nothing was chosen there is nothing to predict: -100."""
    masked, _ = bert.mask_tokens(input_ids, is_special, mask_id, vocab_size, seed, mask_probability)
    return masked, input_ids.clone()


@misconception("mask_tokens")
def zero_for_no_label(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Your labels are 0 where nothing is predicted. But 0 is the id of a token: use -100."""
    masked, labels = bert.mask_tokens(
        input_ids, is_special, mask_id, vocab_size, seed, mask_probability
    )
    return masked, labels.where(labels != -100, 0)


@misconception("mask_tokens")
def labels_first(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You give the labels first. The docstring wants what the model reads first, then the
    labels."""
    masked, labels = bert.mask_tokens(
        input_ids, is_special, mask_id, vocab_size, seed, mask_probability
    )
    return labels, masked


@misconception("mask_tokens")
def tokens_as_floats(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Your tokens have become floats, since something drawn as a float was mixed into them. A token
    is an id, int64."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    drawn = (_rand(input_ids.shape, seed + 1) * vocab_size).floor()
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def probability_ignored(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You choose 15 % whatever `mask_probability` says: use the argument."""
    return bert.mask_tokens(input_ids, is_special, mask_id, vocab_size, seed)


@misconception("mask_tokens")
def written_into_the_text(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You write into `input_ids`, so that the text itself is lost: work on a copy, as `clone` makes
    one."""
    masked, labels = bert.mask_tokens(
        input_ids, is_special, mask_id, vocab_size, seed, mask_probability
    )
    return input_ids.copy_(masked), labels


@misconception("mask_tokens")
def labels_are_what_is_read(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Your labels hold what the model reads. A label is what stood there before anything was
    replaced."""
    masked, labels = bert.mask_tokens(
        input_ids, is_special, mask_id, vocab_size, seed, mask_probability
    )
    return masked, _labels(masked, labels != -100)


@misconception("mask_tokens")
def replaced_without_being_chosen(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You replace tokens that were not chosen. Whoever is replaced was chosen before: both
    conditions have to hold."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    way = _rand(input_ids.shape, seed + 1)
    drawn = (_rand(input_ids.shape, seed + 2) * vocab_size).long()
    masked = torch.where(chosen & (way < 0.8), mask_id, input_ids)
    return torch.where((way >= 0.8) & (way < 0.9), drawn, masked), _labels(input_ids, chosen)


@misconception("mask_tokens")
def same_number_in_each_text(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You choose a fixed number of tokens in each text. Each token is chosen or not by itself, so
    that the number differs from text to text."""
    draws = _rand(input_ids.shape, seed).masked_fill(is_special, 2.0)
    wanted = ((~is_special).sum(1, keepdim=True) * mask_probability).round()
    chosen = (draws.argsort(1).argsort(1) < wanted) & ~is_special
    return _hide(input_ids, chosen, mask_id, vocab_size, seed), _labels(input_ids, chosen)


@misconception("mask_tokens")
def same_places_in_each_text(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You choose the same places in every text. Draw a number for each token, and not one for each
    position."""
    chosen = (_rand(input_ids.shape[1:], seed) < mask_probability) & ~is_special
    return _hide(input_ids, chosen, mask_id, vocab_size, seed), _labels(input_ids, chosen)


@misconception("mask_tokens")
def all_become_masks(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """All your chosen tokens become [MASK]. One in five of them does not."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    return torch.where(chosen, mask_id, input_ids), _labels(input_ids, chosen)


@misconception("mask_tokens")
def none_is_kept(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """None of your chosen tokens stays as it is. One in ten does: it has a label, and is not
    hidden."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, 0.8, 0.2)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def none_is_drawn(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """None of your chosen tokens becomes another one. One in ten is replaced by a token that is
    drawn from the vocabulary."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, 0.8, 0.0)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def masks_overwritten(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Fewer than 80 % of your chosen tokens are [MASK]: does a later step overwrite some of them?
    Draw one number for each token, and cut its range in three."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    drawn = (_rand(input_ids.shape, seed + 1) * vocab_size).long()
    masked = torch.where(chosen & (_rand(input_ids.shape, seed + 2) < 0.8), mask_id, input_ids)
    masked = torch.where(chosen & (_rand(input_ids.shape, seed + 3) < 0.1), drawn, masked)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def a_tenth_of_the_rest(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Too few of your chosen tokens are drawn, and too many are kept: a tenth of all that are
    chosen is drawn, not a tenth of what the masks left over."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, 0.8, 0.02)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def one_token_for_all(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """All the tokens that you draw are one and the same. Draw one for each place."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(vocab_size, (1, 1), generator=generator).expand(input_ids.shape)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def drawn_from_the_text(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Some tokens are never drawn, or too rarely. All of the vocabulary are equally likely, from id
    0 on, also those that don't occur in the text."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    order = torch.randperm(input_ids.numel(), generator=torch.Generator().manual_seed(seed))
    drawn = input_ids.flatten()[order].reshape(input_ids.shape)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def seed_forgotten(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """The same seed gives you another result each time. Use the seed: give it to a generator of
    your own, and take every draw from there."""
    free = int(torch.randint(2**31, ()))
    return bert.mask_tokens(input_ids, is_special, mask_id, vocab_size, free, mask_probability)


@misconception("mask_tokens")
def seed_fixed(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Every seed gives you the same result. Hand `seed` on to your generator."""
    return bert.mask_tokens(input_ids, is_special, mask_id, vocab_size, 0, mask_probability)


@misconception("mask_tokens")
def choosing_roll_used_again(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Is the draw that decides how a token is hidden the same that chose it? Roll again: whoever
    was chosen has a small number."""
    draw = _rand(input_ids.shape, seed)
    chosen = (draw < mask_probability) & ~is_special
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, way=draw)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def label_only_on_masks(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Only [MASK] has a label in your result. Whatever was chosen has to be predicted, also where
    it was replaced by another token, or kept."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed)
    return masked, _labels(input_ids, masked == mask_id)


@misconception("mask_tokens")
def label_only_on_changes(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Tokens that were chosen and kept have no label in your result. All of the chosen are
    predicted: make the labels before anything is replaced."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed)
    return masked, _labels(input_ids, masked != input_ids)


@misconception("mask_tokens")
def one_too_many(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Some of your tokens are no ids. A vocabulary of V tokens has the ids 0 to V - 1."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(vocab_size + 1, input_ids.shape, generator=generator)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def one_roll_for_a_text(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """All that is chosen in one text is hidden in the same way. Roll for each token how it is
    hidden."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    way = _rand(input_ids[:, :1].shape, seed + 1).expand(input_ids.shape)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, way=way)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def one_roll_for_a_column(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """At each position all texts are hidden in the same way. Roll for each token how it is hidden,
    and not once for each position."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    way = _rand(input_ids.shape[1:], seed + 1).expand(input_ids.shape)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, way=way)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def one_draw_for_a_column(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You draw one token for a whole column, or a whole text. Draw one for each place."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(vocab_size, input_ids.shape[1:], generator=generator)
    masked = _hide(
        input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn.expand(input_ids.shape)
    )
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def fixed_number_in_the_batch(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """You choose the same number of tokens with every seed. Each one is chosen or not by itself, so
    that their number is left to chance, too."""
    draws = _rand(input_ids.shape, seed).masked_fill(is_special, 2.0).flatten()
    wanted = round(int((~is_special).sum()) * mask_probability)
    chosen = (draws.argsort().argsort() < wanted).reshape(input_ids.shape)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def way_without_the_seed(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Two seeds choose other tokens, but hide them in the same way. All dice hang on the seed: how
    a token is hidden, and what is drawn, too."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, 0)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def other_shares(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """Of your chosen tokens too many or too few become [MASK]. It is 80 % of them, 10 % are drawn,
    and 10 % stay."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, 0.85, 0.05)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def mask_never_drawn(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """[MASK] is never drawn in your result. It is one of the vocabulary, as likely to be drawn as
    any other token."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(vocab_size - 1, input_ids.shape, generator=generator)
    drawn = drawn + (drawn >= mask_id)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn)
    return masked, _labels(input_ids, chosen)


@misconception("mask_tokens")
def original_never_drawn(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> Pair:
    """The token that stood there before is never drawn in your result. It is as likely as any other
    one."""
    chosen = _chosen(input_ids, is_special, seed, mask_probability)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(vocab_size - 1, input_ids.shape, generator=generator)
    drawn = drawn + (drawn >= input_ids)
    masked = _hide(input_ids, chosen, mask_id, vocab_size, seed, drawn=drawn)
    return masked, _labels(input_ids, chosen)
