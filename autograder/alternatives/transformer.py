"""Right answers to the exercises of chapter 5, written differently from the reference."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.alternatives import alternative

# ---------------------------------------------------------------------- sinusoidal_positions


@alternative("sinusoidal_positions")
def every_other_column(num_positions: int, dim: int) -> Tensor:
    """As in many programs, in float32 from the beginning."""
    if dim % 2:
        raise ValueError("An odd dimension has a sine without a cosine.")
    table = torch.zeros(num_positions, dim)
    positions = torch.arange(num_positions, dtype=torch.float).unsqueeze(1)
    rates = torch.exp(torch.arange(0, dim, 2).float() * (-math.log(10000.0) / dim))
    table[:, 0::2] = torch.sin(positions * rates)
    table[:, 1::2] = torch.cos(positions * rates)
    return table


@alternative("sinusoidal_positions")
def waves_in_a_loop(num_positions: int, dim: int) -> Tensor:
    if dim % 2 == 1:
        raise ValueError(f"{dim} is odd")
    rows = []
    for p in range(num_positions):
        row = []
        for i in range(dim // 2):
            angle = p / 10000 ** (2 * i / dim)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return torch.tensor(rows).reshape(num_positions, dim)


@alternative("sinusoidal_positions")
def turned_from_position_to_position(num_positions: int, dim: int) -> Tensor:
    """Each position is the one before it, turned by the angle of one step."""
    if dim % 2:
        raise ValueError("dim must be even")
    step = torch.exp(-1j * 10000.0 ** (-torch.arange(0, dim, 2).double() / dim))
    now, rows = torch.full((dim // 2,), 1j, dtype=torch.complex128), []
    for _ in range(num_positions):
        rows.append(torch.view_as_real(now).flatten())
        now = now * step
    return torch.stack(rows).float()


@alternative("sinusoidal_positions")
def waves_with_numpy(num_positions: int, dim: int) -> Tensor:
    if dim % 2 != 0:
        raise ValueError("dim must be even")
    columns = np.arange(dim)
    angles = np.arange(num_positions)[:, None] / np.power(10000.0, (columns - columns % 2) / dim)
    waves = np.where(columns % 2 == 0, np.sin(angles), np.cos(angles))
    return torch.from_numpy(waves.astype(np.float32))


# -------------------------------------------------------------------------------- layer_norm


@alternative("layer_norm")
def fused_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    return F.layer_norm(x, (x.shape[-1],), weight, bias, eps)


@alternative("layer_norm")
def norm_row_by_row(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        mean = sum(row) / len(row)
        variance = sum((entry - mean) ** 2 for entry in row) / len(row)
        rows.append(weight * (row - mean) / torch.sqrt(variance + eps) + bias)
    return torch.stack(rows).reshape(x.shape)


@alternative("layer_norm")
def inverse_root_of_the_variance(
    x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5
) -> Tensor:
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + eps) * weight
    return torch.addcmul(bias, x - mean, scale)


@alternative("layer_norm")
def centred_by_a_matrix(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    dim = x.shape[-1]
    centring = torch.eye(dim, dtype=x.dtype) - 1 / dim
    centred = torch.einsum("...i,ij->...j", x, centring)
    squares = torch.einsum("...i,...i->...", centred, centred) / dim
    return centred / (squares + eps)[..., None] ** 0.5 * weight + bias


# ------------------------------------------------------------------------------ feed_forward


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map written out, with a bias that may be missing."""
    out = torch.einsum("...i,oi->...o", x, weight)
    return out if bias is None else out + bias


@alternative("feed_forward")
def products_written_out(
    x: Tensor, weights: Mapping[str, Tensor], activation: Callable[[Tensor], Tensor] = F.relu
) -> Tensor:
    inner = x @ weights["inner_weight"].T
    if "inner_bias" in weights:
        inner = inner + weights["inner_bias"]
    out = activation(inner) @ weights["outer_weight"].T
    if "outer_bias" in weights:
        out = out + weights["outer_bias"]
    return out


