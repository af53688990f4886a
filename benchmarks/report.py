"""Results of a release as tables of the documentation, or held against another's.

    python benchmarks/report.py benchmarks/results/0.1 --output docs
    python benchmarks/report.py --check benchmarks/results/0.1 benchmarks/results/0.2

The first prints the tables, or writes those of the pages on performance, reliability
and inference to the folder of the documentation. The second fails if a ratio of the
older results has gone, or has become worse by more than ``--tolerance`` of it; seconds
and bytes, which belong to a machine, are not compared.
"""

import argparse
import sys
from pathlib import Path

from _results import RATIO, read_rows

RELIABILITY = {"fuzz_audio", "interruptions", "load", "services"}
"""Benchmarks that tell what is withstood, and not how fast something is."""
LATENCY = "clips a second", "median latency", "95th percentile of latency", "memory"
"""What of `load.py` is shown for each number of threads."""


def tables(results):
    """Return the tables by their files in the folder of the documentation."""
    parts = {"performance/figures.inc": {}, "reliability_figures.inc": {}}
    performance, reliability = parts.values()
    for name, content in results.items():
        if name != "latency":
            (reliability if name in RELIABILITY else performance)[name] = content
    shown = {file: table(part) for file, part in parts.items() if part}
    return shown | {"user_guide/latency.inc": latency_table(results.get("latency"))}


def table(results):
    """Return a list-table in reStructuredText."""
    lines = [
        ".. list-table::",
        "   :header-rows: 1",
        "   :widths: 34 12 12 12 30",
        "",
        *_cells("What", "Rival", "Target", "Reached", "Command"),
    ]
    for content in results.values():
        for row in content["rows"]:
            sign = "≥" if row["better"] == "higher" else "≤"
            target = row["target"]
            lines += _cells(
                row["name"],
                _number(row.get("rival"), row["unit"]),
                f"{sign} {_number(target, row['unit'])}" if target is not None else "",
                _number(row["value"], row["unit"]),
                f"``{row['command']}``",
            )
    machines = {_machine_text(content) for content in results.values()}
    return "\n".join(
        [*lines, "", "Measured on " + "; ".join(sorted(machines)) + ".", ""]
    )


def latency_table(content):
    """Return a list-table with a line for each number of threads of `load.py`."""
    if content is None:
        return "This release has no table of measured times.\n"
    lines = {}
    for row in content["rows"]:
        measure, *model, threads, _seconds = row["name"].split(", ")
        text = _number(row["value"], row["unit"])
        lines.setdefault((", ".join(model), threads), {})[measure] = text
    return "\n".join(
        [
            ".. list-table::",
            "   :header-rows: 1",
            "",
            *_cells("Model, runtime", "Threads", *map(str.capitalize, LATENCY)),
            *(
                cell
                for (model, threads), found in lines.items()
                for cell in _cells(
                    model, threads.split()[0], *(found[each] for each in LATENCY)
                )
            ),
            "",
            f"Measured on {_machine_text(content)}.",
            "",
        ]
    )


def regressions(old, new, tolerance):
    """Return a sentence for each ratio that is worse in `new` than in `old`."""
    before, after = _ratios(old), _ratios(new)
    found = []
    for key, row in before.items():
        name = ": ".join(key)
        if key not in after:
            found.append(f"{name}: measured before, and now no more.")
            continue
        value = after[key]["value"]
        factor = 1 - tolerance if row["better"] == "higher" else 1 + tolerance
        limit = row["value"] * factor
        if (value < limit) if row["better"] == "higher" else (value > limit):
            found.append(f"{name}: {value:.3g}, before {row['value']:.3g}.")
    return found


def _ratios(results):
    return {
        (benchmark, row["name"]): row
        for benchmark, content in results.items()
        for row in content["rows"]
        if row["unit"] == RATIO
    }


def _cells(*cells):
    starts = ["   * - ", *["     - "] * (len(cells) - 1)]
    return [
        f"{start}{cell}".rstrip() for start, cell in zip(starts, cells, strict=True)
    ]


def _number(value, unit):
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} ×" if unit == RATIO else f"{text} {unit}"


def _machine_text(content):
    machine = content["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, Python "
        f"{machine['python']}, skgenre {content['version']}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", nargs="?", help="folder of one release's results")
    parser.add_argument("--output", help="folder of the documentation to write to")
    parser.add_argument("--check", nargs=2, metavar=("OLD", "NEW"))
    parser.add_argument("--tolerance", type=float, default=0.15)
    options = parser.parse_args()
    if bool(options.check) == bool(options.results):
        parser.error("name a folder of results, or two with --check")
    if options.check:
        old, new = map(read_rows, options.check)
        found = regressions(old, new, options.tolerance)
        print("\n".join(found) or f"{len(_ratios(old))} ratios, none worse.")
        sys.exit(bool(found))
    for file, text in tables(read_rows(options.results)).items():
        if options.output:
            Path(options.output, file).write_text(text)
        else:
            print(text)


if __name__ == "__main__":
    main()
