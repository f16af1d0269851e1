"""Wrong answers that students give in chapter 9, one module an exercise."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from solutions import attention, bloom

Past = tuple[Tensor, Tensor] | None
Attended = tuple[Tensor, tuple[Tensor, Tensor]]


def layer_norm(x: Tensor, group: Mapping[str, Tensor], eps: float) -> Tensor:
    """Layer norm with the gain and the bias of a group of weights."""
    return functional.layer_norm(x, x.shape[-1:], group["weight"], group["bias"], eps)


def made(x: Tensor, weights: Mapping[str, Tensor], num_heads: int, past: Past) -> list[Tensor]:
    """Query, key and value of each head, as BLOOM makes them, with the past in front."""
    fused = functional.linear(x, weights["qkv_weight"], weights["qkv_bias"])
    query, key, value = bloom.split_fused_qkv(fused, num_heads)
    if past is not None:
        key, value = torch.cat([past[0], key], 2), torch.cat([past[1], value], 2)
    return [query, key, value]


def finished(heads: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """The last map of the attention."""
    merged = attention.merge_heads(heads)
    return functional.linear(merged, weights["output_weight"], weights["output_bias"])
