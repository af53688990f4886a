"""The network of second-order pooling as a classifier."""

import os
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from skgenre._sklearn_compat import Interval
from skgenre.classifiers._base import BaseGenreClassifier


class SecondOrderClassifier(BaseGenreClassifier):
    """Classify spectrograms by what sounds together, with a network for few clips.

    Each frame is turned into cepstral coefficients. The network looks at their means,
    deviations and correlations over the clip [1]_ [2]_ and at how near these are to
    some prototypes, which it learns. It hears timbre and its changes but no sequence.
    Where a few hundred labelled clips are all there is, it knows more genres than the
    report's networks.

    Parameters
    ----------
    n_mfcc : int, default=20
        Cepstral coefficients that each frame is turned into; at most as many as there
        are mel bands count.
    crop_frames : int, default=320
        Frames that are seen of the clips of a training step, from somewhere in them.
        Predictions are made from all frames.
    n_prototypes : int, default=128
        Number of prototypes: the size of the embedding that `transform` returns.
    dropout : float, default=0.2
        Share of the embedding's values that are dropped in training.
    input_scaling : {'standardize', 'log'}, default='log'
        What happens to the dB values before the network: 'standardize' gives every
        mel band zero mean and unit variance over the training clips; 'log' makes them
        natural logarithms of the power, as in the report.
    optimizer : {'adam', 'adamw', 'rmsprop', 'sgd'}, default='adamw'
        Keras optimiser.
    learning_rate : float, default=0.002
        Its learning rate at the start.
    learning_rate_schedule : {'plateau', 'cosine'}, default='cosine'
        'plateau' lowers the learning rate where training no longer gets better, as
        the `plateau_` parameters say; 'cosine' lowers it to zero along a half cosine
        over the `epochs` of `fit`; `partial_fit`, whose calls are one epoch each,
        doesn't lower it.
    label_smoothing : float, default=0.1
        Share of each clip's weight that is spread over all genres in the loss.
    batch_size : int, default=32
        Clips in a training step.
    epochs : int, default=120
        Passes over the training clips, at the most.
    validation_fraction : float, default=0.0
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
        the crops and the dropout. With an int, two fits on one machine are identical.
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
    CRNNClassifier : The report's network, which hears sequences.
    skgenre.MFCCStandardizer : With ``statistics="correlations"``, the same description
        for any classifier of scikit-learn.
    skgenre.EmbeddingKMeans : Clusters the embeddings.

    Notes
    -----
    Before training, the descriptions are scaled by their mean and variance over the
    training clips. With ``input_scaling='log'`` the coefficients are those of the
    logarithm of the power, MFCCs up to a factor. A table (n_clips, n_features) is taken
    for clips of one frame.

    References
    ----------
    .. [1] M. Mandel, D. Ellis, "Song-level features and support vector machines for
       music classification", ISMIR 2005.
    .. [2] J. Carreira, R. Caseiro, J. Batista, C. Sminchisescu, "Semantic segmentation
       with second-order pooling", ECCV 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skgenre import SecondOrderClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(40, 20, 8)) + np.repeat([0, 3], 20)[:, None, None]
    >>> y = np.repeat(["folk", "techno"], 20)
    >>> network = SecondOrderClassifier(
    ...     n_prototypes=16, epochs=50, learning_rate=0.02, random_state=0
    ... )
    >>> network.fit(X, y).score(X, y)
    1.0
    >>> network.transform(X).shape
    (40, 16)
    """

    _network = "second_order"
    _network_parameters = ("n_mfcc", "crop_frames", "n_prototypes", "dropout")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseGenreClassifier._parameter_constraints,
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "crop_frames": [Interval(Integral, 1, None, closed="left")],
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        n_mfcc: int = 20,
        crop_frames: int = 320,
        n_prototypes: int = 128,
        dropout: float = 0.2,
        input_scaling: str = "log",
        optimizer: str = "adamw",
        learning_rate: float = 0.002,
        learning_rate_schedule: str = "cosine",
        label_smoothing: float = 0.1,
        batch_size: int = 32,
        epochs: int = 120,
        validation_fraction: float = 0.0,
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
        self.n_mfcc = n_mfcc
        self.crop_frames = crop_frames
        self.n_prototypes = n_prototypes
        self.dropout = dropout
