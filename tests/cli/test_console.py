import json

import pytest

from skgenre.cli._console import fail, plain, print_json

ODD = "a\x1b[31m[red]\u202eb\x9b"


def test_text_of_files_is_spelt_out():
    assert plain(ODD) == r"a\x1b[31m\[red]\u202eb\x9b"
    assert plain(3) == "3"


def test_errors_keep_their_lines_and_drive_no_terminal(capsys):
    fail(ValueError(f"one\n{ODD}"))
    assert capsys.readouterr().err == f"Error: one\n{PRINTED}\n"


def test_a_pipe_that_is_closed_is_no_error(capsys):
    with pytest.raises(BrokenPipeError):
        fail(BrokenPipeError())
    assert not capsys.readouterr().err


PRINTED = r"a\x1b[31m[red]\u202eb\x9b"


def test_json_is_printed_as_it_is(capsys):
    data = {"genre": ODD, "name": "música", "scores": [1.5, None]}
    print_json(data)
    printed = capsys.readouterr().out
    assert json.loads(printed) == data
    assert "música" in printed
    assert printed.replace("\n", "").isprintable()


@pytest.mark.parametrize("width", ["20", "200"])
def test_long_json_is_not_broken_into_lines(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", width)
    print_json({"genre": "long " * 50})
    assert json.loads(capsys.readouterr().out) == {"genre": "long " * 50}


def test_of_a_message_of_megabytes_the_ends_are_printed(capsys):
    fail(ValueError("a" * 1_000_000), of_files=["b" * 1_000_000])
    assert 10_000 < len(capsys.readouterr().err) < 11_000
