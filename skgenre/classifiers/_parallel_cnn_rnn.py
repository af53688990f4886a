"""The parallel convolutional and recurrent network as a classifier."""

import os
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np

from skgenre._sklearn_compat import Interval
from skgenre.classifiers._base import BaseGenreClassifier


class ParallelCNNRNNClassifier(BaseGenreClassifier):
    """Classify spectrograms by genre with a CNN and an RNN side by side.

    Five blocks of two-dimensional convolutions and a bidirectional GRU read the same
    spectrogram; their outputs, joined, are the clip's embedding, from which a dense
    layer gives each genre its probability [1]_. The defaults are the report's, except
    `input_scaling`; `paper` has its exact recipe.

    Parameters
    ----------
    filters : sequence of int, default=(16, 32, 64, 64, 64)
        Filters of each convolution block; as many blocks as numbers.
    kernel_size : sequence of (int, int), default=(3, 1)
        Frames and mel bands that a filter spans.
    pool_sizes : sequence of (int, int), \
            default=((2, 2), (2, 2), (2, 2), (4, 4), (4, 4))
        Frames and mel bands that the max-pooling of each block merges.
    rnn_pool_size : sequence of (int, int), default=(4, 2)
        Frames and mel bands merged before the GRU.
    gru_units : int, default=64
        Size of the GRU's state, for each of the two directions.
    time_mask : int, default=0
        Most frames that a mask of SpecAugment hides, in training; each clip has two
        masks of random width.
    frequency_mask : int, default=0
        Most mel bands that a mask hides; each clip has two.
    input_scaling : {'standardize', 'log'}, default='standardize'
        What happens to the dB values before the network: 'standardize' gives every
        mel band zero mean and unit variance over the training clips; 'log' makes them
        natural logarithms of the power, as in the report.
    optimizer : {'adam', 'adamw', 'rmsprop', 'sgd'}, default='rmsprop'
        Keras optimiser.
    learning_rate : float, default=0.0005
        Its learning rate at the start.
    learning_rate_schedule : {'plateau', 'cosine'}, default='plateau'
        'plateau' lowers the learning rate where training no longer gets better, as
        the `plateau_` parameters say; 'cosine' lowers it to zero along a half cosine
        over the `epochs` of `fit`; `partial_fit`, whose calls are one epoch each,
        doesn't lower it.
    label_smoothing : float, default=0.0
        Share of each clip's weight that is spread over all genres in the loss.
    batch_size : int, default=64
        Clips in a training step.
    epochs : int, default=50
        Passes over the training clips, at the most.
    validation_fraction : float, default=0.1
        Share of the clips that `fit` holds out, stratified by genre (and parted by
        group where groups are given), to lower the learning rate and to choose the
        epoch whose weights are kept: the best by accuracy, and by loss among equals.
        With 0, or where no clip can be spared, the accuracy in training is watched and
        the last epoch is kept.
    plateau_patience : int or None, default=10
        Only for the 'plateau' schedule: epochs without a rise of `plateau_min_delta`
        in the watched accuracy before the learning rate is lowered; None never lowers
        it.
    plateau_factor : float, default=0.5
        What the learning rate is then multiplied by.
    plateau_min_delta : float, default=0.01
        The least rise that counts.
    early_stopping_patience : int or None, default=None
        Epochs without a new best accuracy before training ends; None trains all
        `epochs`.
    class_weight : 'balanced', dict or None, default=None
        Weight of each genre in the loss: 'balanced' makes all genres count the same
        however many clips they have; a dict gives {genre: weight}.
    precision : {'float32', 'mixed_bfloat16', 'mixed_float16'}, default='float32'
        Arithmetic inside the network. 'mixed_bfloat16' is faster on processors and
        GPUs that have it and much slower on others; 'mixed_float16', with a loss that
        is scaled so that gradients don't vanish, is for older GPUs.
    warm_start : bool, default=False
        Whether another `fit` continues from the weights of the last one, on clips of
        the same size and genres, instead of starting anew. `history_` and `n_iter_`
        go on; the learning rate starts at `learning_rate` again.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the validation clips, the order of the batches,
        the masks and the dropout. With an int, two fits on one machine are identical.
    checkpoint_dir : str, PathLike or None, default=None
        Folder in which `fit` keeps the state of the training after each epoch, to go
        on from there where it is called with the same parameters and data again after
        it was cut off; the result is that of one go. Needs a `random_state`; the file
        is deleted when the fit has ended. None keeps nothing.
    verbose : int or bool, default=0
        0 is silent, 1 shows Keras's progress bar, 2 prints a line an epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted.
    history_ : dict of str to list of float
        For each epoch: 'loss', 'accuracy', 'learning_rate' (unless it is
        constant) and, with validation clips, 'val_loss' and 'val_accuracy'.
    n_iter_ : int
        Number of epochs trained.
    input_mean_, input_scale_ : ndarray of shape (n_mels,)
        What is subtracted from each mel band, and what it is then divided by.
    weights_ : list of ndarray
        Weights of the network, in Keras's order.
    optimizer_state_ : list
        Name of the optimiser and what it remembers; only after `partial_fit` or with
        `warm_start`.
    network_parameters_ : dict
        What the network was built with.
    keras_classifier_ : scikeras.wrappers.KerasClassifier
        The fitted network as scikeras wraps it, with the Keras model as its
        ``model_``; built anew at each access, and not listed by ``dir``.
    n_features_in_ : int
        Number of frames of the clips seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`; only for a data frame with string names.

    See Also
    --------
    CRNNClassifier : Convolutions first, a recurrent layer after them.
    skgenre.MelSpectrogramTransformer : Makes the spectrograms.
    skgenre.EmbeddingKMeans : Clusters the embeddings.

    Notes
    -----
    Where a kernel or a pool is larger than what reaches it, the convolution pads and
    the pool shrinks, so that clips of any size train. At 640 frames x 128 bands, 256
    values of the convolutions and 128 of the GRU make the embedding.

    References
    ----------
    .. [1] P. Dwivedi, "Deep Learning for Music Genre Recognition", section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import ParallelCNNRNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 20, 8)) + np.repeat([0, 3], 20)[:, None, None]
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> parallel = ParallelCNNRNNClassifier(
    ...     filters=(4,),
    ...     pool_sizes=((2, 2),),
    ...     gru_units=8,
    ...     epochs=15,
    ...     learning_rate=0.01,
    ...     random_state=0,
    ... )
    >>> parallel.fit(X, y).score(X, y)
    1.0
    """

    _network = "parallel_cnn_rnn"
    _training_parameters: ClassVar[dict[str, Any]] = {"for_training": True}
    _network_parameters = (
        "filters",
        "kernel_size",
        "pool_sizes",
        "rnn_pool_size",
        "gru_units",
        "time_mask",
        "frequency_mask",
    )
    _integers: ClassVar = {
        "filters": (None,),
        "kernel_size": (2,),
        "pool_sizes": ("filters", 2),
        "rnn_pool_size": (2,),
    }
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseGenreClassifier._parameter_constraints,
        "filters": ["array-like"],
        "kernel_size": ["array-like"],
        "pool_sizes": ["array-like"],
        "rnn_pool_size": ["array-like"],
        "gru_units": [Interval(Integral, 1, None, closed="left")],
        "time_mask": [Interval(Integral, 0, None, closed="left")],
        "frequency_mask": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        filters: Sequence[int] = (16, 32, 64, 64, 64),
        kernel_size: Sequence[int] = (3, 1),
        pool_sizes: Sequence[Sequence[int]] = ((2, 2), (2, 2), (2, 2), (4, 4), (4, 4)),
        rnn_pool_size: Sequence[int] = (4, 2),
        gru_units: int = 64,
        time_mask: int = 0,
        frequency_mask: int = 0,
        input_scaling: str = "standardize",
        optimizer: str = "rmsprop",
        learning_rate: float = 0.0005,
        learning_rate_schedule: str = "plateau",
        label_smoothing: float = 0.0,
        batch_size: int = 64,
        epochs: int = 50,
        validation_fraction: float = 0.1,
        plateau_patience: int | None = 10,
        plateau_factor: float = 0.5,
        plateau_min_delta: float = 0.01,
        early_stopping_patience: int | None = None,
        class_weight: dict | str | None = None,
        precision: str = "float32",
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        checkpoint_dir: str | os.PathLike | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            input_scaling=input_scaling,
            optimizer=optimizer,
            learning_rate=learning_rate,
            learning_rate_schedule=learning_rate_schedule,
            label_smoothing=label_smoothing,
            batch_size=batch_size,
            epochs=epochs,
            validation_fraction=validation_fraction,
            plateau_patience=plateau_patience,
            plateau_factor=plateau_factor,
            plateau_min_delta=plateau_min_delta,
            early_stopping_patience=early_stopping_patience,
            class_weight=class_weight,
            precision=precision,
            warm_start=warm_start,
            random_state=random_state,
            checkpoint_dir=checkpoint_dir,
            verbose=verbose,
        )
        self.filters = filters
        self.kernel_size = kernel_size
        self.pool_sizes = pool_sizes
        self.rnn_pool_size = rnn_pool_size
        self.gru_units = gru_units
        self.time_mask = time_mask
        self.frequency_mask = frequency_mask

    @classmethod
    def paper(cls, **parameters: Any) -> Self:
        """Return the report's exact recipe, without what was found better since.

        Parameters
        ----------
        **parameters : dict
            More parameters, or others, such as `random_state`.

        Returns
        -------
        estimator
            Not fitted.
        """
        return cls(**{"input_scaling": "log"} | parameters)
