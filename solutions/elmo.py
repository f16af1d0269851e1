"""Chapter 3: ELMo, vectors of words that depend on the sentence around them.

The exercises of the chapter come first, in its order; the model is assembled from them after.

Paper: Peters et al. 2018, "Deep contextualized word representations" (arXiv:1802.05365).
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.models.elmo_bilm import LstmState, mark_sentences, read_both_ways
from solutions.models.elmo_config import (
    NUM_CHARACTERS,
    ElmoConfig,
    draw_weights,
    filter_shapes,
    highway_shapes,
    lstm_shapes,
)
from solutions.models.inputs import check_token_ids
from solutions.models.weights import LayerStack, LayerWeights, WeightGroup

# ---------------------------------------------------------------------------- exercises


def char_ids(words: Sequence[str], max_characters: int = 50) -> Tensor:
    """Spell words as ELMo does: the bytes of their UTF-8 form, between two marks, and padding.

    A word is taken as it is: capitals, spaces and accents are neither changed nor left out. Its
    "characters" are its bytes, 0 to 255, and a few that no text contains:

    * 256 and 257, the beginning and the end of a sentence: the words "<S>" and "</S>" have this
      one character in place of their bytes;
    * 258 and 259, the beginning and the end of a word: every word has the one before its characters
      and the other after them, "<S>" and "</S>" too;
    * 260, padding, as often as it takes to fill the row.

    A word that is too long loses the end of its bytes (even if that cuts a letter in two), but not
    the mark after them. At the end all numbers are raised by 1: 0 remains for words that are
    padding themselves.

    Args:
        words: T words; there may be none, and a word may be empty.
        max_characters: the length of a row, marks included, at least 3.

    Returns:
        Shape (T, max_characters), int64, from 1 to 261.

    Source: the code that the authors released; Peters et al. 2018, section 3.4, has the idea.
    """
    sentence_marks = {"<S>": [256], "</S>": [257]}
    rows = []
    for word in words:
        # "ignore" leaves out what is no letter at all: half a surrogate pair.
        characters = sentence_marks.get(word) or list(word.encode("utf-8", "ignore"))
        row = [258, *characters[: max_characters - 2], 259]
        rows.append(row + [260] * (max_characters - len(row)))
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, max_characters) + 1  # (T, characters)


def char_cnn(
    characters: Tensor,
    char_embedding: Tensor,
    filters: Iterable[Mapping[str, Tensor]],
    activation: Callable[[Tensor], Tensor] = F.relu,
) -> Tensor:
    """Give each word a vector made of its characters: what each filter finds at its best place.

    A filter looks at as many neighbouring characters at a time as it is wide, at every place where
    all of them are in the row (padding characters have vectors as others do). There its value is
    the sum of its numbers times those of the characters' vectors, plus its bias. Of all places only
    the largest value counts, and to that the activation is applied.

    Args:
        characters: ids of the characters of each word, shape (words, characters), int64. The rows
            are at least as long as the widest filter.
        char_embedding: the vector of each character id, shape (number of ids, char_size), float.
        filters: for each width a mapping with "weight", shape (count, char_size, width), which is
            ``count`` filters of that width, and "bias", shape (count,); used as ``F.conv1d`` does.
        activation: a function of one tensor; ReLU or tanh in the models that the authors released.

    Returns:
        Shape (words, all filters), in the dtype of ``char_embedding``: what the filters of the
        first width found, then the second's, in the order of ``filters``.

    Source: Kim et al. 2016, "Character-Aware Neural Language Models" (arXiv:1508.06615), section 2;
        the order of maximum and activation as in ELMo's released code.
    """
    x = F.embedding(characters, char_embedding).transpose(1, 2)  # (words, char_size, characters)
    found = []
    for weights in filters:
        everywhere = F.conv1d(x, weights["weight"], weights["bias"])  # (words, count, places)
        # amax would do as well, but its gradient takes longer.
        found.append(activation(everywhere.max(dim=-1).values))  # (words, count)
    return torch.cat(found, dim=-1)


def highway(x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
    """Let a gate choose, entry by entry, between a transformed vector and the vector itself.

    With ``transformed`` the ReLU of one linear map of x, and ``gate`` the sigmoid of another, the
    result is gate * transformed + (1 - gate) * x.

    Args:
        x: shape (..., D), float.
        weights: "transform_weight" (D, D) and "transform_bias" (D,) of the one map, "gate_weight"
            (D, D) and "gate_bias" (D,) of the other; used as ``F.linear`` does:
            x @ weight.T + bias.

    Returns:
        Shape (..., D), in the dtype of x.

    Source: Srivastava et al. 2015, "Highway Networks" (arXiv:1505.00387), equation 3.
    """
    transformed = F.linear(x, weights["transform_weight"], weights["transform_bias"]).relu()
    gate = F.linear(x, weights["gate_weight"], weights["gate_bias"]).sigmoid()
    return gate * transformed + (1 - gate) * x


def lstm_cell(
    x: Tensor,
    hidden: Tensor,
    cell: Tensor,
    weights: Mapping[str, Tensor],
    cell_clip: float | None = None,
    projection_clip: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Take one step of an LSTM whose output is projected to a smaller size.

    From x and the last hidden state four vectors are computed, each of the size of the cell: the
    gates i, f and o, which are sigmoids, and the candidate g, a tanh. The new cell is
    f * cell + i * g, clipped. The new hidden state is a linear map of o * tanh(new cell), clipped.

    Args:
        x: the input of this step, shape (B, input_size), float.
        hidden: the last hidden state, shape (B, hidden_size).
        cell: the last cell, shape (B, cell_size).
        weights: "input_weight" (4 * cell_size, input_size), "hidden_weight" (4 * cell_size,
            hidden_size) and "bias" (4 * cell_size,): cell_size rows each for i, f, g and o, in this
            order. "projection_weight" (hidden_size, cell_size). All used as ``F.linear`` does.
        cell_clip: entries of the new cell are kept from minus this to this, before they are used;
            None: they are left alone.
        projection_clip: the same for the new hidden state.

    Returns:
        The new hidden state, shape (B, hidden_size), and the new cell, shape (B, cell_size), in the
        dtype of x.

    Source: Sak et al. 2014, "Long Short-Term Memory Based Recurrent Neural Network Architectures
        for Large Vocabulary Speech Recognition" (arXiv:1402.1128), section 2.2, without
        "peepholes", through which the gates see the cell; the clips as in ELMo's released code.
    """
    from_input = F.linear(x, weights["input_weight"], weights["bias"])  # (B, 4 * cell_size)
    from_hidden = F.linear(hidden, weights["hidden_weight"])  # (B, 4 * cell_size)
    i, f, g, o = (from_input + from_hidden).chunk(4, dim=-1)  # (B, cell_size) each
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    if cell_clip is not None:
        cell = cell.clamp(-cell_clip, cell_clip)
    hidden = F.linear(o.sigmoid() * cell.tanh(), weights["projection_weight"])
    if projection_clip is not None:
        hidden = hidden.clamp(-projection_clip, projection_clip)
    return hidden, cell


