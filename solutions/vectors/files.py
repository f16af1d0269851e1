"""Chapter 2: read and write files of word vectors in the formats that word2vec made common.

Text: a line "V D", then V lines of a word and D numbers. Binary: the same first line, then V times
the word, a space and D little-endian float32. The original C program writes a newline after each
vector of a binary file, gensim does not; a reader has to take both.
"""

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

FloatMatrix = npt.NDArray[np.float32]

_MAX_WORD_BYTES = 4096  # in a damaged file the next space may be far away
_SAMPLE_BYTES = 4096  # how much of the body decides whether a file is text


def load_vectors(path: str | os.PathLike[str]) -> tuple[list[str], Tensor]:
    """Read word vectors from a word2vec file: text, gensim's binary or the C program's binary.

    The format is recognised from the content.

    Args:
        path: the file.

    Returns:
        The V words in the file's order, and their vectors, shape (V, D), float32.

    Raises:
        ValueError: if the file is not whole and consistent (bad header, too few or too many
            vectors, a number that is none or not finite, a word that is empty, not UTF-8 or there
            twice). The sentence names the file and the place.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    if path.stat().st_size == 0:
        raise ValueError(f'{path}: the file is empty; it should start with a line "V D"')
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        num_words, dim, start = _read_header(path, content)
        read = _read_text if _is_text(path, content, start, num_words, dim) else _read_binary
        words, matrix = read(path, content, start, num_words, dim)
    _refuse_duplicates(path, words)
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        bad = int(np.argmin(finite))
        raise ValueError(
            f"{path}: vector {bad + 1} ({words[bad]!r}) holds a value that is not a finite "
            "float32 number"
        )
    return words, torch.from_numpy(matrix)


def save_vectors(
    path: str | os.PathLike[str], words: Sequence[str], vectors: Tensor, binary: bool = False
) -> None:
    """Write word vectors to a word2vec file that ``load_vectors``, gensim and others can read.

    Args:
        path: the file; an existing one is replaced.
        words: V different words, without white space.
        vectors: shape (V, D), finite; stored as float32, which a text file keeps exactly too.
        binary: True for the C program's binary format, False for text.

    Raises:
        ValueError: if words and vectors do not fit together, or could not be read back.
    """
    path = Path(path)
    matrix = np.ascontiguousarray(vectors.detach().to(torch.float32).numpy(), dtype="<f4")
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"vectors has shape {matrix.shape}; it must be (V, D) with D at least 1")
    if len(words) != len(matrix):
        raise ValueError(f"there are {len(words)} words for {len(matrix)} vectors")
    if not np.isfinite(matrix).all():
        raise ValueError("vectors holds a value that is not a finite float32 number")
    for number, word in enumerate(words, start=1):
        if word.split() != [word]:
            raise ValueError(f"word {number} ({word!r}) is empty or holds white space")
    _refuse_duplicates(path, words)
    with path.open("wb") as file:
        file.write(f"{len(words)} {matrix.shape[1]}\n".encode())
        for word, row in zip(words, matrix, strict=True):
            if binary:
                file.write(word.encode() + b" " + row.tobytes() + b"\n")
            else:
                numbers = " ".join(f"{value:.9g}" for value in row.tolist())
                file.write(f"{word} {numbers}\n".encode())


def _read_header(path: Path, content: mmap.mmap) -> tuple[int, int, int]:
    """Give V, D and the offset at which the body starts."""
    end = content.find(b"\n", 0, 200)
    fields = content[: end if end >= 0 else 200].split()
    if end < 0 or len(fields) != 2 or not all(field.isdigit() for field in fields):
        raise ValueError(
            f'{path}, line 1: the header should be two whole numbers "V D" (number of words, '
            f"dimension); found {bytes(content[: min(max(end, 0), 40) or 40])!r}"
        )
    num_words, dim = int(fields[0]), int(fields[1])
    if dim == 0:
        raise ValueError(f"{path}, line 1: the header gives vectors of dimension 0")
    room = (len(content) - end) // (2 * dim)  # no format needs less than two bytes a number
    if num_words > room:
        raise ValueError(
            f"{path}, line 1: the header promises {num_words} vectors of dimension {dim}; a file "
            f"of {len(content)} bytes cannot hold them (truncated, or a wrong header)"
        )
    return num_words, dim, end + 1


def _are_numbers(fields: list[bytes]) -> bool:
    try:
        _parse_numbers(fields)
    except ValueError:
        return False
    return True


def _is_text(path: Path, content: mmap.mmap, start: int, num_words: int, dim: int) -> bool:
    """Tell text from binary: a good first line, or else printable bytes that are no whole binary.

    In a small binary file all bytes of all numbers may happen to be printable.
    """
    end = content.find(b"\n", start)
    line = content[start : end if end >= 0 else len(content)].split()
    if len(line) == dim + 1 and _are_numbers(line[1:]):
        return True
    sample = content[start : start + _SAMPLE_BYTES]
    if any(byte < 32 and byte not in b"\t\n\r" for byte in sample):
        return False
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        cut = len(sample) == _SAMPLE_BYTES  # a character may be cut at the sample's end
        if not cut or error.start <= len(sample) - 4:
            return False
    try:
        _read_binary(path, content, start, num_words, dim)
    except ValueError:
        return True
    return False


def _parse_numbers(fields: list[bytes]) -> list[float]:
    return [float(field) for field in fields]


def _decode(path: Path, word: bytes, place: str) -> str:
    try:
        text = word.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path}, {place}: the word {word[:60]!r} is not UTF-8") from None
    if not text:
        raise ValueError(f"{path}, {place}: the word is empty")
    return text


def _read_text(
    path: Path, content: mmap.mmap, start: int, num_words: int, dim: int
) -> tuple[list[str], FloatMatrix]:
    words: list[str] = []
    matrix = np.empty((num_words, dim), dtype=np.float32)
    content.seek(start)
    for number, line in enumerate(iter(content.readline, b""), start=2):
        fields = line.rstrip(b" \t\r\n").split(b" ")
        if fields == [b""]:
            if content.read().strip():
                raise ValueError(f"{path}, line {number}: the line is empty")
            break  # empty lines at the end of the file
        if len(words) == num_words:
            raise ValueError(
                f"{path}, line {number}: the header promises {num_words} vectors, and here is "
                "one more"
            )
        word = _decode(path, fields[0], f"line {number}")
        if len(fields) != dim + 1:
            raise ValueError(
                f"{path}, line {number} ({word!r}): expected {dim} numbers, found {len(fields) - 1}"
            )
        try:
            numbers = _parse_numbers(fields[1:])
        except ValueError as error:
            raise ValueError(f"{path}, line {number} ({word!r}): {error}") from None
        with np.errstate(over="ignore"):  # too large for float32: found by load_vectors
            matrix[len(words)] = numbers
        words.append(word)
    if len(words) < num_words:
        raise ValueError(
            f"{path}: the header promises {num_words} vectors, the file ends after {len(words)}"
        )
    return words, matrix


def _read_binary(
    path: Path, content: mmap.mmap, start: int, num_words: int, dim: int
) -> tuple[list[str], FloatMatrix]:
    words: list[str] = []
    matrix = np.empty((num_words, dim), dtype=np.float32)
    position = start
    for number in range(1, num_words + 1):
        if content[position : position + 1] == b"\n":  # the C program's, after the last vector
            position += 1
        place = f"vector {number} of {num_words}, byte {position}"
        space = content.find(b" ", position, position + _MAX_WORD_BYTES)
        first = space + 1
        if space < 0 or first + 4 * dim > len(content):
            raise ValueError(
                f"{path}, {place}: the file ends, or is damaged, before this vector is whole"
            )
        words.append(_decode(path, content[position:space], place))
        matrix[number - 1] = np.frombuffer(content, dtype="<f4", count=dim, offset=first)
        position = first + 4 * dim
    if content[position:].strip(b"\r\n"):
        raise ValueError(
            f"{path}, byte {position}: the header promises {num_words} vectors, and the file "
            "goes on after them"
        )
    return words, matrix


def _refuse_duplicates(path: Path, words: Sequence[str]) -> None:
    first_place: dict[str, int] = {}
    for number, word in enumerate(words, start=1):
        first = first_place.setdefault(word, number)
        if first != number:
            raise ValueError(
                f"{path}: the word {word!r} is there twice, as vectors {first} and {number}"
            )
