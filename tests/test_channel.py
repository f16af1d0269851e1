"""What travels between grader and box: plain values and nothing else, whatever bytes come."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.box import channel
from autograder.box.channel import BOUNDS, HEADER, ProtocolError, pack, unpack
from autograder.notebook.check import values


def read_from(message: bytes) -> Callable[[int], bytes]:
    """Gives a message piece by piece."""
    rest = memoryview(message)

    def read(count: int) -> bytes:
        nonlocal rest
        if count > len(rest):
            raise ProtocolError("the message is shorter than it says")
        part, rest = bytes(rest[:count]), rest[count:]
        return part

    return read


def through(value: Any) -> Any:
    """A value that went through the channel."""
    return unpack(read_from(pack({}, value)))[1]


def frame(value: Any, arrays: bytes = b"", message: Any = None) -> bytes:
    """A message whose value is coded by hand."""
    text = json.dumps({"message": message or {}, "value": value}).encode()
    return HEADER.pack(len(text), len(arrays)) + text + arrays


def array(dtype: str, shape: list[int], start: int = 0) -> dict[str, Any]:
    """The code of a tensor."""
    return {"array": [dtype, shape, list(range(len(shape))), start, True]}


@pytest.mark.parametrize("dtype", channel.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (1, 2, 1, 2)])
def test_a_tensor_comes_through_as_it_is(dtype: str, shape: tuple[int, ...]) -> None:
    tensor = torch.randn(shape).mul(3).to(getattr(torch, dtype))
    came = through([tensor])[0]
    assert came.dtype == tensor.dtype and came.shape == tensor.shape
    assert torch.equal(came.nan_to_num(), tensor.nan_to_num())


@pytest.mark.parametrize(
    "lay_out",
    [
        lambda x: x.mT,
        lambda x: x.transpose(0, 2),
        lambda x: x[:, ::2],
        lambda x: x[..., :1],
        lambda x: x[:1].expand(4, -1, -1),
    ],
)
def test_values_and_order_of_axes_survive(lay_out: Callable[[Any], Any]) -> None:
    tensor = lay_out(torch.arange(24.0).reshape(2, 3, 4))
    came = through(tensor)
    assert torch.equal(came, tensor)
    packed = through(tensor.contiguous().numpy())
    assert np.array_equal(packed, tensor.numpy())


def test_a_transposed_tensor_stays_transposed() -> None:
    assert through(torch.zeros(3, 5).T).stride() == (1, 5)


def test_plain_values_come_through() -> None:
    value = [None, True, -3, 2.5, "ä\ud800", (1, [2]), {"a": 1, (1, "b"): [torch.float32]}]
    assert through(value) == value
    assert through(float("-inf")) == float("-inf")
    assert through(torch.relu) is torch.relu


def test_what_is_no_plain_value_is_refused() -> None:
    with pytest.raises(TypeError, match="can't be written down"):
        pack({}, object())
    with pytest.raises(TypeError, match="dtype object"):
        pack({}, np.array([print]))


def loose(depth: int) -> Any:
    """A list that lies in itself that many times."""
    code: Any = None
    for _ in range(depth):
        code = {"list": [code]}
    return code


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (HEADER.pack(BOUNDS.json_bytes + 1, 0), "too large"),
        (HEADER.pack(2, BOUNDS.array_bytes + 1), "too large"),
        (HEADER.pack(1, 0) + b"{", "no JSON"),
        (HEADER.pack(100_000, 0) + b"[" * 100_000, "no JSON"),
        (HEADER.pack(2, 0) + b"[]", "two parts"),
        (frame({"list": [1], "dict": []}), "no known kind"),
        (frame({"pickle": "x"}), "no known kind"),
        (frame({"foreign": [0, "x"]}), "no known kind"),
        (frame({"torch": "load"}), "no known kind"),
        (frame(loose(40)), "too deep"),
        (frame({"list": [0] * 200_001}), "too many parts"),
        (frame({"dict": [[n, 0] for n in range(10_001)]}), "too many keys"),
        (frame({"dict": [[{"list": []}, 0]]}), "kind that no key"),
        (frame({"dict": [[{"tuple": [0, n * (2**61 - 1)]}, 0] for n in range(300)]}), "one hash"),
        (frame(array("object", [1]), b"12345678"), "described"),
        (frame(array("float32", [-1])), "described"),
        (frame(array("float32", [True])), "described"),
        (frame(array("float32", [1] * 17), b"1234"), "described"),
        (frame(array("float32", [2]), b"1234"), "where it must be"),
        (frame({"list": [array("uint8", [4])] * 2}, b"1234"), "where it must be"),
        (frame(array("float32", [0, 1 << 39, 1 << 39, 1 << 39])), "can't be made"),
        (frame(array("bool", [1]), b"\x02"), "neither true nor false"),
    ],
)
def test_a_message_beyond_the_bounds_is_refused(message: bytes, reason: str) -> None:
    with pytest.raises(ProtocolError, match=reason):
        unpack(read_from(message))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 300), st.integers(0, 300))
def test_arbitrary_bytes_are_no_message(rest: bytes, text: int, arrays: int) -> None:
    with pytest.raises(ProtocolError):
        unpack(read_from(struct.pack("<IQ", text, arrays) + rest))


def is_plain(value: Any) -> bool:
    """True for what graded cells may see."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(is_plain(key) and is_plain(item) for key, item in value.items())
    kinds = (bool, int, float, str, torch.Tensor, np.ndarray, torch.dtype, values.Foreign)
    return value is None or isinstance(value, kinds) or value in values.ACTIVATIONS.values()


VALID = pack(
    {"id": "1"},
    [torch.ones(2, 3), {"a": (1.5, None), 2: [True, "text"]}, np.zeros(3), torch.float32],
)
CODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(
                ["list", "tuple", "dict", "array", "float", "torch", "table", "foreign"]
            ),
            inner,
            max_size=1,
        )
        | st.tuples(
            st.sampled_from([*channel.DTYPES, "object"]),
            st.lists(st.integers(0, 1 << 45), max_size=4),
            st.permutations([0, 1, 2]),
            st.integers(0, 50),
            st.booleans(),
        ).map(lambda parts: {"array": list(parts)})
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(12, len(VALID) - 1), st.integers(0, 255)), max_size=6))
def test_a_damaged_message_is_refused_or_plain(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(VALID)
    for place, byte in changes:
        damaged[place] = byte
    try:
        _, value = unpack(read_from(bytes(damaged)))
    except ProtocolError:
        return
    assert is_plain(value)


@settings(max_examples=500, deadline=None)
@given(CODES, st.binary(max_size=64))
def test_any_json_is_refused_or_plain(code: Any, arrays: bytes) -> None:
    text = json.dumps({"message": {}, "value": code}).encode()
    message = HEADER.pack(len(text), len(arrays)) + text + arrays
    try:
        _, value = unpack(read_from(message), foreign=lambda _, name: values.Foreign(name))
    except ProtocolError:
        return
    assert is_plain(value) or type(value).__name__ == "TableModel"
