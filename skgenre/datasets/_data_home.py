"""Where data sets lie."""

import os

VARIABLE = "SKGENRE_DATA"
"""Environment variable that names the folder."""

_DEFAULT = os.path.join("~", "skgenre_data")


def data_home_folder(data_home: str | os.PathLike[str] | None) -> str:
    """Return the folder of the data sets, which need not exist.

    Parameters
    ----------
    data_home : str, os.PathLike or None
        The folder. None takes the one that the environment variable ``SKGENRE_DATA``
        names or, without it, ``~/skgenre_data``.

    Returns
    -------
    str
        Its path; ``~`` at the beginning is the user's home.
    """
    if data_home is None:
        data_home = os.environ.get(VARIABLE) or _DEFAULT
    return os.path.expanduser(os.fspath(data_home))
