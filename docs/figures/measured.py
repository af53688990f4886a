"""What the benchmarks have measured of the last release."""

import json
from pathlib import Path

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def measured(benchmark):
    """Return the values of a benchmark by their names."""
    last = max(RESULTS.iterdir(), key=lambda each: [*map(int, each.name.split("."))])
    rows = json.loads((last / f"{benchmark}.json").read_text(encoding="utf-8"))["rows"]
    return {row["name"]: row["value"] for row in rows}
