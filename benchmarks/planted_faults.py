"""Do the quick tests see small faults? Plant some, one at a time, and run them.

::

    python benchmarks/planted_faults.py [--faults 60] [--seed 0] [--only PART]

A fault changes one place of one module, as a slip would: a comparison, a sign, a number
off by one, a negation, the axis, a branch that refuses, a call that is left out. The
places are drawn from all rooms, those of one room as often as those of another. First,
all quick tests run once, and it is noted which test runs which line; then each fault is
planted in a copy of the package, and the tests that run its line are run on it, those
of its module first. A fault is killed by a test that fails, or that doesn't end. At the
end the tests that killed run once more, without a fault: what fails then, too, has seen
none, and its faults count as survivors, as do those whose tests took too long together.

Faults that survive are printed with their place: some change nothing that anyone could
see, and are to be judged by a reader. Messages, docstrings and constants that only say
how much is done at a time are left alone.

It takes about a quarter of an hour, and as long for each sixty faults.
"""

import argparse
import ast
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TIMEOUT = 600  # seconds for the tests of one fault
MOST_TESTS = 400  # that are run on one fault

COMPARISONS = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
SIGNS = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "*"}
NAMES = {"min": "max", "max": "min", "argmax": "argmin", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Fault:
    """One change of the source, and where it is."""

    path: str
    line: int
    start: int
    stop: int
    before: str
    after: str

    def __str__(self) -> str:
        """Name the place and the change, in one line."""
        return f"{self.path}:{self.line}: {self.before!r} -> {self.after!r}"


def faults_of(path: Path) -> Iterator[Fault]:
    """Yield every fault that may be planted in a module."""
    source = path.read_text(encoding="utf-8")
    lines = source.encode().splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))

    def span(node: ast.AST) -> tuple[int, int]:
        return (
            offsets[node.lineno - 1] + node.col_offset,
            offsets[node.end_lineno - 1] + node.end_col_offset,
        )

    def fault(line: int, start: int, stop: int, after: str) -> Fault:
        before = source.encode()[start:stop].decode()
        name = path.relative_to(ROOT).as_posix()
        return Fault(name, line, start, stop, before, after)

    for node in inside_functions(ast.parse(source)):
        start, stop = span(node) if hasattr(node, "lineno") else (0, 0)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            between = span(node.left)[1], span(node.comparators[0])[0]
            after = f" {COMPARISONS[type(node.ops[0])]} "
            yield fault(node.lineno, *between, after)
        elif isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            between = span(node.left)[1], span(node.right)[0]
            text = source.encode()[slice(*between)].decode()
            is_text = isinstance(node.left, ast.Constant | ast.JoinedStr)
            if "(" not in text and ")" not in text and not is_text:
                yield fault(node.lineno, *between, f" {SIGNS[type(node.op)]} ")
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            yield fault(node.lineno, start, stop, str(node.value + 1))
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            yield fault(node.lineno, start, stop, str(not node.value))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield fault(node.lineno, start, span(node.operand)[0], "")
        elif isinstance(node, ast.BoolOp):
            between = span(node.values[0])[1], span(node.values[1])[0]
            text = source.encode()[slice(*between)].decode()
            other = " or " if isinstance(node.op, ast.And) else " and "
            if "(" not in text and ")" not in text:
                yield fault(node.lineno, *between, other)
        elif isinstance(node, ast.Call):
            function_name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if function_name in NAMES:
                end = span(node.func)[1]
                yield fault(
                    node.func.end_lineno or node.lineno,
                    end - len(function_name),
                    end,
                    NAMES[function_name],
                )
        elif isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
            yield fault(node.lineno, *span(node.test), "False")
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield fault(node.lineno, start, stop, "pass")


