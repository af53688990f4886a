"""Commands in the README and the documentation exist, and print what is shown."""

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import typer
from mutagen.id3 import ID3, TCON, TPE1
from published_weights import needs_weights

from skgenre.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.rst"))]
PAGES = [page for page in PAGES if "auto_examples" not in page.parts]
# A command after "$ ", and what it prints; "..." stands for any number of lines.
WITH_OUTPUT = re.compile(r"^( *)\$ (skgenre .+)\n((?:(?!\1\$ |```)(?:\1.*)?\n)*)", re.M)
IN_RST = re.compile(r"::(?: (?:sh|console))?\n\n((?: +.*\n|\n)+)")
IN_MARKDOWN = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.M | re.S)
COMMAND = re.compile(r"^ *(?:\$ |.*\| )?(skgenre (?:.*\\\n)*.*)$", re.M)
NUMBER = re.compile(r"\d+(?:\.\d+)?")
WRONG_TAGS = 20  # of so many tags, one is wrong
OF_BENCHMARKS = {"--check", "--music", "--plan", "--repeats", "--results"}


def with_output(page):
    """Return the commands of a page with an output, and this."""
    return [
        (command, dedent(output).strip().splitlines())
        for _, command, output in WITH_OUTPUT.findall(page.read_text(encoding="utf-8"))
    ]


def arguments(command):
    """Return the arguments of a command in a shell, up to what follows it."""
    _, *words = shlex.split(command.replace("\\\n", " "), comments=True)
    ends = [i for i, word in enumerate(words) if word in (">", "|", "&&")]
    return words[: min(ends, default=None)]


def fault(words):
    """Return what is wrong with the arguments of a command, which isn't run."""
    command, context = typer.main.get_command(app), None
    try:
        while hasattr(command, "commands"):
            context = command.context_class(command, parent=context)
            _, command, words = command.resolve_command(context, words)
        command.make_context(command.name, words, parent=context)
    except Exception as error:  # of click, or of typer's copy of it
        return error.format_message()
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_can_be_parsed(page):
    blocks = IN_MARKDOWN if page.suffix == ".md" else IN_RST
    text = "".join(blocks.findall(page.read_text(encoding="utf-8")))
    commands = COMMAND.findall(text)
    faults = {command: fault(arguments(command)) for command in commands}
    assert {each: found for each, found in faults.items() if found} == {}


@pytest.mark.parametrize("words", ["tags x", "tag x --label y", "train", "train x y"])
def test_wrong_commands_are_found(words):
    assert fault(arguments(f"skgenre {words}  # a remark"))


def options_of(command):
    """Yield the options of a command and of those below."""
    for below in getattr(command, "commands", {}).values():
        yield from options_of(below)
    for parameter in command.params:
        yield from [*parameter.opts, *parameter.secondary_opts]


def test_options_in_the_text_exist():
    known = set(options_of(typer.main.get_command(app))) | OF_BENCHMARKS | {"--help"}
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"`(--[a-z][a-z-]+)", text)) <= known, page


def test_no_figure_is_still_to_come():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"\n\n[A-Z][A-Z0-9]+\n\n|\(X\n", text) == [], page


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


# All commands in one process, which imports libraries once.
RUN = """
import json, sys
from skgenre.cli import app
for words in json.loads(sys.argv[1]):
    assert not app(words, standalone_mode=False), words
    print(chr(0), flush=True)
"""


@pytest.fixture
def tagged_music(music_tracks, tmp_path):
    """Return a folder with the test music in my_music, with tags, some of them wrong.

    The right ones are in skgenre-labels.csv.
    """
    genres = sorted({genre for _, genre, _ in music_tracks})
    rows = [("path", "genre", "artist")]
    for i, (path, genre, artist) in enumerate(music_tracks):
        copy = tmp_path / "my_music" / genre / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        wrong = genres[(genres.index(genre) + 1) % len(genres)]
        tags = ID3()
        tags.add(TCON(text=wrong if i % WRONG_TAGS == 0 else genre))
        tags.add(TPE1(text=artist))
        tags.save(copy)
        rows.append((copy.relative_to(tmp_path), genre, artist))
    with open(tmp_path / "skgenre-labels.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    shutil.copy(music_tracks[0][0].parents[1] / "tracks.csv", tmp_path / "my_music")
    return tmp_path


@pytest.mark.slow
@needs_weights
def test_commands_print_what_is_shown(tagged_music):
    expected = [each for page in PAGES for each in with_output(page)]
    commands = list(dict.fromkeys(command for command, _ in expected))
    assert {command.split()[1] for command in commands} >= {"tag", "train"}
    settings = {"COLUMNS": "88", "SKGENRE_CACHE_DIR": str(tagged_music / "cache")}
    settings["PYTHONUNBUFFERED"] = "1"  # lines of both streams in their order
    every_one = json.dumps([arguments(command) for command in commands])
    done = subprocess.run(
        [sys.executable, "-c", RUN, every_one],
        cwd=tagged_music,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    *outputs, _ = done.stdout.split("\0\n")
    printed = dict(zip(commands, outputs, strict=True))
    for command, lines in expected:
        assert_shown(lines, printed[command].splitlines())
