"""Right answers to the exercises of chapter 3, written differently from the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from autograder.alternatives import alternative

Weights = Mapping[str, Tensor]
Filters = Iterable[Mapping[str, Tensor]]
Activation = Callable[[Tensor], Tensor]
Pair = tuple[Tensor, Tensor]


# ---------------------------------------------------------------------------------- char_ids


@alternative("char_ids")
def filled_in_place(words: Sequence[str], max_characters: int = 50) -> Tensor:
    ids = torch.full((len(words), max_characters), 261)
    for row, word in zip(ids, words, strict=True):
        if word in ("<S>", "</S>"):
            characters = torch.tensor([257 if word == "<S>" else 258])
        else:
            characters = torch.tensor(list(word.encode()), dtype=torch.int64)[: max_characters - 2]
            characters = characters + 1
        row[0] = 259
        row[1 : 1 + len(characters)] = characters
        row[1 + len(characters)] = 260
    return ids


@alternative("char_ids")
def character_by_character(words: Sequence[str], max_characters: int = 50) -> Tensor:
    rows = torch.zeros(len(words), max_characters, dtype=torch.int64)
    for number, word in enumerate(words):
        for place in range(max_characters):
            rows[number, place] = _character_at(word, place, max_characters) + 1
    return rows


def _character_at(word: str, place: int, max_characters: int) -> int:
    if word in ("<S>", "</S>"):
        characters = bytearray(1)
    else:
        characters = bytearray(word, "utf-8")[: max_characters - 2]
    if place == 0:
        return 258
    if place == len(characters) + 1:
        return 259
    if place > len(characters) + 1:
        return 260
    return {"<S>": 256, "</S>": 257}.get(word, characters[place - 1])


@alternative("char_ids")
def rows_stacked(words: Sequence[str], max_characters: int = 50) -> Tensor:
    if not words:
        return torch.zeros(0, max_characters, dtype=torch.int64)
    rows = []
    for word in words:
        match word:
            case "<S>":
                inner = [256]
            case "</S>":
                inner = [257]
            case _:
                inner = [byte for letter in word for byte in letter.encode("utf-8")]
        while len(inner) > max_characters - 2:
            inner.pop()
        row = torch.tensor([258, *inner, 259])
        rows.append(functional.pad(row, (0, max_characters - len(row)), value=260))
    return torch.stack(rows) + 1


# ---------------------------------------------------------------------------------- char_cnn


@alternative("char_cnn")
def activation_before_maximum(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    """ReLU and tanh never fall, so the largest value stays the largest."""
    x = char_embedding[characters].permute(0, 2, 1)
    found = [
        activation(functional.conv1d(x, one["weight"], bias=one["bias"])).amax(dim=2)
        for one in filters
    ]
    return torch.hstack(found)


@alternative("char_cnn")
def windows_by_einsum(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    x = functional.embedding(characters, char_embedding)  # (words, characters, char_dim)
    found = []
    for one in filters:
        windows = x.unfold(1, one["weight"].shape[2], 1)  # (words, places, char_dim, width)
        scores = torch.einsum("npdw,fdw->npf", windows, one["weight"])
        found.append(scores.max(dim=1)[0] + one["bias"])
    return activation(torch.cat(found, dim=1))


@alternative("char_cnn")
def place_by_place(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    one_hot = functional.one_hot(characters, len(char_embedding)).to(char_embedding.dtype)
    x = one_hot @ char_embedding
    columns = []
    for one in filters:
        number, _, width = one["weight"].shape
        for k in range(number):
            values = []
            for start in range(x.shape[1] - width + 1):
                value = one["bias"][k] + (x[:, start : start + width] * one["weight"][k].T).sum(
                    dim=(1, 2)
                )
                values.append(value)
            columns.append(activation(torch.stack(values).max(dim=0).values))
    return torch.stack(columns, dim=1)


@alternative("char_cnn")
def pooled_by_torch(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Filters,
    activation: Activation = torch.relu,
) -> Tensor:
    x = torch.index_select(char_embedding, 0, characters.reshape(-1))
    x = x.reshape(*characters.shape, -1).swapaxes(1, 2)
    result = torch.empty(len(characters), 0, dtype=char_embedding.dtype)
    for one in filters:
        everywhere = functional.conv1d(x, one["weight"]) + one["bias"].reshape(1, -1, 1)
        best = functional.adaptive_max_pool1d(everywhere, 1).squeeze(2)
        result = torch.cat([result, activation(best)], dim=1)
    return result


# ----------------------------------------------------------------------------------- highway


@alternative("highway")
def way_from_x(x: Tensor, weights: Weights) -> Tensor:
    transformed = torch.clamp(x @ weights["transform_weight"].T + weights["transform_bias"], min=0)
    gate = 1 / (1 + torch.exp(-(x @ weights["gate_weight"].T + weights["gate_bias"])))
    return x + gate * (transformed - x)


@alternative("highway")
def interpolated(x: Tensor, weights: Weights) -> Tensor:
    transformed = torch.einsum("...d,ed->...e", x, weights["transform_weight"])
    transformed = torch.relu(transformed + weights["transform_bias"])
    gate = torch.einsum("...d,ed->...e", x, weights["gate_weight"]) + weights["gate_bias"]
    return torch.lerp(x, transformed, torch.sigmoid(gate))


@alternative("highway")
def one_large_matrix(x: Tensor, weights: Weights) -> Tensor:
    both = torch.cat([weights["transform_weight"], weights["gate_weight"]])
    bias = torch.cat([weights["transform_bias"], weights["gate_bias"]])
    transformed, gate = functional.linear(x, both, bias).chunk(2, dim=-1)
    transformed = transformed * (transformed > 0)
    return torch.sigmoid(gate) * transformed + torch.sigmoid(-gate) * x


# --------------------------------------------------------------------------------- lstm_cell


@alternative("lstm_cell")
def inputs_side_by_side(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    matrix = torch.cat([weights["input_weight"], weights["hidden_weight"]], dim=1)
    parts = torch.cat([x, hidden], dim=1) @ matrix.T + weights["bias"]
    size = cell.shape[1]
    i = torch.sigmoid(parts[:, :size])
    f = torch.sigmoid(parts[:, size : 2 * size])
    g = torch.tanh(parts[:, 2 * size : 3 * size])
    o = torch.sigmoid(parts[:, 3 * size :])
    new_cell = f * cell + i * g
    if cell_clip is not None:
        new_cell = torch.clip(new_cell, -cell_clip, cell_clip)
    new_hidden = (o * torch.tanh(new_cell)) @ weights["projection_weight"].T
    if projection_clip is not None:
        new_hidden = torch.clip(new_hidden, -projection_clip, projection_clip)
    return new_hidden, new_cell


@alternative("lstm_cell")
def limits_of_infinity(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    cell_limit = float("inf") if cell_clip is None else cell_clip
    hidden_limit = float("inf") if projection_clip is None else projection_clip
    parts = []
    for w, u, bias in zip(
        weights["input_weight"].chunk(4),
        weights["hidden_weight"].chunk(4),
        weights["bias"].chunk(4),
        strict=True,
    ):
        parts.append(torch.einsum("bi,ci->bc", x, w) + torch.einsum("bp,cp->bc", hidden, u) + bias)
    cell = parts[1].sigmoid() * cell + parts[0].sigmoid() * parts[2].tanh()
    cell = cell.clamp(min=-cell_limit, max=cell_limit)
    hidden = torch.einsum(
        "bc,pc->bp", parts[3].sigmoid() * cell.tanh(), weights["projection_weight"]
    )
    return hidden.clamp(min=-hidden_limit, max=hidden_limit), cell


@alternative("lstm_cell")
def four_rows_by_reshape(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Weights,
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> Pair:
    parts = weights["bias"] + x @ weights["input_weight"].mT + hidden @ weights["hidden_weight"].mT
    i, f, g, o = parts.reshape(len(x), 4, -1).unbind(dim=1)
    tanh_of_g = 2 * torch.sigmoid(2 * g) - 1
    new = torch.sigmoid(i) * tanh_of_g + torch.sigmoid(f) * cell
    if cell_clip is not None:
        limit = torch.full_like(new, cell_clip)
        new = torch.maximum(torch.minimum(new, limit), -limit)
    out = torch.matmul(torch.sigmoid(o) * torch.tanh(new), weights["projection_weight"].T)
    if projection_clip is not None:
        limit = torch.full_like(out, projection_clip)
        out = torch.maximum(torch.minimum(out, limit), -limit)
    return out, new


# --------------------------------------------------------------------------------- bilm_loss


@alternative("bilm_loss")
def prediction_by_prediction(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    losses = []
    for b in range(len(token_ids)):
        for t in range(token_ids.shape[1] - 1):
            if mask is not None and not (mask[b, t] and mask[b, t + 1]):
                continue
            for state, word in (
                (forward_hidden[b, t], token_ids[b, t + 1]),
                (backward_hidden[b, t + 1], token_ids[b, t]),
            ):
                logits = weights["weight"] @ state + weights["bias"]
                losses.append(torch.logsumexp(logits, dim=0) - logits[word])
    return torch.stack(losses).mean()  # as many predictions forward as backward


@alternative("bilm_loss")
def padding_left_out_by_cross_entropy(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    if mask is None:
        mask = torch.ones_like(token_ids)
    both = mask[:, 1:].bool() & mask[:, :-1].bool()
    total = torch.zeros((), dtype=forward_hidden.dtype)
    for states, words in (
        (forward_hidden[:, :-1], token_ids[:, 1:]),
        (backward_hidden[:, 1:], token_ids[:, :-1]),
    ):
        logits = functional.linear(states, weights["weight"], weights["bias"])
        words = words.masked_fill(~both, -100)
        total = total + functional.cross_entropy(logits.flatten(0, 1), words.flatten())
    return total / 2


@alternative("bilm_loss")
def weighted_by_the_mask(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
) -> Tensor:
    real = torch.ones_like(token_ids) if mask is None else mask.long()
    ids = token_ids * real
    counts = (real[:, :-1] * real[:, 1:]).to(forward_hidden.dtype)
    result = torch.zeros((), dtype=forward_hidden.dtype)
    for hidden, targets in (
        (forward_hidden[:, :-1], ids[:, 1:]),
        (backward_hidden[:, 1:], ids[:, :-1]),
    ):
        logits = torch.einsum("btp,vp->btv", hidden, weights["weight"]) + weights["bias"]
        log_p = torch.log_softmax(logits, dim=-1)
        picked = torch.gather(log_p, 2, targets[..., None])[..., 0]
        result = result - 0.5 * (picked * counts).sum() / counts.sum()
    return result


# -------------------------------------------------------------------------------- scalar_mix


@alternative("scalar_mix")
def stacked_tensordot(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    if len(layers) != scores.shape[0]:
        raise ValueError("One score for each layer, please.")
    return gamma * torch.tensordot(scores.softmax(-1), torch.stack(list(layers)), dims=1)


@alternative("scalar_mix")
def weights_written_out(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    exponentials = torch.exp(scores - scores.max())
    weights = gamma * exponentials / exponentials.sum()
    return sum(weight * layer for weight, layer in zip(weights, layers, strict=True))


@alternative("scalar_mix")
def last_axis_summed(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    if scores.numel() != len(layers):
        raise ValueError(f"{scores.numel()} scores for {len(layers)} layers")
    weights = torch.exp(torch.log_softmax(scores, dim=0))
    return (torch.stack(tuple(layers), dim=-1) * weights).sum(dim=-1) * gamma


# -------------------------------------------------------------------------------- elmo_embed


@alternative("elmo_embed")
def sentence_by_sentence(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    mixed = last_axis_summed(layers, scores, gamma)
    batch, time, dim = mixed.shape
    result = torch.zeros(batch, time - 2, dim, dtype=mixed.dtype)
    for b, n in enumerate(num_words.tolist()):
        result[b, :n] = mixed[b, 1 : n + 1]
    return result


@alternative("elmo_embed")
def cut_before_mixing(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    places = torch.arange(1, layers[0].shape[1] - 1)
    keep = (places[None, :] <= num_words[:, None])[:, :, None].to(layers[0].dtype)
    return stacked_tensordot([layer[:, 1:-1] * keep for layer in layers], scores, gamma)


@alternative("elmo_embed")
def padded_again(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    room = layers[0].shape[1] - 2
    rows = []
    for sentence, n in zip(weights_written_out(layers, scores, gamma), num_words, strict=True):
        kept = sentence[1 : int(n) + 1]
        rows.append(functional.pad(kept, (0, 0, 0, room - len(kept))))
    return torch.stack(rows)
