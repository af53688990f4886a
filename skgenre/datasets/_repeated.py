"""Files that are there more than once."""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from skgenre._files import digest


def repeated_files(paths: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find files that hold the same bytes as an earlier one.

    Only those of one size are read.

    Parameters
    ----------
    paths : sequence of str
        Files, which are there.

    Yields
    ------
    first, copy : int
        Places in `paths`, in the order of `copy`.
    """
    sizes = [os.path.getsize(path) for path in paths]
    of_size: defaultdict[int, int] = defaultdict(int)
    for size in sizes:
        of_size[size] += 1
    first: dict[str, int] = {}
    for i, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        if of_size[size] > 1:
            found = first.setdefault(digest(Path(path)), i)
            if found != i:
                yield found, i
