"""Trained networks as functions of batches, the last few of them kept."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import joblib
from numpy.typing import NDArray

from skgenre.runtime._session import open_session

Network = Callable[[NDArray], dict[str, NDArray]]


def trained_network(graph: Callable[..., Any], *arguments: Any) -> Network:
    """Return a network as a function of a batch.

    Estimators of the same weights, copies for instance, share one, in any number of
    threads.

    Parameters
    ----------
    graph : callable
        Makes an ``onnx.ModelProto`` of the arguments; it has one input.
    *arguments : object
        Numbers, strings, arrays, and sequences and dicts of them.

    Returns
    -------
    callable
        ``batch -> {output: values}``.

    Raises
    ------
    ImportError
        If `onnx` or `onnxruntime` is not installed.
    ValueError
        If the arguments make no network that can be run.
    """
    # The threads of a session don't follow into a process that is forked from this.
    return _opened(_Recipe(graph, joblib.hash(arguments), os.getpid(), arguments))


@dataclass(frozen=True)
class _Recipe:
    graph: Callable[..., Any]
    digest: str
    process: int
    arguments: tuple[Any, ...] = field(compare=False)


@functools.lru_cache(maxsize=8)
def _opened(recipe: _Recipe) -> Network:
    model = recipe.graph(*recipe.arguments)
    try:
        session = open_session(model.SerializeToString())
    except ImportError:
        raise
    except Exception as error:  # ONNX Runtime's own types
        raise ValueError(
            f"The weights are not those of a {model.graph.name} network: {error}"
        ) from error
    (source,) = session.get_inputs()
    names = [output.name for output in session.get_outputs()]

    def run(batch: NDArray) -> dict[str, NDArray]:
        return dict(zip(names, session.run(names, {source.name: batch}), strict=True))

    return run
