"""Writing one token after the other: the loop, how a token is chosen, and what is kept meanwhile.

Chapter 7 teaches both: keeping keys and values, and sampling.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

KeyValue = tuple[Tensor, Tensor]


@dataclass
class KeyValueCache:
    """What a decoder has seen so far. A new one is empty, and a call of the model extends it.

    Attributes:
        layers: for each layer the keys and the values of all positions so far, each of shape
            (batch, key-value heads, time, head_dim); an empty list before the first call.
        input_ids: the tokens so far, shape (batch, time), for a model whose masks depend on them;
            None in the others.
    """

    layers: list[KeyValue] = field(default_factory=list)
    input_ids: Tensor | None = None

    @property
    def length(self) -> int:
        """How many positions the cache holds."""
        return self.layers[0][0].shape[2] if self.layers else 0


class Decoder(nn.Module):
    """What the models that write text have in common: ``generate``.

    Attributes:
        end_ids: tokens that end a text; may be empty.
        pad_id: what stands behind the end of a text, while others of its batch go on.
    """

    end_ids: tuple[int, ...] = ()
    pad_id: int = 0

    def hidden_states(
        self, input_ids: Tensor, attention_mask: Tensor | None, cache: KeyValueCache | None
    ) -> Tensor:
        """Give the vectors from which the head makes logits, shape (batch, time, hidden_size)."""
        raise NotImplementedError

    def head(self, hidden: Tensor) -> Tensor:
        """Give the logits, shape (..., vocab_size), of vectors (..., hidden_size)."""
        raise NotImplementedError

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        max_new_tokens: int,
        attention_mask: Tensor | None = None,
        *,
        temperature: float = 0.0,
        top_k: int | None = None,
        top_p: float | None = None,
        end_ids: Collection[int] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Continue texts, token by token, with a cache.

        Args:
            input_ids: the prompts, shape (batch, time), int64, time at least 1. Prompts of
                different lengths are padded on the left.
            max_new_tokens: how many tokens are added at most.
            attention_mask: shape (batch, time), 1 for a real token, 0 for padding. None: all real.
            temperature: 0 takes the most probable token; above 0, logits are divided by it and a
                token is drawn.
            top_k: draw from the k most probable tokens only.
            top_p: draw from the smallest set of tokens that together have this probability.
            end_ids: tokens that end a text. None: those of the model; (): never end.
            generator: where the random draws come from.

        Returns:
            Prompt and continuation, shape (batch, time + n), n at most ``max_new_tokens``; shorter
            if all texts have ended. Behind a text's end stands ``pad_id``.

        Raises:
            ValueError: if a prompt is empty or padded on the right, or an option makes no sense.
        """
        if attention_mask is not None and not attention_mask[..., -1:].all():
            raise ValueError(
                "attention_mask has padding at the last position of a prompt, where the "
                "continuation begins; padding must stand on the left"
            )
        cache, mask = KeyValueCache(), attention_mask

        def next_logits(new_ids: Tensor) -> Tensor:
            nonlocal mask
            if mask is not None and cache.length:
                mask = torch.cat([mask, mask.new_ones(new_ids.shape)], dim=1)
            return self.head(self.hidden_states(new_ids, mask, cache)[:, -1])

        def choose(logits: Tensor) -> Tensor:
            return choose_next(logits, temperature, top_k, top_p, generator)

        ends = self.end_ids if end_ids is None else end_ids
        return generate_tokens(next_logits, input_ids, max_new_tokens, choose, ends, self.pad_id)


class CausalDecoder(Decoder):
    """A model that writes text, in which no position sees a later one."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Give the logits of the token after each position.

        Args:
            input_ids: shape (B, T), int64; with a cache, the tokens that are new.
            attention_mask: 1 for a real token, 0 for padding, shape (B, S), where S counts the
                positions in the cache and the new ones. None: all real.
            cache: what the model has seen so far; it is extended. None: nothing, and nothing is
                kept.

        Returns:
            Shape (B, T, V). What stands at padding means nothing.

        Raises:
            ValueError: if a shape is wrong.
            IndexError: if an id is out of range.
        """
        return self.head(self.hidden_states(input_ids, attention_mask, cache))


def generate_tokens(
    next_logits: Callable[[Tensor], Tensor],
    input_ids: Tensor,
    max_new_tokens: int,
    choose: Callable[[Tensor], Tensor],
    end_ids: Collection[int] = (),
    pad_id: int = 0,
) -> Tensor:
    """Continue texts with tokens that ``choose`` picks.

    Args:
        next_logits: takes the tokens that are new since the last call, shape (batch, time), and
            gives the logits of the token after them, shape (batch, vocab_size).
        input_ids: what is there already, shape (batch, time), int64, time at least 1.
        max_new_tokens: how many tokens are added at most, 0 or more.
        choose: takes logits (batch, vocab_size) and gives tokens, shape (batch,), int64.
        end_ids: tokens after which a text has ended.
        pad_id: what a text that has ended gets, until all have.

    Returns:
        Shape (batch, time + n), n at most ``max_new_tokens``.

    Raises:
        ValueError: if there is no token to start from, or ``max_new_tokens`` is negative.
    """
    if input_ids.ndim != 2 or input_ids.shape[1] == 0:
        raise ValueError(
            f"input_ids has shape {tuple(input_ids.shape)}; it must be (batch, time) with at least "
            "one token to start from"
        )
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens is {max_new_tokens}; it must be 0 or more")
    ends = torch.tensor(sorted(end_ids), dtype=torch.int64)
    ended = torch.zeros(len(input_ids), dtype=torch.bool)
    all_ids, new_ids = input_ids, input_ids
    for _ in range(max_new_tokens):
        chosen = torch.where(ended, pad_id, choose(next_logits(new_ids)))  # (batch,)
        new_ids = chosen.unsqueeze(1)
        all_ids = torch.cat([all_ids, new_ids], dim=1)
        ended = ended | torch.isin(chosen, ends)
        if ended.all():
            break
    return all_ids


def choose_next(
    logits: Tensor,
    temperature: float = 0.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Choose the next token of each text.

    Args:
        logits: shape (batch, vocab_size).
        temperature: 0 takes the most probable token; above 0, logits are divided by it and a token
            is drawn.
        top_k: draw from the k most probable tokens only, and from those that are just as probable
            as the last of them; None: from all.
        top_p: draw from the smallest set of tokens that together have this probability; after
            ``top_k``. None: from all.
        generator: where the random draws come from.

    Returns:
        Tokens, shape (batch,), int64.

    Raises:
        ValueError: if the temperature is negative, or top_k or top_p is out of range or set while
            the temperature is 0.
    """
    from solutions.llama import sample_top_p  # here, since that module imports this one

    if temperature < 0:
        raise ValueError(f"temperature is {temperature}; it must be 0 (greedy) or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; at least one token must be left to choose")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p is {top_p}; it must be above 0 and at most 1")
    if temperature == 0:
        if top_k is not None or top_p is not None:
            raise ValueError("top_k and top_p are for sampling: set a temperature above 0, too")
        return logits.argmax(dim=-1)
    logits = logits / temperature
    if top_k is not None and top_k < logits.shape[-1]:
        smallest = logits.topk(top_k).values[:, -1:]  # (batch, 1)
        logits = logits.masked_fill(logits < smallest, -torch.inf)
    draws = torch.rand(len(logits), generator=generator, dtype=logits.dtype)
    return sample_top_p(logits, 1.0 if top_p is None else top_p, draws)
