"""Sound file to waveform: decoding, mixing down, resampling."""

from skgenre.audio._errors import AudioError
from skgenre.audio._load import Clip, load_audio
from skgenre.audio._map import map_clips

__all__ = ["AudioError", "Clip", "load_audio", "map_clips"]