@alternative("feed_forward")
def maps_as_einsum(
    x: Tensor, weights: Mapping[str, Tensor], activation: Callable[[Tensor], Tensor] = F.relu
) -> Tensor:
    inner = activation(_linear(x, weights["inner_weight"], weights.get("inner_bias")))
    return _linear(inner, weights["outer_weight"], weights.get("outer_bias"))


@alternative("feed_forward")
def unit_by_unit(
    x: Tensor, weights: Mapping[str, Tensor], activation: Callable[[Tensor], Tensor] = F.relu
) -> Tensor:
    inner_dim = len(weights["inner_weight"])
    shifts = weights.get("inner_bias", torch.zeros(inner_dim, dtype=x.dtype))
    out = torch.zeros_like(x)
    for row, shift, column in zip(
        weights["inner_weight"], shifts, weights["outer_weight"].T, strict=True
    ):
        out = out + activation((x * row).sum(-1, keepdim=True) + shift) * column
    return out + weights.get("outer_bias", torch.zeros(x.shape[-1], dtype=x.dtype))


# ------------------------------------------------------------- encoder_layer, decoder_layer


def _norm(x: Tensor, group: Mapping[str, Tensor], eps: float) -> Tensor:
    """Layer norm, by torch's function."""
    return F.layer_norm(x, x.shape[-1:], group["weight"], group["bias"], eps)


def _feed_forward(
    x: Tensor, group: Mapping[str, Tensor], activation: Callable[[Tensor], Tensor]
) -> Tensor:
    """The feed-forward network, by torch's function."""
    inner = activation(F.linear(x, group["inner_weight"], group.get("inner_bias")))
    return F.linear(inner, group["outer_weight"], group.get("outer_bias"))


def _head_by_head(
    x: Tensor, context: Tensor, group: Mapping[str, Tensor], num_heads: int, mask: Tensor | None
) -> Tensor:
    """Multi-head attention with a loop over the heads."""
    query = F.linear(x, group["query_weight"], group.get("query_bias"))
    key = F.linear(context, group["key_weight"], group.get("key_bias"))
    value = F.linear(context, group["value_weight"], group.get("value_bias"))
    head_dim = x.shape[-1] // num_heads
    if mask is not None:
        mask = mask.expand(len(x), num_heads, x.shape[1], context.shape[1])
    found = []
    for head in range(num_heads):
        piece = slice(head * head_dim, (head + 1) * head_dim)
        scores = query[..., piece] @ key[..., piece].transpose(1, 2) / math.sqrt(head_dim)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, head], -math.inf)
        found.append(torch.nan_to_num(scores.softmax(-1)) @ value[..., piece])
    return F.linear(torch.cat(found, dim=-1), group["output_weight"], group.get("output_bias"))


