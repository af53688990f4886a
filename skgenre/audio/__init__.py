"""Sound file to waveform: decoding, mixing down, resampling."""

from skgenre.audio._errors import AudioError
from skgenre.audio._load import load_audio

__all__ = ["AudioError", "load_audio"]
