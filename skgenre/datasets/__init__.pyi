from ._audio_files import find_audio_files
from ._audit import audit
from ._check_audio import check_audio
from ._elsewhere._hugging_face import from_hugging_face
from ._elsewhere._mirdata import from_mirdata
from ._fma._fetch_fma import fetch_fma
from ._fma._load_fma import load_fma
from ._fma._tables import load_fma_features
from ._genres._tree import GenreTree
from ._library._load_library import load_music_library
from ._load_folder import load_audio_folder
from ._load_gtzan import load_gtzan
from ._synthetic._make_clips import make_genre_clips

__all__ = [
    "GenreTree",
    "audit",
    "check_audio",
    "fetch_fma",
    "find_audio_files",
    "from_hugging_face",
    "from_mirdata",
    "load_audio_folder",
    "load_fma",
    "load_fma_features",
    "load_gtzan",
    "load_music_library",
    "make_genre_clips",
]
