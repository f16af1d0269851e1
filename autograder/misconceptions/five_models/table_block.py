"""Wrong answers to the exercise `table_block`."""

from __future__ import annotations

from torch import Tensor

from autograder.misconceptions import misconception
from autograder.misconceptions.five_models import Config, Weights, attend_with, block_with
from solutions.five_models import table_norm


@misconception("table_block")
def mask_not_passed_on(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You have not passed `mask` on to the attention among the positions of x."""
    return block_with(x, weights, config, position_ids, None, memory, alpha)


@misconception("table_block")
def alpha_not_passed_on(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You have not passed `alpha` on to the residual steps."""
    return block_with(x, weights, config, position_ids, mask, memory, 1.0)


@misconception("table_block")
def eps_of_the_row_not_used(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Your norms take an eps of their own. It stands in the configuration: `norm_eps`."""
    changed = dict(config) | {"norm_eps": 1e-5}
    return block_with(x, weights, changed, position_ids, mask, memory, alpha)


@misconception("table_block")
def network_first(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Your feed-forward network comes before the attention. A block looks around first, then it
    thinks."""
    return block_with(
        x,
        weights,
        config,
        position_ids,
        mask,
        memory,
        alpha,
        order=("feed_forward", "attention", "cross_attention"),
    )


@misconception("table_block")
def memory_read_last(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You read the memory after the feed-forward network. It comes between the two other steps."""
    return block_with(
        x,
        weights,
        config,
        position_ids,
        mask,
        memory,
        alpha,
        order=("attention", "feed_forward", "cross_attention"),
    )


@misconception("table_block")
def memory_read_first(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You read the memory before the positions of x have looked at each other."""
    return block_with(
        x,
        weights,
        config,
        position_ids,
        mask,
        memory,
        alpha,
        order=("cross_attention", "attention", "feed_forward"),
    )


@misconception("table_block")
def no_attention_among_themselves(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Where there is a memory, you leave out the attention among the positions of x. A decoder's
    block attends twice."""
    order = ("attention", "feed_forward") if memory is None else ("cross_attention", "feed_forward")
    return block_with(x, weights, config, position_ids, mask, memory, alpha, order=order)


@misconception("table_block")
def memory_never_read(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You never look at `memory`. Where there is one, a second attention asks it."""
    return block_with(
        x, weights, config, position_ids, mask, memory, alpha, order=("attention", "feed_forward")
    )


@misconception("table_block")
def keys_of_the_second_attention_from_x(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """In the attention to the memory, your keys and values come from x. The queries do; keys and
    values come from `memory`."""
    return block_with(x, weights, config, position_ids, mask, memory, alpha, asked="itself")


@misconception("table_block")
def memory_asks(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """In the attention to the memory, `memory` asks and x is asked. It is the other way round:
    queries come from x."""
    return block_with(x, weights, config, position_ids, mask, memory, alpha, asked="swapped")


@misconception("table_block")
def block_s_input_asks_the_memory(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """The memory is asked by the block's input. It should be asked by what the first residual step
    gave."""
    return block_with(x, weights, config, position_ids, mask, memory, alpha, asked="input")


@misconception("table_block")
def memory_turned(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You turn queries and keys of the attention to the memory. Positions don't matter there:
    `table_attention` has the word "none"."""
    return block_with(
        x, weights, config, position_ids, mask, memory, alpha, cross_position=config["position"]
    )


@misconception("table_block")
def memory_masked(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You pass the mask on to the attention to the memory. It is for the positions of x; nothing of
    the memory is hidden."""
    return block_with(x, weights, config, position_ids, mask, memory, alpha, cross_mask=True)


@misconception("table_block")
def weights_of_the_first_attention_twice(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Both attentions use the weights "attention". The one to the memory has its own:
    "cross_attention"."""

    def attend(
        v: Tensor, context: Tensor, name: str, position: str, hidden: Tensor | None
    ) -> Tensor:
        run = attend_with(weights, config, position_ids)
        return run(v, context, "attention", position, hidden)

    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def one_norm_for_all(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """All your residual steps use the weights "attention_norm". Each step has a norm of its own,
    named after it."""
    norms = {name: weights["attention_norm"] for name in weights if name.endswith("_norm")}
    return block_with(x, dict(weights) | norms, config, position_ids, mask, memory, alpha)


@misconception("table_block")
def biases_not_added(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You add no biases in attention. Where the weights have them, they are added."""
    attend = attend_with(weights, config, position_ids, biases=lambda maps, name: None)
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def bias_of_the_output_not_added(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """The output map may have a bias as well."""
    attend = attend_with(
        weights,
        config,
        position_ids,
        biases=lambda maps, name: None if name == "output_bias" else maps.get(name),
    )
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def biases_wanted(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You look up a bias that is not there. Each may be missing: `get` gives None then."""
    attend = attend_with(weights, config, position_ids, biases=lambda maps, name: maps[name])
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def no_output_map(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You merge the heads and stop there. What they found is mapped once more, with
    "output_weight"."""
    attend = attend_with(weights, config, position_ids, output_map=False)
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def merged_without_moving_the_axis(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Your heads are merged in the wrong order: use your `merge_heads`."""
    attend = attend_with(weights, config, position_ids, merged=lambda heads: heads.reshape(x.shape))
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def as_many_heads_of_keys_as_of_queries(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You cut keys and values into as many heads as queries. They may have fewer, of the same size:
    divide their width by the size of a head."""
    attend = attend_with(weights, config, position_ids, key_heads=config["num_heads"])
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def one_big_head_in_the_block(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You attend with whole vectors. They are cut into `num_heads` heads."""

    def attend(
        v: Tensor, context: Tensor, name: str, position: str, hidden: Tensor | None
    ) -> Tensor:
        one = attend_with(weights, dict(config) | {"num_heads": 1}, position_ids)
        return one(v, context, name, position, hidden)

    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def position_ignored(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You attend without positions. Pass the row's word on to `table_attention`."""
    changed = dict(config) | {"position": "none"}
    return block_with(x, weights, changed, position_ids, mask, memory, alpha)


@misconception("table_block")
def always_relu(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Your network is that of the Transformer, whatever the row says. Use your `table_network`."""
    changed = dict(config) | {"activation": "ReLU"}
    return block_with(x, weights, changed, position_ids, mask, memory, alpha)


@misconception("table_block")
def norm_always_after(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """Your norm stands behind the sum, whatever the row says. Use your `residual_step`."""
    same = {"pre layer norm": "post layer norm"}
    changed = dict(config) | {"norm": same.get(config["norm"], config["norm"])}
    return block_with(x, weights, changed, position_ids, mask, memory, alpha)


@misconception("table_block")
def alpha_for_one_word(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """You pass `alpha` on for the word "post DeepNorm" only. Another word has DeepNorm, too, and
    where none has, `alpha` is 1 in any case."""
    used = alpha if config["norm"] == "post DeepNorm" else 1.0
    return block_with(x, weights, config, position_ids, mask, memory, used)


@misconception("table_block")
def alpha_for_attention_only(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """The residual step of the feed-forward network has an `alpha` as well."""
    before = ("attention", "cross_attention")
    x = block_with(x, weights, config, position_ids, mask, memory, alpha, order=before)
    return block_with(x, weights, config, position_ids, mask, memory, 1.0, order=("feed_forward",))


@misconception("table_block")
def bias_of_the_query_not_added(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """The query map may have a bias as well."""
    attend = attend_with(
        weights,
        config,
        position_ids,
        biases=lambda maps, name: None if name == "query_bias" else maps.get(name),
    )
    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def keys_of_what_was_not_normed(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """With a norm before the part, your keys and values come from the x that is not normed yet. The
    part gets the normed vectors, and all three maps are applied to them."""
    if not config["norm"].startswith("pre"):
        return block_with(x, weights, config, position_ids, mask, memory, alpha)
    run, given = attend_with(weights, config, position_ids), x

    def attend(
        v: Tensor, context: Tensor, name: str, position: str, hidden: Tensor | None
    ) -> Tensor:
        return run(v, given if name == "attention" else context, name, position, hidden)

    return block_with(x, weights, config, position_ids, mask, memory, alpha, attend=attend)


@misconception("table_block")
def memory_normed_with_x(
    x: Tensor,
    weights: Weights,
    config: Config,
    position_ids: Tensor,
    mask: Tensor | None = None,
    memory: Tensor | None = None,
    alpha: float = 1.0,
) -> Tensor:
    """With a norm before the part, you norm the memory, too. Only what asks is normed; the encoder
    has normed the memory at its end."""
    if memory is not None and config["norm"].startswith("pre"):
        norm = weights["cross_attention_norm"]
        memory = table_norm(memory, norm, config["norm"], config["norm_eps"])
    return block_with(x, weights, config, position_ids, mask, memory, alpha)
