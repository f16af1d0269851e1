"""What all checkpoints share: a folder with a configuration and files of named tensors.

A :class:`Checkpoint` hands out its tensors one by one and remembers which are left, so that a
loader can't overlook one: a missing, misshapen or unexpected tensor is a sentence that names it.
"""

import json
import os
import pickle
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)
Config = TypeVar("Config")

_FILES = ("model.safetensors", "pytorch_model.bin")  # the first that is there, whole or sharded


class CheckpointError(ValueError):
    """A checkpoint can't be read as it is; the sentence says which file, which tensor, and why."""


class Checkpoint:
    """Named tensors of a checkpoint, handed out one by one.

    Args:
        tensors: all tensors by their stored names.
        source: where they come from, for the sentences of errors.
    """

    def __init__(self, tensors: Mapping[str, Tensor], source: str) -> None:
        self.source = source
        self._tensors = dict(tensors)
        self._stored = {name: name for name in tensors}  # as the files spell it, for errors
        self._prefixes: dict[str, str] = {}  # what stood before names that begin so

    @classmethod
    def open(cls, directory: str | os.PathLike[str]) -> "Checkpoint":
        """Read the tensors of a folder: safetensors or pytorch_model.bin, whole or sharded.

        Raises:
            CheckpointError: if there is no such file, or one is damaged or not what it should be.
        """
        folder = Path(directory)
        for name in _FILES:
            whole, index = folder / name, folder / f"{name}.index.json"
            if whole.exists():
                return cls(read_tensors(whole), str(whole))
            if index.exists():
                return cls(_read_shards(index), str(index))
        raise CheckpointError(
            f"{folder}: there are no weights; looked for "
            + ", ".join(f"{name} and {name}.index.json" for name in _FILES)
        )

    @property
    def names(self) -> list[str]:
        """The names of the tensors that have not been taken."""
        return list(self._tensors)

    def __contains__(self, name: str) -> bool:
        """True while a tensor of that name is there and has not been taken."""
        return name in self._tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """Give the shape of a tensor without taking it.

        Raises:
            CheckpointError: if it is not there.
        """
        return tuple(self._get(name).shape)

    def take(self, name: str, shape: Iterable[int] | None = None) -> Tensor:
        """Hand out a tensor, as float32 and with memory of its own.

        Args:
            name: its stored name.
            shape: what its shape must be; None: any.

        Raises:
            CheckpointError: if it is not there, has another shape, or holds no floating-point
                numbers.
        """
        tensor = self._get(name)
        if shape is not None and tuple(tensor.shape) != tuple(shape):
            raise CheckpointError(
                f"{self.source}: the tensor {self._spelled(name)!r} has shape "
                f"{tuple(tensor.shape)}; with this configuration it must be {tuple(shape)}"
            )
        if not tensor.is_floating_point():
            raise CheckpointError(
                f"{self.source}: the tensor {self._spelled(name)!r} holds {tensor.dtype} numbers; "
                "quantised weights are not supported"
            )
        del self._tensors[name]
        return tensor.detach().to(torch.float32, copy=True).contiguous()

    def take_twin(self, name: str, kept: Tensor) -> None:
        """Take the second copy of weights that are tied, and of which the model has only one.

        Args:
            name: its stored name.
            kept: the copy that the model has, as ``take`` gave it.

        Raises:
            CheckpointError: if the two are not equal.
        """
        if not torch.equal(self.take(name, kept.shape), kept):
            raise CheckpointError(
                f"{self.source}: the tensor {self._spelled(name)!r} should be a second copy of "
                "tied weights, and differs from the first"
            )

    def use_twin(self, name: str, twin: str) -> None:
        """Where only the second copy of tied weights was kept, let it be the first.

        Args:
            name: the name of the first copy; nothing happens if it is there.
            twin: the name of the second.
        """
        if name not in self and twin in self:
            self.rename(lambda old: name if old == twin else old)

    def rename(self, new_name: Callable[[str], str]) -> None:
        """Give every tensor another name.

        Args:
            new_name: takes a stored name and gives the one to be used from now on.

        Raises:
            CheckpointError: if two tensors would have the same name.
        """
        renamed: dict[str, Tensor] = {}
        stored = {}
        for name, tensor in self._tensors.items():
            new = new_name(name)
            if new in renamed:
                raise CheckpointError(
                    f"{self.source}: the tensor {self._spelled(name)!r} is there twice, in two "
                    "spellings"
                )
            renamed[new], stored[new] = tensor, self._spelled(name)
            if stored[new].endswith(new):
                self._prefixes[new.partition(".")[0]] = stored[new].removesuffix(new)
        self._tensors, self._stored = renamed, stored

    def drop(self, pattern: str) -> None:
        """Forget the tensors whose whole name matches a regular expression: they are not needed."""
        self._tensors = {
            name: tensor
            for name, tensor in self._tensors.items()
            if re.fullmatch(pattern, name) is None
        }

    def finish(self) -> None:
        """Make sure that nothing is left.

        Raises:
            CheckpointError: if there are tensors that the model has no place for; names some.
        """
        if self._tensors:
            some = ", ".join(repr(self._spelled(name)) for name in self.names[:3])
            more = len(self._tensors) - 3
            raise CheckpointError(
                f"{self.source}: the model has no place for {some}"
                + (f" and {more} more tensors" if more > 0 else "")
            )

    def _get(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise CheckpointError(f"{self.source}: the tensor {self._spelled(name)!r} is missing")
        return self._tensors[name]

    def _spelled(self, name: str) -> str:
        """Give the name as the files have it; of one that is missing, as they would."""
        return self._stored.get(name, self._prefixes.get(name.partition(".")[0], "") + name)


def fill(
    make: Callable[[], Model], state: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
) -> Model:
    """Make a model and give it weights from a file, without ever drawing random ones.

    Args:
        make: makes the model; it is called where tensors have shapes and no memory.
        state: takes the model's own tensors, for their names and shapes, and gives the weights by
            the same names.

    Returns:
        The model in evaluation mode.
    """
    with torch.device("meta"):
        model = make()
    model.load_state_dict(state(model.state_dict()), strict=True, assign=True)
    return model.eval()


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read one file of named tensors: safetensors by its suffix, else one that torch saved.

    Torch's files are loaded with ``weights_only=True``: a file can't run code.

    Raises:
        CheckpointError: if the file is missing, damaged, or holds something else than tensors.
    """
    if not path.exists():
        raise CheckpointError(f"{path}: the file is missing")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise CheckpointError(
            f"{path}: the file is damaged, or holds more than tensors, which may be code; it was "
            "not loaded"
        ) from None
    except Exception as error:  # reading a damaged pickle stumbles over anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckpointError(f"{path}: the file is damaged or truncated ({reason})") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, not tensors by name")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            kinds = f"{type(value).__name__} under a {type(name).__name__}"
            raise CheckpointError(f"{path}: the entry {name!r} is a {kinds}, not a named tensor")
    return content


def _read_shards(index: Path) -> dict[str, Tensor]:
    weight_map = read_json(index).get("weight_map")
    if not isinstance(weight_map, dict):
        raise CheckpointError(f'{index}: there is no "weight_map" in it')
    tensors: dict[str, Tensor] = {}
    for shard in sorted({str(shard) for shard in weight_map.values()}):
        if Path(shard).name != shard:
            raise CheckpointError(f"{index}: {shard!r} is not the name of a file beside it")
        tensors |= read_tensors(index.parent / shard)
    for name, shard in weight_map.items():
        if name not in tensors:
            raise CheckpointError(f"{index}: the tensor {name!r} should be in {shard}, and is not")
    return tensors


# ---------------------------------------------------------------------------- configurations


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        CheckpointError: if it is missing, or no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(f"{path}: the file is missing") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path}: the file is not JSON ({error})") from None
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}, not settings by name")
    return content


class Settings:
    """The configuration of a checkpoint, asked by name; what is not understood is a sentence.

    Args:
        values: settings by name.
        source: where they come from, for the sentences of errors.
    """

    def __init__(self, values: Mapping[str, Any], source: str) -> None:
        self.values = values
        self.source = source

    @classmethod
    def open(cls, directory: str | os.PathLike[str], model_types: Iterable[str]) -> "Settings":
        """Read config.json of a folder.

        Args:
            directory: the folder.
            model_types: the kinds of model that the caller understands; a configuration that
                names none is taken as one of them.

        Raises:
            CheckpointError: if it is missing or damaged, or of another kind of model.
        """
        path = Path(directory) / "config.json"
        settings = cls(read_json(path), str(path))
        found, known = settings.values.get("model_type"), list(model_types)
        if found is not None and found not in known:
            raise CheckpointError(
                f"{path}: the checkpoint is of type {found!r}; this class reads "
                + ", ".join(repr(name) for name in known)
            )
        return settings

    def get(self, kind: type, *names: str, default: Any = None) -> Any:
        """Give a setting, under the first of its spellings that is there and not null.

        Args:
            kind: what it must be: int, float, bool or str. A float may be written as an int.
            names: its spellings.
            default: what it is where no spelling is there; None: it must be there.

        Raises:
            CheckpointError: if it is not there and has no default, or is of another kind.
        """
        for name in names:
            value = self.values.get(name)
            if value is None:
                continue
            if kind is float and type(value) is int:
                value = float(value)
            if type(value) is not kind:
                raise CheckpointError(
                    f"{self.source}: {name} is {value!r}; it must be of type {kind.__name__}"
                )
            return value
        if default is None:
            raise CheckpointError(f"{self.source}: the setting {names[0]!r} is missing")
        return default

    def one_of(self, options: Mapping[str, Any], *names: str, default: str) -> Any:
        """Give what a setting stands for.

        Args:
            options: what each value that is understood stands for.
            names: the spellings of the setting.
            default: its value where no spelling is there.

        Raises:
            CheckpointError: if its value is none of the options.
        """
        value = self.get(str, *names, default=default)
        if value not in options:
            raise CheckpointError(
                f"{self.source}: {names[0]} is {value!r}, which is not supported; known are "
                + ", ".join(repr(name) for name in options)
            )
        return options[value]

    def end_ids(self) -> tuple[int, ...]:
        """Give the tokens that end a text: eos_token_id, which is a number, a list, or nothing.

        Where there is a generation_config.json beside the configuration, it is the one to ask.

        Raises:
            CheckpointError: if it is something else.
        """
        beside = Path(self.source).with_name("generation_config.json")
        asked = Settings(read_json(beside), str(beside)) if beside.exists() else self
        value = asked.values.get("eos_token_id")
        ids = [] if value is None else value if isinstance(value, list) else [value]
        if not all(type(token) is int for token in ids):
            raise CheckpointError(
                f"{asked.source}: eos_token_id is {value!r}; it must be a number or a list of them"
            )
        return tuple(ids)

    def require(self, name: str, value: Any) -> None:
        """Make sure that a setting, if it is there and not null, has the only supported value.

        Raises:
            CheckpointError: if it has another one.
        """
        found = self.values.get(name)
        if found is not None and found != value:
            raise CheckpointError(
                f"{self.source}: {name} is {found!r}; only {value!r} is supported"
            )


def make_config(kind: Callable[..., Config], source: str, **sizes: Any) -> Config:
    """Give the configuration with these sizes.

    Args:
        kind: the class of the configuration, or what else makes one.
        source: where the sizes come from, for the sentence of the error.
        sizes: as ``kind`` takes them.

    Raises:
        CheckpointError: if they do not fit together.
    """
    try:
        return kind(**sizes)
    except ValueError as error:
        raise CheckpointError(f"{source}: {error}") from None