def bilm_loss(
    forward_hidden: Tensor,
    backward_hidden: Tensor,
    token_ids: Tensor,
    weights: Mapping[str, Tensor],
    mask: Tensor | None = None,
) -> Tensor:
    """Give the loss of a language model that reads in both directions.

    The forward state at position t has read the words up to t, and predicts word t + 1. The
    backward state at t has read the words from the end down to t, and predicts word t - 1. So the
    first word is never predicted forward, and the last never backward. One softmax serves both
    directions: its logits are the same linear map of either state. The loss of a direction is the
    mean of -log p over all its predictions in the batch, and the result is half the sum of the
    two. A prediction counts if both its words, the one that is read last and the one that is
    predicted, are real.

    Args:
        forward_hidden: shape (B, T, hidden_size), float.
        backward_hidden: shape (B, T, hidden_size); both in the order of the text.
        token_ids: the words, marks of the beginning and the end among them, shape (B, T), int64; at
            padding any number.
        weights: "weight" (V, hidden_size) and "bias" (V,) of the softmax, used as ``F.linear``
            does.
        mask: 1 for a real word, 0 for padding, which may stand anywhere; shape (B, T), integer or
            bool. None: all real. There must be something to predict.

    Returns:
        The loss, shape (), in the dtype of the states; in nats, that is, by the natural logarithm.

    Source: Peters et al. 2018, section 3.1; the mean, and half of the sum, as in the authors' code.
    """
    real = torch.ones_like(token_ids).bool() if mask is None else mask.bool()
    counts = real[:, :-1] & real[:, 1:]  # (B, T - 1): which pairs of neighbours count
    left, right = token_ids[:, :-1][counts], token_ids[:, 1:][counts]  # (pairs,)
    from_left, from_right = forward_hidden[:, :-1][counts], backward_hidden[:, 1:][counts]
    forward_logits = F.linear(from_left, weights["weight"], weights["bias"])  # (pairs, V)
    backward_logits = F.linear(from_right, weights["weight"], weights["bias"])  # (pairs, V)
    return (F.cross_entropy(forward_logits, right) + F.cross_entropy(backward_logits, left)) / 2


