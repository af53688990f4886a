"""Good model files of every class that may be in one, small, with X to ask them with.

They are what `_forged_models.py` forges: the models that the tests save of every class,
and here others, of other parameters or made of several. Everything is random by a fixed
seed.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import savable_models
from forge import write_by_skops

GENRES = np.array(["folk", "pop", "rock"])
_KEPT = Path(__file__).parents[1] / "tests" / "data"
_N, _N_FEATURES, _N_FRAMES, _N_MELS, _RATE = 45, 6, 20, 8, 22050
MODEL_DIGEST = hashlib.sha256(b"model").hexdigest()
"""Digest of the model that the index of a library was made with."""
INDEXED = [f"{i}.flac" for i in range(7)]
"""Files of the library that the index is of."""


class GoodFile(NamedTuple):
    """A file as it is written, and what to ask it."""

    part: str
    """Of the list of good files: what it is chosen by."""
    kind: str
    """'model', 'format 1', 'onnx' or 'index'."""
    contents: bytes
    X: Any
    """A few clips, spectrograms or rows of features, whatever the model takes."""
    has_network: bool = False


def good_files(parts: Iterable[str] = ()) -> dict[str, GoodFile]:
    """Return good files by name, of these parts of the list; of all if none is named.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    wanted = list(parts) or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        raise ValueError(f"no part {min(unknown)!r}; they are {', '.join(PARTS)}")
    with warnings.catch_warnings(action="ignore"):
        return {
            f"{part}/{name}": file
            for part in PARTS
            if part in wanted
            for name, file in PARTS[part](part)
        }


