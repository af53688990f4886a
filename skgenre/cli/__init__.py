"""The command line: ``skgenre demo | train | evaluate | predict | info``."""

from skgenre.cli._app import app

__all__ = ["app"]
