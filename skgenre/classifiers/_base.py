"""What every network classifier is before it is fitted: parameters and one fit."""

import os
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skgenre._sklearn_compat import Interval, StrOptions, fit_context
from skgenre.classifiers._checks import (
    Rows,
    check_all_genres_count,
    check_classes,
    check_genres,
    check_groups,
    check_several,
    check_spectrograms,
    check_validation_data,
    check_weights,
    genre_numbers,
)
from skgenre.classifiers._fitted import FittedNetwork
from skgenre.classifiers._input_scaling import band_statistics
from skgenre.classifiers._validation_split import validation_rows

if TYPE_CHECKING:
    from skgenre.classifiers._training._train import ClipRows


class BaseGenreClassifier(FittedNetwork):
    """Base of the classifiers that train a Keras network on spectrograms.

    A subclass adds its constructor, its documentation, `_parameter_constraints` on top
    of these, and two class attributes: the network to build and which of the parameters
    that network takes. Fitted state is plain data; Keras is imported when a network is
    first trained or asked.
    """

    _network_parameters: ClassVar[Sequence[str]]
    """Parameters of the estimator that the network is built with."""

    # With metadata routing on, groups that are given reach the validation split.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "input_scaling": [StrOptions({"standardize", "log"})],
        "optimizer": [StrOptions({"adam", "adamw", "rmsprop", "sgd"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions({"plateau", "cosine"})],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "plateau_patience": [Interval(Integral, 1, None, closed="left"), None],
        "plateau_factor": [Interval(Real, 0, 1, closed="neither")],
        "plateau_min_delta": [Interval(Real, 0, None, closed="left")],
        "early_stopping_patience": [Interval(Integral, 1, None, closed="left"), None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "precision": [StrOptions({"float32", "mixed_bfloat16", "mixed_float16"})],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "checkpoint_dir": [str, os.PathLike, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        input_scaling: str,
        optimizer: str,
        learning_rate: float,
        learning_rate_schedule: str,
        label_smoothing: float,
        batch_size: int,
        epochs: int,
        validation_fraction: float,
        plateau_patience: int | None,
        plateau_factor: float,
        plateau_min_delta: float,
        early_stopping_patience: int | None,
        class_weight: dict | str | None,
        precision: str,
        warm_start: bool,
        random_state: int | np.random.RandomState | None,
        checkpoint_dir: str | os.PathLike | None,
        verbose: int,
    ) -> None:
        self.input_scaling = input_scaling
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.label_smoothing = label_smoothing
        self.batch_size = batch_size
        self.epochs = epochs
        self.validation_fraction = validation_fraction
        self.plateau_patience = plateau_patience
        self.plateau_factor = plateau_factor
        self.plateau_min_delta = plateau_min_delta
        self.early_stopping_patience = early_stopping_patience
        self.class_weight = class_weight
        self.precision = precision
        self.warm_start = warm_start
        self.random_state = random_state
        self.checkpoint_dir = checkpoint_dir
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    ) -> Self:
        """Train the network on spectrograms and their genres.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB. A :class:`~skgenre.features.SpectrogramFile` or a memory
            map is read batch by batch. An array of shape (n_clips, n_features) counts
            as a series of one band.
        y : array-like of shape (n_clips,)
            Genres; strings, numbers or booleans.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips in the loss and in the accuracy; clips of weight 0
            are left out.
        groups : array-like of shape (n_clips,), default=None
            Artists. Clips of one are not parted by the validation split. With
            metadata routing on, `fit` asks for them by default.
        validation_data : tuple of (X, y), default=None
            Used instead of a part of `X` to choose the learning rate and the best
            epoch.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If fewer than two genres are given, values are not finite, lengths do not
            match, training diverged, or `checkpoint_dir` is set and `random_state`
            is not.
        OSError
            If nothing can be written to `checkpoint_dir`.
        """
        if self.checkpoint_dir is not None and self.random_state is None:
            raise ValueError(
                "checkpoint_dir needs a random_state: without, no fit is the same "
                "again, and none can go on where another was cut off. Set an int."
            )
        continues = self.warm_start and hasattr(self, "weights_")
        X = check_spectrograms(self, X, reset=not continues)
        y = check_genres(self, X, y)
        groups = check_groups(X, groups)
        classes = self.classes_ if continues else np.unique(y)
        self._begin(X, classes, continues=continues)
        codes = genre_numbers(self, y, "y")
        weights = check_weights(self, X, codes, sample_weight)
        check_all_genres_count(self, codes, weights)
        random_state = self._random_state()

        rows = np.flatnonzero(weights)
        if validation_data is None:
            chosen = validation_rows(
                codes[rows],
                None if groups is None else groups[rows],
                self.validation_fraction,
                random_state,
            )
            validation = (X, codes, weights, rows[chosen])
            rows = np.delete(rows, chosen)
        else:
            X_val, codes_val = check_validation_data(self, validation_data)
            ones = np.ones(len(X_val), np.float32)
            validation = (X_val, codes_val, ones, np.arange(len(X_val)))

        if not continues:
            self._learn_scaling(X, rows)
        self._train(
            (X, codes, weights, rows),
            validation,
            random_state,
            epochs=self.epochs,
            keep_optimizer=self.warm_start,
            checkpoint_dir=self.checkpoint_dir,
        )
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one more epoch, on these clips alone.

        Nothing is held out to validate on. The first call learns all scaling: give it
        some dozens of clips, of all genres. The optimiser's state is kept from call to
        call.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.
        y : array-like of shape (n_clips,)
            Genres; members of `classes`.
        classes : array-like of shape (n_classes,), default=None
            All genres that will come; required in the first call.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips in the loss and in the accuracy.

        Returns
        -------
        self : object
            The estimator, trained further.

        Raises
        ------
        ValueError
            If the first call comes without `classes`, a later one with others, or `y`
            has a genre that is none of them.
        """
        continues = hasattr(self, "weights_")
        classes = check_classes(
            self, classes, known=self.classes_ if continues else None
        )
        X = check_spectrograms(self, X, reset=not continues)
        y = check_genres(self, X, y)
        self._begin(X, classes, continues=continues)
        codes = genre_numbers(self, y, "y")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not for partial_fit, which does not see "
                "all clips. Pass a dict of weights, or sample_weight."
            )
        weights = check_weights(self, X, codes, sample_weight)
        rows, nothing = np.flatnonzero(weights), np.empty(0, np.intp)
        if not continues:
            self._learn_scaling(X, rows)
        self._train(
            (X, codes, weights, rows),
            (X, codes, weights, nothing),
            self._random_state(),
            epochs=1,
            keep_optimizer=True,
        )
        return self

    def _begin(self, X: Rows, classes: NDArray, *, continues: bool) -> None:
        """Fix the genres and the network, or check that they are the same."""
        self._check_params()
        network_parameters = {
            "input_shape": X.shape[1:],
            "n_classes": len(classes),
            "precision": self.precision,
            **{name: plain(getattr(self, name)) for name in self._network_parameters},
        }
        if continues:
            changed = [
                name
                for name, value in network_parameters.items()
                if value != self.network_parameters_[name]
            ]
            if changed:
                raise ValueError(
                    f"{', '.join(changed)} changed since the last training, which "
                    "can't be continued so. Set it back, or fit a clone."
                )
            return
        check_several(self, classes)
        # A fit that fails leaves an estimator that is not fitted.
        for name in ("weights_", "optimizer_state_", "history_", "n_iter_"):
            self.__dict__.pop(name, None)
        self.classes_ = classes
        self.network_parameters_ = network_parameters

    def _learn_scaling(self, X: Rows, rows: NDArray) -> None:
        self.input_mean_, self.input_scale_ = band_statistics(
            X, rows, self.input_scaling
        )

    def _random_state(self) -> np.random.RandomState:
        # NumPy's global generator is left alone, which `check_random_state` would use.
        if self.random_state is None:
            return np.random.RandomState()
        return check_random_state(self.random_state)

    def _train(
        self,
        training: "ClipRows",
        validation: "ClipRows",
        random_state: np.random.RandomState,
        *,
        epochs: int,
        keep_optimizer: bool,
        checkpoint_dir: str | os.PathLike | None = None,
    ) -> None:
        """Train on the rows; keep the weights and the history as plain data."""
        from skgenre.classifiers._training._train import train

        history: dict[str, list[float]] = getattr(self, "history_", {})
        n_before = len(history.get("loss", []))
        # Other seeds for each epoch that is trained by a call of its own.
        seeds = random_state.randint(2**31 - 1, size=(n_before + 1, 2))[-1]
        trained = train(
            self,
            training,
            validation,
            epochs=epochs,
            network_seed=int(seeds[0]),
            shuffle_seed=int(seeds[1]),
            checkpoint_dir=checkpoint_dir,
        )
        self.weights_ = trained.weights
        if keep_optimizer:
            self.optimizer_state_ = trained.optimizer_state
        n_new = len(trained.history["loss"])
        self.history_ = {
            name: history.get(name, [np.nan] * n_before)
            + trained.history.get(name, [np.nan] * n_new)
            for name in history | trained.history
        }
        self.n_iter_ = n_before + n_new

    def _check_params(self) -> None:
        """Check what depends on several parameters at once."""


def plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, and lists as tuples."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value
