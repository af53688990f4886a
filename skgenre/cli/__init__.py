"""The command line ``skgenre``: train, predict and more; see `skgenre --help`."""

from skgenre.cli._app import app

__all__ = ["app"]
