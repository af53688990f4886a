"""The commands that say what a model is: as JSON, and as a card for people."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from skgenre._text import format_list, printable, shorten
from skgenre.cli._console import fail, print_json
from skgenre.cli._options import Output

_Model = Annotated[Path, typer.Argument(help="Model file.")]
_SCORES = {
    "accuracy": "Accuracy",
    "ranking_precision": "Label-ranking average precision",
}
_OF_GENRES = {"precision": "Precision", "recall": "Recall", "f1": "F1 score"}
_SOURCES = {"folders": "sub-folders or a CSV"}
_FEW_ARTISTS = 50
_TOO_LARGE = 1e6  # for a score, which a stranger may have written


def info(model: _Model) -> None:
    """Show a model's genres, scores and training data as JSON."""
    from skgenre.persistence import read_info

    try:
        facts = read_info(model)
    except (OSError, ValueError) as error:
        raise fail(error) from None
    print_json(facts)


def card(model: _Model, output: Output = None) -> None:
    """Write a model card in Markdown: data, scores, recipe, limits and licences.

    It has what `info` shows, in words. Add what only you know, such as the licence of
    the music.
    """
    from skgenre.cli._output import check_output, results_to
    from skgenre.persistence import read_info

    try:
        check_output(output, [model])
        text = model_card(read_info(model), model.name)
        with results_to(output) as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        raise fail(error) from None


def model_card(facts: Mapping[str, Any], name: str) -> str:
    """Return a model card.

    Parameters
    ----------
    facts : mapping
        Those of `skgenre.persistence.read_info`, which may come from a stranger's file.
    name : str
        Name of the file.

    Returns
    -------
    str
        Markdown.
    """
    training = facts.get("training") or {}
    metrics = facts.get("metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    sections = {
        f"# Model card of {_text(name)}": _summary(facts, training, name),
        "## Data": _data(training),
        "## Scores": _scores(metrics),
        "## Recipe": _recipe(facts, training),
        "## Limits": _limits(facts, metrics),
        "## Licences": _licences(facts),
    }
    blocks: list[str] = []
    for heading, section in sections.items():
        if written := [*filter(None, section)]:
            blocks += [heading, *written]
    return "\n\n".join(blocks) + "\n"


def _text(value: Any) -> str:
    """Return text without marks of Markdown or HTML, on one line."""
    text = re.sub(r"([\\`*_\[\]<>|~&$#])", r"\\\1", printable(str(value).strip()))
    # At the beginning of a line, also those of lists and of headings over a rule.
    return re.sub(r"^(\d+(?=[.)]\s))?([-+=.)])", r"\1\\\2", text)


def _names(value: Any) -> str:
    return format_list(map(_text, value), limit=50) if isinstance(value, list) else ""


