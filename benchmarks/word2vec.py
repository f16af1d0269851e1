"""Our skip-gram trainer and gensim, both on one processor, on the same words."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

import torch
import typer
from gensim.models import Word2Vec
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from autograder.notebook import data
from solutions.vectors.evaluation import SimilarityResult, similarity_correlation
from solutions.vectors.training import train_skipgram

# gensim cuts texts after 10,000 words in silence; the original program after 1,000.
TEXT_LENGTH = 1000
SIMILARITY_SETS = ("wordsim353", "simlex999")

Texts = Sequence[Sequence[str]]
Vectors = tuple[list[str], Tensor]
Train = Callable[[Texts, int, int, int], Vectors]


class Run(NamedTuple):
    """One training: its speed, and how its vectors agree with people."""

    words_per_second: float
    words_per_processor_second: float  # what other work on the machine disturbs less
    similarity: dict[str, SimilarityResult]


def train_ours(texts: Texts, dim: int, epochs: int, seed: int) -> Vectors:
    """Train with `train_skipgram` and its defaults."""
    model = train_skipgram(texts, dim=dim, epochs=epochs, seed=seed)
    return model.words, model.input_vectors


def train_gensim(texts: Texts, dim: int, epochs: int, seed: int) -> Vectors:
    """Train with gensim, told to do what our defaults do."""
    model = Word2Vec(
        texts,
        vector_size=dim,
        epochs=epochs,
        seed=seed,
        sg=1,
        negative=5,
        window=5,
        min_count=5,
        sample=1e-3,
        alpha=0.025,
        workers=1,
    )
    return list(model.wv.index_to_key), torch.from_numpy(model.wv.vectors)


TRAINERS: dict[str, Train] = {"train_skipgram": train_ours, "gensim, 1 worker": train_gensim}


def compare(
    epochs: Annotated[int, typer.Option(min=1, help="How often to go through the corpus.")] = 5,
    dim: Annotated[int, typer.Option(min=1, help="Dimension of the vectors.")] = 100,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds; their spread is shown.")] = 1,
) -> None:
    """Train ours and gensim on the 2.1 M words of Gutenberg, in turn; compare speed and quality.

    Counting the words is part of the time of both. gensim uses one worker, and its own threads
    for feeding it; torch gets one thread.
    """
    torch.set_num_threads(1)
    console = Console()
    books = data.gutenberg()
    texts = [
        book[start : start + TEXT_LENGTH]
        for book in books
        for start in range(0, len(book), TEXT_LENGTH)
    ]
    num_words = sum(map(len, texts))
    console.print(
        f"{num_words:,} words, dimension {dim}, {epochs} epochs, window 5, 5 negatives; "
        f"{platform.machine()}, {os.cpu_count()} processors, torch {torch.__version__}"
    )
    runs: dict[str, list[Run]] = {name: [] for name in TRAINERS}
    plan = [(seed, name) for seed in range(seeds) for name in TRAINERS]
    for seed, name in track(plan, "training", console=console, transient=True):
        start, processor_start = time.perf_counter(), time.process_time()
        words, vectors = TRAINERS[name](texts, dim, epochs, seed)
        seconds = time.perf_counter() - start
        processor_seconds = time.process_time() - processor_start
        similarity = {
            pairs: similarity_correlation(words, vectors, data.similarity_pairs(pairs))
            for pairs in SIMILARITY_SETS
        }
        seen = num_words * epochs
        runs[name].append(Run(seen / seconds, seen / processor_seconds, similarity))
    console.print(result_table(runs))


def result_table(runs: dict[str, list[Run]]) -> Table:
    """Lay out the runs, one row a trainer; the last trainer's speed is the ratio's 1."""
    table = Table(title="Skip-gram with negative sampling, one processor")
    table.add_column("trainer")
    speeds = ("words/s", "ratio", "words per processor second", "ratio")
    for column in (*speeds, *(f"{pairs} Spearman" for pairs in SIMILARITY_SETS)):
        table.add_column(column, justify="right")
    *_, baseline = runs.values()
    for name, of_trainer in runs.items():
        row = [name]
        for speed in ("words_per_second", "words_per_processor_second"):
            ours = statistics.median(getattr(run, speed) for run in of_trainer)
            ratio = ours / statistics.median(getattr(run, speed) for run in baseline)
            row += [f"{ours:,.0f}", f"{ratio:.2f}"]
        for pairs in SIMILARITY_SETS:
            results = [run.similarity[pairs] for run in of_trainer]
            correlations = [result.correlation for result in results]
            cell = f"{statistics.mean(correlations):.3f}"
            if len(results) > 1:
                cell += f" ({min(correlations):.3f} to {max(correlations):.3f})"
            row.append(f"{cell}\n{results[0].covered} of {results[0].total} pairs")
        table.add_row(*row)
    return table
