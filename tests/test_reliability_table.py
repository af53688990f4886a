"""The tests that the documentation names are there."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reliability.rst"


def defined(module):
    """Return the names of a test module's functions and classes."""
    tree = ast.parse((TESTS / module).read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_case_names_a_test_that_is_there():
    text = PAGE.read_text(encoding="utf-8")
    rows = re.split(r"^   \* - ", text, flags=re.M)[1:]
    cases = [row for row in rows if not row.startswith("case\n")]
    assert len(cases) > 30
    for case in cases:
        named = case[case.rindex("\n     - ") :].split("\n\n")[0]
        tests = re.findall(r"``(?:([\w/]+\.py)::)?(\w+)``", named)
        assert tests and tests[0][0], case
        for module, name in tests:
            if module:
                known = defined(module)
            assert name in known, f"{name} in {case}"
