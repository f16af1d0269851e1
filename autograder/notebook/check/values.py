"""Plain values: what a student's function may get and give back.

None, booleans, numbers, strings, lists, tuples, dictionaries, NumPy arrays and tensors; as inputs
also the activation functions by name, and a `TableModel`. Here they are copied, described,
compared, and written as JSON.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .table_model import TableModel

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}  # functions that a call may be given


class Foreign:
    """Stands for a value that is no plain one, and stayed where it was made.

    Args:
        type_name: the name of its type there.
    """

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name

    def ask(self, question: str, *inputs: Any, **options: Any) -> Any:
        """Ask it, where it is, one of the questions of `models`."""
        raise TypeError(f"A {self.type_name} can't be asked for its {question}.")


ATOMS = frozenset({bool, int, float, str, type(None)})  # the most frequent, and quickly told

Leaf = tuple[str, Any]  # where in the value, such as "[0]['loss']", and what stands there


def is_array(value: Any) -> bool:
    """True for a tensor or a NumPy array."""
    return isinstance(value, Tensor | np.ndarray)


def is_number(value: Any) -> bool:
    """True for a number in any of its forms: Python's, NumPy's, an array without axes."""
    if is_array(value):
        return value.ndim == 0
    return isinstance(value, int | float | np.number | np.bool_)


def map_arrays(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same value with `change` applied to each tensor and array in it."""
    if type(value) in ATOMS:
        return value
    if is_array(value):
        return change(value)
    if isinstance(value, TableModel):
        return TableModel(change(value.logits))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(map_arrays(item, change) for item in value))
    if isinstance(value, list | tuple):
        items = [item if type(item) in ATOMS else map_arrays(item, change) for item in value]
        return items if type(value) is list else type(value)(items)
    if isinstance(value, dict):
        return {key: map_arrays(item, change) for key, item in value.items()}
    return value


def copy(value: Any) -> Any:
    """A copy that shares no memory with `value`; strides are kept where they can be."""
    return map_arrays(
        value,
        lambda array: array.detach().clone() if isinstance(array, Tensor) else array.copy("K"),
    )


def to_float64(value: Any) -> Any:
    """A copy of the value with its float tensors and arrays in double precision."""

    def widen(array: Any) -> Any:
        if isinstance(array, Tensor):
            return (
                array.to(torch.float64, copy=True) if array.is_floating_point() else array.clone()
            )
        return array.astype(np.float64) if array.dtype.kind == "f" else array.copy()

    return map_arrays(value, widen)


def leaves(value: Any, where: str = "") -> Iterator[Leaf]:
    """The value's parts that are no containers, each with where it stands."""
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{where}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{where}[{key!r}]")
    elif isinstance(value, TableModel):
        yield where, value.logits
    else:
        yield where, value


def to_numpy(value: Any) -> np.ndarray:
    """A number, tensor or array as a NumPy array; bfloat16, which NumPy lacks, as float32."""
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        if value.layout != torch.strided:
            value = value.to_dense()
        if value.dtype == torch.bfloat16:
            value = value.float()
        return value.resolve_conj().numpy()
    return np.asarray(value)


def dtype_name(value: Any) -> str:
    """The dtype of a tensor or array without its library: "float32"."""
    return str(value.dtype).removeprefix("torch.")


def describe(value: Any) -> str:
    """What kind of thing a value is, for a message: "a float32 tensor of shape (2, 3)"."""
    if is_array(value):
        kind = "tensor" if isinstance(value, Tensor) else "NumPy array"
        article = "an" if dtype_name(value)[0] in "aeiou" else "a"
        return f"{article} {dtype_name(value)} {kind} of shape {tuple(value.shape)}"
    if isinstance(value, list | tuple | dict):
        kind = next(k for k in (list, tuple, dict) if isinstance(value, k)).__name__
        return f"a {kind} of {len(value)} item{'s' * (len(value) != 1)}"
    if value is None:
        return "None (did you forget `return`?)"
    if isinstance(value, bool | int | float | str):
        article = "an" if isinstance(value, int) and not isinstance(value, bool) else "a"
        return f"{article} {type(value).__name__}, {shorten(repr(value))}"
    type_name = value.type_name if isinstance(value, Foreign) else type(value).__name__
    return f"something of type {type_name}"


def kind(value: Any) -> str:
    """One of a few words for a value: its type and number of axes, and nothing that it holds."""
    if is_array(value):
        axes = f"{value.ndim} ax{'i' if value.ndim == 1 else 'e'}s"
        return f"{describe(value).partition(' of shape')[0]} with {axes}"
    if value is None:
        return "None"
    for known in (bool, int, float, str, list, tuple, dict):
        if isinstance(value, known):
            return f"an {known.__name__}" if known is int else f"a {known.__name__}"
    return "something else"


