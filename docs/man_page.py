"""Writes skgenre.1, the manual page, from the help of the commands.

python docs/man_page.py
"""

import re
from enum import Enum
from pathlib import Path

import typer

from skgenre import __version__
from skgenre.cli import app

PAGE = Path(__file__).with_name("skgenre.1")


def roff(text):
    """Return text as roff has it, on one line."""
    text = " ".join(text.split()).replace("`", "").replace("…", "...")
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(['.])", r"\\&\1", text)


def default_of(parameter):
    """Return what a parameter is when it is not given, or an empty text."""
    shown, value = parameter.show_default, parameter.default
    if isinstance(shown, str):
        return shown
    if not shown or value is None or isinstance(value, bool) or callable(value):
        return ""
    return str(value.value if isinstance(value, Enum) else value)


def entry(parameter):
    """Return the lines on an argument or an option."""
    names = [*parameter.opts, *parameter.secondary_opts]
    if parameter.param_type_name == "argument":
        head = f"\\fI{roff(parameter.metavar)}\\fR"
    else:
        word = f" \\fI{roff(parameter.metavar)}\\fR" if parameter.metavar else ""
        head = ", ".join(f"\\fB{roff(name)}\\fR" for name in names) + word
    default = default_of(parameter)
    more = f" Default: {default}." if default else ""
    return [".TP", head, roff((parameter.help or "") + more)]


def section(names, command, context):
    """Return the lines on a command, or on those of a group."""
    if hasattr(command, "commands"):
        return [
            line
            for name, each in command.commands.items()
            for line in section([*names, name], each, context)
        ]
    parameters = command.get_params(context)
    usage = " ".join(
        (each.metavar if each.required else f"[{each.metavar}]")
        + "..." * (each.nargs != 1)
        for each in parameters
        if each.param_type_name == "argument"
    )
    lines = [f".SS {roff(' '.join(names))}"]
    lines += [f"\\fB{roff(' '.join(names))}\\fR [options] {roff(usage)}".rstrip()]
    for paragraph in command.help.split("\n\n"):
        lines += [".PP", roff(paragraph)]
    for parameter in parameters:
        if parameter.name != "help":
            lines += entry(parameter)
    _, *examples = command.epilog.split("\n\n")
    lines += [".PP", "For example:", ".PP", ".nf", ".RS"]
    return [*lines, *map(roff, examples), ".RE", ".fi"]


def man_page():
    """Return the page."""
    group = typer.main.get_command(app)
    context = group.make_context("skgenre", [], resilient_parsing=True)
    lines = [
        f'.TH SKGENRE 1 "" "skgenre {__version__}"',
        ".SH NAME",
        "skgenre \\- music genre recognition: audio files in, genres out",
        ".SH SYNOPSIS",
        "\\fBskgenre\\fR \\fICOMMAND\\fR [options] [arguments]",
        ".SH DESCRIPTION",
        "Predicts genres of sound files by pretrained tags or by a model that was",
        "trained on your own labels, finds songs that sound alike, and mends tags.",
        "\\fBskgenre\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR shows this of one command.",
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():
        lines += section(["skgenre", name], command, context)
    lines += [
        ".SH ENVIRONMENT",
        ".TP",
        "SKGENRE_CACHE_DIR",
        "Folder in which results are kept, or off.",
        ".TP",
        "SKGENRE_DATA",
        "Folder of the pretrained weights and of data sets that are downloaded.",
        ".SH EXIT STATUS",
        "0 if all went well, 1 after an error, or if files could not be read, 2 if the",
        "command was misspelt, 128 plus the number of a signal that has ended it.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(man_page(), encoding="utf-8")
