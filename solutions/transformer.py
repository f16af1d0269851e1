"""Chapter 5: the Transformer, encoder and decoder, as the paper has it.

The exercises of the chapter come first, in its order; the model is assembled from them after.

Paper: Vaswani et al. 2017, "Attention Is All You Need" (arXiv:1706.03762).
"""

import os
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.attention import multi_head_attention
from solutions.models.encoder_decoder import EncoderDecoder
from solutions.models.transformer_config import TransformerConfig as TransformerConfig

# ---------------------------------------------------------------------------- exercises


def sinusoidal_positions(num_positions: int, dim: int) -> Tensor:
    """Give each position a vector of waves: fast ones in its first entries, slow ones in its last.

    Entries 2i and 2i + 1 of position t are the sine and the cosine of t / 10000^(2i / D).

    Args:
        num_positions: T; the positions are 0, 1, ..., T - 1.
        dim: D, even.

    Returns:
        Shape (T, D), of torch's default float type.

    Raises:
        ValueError: if ``dim`` is odd.

    Source: Vaswani et al. 2017, section 3.5.
    """
    if dim % 2 != 0:
        raise ValueError(f"dim is {dim}; it must be even, since each sine comes with a cosine")
    # In float32 the angle of position 1000 would be off by some 1e-5.
    positions = torch.arange(num_positions, dtype=torch.float64)
    frequencies = 10000 ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim)  # (D/2,)
    angles = torch.outer(positions, frequencies)  # (T, D/2)
    waves = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (T, D/2, 2) -> (T, D)
    return waves.to(torch.get_default_dtype())


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-5) -> Tensor:
    """Shift and scale each vector to mean 0 and variance 1, then apply a learned gain and bias.

    Args:
        x: shape (..., D), float.
        weight: the gain, shape (D,).
        bias: shape (D,).
        eps: is added to the variance, under the root.

    Returns:
        Shape (..., D). The variance is the mean of the squared deviations (divided by D, not by
        D - 1).

    Source: Ba et al. 2016, "Layer Normalization" (arXiv:1607.06450), equations 3
        and 4.
    """
    centered = x - x.mean(-1, keepdim=True)
    variance = (centered**2).mean(-1, keepdim=True)
    return centered / (variance + eps).sqrt() * weight + bias


def feed_forward(
    x: Tensor, weights: Mapping[str, Tensor], activation: Callable[[Tensor], Tensor] = F.relu
) -> Tensor:
    """Send each position through two linear maps with an activation between them.

    Args:
        x: shape (..., D), float.
        weights: "inner_weight" (inner_dim, D) and "inner_bias" (inner_dim,), then "outer_weight"
            (D, inner_dim) and "outer_bias" (D,), used as ``torch.nn.functional.linear`` does:
            x @ weight.T + bias. Either bias may be missing, or both.
        activation: ReLU in the paper; later models use others.

    Returns:
        Shape (..., D).

    Source: Vaswani et al. 2017, equation 2.
    """
    inner = activation(F.linear(x, weights["inner_weight"], weights.get("inner_bias")))  # (..., F)
    return F.linear(inner, weights["outer_weight"], weights.get("outer_bias"))


