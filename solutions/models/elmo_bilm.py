"""The LSTMs of ELMo, over sentences of different lengths, in both directions.

The model that uses them is in `solutions.elmo`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.models.elmo_config import NUM_CHARACTERS, ElmoConfig
from solutions.models.inputs import check_token_ids


@dataclass
class LstmState:
    """Where the LSTMs stopped reading. A new one is at zero; a call of the model moves it on.

    Attributes:
        forward_layers: for each layer the hidden state and the cell after each sentence's end,
            shapes (B, P) and (B, size of a cell), without gradients; empty before the first call.
        backward_layers: the same of the other direction, after each sentence's begin.
    """

    forward_layers: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    backward_layers: list[tuple[Tensor, Tensor]] = field(default_factory=list)


def read_both_ways(
    x: Tensor,
    lengths: Tensor,
    layers: Iterable[Mapping[str, Mapping[str, Tensor]]],
    config: ElmoConfig,
    state: LstmState | None = None,
) -> list[Tensor]:
    """Run the LSTMs of both directions over a batch of sentences.

    Args:
        x: shape (B, T, P), float; padding at the end.
        lengths: how many real positions each sentence has, shape (B,), int64.
        layers: for each layer "forward_lstm" and "backward_lstm", as ``lstm`` takes them.
        config: says what is clipped, and whether there are skip connections.
        state: where to start; it is moved on. None: start from zero.

    Returns:
        What each layer gives, shape (B, T, 2P): the forward LSTM's beside the backward one's.

    Raises:
        ValueError: if the state is one of another number of sentences.
    """
    if state is None:
        state = LstmState()
    layers = list(layers)
    forward = [weights["forward_lstm"] for weights in layers]
    backward = [weights["backward_lstm"] for weights in layers]
    # A backward LSTM is a forward one that reads each sentence from its own end.
    return [
        torch.cat([left, reverse_sentences(right, lengths)], dim=-1)
        for left, right in zip(
            _read(x, lengths, forward, config, state.forward_layers),
            _read(reverse_sentences(x, lengths), lengths, backward, config, state.backward_layers),
            strict=True,
        )
    ]


def _read(
    x: Tensor,
    lengths: Tensor,
    layers: list[Mapping[str, Tensor]],
    config: ElmoConfig,
    state: list[tuple[Tensor, Tensor]],
) -> list[Tensor]:
    """Run the LSTMs of one direction; give what each layer gives, and move the state on."""
    batch = len(x)
    if not state:
        sizes = (config.projection_size, config.cell_size)
        state[:] = [(x.new_zeros(batch, sizes[0]), x.new_zeros(batch, sizes[1])) for _ in layers]
    elif len(state[0][0]) != batch:
        raise ValueError(
            f"the state is one of {len(state[0][0])} sentences, and the batch has {batch}"
        )
    rows, last = torch.arange(batch), lengths - 1
    outputs = []
    for number, weights in enumerate(layers):
        hiddens, cells = lstm(x, *state[number], weights, config.cell_clip, config.projection_clip)
        state[number] = (hiddens[rows, last].detach(), cells[rows, last].detach())
        x = hiddens + x if number > 0 and config.skip_connections else hiddens
        outputs.append(x)
    return outputs


def lstm(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Mapping[str, Tensor],
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Run an LSTM over a sequence: the exercise ``lstm_cell``, step after step, in a faster form.

    What the inputs add to the gates does not wait for the step before, so it is computed for all
    steps at once. The loop has only what is recurrent.

    Args:
        x: shape (B, T, I), float, T at least 1.
        hidden: the hidden state to start from, shape (B, P).
        cell: the cell to start from, shape (B, C).
        weights: as in ``lstm_cell``.
        cell_clip: as in ``lstm_cell``.
        projection_clip: as in ``lstm_cell``.

    Returns:
        The hidden state after each step, shape (B, T, P), and the cell, shape (B, T, C).
    """
    from_inputs = F.linear(x, weights["input_weight"], weights["bias"])  # (B, T, 4C)
    hidden_weight, projection_weight = weights["hidden_weight"].T, weights["projection_weight"]
    hiddens, cells = [], []
    for from_input in from_inputs.unbind(1):
        i, f, g, o = torch.addmm(from_input, hidden, hidden_weight).chunk(4, dim=-1)  # (B, C)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        if cell_clip is not None:
            cell = cell.clamp(-cell_clip, cell_clip)
        hidden = F.linear(o.sigmoid() * cell.tanh(), projection_weight)  # (B, P)
        if projection_clip is not None:
            hidden = hidden.clamp(-projection_clip, projection_clip)
        hiddens.append(hidden)
        cells.append(cell)
    return torch.stack(hiddens, dim=1), torch.stack(cells, dim=1)


def reverse_sentences(x: Tensor, lengths: Tensor) -> Tensor:
    """Turn each sentence around within its own length; padding stays behind it.

    Args:
        x: shape (B, T, D).
        lengths: shape (B,), int64.

    Returns:
        Shape (B, T, D).
    """
    positions, ends = torch.arange(x.shape[1]), lengths.unsqueeze(-1)  # (T,), (B, 1)
    origins = torch.where(positions < ends, ends - 1 - positions, positions)  # (B, T)
    return x.gather(1, origins.unsqueeze(-1).expand_as(x))


def mark_sentences(char_ids: Tensor, marks: Tensor) -> tuple[Tensor, Tensor]:
    """Put the mark of the begin before each sentence, and the mark of the end right behind it.

    Args:
        char_ids: shape (B, T, C), int64, all 0 where a word is padding.
        marks: how the two marks are spelled, shape (2, C).

    Returns:
        Shape (B, T + 2, C), and how long each sentence is now, shape (B,), int64.

    Raises:
        ValueError: if the shape is not (B, T, C), or a word stands behind padding.
        IndexError: if an id is out of range.
    """
    if char_ids.ndim != 3 or char_ids.shape[-1] != marks.shape[-1]:
        raise ValueError(
            f"char_ids has shape {tuple(char_ids.shape)}; it must be (batch, time, "
            f"{marks.shape[-1]}): so many characters a word"
        )
    if char_ids.numel() > 0:  # sentences without words are fine
        check_token_ids(char_ids.flatten(1), NUM_CHARACTERS + 1, "char_ids")
    is_word = (char_ids != 0).any(-1)  # (B, T)
    if (is_word[:, 1:] & ~is_word[:, :-1]).any():
        raise ValueError("char_ids has a word behind padding; padding must come last")
    num_words = is_word.sum(-1)
    marked = F.pad(char_ids, (0, 0, 1, 1))  # (B, T + 2, C)
    marked[:, 0] = marks[0]
    marked[torch.arange(len(marked)), num_words + 1] = marks[1]
    return marked, num_words + 2
