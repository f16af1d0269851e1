"""What the tests of the models share: how close is close, weights that bite, and mutations.

`reference("bert")` gives the module `solutions.bert`. Tests of agreement ask for it anew in each
function, so that they can be run against a mutated one: see `Mutation`.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import torch
from torch import Tensor, nn

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"

# (atol, rtol) in float32. A blanket 1e-3 would miss every wrong eps.
LOGITS = (2e-5, 1e-4)
STRICT = (1e-5, 1e-5)  # BERT and attention
GRADIENTS = (1e-5, 1e-4)


def reference(name: str) -> ModuleType:
    """The module of `solutions/` with this name, mutated while a mutation is in force."""
    return importlib.import_module(f"solutions.{name}")


def assert_agree(
    ours: Tensor, theirs: Tensor, what: str, tolerance: tuple[float, float] = LOGITS
) -> None:
    """Two tensors agree to `(atol, rtol)`, and neither holds NaN."""
    atol, rtol = tolerance
    torch.testing.assert_close(
        ours.detach(), theirs.detach(), atol=atol, rtol=rtol, msg=lambda text: f"{what}: {text}"
    )


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights that bite: no gain is 1, no bias is 0, and nothing saturates.

    Returns:
        The model itself, in evaluation mode.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim > 1:
                parameter.copy_(noise / parameter.shape[-1] ** 0.5)
            elif name.endswith("weight"):
                parameter.copy_(1 + 0.3 * noise)
            else:
                parameter.copy_(0.3 * noise)
    return model.eval()


@dataclass(frozen=True)
class Mutation:
    """One wrong edit of a reference module, which a test of agreement must catch.

    Attributes:
        module: its name below `solutions`, such as "bert" or "checkpoints.bert".
        old: source text that occurs in it exactly once.
        new: what takes its place.
    """

    module: str
    old: str
    new: str

    def __str__(self) -> str:
        """What a test is named after."""
        return f"{self.module}: {' '.join(self.old.split())} -> {' '.join(self.new.split())}"


@contextmanager
def in_force(mutation: Mutation) -> Iterator[None]:
    """While it lasts, `reference` gives modules made from the mutated source."""
    file = SOLUTIONS.joinpath(*mutation.module.split(".")).with_suffix(".py")
    source = file.read_text(encoding="utf-8")
    count = source.count(mutation.old)
    assert count == 1, f"{mutation}: the text occurs {count} times in {file.name}, not once"
    finder = _Finder(
        f"solutions.{mutation.module}", file, source.replace(mutation.old, mutation.new)
    )
    kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_solution(name)}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_solution(name)]:
            del sys.modules[name]
        sys.modules.update(kept)


def _is_solution(name: str) -> bool:
    return name == "solutions" or name.startswith("solutions.")


class _Finder(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Finds one module, and loads it from a text that is not the file's."""

    def __init__(self, name: str, file: Path, source: str) -> None:
        super().__init__(name, str(file))
        self.mutated = source

    def find_spec(self, fullname, path, target=None):  # type: ignore[no-untyped-def]
        if fullname == self.name:
            return importlib.util.spec_from_file_location(fullname, self.path, loader=self)
        return None

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.mutated, self.path, "exec")