def _as_einsum(
    x: Tensor, context: Tensor, group: Mapping[str, Tensor], num_heads: int, mask: Tensor | None
) -> Tensor:
    """Multi-head attention with einsum; what is masked gets a weight of 0 before the sum."""
    dim = x.shape[-1]
    projected = {}
    for part, source in (("query", x), ("key", context), ("value", context)):
        rows = _linear(source, group[f"{part}_weight"], group.get(f"{part}_bias"))
        projected[part] = rows.reshape(*rows.shape[:2], num_heads, dim // num_heads)
    scores = torch.einsum("bthd,bshd->bhts", projected["query"], projected["key"])
    exponentials = torch.exp(scores * (dim // num_heads) ** -0.5)
    if mask is not None:
        exponentials = exponentials * mask
    total = exponentials.sum(-1, keepdim=True)
    weights = exponentials / torch.where(total > 0, total, torch.ones_like(total))
    heads = torch.einsum("bhts,bshd->bthd", weights, projected["value"])
    return _linear(heads.flatten(2), group["output_weight"], group.get("output_bias"))


def _by_torch(
    x: Tensor, context: Tensor, group: Mapping[str, Tensor], num_heads: int, mask: Tensor | None
) -> Tensor:
    """Multi-head attention by torch's own, in which True means: may not attend."""
    dim, nothing = x.shape[-1], torch.zeros(x.shape[-1], dtype=x.dtype)
    biases = [group.get(f"{part}_bias", nothing) for part in ("query", "key", "value")]
    hidden = None
    if mask is not None:
        hidden = ~mask.expand(len(x), num_heads, x.shape[1], context.shape[1]).flatten(0, 1)
    found, _ = F.multi_head_attention_forward(
        x.transpose(0, 1),
        context.transpose(0, 1),
        context.transpose(0, 1),
        dim,
        num_heads,
        None,
        torch.cat(biases),
        None,
        None,
        False,
        0.0,
        group["output_weight"],
        group.get("output_bias"),
        attn_mask=hidden,
        need_weights=False,
        use_separate_proj_weight=True,
        q_proj_weight=group["query_weight"],
        k_proj_weight=group["key_weight"],
        v_proj_weight=group["value_weight"],
    )
    return found.transpose(0, 1)


@alternative("encoder_layer")
def encoder_head_by_head(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    x = _norm(
        x + _head_by_head(x, x, weights["attention"], num_heads, mask),
        weights["attention_norm"],
        eps,
    )
    transformed = _feed_forward(x, weights["feed_forward"], activation)
    return _norm(transformed + x, weights["feed_forward_norm"], eps)


@alternative("encoder_layer")
def encoder_as_einsum(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    summed = x + _as_einsum(x, x, weights["attention"], num_heads, mask)
    middle = centred_by_a_matrix(summed, **weights["attention_norm"], eps=eps)
    summed = middle + unit_by_unit(middle, weights["feed_forward"], activation)
    return centred_by_a_matrix(summed, **weights["feed_forward_norm"], eps=eps)


@alternative("encoder_layer")
def encoder_text_by_text(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """One text after the other, each with its own part of the mask, and torch's attention."""
    done = []
    for b in range(len(x)):
        text, own = x[b : b + 1], mask
        if mask is not None and mask.ndim == 4 and len(mask) > 1:
            own = mask[b : b + 1]
        attended = _as_einsum(text, text, weights["attention"], num_heads, own)
        if own is None or own.any(-1).all():  # where a query has no key, torch gives NaN
            attended = _by_torch(text, text, weights["attention"], num_heads, own)
        text = _norm(text + attended, weights["attention_norm"], eps)
        transformed = _feed_forward(text, weights["feed_forward"], activation)
        done.append(_norm(text + transformed, weights["feed_forward_norm"], eps))
    return torch.cat(done)


@alternative("decoder_layer")
def decoder_head_by_head(
    x: Tensor,
    memory: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    attended = _head_by_head(x, x, weights["self_attention"], num_heads, mask)
    x = _norm(attended + x, weights["self_attention_norm"], eps)
    read = _head_by_head(x, memory, weights["cross_attention"], num_heads, memory_mask)
    x = _norm(read + x, weights["cross_attention_norm"], eps)
    transformed = _feed_forward(x, weights["feed_forward"], activation)
    return _norm(transformed + x, weights["feed_forward_norm"], eps)


@alternative("decoder_layer")
def decoder_as_a_list_of_steps(
    x: Tensor,
    memory: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    steps = {
        "self_attention": lambda y, group: _as_einsum(y, y, group, num_heads, mask),
        "cross_attention": lambda y, group: _as_einsum(y, memory, group, num_heads, memory_mask),
        "feed_forward": lambda y, group: products_written_out(y, group, activation),
    }
    for name, sublayer in steps.items():
        gain_and_bias = weights[f"{name}_norm"]
        summed = x + sublayer(x, weights[name])
        x = inverse_root_of_the_variance(
            summed, gain_and_bias["weight"], gain_and_bias["bias"], eps
        )
    return x


@alternative("decoder_layer")
def decoder_position_by_position(
    x: Tensor,
    memory: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Each position of the target asks by itself, as in decoding."""
    batch, time, source_time = len(x), x.shape[1], memory.shape[1]
    if mask is None:
        mask = torch.ones(1, dtype=torch.bool)
    if memory_mask is None:
        memory_mask = torch.ones(1, dtype=torch.bool)
    own = mask.expand(batch, num_heads, time, time)
    others = memory_mask.expand(batch, num_heads, time, source_time)
    done = []
    for t in range(time):
        now, here = x[:, t : t + 1], slice(t, t + 1)
        attended = _head_by_head(now, x, weights["self_attention"], num_heads, own[:, :, here])
        now = _norm(now + attended, weights["self_attention_norm"], eps)
        read = _head_by_head(now, memory, weights["cross_attention"], num_heads, others[:, :, here])
        now = _norm(now + read, weights["cross_attention_norm"], eps)
        transformed = _feed_forward(now, weights["feed_forward"], activation)
        done.append(_norm(now + transformed, weights["feed_forward_norm"], eps))
    return torch.cat(done, dim=1)


# ------------------------------------------------------------------------ noam_learning_rate


@alternative("noam_learning_rate")
def two_cases(step: int, model_dim: int, warmup_steps: int) -> float:
    if step < 1:
        raise ValueError("step counts from 1")
    if warmup_steps < 1:
        raise ValueError("warmup_steps counts from 1")
    top = 1 / math.sqrt(model_dim * warmup_steps)
    if step < warmup_steps:
        return top * step / warmup_steps
    return top * math.sqrt(warmup_steps / step)


@alternative("noam_learning_rate")
def by_logarithms(step: int, model_dim: int, warmup_steps: int) -> float:
    if min(step, warmup_steps) < 1:
        raise ValueError("both count from 1")
    fall = -0.5 * math.log(step)
    rise = math.log(step) - 1.5 * math.log(warmup_steps)
    return math.exp(min(fall, rise) - 0.5 * math.log(model_dim))


@alternative("noam_learning_rate")
def with_numpy_numbers(step: int, model_dim: int, warmup_steps: int) -> float:
    if step <= 0 or warmup_steps <= 0:
        raise ValueError(f"{step} and {warmup_steps} should be at least 1")
    return np.minimum(1 / np.sqrt(step), step / np.sqrt(warmup_steps) ** 3) / np.sqrt(model_dim)


# ----------------------------------------------------------------------- label_smoothed_loss


@alternative("label_smoothed_loss")
def whole_target(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    vocab_size = logits.shape[-1]
    right = F.one_hot(targets, vocab_size).to(logits.dtype)
    if spread == "all":
        wanted = (1 - smoothing) * right + smoothing / vocab_size
    elif spread == "wrong":
        wanted = (1 - smoothing) * right + smoothing / (vocab_size - 1) * (1 - right)
    else:
        raise ValueError("no such spread")
    losses = -torch.einsum("btv,btv->bt", wanted, F.log_softmax(logits, dim=-1))
    counts = (targets != pad_id).to(logits.dtype)
    return (losses * counts).sum() / counts.sum().clamp(min=1)


@alternative("label_smoothed_loss")
def position_by_position(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    if spread not in {"all", "wrong"}:
        raise ValueError(spread)
    losses = []
    for rows, tokens in zip(logits, targets.tolist(), strict=True):
        for row, token in zip(rows, tokens, strict=True):
            if token == pad_id:
                continue
            surprise = torch.logsumexp(row, dim=0) - row
            others = torch.cat([surprise[:token], surprise[token + 1 :]])
            loss = (1 - smoothing) * surprise[token]
            if spread == "all":
                loss = loss + smoothing * surprise.mean()
            else:
                loss = loss + smoothing * others.mean()
            losses.append(loss)
    return torch.stack(losses).mean() if losses else 0 * logits.sum()


@alternative("label_smoothed_loss")
def cross_entropy_of_torch(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    if spread != "all" and spread != "wrong":
        raise ValueError(f"spread can't be {spread}")
    counts = targets != pad_id
    if not counts.any():
        return torch.zeros((), dtype=logits.dtype)
    rows, wanted = logits[counts], targets[counts]
    if spread == "all":
        return F.cross_entropy(rows, wanted, label_smoothing=smoothing)
    vocab_size = logits.shape[-1]
    plain, uniform = F.cross_entropy(rows, wanted), -rows.log_softmax(-1).sum(-1).mean()
    return (1 - smoothing) * plain + smoothing / (vocab_size - 1) * (uniform - plain)


# ----------------------------------------------------------------------------- greedy_decode


@alternative("greedy_decode")
def text_by_text(
    next_logits: Callable[[Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    end_id: int,
    pad_id: int,
) -> Tensor:
    texts = []
    for start in start_ids:
        text = start.tolist()
        for _ in range(max_new_tokens):
            logits = next_logits(torch.tensor([text]))
            text.append(int(logits[0].argmax()))
            if text[-1] == end_id:
                break
        texts.append(text)
    longest = max(len(text) for text in texts)
    return torch.tensor([text + [pad_id] * (longest - len(text)) for text in texts])


@alternative("greedy_decode")
def padded_afterwards(
    next_logits: Callable[[Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    end_id: int,
    pad_id: int,
) -> Tensor:
    """Lets all texts run on, and wipes out what stands behind their ends."""
    ids, start_time = start_ids.clone(), start_ids.shape[1]
    for _ in range(max_new_tokens):
        ids = torch.cat([ids, next_logits(ids).topk(1).indices], dim=1)
        if (ids[:, start_time:] == end_id).any(dim=1).all():
            break
    added = ids[:, start_time:]
    ends_before = torch.cumsum(added == end_id, dim=1) - (added == end_id).long()
    ids[:, start_time:] = torch.where(ends_before > 0, pad_id, added)
    return ids


@alternative("greedy_decode")
def only_the_open_texts(
    next_logits: Callable[[Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    end_id: int,
    pad_id: int,
) -> Tensor:
    """Asks the model for the texts that have not ended, and for no other."""
    batch, start_time = start_ids.shape
    ids = torch.full((batch, start_time + max_new_tokens), pad_id)
    ids[:, :start_time] = start_ids
    open_texts, time = torch.arange(batch), start_time
    while time < ids.shape[1] and len(open_texts) > 0:
        logits = next_logits(ids[open_texts, :time])
        chosen = torch.sort(logits, dim=-1, descending=True).indices[:, 0]
        ids[open_texts, time] = chosen
        open_texts = open_texts[chosen != end_id]
        time += 1
    return ids[:, :time]


# ------------------------------------------------------------------------------- beam_search


@alternative("beam_search")
def lists_of_hypotheses(
    next_logits: Callable[[Tensor, Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Python lists: a beam is (log p, what was added, its parent's row)."""

    def score(beam: tuple[float, list[int], int]) -> float:
        return beam[0] / ((5 + len(beam[1])) / 6) ** length_penalty

    def has_ended(beam: tuple[float, list[int], int]) -> bool:
        return end_id in beam[1]

    starts = start_ids.tolist()
    texts: list[list[tuple[float, list[int], int]]] = [
        [(0.0, [], b * num_beams + k) for k in range(num_beams)] for b in range(len(starts))
    ]
    for step in range(max_new_tokens):
        rows = [
            start + added + [pad_id] * (step - len(added))
            for start, beams in zip(starts, texts, strict=True)
            for _, added, _ in beams
        ]
        parents = torch.tensor([parent for beams in texts for _, _, parent in beams])
        log_p = torch.log_softmax(next_logits(torch.tensor(rows), parents), dim=1).tolist()
        for b, beams in enumerate(texts):
            extended = []
            for k, beam in enumerate(beams[:1] if step == 0 else beams):
                row = b * num_beams + k
                if has_ended(beam):
                    extended.append((beam[0], beam[1], row))
                    continue
                for token, more in enumerate(log_p[row]):
                    extended.append((beam[0] + more, [*beam[1], token], row))
            texts[b] = sorted(extended, key=score, reverse=True)[:num_beams]
        if all(has_ended(beam) for beams in texts for beam in beams):
            break
    winners = [beams[0][1] for beams in texts]
    longest = max(len(added) for added in winners)
    return torch.tensor(
        [
            start + added + [pad_id] * (longest - len(added))
            for start, added in zip(starts, winners, strict=True)
        ]
    )


@alternative("beam_search")
def three_axes(
    next_logits: Callable[[Tensor, Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Everything has the axes text and beam; the lengths are read from the tokens."""
    batch = len(start_ids)
    added = torch.empty(batch, num_beams, 0, dtype=torch.int64)
    log_p = torch.full((batch, num_beams), -1e9, dtype=torch.float64)
    log_p[:, 0] = 0
    rows = torch.arange(batch * num_beams).view(batch, num_beams)
    parents = rows
    start = start_ids.unsqueeze(1).expand(-1, num_beams, -1)
    for _ in range(max_new_tokens):
        ended = (added == end_id).any(-1)
        ids = torch.cat([start, added], dim=-1)
        logits = next_logits(ids.flatten(0, 1), parents.flatten())
        step = logits.double().log_softmax(-1).view(batch, num_beams, -1)
        step = step.masked_fill(ended.unsqueeze(-1), -torch.inf)
        step[..., pad_id] = step[..., pad_id].masked_fill(ended, 0)
        total = log_p.unsqueeze(-1) + step
        before_end = (added == end_id).cumsum(-1).eq(0).sum(-1)  # tokens in front of the end
        n = torch.where(ended, before_end + 1, added.shape[-1] + 1)
        scores = total * (6 / (5 + n.unsqueeze(-1).double())) ** length_penalty
        order = scores.flatten(1).argsort(dim=1, descending=True)[:, :num_beams]
        beam, token = order // step.shape[-1], order % step.shape[-1]
        log_p = total.flatten(1).gather(1, order)
        kept = added.gather(1, beam.unsqueeze(-1).expand(-1, -1, added.shape[-1]))
        added = torch.cat([kept, token.unsqueeze(-1)], dim=-1)
        parents = rows.gather(1, beam)
        if (added == end_id).any(-1).all():
            break
    best = added[:, 0]
    ends = best == end_id
    behind = ends.cumsum(1) - ends.long() > 0
    used = int((~behind).sum(1).max()) if best.shape[1] else 0
    return torch.cat([start_ids, best[:, :used]], dim=1)


@alternative("beam_search")
def best_beam_anywhere(
    next_logits: Callable[[Tensor, Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Keeps the beams of a text in no order, and looks for the best only at the end."""
    batch, rows = len(start_ids), torch.arange(len(start_ids) * num_beams)
    ids, parents = start_ids[rows // num_beams], rows
    log_p, n = torch.zeros(len(rows)), torch.zeros(len(rows))
    ended = torch.zeros(len(rows), dtype=torch.bool)
    for step in range(max_new_tokens):
        more = F.log_softmax(next_logits(ids, parents), dim=-1)
        vocab_size = more.shape[1]
        total = torch.where(
            ended[:, None], torch.where(torch.arange(vocab_size) == pad_id, 0.0, -torch.inf), more
        )
        total = total + log_p[:, None]
        longer = n + (~ended).float()
        scores = total / ((5 + longer[:, None]) / 6) ** length_penalty
        if step == 0:
            scores[rows % num_beams > 0] = -torch.inf
        scores = scores.view(batch, -1)
        best = torch.argsort(scores, dim=1)[:, -num_beams:].sort(dim=1).values
        parents = (best // vocab_size + num_beams * torch.arange(batch)[:, None]).flatten()
        chosen = (best % vocab_size).flatten()
        ids = torch.cat([ids[parents], chosen[:, None]], dim=1)
        log_p, n = total[parents, chosen], longer[parents]
        ended = ended[parents] | (chosen == end_id)
        if ended.all():
            break
    final = (log_p / ((5 + n) / 6) ** length_penalty).view(batch, num_beams)
    winner = final.argmax(dim=1) + num_beams * torch.arange(batch)
    return ids[winner, : start_ids.shape[1] + int(n[winner].max())]
