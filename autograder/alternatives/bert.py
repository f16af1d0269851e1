"""Right answers to the exercises of chapter 6, written differently from the reference."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.alternatives import alternative
from solutions.attention import multi_head_attention
from solutions.transformer import encoder_layer, feed_forward, layer_norm

# --------------------------------------------------------------------------------- wordpiece


@alternative("wordpiece")
def two_loops(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """As the released code has it: two nested loops and a flag."""
    pieces, start = [], 0
    while start < len(word):
        end, found = len(word), None
        while start < end:
            piece = word[start:end]
            if start > 0:
                piece = "##" + piece
            if piece in vocabulary:
                found = piece
                break
            end -= 1
        if found is None:
            return ["[UNK]"]
        pieces.append(found)
        start = end
    return pieces


@alternative("wordpiece")
def the_rest_by_recursion(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    def cut(rest: str) -> list[str] | None:
        if rest in ("", "##"):
            return []
        least = 3 if rest.startswith("##") else 1
        for length in range(len(rest), least - 1, -1):
            if rest[:length] in vocabulary:
                others = cut("##" + rest[length:])
                return None if others is None else [rest[:length], *others]
        return None

    pieces = cut(word)
    return ["[UNK]"] if pieces is None else pieces


@alternative("wordpiece")
def through_the_vocabulary(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Look through all pieces for the longest that fits, instead of through all lengths."""
    pieces: list[str] = []
    done = 0
    while done < len(word):
        mark = "##" if pieces else ""
        bare = [p[len(mark) :] for p in vocabulary if p.startswith(mark) and len(p) > len(mark)]
        fitting = [piece for piece in bare if word.startswith(piece, done)]
        if not fitting:
            return ["[UNK]"]
        longest = max(fitting, key=len)
        pieces.append(mark + longest)
        done += len(longest)
    return pieces


# ------------------------------------------------------------------------------- mask_tokens


