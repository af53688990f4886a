"""TensorFlow's greetings, kept from the standard error while it is imported."""

import contextlib
import os
import sys
from collections.abc import Iterator

from skgenre.audio._decoders._soundfile import quiet


@contextlib.contextmanager
def no_greetings() -> Iterator[None]:
    """Import TensorFlow inside the block without notes about the machine.

    The environment variable ``TF_CPP_MIN_LOG_LEVEL``, where it is not set, becomes 3,
    for worker processes, too: TensorFlow's errors are raised, and need no log. With 0,
    everything is shown.

    TensorFlow 2.21 writes some notes before it looks at that variable. They are kept
    back where `quiet` can do so, on Linux and macOS.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.nullcontext() if level == "0" else quiet:
        yield
