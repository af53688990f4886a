"""What the README shows is what the commands print."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from published_weights import needs_weights

ROOT = Path(__file__).parents[1]
# A command after "$ ", and what it prints; "..." stands for any number of lines.
COMMANDS = re.findall(
    r"^\$ (.+)\n((?:(?!\$ |```).*\n)*)", (ROOT / "README.md").read_text(), re.MULTILINE
)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def run(command, folder):
    """Return what a command of the README prints, on a page as wide as its own."""
    _, *arguments = shlex.split(command)
    settings = {"COLUMNS": "88", "SKGENRE_CACHE_DIR": str(folder / "cache")}
    settings["PYTHONUNBUFFERED"] = "1"  # lines of both streams in their order
    done = subprocess.run(
        [sys.executable, "-m", "skgenre.cli", *arguments],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def assert_shown(shown, printed):
    """Compare lines in their order; numbers may differ a little between processors."""
    printed = [line.strip() for line in printed]
    for line in (line.strip() for line in shown if line != "..."):
        while printed:
            candidate = printed.pop(0)
            if NUMBER.sub("0", candidate) == NUMBER.sub("0", line):
                break
        else:
            pytest.fail(f"The command doesn't print {line!r}")
        pairs = zip(NUMBER.findall(line), NUMBER.findall(candidate), strict=True)
        for expected, number in pairs:
            apart = abs(float(expected) - float(number))
            assert apart <= (0.05 if "." in expected else 3), candidate


def test_lines_are_compared():
    shown = ["rock 54%", "...", "Accuracy: 0.81"]
    assert_shown(shown, ["a", "rock 55%", "b", " Accuracy: 0.80 "])
    for printed in (["rock 55%"], ["Accuracy: 0.81", "rock 54%"], ["jazz 54%"]):
        with pytest.raises(pytest.fail.Exception):
            assert_shown(shown, printed)
    with pytest.raises(AssertionError):
        assert_shown(shown, ["rock 54%", "Accuracy: 0.71"])


@pytest.mark.slow
@needs_weights
def test_commands_print_what_is_shown(music, tmp_path):
    (tmp_path / "my_music").symlink_to(music, target_is_directory=True)
    assert [command.split()[1] for command, _ in COMMANDS] == ["tag", "train"]
    # Features are kept from command to command: whatever trains comes first.
    for command, shown in reversed(COMMANDS):
        assert_shown(shown.splitlines(), run(command, tmp_path))