def _table() -> tuple[np.ndarray, np.ndarray]:
    y = np.repeat(GENRES, _N // len(GENRES))
    X = np.random.default_rng(0).normal(size=(_N, _N_FEATURES))
    return X + np.repeat([0, 1, 2], _N // 3)[:, None], y


def _spectrograms() -> tuple[np.ndarray, np.ndarray]:
    X, y = _table()
    shift = np.repeat([0, 1, 2], _N // 3)[:, None, None]
    noise = np.random.default_rng(0).normal(size=(_N, _N_FRAMES, _N_MELS))
    return (noise + shift).astype(np.float32), y


def _several() -> list[tuple[str, ...]]:
    """Return two genres of each row of `_table`, or one, or none."""
    both = zip(_table()[1].tolist(), np.roll(GENRES, 1).repeat(_N // 3), strict=True)
    lists = [tuple(map(str, pair)) for pair in both]
    return [names[: i % 3] for i, names in enumerate(lists)]


def _waveforms() -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(_RATE // 4) / _RATE
    pitches = np.repeat([200, 500, 900], 4) + np.tile(np.arange(4), 3)
    X = 0.5 * np.sin(2 * np.pi * pitches[:, None] * t)
    X += np.random.default_rng(0).normal(scale=0.01, size=X.shape)
    return X.astype(np.float32), np.repeat(GENRES, 4)


def _saved(model: Any) -> bytes:
    import skgenre

    with tempfile.TemporaryDirectory() as folder:
        skgenre.save(model, Path(folder) / "it.model")
        return (Path(folder) / "it.model").read_bytes()


def _exported(model: Any) -> bytes:
    import skgenre

    with tempfile.TemporaryDirectory() as folder:
        skgenre.export_onnx(model, Path(folder) / "it.onnx")
        return (Path(folder) / "it.onnx").read_bytes()


_Named = Iterable[tuple[str, GoodFile]]


def _of_tables(part: str, models: Iterable[Any], data: Any = None) -> _Named:
    """Yield files of models that were fitted on a table."""
    X, y = _table() if data is None else data
    for number, model in enumerate(models):
        name = f"{number} {type(model).__name__}"
        fitted = model.fit(X, y) if hasattr(model, "fit") else model
        yield name, GoodFile(part, "model", _saved(fitted), X[::11])


def _classes(part: str) -> _Named:
    """Yield files of every class but networks, of three classes and of two."""
    for name in sorted({*savable_models.ROOTS} - savable_models.NETWORKS):
        for labels in ("texts", "two texts"):
            model = savable_models.fitted(name, labels)
            _, X = savable_models.inputs(name, labels)
            yield f"{name} of {labels}", GoodFile(part, "model", _saved(model), X)


def _steps(part: str) -> _Named:
    from sklearn.compose import ColumnTransformer
    from sklearn.decomposition import PCA
    from sklearn.feature_selection import SelectKBest, chi2, mutual_info_classif
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    columns = ColumnTransformer(
        [
            ("scaled", StandardScaler(), slice(0, 2)),
            ("first", PCA(1), [2, 3]),
            ("same", "passthrough", np.array([False] * 4 + [True, False])),
        ],
        remainder="passthrough",
        transformer_weights={"scaled": 0.5},
    )
    yield from _of_tables(
        part,
        [
            PCA(whiten=True).set_output(transform="pandas"),
            SelectKBest(mutual_info_classif, k=2),
            make_pipeline(MinMaxScaler(), SelectKBest(chi2, k=2)),
            FeatureUnion(
                [("a", StandardScaler()), ("b", PCA(2)), ("c", "passthrough")],
                transformer_weights={"b": 2.0},
            ),
            columns,
        ],
    )


def _linear(part: str) -> _Named:
    import pandas
    from sklearn.discriminant_analysis import (
        LinearDiscriminantAnalysis,
        QuadraticDiscriminantAnalysis,
    )
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    models = [
        SGDClassifier(loss="log_loss", random_state=0),
        QuadraticDiscriminantAnalysis(store_covariance=True),
        LinearDiscriminantAnalysis(store_covariance=True),
        LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        DummyClassifier(strategy="stratified"),
        DummyClassifier(strategy="uniform"),
        MLPClassifier((4, 3), early_stopping=True, max_iter=3, random_state=0),
    ]
    yield from _of_tables(part, models)
    X, y = _table()
    two = X[:30], np.repeat([1, 5], 15)
    pipeline = make_pipeline(StandardScaler(), MLPClassifier((3,), max_iter=3))
    for name, file in _of_tables(part, [*models[:4], pipeline], two):
        yield f"{name} of two", file
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, y)
    yield "of a frame", GoodFile(part, "model", _saved(fitted), frame[::11])


def _compiled(part: str) -> _Named:
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    small = {"max_depth": 3, "random_state": 0}
    forest = {"n_estimators": 2, "bootstrap": True, "oob_score": True, **small}
    boosting = {"max_iter": 2, "max_leaf_nodes": 4, "min_samples_leaf": 3}
    models = [
        KNeighborsClassifier(algorithm="kd_tree", leaf_size=2, weights="distance"),
        KNeighborsClassifier(algorithm="ball_tree", metric="canberra"),
        KNeighborsClassifier(algorithm="brute", metric="cosine"),
        KNeighborsClassifier(algorithm="brute", metric="braycurtis"),
        SVC(kernel="poly", degree=2, break_ties=True),
        SVC(kernel="linear", decision_function_shape="ovo"),
        SVC(probability=True, random_state=0),
        RandomForestClassifier(**forest),
        ExtraTreesClassifier(**forest),
        HistGradientBoostingClassifier(early_stopping=True, **boosting),
    ]
    yield from _of_tables(part, models)
    X, _ = _table()
    two = X[:30], np.repeat([1, 5], 15)
    for name, file in _of_tables(part, models[4:], two):
        yield f"{name} of two", file


def _composed(part: str) -> _Named:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression, RidgeClassifier
    from sklearn.model_selection import (
        GridSearchCV,
        GroupKFold,
        HalvingGridSearchCV,
        HalvingRandomSearchCV,
        KFold,
        RandomizedSearchCV,
        StratifiedGroupKFold,
        StratifiedKFold,
    )
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, LinearSVC
    from sklearn.tree import DecisionTreeClassifier

    X, y = _table()
    groups = np.tile(np.arange(5), _N // 5)
    members = [
        ("bayes", GaussianNB()),
        ("scaled", make_pipeline(StandardScaler(), LogisticRegression())),
        ("left out", "drop"),
    ]
    grid = {"var_smoothing": [1e-9, 1e-3]}
    halving = {"random_state": 0, "factor": 2, "cv": KFold(2)}
    models = [
        make_pipeline(StandardScaler(), SVC()),
        FrozenEstimator(GaussianNB().fit(X, y)),
        CalibratedClassifierCV(SVC(), cv=3, ensemble=False),
        CalibratedClassifierCV(LinearSVC(), method="isotonic", cv=StratifiedKFold(2)),
        CalibratedClassifierCV(FrozenEstimator(GaussianNB().fit(X, y))),
        VotingClassifier(members),
        VotingClassifier(members, voting="soft", weights=[1, 2, 3]),
        StackingClassifier(members[:2], cv=2),
        StackingClassifier(
            [*members[:2], ("ridge", RidgeClassifier())],
            final_estimator=DecisionTreeClassifier(max_depth=2),
            passthrough=True,
            cv=2,
        ),
        BaggingClassifier(GaussianNB(), 2, max_features=0.5, oob_score=True),
        BaggingClassifier(DecisionTreeClassifier(max_depth=1), 2),
        GridSearchCV(GaussianNB(), grid, cv=2),
        RandomizedSearchCV(GaussianNB(), grid, n_iter=2, cv=KFold(3, shuffle=True)),
        HalvingGridSearchCV(GaussianNB(), grid, **halving),
        HalvingRandomSearchCV(GaussianNB(), grid, n_candidates=2, **halving),
        make_pipeline(LinearDiscriminantAnalysis(), KNeighborsClassifier(3)),
    ]
    try:
        models.append(CalibratedClassifierCV(SVC(), method="temperature", cv=2))
        list(_of_tables(part, models[-1:]))
    except ValueError:  # before scikit-learn 1.8
        models.pop()
    yield from _of_tables(part, models)
    for cv in (GroupKFold(2), StratifiedGroupKFold(2)):
        search = GridSearchCV(GaussianNB(), grid, cv=cv).fit(X, y, groups=groups)
        file = GoodFile(part, "model", _saved(search), X[::11])
        yield f"search with {type(cv).__name__}", file


def _ours(part: str) -> _Named:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    import skgenre
    from skgenre import (
        AbstainingClassifier,
        EmbeddingKMeans,
        GenreTagger,
        MFCCStandardizer,
        MissingClipClassifier,
        MultiLabelClassifier,
        MusicnnEmbedding,
        SegmentClassifier,
        TrackRecommender,
    )
    from skgenre.datasets import GenreTree

    X, y = _table()
    missing = X.copy()
    missing[::7] = np.nan
    logistic = LogisticRegression()
    tree = GenreTree({"pop": "band", "rock": "band"})
    for name, model in {
        "abstaining": AbstainingClassifier(logistic, target_precision=0.7).fit(X, y),
        "backing off": AbstainingClassifier(logistic, genre_tree=tree).fit(X, y),
        "missing": MissingClipClassifier(logistic).fit(missing, y),
        "clusters": EmbeddingKMeans("auto", k_range=(2, 3)).fit(X, y),
        "recommender": TrackRecommender().fit(X),
        "recommender of groups": TrackRecommender(
            metric="euclidean", clusterer=EmbeddingKMeans(3)
        ).fit(X, groups=np.arange(_N) // 3),
    }.items():
        yield name, GoodFile(part, "model", _saved(model), missing[::11])
    spectrograms, y = _spectrograms()
    rest = OneVsRestClassifier(logistic)
    several = _several()
    for name, model in {
        "several genres": MultiLabelClassifier(rest, cv=2),
        "abstaining of several genres": AbstainingClassifier(
            rest, target_precision=0.4, cv=2
        ),
        "missing of several genres": MissingClipClassifier(rest),
    }.items():
        given = missing if name.startswith("missing") else X
        file = _saved(model.fit(given, several))
        yield name, GoodFile(part, "model", file, missing[::11])
    for voting in ("soft", "hard", "stack"):
        segments = SegmentClassifier(logistic, window=8, hop=4, voting=voting, cv=2)
        file = _saved(segments.fit(spectrograms, y))
        yield f"{voting} segments", GoodFile(part, "model", file, spectrograms[::11])

    clips, y = _waveforms()
    mel = skgenre.MelSpectrogramTransformer(n_mels=_N_MELS, n_frames=_N_FRAMES)
    asked = clips[::5]
    for name, model in {
        "mel": mel,
        "mel of waveforms": skgenre.MelSpectrogramTransformer(n_frames=None).fit(clips),
        "moments": MFCCStandardizer(duration=0.2).fit(clips),
        "correlations": MFCCStandardizer(statistics="correlations").fit(clips),
        "musicnn": MusicnnEmbedding(),
        "tagger": GenreTagger(["rock", "Klassik"], threshold=0.6),
        "tagger of one's own genres": GenreTagger(
            {"calm": ("soft", "quiet"), "loud": "loud"}, standardize=True
        ).fit(clips),
        "best": skgenre.genre_pipeline("best"),
        "scratch": skgenre.genre_pipeline("scratch"),
        "fast": skgenre.genre_pipeline("fast").fit(clips, y),
        "baseline": skgenre.genre_pipeline("baseline").fit(clips, y),
    }.items():
        yield name, GoodFile(part, "model", _saved(model), asked)


def _network_models() -> dict[str, tuple[Any, Any]]:
    """Return fitted models with a network in them, and X."""
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline

    import skgenre
    from skgenre import (
        AbstainingClassifier,
        CRNNClassifier,
        EmbeddingKMeans,
        KerasGenreClassifier,
        ParallelCNNRNNClassifier,
        SecondOrderClassifier,
        SegmentClassifier,
    )

    once = {"epochs": 1, "random_state": 0}
    crnn = CRNNClassifier(
        filters=(3, 4), kernel_size=3, lstm_units=4, embedding_units=5, **once
    )
    parallel = ParallelCNNRNNClassifier(
        filters=(2, 3), pool_sizes=((2, 2), (2, 1)), gru_units=3, **once
    )
    second = SecondOrderClassifier(n_mfcc=4, n_prototypes=5, **once)
    convolutions, series = (
        KerasGenreClassifier(build, **once) for build in (_convolutions, _series)
    )
    X, y = _spectrograms()
    clips, of_clips = _waveforms()
    mel = skgenre.MelSpectrogramTransformer(n_mels=_N_MELS, n_frames=_N_FRAMES)
    segments = SegmentClassifier(second, window=8, hop=4)
    clusters = EmbeddingKMeans(3)
    asked, few = X[::11], clips[::5]
    return {
        "crnn": (crnn.fit(X, y), asked),
        "parallel": (parallel.fit(X, y), asked),
        "own, convolutions": (convolutions.fit(X, y), asked),
        "own, series": (series.fit(X, y), asked),
        "second order": (second.fit(X, y), asked),
        "crnn of several genres": (clone(crnn).fit(X, _several()), asked),
        "segments of several genres": (clone(segments).fit(X, _several()), asked),
        "second order of a table": (SecondOrderClassifier(**once).fit(*_table()), X[0]),
        "segments": (segments.fit(X, y), asked),
        "abstaining": (AbstainingClassifier(second, cv=2).fit(X, y), asked),
        "clusters": (make_pipeline(clone(second), clusters).fit(X, y), asked),
        "pipeline": (make_pipeline(mel, clone(crnn)).fit(clips, of_clips), few),
        "pipeline of segments": (
            make_pipeline(mel, clone(segments)).fit(clips, of_clips),
            few,
        ),
    }


def _convolutions(input_shape: tuple[int, int], n_classes: int) -> Any:
    """Return a network of the layers that pictures have."""
    import keras
    from keras import layers

    x = inputs = keras.Input(input_shape)
    x = layers.ZeroPadding2D(1)(layers.Reshape((*input_shape, 1))(x))
    x = layers.Conv2D(3, 3, strides=2, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(x)
    x = layers.DepthwiseConv2D(2, depthwise_regularizer="l2")(x) + 1.5
    x = layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])
    x = layers.ReLU(6.0)(layers.MaxPooling2D(2, padding="same")(x))
    x = layers.Dropout(0.1)(layers.Flatten()(layers.Rescaling(0.5)(x)))
    return keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


def _series(input_shape: tuple[int, int], n_classes: int) -> Any:
    """Return a network of the layers that series have."""
    import keras
    from keras import layers

    x = inputs = keras.Input(input_shape)
    x = layers.LayerNormalization()(x)
    x = layers.MultiHeadAttention(2, 3)(x, x) + x
    x = layers.Conv1D(4, 3, dilation_rate=2, padding="same")(x)
    x = layers.AveragePooling1D(2)(x)
    x = layers.GRU(3, return_sequences=True)(x)
    x = layers.Bidirectional(layers.LSTM(2))(x)
    x = layers.Concatenate()([x, layers.GlobalMaxPooling1D()(inputs)])
    return keras.Model(inputs, layers.Softmax()(layers.Dense(n_classes)(x)))


def _networks(part: str) -> _Named:
    for name, (model, X) in _network_models().items():
        yield name, GoodFile(part, "model", _saved(model), X, has_network=True)


def _onnx(part: str) -> _Named:
    models = _network_models()
    for name in ("abstaining", "clusters"):
        del models[name]
    for name, (model, X) in models.items():
        yield name, GoodFile(part, "onnx", _exported(model), X, has_network=True)


def _format1(part: str) -> _Named:
    clips, _ = _waveforms()
    for path in sorted(_KEPT.glob("format1-*.model")):
        is_network = "networks" in path.name
        yield (
            path.stem,
            GoodFile(
                part, "format 1", path.read_bytes(), clips[::5], has_network=is_network
            ),
        )


def _skops(part: str) -> _Named:
    """Yield files of format 1 as skops describes estimators, where it is installed."""
    if importlib.util.find_spec("skops") is None:
        print("skops is not installed: no files of format 1 by it", file=sys.stderr)
        return
    for other in ("classes", "steps", "linear", "compiled", "composed", "ours"):
        for name, file in PARTS[other](other):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "it.model"
                try:
                    write_by_skops(path, _load(file))
                except Exception:  # nosec B112: it can't describe everything
                    continue
                contents = path.read_bytes()
            yield f"{other} {name}", GoodFile(part, "format 1", contents, file.X)


def _load(file: GoodFile) -> Any:
    import skgenre

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "it.model"
        path.write_bytes(file.contents)
        return skgenre.load(path)


def _index(part: str) -> _Named:
    from skgenre.cli._commands._embeddings._index import LibraryIndex

    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in INDEXED]
        index = LibraryIndex(Path(folder), MODEL_DIGEST, Path(folder) / "it.index")
        for i, path in enumerate(paths):
            index.add(path, (i, i), _table()[0][i].astype(np.float32))
        index.write()
        contents = (Path(folder) / "it.index").read_bytes()
    yield "index", GoodFile(part, "index", contents, None)


PARTS: dict[str, Callable[[str], _Named]] = {
    "classes": _classes,
    "steps": _steps,
    "linear": _linear,
    "compiled": _compiled,
    "composed": _composed,
    "ours": _ours,
    "networks": _networks,
    "onnx": _onnx,
    "format1": _format1,
    "skops": _skops,
    "index": _index,
}
"""Functions that make the good files of each part of the list."""
