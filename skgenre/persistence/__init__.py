"""Persistence: a fitted estimator in one safe file, and back."""

from skgenre.persistence._files import ModelFileError, load, read_info, save
from skgenre.persistence._onnx import export_onnx

__all__ = ["ModelFileError", "export_onnx", "load", "read_info", "save"]
