"""Results of benchmarks as JSON: one file each, all of a release in one folder.

A file is ``{"benchmark", "version", "machine", "rows"}``. A row is ``{"name", "value",
"unit", "target", "better", "command"}`` and, where there is something to compare with,
``"rival"``, its value in the same unit. Ratios have the unit "x": they alone mean the
same on every machine, and `report.py --check` compares them.
"""

import json
import os
import platform
import sys
from pathlib import Path

import skgenre

RATIO = "x"


def row(name, value, unit, *, better, target=None, rival=None, command=None):
    """Return one result.

    Parameters
    ----------
    name : str
        What was measured, and over what if it is a ratio.
    value : float
        What came out.
    unit : str
        Its unit; `RATIO` if it is a ratio.
    better : {'higher', 'lower'}
        Which values are better.
    target : float or None, default=None
        What is promised.
    rival : float or None, default=None
        The value of what it is compared with.
    command : str or None, default=None
        How to repeat it; by default, the command that runs now.
    """
    if better not in ("higher", "lower"):
        raise ValueError(f"better must be 'higher' or 'lower', got {better!r}.")
    result = {
        "name": name,
        "value": float(value),
        "unit": unit,
        "target": target,
        "better": better,
        "command": command or _this_command(),
    }
    return result if rival is None else result | {"rival": float(rival)}


def write_rows(name, rows, folder):
    """Write the rows of one benchmark to ``folder/name.json`` and return its path."""
    path = Path(folder) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "benchmark": name,
        "version": skgenre.__version__,
        "machine": _machine(),
        "rows": rows,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def read_rows(folder):
    """Return ``{benchmark: content}`` of all JSON files of a folder."""
    files = sorted(Path(folder).glob("*.json"))
    if not files:
        raise FileNotFoundError(f"There are no results (*.json) in {str(folder)!r}.")
    contents = [json.loads(file.read_text()) for file in files]
    return {content["benchmark"]: content for content in contents}


def _this_command():
    """Return the command without the folder of results, which changes nothing."""
    script, *arguments = sys.argv
    if "--results" in arguments:
        at = arguments.index("--results")
        del arguments[at : at + 2]
    return " ".join(["python", f"benchmarks/{Path(script).name}", *arguments])


def _machine():
    processor = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    except OSError:  # not Linux
        pass
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
