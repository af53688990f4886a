"""Recommended pipelines, from sound files to genres."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_clusterer
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre._estimators import (
    describe_estimator,
    set_in_parts,
    split_last_step,
    takes_three_axes,
)
from skgenre._sklearn_compat import StrOptions, validate_params
from skgenre.classifiers import (
    AbstainingClassifier,
    BaseGenreClassifier,
    CRNNClassifier,
    MissingClipClassifier,
    MultiLabelClassifier,
    ParallelCNNRNNClassifier,
    SecondOrderClassifier,
    SegmentClassifier,
    TemperatureScalingClassifier,
)
from skgenre.features import (
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
)
from skgenre.features._spectrogram import VIEWS

__all__ = ["embedding_pipeline", "genre_pipeline"]

THROUGH = (
    AbstainingClassifier,
    MissingClipClassifier,
    MultiLabelClassifier,
    TemperatureScalingClassifier,
)
"""Classifiers that give clips as they are to another one, which they stand for."""

# As much of a long song as the mel step takes of it: 640 frames of 1,024 samples.
_SECONDS = 30.0


def _calibrated_svc(mfcc: MFCCStandardizer) -> Pipeline:
    # An SVC has no probabilities of its own, and its votes have steps: their least
    # difference is as good as 1, also where nothing is known.
    svc = SVC(decision_function_shape="ovo")
    return make_pipeline(mfcc, TemperatureScalingClassifier(svc))


def _baseline() -> Pipeline:
    return _calibrated_svc(MFCCStandardizer(duration=_SECONDS))


def _fast() -> Pipeline:
    return _calibrated_svc(
        MFCCStandardizer(statistics="correlations", views=VIEWS, duration=_SECONDS)
    )


def _paper() -> Pipeline:
    return make_pipeline(
        MelSpectrogramTransformer(excerpt="start"), CRNNClassifier.paper()
    )


def _scratch() -> Pipeline:
    return make_pipeline(
        MelSpectrogramTransformer(views=VIEWS),
        SecondOrderClassifier(n_views=len(VIEWS)),
    )


def _on_windows(network: BaseGenreClassifier) -> Pipeline:
    # Windows are more, and shorter, clips to learn from; and some of few artists, held
    # out, would choose the epoch badly.
    network.set_params(
        epochs=20, learning_rate_schedule="cosine", validation_fraction=0
    )
    return make_pipeline(MelSpectrogramTransformer(), SegmentClassifier(network))


def _crnn() -> Pipeline:
    return _on_windows(CRNNClassifier())


def _parallel() -> Pipeline:
    return _on_windows(ParallelCNNRNNClassifier())


def _best() -> Pipeline:
    views = {
        "tagged": ("mtt", "penultimate"),
        "style": ("mtt", "correlations"),
        "listened": ("msd", "penultimate"),
    }
    weights, outputs = zip(*views.values(), strict=True)
    scalers, shares, start = [], {}, 0
    for name, (trained_on, output) in views.items():
        view = MusicnnEmbedding(weights=trained_on, output=output)
        n_features = len(view.get_feature_names_out())
        scalers.append((name, StandardScaler(), slice(start, start + n_features)))
        # Each view counts the same, however many features it has; together they have
        # about length 1, for which the classifier's penalty is meant.
        shares[name] = (len(views) * n_features) ** -0.5
        start += n_features
    return make_pipeline(
        MusicnnEmbedding(weights=weights, output=outputs),
        ColumnTransformer(scalers, transformer_weights=shares),
        LogisticRegression(max_iter=1000),
    )


def _for_several_genres(pipeline: Pipeline) -> Pipeline:
    """Return a pipeline that takes several genres a clip."""
    front, classifier = pipeline[:-1], pipeline[-1]
    is_of_windows = isinstance(classifier, SegmentClassifier)
    network = classifier.estimator if is_of_windows else classifier
    if isinstance(network, BaseGenreClassifier):
        if not network.validation_fraction:  # these clips choose the thresholds
            network.set_params(validation_fraction=0.1)
        return pipeline
    classifier = MultiLabelClassifier(OneVsRestClassifier(classifier))
    return make_pipeline(*(step for _, step in front.steps), classifier)


PIPELINES: dict[str, Callable[[], Pipeline]] = {
    "best": _best,
    "scratch": _scratch,
    "fast": _fast,
    "crnn": _crnn,
    "parallel": _parallel,
    "paper": _paper,
    "baseline": _baseline,
}
"""Functions that make a pipeline with the defaults of its steps, by name."""


@validate_params(
    {
        "name": [StrOptions(set(PIPELINES))],
        "multi_label": ["boolean"],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def genre_pipeline(
    name: str = "best",
    *,
    multi_label: bool = False,
    n_jobs: int | None = None,
    random_state: int | None = None,
    verbose: bool | int = False,
) -> Pipeline:
    """Return a recommended pipeline: sound files or waveforms in, genres out.

    Parameters
    ----------
    name : {'best', 'scratch', 'fast', 'crnn', 'parallel', 'paper', 'baseline'}, \
            default='best'
        'best'
            Three views of the pretrained musicnn (its weights are needed, see
            :class:`~skgenre.features.MusicnnEmbedding`), and logistic regression.
        'scratch'
            The best network without pretraining: mel spectrograms of the mix and of its
            harmonic and percussive views, and
            :class:`~skgenre.classifiers.SecondOrderClassifier`.
        'fast'
            Correlations of MFCCs of the same views, and a support vector machine: no
            network, and as good as one on a few hundred clips.
        'crnn', 'parallel'
            The paper's networks on windows of the clips, as a
            :class:`~skgenre.SegmentClassifier`: clearly more accurate than on whole
            clips, and with probabilities from second to second.
        'paper'
            The paper's CRNN, by the recipe that its figures were made with.
        'baseline'
            The paper's baseline: seven statistics of MFCCs and a support vector
            machine.

    multi_label : bool, default=False
        Whether clips may have several genres: the pipeline takes a list of genres for
        each, or 0 and 1 in a column for each genre, and predicts in that form. A
        network does so by itself; another classifier is trained for each genre, in a
        :class:`~skgenre.MultiLabelClassifier`.

    n_jobs : int or None, default=None
        Clips decoded at a time, in threads.

    random_state : int or None, default=None
        Seed of the networks; the other pipelines are not random.

    verbose : bool or int, default=False
        Show progress bars of the audio steps and, as Keras does, of training.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Not fitted. All of them have `predict_proba`.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    See Also
    --------
    skgenre.save : Keeps a fitted pipeline in a file.

    Notes
    -----
    They take clips in any mixture: paths, URLs, open binary files, and waveforms with
    their rate, ``(samples, sample_rate)`` with the rate in Hz, which are resampled.
    Bare arrays must be at 16,000 Hz in 'best', and at 22,050 Hz in all others.

    The user guide has the figures by which they were chosen, and
    ``benchmarks/accuracy.py`` measures them on any music.

    Examples
    --------
    >>> from skgenre import genre_pipeline
    >>> genre_pipeline("scratch", random_state=0)[-1]
    SecondOrderClassifier(n_views=3, random_state=0)
    """
    pipeline = PIPELINES[name]()
    if multi_label:
        pipeline = _for_several_genres(pipeline)
    given = {"n_jobs": n_jobs, "random_state": random_state, "verbose": verbose}
    # The others are left at their defaults, so that the pipeline shows what is set.
    given = {key: v for key, v in given.items() if v is not None and v is not False}
    set_in_parts(
        pipeline, lambda step: type(step).__module__.startswith("skgenre."), **given
    )
    return pipeline


def embedding_pipeline(model: BaseEstimator) -> BaseEstimator:
    """Return the part of a model that turns sound files into embeddings.

    Parameters
    ----------
    model : estimator
        Such as a fitted :func:`genre_pipeline`, or what :func:`~skgenre.load` returns.
        A search stands for its best estimator.

    Returns
    -------
    estimator
        Fitted if the model is. The model itself if it has `transform` (a network's
        embedding is the layer before the genres), else its steps before the last one.
        Nothing is copied.

    Raises
    ------
    ValueError
        If the model has neither `transform` nor steps before the last one, or these
        make spectrograms.

    See Also
    --------
    skgenre.TrackRecommender : Finds neighbours among embeddings.

    Notes
    -----
    The `transform` of a clusterer returns distances to its clusters, which are no
    embedding: the embedding is what the clusterer is given.

    Examples
    --------
    >>> from skgenre import genre_pipeline
    >>> from skgenre.pipelines import embedding_pipeline
    >>> embedding_pipeline(genre_pipeline("fast"))
    Pipeline(steps=[('mfccstandardizer',
                     MFCCStandardizer(duration=30.0, statistics='correlations',
                                      views=('mix', 'harmonic', 'percussive')))])
    """
    model = getattr(model, "best_estimator_", model)
    front, last = split_last_step(model, through=THROUGH)
    if hasattr(model, "transform") and not is_clusterer(last):
        return model
    if hasattr(last, "transform") and not is_clusterer(last):
        front.append(last)
    elif front and takes_three_axes(last):
        raise ValueError(
            f"{describe_estimator(model)} makes no embedding: {type(last).__name__} "
            "has no transform, and the steps before it make spectrograms. Choose a "
            "network, or `genre_pipeline('best')` or `genre_pipeline('fast')`."
        )
    if not front:
        raise ValueError(
            f"{describe_estimator(model)} makes no embedding: it has no transform, and "
            "no steps before a last one. Train a Pipeline, as `skgenre train` does."
        )
    return make_pipeline(*front)


def embed(embedder: BaseEstimator, clips: Any) -> NDArray:
    """Return the embeddings that an `embedding_pipeline` makes of clips.

    Returns
    -------
    ndarray of shape (n_clips, n_features), float32

    Raises
    ------
    ValueError
        If what it makes of a clip has several axes.
    """
    E = np.asarray(embedder.transform(clips), np.float32)
    if E.ndim != 2:
        raise ValueError(
            f"The model has no embedding: it makes arrays of shape {E.shape[1:]} of a "
            "song. Train another one."
        )
    return E