def describe_with_items(value: Any) -> str:
    """`describe`, and what is in a list or tuple where that is short."""
    short = isinstance(value, list | tuple) and len(value) <= 20
    plain = short and all(
        item is None or isinstance(item, bool | int | float | str) for item in value
    )
    written = repr(value) if plain else ""
    return f"{describe(value)}: {written}" if 0 < len(written) <= 100 else describe(value)


def show_input(value: Any) -> str:
    """An input of a call as it would be written, where it is short; otherwise what it is."""
    if is_array(value):
        array = to_numpy(value)
        if array.size == 0:
            return f"an empty {describe(value).split(' ', 1)[1]}"
        if array.size > 8:
            return describe(value)
        digits = np.array2string(array, precision=4, separator=", ", max_line_width=10_000)
        kind = "tensor" if isinstance(value, Tensor) else "array"
        return f"{kind}({' '.join(digits.split())})"
    if isinstance(value, dict) and any(is_array(leaf) for _, leaf in leaves(value)):
        return shorten(f"{{{', '.join(map(str, value))}}}")
    if isinstance(value, tuple) and 0 < len(value) <= 3 and all(map(is_array, value)):
        return f"({', '.join(map(show_input, value))})"
    name = activation_name(value)
    return f"torch.{name}" if name else shorten(repr(value))


def activation_name(value: Any) -> str | None:
    """The name of an activation function; None for anything else."""
    return next((name for name, function in ACTIVATIONS.items() if value is function), None)


def shorten(text: str, length: int = 60) -> str:
    """The text, cut in its middle where it is longer than `length` characters."""
    if len(text) <= length:
        return text
    half = (length - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


def same(a: Any, b: Any) -> bool:
    """True where two values are equal bit by bit, NaN equal to NaN."""
    try:
        return encode(a, _as_bytes) == encode(b, _as_bytes)
    except TypeError:
        return False


def _as_bytes(array: Any) -> tuple[Any, ...]:
    """What there is to compare of a tensor or array."""
    plain = to_numpy(array)
    return dtype_name(array), plain.shape, isinstance(array, Tensor), plain.tobytes()


def as_base64(array: Any) -> dict[str, Any]:
    """A tensor or array as JSON can hold it."""
    plain = np.ascontiguousarray(to_numpy(array))
    return {
        "array": base64.b64encode(plain.tobytes()).decode(),
        "stored": str(plain.dtype),
        "dtype": dtype_name(array),
        "shape": list(array.shape),
        "tensor": isinstance(array, Tensor),
    }


def encode(
    value: Any,
    write_array: Callable[[Any], Any] = as_base64,
    foreign: Callable[[Any], Any] | None = None,
) -> Any:
    """A value as JSON can hold it.

    Args:
        value: the value.
        write_array: gives the code of a tensor or array.
        foreign: gives the code of what is no plain value; without it that is refused.

    Raises:
        TypeError: there is something in it that is no plain value.
    """

    def write(item: Any) -> Any:
        if type(item) in ATOMS and type(item) is not float:
            return item
        return encode(item, write_array, foreign)

    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, np.number | np.bool_):
        return write(value.item())
    if is_array(value):
        return write_array(value)
    if isinstance(value, list | tuple):
        return {"tuple" if isinstance(value, tuple) else "list": [write(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[write(key), write(item)] for key, item in value.items()]}
    if isinstance(value, torch.dtype):
        return {"torch": str(value).removeprefix("torch.")}
    if activation_name(value):
        return {"activation": activation_name(value)}
    if isinstance(value, TableModel):
        return {"table": write(value.logits)}
    if foreign is not None:
        return foreign(value)
    raise TypeError(f"A value of type {type(value).__name__} can't be written down.")


def decode(code: Any) -> Any:
    """The value that `encode` wrote."""
    if not isinstance(code, dict):
        return code
    if "float" in code:
        return float(code["float"])
    if "torch" in code:
        return getattr(torch, code["torch"])
    if "activation" in code:
        return ACTIVATIONS[code["activation"]]
    if "table" in code:
        return TableModel(decode(code["table"]))
    if "list" in code:
        return [decode(item) for item in code["list"]]
    if "tuple" in code:
        return tuple(decode(item) for item in code["tuple"])
    if "dict" in code:
        return {decode(key): decode(item) for key, item in code["dict"]}
    stored = np.frombuffer(base64.b64decode(code["array"]), dtype=code["stored"])
    array = stored.reshape(code["shape"]).copy()
    if not code["tensor"]:
        return array
    return torch.from_numpy(array).to(getattr(torch, code["dtype"]))
