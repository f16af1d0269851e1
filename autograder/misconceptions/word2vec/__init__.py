"""Wrong answers that students give in chapter 2, one module an exercise."""

import torch
from torch import Tensor


def best(scores: Tensor, leave_out: list[int], k: int) -> Tensor:
    """The k ids with the highest scores, (k,) int64, without those in `leave_out`."""
    order = torch.argsort(scores, descending=True, stable=True)
    return order[~torch.isin(order, torch.tensor(leave_out, dtype=torch.int64))][:k]
