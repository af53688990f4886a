import joblib
import numpy as np
import pytest

from skgenre.runtime._graph import Graph
from skgenre.runtime._session import open_session


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
