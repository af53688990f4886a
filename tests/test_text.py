import os

import pytest

from skgenre._text import printable


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