def scalar_mix(layers: Sequence[Tensor], scores: Tensor, gamma: Tensor) -> Tensor:
    """Give the weighted sum of the layers, times a factor.

    The weights are the softmax of the scores: whatever the scores are, the weights are positive and
    sum to 1, and gamma alone sets the size. Each position is mixed for itself, so padding, which
    is 0 in every layer, stays 0.

    Args:
        layers: L + 1 tensors of one shape, float: layer 0 is the words, 1 to L are the LSTMs.
        scores: one number a layer, shape (L + 1,).
        gamma: the factor, shape ().

    Returns:
        Shape and dtype of one layer.

    Raises:
        ValueError: if there is not one score for each layer.

    Source: Peters et al. 2018, equation 1.
    """
    if len(scores) != len(layers):
        raise ValueError(f"there are {len(layers)} layers and {len(scores)} scores for them")
    mixed = torch.zeros_like(layers[0])
    for weight, layer in zip(torch.softmax(scores, dim=0), layers, strict=True):
        mixed = mixed + weight * layer
    return gamma * mixed


def elmo_embed(
    layers: Sequence[Tensor], num_words: Tensor, scores: Tensor, gamma: Tensor
) -> Tensor:
    """Give one vector a word from the layers of the model: mixed, and without marks and padding.

    In the layers, a sentence of n words takes the positions 0 to n + 1: the mark of its beginning,
    its words, the mark of its end. In a longer sentence's company there is padding after that,
    which may hold any finite numbers.

    Args:
        layers: L + 1 tensors of shape (B, T + 2, width), float, both directions side by side.
        num_words: how many words each sentence has, shape (B,), int64, from 0 to T.
        scores: as ``scalar_mix`` takes them, shape (L + 1,).
        gamma: shape ().

    Returns:
        Shape (B, T, width), in the dtype of the layers: a sentence's first word at position 0, and
        zeros behind its last word.

    Source: Peters et al. 2018, equation 1.
    """
    words = scalar_mix(layers, scores, gamma)[:, 1:-1]  # (B, T, width), end marks and all
    is_word = torch.arange(words.shape[1]) < num_words.unsqueeze(-1)  # (B, T)
    return words.masked_fill(~is_word.unsqueeze(-1), 0.0)


# ---------------------------------------------------------------------------- the model


def batch_char_ids(sentences: Sequence[Sequence[str]], max_characters: int = 50) -> Tensor:
    """Spell sentences of different lengths.

    Args:
        sentences: B lists of words, without marks of the beginning and the end.
        max_characters: the length of a spelled word, as in ``char_ids``.

    Returns:
        Shape (B, T, max_characters), int64: the ``char_ids`` of each sentence, and zeros behind its
        end.
    """
    rows = [char_ids(words, max_characters) for words in sentences]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True)


