import re
import runpy
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from skgenre.cli import app

ROOT = Path(__file__).parents[2]
GROUP = typer.main.get_command(app)


def all_commands(names=(), group=GROUP):
    """Return each command by its name, such as 'cache info'."""
    found = {}
    for name, command in group.commands.items():
        inner = (*names, name)
        is_group = hasattr(command, "commands")
        found |= (
            all_commands(inner, command) if is_group else {" ".join(inner): command}
        )
    return found


COMMANDS = all_commands()


def show(*arguments):
    # Wide enough for any line, and without styles.
    settings = {"COLUMNS": "300", "TERM": "dumb", "NO_COLOR": "1"}
    result = CliRunner().invoke(app, [*arguments, "--help"], env=settings)
    assert result.exit_code == 0
    return result.output


def test_commands_are_in_groups():
    page = show()
    groups = re.findall(r"─ ([A-Z][\w ]+) ─", page)
    assert groups == [
        "Options",
        "Without labels",
        "With labels",
        "Files",
        "This program",
    ]
    for name in GROUP.commands:
        assert f"│ {name} " in page


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_in_words(name):
    page = show(*name.split())
    for parameter in COMMANDS[name].params:
        assert parameter.help, parameter.name
    # Nothing like <int range> or <list[Path]>.
    assert not re.findall(r"<[a-zA-Z][^>]*>|Path|\bint\b|\bbool\b|\bNone\b", page)


def test_words_of_types():
    page = show("similar")
    for line in (
        r"SONGS +FILE… +Audio files",
        r"--among +FOLDER +Folder",
        r"--less-like +FILE +Song",
        r"-k +N \[x>=1\] +Number",
        r"--index +FILE +File",
        r"--other-artists +--same-artist +Leave out",
        r"--format +table\|csv\|json\|m3u +Form",
        r"--cache-dir +FOLDER +Folder",
        r"--help +Show",
    ):
        assert re.search(line, page), line
    assert re.search(r"\{MODEL\} \[MUSIC\]\.\.\.", show("predict"))


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_can_be_run(name):
    title, *lines = COMMANDS[name].epilog.split("\n\n")
    assert lines and title == ("Example:" if len(lines) == 1 else "Examples:")
    for line in lines:
        assert line in show(*name.split()) and len(line) <= 78
        words = shlex.split(line.rpartition("| ")[2])
        assert words[: len(name.split()) + 1] == ["skgenre", *name.split()]
        arguments = words[len(name.split()) + 1 :]
        COMMANDS[name].make_context(name, arguments)  # refuses what it doesn't know


def test_the_manual_page_is_that_of_the_commands():
    """Write it anew by ``python docs/man_page.py``."""
    made = runpy.run_path(str(ROOT / "docs" / "man_page.py"))["man_page"]()
    assert (ROOT / "docs" / "skgenre.1").read_text(encoding="utf-8") == made
    for name, command in COMMANDS.items():
        text = made.partition(f".SS skgenre {name}".replace("-", "\\-"))[2]
        text = text.partition("\n.SS")[0].replace("\\-", "-")
        for parameter in command.params:
            word = parameter.metavar or parameter.name.upper()  # until help is shown
            for option in parameter.opts:
                assert option in text or word in text
