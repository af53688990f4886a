"""The command line: ``skgenre demo | train | predict | similar | info``."""

from skgenre.cli._app import app

__all__ = ["app"]
