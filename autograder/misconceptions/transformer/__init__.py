"""Wrong answers that students give in chapter 5, one module an exercise."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional


def norm(x: Tensor, gain_and_bias: Mapping[str, Tensor], eps: float) -> Tensor:
    """Layer norm with the gain and the bias of a group of weights."""
    return functional.layer_norm(x, x.shape[-1:], **gain_and_bias, eps=eps)
