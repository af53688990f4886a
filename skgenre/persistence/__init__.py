"""Fitted estimators to files, and back: `save`, `load`, `export_onnx`."""

from skgenre.persistence._files import ModelFileError, load, read_info, save
from skgenre.persistence._onnx import export_onnx

__all__ = ["ModelFileError", "export_onnx", "load", "read_info", "save"]
