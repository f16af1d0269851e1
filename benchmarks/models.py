"""Our models and those of `transformers`: the same weights, side by side in one run."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn

import solutions.bert
import solutions.bloom
import solutions.llama
import solutions.transformer

OURS = "ours"


@dataclass(frozen=True)
class Subject:
    """A model to measure.

    Attributes:
        name: what the table calls it.
        config_class: of transformers; `model_class` too.
        ours: our class with `from_pretrained`.
        sizes: what the configuration is made from.
        batch: how many texts a forward reads.
        time: how many tokens each of them has.
        writes: whether it can generate.
        others: the kinds of attention that the other side has for this model.
    """

    name: str
    config_class: str
    model_class: str
    ours: Any
    sizes: dict[str, Any]
    batch: int
    time: int
    writes: bool = True
    others: tuple[str, ...] = ("eager", "sdpa")

    @property
    def contestants(self) -> tuple[str, ...]:
        """Ours and the others."""
        return (OURS, *self.others)


SUBJECTS = {
    "bert": Subject(
        "BERT, 6 x 384 (MiniLM)",
        "BertConfig",
        "BertForPreTraining",
        solutions.bert.Bert,
        {
            "vocab_size": 30522,
            "hidden_size": 384,
            "num_hidden_layers": 6,
            "num_attention_heads": 12,
            "intermediate_size": 1536,
            "hidden_dropout_prob": 0.0,
            "attention_probs_dropout_prob": 0.0,
        },
        batch=4,
        time=128,
        writes=False,
    ),
    "llama": Subject(
        "LLaMA, 30 x 576 (SmolLM2-135M)",
        "LlamaConfig",
        "LlamaForCausalLM",
        solutions.llama.Llama,
        {
            "vocab_size": 49152,
            "hidden_size": 576,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "intermediate_size": 1536,
            "tie_word_embeddings": True,
            "eos_token_id": None,
        },
        batch=2,
        time=128,
    ),
    "llama-small": Subject(
        "LLaMA, 8 x 256",
        "LlamaConfig",
        "LlamaForCausalLM",
        solutions.llama.Llama,
        {
            "vocab_size": 8000,
            "hidden_size": 256,
            "num_hidden_layers": 8,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "intermediate_size": 688,
            "eos_token_id": None,
        },
        batch=4,
        time=128,
    ),
    "bloom": Subject(
        "BLOOM, 12 x 512",
        "BloomConfig",
        "BloomForCausalLM",
        solutions.bloom.Bloom,
        {
            "vocab_size": 30000,
            "hidden_size": 512,
            "n_layer": 12,
            "n_head": 8,
            "hidden_dropout": 0.0,
            "attention_dropout": 0.0,
            "eos_token_id": None,
        },
        batch=4,
        time=128,
        others=("eager",),
    ),
    "transformer": Subject(
        "Transformer, 6 + 6 x 512 (Marian)",
        "MarianConfig",
        "MarianMTModel",
        solutions.transformer.Transformer,
        {
            "vocab_size": 30001,
            "decoder_vocab_size": 30001,
            "d_model": 512,
            "encoder_layers": 6,
            "decoder_layers": 6,
            "encoder_attention_heads": 8,
            "decoder_attention_heads": 8,
            "encoder_ffn_dim": 2048,
            "decoder_ffn_dim": 2048,
            "max_position_embeddings": 512,
            "activation_function": "relu",
            "dropout": 0.0,
            "scale_embedding": True,
            "pad_token_id": 30000,
            "decoder_start_token_id": 30000,
            "eos_token_id": None,
            "forced_eos_token_id": None,
        },
        batch=4,
        time=64,
    ),
}

Model = nn.Module
Work = Callable[[Model, bool], int]  # model, is it ours -> how many tokens were worked through


def save(subject: Subject, folder: Path) -> None:
    """Write a checkpoint with random weights, as transformers does."""
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, subject.config_class)(**subject.sizes)
    getattr(transformers, subject.model_class)(config).save_pretrained(folder)


def load(subject: Subject, folder: Path, contestant: str) -> Model:
    """Read the checkpoint as ours, or as one of theirs."""
    if contestant == OURS:
        model: Model = subject.ours.from_pretrained(folder)
        return model
    import transformers

    model = getattr(transformers, subject.model_class).from_pretrained(
        folder, attn_implementation=contestant, dtype=torch.float32
    )
    return model.eval()


def operations(subject: Subject, new_tokens: int) -> dict[str, Work]:
    """What is measured: each works through some tokens and says how many."""
    generator = torch.Generator().manual_seed(1)
    vocab_size = subject.sizes["vocab_size"] - 1
    ids = torch.randint(1, vocab_size, (subject.batch, subject.time), generator=generator)
    is_pair = subject.config_class == "MarianConfig"

    def logits(model: Model, is_ours: bool) -> Tensor:
        inputs: dict[str, Any] = {"input_ids": ids} | (
            {"decoder_input_ids": ids} if is_pair else {}
        )
        if not is_ours and subject.writes:
            inputs["use_cache"] = False  # theirs fill a cache unless told; ours don't
        output = model(**inputs)
        if subject.config_class == "BertConfig":
            found: Tensor = output.prediction_logits
        else:
            found = output if is_ours else output.logits
        return found

    def forward(model: Model, is_ours: bool) -> int:
        with torch.no_grad():
            logits(model, is_ours)
        return ids.numel()

    def forward_and_backward(model: Model, is_ours: bool) -> int:
        found = logits(model, is_ours)
        nn.functional.cross_entropy(found.flatten(0, 1), ids.flatten()).backward()  # type: ignore[no-untyped-call]
        model.zero_grad()
        return ids.numel()

    def generate(model: Any, is_ours: bool) -> int:
        prompt = ids[:1, :32]
        start = 1 if is_pair else prompt.shape[1]
        with torch.no_grad():
            if is_ours:
                written = model.generate(prompt, new_tokens)
            else:
                written = model.generate(
                    prompt,
                    max_new_tokens=new_tokens,
                    do_sample=False,
                    num_beams=1,
                    bad_words_ids=None,
                )
        assert written.shape == (1, start + new_tokens), "a contestant stopped early"
        return new_tokens

    work: dict[str, Work] = {"forward": forward, "forward + backward": forward_and_backward}
    if subject.writes:
        work["generation"] = generate
    return work


def speeds(subject: Subject, folder: Path, rounds: int, new_tokens: int) -> dict[str, Any]:
    """Tokens a second of each contestant in each operation, one entry a round.

    The contestants take turns in each round, each time in another order.
    """
    contestants = subject.contestants
    models = {name: load(subject, folder, name) for name in contestants}
    found: dict[str, dict[str, list[float]]] = {}
    for operation, work in operations(subject, new_tokens).items():
        found[operation] = {name: [] for name in contestants}
        orders = list(permutations(contestants))
        for number in range(-1, rounds):  # one round to warm up
            for name in orders[number % len(orders)]:
                start = time.perf_counter()
                tokens = work(models[name], name == OURS)
                seconds = time.perf_counter() - start
                if number >= 0:
                    found[operation][name].append(tokens / seconds)
    return found


def peak_bytes(subject: Subject, folder: Path, contestant: str, operation: str, new: int) -> int:
    """The weights, and the most memory that an operation takes on top of them.

    Meant for a process of its own: what the process had taken before counts as if it were free.
    Linux only.
    """
    model = load(subject, folder, contestant)
    work = operations(subject, new)[operation]
    weights = sum(parameter.numel() * 4 for parameter in model.parameters())
    work(model, contestant == OURS)  # what is made once is not what an operation takes
    _trim_memory()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    work(model, contestant == OURS)
    return weights + _status("VmHWM") - before


def _trim_memory() -> None:
    import ctypes
    import gc

    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {name}")


def in_own_process(*arguments: str | int) -> int:
    """Run `peak_bytes` in a fresh process, with an allocator that gives memory back."""
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-m", "benchmarks.models", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"measuring the memory failed: {result.stderr.strip()}")
    return int(json.loads(result.stdout.splitlines()[-1]))


def compare(
    names: Annotated[
        list[str] | None, typer.Argument(help=f"Which: {', '.join(SUBJECTS)}. None: all.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often each operation is timed.")] = 7,
    new_tokens: Annotated[int, typer.Option(min=1, help="How many tokens to generate.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch, for all.")] = 2,
    memory: Annotated[bool, typer.Option(help="Measure peak memory, too.")] = True,
) -> None:
    """Compare our models with transformers: tokens a second and peak memory.

    The same random weights, float32, the same number of threads, and their two forms of attention,
    eager and sdpa, where they have both. A ratio is ours divided by the faster of theirs (memory:
    the smaller), the median of the rounds.
    """
    unknown = [name for name in names or () if name not in SUBJECTS]
    if unknown:
        raise typer.BadParameter(f"no model {unknown[0]!r}: choose from {', '.join(SUBJECTS)}")
    torch.set_num_threads(threads)
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    console = Console()
    console.print(
        f"float32, {threads} threads, {rounds} rounds; {platform.machine()}, {os.cpu_count()} "
        f"processors, torch {torch.__version__}, transformers {transformers.__version__}"
    )
    for name in names or SUBJECTS:
        subject = SUBJECTS[name]
        with tempfile.TemporaryDirectory() as folder:
            save(subject, Path(folder))
            found = speeds(subject, Path(folder), rounds, new_tokens)
            peaks: dict[tuple[str, str], int] = {}
            if memory:
                jobs = [(operation, who) for operation in found for who in subject.contestants]
                for operation, who in track(jobs, "memory", console=console, transient=True):
                    peaks[operation, who] = in_own_process(
                        name, folder, who, operation, new_tokens, threads
                    )
        console.print(result_table(subject, found, peaks))


def result_table(
    subject: Subject,
    found: dict[str, dict[str, list[float]]],
    peaks: dict[tuple[str, str], int],
) -> Table:
    """Lay out a model's results, one row an operation."""
    table = Table(title=subject.name)
    table.add_column("operation")
    for name in subject.contestants:
        table.add_column(f"{name}, tokens/s", justify="right")
    table.add_column("ratio", justify="right")
    for name in subject.contestants if peaks else ():
        table.add_column(f"{name}, MB", justify="right")
    if peaks:
        table.add_column("ratio", justify="right")
    for operation, of_contestant in found.items():
        medians = {name: statistics.median(speed) for name, speed in of_contestant.items()}
        faster = max(subject.others, key=lambda name: medians[name])
        pairs = zip(of_contestant[OURS], of_contestant[faster], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        row = [
            operation,
            *(f"{medians[name]:,.1f}" for name in subject.contestants),
            f"{ratio:.2f}",
        ]
        if peaks:
            memory = {name: peaks[operation, name] for name in subject.contestants}
            row += [f"{size / 1e6:,.0f}" for size in memory.values()]
            row.append(f"{memory[OURS] / min(memory[name] for name in subject.others):.2f}")
        table.add_row(*row)
    return table


if __name__ == "__main__":
    name, folder, contestant, operation, new, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    print(json.dumps(peak_bytes(SUBJECTS[name], Path(folder), contestant, operation, int(new))))