def _table(headings: list[str], rows: Iterator[list[str]]) -> str:
    lines = [headings, ["---"] + ["---:"] * (len(headings) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _score(scores: Mapping[str, Any], name: str) -> str:
    """Return a score and its interval, as far as they are known."""
    score, limits = scores.get(name), scores.get(f"{name}_interval")
    if not isinstance(score, int | float) or not abs(score) < _TOO_LARGE:
        return "·"
    match limits:
        case [int() | float() as low, int() | float() as high] if (
            -_TOO_LARGE < low < high < _TOO_LARGE
        ):
            return f"{score:.2f} ({low:.2f}–{high:.2f})"
    return f"{score:.2f}"


def _summary(
    facts: Mapping[str, Any], training: Mapping[str, Any], name: str
) -> Iterator[str]:
    genres = facts.get("genres")
    if isinstance(genres, list):
        yield f"Predicts which of {len(genres)} genres a song has: {_names(genres)}."
    else:
        yield f"A {_text(facts.get('estimator'))} for music, without genres."
    if note := training.get("note"):
        yield "\n".join(f"> {_text(line)}" for line in note.splitlines())
    if isinstance(genres, list):
        yield "\n".join(
            (
                "```sh",
                "pip install skgenre",
                f"skgenre predict {shlex.quote(printable(name))} song.mp3",
                "```",
            )
        )


def _data(training: Mapping[str, Any]) -> Iterator[str]:
    counts = training.get("genres")
    if not counts:
        yield "The file does not say what it was trained on."
        return
    n_artists = training.get("n_artists")
    source = training.get("labels", "an unknown source")
    yield (
        f"{training.get('n_clips', sum(counts.values()))} clips by "
        + ("unknown artists" if n_artists is None else f"{n_artists} artists")
        + f"; genres from {_SOURCES.get(source, _text(source))}."
    )
    rows = ([_text(genre), str(n)] for genre, n in counts.items())
    yield _table(["Genre", "Clips"], rows)
    if digest := training.get("digest"):
        yield (
            f"Digest of their names, sizes, genres and artists: {_text(digest)}. "
            "Models with the same digest learnt from the same data."
        )


def _scores(metrics: Mapping[str, Any]) -> Iterator[str]:
    if not metrics:
        yield (
            "The file has none: the model was not evaluated, or not by `skgenre "
            "train`. Run `skgenre evaluate` on music that it was not trained on."
        )
        return
    for name, title in _SCORES.items():
        if name in metrics:
            yield f"**{title}: {_score(metrics, name)}**"
    of = [
        f"{metrics[key]} {what}"
        for key, what in (("n_clips", "clips"), ("n_artists", "artists"))
        if isinstance(metrics.get(key), int)
    ]
    protocol = metrics.get("protocol")
    if of or protocol:
        yield (
            f"Measured on {' by '.join(of)}: {_text(protocol or 'unknown ones')}. "
            "In brackets are 95 % intervals."
        )
    genres = metrics.get("genres")
    if isinstance(genres, dict):
        rows = (
            [_text(genre), *(_score(each, name) for name in _OF_GENRES)]
            + [_text(each.get("n_clips", "·"))]
            for genre, each in genres.items()
            if isinstance(each, dict)
        )
        yield _table(["Genre", *_OF_GENRES.values(), "Clips"], rows)
    known = {*_SCORES, *(f"{name}_interval" for name in _SCORES)}
    known |= {"n_clips", "n_artists", "protocol", "genres"}
    yield "\n".join(
        f"- {_text(name)}: {_text(shorten(json.dumps(value)))}"
        for name, value in metrics.items()
        if name not in known
    )


def _recipe(facts: Mapping[str, Any], training: Mapping[str, Any]) -> Iterator[str]:
    packages = facts.get("packages")
    packages = packages if isinstance(packages, dict) else {}
    window, rate = facts.get("window"), facts.get("sample_rate")
    lines = {
        "Recipe": training.get("recipe"),
        "Estimator": facts.get("estimator"),
        "Seconds of a clip that are heard": "all"
        if rate and window is None
        else window,
        "Sample rate": f"{rate} Hz" if rate else None,
        "Seed": training.get("seed"),
        "Saved": facts.get("saved"),
        "Made with": ", ".join(f"{name} {each}" for name, each in packages.items()),
    }
    if isinstance(window, float):
        lines["Seconds of a clip that are heard"] = f"{window:.1f}"
    yield "\n".join(
        f"- {name}: {_text(value)}"
        for name, value in lines.items()
        if value not in (None, "")
    )


def _limits(facts: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterator[str]:
    lines = []
    if isinstance(facts.get("genres"), list):
        lines += [
            "It knows no other genres, and may take music of others for one of these.",
            "Its scores hold for music like that of its evaluation. Music of other "
            "times, countries and recordings is usually recognised less often.",
            "Genres are opinions: other people would have labelled some clips "
            "otherwise.",
        ]
    n_artists = metrics.get("n_artists")
    if metrics and n_artists is None:
        lines.append(
            "Artists were not known in the evaluation. If it heard artists that it was "
            "trained on, the scores are too good."
        )
    elif isinstance(n_artists, int) and n_artists < _FEW_ARTISTS:
        lines.append(f"{n_artists} artists are few: see the width of the intervals.")
    yield "\n".join(f"- {line}" for line in lines)


def _licences(facts: Mapping[str, Any]) -> Iterator[str]:
    lines = ["skgenre: BSD-3-Clause."]
    if weights := _names(facts.get("weights")):
        lines.append(
            f"Pretrained weights that it needs, which are not in its file: {weights}; "
            "ISC. `skgenre weights` gets them."
        )
    lines.append("Music that it was trained on, and this file: not known; add them.")
    yield "\n".join(f"- {line}" for line in lines)
