from . import audio, classifiers, clustering, datasets, features, inspection, networks
from ._version import __version__
from .audio import AudioError, load_audio
from .classifiers import CRNNClassifier, ParallelCNNRNNClassifier
from .clustering import EmbeddingKMeans
from .features import MelSpectrogramTransformer, MFCCStandardizer

__all__ = [
    "AudioError",
    "CRNNClassifier",
    "EmbeddingKMeans",
    "MFCCStandardizer",
    "MelSpectrogramTransformer",
    "ParallelCNNRNNClassifier",
    "__version__",
    "audio",
    "classifiers",
    "clustering",
    "datasets",
    "features",
    "inspection",
    "load_audio",
    "networks",
]