def encoder_layer(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Apply one layer of the encoder: self-attention, then the feed-forward network.

    Each of the two is a residual step with the norm after it: norm(x + sublayer(x)).

    Args:
        x: shape (B, T, D), float.
        weights: four groups. "attention": as ``multi_head_attention`` takes them.
            "attention_norm": "weight" and "bias", each (D,). "feed_forward": as ``feed_forward``
            takes them. "feed_forward_norm": "weight" and "bias".
        num_heads: H, a divisor of D.
        mask: True where a position may attend to another, bool, a shape that broadcasts to
            (B, H, T, T). None: everywhere.
        activation: of the feed-forward network.
        eps: of both norms.

    Returns:
        Shape (B, T, D).

    Source: Vaswani et al. 2017, section 3.1.
    """
    # F.layer_norm is layer_norm as above, in torch's fused and faster form.
    attended = multi_head_attention(x, x, weights["attention"], num_heads, mask)
    x = F.layer_norm(x + attended, x.shape[-1:], **weights["attention_norm"], eps=eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return F.layer_norm(x + transformed, x.shape[-1:], **weights["feed_forward_norm"], eps=eps)


def decoder_layer(
    x: Tensor,
    memory: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    memory_mask: Tensor | None = None,
    activation: Callable[[Tensor], Tensor] = F.relu,
    eps: float = 1e-5,
) -> Tensor:
    """Apply one layer of the decoder: self-attention, attention to the encoder, feed-forward.

    Each of the three is a residual step with the norm after it: norm(x + sublayer(x)).

    Args:
        x: shape (B, T, D), float.
        memory: what the encoder gave, shape (B, S, D).
        weights: six groups. "self_attention" and "cross_attention": as ``multi_head_attention``
            takes them. "feed_forward": as ``feed_forward`` takes them. "self_attention_norm",
            "cross_attention_norm" and "feed_forward_norm": "weight" and "bias", each (D,).
        num_heads: H, a divisor of D.
        mask: True where a position of ``x`` may attend to another, bool, a shape that broadcasts
            to (B, H, T, T). None: everywhere, which a decoder does not want.
        memory_mask: True where a position of ``x`` may attend to one of ``memory``, bool, a shape
            that broadcasts to (B, H, T, S). None: everywhere.
        activation: of the feed-forward network.
        eps: of the three norms.

    Returns:
        Shape (B, T, D).

    Source: Vaswani et al. 2017, section 3.1.
    """
    attended = multi_head_attention(x, x, weights["self_attention"], num_heads, mask)
    x = F.layer_norm(x + attended, x.shape[-1:], **weights["self_attention_norm"], eps=eps)
    read = multi_head_attention(x, memory, weights["cross_attention"], num_heads, memory_mask)
    x = F.layer_norm(x + read, x.shape[-1:], **weights["cross_attention_norm"], eps=eps)
    transformed = feed_forward(x, weights["feed_forward"], activation)
    return F.layer_norm(x + transformed, x.shape[-1:], **weights["feed_forward_norm"], eps=eps)


def noam_learning_rate(step: int, model_dim: int, warmup_steps: int) -> float:
    """Give the learning rate of one step of training: a straight rise, then a slow fall.

    It grows linearly through the first ``warmup_steps`` steps, then falls with the inverse square
    root of the step. Where the two meet it is 1 / sqrt(model_dim * warmup_steps).

    Args:
        step: the number of the step, from 1 on.
        model_dim: D, the width of the model.
        warmup_steps: how many steps the rise takes, at least 1.

    Returns:
        The learning rate.

    Raises:
        ValueError: if ``step`` or ``warmup_steps`` is below 1.

    Source: Vaswani et al. 2017, equation 3.
    """
    if step < 1 or warmup_steps < 1:
        raise ValueError(f"step is {step} and warmup_steps {warmup_steps}; both count from 1")
    return float(model_dim**-0.5 * min(step**-0.5, step * warmup_steps**-1.5))


def label_smoothed_loss(
    logits: Tensor, targets: Tensor, smoothing: float, pad_id: int, spread: str = "all"
) -> Tensor:
    """Give the mean cross-entropy with targets that leave some probability to the other tokens.

    With V the size of the vocabulary, the right token's target is

    * ``spread="all"``: 1 - smoothing + smoothing / V, and that of each other token smoothing / V:
      the share is spread over all tokens, the right one included (the paper that the Transformer's
      cites, and torch's ``F.cross_entropy``)
    * ``spread="wrong"``: 1 - smoothing, and that of each other token smoothing / (V - 1)
      (tensor2tensor, the released code)

    The padding's token is one of the V. Nothing is subtracted: the least possible loss is the
    entropy of the smoothed target, not 0.

    Args:
        logits: shape (B, T, V), float.
        targets: the right tokens, shape (B, T), int64.
        smoothing: the share that is spread, from 0 to 1; the paper has 0.1.
        pad_id: positions with this target don't count.
        spread: "all" or "wrong".

    Returns:
        Shape (): the mean over the positions that count; 0 if none does.

    Raises:
        ValueError: if ``spread`` is neither of the two.

    Source: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision"
        (arXiv:1512.00567), section 7; Vaswani et al. 2017, section 5.4.
    """
    if spread not in ("all", "wrong"):
        raise ValueError(f'spread is {spread!r}; it must be "all" or "wrong"')
    vocab_size = logits.shape[-1]
    if spread == "wrong":
        # Spread over all, this much leaves 1 - eps to the right token, too.
        smoothing = smoothing * vocab_size / (vocab_size - 1)
    log_probabilities = logits.log_softmax(-1)  # (B, T, V)
    of_target = log_probabilities.gather(-1, targets.unsqueeze(-1)).squeeze(-1)  # (B, T)
    losses = -(1 - smoothing) * of_target - smoothing * log_probabilities.mean(-1)
    counts = targets != pad_id
    return losses[counts].sum() / counts.sum().clamp(min=1)


def greedy_decode(
    next_logits: Callable[[Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    end_id: int,
    pad_id: int,
) -> Tensor:
    """Continue texts by the most probable token, again and again.

    A text has ended when the end token has been added to it (one in ``start_ids`` does not count);
    after that it gets padding, until all texts have ended.

    Args:
        next_logits: takes the tokens so far, shape (B, T), int64, and gives the logits of the
            token after them, shape (B, V).
        start_ids: what is there already, shape (B, T0), int64, T0 at least 1.
        max_new_tokens: how many tokens are added at most.
        end_id: the token that ends a text.
        pad_id: the token that stands behind the end.

    Returns:
        ``start_ids`` and what was added, shape (B, T0 + n), int64. n is ``max_new_tokens``, or less
        if all texts ended sooner: then the last column holds the last end.
    """
    ids = start_ids
    ended = torch.zeros(len(ids), dtype=torch.bool)
    for _ in range(max_new_tokens):
        chosen = next_logits(ids).argmax(-1).masked_fill(ended, pad_id)  # (B,)
        ids = torch.cat([ids, chosen.unsqueeze(1)], dim=1)
        ended = ended | (chosen == end_id)
        if ended.all():
            break
    return ids


def beam_search(
    next_logits: Callable[[Tensor, Tensor], Tensor],
    start_ids: Tensor,
    max_new_tokens: int,
    num_beams: int,
    end_id: int,
    pad_id: int,
    length_penalty: float = 0.0,
) -> Tensor:
    """Continue texts, with several candidates ("beams") for each, and give the best of them.

    In each step every beam of a text is extended by every token, and the ``num_beams`` extensions
    with the best scores become its new beams. The score is log p / ((5 + n) / 6) ** length_penalty,
    where n counts the tokens that were added, the end included, and p is their probability. A beam
    that has ended is extended by padding only, which changes neither p nor n. The search is over
    when all beams have ended. One beam is ``greedy_decode``.

    Args:
        next_logits: takes the tokens so far, shape (rows, T), int64, and the parents, shape
            (rows,), int64; gives the logits of the token after them, shape (rows, V). There are
            B * num_beams rows: first all beams of text 0, then all of text 1, and so on. Row r
            continues what was row ``parents[r]`` in the call before: whoever keeps something for
            each row puts it in this order first. In the first call the parents are 0, 1, 2, ...,
            and the beams of a text are all the same (so only one of them is extended).
        start_ids: what is there already, shape (B, T0), int64, T0 at least 1.
        max_new_tokens: how many tokens are added at most.
        num_beams: how many beams each text has, at least 1.
        end_id: the token that ends a text.
        pad_id: the token that stands behind the end.
        length_penalty: 0 compares log-probabilities as they are, which favours short texts;
            Vaswani et al. 2017 have 0.6.

    Returns:
        ``start_ids`` and the best that was found, shape (B, T0 + n), int64. n is the number of
        tokens added to the longest of these; the others have padding behind their end.

    Source: Wu et al. 2016, "Google's Neural Machine Translation System" (arXiv:1609.08144),
        equation 14, without its coverage penalty.
    """
    parents = torch.arange(len(start_ids) * num_beams)
    first_rows = parents[::num_beams].unsqueeze(1)  # (B, 1)
    ids = start_ids.repeat_interleave(num_beams, dim=0)  # (B*K, T)
    log_p = torch.zeros(len(ids)).masked_fill(parents % num_beams != 0, -torch.inf)
    ended = torch.zeros(len(ids), dtype=torch.bool)
    lengths = torch.zeros(len(ids), dtype=torch.int64)
    for _ in range(max_new_tokens):
        step_log_p = next_logits(ids, parents).log_softmax(-1)  # (B*K, V)
        only_padding = torch.full_like(step_log_p[0], -torch.inf)  # (V,)
        only_padding[pad_id] = 0
        step_log_p = torch.where(ended.unsqueeze(1), only_padding, step_log_p)
        extended_log_p = log_p.unsqueeze(1) + step_log_p  # (B*K, V)
        lengths = lengths + ~ended
        penalties = ((5 + lengths.to(log_p.dtype)) / 6) ** length_penalty  # (B*K,)
        scores = (extended_log_p / penalties.unsqueeze(1)).reshape(len(start_ids), -1)  # (B, K*V)
        best = scores.topk(num_beams).indices  # (B, K), the best first
        vocab_size = step_log_p.shape[-1]
        parents = (first_rows + best // vocab_size).flatten()  # (B*K,)
        chosen = (best % vocab_size).flatten()
        ids = torch.cat([ids[parents], chosen.unsqueeze(1)], dim=1)
        log_p = extended_log_p[parents, chosen]
        lengths = lengths[parents]
        ended = ended[parents] | (chosen == end_id)
        if ended.all():
            break
    longest = start_ids.shape[1] + int(lengths[::num_beams].max())
    return ids[::num_beams, :longest]


# ---------------------------------------------------------------------------- the model


class Transformer(EncoderDecoder):
    """The Transformer: an encoder reads the source, a decoder writes the target.

    There is no dropout. As in the released code (tensor2tensor), the matrices of the layers start
    from Glorot's uniform distribution, embeddings from a normal distribution with standard
    deviation 1 / sqrt(D), biases from 0 and gains from 1.
    """

    @classmethod
    def from_pretrained(cls, directory: str | os.PathLike[str]) -> "Transformer":
        """Read a checkpoint of Marian or FSMT: config.json, safetensors or pytorch_model.bin.

        Raises:
            CheckpointError: if it is damaged, or not a Transformer that this class can be.
        """
        from solutions.checkpoints.transformer import load_transformer  # it imports this module

        return load_transformer(directory)

    def run_encoder(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Give the vectors after the last layer of the encoder."""
        heads, eps = self.config.num_heads, self.config.norm_eps
        for weights in self.encoder:
            x = encoder_layer(x, weights, heads, mask, self.activation, eps)
        return x

    def run_decoder(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor | None
    ) -> Tensor:
        """Give the vectors after the last layer of the decoder."""
        masks = (mask, memory_mask)
        heads, eps = self.num_decoder_heads, self.config.norm_eps
        for weights in self.decoder:
            x = decoder_layer(x, memory, weights, heads, *masks, self.activation, eps)
        return x
