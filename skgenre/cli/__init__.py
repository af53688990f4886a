"""The command line: ``skgenre demo | train | evaluate | predict | similar | info | cache``."""

from skgenre.cli._app import app

__all__ = ["app"]
