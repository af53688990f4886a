from ._clip import Clip, Waveform
from ._errors import AudioError
from ._load import load_audio
from ._map_clips import map_clips

__all__ = ["AudioError", "Clip", "Waveform", "load_audio", "map_clips"]
