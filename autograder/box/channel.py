"""What travels between the grader and a box: plain values, bounded, and never pickled.

A message is a header of two lengths, a JSON object, and the raw bytes of its arrays. The side that
reads checks every length before it makes room for it. Everything that a box sends is taken for what
it is: the words of somebody who may want to deceive.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from autograder.notebook.check import values
from autograder.notebook.check.outcome import Call
from autograder.notebook.check.table_model import TableModel

HEADER = struct.Struct("<IQ")  # bytes of JSON, bytes of arrays

MEGABYTE = 1 << 20

DTYPES = (
    *("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"),
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
)
ITEM_SIZES = {name: getattr(torch, name).itemsize for name in DTYPES}
NUMPY_DTYPES = tuple(name for name in DTYPES if name != "bfloat16")


class ProtocolError(Exception):
    """A message is not what it must be."""


@dataclass(frozen=True)
class Bounds:
    """How much one message may hold.

    Args:
        json_bytes: of its JSON.
        array_bytes: of all its arrays together.
        nodes: containers and leaves, all together.
        keys: in all its dictionaries together.
        twins: in one dictionary, keys that share their hash with another; they take time with
            their square.
        depth: how deep containers may lie in each other.
        axes: of one array.
    """

    json_bytes: int = 4 * MEGABYTE
    array_bytes: int = 64 * MEGABYTE
    nodes: int = 200_000
    keys: int = 10_000
    twins: int = 100
    depth: int = 32
    axes: int = 16


BOUNDS = Bounds()


class Written(NamedTuple):
    """A value that is ready to travel.

    Args:
        text: its code, as JSON.
        raw: the bytes of its arrays.
    """

    text: str
    raw: bytes


def write(value: Any, foreign: Callable[[Any], Any] | None = None) -> Written:
    """Write down a value.

    Args:
        value: a plain value.
        foreign: gives the code of a value that is not plain; without it such a value is refused.

    Raises:
        TypeError: there is something in `value` that is no plain value.
    """
    buffers: list[bytes] = []
    written = 0

    def write_array(array: Any) -> dict[str, Any]:
        nonlocal written
        code, raw = _array_code(array, written)
        buffers.append(raw)
        written += len(raw)
        return code

    code = values.encode(value, write_array, foreign)
    return Written(json.dumps(code), b"".join(buffers))


def write_call(call: Call) -> Written:
    """Write down the inputs and options of a call: once, however often it is asked for.

    Raises:
        TypeError: there is something in them that is no plain value.
    """
    if call.written is None:
        call.written = write([list(call.inputs), call.options])
    written: Written = call.written
    return written


def pack(
    message: dict[str, Any], value: Any = None, foreign: Callable[[Any], Any] | None = None
) -> bytes:
    """Write a message.

    Args:
        message: what JSON can hold.
        value: a plain value to go with it, or one that is written down already.
        foreign: as for `write`.

    Raises:
        TypeError: there is something in `value` that is no plain value.
    """
    written = value if isinstance(value, Written) else write(value, foreign)
    text = f'{{"message": {json.dumps(message)}, "value": {written.text}}}'.encode()
    return HEADER.pack(len(text), len(written.raw)) + text + written.raw


def unpack(
    read: Callable[[int], bytes],
    bounds: Bounds = BOUNDS,
    foreign: Callable[[int, str], Any] | None = None,
) -> tuple[dict[str, Any], Any]:
    """Read a message.

    Args:
        read: gives that many bytes, or raises an exception of its own.
        bounds: how much the message may hold.
        foreign: makes a stand-in for a value that did not travel, of its number and type's name.

    Returns:
        What `pack` got: message and value.

    Raises:
        ProtocolError: these bytes are no message, or a message beyond the bounds.
    """
    json_bytes, array_bytes = HEADER.unpack(read(HEADER.size))
    if json_bytes > bounds.json_bytes or array_bytes > bounds.array_bytes:
        raise ProtocolError("the message is too large")
    text, raw = read(json_bytes), read(array_bytes)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("the message is no JSON") from error
    if not isinstance(whole, dict) or set(whole) != {"message", "value"}:
        raise ProtocolError("the message has not the two parts that it must have")
    message = whole["message"]
    if not isinstance(message, dict):
        raise ProtocolError("the message's own part is no object")
    try:
        return message, _Reader(raw, bounds, foreign).read(whole["value"])
    except (ValueError, TypeError, ArithmeticError, RuntimeError, MemoryError) as error:
        # What torch or NumPy refuse to make, such as a shape whose product is beyond 64 bits.
        raise ProtocolError("an array or a key can't be made") from error


class _Reader:
    """Reads one value, and refuses everything that `pack` would not have written."""

    def __init__(
        self, raw: bytes, bounds: Bounds, foreign: Callable[[int, str], Any] | None
    ) -> None:
        self.raw, self.bounds, self.foreign = raw, bounds, foreign
        self.nodes = self.keys = 0
        self.taken = (
            0  # bytes of arrays: each is read once, so that no copy costs more than it sent
        )

    def read(self, code: Any, depth: int = 0) -> Any:
        self.nodes += 1
        if self.nodes > self.bounds.nodes:
            raise ProtocolError("the value has too many parts")
        if depth > self.bounds.depth:
            raise ProtocolError("the value lies too deep in itself")
        if type(code) in values.ATOMS:
            return code
        if not isinstance(code, dict) or len(code) != 1:
            raise ProtocolError("a part of the value is of no known kind")
        [(kind, content)] = code.items()
        if kind in ("list", "tuple"):
            items = [self.read(item, depth + 1) for item in _list(content)]
            return tuple(items) if kind == "tuple" else items
        if kind == "dict":
            return self._dict(content, depth)
        if kind == "array":
            return self._array(content)
        if kind == "float" and content in ("nan", "inf", "-inf"):
            return float(content)
        if kind == "torch" and content in DTYPES:
            return getattr(torch, content)
        if kind == "activation" and isinstance(content, str) and content in values.ACTIVATIONS:
            return values.ACTIVATIONS[content]
        if kind == "table":
            logits = self.read(content, depth + 1)
            if isinstance(logits, torch.Tensor) and logits.ndim == 3 and len(logits):
                return TableModel(logits)
        if kind == "foreign" and self.foreign is not None:
            number, type_name = _list(content, 2)
            if _is_count(number) and isinstance(type_name, str):
                return self.foreign(number, type_name)
        raise ProtocolError("a part of the value is of no known kind")

    def _dict(self, content: Any, depth: int) -> dict[Any, Any]:
        self.keys += len(_list(content))
        if self.keys > self.bounds.keys:
            raise ProtocolError("the value has too many keys")
        pairs = []
        for pair in content:
            key, item = _list(pair, 2)
            known = self.read(key, depth + 1)
            if not _is_key(known):
                raise ProtocolError("a key is of a kind that no key may be")
            pairs.append((known, self.read(item, depth + 1)))
        if len(pairs) - len({hash(key) for key, _ in pairs}) > self.bounds.twins:
            raise ProtocolError("the value has too many keys of one hash")
        return dict(pairs)

    def _array(self, content: Any) -> Any:
        dtype, shape, order, start, is_tensor = _list(content, 5)
        axes = list(range(len(_list(shape))))
        if (
            dtype not in (DTYPES if is_tensor is True else NUMPY_DTYPES)
            or not isinstance(is_tensor, bool)
            or len(axes) > self.bounds.axes
            or not all(map(_is_count, (*shape, *_list(order), start)))
            or sorted(order) != axes
        ):
            raise ProtocolError("an array is not described as it must be")
        count = math.prod(shape)
        end = start + count * ITEM_SIZES[dtype]
        if start != self.taken or end > len(self.raw) or max(shape, default=0) > 1 << 40:
            raise ProtocolError("an array is not where it must be")
        self.taken = end
        if count == 0:
            empty = torch.empty(shape, dtype=getattr(torch, dtype))
            return empty if is_tensor else empty.numpy()
        part = bytearray(memoryview(self.raw)[start:end])
        if dtype == "bool" and np.frombuffer(part, dtype=np.uint8).max() > 1:
            raise ProtocolError("a boolean is neither true nor false")
        stored = tuple(shape[axis] for axis in order)  # the axes as they lie in memory
        array: Any
        if is_tensor:
            array = torch.frombuffer(part, dtype=getattr(torch, dtype), count=count)
        else:
            array = np.frombuffer(part, dtype=dtype, count=count)
        array = array.reshape(stored)
        if order == axes:
            return array
        back = [order.index(axis) for axis in axes]
        return array.permute(back) if is_tensor else array.transpose(back)


def _array_code(array: Any, start: int) -> tuple[dict[str, Any], bytes]:
    """The code of a tensor or array, and its bytes in the order in which they lie in memory."""
    is_tensor = isinstance(array, torch.Tensor)
    dtype = values.dtype_name(array)
    if dtype not in (DTYPES if is_tensor else NUMPY_DTYPES):
        raise TypeError(f"An array of dtype {dtype} can't be written down.")
    if is_tensor:
        array = array.detach().cpu()
        array = (array if array.layout == torch.strided else array.to_dense()).resolve_conj()
        array = array.resolve_neg()
    else:
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    shape, order = list(array.shape), list(range(array.ndim))
    if not (array.is_contiguous() if is_tensor else array.flags.c_contiguous):
        strides = array.stride() if is_tensor else array.strides
        order.sort(key=lambda axis: (-strides[axis], axis))
        array = array.permute(order).contiguous() if is_tensor else array.transpose(order)
    if is_tensor:
        array = array.view(-1).view(torch.uint8).numpy()
    return {"array": [dtype, shape, order, start, is_tensor]}, array.tobytes()


def _list(content: Any, length: int | None = None) -> list[Any]:
    if not isinstance(content, list) or (length is not None and len(content) != length):
        raise ProtocolError("a part of the value is not the list that it must be")
    return content


def _is_key(key: Any) -> bool:
    if isinstance(key, tuple):
        return all(map(_is_key, key))
    return key is None or isinstance(key, bool | int | float | str)


def _is_count(number: Any) -> bool:
    return type(number) is int and number >= 0
