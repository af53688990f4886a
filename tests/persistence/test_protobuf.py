"""The fields of a protocol buffer, as the library itself writes and reads them."""

import numpy as np
import pytest

from skgenre.persistence._protobuf import fields, integers


def test_fields_are_those_that_the_library_wrote():
    onnx = pytest.importorskip("onnx")
    tensor = onnx.numpy_helper.from_array(np.ones((3, 200), np.float32), "weights")
    found = dict(fields(memoryview(tensor.SerializeToString()), 99))
    assert bytes(found[8]) == b"weights" and len(found[9]) == 2400 and found[2] == 1
    graph = onnx.helper.make_graph([], "g", [], [], [tensor, tensor])
    of_graph = list(fields(memoryview(graph.SerializeToString()), 4))
    assert [number for number, _ in of_graph] == [2, 5, 5]


@pytest.mark.parametrize("dims", [b"\x08\x03\x08\xc8\x01", b"\x0a\x03\x03\xc8\x01"])
def test_integers_one_by_one_and_packed(dims):
    assert [n for _, each in fields(memoryview(dims), 2) for n in integers(each)] == [
        3,
        200,
    ]


@pytest.mark.parametrize(
    "message",
    [
        b"\x12",
        b"\x12\x05abcd",
        b"\x08",
        b"\x08" + b"\xff" * 10,
        b"\x0d\x00",
        b"\x09" + bytes(7),
        b"\x0b",
        b"\x0c",
        b"\x0f",
        b"\x80",
        b"\x12" + b"\xff" * 8 + b"\x7f",
    ],
    ids=repr,
)
def test_what_is_cut_off_or_no_message(message):
    with pytest.raises(ValueError, match="cut off"):
        list(fields(memoryview(message), 9))


def test_all_kinds_of_fields():
    message = b"\x08\x01" + b"\x11" + bytes(8) + b"\x1a\x01x" + b"\x25" + bytes(4)
    found = [
        (n, v if isinstance(v, int) else bytes(v))
        for n, v in fields(memoryview(message), 4)
    ]
    assert found == [(1, 1), (2, bytes(8)), (3, b"x"), (4, bytes(4))]


def test_more_fields_or_axes_than_there_may_be():
    assert len(list(fields(memoryview(b"\x08\x01" * 5), 5))) == 5
    with pytest.raises(ValueError, match="more than 5 fields"):
        list(fields(memoryview(b"\x08\x01" * 6), 5))
    with pytest.raises(ValueError, match="more than 64 axes"):
        integers(memoryview(bytes(65)))
