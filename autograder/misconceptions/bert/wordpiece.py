"""Wrong answers to the exercise `wordpiece`."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.misconceptions import misconception
from solutions import bert


def _cut(word: str, vocabulary: Mapping[str, int], shortest: bool = False) -> list[str]:
    """The pieces up to where none fits, cut from the left."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(start + 1, len(word) + 1) if shortest else range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocabulary), None)
        if end is None:
            return [*pieces, "[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces


@misconception("wordpiece")
def shortest_first(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You take the shortest piece that fits. Begin with the whole rest of the word, and make it
    shorter from its end."""
    pieces = _cut(word, vocabulary, shortest=True)
    return ["[UNK]"] if "[UNK]" in pieces else pieces


@misconception("wordpiece")
def mark_forgotten(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You look up every piece without the mark ##. A piece that does not begin the word has it in
    front, in the vocabulary, too."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        ends = range(len(word), start, -1)
        end = next((end for end in ends if word[start:end] in vocabulary), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(word[start:end])
        start = end
    return pieces


@misconception("wordpiece")
def mark_taken_off(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You give the pieces without their marks. The result has them as the vocabulary does, ## and
    all, so that each can be looked up."""
    return [piece.removeprefix("##") for piece in bert.wordpiece(word, vocabulary)]


@misconception("wordpiece")
def mark_on_the_first(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You look for the first piece with ## in front, too. Only a piece that does not begin the word
    has that mark."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        ends = range(len(word), start, -1)
        end = next((end for end in ends if "##" + word[start:end] in vocabulary), None)
        if end is None:
            return ["[UNK]"]
        pieces.append("##" + word[start:end])
        start = end
    return pieces


@misconception("wordpiece")
def unknown_at_the_end(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Where no piece fits you keep those that you have, and add [UNK]. One place without a piece
    makes the whole word unknown."""
    return _cut(word, vocabulary)


@misconception("wordpiece")
def stops_where_nothing_fits(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Where no piece fits you give the pieces that you have so far, as if the word ended there. One
    place without a piece makes the whole word unknown."""
    return [piece for piece in _cut(word, vocabulary) if piece != "[UNK]"]


@misconception("wordpiece")
def letter_left_out(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Where no piece fits you leave a letter out and go on. One place without a piece makes the
    whole word unknown."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if mark + word[start:end] in vocabulary), None)
        if end is not None:
            pieces.append(mark + word[start:end])
        start = start + 1 if end is None else end
    return pieces


@misconception("wordpiece")
def goes_back(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You look for any way to cut the word, and take a shorter piece where a long one leads to a
    dead end. WordPiece never goes back: then the word is unknown."""

    def rest(start: int) -> list[str] | None:
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                found = rest(end)
                if found is not None:
                    return [piece, *found]
        return None

    found = rest(0)
    return ["[UNK]"] if found is None else found


@misconception("wordpiece")
def from_the_right(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You cut from the end of the word. It is cut from left to right: the first piece is the
    longest that the word begins with."""
    pieces: list[str] = []
    end = len(word)
    while end > 0:
        starts = range(end)
        start = next((s for s in starts if ("##" if s else "") + word[s:end] in vocabulary), None)
        if start is None:
            return ["[UNK]"]
        pieces.insert(0, ("##" if start else "") + word[start:end])
        end = start
    return pieces


@misconception("wordpiece")
def ids(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    """You give the ids. What is asked for are the pieces themselves, as text."""
    pieces = bert.wordpiece(word, vocabulary)
    return [vocabulary[piece] if piece in vocabulary else vocabulary["[UNK]"] for piece in pieces]


@misconception("wordpiece")
def nothing_is_unknown(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """An empty word becomes [UNK] in your result. It has no pieces: give an empty list."""
    return bert.wordpiece(word, vocabulary) or ["[UNK]"]


@misconception("wordpiece")
def unmarked_inside(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """Inside the word you also take pieces without the mark. Only the first piece stands without
    ##; if nothing with ## fits there, the word is unknown."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        rests = [word[start:end] for end in range(len(word), start, -1)]
        tried = [f"##{rest}" for rest in rests] + rests if start else rests
        piece = next((piece for piece in tried if piece in vocabulary), None)
        if piece is None:
            return ["[UNK]"]
        pieces.append(piece)
        start += len(piece.removeprefix("##")) if start else len(piece)
    return pieces


@misconception("wordpiece")
def grown_letter_by_letter(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """You let a piece grow, and stop at the first letters that are none. `man` may be a piece
    though `m` is not: try from the long end."""
    pieces: list[str] = []
    start = 0
    while start < len(word):
        mark, end = "##" if start else "", start
        while end < len(word) and mark + word[start : end + 1] in vocabulary:
            end += 1
        if end == start:
            return ["[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces


@misconception("wordpiece")
def id_zero_is_no_piece(word: str, vocabulary: Mapping[str, int]) -> list[str]:
    """The piece with id 0 is lost, since 0 counts as False. Ask whether `piece in vocabulary`."""
    return bert.wordpiece(word, {piece: number for piece, number in vocabulary.items() if number})
