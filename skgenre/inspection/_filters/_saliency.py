"""Parts of a given spectrogram that speak for a genre."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_consistent_length

from skgenre._sklearn_compat import Interval, validate_params
from skgenre.classifiers import BaseGenreClassifier
from skgenre.classifiers._checks import check_spectrograms
from skgenre.inspection._filters._genre_units import genre_units
from skgenre.inspection._fitted_parts import find_network

# Spectrograms on the path from silence that are processed at a time.
_BATCH = 8


@validate_params(
    {
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "smoothness": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def saliency(
    estimator: Any,
    X: ArrayLike,
    genres: ArrayLike | None = None,
    *,
    n_steps: int = 32,
    smoothness: float = 2.0,
) -> NDArray:
    """Return maps of the parts of spectrograms that speak for a genre.

    Integrated gradients [1]_ of the genre's value before the softmax, minus the mean
    over all genres: what each frame and band adds to it while the clip is faded in from
    silence.

    Parameters
    ----------
    estimator : estimator
        Fitted network, or a Pipeline, `SegmentClassifier` or other estimator with one
        inside. It is not changed.
    X : array-like of shape (n_clips, n_frames, n_mels)
        Spectrograms in dB, of the size that the network itself takes: in a
        `SegmentClassifier`, windows.
    genres : array-like of shape (n_clips,), default=None
        Genre to look for in each clip; None takes the most probable one.
    n_steps : int, default=32
        Number of loudnesses at which the gradient is taken.
    smoothness : float, default=2.0
        Standard deviation, in frames and in mel bands, of the Gaussian that smooths
        the maps; 0 leaves them as they are.

    Returns
    -------
    ndarray of shape (n_clips, n_frames, n_mels), float32
        In [0, 1]; 1 speaks for the genre most, in each clip. Parts that speak against
        it are 0; a clip of which nothing speaks for it is 0 throughout.

    Raises
    ------
    ValueError
        If there is no network, the clips have another size or are not finite, or a
        genre is not one of the network's.

    See Also
    --------
    maximize_activation : What speaks for a genre, without a given clip.
    sonify : Makes the salient parts of a clip audible.

    Notes
    -----
    Grad-CAM [2]_ weights the last convolution's feature maps. Those of
    `CRNNClassifier`, whose convolutions are over time, have no frequency axis, and
    those of `ParallelCNNRNNClassifier` leave out its recurrent half. A gradient with
    respect to the input has both axes, for all networks; integrated from silence, it is
    not misled where a unit is saturated. As in Grad-CAM, only positive values are kept,
    and each map is divided by its maximum.

    The path starts at the floor, each clip's lowest value, and raises the whole clip
    evenly, in dB. The sum of all contributions, before negative ones are cut off, is
    the difference of the genre's value between the clip and silence, up to the error
    of a midpoint sum of `n_steps` terms.

    A map shows what this network looks at, which need not be what makes the genre. A
    recurrent layer that passes on only its last state remembers the end of a clip best;
    one that also reads backwards, its beginning as well. A network that distinguishes
    two genres by a sound that one of them lacks has no sound to show for that one.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly, Q. Yan, "Axiomatic attribution for deep networks",
       ICML 2017.
    .. [2] R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via
       gradient-based localization", ICCV 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import CRNNClassifier
    >>> from skgenre.inspection import saliency
    >>> X = np.random.default_rng(0).normal(-60, 5, size=(40, 20, 8))
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> X[y == "techno", 8:12, 2] += 40
    >>> crnn = CRNNClassifier(filters=(8,), lstm_units=8, epochs=20, random_state=0)
    >>> maps = saliency(crnn.fit(X, y), X[y == "techno"], smoothness=0)
    >>> maps.shape, float(maps.max())
    ((20, 20, 8), 1.0)
    """
    network = find_network(estimator)
    X = np.asarray(check_spectrograms(network, X, reset=False), dtype=np.float32)
    if genres is None:
        units = network.predict_proba(X).argmax(axis=1)
    else:
        check_consistent_length(X, genres)
        units = genre_units(network, genres, "genres")

    from scipy.ndimage import gaussian_filter

    maps = np.empty_like(X)
    for clip, contribution in enumerate(contributions(network, X, units, n_steps)):
        smoothed = gaussian_filter(contribution, smoothness, mode="nearest")
        positive = np.maximum(smoothed, 0)
        maps[clip] = positive / (positive.max() or 1)
    return maps


def contributions(
    network: BaseGenreClassifier, X: NDArray, units: NDArray, n_steps: int
) -> NDArray:
    """Return what each frame and band adds to the genre's value."""
    from skgenre.inspection._filters._layer_graph import layer_graph
    from skgenre.runtime._keras import shield_from_interrupts

    # isort: split
    import tensorflow as tf

    values, _ = layer_graph(network, "genre")

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, *X.shape[1:]), tf.float32),
            tf.TensorSpec((), tf.int32),
        ],
        jit_compile=False,
        autograph=False,
    )
    def gradient(x: tf.Tensor, unit: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(values(x)[..., unit])
        return tape.gradient(value, x)

    # Called as such, TensorFlow doesn't warn that every network has its own graph.
    traced = shield_from_interrupts(gradient.get_concrete_function)()
    loudness = (np.arange(n_steps, dtype=np.float32) + 0.5) / n_steps
    result = np.zeros_like(X)
    for clip, unit in enumerate(units.astype(np.int32)):
        floor = X[clip].min()
        sound = X[clip] - floor
        for first in range(0, n_steps, _BATCH):
            some = loudness[first : first + _BATCH, np.newaxis, np.newaxis]
            on_the_path = tf.constant(floor + some * sound)
            result[clip] += traced(on_the_path, tf.constant(unit)).numpy().sum(axis=0)
        result[clip] *= sound / n_steps
    return result
