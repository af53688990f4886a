from ._errors import AudioError
from ._load import Clip, load_audio
from ._map_clips import map_clips

__all__ = ["AudioError", "Clip", "load_audio", "map_clips"]
