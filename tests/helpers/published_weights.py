"""The tests that need musicnn's published weights."""

from importlib.util import find_spec

import pytest

HAS_WEIGHTS = find_spec("musicnn") is not None

needs_weights = pytest.mark.skipif(
    not HAS_WEIGHTS,
    reason="no weights: python -m pip install --no-deps musicnn==0.1.0",
)