def inside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of functions, but for what only words messages and types."""
    skipped = (ast.Raise, ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)

    def walk(node: ast.AST, inside: bool) -> Iterator[ast.AST]:
        if isinstance(node, skipped):
            return
        if isinstance(node, ast.FunctionDef):
            for child in [*node.args.defaults, *node.args.kw_defaults, *node.body]:
                if child is not None:
                    yield from walk(child, True)
            return
        if isinstance(node, ast.AnnAssign):
            if node.value is not None and inside:
                yield from walk(node.value, inside)
            return
        words = {"warn", "print", "add_note", "field"}
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in words:
                return
        if inside:
            yield node
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(tree, False)


def room(path: str) -> str:
    """Return the room of a module; those at the root are one together."""
    return Path(path).parts[1] if path.count("/") > 1 else ""


def draw(n: int, seed: int, only: str) -> list[Fault]:
    """Draw faults, one room after the other."""
    of_rooms: dict[str, list[Fault]] = defaultdict(list)
    for path in sorted((ROOT / "skgenre").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if only in name and path.name != "__main__.py":
            of_rooms[room(name)] += faults_of(path)
    generator = random.Random(seed)
    for faults in of_rooms.values():
        generator.shuffle(faults)
    drawn: list[Fault] = []
    while len(drawn) < n and any(of_rooms.values()):
        drawn += [faults.pop() for faults in of_rooms.values() if faults]
        drawn = [fault for fault in drawn if can_be_read(fault)]
    return drawn[:n]


def with_fault(fault: Fault) -> bytes:
    """Return the source of a module with a fault in it."""
    source = (ROOT / fault.path).read_bytes()
    return source[: fault.start] + fault.after.encode() + source[fault.stop :]


def can_be_read(fault: Fault) -> bool:
    """Tell whether a module with a fault in it is Python still."""
    try:
        ast.parse(with_fault(fault))
    except SyntaxError:
        return False
    return True


def tests_of_lines(data: Path) -> dict[str, dict[int, list[str]]]:
    """Run the quick tests; return which of them run each line of each module."""
    if not data.exists():
        command = [sys.executable, "-m", "pytest", "-q", "--cov=skgenre"]
        command += ["--cov-context=test", "--cov-report="]
        print("Running all quick tests once ...", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            copy_project(Path(folder))
            run(command, Path(folder), 3600, {"COVERAGE_FILE": str(data)})
    from coverage import CoverageData

    covered = CoverageData(str(data))
    covered.read()
    found: dict[str, dict[int, list[str]]] = {}
    for file in covered.measured_files():
        name = "skgenre" + file.replace("\\", "/").rpartition("/skgenre")[2]
        by_line = covered.contexts_by_lineno(file)
        found[name] = {
            line: [context.rpartition("|")[0] for context in contexts if context]
            for line, contexts in by_line.items()
        }
    return found


def copy_project(folder: Path) -> None:
    """Copy what tests read."""
    left_out = shutil.ignore_patterns(".git", "*cache*__", ".*_cache", "_build")
    shutil.copytree(ROOT, folder, ignore=left_out, dirs_exist_ok=True)


def run(
    command: list[str],
    folder: Path,
    timeout: float,
    environment: dict[str, str] | None = None,
) -> list[str] | None:
    """Run tests; return those that failed, or None where they took too long."""
    try:
        output = subprocess.run(
            [*command, "-rfE", "-p", "no:cacheprovider"],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(folder),
                "PYTHONDONTWRITEBYTECODE": "1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return None
    failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output.stdout, re.M)
    if output.returncode and not failed:  # the interpreter ended, or nothing ran
        failed = [f"status {output.returncode}"]
    return failed


def killer(fault: Fault, tests: list[str]) -> str | None:
    """Plant a fault in a copy; return the test that fails, or None if none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        (Path(folder) / fault.path).write_bytes(with_fault(fault))
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0"]
        failed = run([*command, "--timeout=120", *tests], Path(folder), TIMEOUT)
        return failed[0] if failed else None


def fail_without_fault(tests: set[str]) -> set[str]:
    """Run tests on a copy without a fault; return those that fail."""
    known = sorted(test for test in tests if "::" in test)
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0"]
        return (
            set(run([*command, *known], Path(folder), 3600) or []) if known else set()
        )


def chosen_tests(fault: Fault, of_lines: dict[str, dict[int, list[str]]]) -> list[str]:
    """Return the tests that run a fault's line, those of its module first.

    Defaults are read by the import, and by no test: then it is the tests that run any
    line of the module, and those that compare defaults with the documentation.
    """
    lines = of_lines.get(fault.path, {})
    tests = set(lines.get(fault.line, []))
    first = []
    if not tests:
        tests = set(itertools.chain.from_iterable(lines.values()))
        first = ["tests/test_docstrings.py"]
    name = "test" + Path(fault.path).stem + ".py"
    shuffled = random.Random(0).sample(sorted(tests), len(tests))
    own_first = sorted(shuffled, key=lambda test: name not in test)
    return (first + own_first)[:MOST_TESTS]


def main() -> None:
    """Plant faults; print those that survive, and the share that was killed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faults", type=int, default=60, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="part of the modules' paths")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--coverage", type=Path, help="keep which test runs which line")
    parser.add_argument("--output", type=Path, help="JSON file of what came of each")
    arguments = parser.parse_args()
    faults = draw(arguments.faults, arguments.seed, arguments.only)
    with tempfile.TemporaryDirectory() as folder:
        data = arguments.coverage or Path(folder) / "coverage"
        of_lines = tests_of_lines(data)

    def judge(fault: Fault) -> str | None:
        return killer(fault, chosen_tests(fault, of_lines))

    results = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for fault, test in zip(faults, pool.map(judge, faults), strict=True):
            print(f"{fault}\n    {test or 'SURVIVED'}", flush=True)
            results.append({"fault": str(fault), "killer": test})
    untrue = fail_without_fault({each["killer"] for each in results if each["killer"]})
    for each in results:
        if each["killer"] in untrue:
            print(f"{each['fault']}\n    SURVIVED: {each['killer']} fails without it")
            each["killer"] = None
    n_killed = sum(each["killer"] is not None for each in results)
    print(
        f"{n_killed} of {len(results)} faults killed ({n_killed / len(results):.0%})."
    )
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
