"""Wrong answers to the exercise `char_cnn`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from solutions import elmo

Filters = Iterable[Mapping[str, Tensor]]
Activation = Callable[[Tensor], Tensor]


def vectors_of(characters: Tensor, char_embedding: Tensor) -> Tensor:
    """The characters' vectors, (words, char_dim, characters)."""
    return char_embedding[characters].transpose(1, 2)


@misconception("char_cnn")
def mean_over_places(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You take the mean over all places. A filter says whether its pattern occurs somewhere in the
    word: only the place where it fits best counts."""
    x = vectors_of(characters, char_embedding)
    found = [functional.conv1d(x, one["weight"], one["bias"]).mean(dim=-1) for one in filters]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def no_activation(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """The largest values come out as they are. What should still be applied to them?"""
    return elmo.char_cnn(characters, char_embedding, filters, lambda found: found)


@misconception("char_cnn")
def always_relu(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You apply ReLU whatever `activation` is. Call the function that is handed in."""
    return elmo.char_cnn(characters, char_embedding, filters)


@misconception("char_cnn")
def no_bias(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """Each filter also has a bias, which is added at every place. Yours is missing."""
    bare = [{"weight": one["weight"], "bias": torch.zeros_like(one["bias"])} for one in filters]
    return elmo.char_cnn(characters, char_embedding, bare, activation)


@misconception("char_cnn")
def bias_after_activation(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You add the bias after the activation. It belongs to the filter, and so comes before."""
    filters = list(filters)
    bias = torch.cat([one["bias"] for one in filters])
    return no_bias(characters, char_embedding, filters, activation) + bias


@misconception("char_cnn")
def sorted_by_width(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You put the widths into another order. They come out in the order in which they stand in
    `filters`."""
    ordered = sorted(filters, key=lambda one: one["weight"].shape[-1])
    return elmo.char_cnn(characters, char_embedding, ordered, activation)


@misconception("char_cnn")
def axes_not_swapped(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """`F.conv1d` moves along the last axis of what it gets, and takes the one before it for the
    numbers of a vector. Which axis of your tensor is which?"""
    x = char_embedding[characters]
    found = [functional.conv1d(x, one["weight"], one["bias"]).amax(dim=-1) for one in filters]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def axes_reshaped(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You bring the axes into order with `reshape` or `view`, which mixes the vectors of different
    characters. To exchange two axes is another thing than to give a tensor a new shape."""
    embedded = char_embedding[characters]
    words, length, size = embedded.shape
    x = embedded.reshape(words, size, length)
    found = [functional.conv1d(x, one["weight"], one["bias"]).amax(dim=-1) for one in filters]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def beyond_the_row(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """Your filters also look at places that stick out of the row. All the characters that a filter
    looks at must be in the row."""
    x = vectors_of(characters, char_embedding)
    found = []
    for one in filters:
        width = one["weight"].shape[-1]
        everywhere = functional.conv1d(x, one["weight"], one["bias"], padding=width - 1)
        found.append(everywhere.amax(dim=-1))
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def one_place_too_few(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """Your filters miss the last place of the row. In a row of five characters, how many places
    are there for a filter of width two?"""
    x = vectors_of(characters, char_embedding)
    found = []
    for one in filters:
        width = one["weight"].shape[-1]
        places = [
            (x[..., start : start + width].unsqueeze(1) * one["weight"]).sum(dim=(-2, -1))
            for start in range(x.shape[-1] - width)
        ]
        found.append(torch.stack(places).amax(dim=0) + one["bias"])
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def zero_is_silent(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You treat a character with id 0 as if it had no vector. Every id has a row in
    `char_embedding`, and here every row counts."""
    x = char_embedding[characters] * (characters != 0).unsqueeze(-1)
    found = [
        functional.conv1d(x.transpose(1, 2), one["weight"], one["bias"]).amax(dim=-1)
        for one in filters
    ]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def padding_is_silent(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You treat padding, 261, as if it had no vector. Padding characters have vectors as others do,
    and the filters look at them, too."""
    x = char_embedding[characters] * (characters != 261).unsqueeze(-1)
    found = [
        functional.conv1d(x.transpose(1, 2), one["weight"], one["bias"]).amax(dim=-1)
        for one in filters
    ]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def filter_turned_round(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """Your filters read the word backwards: their first column should meet the first of the
    characters, as in `F.conv1d`. (`np.convolve` turns its second argument round.)"""
    turned = [{"weight": one["weight"].flip(-1), "bias": one["bias"]} for one in filters]
    return elmo.char_cnn(characters, char_embedding, turned, activation)


@misconception("char_cnn")
def largest_filter(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You keep the largest filter of each place. It should be the other way round: for each filter
    the largest value of all places."""
    x = vectors_of(characters, char_embedding)
    found = [functional.conv1d(x, one["weight"], one["bias"]).amax(dim=1) for one in filters]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def squeezed(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """With one word, an axis of your result is gone. `squeeze()` drops every axis of length 1:
    name the axis that it should drop, or do without it."""
    return elmo.char_cnn(characters, char_embedding, filters, activation).squeeze()


@misconception("char_cnn")
def padded_to_the_same_length(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """You pad the row with zeros, so that there are as many places as characters. A filter has a
    place only where it fits into the row."""
    x = vectors_of(characters, char_embedding)
    found = []
    for one in filters:
        around = one["weight"].shape[-1] - 1
        padded = functional.pad(x, (around // 2, around - around // 2))
        found.append(functional.conv1d(padded, one["weight"], one["bias"]).amax(dim=-1))
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def zero_does_not_learn(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """Your values are right, but the vector of character 0 has no gradient: `padding_idx` keeps its
    row from learning. Here 0 is a character as others are."""
    x = functional.embedding(characters, char_embedding, padding_idx=0).transpose(1, 2)
    found = [functional.conv1d(x, one["weight"], one["bias"]).amax(dim=-1) for one in filters]
    return activation(torch.cat(found, dim=-1))


@misconception("char_cnn")
def values_and_places(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """`max(dim=...)` gives two tensors, the largest values and where they stand, and you hand both
    on. Which of the two does the activation take?"""
    x = vectors_of(characters, char_embedding)
    found: list[Tensor] = []
    for one in filters:
        largest = functional.conv1d(x, one["weight"], one["bias"]).max(dim=-1)
        found.append(activation(largest))  # type: ignore[arg-type]
    return torch.cat(found, dim=-1)


@misconception("char_cnn")
def values_and_places_joined(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """What you put side by side are no tensors: `max(dim=...)` gives a pair, the largest values
    and where they stand. You want one of the two."""
    x = vectors_of(characters, char_embedding)
    found = [functional.conv1d(x, one["weight"], one["bias"]).max(dim=-1) for one in filters]
    return activation(torch.cat(found, dim=-1))  # type: ignore[arg-type]
