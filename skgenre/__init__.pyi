from . import (
    audio,
    classifiers,
    clustering,
    datasets,
    features,
    inspection,
    networks,
    persistence,
    pipelines,
)
from ._version import __version__
from .audio import AudioError, Waveform, load_audio
from .classifiers import (
    AbstainingClassifier,
    CRNNClassifier,
    GenreTagger,
    KerasGenreClassifier,
    MissingClipClassifier,
    MultiLabelClassifier,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
)
from .clustering import EmbeddingKMeans, TrackRecommender
from .features import (
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
    SpectrogramFile,
    fetch_weights,
)
from .persistence import ModelFileError, export_onnx, load, save
from .pipelines import genre_pipeline

__all__ = [
    "AbstainingClassifier",
    "AudioError",
    "CRNNClassifier",
    "EmbeddingKMeans",
    "GenreTagger",
    "KerasEmbedding",
    "KerasGenreClassifier",
    "MFCCStandardizer",
    "MelSpectrogramTransformer",
    "MissingClipClassifier",
    "ModelFileError",
    "MultiLabelClassifier",
    "MusicnnEmbedding",
    "ParallelCNNRNNClassifier",
    "SecondOrderClassifier",
    "SegmentClassifier",
    "SpectrogramFile",
    "TrackRecommender",
    "Waveform",
    "__version__",
    "audio",
    "classifiers",
    "clustering",
    "datasets",
    "export_onnx",
    "features",
    "fetch_weights",
    "genre_pipeline",
    "inspection",
    "load",
    "load_audio",
    "networks",
    "persistence",
    "pipelines",
    "save",
]
