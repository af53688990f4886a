import json
import os

import numpy as np
import pytest

from skgenre._text import csv_cell, format_list, printable, printable_json


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


@pytest.mark.parametrize(
    "text",
    ["rock", "a\x1b[31m", "\x7f\x85", "a\u202eb", "\U000e0041", "\ud800", 'é"\n'],
)
def test_json_is_the_same_and_prints(text):
    printed = printable_json(json.dumps({text: [text]}, ensure_ascii=False, indent=2))
    assert json.loads(printed) == {text: [text]}
    assert printed.replace("\n", "").isprintable()
    assert ("é" in printed) == ("é" in text)
    printed.encode()


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "-nan", "-", "＝1", "-١", "=\u202e"]
)
def test_formulas_are_text(text):
    assert csv_cell(text) == "'" + printable(text)


@pytest.mark.parametrize("text", ["\t=1", "\r=1"])
def test_line_ends_and_tabs_begin_no_cell(text):
    assert csv_cell(text).startswith("'\\")


@pytest.mark.parametrize("text", ["rock;=1+1", "a; @b", "=1;-2"])
def test_semicolons_end_cells_in_some_languages(text):
    cells = [cell.strip() for cell in csv_cell(text).split(";")]
    assert all(cell[0] not in "=+-@" for cell in cells)
    assert csv_cell(text).replace("'", "") == text


@pytest.mark.parametrize(
    "value",
    [
        "a;b",
        "a; 'b",
        -0.5,
        3,
        None,
        True,
        "-0.5",
        "+3",
        "-.5e-7",
        "1=1",
        "",
        "a-b",
        " =1",
        "'=1",
    ],
)
def test_other_cells_are_left(value):
    assert csv_cell(value) is value
