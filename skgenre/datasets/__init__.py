"""Data sets: names in; paths or waveforms, genres and artists out."""

from skgenre.datasets._audio_files import find_audio_files
from skgenre.datasets._audit import audit
from skgenre.datasets._check_audio import check_audio
from skgenre.datasets._fma_tables import load_fma_features
from skgenre.datasets._load_fma import load_fma
from skgenre.datasets._load_folder import load_audio_folder
from skgenre.datasets._load_gtzan import load_gtzan
from skgenre.datasets._make_clips import make_genre_clips

__all__ = [
    "audit",
    "check_audio",
    "find_audio_files",
    "load_audio_folder",
    "load_fma",
    "load_fma_features",
    "load_gtzan",
    "make_genre_clips",
]
