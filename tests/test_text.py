import os

import numpy as np
import pytest

from skgenre._text import format_list, printable


@pytest.mark.parametrize(
    ("items", "limit", "expected"),
    [
        ([], 3, ""),
        (["a"], 3, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        (iter(range(30)), 2, "0, 1 and 28 more"),
        (np.array(["jazz", "rock"]), 1, "jazz and 1 more"),
    ],
)
def test_long_lists_are_cut(items, limit, expected):
    assert format_list(items, limit=limit) == expected


def test_lists_name_ten_with_any_separator():
    assert format_list(range(11), sep="; ") == "0; 1; 2; 3; 4; 5; 6; 7; 8; 9 and 1 more"
    assert format_list(range(10)).endswith("8, 9")


@pytest.mark.parametrize("text", ["", "Mötley Crüe 音楽", "a\u3000b\xa0c", "<b>&"])
def test_what_prints_is_left(text):
    assert printable(text) == text


@pytest.mark.parametrize("code", [*range(32), 0x7F, 0x202E, 0x2028, 0xFEFF])
def test_what_does_not_print_is_spelt_out(code):
    shown = printable(f"a{chr(code)}b")
    assert shown.isprintable()
    assert shown.startswith("a\\") and shown.endswith("b")


def test_what_is_not_unicode_can_be_written():
    assert printable(os.fsdecode(b"\xff.mp3")).encode() == rb"\udcff.mp3"
