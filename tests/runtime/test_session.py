import os
import subprocess
import sys

import joblib
import numpy as np
import pytest

from skgenre.runtime._graph import Graph
from skgenre.runtime._session import open_session


def test_nothing_is_reported_to_anyone(tmp_path):
    """ONNX Runtime would write an identifier, and events to be sent."""
    pytest.importorskip("onnxruntime")
    program = """
from skgenre.runtime._graph import Graph
from skgenre.runtime._session import open_session

graph = Graph([])
graph.add("Identity", "x", output="y")
open_session(graph.model({"x": (1,)}, {"y": (1,)}, "it").SerializeToString())
"""
    # It reports nothing from continuous integration anyway.
    suppressed = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "ORT_DISABLE_TELEMETRY")
    environment = {k: v for k, v in os.environ.items() if k not in suppressed}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    assert list(tmp_path.iterdir()) == []


def test_a_session_keeps_no_memory_and_takes_the_cores_that_it_may_use():
    pytest.importorskip("onnxruntime")
    graph = Graph([])
    graph.add("Identity", "x", output="y")
    model = graph.model({"x": ("n", 3)}, {"y": ("n", 3)}, "identity")
    session = open_session(model.SerializeToString())
    options = session.get_session_options()
    assert not options.enable_cpu_mem_arena
    assert options.intra_op_num_threads == joblib.cpu_count()
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(session.run(["y"], {"x": values})[0], values)
