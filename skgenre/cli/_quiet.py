"""TensorFlow's greetings, kept out of the results."""

import os
import sys
from typing import Any

from skgenre._estimators import parts


def import_networks_quietly(model: Any) -> None:
    """Import TensorFlow if the model has a network for it, without what it prints.

    Its C++ code writes notes about the machine to the standard error while it is being
    imported, before its log is set up. In TensorFlow 2.21 no environment variable
    silences them (TF_CPP_MIN_LOG_LEVEL, TF_ENABLE_ONEDNN_OPTS, CUDA_VISIBLE_DEVICES and
    those of absl and glog were tried), so the descriptor itself leads nowhere
    meanwhile. Errors are raised as ever.
    """
    if not any(getattr(part, "_runtime", None) == "keras" for part in parts(model)):
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import skgenre.networks  # noqa: F401
    finally:
        os.dup2(kept, 2)
        os.close(kept)
