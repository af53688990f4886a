"""musicnn's weights in the installed `musicnn` wheel, and its network without Keras."""

import importlib.util
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from skgenre.features._pretrained._tf_checkpoint import read_checkpoint
from skgenre.runtime._musicnn import musicnn_graph
from skgenre.runtime._trained import Network, trained_network


def weights_folder(weights: str) -> Path:
    """Return where the installed wheel keeps its weights; its code is not imported.

    Parameters
    ----------
    weights : {'msd', 'mtt'}
        The music that they were trained on.

    Raises
    ------
    ImportError
        If the wheel is not installed.
    """
    spec = importlib.util.find_spec("musicnn")
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location) / f"{weights.upper()}_musicnn"
        if (folder / ".index").is_file():
            return folder
    raise ImportError(
        "MusicnnEmbedding needs the weights in the musicnn package, which is not "
        "installed. Install it without what it asks for, as only its files are read: "
        "`python -m pip install --no-deps musicnn==0.1.0`."
    )


def musicnn_variables(weights: str) -> dict[str, NDArray]:
    """Return what the network has learned, by the names of the published checkpoint."""
    # Its files have no base name.
    return read_checkpoint(f"{weights_folder(weights)}/")


def load_musicnn_onnx(weights: str) -> Network:
    """Return the trained network as a function of a batch, run by ONNX Runtime."""
    return trained_network(_graph, weights)


def _graph(weights: str) -> Any:
    return musicnn_graph(musicnn_variables(weights))
