"""Wrong answers that students give in chapter 3, one module an exercise."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

Weights = Mapping[str, Tensor]


def spell(rows: Sequence[Sequence[int]], length: int) -> Tensor:
    """Rows of characters as one tensor, filled with 260 up to `length`, and raised by 1."""
    filled = [[*row, *[260] * (length - len(row))] for row in rows]
    return torch.tensor(filled, dtype=torch.int64).reshape(-1, length) + 1


def four_parts(x: Tensor, hidden: Tensor, weights: Weights) -> tuple[Tensor, ...]:
    """What an LSTM computes for i, f, g and o before the sigmoids and the tanh."""
    from_input = functional.linear(x, weights["input_weight"], weights["bias"])
    from_hidden = functional.linear(hidden, weights["hidden_weight"])
    return (from_input + from_hidden).chunk(4, dim=-1)


def clip(values: Tensor, limit: float | None) -> Tensor:
    """The values kept from minus the limit to the limit, where there is one."""
    return values if limit is None else values.clamp(-limit, limit)


def negative_logs(hidden: Tensor, targets: Tensor, weights: Weights) -> Tensor:
    """-log p of each target, in the shape of the targets."""
    logits = functional.linear(hidden, weights["weight"], weights["bias"])
    return functional.cross_entropy(logits.movedim(-1, 1), targets, reduction="none")
