"""Wrong answers to the exercise `lstm_cell`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from autograder.misconceptions import misconception
from autograder.misconceptions.elmo import Weights, clip, four_parts
from solutions import elmo

Pair = tuple[Tensor, Tensor]


def with_rows_in_order(weights: Weights, order: str) -> Weights:
    """The weights as they would be if i, f, g and o stood in another order in them."""
    changed = dict(weights)
    for name in ("input_weight", "hidden_weight", "bias"):
        blocks = dict(zip(order, weights[name].chunk(4), strict=True))
        changed[name] = torch.cat([blocks[gate] for gate in "ifgo"])
    return changed


@misconception("lstm_cell")
def order_of_another_program(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You take the four parts in the order i, f, o, g, as some programs store them. Here the order
    is another one: see what the task says about the weights."""
    weights = with_rows_in_order(weights, "ifog")
    return elmo.lstm_cell(x, hidden, cell, weights, cell_clip, projection_clip)


@misconception("lstm_cell")
def order_of_the_released_files(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You take the four parts in the order i, g, f, o. Here the order is another one: see what the
    task says about the weights."""
    weights = with_rows_in_order(weights, "igfo")
    return elmo.lstm_cell(x, hidden, cell, weights, cell_clip, projection_clip)


@misconception("lstm_cell")
def input_and_forget_exchanged(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You let i decide what remains and f what is written. Think of f as the share of the old cell
    that is kept."""
    weights = with_rows_in_order(weights, "figo")
    return elmo.lstm_cell(x, hidden, cell, weights, cell_clip, projection_clip)


@misconception("lstm_cell")
def parts_interleaved(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your four parts are drawn from rows that lie four apart. The rows of one part stand together:
    first all those of i, then all those of f, and so on."""
    changed = dict(weights)
    for name in ("input_weight", "hidden_weight", "bias"):
        changed[name] = torch.cat([weights[name][part::4] for part in range(4)])
    return elmo.lstm_cell(x, hidden, cell, changed, cell_clip, projection_clip)


@misconception("lstm_cell")
def forget_bias_of_one(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You add 1 before the sigmoid of the forget gate, as some programs do. Here the bias already
    holds whatever is to be added."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = clip((f + 1).sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return clip(hidden, projection_clip), cell


@misconception("lstm_cell")
def candidate_by_sigmoid(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You put all four parts through a sigmoid. The candidate is no gate: it must be able to write
    numbers below 0."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.sigmoid(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return clip(hidden, projection_clip), cell


@misconception("lstm_cell")
def bias_forgotten(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your gates don't depend on the bias. Which of the entries of `weights` have you used so
    far?"""
    bare = {**weights, "bias": torch.zeros_like(weights["bias"])}
    return elmo.lstm_cell(x, hidden, cell, bare, cell_clip, projection_clip)


@misconception("lstm_cell")
def hidden_state_not_read(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your result doesn't depend on the last hidden state. The four parts are computed from both,
    x and the hidden state."""
    nothing = torch.zeros_like(hidden)
    return elmo.lstm_cell(x, nothing, cell, weights, cell_clip, projection_clip)


@misconception("lstm_cell")
def not_projected(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your hidden state is as long as the cell. In this LSTM one more matrix makes it smaller."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    return clip(o.sigmoid() * cell.tanh(), projection_clip), cell


@misconception("lstm_cell")
def cell_not_squashed(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You multiply the output gate by the cell as it is. Something is done to the cell before."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell, weights["projection_weight"])
    return clip(hidden, projection_clip), cell


@misconception("lstm_cell")
def tanh_after_the_projection(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your tanh comes after the projection. The projection is the last step before the clip."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell, weights["projection_weight"]).tanh()
    return clip(hidden, projection_clip), cell


@misconception("lstm_cell")
def old_cell_in_the_output(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your hidden state is made of the old cell, so it doesn't know yet what was read in this
    step. Which cell does the formula take the tanh of?"""
    i, f, g, o = four_parts(x, hidden, weights)
    new = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return clip(hidden, projection_clip), new


@misconception("lstm_cell")
def cell_clipped_too_late(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """The cell that you return is clipped, but your hidden state comes from the cell before that.
    Clip the cell before anything uses it."""
    hidden, cell = elmo.lstm_cell(x, hidden, cell, weights, None, projection_clip)
    return hidden, clip(cell, cell_clip)


@misconception("lstm_cell")
def cell_not_clipped(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your new cell has entries beyond `cell_clip`."""
    return elmo.lstm_cell(x, hidden, cell, weights, None, projection_clip)


@misconception("lstm_cell")
def old_cell_clipped(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You clip the cell that came in. It is the new one that must stay within the limit."""
    return elmo.lstm_cell(x, hidden, clip(cell, cell_clip), weights, None, projection_clip)


@misconception("lstm_cell")
def hidden_not_clipped(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """Your new hidden state has entries beyond `projection_clip`."""
    return elmo.lstm_cell(x, hidden, cell, weights, cell_clip)


@misconception("lstm_cell")
def clipped_before_the_projection(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You clip what goes into the projection. It is what comes out of it that must stay within
    `projection_clip`."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    inner = clip(o.sigmoid() * cell.tanh(), projection_clip)
    return functional.linear(inner, weights["projection_weight"]), cell


@misconception("lstm_cell")
def clipped_above_only(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You clip large numbers only. A number far below 0 is clipped as well."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    cell = cell if cell_clip is None else cell.clamp(max=cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return hidden if projection_clip is None else hidden.clamp(max=projection_clip), cell


@misconception("lstm_cell")
def clamp_with_one_number(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You give `clamp` one number, and it takes that for the lower bound: all that is smaller
    becomes this number. Clipping has a bound on either side."""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    cell = cell if cell_clip is None else cell.clamp(cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return hidden if projection_clip is None else hidden.clamp(projection_clip), cell


@misconception("lstm_cell")
def clipped_by_none(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You clip even where the limit is None, and None is no number: minus None means nothing. What
    does the task say about None?"""
    i, f, g, o = four_parts(x, hidden, weights)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    cell = cell.clamp(-cell_clip, cell_clip)  # type: ignore[operator]
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return hidden.clamp(-projection_clip, projection_clip), cell  # type: ignore[operator]


@misconception("lstm_cell")
def one_clip_for_both(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You use `cell_clip` for the hidden state, too. It has a limit of its own."""
    return elmo.lstm_cell(x, hidden, cell, weights, cell_clip, cell_clip)


@misconception("lstm_cell")
def results_exchanged(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You return the cell first. The hidden state comes first, then the cell."""
    hidden, cell = elmo.lstm_cell(x, hidden, cell, weights, cell_clip, projection_clip)
    return cell, hidden


@misconception("lstm_cell")
def bias_twice(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You add the bias twice, once with the input and once with the hidden state. `torch.nn.LSTM`
    has two biases; how many are there here?"""
    doubled = {**weights, "bias": 2 * weights["bias"]}
    return elmo.lstm_cell(x, hidden, cell, doubled, cell_clip, projection_clip)


@misconception("lstm_cell")
def matrices_not_transposed(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You multiply by the matrix as it is stored, and the shapes don't fit. `F.linear` uses it
    otherwise: look at what the docstring says of the weights' shapes."""
    pre = x @ weights["input_weight"] + hidden @ weights["hidden_weight"] + weights["bias"]
    i, f, g, o = pre.chunk(4, dim=-1)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return clip(hidden, projection_clip), cell


@misconception("lstm_cell")
def batch_cut_in_four(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    """You cut the batch into parts, and not its numbers: without `dim`, `chunk` cuts along the
    first axis. On which axis do i, f, g and o stand side by side?"""
    from_input = functional.linear(x, weights["input_weight"], weights["bias"])
    from_hidden = functional.linear(hidden, weights["hidden_weight"])
    i, f, g, o = (from_input + from_hidden).chunk(4)
    cell = clip(f.sigmoid() * cell + i.sigmoid() * g.tanh(), cell_clip)
    hidden = functional.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    return clip(hidden, projection_clip), cell
