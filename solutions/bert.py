"""Chapter 6: BERT, an encoder that reads in both directions, and what it is trained on.

The exercises of the chapter come first, in its order; the model is assembled from them after.

Paper: Devlin et al. 2019, "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding" (arXiv:1810.04805).
"""

import math
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention import padding_mask
from solutions.models.inputs import check_attention_mask, check_token_ids
from solutions.models.weights import (
    LayerStack,
    Shapes,
    WeightGroup,
    encoder_layer_shapes,
    norm_shapes,
)
from solutions.transformer import encoder_layer

# ---------------------------------------------------------------------------- exercises


def wordpiece(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Cut a word into pieces of a vocabulary, from left to right, each as long as possible.

    A piece that does not begin the word is written with "##" in front, in the vocabulary as in the
    result: "##ed" may stand inside a word or at its end, "ed" only at its beginning.

    Args:
        word: one word, in the spelling of the vocabulary (lower case for an uncased BERT).
        vocabulary: the id of each piece.

    Returns:
        The pieces in their order. If at some place no piece fits, the whole word is unknown:
        ["[UNK]"]. An empty word has no pieces.

    Source: Wu et al. 2016, "Google's Neural Machine Translation System" (arXiv:1609.08144), section
        4.1, cut as in the code that was released with BERT.
    """
    pieces: list[str] = []
    start = 0
    while start < len(word):
        mark = "##" if start > 0 else ""
        fitting = (
            end for end in range(len(word), start, -1) if mark + word[start:end] in vocabulary
        )
        longest = next(fitting, None)
        if longest is None:
            return ["[UNK]"]
        pieces.append(mark + word[start:longest])
        start = longest
    return pieces


def mask_tokens(
    input_ids: Tensor,
    is_special: Tensor,
    mask_id: int,
    vocab_size: int,
    seed: int,
    mask_probability: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Choose tokens that the model has to predict, and hide them.

    Each token that is not special is chosen with ``mask_probability``, by itself. Each one that is
    chosen becomes ``mask_id`` in 80 % of the cases, in 10 % a token drawn from the whole
    vocabulary, all equally likely, and in 10 % it stays as it is.

    Args:
        input_ids: shape (B, T), int64.
        is_special: True at tokens that are never chosen, such as [CLS], [SEP] and padding, shape
            (B, T), bool.
        mask_id: the token [MASK].
        vocab_size: V.
        seed: of all random draws; the same seed gives the same result.
        mask_probability: how likely a token is chosen.

    Returns:
        What the model reads, shape (B, T), int64; and the labels, shape (B, T), int64: the
        original token where one was chosen, -100 everywhere else. ``input_ids`` is not changed.

    Source: Devlin et al. 2019, section 3.1, "Masked LM".
    """
    generator = torch.Generator().manual_seed(seed)
    is_chosen = (torch.rand(input_ids.shape, generator=generator) < mask_probability) & ~is_special
    way = torch.rand(input_ids.shape, generator=generator)
    drawn = torch.randint(vocab_size, input_ids.shape, generator=generator)
    masked = torch.where(is_chosen & (way < 0.8), mask_id, input_ids)
    masked = torch.where(is_chosen & (way >= 0.8) & (way < 0.9), drawn, masked)
    return masked, torch.where(is_chosen, input_ids, -100)


def masked_lm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the mean cross entropy at the positions that have to be predicted.

    Args:
        logits: shape (B, T, V), float.
        labels: the right token, or -100 where nothing is predicted, shape (B, T), int64.

    Returns:
        The loss in nats, shape (): the mean over all positions with a label, of all texts
        together. 0 if there is no such position.

    Source: Devlin et al. 2019, section 3.1.
    """
    is_predicted = labels != -100
    losses = F.cross_entropy(logits[is_predicted], labels[is_predicted], reduction="sum")
    return losses / is_predicted.sum().clamp(min=1)


def next_sentence_pairs(documents: list[list[str]], seed: int) -> list[tuple[str, str, int]]:
    """Make the pairs of sentences from which the model learns what follows what.

    Each sentence but the last of a document is the first of one pair, in the order of the
    documents. In half of the pairs, decided by chance for each pair, the second is the sentence
    that really follows, with label 0. In the others it is a sentence drawn from the other
    documents, all of theirs equally likely, with label 1. What says the same in two places counts
    twice, a sentence as well as a document.

    Args:
        documents: each a list of sentences in their order; at least two that are not empty. They
            are not changed.
        seed: of all random draws; the same seed gives the same pairs.

    Returns:
        Triples of first sentence, second sentence and label. As in the released code, 0 means
        "is next".

    Raises:
        ValueError: if fewer than two documents have a sentence.

    Source: Devlin et al. 2019, section 3.1, "Next Sentence Prediction".
    """
    if sum(len(document) > 0 for document in documents) < 2:
        raise ValueError("a random sentence comes from another document: give at least two")
    draw = random.Random(seed)
    sentences = list(chain(*documents))
    pairs = []
    start = 0  # where the document begins in sentences
    for document in documents:
        for first, following in pairwise(document):
            if draw.random() < 0.5:
                pairs.append((first, following, 0))
            else:
                number = draw.randrange(len(sentences) - len(document))
                if number >= start:
                    number += len(document)  # behind the document, which is left out
                pairs.append((first, sentences[number], 1))
        start += len(document)
    return pairs


def bert_embeddings(
    input_ids: Tensor,
    token_type_ids: Tensor,
    weights: Mapping[str, Tensor],
    eps: float = 1e-12,
) -> Tensor:
    """Give the vectors that enter the first layer: token, position and segment, normalised.

    Args:
        input_ids: shape (B, T), int64.
        token_type_ids: the segment of each token, 0 or 1, shape (B, T), int64.
        weights: "token_embedding" (V, D), "position_embedding" (P, D) with P at least T,
            "segment_embedding" (2, D), and the gain "weight" (D,) and "bias" (D,) of the layer
            norm over the sum.
        eps: of the layer norm.

    Returns:
        Shape (B, T, D). The first token of each text has position 0, the next one 1, and so on.

    Source: Devlin et al. 2019, figure 2; the layer norm as in the released code.
    """
    positions = torch.arange(input_ids.shape[1])  # (T,)
    total = (
        F.embedding(input_ids, weights["token_embedding"])
        + F.embedding(positions, weights["position_embedding"])  # (T, D), for each text the same
        + F.embedding(token_type_ids, weights["segment_embedding"])
    )  # (B, T, D)
    return F.layer_norm(total, total.shape[-1:], weights["weight"], weights["bias"], eps)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """Give x times the probability that a standard normal number is below x.

    Args:
        x: any shape, float.
        approximate: "none": the exact probability, by the error function erf. "tanh": the
            approximation x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))), which Google's code
            has today.

    Returns:
        The shape and dtype of ``x``.

    Raises:
        ValueError: if ``approximate`` is neither of the two.

    Source: Hendrycks and Gimpel 2016, "Gaussian Error Linear Units" (arXiv:1606.08415), section 2.
    """
    if approximate == "none":
        return x * (1 + torch.erf(x / math.sqrt(2))) / 2
    if approximate == "tanh":
        return x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    raise ValueError(f'approximate is {approximate!r}; it must be "none" or "tanh"')


def bert_layer(
    x: Tensor,
    weights: Mapping[str, Mapping[str, Tensor]],
    num_heads: int,
    mask: Tensor | None = None,
    approximate: str = "none",
    eps: float = 1e-12,
) -> Tensor:
    """Apply one layer of BERT: the Transformer's encoder layer with GELU in place of ReLU.

    Args:
        x: shape (B, T, D), float.
        weights: the four groups of ``encoder_layer``: "attention", "attention_norm",
            "feed_forward" and "feed_forward_norm".
        num_heads: H, a divisor of D.
        mask: True where a position may attend to another, bool, a shape that broadcasts to
            (B, H, T, T). None: everywhere.
        approximate: which GELU, "none" or "tanh".
        eps: of both norms.

    Returns:
        Shape (B, T, D).

    Source: Devlin et al. 2019, section 3, "Model Architecture".
    """

    def activation(inner: Tensor) -> Tensor:
        return F.gelu(inner, approximate=approximate)  # gelu as above, in torch's fused form

    return encoder_layer(x, weights, num_heads, mask, activation, eps)


def mean_pool(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    """Give one vector a text: the mean of the vectors of its real tokens.

    Args:
        hidden: shape (B, T, D), float.
        attention_mask: 1 for a real token, 0 for padding, shape (B, T), integer or bool.

    Returns:
        Shape (B, D), in the dtype of ``hidden``. A text of padding only gets zeros, and its vectors
        get a gradient of zeros.

    Source: Reimers and Gurevych 2019, "Sentence-BERT" (arXiv:1908.10084), section 3.
    """
    is_real = attention_mask.to(hidden.dtype).unsqueeze(-1)  # (B, T, 1)
    return (hidden * is_real).sum(1) / is_real.sum(1).clamp(min=1)  # (B, D) / (B, 1)


# ---------------------------------------------------------------------------- the model


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT; the defaults are BERT-base's.

    Attributes:
        vocab_size: V.
        hidden_size: D.
        num_layers: L.
        num_heads: H, a divisor of D.
        intermediate_size: F, the inner size of the feed-forward network.
        max_positions: P, how long a text may be.
        num_segments: how many values ``token_type_ids`` may have.
        norm_eps: added to the variance in every layer norm.
        pad_id: the token of padding, whose vector is not learned at the input.
        gelu: "none" or "tanh", which form of GELU.
        initializer_range: matrices start from a normal distribution with this standard deviation,
            cut off at twice that, as in Google's code.
        has_pooler: whether there is a pooler, and so ``pooler_output``.
        has_prediction_head: whether there is a head for masked tokens.
        has_next_sentence_head: whether there is a head for the next sentence; needs the pooler.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    max_positions: int = 512
    num_segments: int = 2
    norm_eps: float = 1e-12
    pad_id: int = 0
    gelu: str = "none"
    initializer_range: float = 0.02
    has_pooler: bool = True
    has_prediction_head: bool = True
    has_next_sentence_head: bool = True

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.num_heads < 1 or self.hidden_size % self.num_heads:
            sizes = f"hidden_size is {self.hidden_size}, which {self.num_heads} heads"
            raise ValueError(f"{sizes} can't share equally")
        if self.gelu not in ("none", "tanh"):
            raise ValueError(f'gelu is {self.gelu!r}; it must be "none" or "tanh"')
        if self.has_next_sentence_head and not self.has_pooler:
            raise ValueError("the head for the next sentence reads what the pooler gives")


class BertOutput(NamedTuple):
    """What BERT gives.

    Attributes:
        prediction_logits: shape (B, T, V); None without that head.
        seq_relationship_logits: shape (B, 2), class 0 "is next"; None without that head.
        pooler_output: shape (B, D), from the first token; None without a pooler.
        hidden_states: L + 1 tensors of shape (B, T, D): the embeddings, then each layer's output.
    """

    prediction_logits: Tensor | None
    seq_relationship_logits: Tensor | None
    pooler_output: Tensor | None
    hidden_states: tuple[Tensor, ...]


class Bert(nn.Module):
    """BERT: embeddings, layers of self-attention in both directions, and two heads.

    There is no dropout.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        size, inner, vocab_size = config.hidden_size, config.intermediate_size, config.vocab_size
        norm = norm_shapes(size)
        dense: Shapes = {"dense_weight": (size, size), "dense_bias": (size,)}
        self.embeddings = WeightGroup(
            {
                "token_embedding": (vocab_size, size),
                "position_embedding": (config.max_positions, size),
                "segment_embedding": (config.num_segments, size),
                **norm,
            }
        )
        self.layers = LayerStack(encoder_layer_shapes(size, inner), config.num_layers)
        if config.has_pooler:
            self.pooler = WeightGroup(dense)
        if config.has_prediction_head:
            self.prediction = WeightGroup({**dense, **norm, "output_bias": (vocab_size,)})
        if config.has_next_sentence_head:
            self.next_sentence = WeightGroup({"weight": (2, size), "bias": (2,)})
        for parameter in self.parameters():
            if parameter.ndim > 1:
                std = config.initializer_range
                nn.init.trunc_normal_(parameter, std=std, a=-2 * std, b=2 * std)

    @classmethod
    def from_pretrained(cls, directory: str | os.PathLike[str]) -> "Bert":
        """Read a checkpoint: config.json and safetensors or pytorch_model.bin.

        Raises:
            CheckpointError: if it is damaged, or not a BERT that this class can be.
        """
        from solutions.checkpoints.bert import load_bert  # here, since that module imports this

        return load_bert(directory)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> BertOutput:
        """Read a batch of texts.

        Args:
            input_ids: shape (B, T), int64, T at most ``max_positions``.
            attention_mask: shape (B, T), 1 for a real token, 0 for padding. None: all real.
            token_type_ids: the segment of each token, shape (B, T), int64. None: all 0.

        Raises:
            ValueError: if a shape is wrong or the texts are too long.
            IndexError: if an id is out of range.
        """
        config = self.config
        check_token_ids(input_ids, config.vocab_size)
        batch, time = input_ids.shape
        check_attention_mask(attention_mask, batch, time)
        if time > config.max_positions:
            raise ValueError(
                f"a text has {time} tokens; this model has {config.max_positions} positions"
            )
        if token_type_ids is None:
            token_type_ids = torch.zeros_like(input_ids)
        check_token_ids(token_type_ids, config.num_segments, "token_type_ids")
        mask = None if attention_mask is None else padding_mask(attention_mask)

        eps, pad_id = config.norm_eps, config.pad_id
        embeddings = dict(self.embeddings)
        embeddings["token_embedding"] = _without_gradient(embeddings["token_embedding"], pad_id)
        x = bert_embeddings(input_ids, token_type_ids, embeddings, eps)
        hidden_states = [x]
        for weights in self.layers:
            x = bert_layer(x, weights, config.num_heads, mask, config.gelu, eps)
            hidden_states.append(x)
        pooled = self._pool(x[:, 0]) if config.has_pooler else None
        predicted = self._predict(x) if config.has_prediction_head else None
        related = None
        if config.has_next_sentence_head and pooled is not None:
            related = self._relate(pooled)
        return BertOutput(predicted, related, pooled, tuple(hidden_states))

    def _pool(self, first: Tensor) -> Tensor:
        return F.linear(first, self.pooler["dense_weight"], self.pooler["dense_bias"]).tanh()

    def _relate(self, pooled: Tensor) -> Tensor:
        return F.linear(pooled, **self.next_sentence)  # (B, 2)

    def _predict(self, x: Tensor) -> Tensor:
        weights, eps = self.prediction, self.config.norm_eps
        dense = F.linear(x, weights["dense_weight"], weights["dense_bias"])
        active = F.gelu(dense, approximate=self.config.gelu)
        normed = F.layer_norm(active, active.shape[-1:], weights["weight"], weights["bias"], eps)
        # The output matrix is the embedding of the tokens: "tied".
        return F.linear(normed, self.embeddings["token_embedding"], weights["output_bias"])


def _without_gradient(table: Tensor, row: int) -> Tensor:
    """Give the same table, through which one row gets no gradient."""
    seen = table.view_as(table)
    if seen.requires_grad:
        zero = torch.tensor([row])
        seen.register_hook(  # type: ignore[no-untyped-call]
            lambda gradient: gradient.index_fill(0, zero, 0.0)
        )
    return seen
