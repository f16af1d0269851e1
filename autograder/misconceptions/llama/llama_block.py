"""Wrong answers to the exercise `llama_block`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.llama import Pair, Weights, block


@misconception("llama_block")
def norm_after(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You norm the sums, as chapter 5 does. Here the norm stands at the entry of each part, and the
    sums are left as they are."""
    return block("post", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def no_residual(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You give on what a part makes, without what went into it. Add it: that is the residual
    connection."""
    return block("no residual", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def second_residual_missing(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your feed-forward step has no residual connection. Both steps add what was there before."""
    return block("second residual", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def residual_from_the_start(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """In your second step you add the input of the block. Add what the first step gave."""
    return block("residual from the start", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def normed_vectors_added(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """In your first step you add the normed vectors. The norm is for the part only: the road around
    it carries `x` as it was."""
    return block("residual of the normed", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def normed_vectors_added_at_last(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """In your second step you add the normed vectors. The norm is for the part only: the road
    around it carries the sum as it was."""
    return block("second residual of the normed", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def first_norm_left_out(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your queries, keys and values come from vectors that were not normed."""
    return block("first norm", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def second_norm_left_out(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """What goes into your SwiGLU was not normed."""
    return block("second norm", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def parts_side_by_side(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your SwiGLU reads the input of the block. It comes second: it reads what the first step
    gave."""
    return block("side by side", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def one_norm_for_both(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your two norms use the same gain. Each has its own: look at the names of the groups."""
    return block("one norm", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def norms_exchanged(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your two norms have changed places: each uses the gain of the other."""
    return block("norms exchanged", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def eps_forgotten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your norms use an eps of their own. Hand the argument `eps` on to both of them."""
    return block("eps", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def query_not_turned(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your queries are not turned. Scores depend on the distance only if queries and keys both
    are."""
    return block("query not turned", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def key_not_turned(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your keys are not turned. Scores depend on the distance only if queries and keys both
    are."""
    return block("key not turned", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def value_turned(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You turn the values, too. Positions are for finding, and not for what is handed over."""
    return block("value turned", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def as_many_keys_as_queries(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You cut the keys into as many heads as the queries. There may be fewer: each head has d
    entries, and d is found from the angles."""
    return block("as many keys", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def past_forgotten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your positions don't see the earlier ones: `past` holds their keys and values."""
    return block("past forgotten", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def past_behind(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You put the earlier keys and values behind the new ones. They come first."""
    return block("new ones first", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def past_joined_along_the_heads(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You join `past` and the new keys along the axis of the heads. Which axis counts positions?"""
    return block("heads lengthened", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def only_new_ones_returned(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You give back the keys and values of the new positions only. The next call needs those of all
    positions."""
    return block("only new ones", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def nothing_kept(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your keys and values are lost. The function gives back the output, and the pair of keys and
    values."""
    return block("only the output", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def mask_forgotten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your positions attend to everything, also where the mask forbids it. Hand the mask on to the
    attention."""
    return block("mask forgotten", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def mask_inverted(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You read the mask the other way round. Here True means: may attend."""
    return block("mask inverted", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def heads_not_merged(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """The heads' findings get mixed up between positions: put them together with `merge_heads`, not
    with a reshape alone."""
    return block("heads not merged in order", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def biases_forgotten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your attention leaves the biases out. Where there are some, each of the four maps adds
    its own."""
    return block("no biases", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def key_bias_forgotten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """The bias of your keys is missing: "key_bias", where it is there."""
    return block("no key bias", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def output_bias_forgotten(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """The bias of your output map is missing: "output_bias", where it is there."""
    return block("no output bias", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def eps_not_handed_to_the_first_norm(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your first norm uses an eps of its own. Both norms get the argument `eps`."""
    return block("eps of the first", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def eps_not_handed_to_the_second_norm(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your second norm uses an eps of its own. Both norms get the argument `eps`."""
    return block("eps of the second", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def past_turned_once_more(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You turn the keys of `past` once more. They were turned when they were new: turn the new
    ones, and only then put the past in front."""
    return block("past turned too", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def unturned_keys_returned(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You give back keys that are not turned. The next call takes those of the past as they
    are, so they have to be turned already."""
    return block("unturned given back", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def second_norm_reads_the_first(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your second norm reads what the first norm gave. It reads the sum that the first step
    made."""
    return block("norm of the normed", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def second_norm_reads_the_attention_alone(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your second norm reads what attention gave, without the road around it. It reads the sum
    of the two."""
    return block("second without the road", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def heads_of_half_the_size(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """Your heads are half as large as they should be: an angle turns a pair of entries, so d is
    twice the number of angles."""
    return block("half a head", x, weights, angles, mask, past, eps)


@misconception("llama_block")
def turned_before_the_cut(
    x: Tensor,
    weights: Weights,
    angles: Tensor,
    mask: Tensor | None = None,
    past: Pair | None = None,
    eps: float = 1e-6,
) -> tuple[Tensor, Any]:
    """You turn queries and keys before you cut them into heads. The angles are for one head:
    cut first."""
    return block("turned before the cut", x, weights, angles, mask, past, eps)
