"""Chapter 4: attention, from a weighted average to several heads.

The exercises of the chapter come first, in its order. Everywhere, a mask is boolean and says True
where a query may attend to a key. ``F.scaled_dot_product_attention`` of torch means the same by it;
``nn.MultiheadAttention`` means the opposite.

Paper: Vaswani et al. 2017, "Attention Is All You Need" (arXiv:1706.03762).
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

# ---------------------------------------------------------------------------- exercises


def softmax(scores: Tensor, dim: int = -1) -> Tensor:
    """Turn scores into probabilities: exp(score), divided by the sum of them along one axis.

    Must stay finite for scores of any size. A score of -inf gets probability 0. Where all scores
    along the axis are -inf there is nothing to choose from: the result is 0 for each of them, and
    so is their gradient.

    Args:
        scores: any shape, float.
        dim: the axis along which the probabilities sum to 1.

    Returns:
        The probabilities, with the shape and dtype of ``scores``.

    Source: Bridle 1990, "Probabilistic Interpretation of Feedforward Classification Network
        Outputs".
    """
    largest = scores.amax(dim, keepdim=True)
    largest = torch.where(largest == -torch.inf, torch.zeros_like(largest), largest)
    exponentials = (scores - largest).exp()
    total = exponentials.sum(dim, keepdim=True)
    return exponentials / torch.where(total == 0, torch.ones_like(total), total)


def attention_weights(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Give how much each query attends to each key: the softmax of their products over sqrt(d).

    A query that may attend to no key gets weight 0 for all of them, and gradient 0.

    Args:
        query: shape (..., T, d), float.
        key: shape (..., S, d), the same axes in front.
        mask: True where the query may attend to the key, bool, a shape that broadcasts to
            (..., T, S). None: everywhere.

    Returns:
        The weights, shape (..., T, S), 0 where ``mask`` is False; a row sums to 1, or to 0 if all
        of it is masked.

    Source: Vaswani et al. 2017, equation 1.
    """
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (..., T, S)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return softmax(scores)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> Tensor:
    """Give each query the average of the values, weighted by how well the query fits their keys.

    Args:
        query: shape (..., T, d), float.
        key: shape (..., S, d).
        value: shape (..., S, d_v).
        mask: True where the query may attend to the key, bool, a shape that broadcasts to
            (..., T, S). None: everywhere.

    Returns:
        Shape (..., T, d_v). A query that may attend to no key gets zeros, and gradient 0.

    Source: Vaswani et al. 2017, equation 1.
    """
    return attention_weights(query, key, mask) @ value


def causal_mask(num_queries: int, num_keys: int | None = None) -> Tensor:
    """Give the mask with which a position sees itself and what came before it.

    The queries are the last of the positions: with 2 queries and 5 keys, they stand at positions 3
    and 4.

    Args:
        num_queries: T, how many positions ask.
        num_keys: S, how many positions there are, at least T. None: T.

    Returns:
        Shape (T, S), bool, True where the query may attend to the key.

    Source: Vaswani et al. 2017, section 3.2.3.
    """
    if num_keys is None:
        num_keys = num_queries
    query_positions = torch.arange(num_keys - num_queries, num_keys)  # (T,)
    return torch.arange(num_keys) <= query_positions.unsqueeze(-1)  # (S,) <= (T, 1) -> (T, S)


def padding_mask(attention_mask: Tensor) -> Tensor:
    """Give the mask with which nobody sees the padding.

    Args:
        attention_mask: shape (B, S), 1 for a real token, 0 for padding; integer or bool.

    Returns:
        Shape (B, 1, 1, S), bool, True at real tokens: it broadcasts to (B, H, T, S), the same for
        all heads and all queries.
    """
    return attention_mask.bool()[:, None, None, :]


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Cut each vector into one piece for each head.

    Args:
        x: shape (B, T, D).
        num_heads: H, a divisor of D.

    Returns:
        Shape (B, H, T, D / H). Head h has the h-th piece of each vector: entries h * D / H up to
        (h + 1) * D / H.
    """
    batch, time, _ = x.shape
    return x.reshape(batch, time, num_heads, -1).transpose(1, 2)  # (B, T, H, d) -> (B, H, T, d)


def merge_heads(x: Tensor) -> Tensor:
    """Put the pieces of the heads together again: undo ``split_heads``.

    Args:
        x: shape (B, H, T, d).

    Returns:
        Shape (B, T, H * d).
    """
    return x.transpose(1, 2).flatten(-2)  # (B, T, H, d) -> (B, T, H*d)


def multi_head_attention(
    x: Tensor,
    context: Tensor,
    weights: Mapping[str, Tensor],
    num_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Let each position of ``x`` attend to ``context``, with several heads side by side.

    Queries come from ``x``, keys and values from ``context``: each is a linear map of it, cut into
    heads. What the heads find is put together and mapped once more. With ``context`` the same as
    ``x`` this is self-attention. Where a position may attend to nothing, the heads find zeros,
    which are put together and mapped like anything else.

    Args:
        x: shape (B, T, D), float.
        context: shape (B, S, D).
        weights: "query_weight", "key_weight", "value_weight" and "output_weight", each (D, D),
            used as ``F.linear`` does: x @ weight.T. A bias for each may be there, "query_bias" and
            so on, shape (D,), or may be missing.
        num_heads: H, a divisor of D.
        mask: True where the query may attend to the key, bool, a shape that broadcasts to
            (B, H, T, S). None: everywhere.

    Returns:
        Shape (B, T, D).

    Source: Vaswani et al. 2017, section 3.2.2.
    """
    query = F.linear(x, weights["query_weight"], weights.get("query_bias"))
    key = F.linear(context, weights["key_weight"], weights.get("key_bias"))
    value = F.linear(context, weights["value_weight"], weights.get("value_bias"))
    # scaled_dot_product_attention as above, in torch's fused and faster form.
    heads = F.scaled_dot_product_attention(
        split_heads(query, num_heads),
        split_heads(key, num_heads),
        split_heads(value, num_heads),
        mask,
    )  # (B, H, T, D/H)
    return F.linear(merge_heads(heads), weights["output_weight"], weights.get("output_bias"))
