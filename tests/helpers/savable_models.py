"""A small model of each class that a model file may hold."""

import functools

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import skgenre
from skgenre.persistence._classes import CLASSES, find_class

_rng = np.random.default_rng(0)
TABLE = _rng.normal(size=(48, 5))
SPECTROGRAMS = _rng.normal(size=(48, 6, 4)).astype(np.float32)
WAVEFORMS = _rng.normal(size=(48, 3000))
THREE, TWO = np.arange(48) % 3, np.arange(48) % 2
LABELS = {
    "texts": np.array(["folk", "jazz", "rock"])[THREE],
    "two texts": np.array(["folk", "jazz"])[TWO],
    "objects": np.array(["folk", "jazz", "rock"], dtype=object)[THREE],
    "integers": THREE + 7,
    "booleans": TWO == 1,
}

_NETWORK = {"epochs": 1, "batch_size": 48, "random_state": 0}


def small_network(input_shape, n_classes):
    """Return a network of layers that a model file may hold."""
    from keras import Input, layers, models

    return models.Sequential(
        [
            Input(input_shape),
            layers.Conv1D(3, 2, activation="relu", kernel_regularizer="l2"),
            layers.Bidirectional(layers.LSTM(2)),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


_CRNN = skgenre.CRNNClassifier(filters=(2,), lstm_units=2, **_NETWORK)
_TREE = DecisionTreeClassifier(max_depth=3, random_state=0)
_MEL = {"n_mels": 8, "n_fft": 512}
_PAIRS = [("a", LogisticRegression()), ("b", _TREE)]
_SCALERS = [("a", StandardScaler()), ("b", "passthrough")]
_COLUMNS = [("a", StandardScaler(), slice(0, 2)), ("b", "passthrough", [2, 3])]
_GRID = {"max_depth": [1, 2]}
# Parameters of those classes that need some, or would be slow or large.
_PARAMETERS = {
    "AdaBoostClassifier": {"n_estimators": 2, "random_state": 0},
    "AbstainingClassifier": {
        **{"estimator": LogisticRegression(), "cv": 3},
        "genre_tree": skgenre.datasets.GenreTree({"folk": "acoustic", "jazz": None}),
    },
    "BaggingClassifier": {"estimator": _TREE, "n_estimators": 2, "max_features": 0.5},
    "CRNNClassifier": _CRNN.get_params(),
    "CalibratedClassifierCV": {"estimator": _TREE, "cv": 2},
    "ColumnTransformer": {"transformers": _COLUMNS, "transformer_weights": {"a": 2}},
    "EmbeddingKMeans": {"n_clusters": "auto", "k_range": (2, 3), "random_state": 0},
    "ExtraTreesClassifier": {"n_estimators": 2, "random_state": 0},
    "FeatureUnion": {"transformer_list": _SCALERS, "transformer_weights": {"a": 2}},
    "FrozenEstimator": {"estimator": clone(_TREE).fit(TABLE, LABELS["texts"])},
    "GridSearchCV": {"estimator": _TREE, "param_grid": _GRID, "cv": 2},
    "GenreTagger": {"genres": {"loud": ["loud"], "calm": ("soft", "quiet")}},
    "HalvingGridSearchCV": {"estimator": _TREE, "param_grid": _GRID, "cv": 2},
    "HalvingRandomSearchCV": {
        **{"estimator": _TREE, "param_distributions": _GRID, "cv": 2},
        **{"n_candidates": 2, "random_state": 0},
    },
    "HistGradientBoostingClassifier": {"max_iter": 2},
    "KMeans": {"n_clusters": 3, "random_state": 0},
    "KerasGenreClassifier": {"network": small_network, **_NETWORK},
    "LogisticRegressionCV": {"cv": 2, "Cs": 2},
    "MFCCStandardizer": {"n_mfcc": 4, "views": ("harmonic", "mix"), **_MEL},
    "MLPClassifier": {"hidden_layer_sizes": (4,), "max_iter": 300, "random_state": 0},
    "MelSpectrogramTransformer": {"n_frames": 4, **_MEL},
    "MissingClipClassifier": {"estimator": LogisticRegression()},
    "MultiLabelClassifier": {"estimator": OneVsRestClassifier(LogisticRegression())},
    "OneVsRestClassifier": {"estimator": LogisticRegression()},
    "ParallelCNNRNNClassifier": {
        **{"filters": (2,), "pool_sizes": ((2, 2),), "rnn_pool_size": (2, 1)},
        **{"gru_units": 2, **_NETWORK},
    },
    "Pipeline": {"steps": [("scale", StandardScaler()), ("a", LogisticRegression())]},
    "QuantileTransformer": {"n_quantiles": 10},
    "RandomForestClassifier": {"n_estimators": 2, "oob_score": True, "bootstrap": True},
    "RandomizedSearchCV": {
        **{"estimator": _TREE, "param_distributions": _GRID, "cv": 2, "n_iter": 2}
    },
    "SecondOrderClassifier": {"n_mfcc": 3, "n_prototypes": 4, **_NETWORK},
    "SegmentClassifier": {
        **{"estimator": _CRNN, "window": 3, "hop": 3, "voting": "stack", "cv": 2}
    },
    "SelectKBest": {"k": 3},
    "StackingClassifier": {"estimators": _PAIRS, "cv": 2},
    "TemperatureScalingClassifier": {"estimator": _TREE, "cv": 2},
    "TrackRecommender": {"clusterer": skgenre.EmbeddingKMeans(2, random_state=0)},
    "VotingClassifier": {"estimators": _PAIRS, "voting": "soft", "weights": [1, 2]},
}
# Those that are only in others, and a model that holds each.
_SPLITTERS = (GroupKFold(2), KFold(2), StratifiedGroupKFold(2), StratifiedKFold(2))
_HELD = {
    "_CalibratedClassifier": ("CalibratedClassifierCV", {}),
    "_ConstantPredictor": ("OneVsRestClassifier", {}),
    "_SigmoidCalibration": ("CalibratedClassifierCV", {}),
    "_TemperatureScaling": ("CalibratedClassifierCV", {"method": "temperature"}),
    **{
        type(each).__name__: ("GridSearchCV", {"cv": each, "param_grid": {}})
        for each in _SPLITTERS
    },
}
AUDIO_STEPS = {
    *("GenreTagger", "MFCCStandardizer", "MelSpectrogramTransformer"),
    "MusicnnEmbedding",
}
NETWORKS = {
    *("CRNNClassifier", "KerasGenreClassifier", "ParallelCNNRNNClassifier"),
    *("SecondOrderClassifier", "SegmentClassifier"),
}


def is_here(name):
    """Return whether this version of scikit-learn has a class."""
    try:
        find_class(name)
    except ValueError:
        return False
    return True


NAMES = sorted(filter(is_here, CLASSES))
"""The classes that a model file may hold, as far as they are here."""
ROOTS = [name for name in NAMES if name not in _HELD]
"""Those that a model file may be of."""


def unfitted(name):
    """Return an estimator of a class."""
    return find_class(name)(**_PARAMETERS.get(name, {}))


def inputs(name, labels="texts"):
    """Return what the estimator is fitted with, and is then asked about."""
    y = LABELS[labels]
    if name in ("LabelEncoder", "LabelBinarizer"):
        return (y,), y
    if name == "IsotonicRegression":
        return (TABLE[:, 0], TABLE[:, 1]), TABLE[:, 0]
    if name == "OneVsRestClassifier":  # a column each, and one that is constant
        columns = np.column_stack([y[:, None] == np.unique(y), np.ones(len(y))])
        return (TABLE, columns.astype(int)), TABLE[:5]
    if name in NETWORKS:
        return (SPECTROGRAMS, y), SPECTROGRAMS[:5]
    if name in AUDIO_STEPS:
        return (WAVEFORMS[:8],), WAVEFORMS[:3]
    if name == "TrackRecommender":
        return (TABLE, y), TABLE[:1]
    return (TABLE, y), TABLE[:5]


@functools.cache
def fitted(name, labels="texts"):
    """Return a fitted estimator of a class, or one that holds such."""
    name, parameters = _HELD.get(name, (name, {}))
    estimator = find_class(name)(**_PARAMETERS.get(name, {}) | parameters)
    if name == "GridSearchCV" and "cv" in parameters:
        groups = {"groups": TABLE[:, 0] > 0} if "Group" in str(parameters["cv"]) else {}
        return estimator.fit(*inputs(name, labels)[0], **groups)
    return estimator.fit(*inputs(name, labels)[0])