class Elmo(nn.Module):
    """ELMo: words from characters, and LSTM language models in both directions above them.

    There is no dropout. Weights start as in the released code.
    """

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__()
        self.config = config
        size, num_filters = config.projection_size, config.num_filters
        self.char_embedding = nn.Parameter(torch.zeros(NUM_CHARACTERS + 1, config.char_size))
        self.filters = LayerWeights(filter_shapes(config))
        self.highways = LayerWeights(highway_shapes(config), std=num_filters**-0.5)
        self.word_projection = WeightGroup(
            {"weight": (size, num_filters), "bias": (size,)}, std=num_filters**-0.5
        )
        both = {"forward_lstm": lstm_shapes(config), "backward_lstm": lstm_shapes(config)}
        self.layers = LayerStack(both, config.num_layers)
        if config.vocab_size is not None:
            self.softmax = WeightGroup(
                {"weight": (config.vocab_size, size), "bias": (config.vocab_size,)}, std=size**-0.5
            )
        draw_weights(self.char_embedding, self.filters, self.highways, self.layers, config)

    @classmethod
    def from_pretrained(cls, directory: str | os.PathLike[str]) -> "Elmo":
        """Read a model as released: options.json and weights.hdf5, each perhaps with a prefix.

        Raises:
            CheckpointError: if it is damaged, or not an ELMo that this class can be.
        """
        from solutions.checkpoints.elmo import load_elmo  # here, since that module imports this

        return load_elmo(directory)

    def forward(self, char_ids: Tensor, state: LstmState | None = None) -> list[Tensor]:
        """Read a batch of sentences; the marks of the beginning and the end are added here.

        Args:
            char_ids: as ``batch_char_ids`` gives them, shape (B, T, max_characters), int64; words
                that are 0 are padding, and must come last.
            state: where the LSTMs start; it is moved on, for the next call. None: at zero. The
                released program keeps one state from its first batch to its last, so that its
                vectors depend on what it has read before.

        Returns:
            L + 1 tensors of shape (B, T + 2, 2 * projection_size), 0 at padding: the vectors of the
            words, twice side by side, then what each layer gives, forward beside backward.

        Raises:
            ValueError: if a shape is wrong, or a word stands behind padding.
            IndexError: if an id is out of range.
        """
        marks = batch_char_ids([["<S>", "</S>"]], self.config.max_characters)[0]  # a row for each
        marked, lengths = mark_sentences(char_ids.long(), marks)
        is_padding = (torch.arange(marked.shape[1]) >= lengths.unsqueeze(-1)).unsqueeze(-1)
        words = self.embed_words(marked)  # (B, T + 2, size)
        layers = read_both_ways(words, lengths, self.layers, self.config, state)
        layers = [torch.cat([words, words], dim=-1), *layers]  # each as wide as both directions
        return [layer.masked_fill(is_padding, 0.0) for layer in layers]

    def embed_words(self, char_ids: Tensor) -> Tensor:
        """Give words the vectors that their characters make, whatever stands around them.

        Args:
            char_ids: shape (B, T, max_characters), int64.

        Returns:
            Shape (B, T, projection_size).
        """
        # A text repeats its words; each is computed once, and then looked up.
        words, which = torch.unique(char_ids.flatten(0, 1), dim=0, return_inverse=True)
        activation = F.relu if self.config.activation == "relu" else torch.tanh
        x = char_cnn(words, self.char_embedding, self.filters.values(), activation)
        for weights in self.highways.values():
            x = highway(x, weights)
        vectors = F.linear(x, self.word_projection["weight"], self.word_projection["bias"])
        return F.embedding(which.view(char_ids.shape[:2]), vectors)

    def logits(self, char_ids: Tensor, state: LstmState | None = None) -> tuple[Tensor, Tensor]:
        """Give what the two language models expect: the word after each position, and before it.

        Args:
            char_ids: as in ``forward``.
            state: as in ``forward``.

        Returns:
            Forward and backward logits, both (B, T + 2, V); at padding they mean nothing.

        Raises:
            ValueError: if the model has no vocabulary; and as ``forward``.
        """
        softmax = self._softmax()
        forward, backward = self(char_ids, state)[-1].chunk(2, dim=-1)  # (B, T + 2, size)
        return F.linear(forward, **softmax), F.linear(backward, **softmax)

    def loss(self, char_ids: Tensor, token_ids: Tensor, state: LstmState | None = None) -> Tensor:
        """Give the ``bilm_loss`` of a batch of sentences.

        Args:
            char_ids: as in ``forward``.
            token_ids: the same words by their ids in the vocabulary, with the marks' ids before and
                behind each sentence, shape (B, T + 2), int64; at padding any id.
            state: as in ``forward``.

        Returns:
            The loss, shape (), as ``bilm_loss`` gives it.

        Raises:
            ValueError: if the model has no vocabulary, or the shape is wrong; and as ``forward``.
            IndexError: if an id is out of range.
        """
        softmax = self._softmax()
        forward, backward = self(char_ids, state)[-1].chunk(2, dim=-1)  # (B, T + 2, size)
        check_token_ids(token_ids, len(softmax["bias"]), "token_ids")
        if token_ids.shape != forward.shape[:2]:
            raise ValueError(
                f"token_ids has shape {tuple(token_ids.shape)}; with these char_ids it must be "
                f"{tuple(forward.shape[:2])}: a mark, the words, a mark"
            )
        # The two marks make a sentence of n words n + 2 long, and its real positions come first.
        is_real = F.pad((char_ids != 0).any(-1), (2, 0), value=True)  # (B, T + 2)
        return bilm_loss(forward, backward, token_ids, softmax, is_real)

    def _softmax(self) -> WeightGroup:
        if self.config.vocab_size is None:
            raise ValueError("the model has no words to choose from: its vocab_size is None")
        return self.softmax
