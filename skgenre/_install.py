"""The packages of the full install that the small one, which only predicts, lacks."""

from importlib.util import find_spec

_FULL_ONLY = frozenset(
    "keras librosa matplotlib pandas pooch requests scikeras tensorflow".split()
)


def lacking(error: ImportError) -> str | None:
    """Return the package of the full install whose absence this is, or None."""
    package = str(error.name).partition(".")[0]
    return package if package in _FULL_ONLY else None


def missing(package: str) -> str:
    """Return the message that a package of the full install is not there."""
    instead = ""
    if package in ("keras", "tensorflow"):
        instead = "To predict without it: `skgenre.load(path, runtime='onnx')`. "
    return (
        f"This needs {package}, which the small install for predictions lacks. "
        f"{instead}Get the full one: `python -m pip install skgenre`."
    )


def require(*packages: str) -> None:
    """Refuse to go on without some packages of the full install.

    Raises
    ------
    ImportError
        If one is not installed.
    """
    for package in packages:
        if find_spec(package) is None:
            raise ImportError(missing(package), name=package)
