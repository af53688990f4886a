"""The command line ``skgenre``: train, predict and more, as `skgenre --help` tells."""

from skgenre.cli._app import app

__all__ = ["app"]
