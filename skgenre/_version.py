"""The version of skgenre, alone in a module so that building needs no import."""

__version__ = "0.2.0"
