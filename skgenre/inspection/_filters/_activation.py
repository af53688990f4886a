"""Spectrograms that activate the filters of a layer most."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch, check_array, check_random_state

from skgenre._sklearn_compat import Interval, validate_params
from skgenre.inspection._filters._genre_units import genre_units
from skgenre.inspection._fitted_parts import find_network

# The paper's figure 8 has the 16 filters of the first block and 24 of the fifth.
_N_FILTERS = 24
# Filters processed at a time; more would be no faster and need more memory.
_BATCH = 8
_START_NOISE = 1.0  # dB
_JITTER = 8  # frames


@validate_params(
    {
        "layer": [str],
        "filters": ["array-like", None],
        "start": ["array-like", None],
        "n_steps": [Interval(Integral, 1, None, closed="left")],
        "smoothness": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "top_db": [Interval(Real, 0, None, closed="neither")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def maximize_activation(
    estimator: Any,
    layer: str,
    filters: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
    n_steps: int = 64,
    smoothness: float = 1.0,
    l2: float = 0.03,
    top_db: float = 80.0,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Return the spectrograms that activate the filters of a layer most.

    Gradient ascent on the input [1]_, in dB. It shows what a filter, a unit of the
    embedding or a genre has learned to respond to.

    Parameters
    ----------
    estimator : estimator
        Fitted network, or a Pipeline, `SegmentClassifier` or other estimator with one
        inside. It is not changed.
    layer : str
        Name of the layer, as `summary` of the network lists them: 'conv1', ...,
        'embedding', or 'genre' for 'what sounds most like this genre'.
    filters : array-like of shape (n_filters,), default=None
        Numbers of the filters or units, from 0; of the layer 'genre', genres. None
        takes the first 24, or all genres.
    start : array-like of shape (n_frames, n_mels), default=None
        Spectrogram to start from, in dB, such as the mean of the training clips. None
        takes the one that the network's own scaling turns into zeros: with
        ``input_scaling='standardize'`` that mean, with ``'log'`` 0 dB everywhere, which
        is louder than music.
    n_steps : int, default=64
        Steps of the ascent.
    smoothness : float, default=1.0
        Standard deviation, in frames and in mel bands, of the Gaussian by which each
        step is smoothed; 0 leaves it as rough as the gradient is, for filters of the
        first layer that respond to changes from one frame to the next.
    l2 : float, default=0.03
        How strongly a spectrogram is drawn back to the start: what contributes little
        stays unchanged. The root mean square of the changes is at most about
        ``1 / l2`` dB.
    top_db : float, default=80.0
        Depth of the floor, in dB: the spectrograms stay between ``-top_db`` and 0.
    random_state : int, RandomState instance or None, default=None
        Decides the noise of the start and the jitter.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With the attributes:

        spectrograms : ndarray of shape (n_filters, n_frames, n_mels), float32
            In dB, one for each filter.
        activations : ndarray of shape (n_steps + 1, n_filters), float32
            Mean of each filter's values over its feature map, from the start to the
            end. Those of the layer 'genre' are its values before the softmax, minus
            their mean over the genres.
        filters : ndarray of shape (n_filters,)
            Numbers of the filters, or genres.
        layer : str
            As given.

    Raises
    ------
    ValueError
        If there is no network, it has no such layer or the layer no such filter, or
        `start` has another shape.

    See Also
    --------
    FilterActivationDisplay : Draws the result.
    sonify : Makes it audible.
    saliency : Parts of a given clip that speak for a genre.

    Notes
    -----
    All filters start from the same spectrogram, with 1 dB of noise. The mean over the
    filter's feature map is maximised. The gradient is smoothed, scaled to a root mean
    square of 1 for each filter, reduced by `l2` times the distance from the start, and
    followed with momentum, in ever smaller steps. Before each step the input is shifted
    by up to 8 frames, so that nothing settles on the grid of the pooling [2]_.

    Where a ReLU is inactive, a tenth of the gradient passes all the same: filters that
    are inactive at the start would have none. Some stay inactive, because no
    spectrogram between ``-top_db`` and 0 dB activates them. With
    ``input_scaling='log'``, whose values are never positive, this holds for filters of
    the first layer that have only positive weights; those with negative weights are
    active already where it is quiet, and can rise little from there.

    Filters are processed in batches, by one graph; a filter's spectrogram doesn't
    depend on the other filters of the call.

    References
    ----------
    .. [1] D. Erhan, Y. Bengio, A. Courville, P. Vincent, "Visualizing higher-layer
       features of a deep network", Technical Report 1341, University of Montreal,
       2009.
    .. [2] C. Olah, A. Mordvintsev, L. Schubert, "Feature visualization", Distill, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import CRNNClassifier
    >>> from skgenre.inspection import maximize_activation
    >>> X = np.random.default_rng(0).normal(-40, 5, size=(40, 20, 8))
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> X[y == "techno", :, :4] += 20
    >>> crnn = CRNNClassifier(filters=(8,), lstm_units=8, epochs=5, random_state=0)
    >>> most = maximize_activation(crnn.fit(X, y), "genre", random_state=0)
    >>> most.filters.tolist(), most.spectrograms.shape
    (['folk', 'techno'], (2, 20, 8))
    >>> bool((most.activations[-1] > most.activations[0]).all())
    True
    """
    network = find_network(estimator)
    from skgenre.inspection._filters._ascent import ascent
    from skgenre.inspection._filters._layer_graph import layer_graph

    # isort: split
    import tensorflow as tf

    values, n_units = layer_graph(network, layer, leaky_backward=True)
    is_genre = layer == "genre"
    if is_genre:
        units = genre_units(network, filters, "filters")
    else:
        units = _filter_units(layer, n_units, filters)

    n_frames, n_mels = network.network_parameters_["input_shape"]
    random = check_random_state(random_state)
    noise = random.normal(0, _START_NOISE, size=(n_frames, n_mels))
    middle = network.input_mean_
    if start is not None:
        middle = _check_start(start, (n_frames, n_mels))
    noisy = np.clip(middle + noise, -top_db, 0).astype(np.float32)
    jitter = min(_JITTER, n_frames // 8)
    shifts = random.randint(-jitter, jitter + 1, size=n_steps).astype(np.int32)
    shifts[0] = 0  # the first activations are those of the start itself

    ascend = ascent(values, noisy, shifts, smoothness=smoothness, l2=l2, top_db=top_db)
    spectrograms = np.empty((len(units), n_frames, n_mels), np.float32)
    activations = np.empty((n_steps + 1, len(units)), np.float32)
    for first in range(0, len(units), _BATCH):
        some = slice(first, first + _BATCH)
        found, means = ascend(tf.constant(units[some], tf.int32))
        spectrograms[some], activations[:, some] = found.numpy(), means.numpy()
    return Bunch(
        spectrograms=spectrograms,
        activations=activations,
        filters=network.classes_[units] if is_genre else units,
        layer=layer,
    )


def _check_start(start: ArrayLike, shape: tuple[int, int]) -> NDArray:
    spectrogram = check_array(start, input_name="start")
    if spectrogram.shape != shape:
        raise ValueError(
            "start must be a spectrogram of the shape that the network was fitted on, "
            f"{shape}. Got shape {spectrogram.shape}."
        )
    return spectrogram


def _filter_units(layer: str, n_units: int, filters: ArrayLike | None) -> NDArray:
    if filters is None:
        return np.arange(min(n_units, _N_FILTERS))
    units = np.asarray(filters)
    is_list = units.ndim == 1 and len(units) > 0 and units.dtype.kind in "iu"
    if not is_list or units.min() < 0 or units.max() >= n_units:
        raise ValueError(
            f"filters must be a list of numbers from 0 to {n_units - 1}: the layer "
            f"{layer!r} has {n_units} filters. Got {filters!r}."
        )
    return units