@alternative("mask_tokens")
def as_transformers_does(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Half of what the masks leave over is drawn; written into copies."""
    generator = torch.Generator().manual_seed(seed)
    labels, read = input_ids.clone(), input_ids.clone()
    probabilities = torch.full(labels.shape, mask_probability).masked_fill_(is_special, 0.0)
    chosen = torch.bernoulli(probabilities, generator=generator).bool()
    labels[~chosen] = -100
    hidden = torch.bernoulli(torch.full(labels.shape, 0.8), generator=generator).bool() & chosen
    read[hidden] = mask_id
    half = torch.bernoulli(torch.full(labels.shape, 0.5), generator=generator).bool()
    drawn = torch.randint(vocab_size, labels.shape, generator=generator)
    read[half & chosen & ~hidden] = drawn[half & chosen & ~hidden]
    return read, labels


@alternative("mask_tokens")
def token_by_token(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> tuple[Tensor, Tensor]:
    dice = random.Random(seed)
    masked, labels = input_ids.tolist(), input_ids.tolist()
    for row, specials in enumerate(is_special.tolist()):
        for place, special in enumerate(specials):
            if special or dice.random() >= mask_probability:
                labels[row][place] = -100
                continue
            ten = dice.randrange(10)
            if ten < 8:
                masked[row][place] = mask_id
            elif ten == 8:
                masked[row][place] = dice.randrange(vocab_size)
    return torch.tensor(masked), torch.tensor(labels)


@alternative("mask_tokens")
def one_draw_for_both(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """One number decides who is chosen and how it is hidden."""
    numpy = np.random.default_rng(seed)
    draw = torch.from_numpy(numpy.random(tuple(input_ids.shape)))
    drawn = torch.from_numpy(numpy.integers(vocab_size, size=tuple(input_ids.shape)))
    draw = draw.masked_fill(is_special, 2.0)
    masked = input_ids.where(draw >= mask_probability, mask_id)
    masked = torch.where((draw < 0.2 * mask_probability), drawn, masked)
    masked = torch.where((draw < 0.1 * mask_probability), input_ids, masked)
    return masked, input_ids.masked_fill(draw >= mask_probability, -100)


@alternative("mask_tokens")
def torchs_own_dice(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """With the one generator that torch always has, started anew."""
    torch.manual_seed(seed)
    chosen = (torch.rand_like(input_ids, dtype=torch.float) < mask_probability) & ~is_special
    masked, labels = input_ids.clone(), torch.full_like(input_ids, -100)
    places = chosen.nonzero()
    for row, place in places.tolist():
        labels[row, place] = input_ids[row, place]
    kinds = torch.multinomial(torch.tensor([0.8, 0.1, 0.1]), max(len(places), 1), replacement=True)
    replacements = torch.randint(vocab_size, (len(places),))
    for (row, place), kind, token in zip(
        places.tolist(), kinds.tolist(), replacements.tolist(), strict=False
    ):
        if kind == 0:
            masked[row, place] = mask_id
        elif kind == 1:
            masked[row, place] = token
    return masked, labels


# ---------------------------------------------------------------------------- masked_lm_loss


@alternative("masked_lm_loss")
def ignored_by_torch(logits: Tensor, labels: Tensor) -> Tensor:
    total = F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=-100, reduction="sum")
    return total / max(int((labels != -100).sum()), 1)


@alternative("masked_lm_loss")
def gathered_and_weighted(logits: Tensor, labels: Tensor) -> Tensor:
    counts = (labels != -100).to(logits.dtype)
    right = labels.clamp(min=0).unsqueeze(-1)
    losses = -logits.log_softmax(-1).gather(-1, right).squeeze(-1)
    return (losses * counts).sum() / counts.sum().clamp(min=1)


@alternative("masked_lm_loss")
def label_by_label(logits: Tensor, labels: Tensor) -> Tensor:
    losses = [
        logits[row, place].logsumexp(-1) - logits[row, place, labels[row, place]]
        for row, place in (labels != -100).nonzero().tolist()
    ]
    return torch.stack(losses).mean() if losses else logits.sum() * 0


# ----------------------------------------------------------------------- next_sentence_pairs


@alternative("next_sentence_pairs")
def others_in_a_list(documents: list[list[str]], seed: int) -> list[tuple[str, str, int]]:
    if len([document for document in documents if document]) < 2:
        raise ValueError("two documents at least")
    dice, pairs = random.Random(seed), []
    for number, document in enumerate(documents):
        others = [s for n, other in enumerate(documents) if n != number for s in other]
        for place in range(len(document) - 1):
            second, label = document[place + 1], 0
            if dice.randrange(2):
                second, label = dice.choice(others), 1
            pairs.append((document[place], second, label))
    return pairs


@alternative("next_sentence_pairs")
def drawn_again_until_it_fits(documents: list[list[str]], seed: int) -> list[tuple[str, str, int]]:
    numpy = np.random.default_rng(seed)
    places = [(n, i) for n, document in enumerate(documents) for i in range(len(document))]
    if len({n for n, _ in places}) < 2:
        raise ValueError("there is no other document")
    pairs = []
    for number, place in places:
        if place + 1 == len(documents[number]):
            continue
        label = int(numpy.integers(2))
        second = (number, place + 1)
        while label and second[0] == number:
            second = places[int(numpy.integers(len(places)))]
        pairs.append((documents[number][place], documents[second[0]][second[1]], label))
    return pairs


@alternative("next_sentence_pairs")
def by_weights(documents: list[list[str]], seed: int) -> list[tuple[str, str, int]]:
    """A document drawn in proportion to its length, then one of its sentences, with torch."""
    lengths = torch.tensor([float(len(document)) for document in documents])
    if int((lengths > 0).sum()) < 2:
        raise ValueError("give a second document")
    generator, pairs = torch.Generator().manual_seed(seed), []
    for number, document in enumerate(documents):
        weights = lengths.clone()
        weights[number] = 0
        for first, following in itertools.pairwise(document):
            if torch.rand((), generator=generator) < 0.5:
                pairs.append((first, following, 0))
                continue
            other = documents[int(torch.multinomial(weights, 1, generator=generator))]
            place = int(torch.randint(len(other), (), generator=generator))
            pairs.append((first, other[place], 1))
    return pairs


# --------------------------------------------------------------------------- bert_embeddings


@alternative("bert_embeddings")
def rows_and_the_written_out_norm(
    input_ids: Tensor,
    token_type_ids: Tensor,
    weights: Mapping[str, Tensor],
    eps: float = 1e-12,
) -> Tensor:
    total = weights["token_embedding"][input_ids] + weights["segment_embedding"][token_type_ids]
    total = total + weights["position_embedding"][: input_ids.shape[1]]
    return layer_norm(total, weights["weight"], weights["bias"], eps)


@alternative("bert_embeddings")
def one_hot_products(
    input_ids: Tensor,
    token_type_ids: Tensor,
    weights: Mapping[str, Tensor],
    eps: float = 1e-12,
) -> Tensor:
    places = torch.arange(input_ids.shape[1]).expand_as(input_ids)
    total: Tensor | None = None
    for name, ids in (("token", input_ids), ("position", places), ("segment", token_type_ids)):
        table = weights[f"{name}_embedding"]
        vectors = F.one_hot(ids, len(table)).to(table.dtype) @ table
        total = vectors if total is None else total + vectors
    assert total is not None
    variance, mean = torch.var_mean(total, -1, correction=0, keepdim=True)
    return (total - mean) * torch.rsqrt(variance + eps) * weights["weight"] + weights["bias"]


# -------------------------------------------------------------------------------------- gelu


@alternative("gelu")
def torchs_gelu(x: Tensor, approximate: str = "none") -> Tensor:
    if approximate not in {"none", "tanh"}:
        raise ValueError(approximate)
    return F.gelu(x, approximate=approximate)


@alternative("gelu")
def by_the_normal_distribution(x: Tensor, approximate: str = "none") -> Tensor:
    """By `torch.special`; the tanh form by the logistic function, since they are the same."""
    if approximate == "none":
        return x * torch.special.ndtr(x)
    if approximate != "tanh":
        raise ValueError("neither form")
    return x * torch.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3)))


@alternative("gelu")
def half_x_and_a_rest(x: Tensor, approximate: str = "none") -> Tensor:
    match approximate:
        case "none":
            share = torch.erf(x * 0.5**0.5)
        case "tanh":
            share = torch.tanh((2 / math.pi) ** 0.5 * x * (1 + 0.044715 * x * x))
        case _:
            raise ValueError("approximate")
    return 0.5 * x + 0.5 * x * share


# -------------------------------------------------------------------------------- bert_layer


@alternative("bert_layer")
def written_out(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    x = x + multi_head_attention(x, x, weights["attention"], num_heads, mask)
    x = layer_norm(x, **weights["attention_norm"], eps=eps)
    inner = F.linear(
        x, weights["feed_forward"]["inner_weight"], weights["feed_forward"].get("inner_bias")
    )
    outer = F.linear(
        torchs_gelu(inner, approximate),
        weights["feed_forward"]["outer_weight"],
        weights["feed_forward"].get("outer_bias"),
    )
    return layer_norm(x + outer, **weights["feed_forward_norm"], eps=eps)


@alternative("bert_layer")
def with_a_lambda(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    return encoder_layer(
        x, weights, num_heads, mask, lambda inner: half_x_and_a_rest(inner, approximate), eps
    )


@alternative("bert_layer")
def two_residual_steps(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    def step(before: Tensor, part: Tensor, norm: Mapping[str, Tensor]) -> Tensor:
        return F.layer_norm(before + part, (x.shape[-1],), norm["weight"], norm["bias"], eps)

    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    middle = step(x, attended, weights["attention_norm"])
    thought = feed_forward(
        middle, weights["feed_forward"], lambda y: by_the_normal_distribution(y, approximate)
    )
    return step(middle, thought, weights["feed_forward_norm"])


# --------------------------------------------------------------------------------- mean_pool


@alternative("mean_pool")
def text_by_text(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    rows = []
    for vectors, real in zip(hidden, attention_mask.bool(), strict=True):
        kept = vectors[real]
        rows.append(kept.mean(0) if len(kept) else torch.zeros_like(vectors[0]))
    return torch.stack(rows)


@alternative("mean_pool")
def shares_times_vectors(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    real = attention_mask.to(hidden.dtype)
    shares = real / real.sum(1, keepdim=True).clamp(min=1e-9)
    return torch.einsum("bt,btd->bd", shares, hidden)


@alternative("mean_pool")
def nan_mean(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    holes = hidden.masked_fill(attention_mask[..., None] == 0, torch.nan)
    return holes.nanmean(dim=1).nan_to_num(nan=0.0)
