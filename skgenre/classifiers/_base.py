"""The base of all network classifiers: parameters, fit and prediction."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags, check_random_state, gen_batches
from sklearn.utils.validation import check_is_fitted

from skgenre._sklearn_compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
)
from skgenre.classifiers._checks import (
    Rows,
    as_spectrograms,
    check_all_genres_count,
    check_classes,
    check_finite,
    check_groups,
    check_integers,
    check_spectrograms,
    check_target,
    check_two_genres,
    check_validation_data,
    check_weights,
    genre_codes,
    keep_target,
    scaled,
    several_weights,
)
from skgenre.classifiers._several_genres import (
    INDICATOR,
    ONE,
    SeveralGenres,
    Target,
    best_thresholds,
)
from skgenre.classifiers._training._data import (
    ClipRows,
    band_statistics,
    hold_out,
)
from skgenre.runtime._layer_sizes import embedding_size, layer_shapes

if TYPE_CHECKING:
    from skgenre.classifiers._training._train import (
        EpochTasks,
        NetworkState,
        Recipe,
        Trained,
    )
    from skgenre.classifiers._training._wrapper import NetworkClassifier

# Clips in a batch of predictions, which zeros fill up. If the number of rows varied, so
# would the last digits: a clip has one prediction, whatever other clips come with it.
_BATCH_SIZE = 8
_OPTIMIZERS = {
    *("adafactor", "adagrad", "adam", "adamax", "adamw", "lamb", "lion", "nadam"),
    *("rmsprop", "sgd"),
}


class BaseGenreClassifier(
    SeveralGenres,
    CallbackSupportMixin,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Base of the classifiers that train a Keras network on spectrograms.

    A subclass adds its constructor, its documentation, `_parameter_constraints` on top
    of these, and class attributes: the network to build, and which of the parameters
    that network takes. Fitted state is plain data: genres, weights, scaling, and what
    the network was built with. Keras, or ONNX Runtime, is imported when a network is
    first trained or predicts.
    """

    _network: ClassVar[str]
    """Name of the function in `skgenre.networks` that builds the network."""

    _network_parameters: ClassVar[Sequence[str]]
    """Parameters of the estimator that the network is built with."""

    _training_parameters: ClassVar[dict[str, Any]] = {}
    """More parameters of that function where the network is to be trained."""

    _integers: ClassVar[Mapping[str, tuple[int | str | None, ...]]] = {}
    """Shapes of the parameters that are sequences of integers, for `check_integers`.

    The name of another of these parameters stands for its length.
    """

    _runtime = "keras"
    """Or 'onnx': what runs the network in prediction; :func:`skgenre.load` chooses."""

    classes_: NDArray
    history_: dict[str, list[float]]
    input_mean_: NDArray
    input_scale_: NDArray
    network_parameters_: dict[str, Any]
    weights_: list[NDArray]

    # With metadata routing on, groups that are given reach the validation split.
    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "input_scaling": [StrOptions({"standardize", "log"})],
        "optimizer": [
            StrOptions(_OPTIMIZERS),
            dict,
            HasMethods(["apply_gradients", "get_config"]),
        ],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions({"plateau", "cosine"})],
        "loss": [str, dict, callable, None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "metrics": [list, tuple, None],
        "callbacks": [list, tuple, callable, HasMethods(["on_epoch_end"]), None],
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
        optimizer: Any,
        learning_rate: float,
        learning_rate_schedule: str,
        loss: Any,
        label_smoothing: float,
        metrics: Sequence[Any] | None,
        callbacks: Any,
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
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.metrics = metrics
        self.callbacks = callbacks
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
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres; strings, numbers or booleans. Several a clip are 0 and 1 in a
            column for each genre (the names of a data frame's columns are theirs), or
            a list of genres for each clip.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips in the loss and in the accuracy; clips of weight 0
            are left out.
        groups : array-like of shape (n_clips,), default=None
            Artists. The validation split keeps the clips of an artist together. With
            metadata routing on, `fit` requests them by default.
        validation_data : tuple of (X, y), default=None
            Used instead of some clips of `X` to choose the learning rate and the best
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
            is not, or the loss, the optimiser or a layer is code of your own.
        RuntimeError
            If a global setting of Keras would change the training, or TensorFlow has a
            distribution strategy, under which the process may crash.
        OSError
            If nothing can be written to `checkpoint_dir`.
        """
        if self.checkpoint_dir is not None and self.random_state is None:
            raise ValueError(
                "checkpoint_dir needs a random_state: without one, no two fits are the "
                "same, and none can resume where another was cut off. Set an int."
            )
        tasks = None
        if hasattr(self, "_skl_callbacks"):  # by `set_callbacks`
            tasks = _Tasks(self, X, y, sample_weight)
        continues = self.warm_start and hasattr(self, "weights_")
        X = check_spectrograms(self, X, reset=not continues)
        target = check_target(self, X, y)
        groups = check_groups(X, groups)
        self._set_network(X, target, continues=continues)
        codes = genre_codes(self, target, "y")
        weights = check_weights(self, X, codes, sample_weight)
        check_all_genres_count(self, codes, weights)
        random_state = self._random_state()

        training = ClipRows(X, codes, weights, np.flatnonzero(weights))
        if validation_data is None:
            training, validation = hold_out(
                training, groups, self.validation_fraction, random_state
            )
        else:
            X_val, codes_val = check_validation_data(self, validation_data)
            ones = np.ones(len(X_val), np.float32)
            validation = ClipRows(X_val, codes_val, ones, np.arange(len(X_val)))

        if not continues:
            self._learn_scaling(training)
        self._learn_weights(
            training,
            validation,
            random_state,
            epochs=self.epochs,
            keep_optimizer=self.warm_start,
            checkpoint_dir=self.checkpoint_dir,
            tasks=tasks,
        )
        if self.y_type_ != ONE:
            self._choose_thresholds(validation)
        if tasks is not None:
            tasks.close()
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one more epoch, on these clips only.

        Nothing is held out to validate on. The first call learns all scaling: give it
        some dozens of clips, of all genres. The optimiser's state is kept from call to
        call.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.
        y : array-like of shape (n_clips,) or (n_clips, n_classes)
            Genres, as in `fit`; members of `classes`.
        classes : array-like of shape (n_classes,), default=None
            All genres that will come, of columns in their order; required in the first
            call.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips in the loss and in the accuracy.

        Returns
        -------
        self : object
            The estimator, trained further.

        Raises
        ------
        ValueError
            If the first call has no `classes`, a later one has others, or `y` has a
            genre that is not among them.
        """
        continues = hasattr(self, "weights_")
        X = check_spectrograms(self, X, reset=not continues)
        target = check_target(self, X, y)
        classes = check_classes(
            self,
            classes,
            known=self.classes_ if continues else None,
            ordered=target.y_type == INDICATOR,
        )
        self._set_network(X, target._replace(classes=classes), continues=continues)
        codes = genre_codes(self, target, "y")
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' is not for partial_fit, which does not see "
                "all clips. Pass a dict of weights, or sample_weight."
            )
        weights = check_weights(self, X, codes, sample_weight)
        training = ClipRows(X, codes, weights, np.flatnonzero(weights))
        if not continues:
            self._learn_scaling(training)
        self._learn_weights(
            training,
            training._replace(rows=np.empty(0, np.intp)),
            self._random_state(),
            epochs=1,
            keep_optimizer=True,
        )
        if self.y_type_ != ONE and not continues:
            self.thresholds_ = np.full(len(self.classes_), 0.5)
        return self

    @property
    def keras_classifier_(self) -> "NetworkClassifier":
        """The fitted scikeras ``KerasClassifier``, rebuilt at each access."""
        check_is_fitted(self)
        from skgenre.classifiers._training._train import wrap

        keras_classifier = wrap(
            *self._network_and_recipe(), pooled=False, verbose=0, model__seed=0
        )
        shape = self.network_parameters_["input_shape"]
        keras_classifier.build(self.classes_, shape, several=self.y_type_ != ONE)
        keras_classifier.history_ = self.history_
        return keras_classifier

    def __dir__(self) -> list[str]:
        """Return the names of the attributes, without the one that builds a network.

        scikit-learn gets the value of each to list them, and again to show them in
        notebooks.
        """
        return [
            name
            for name in object.__dir__(self)
            if name != "keras_classifier_" and hasattr(self, name)
        ]

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether there are weights: a fit that failed leaves none."""
        return hasattr(self, "weights_")

    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Return the probability of each genre.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`. Rows sum to 1, unless clips may have
            several genres.

        Raises
        ------
        ValueError
            If the clips are not as large as those of `fit`, or their values are out of
            all proportion, so that the network's output is not finite.
        """
        probabilities = self._outputs(X)[0].astype(np.float64)
        if self.y_type_ != ONE:
            return probabilities
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict_log_proba(self, X: ArrayLike) -> NDArray:
        """Return the logarithm of the probability of each genre.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`; -inf for a probability of 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable genre of each clip, or several genres.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.

        Returns
        -------
        ndarray of shape (n_clips,) or (n_clips, n_classes)
            Members of `classes_`. Where clips may have several genres, all whose
            probability reaches their threshold, in the form of y: 0 and 1 in columns,
            or a tuple of genres for each clip.
        """
        probabilities = self.predict_proba(X)
        if self.y_type_ != ONE:
            return self._written(probabilities >= self.thresholds_)
        return self.classes_[probabilities.argmax(axis=1)]

    def transform(self, X: ArrayLike) -> NDArray:
        """Return each clip's embedding: the layer before the genres.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.

        Returns
        -------
        ndarray of shape (n_clips, n_components), float32
            The values of the layer named 'embedding'.
        """
        return self._outputs(X)[1]

    def summary(self) -> None:
        """Print the layers of the fitted network, as Keras does."""
        check_is_fitted(self)
        from skgenre import networks

        getattr(networks, self._network)(**self.network_parameters_).summary()

    def _outputs(self, X: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return the probabilities and the embeddings of all clips."""
        check_is_fitted(self)
        return self._outputs_of_rows(as_spectrograms(self, X, reset=False))

    def _outputs_of_rows(self, rows: Rows) -> tuple[NDArray, NDArray]:
        if self._runtime == "onnx":
            return self._batch_by_batch(rows, self._run_onnx)
        from skgenre.runtime._keras import shield_from_interrupts

        return shield_from_interrupts(self._batch_by_batch)(rows, self._run_keras)

    def _batch_by_batch(
        self, rows: Rows, run: Callable[[NDArray], tuple[NDArray, NDArray]]
    ) -> tuple[NDArray, NDArray]:
        outputs = []
        for start in range(0, len(rows), _BATCH_SIZE):
            clips = np.asarray(rows[start : start + _BATCH_SIZE])
            check_finite(self, clips, first=start)
            outputs.append(run(clips))
            for values in outputs[-1]:
                self._check_outputs(values, clips, start)
        probabilities, embeddings = zip(*outputs, strict=True)
        return np.concatenate(probabilities), np.concatenate(embeddings)

    def _run_keras(self, clips: NDArray) -> tuple[NDArray, NDArray]:
        from skgenre import networks
        from skgenre.runtime._keras import stop_if_interrupted
        from skgenre.runtime._keras_function import predictor

        stop_if_interrupted()
        predict = predictor(
            getattr(networks, self._network),
            tuple(self.network_parameters_.items()),
            tuple(weights.shape for weights in self.weights_),
        )
        padded = np.zeros((_BATCH_SIZE, *clips.shape[1:]), np.float32)
        padded[: len(clips)] = scaled(clips, self.input_mean_, self.input_scale_)
        probabilities, embedding = predict(self.weights_, padded)
        return probabilities.numpy()[: len(clips)], embedding.numpy()[: len(clips)]

    def _run_onnx(self, clips: NDArray) -> tuple[NDArray, NDArray]:
        from skgenre.runtime._networks import classifier_graph
        from skgenre.runtime._trained import trained_network

        network = trained_network(classifier_graph, *self._graph_arguments())
        with np.errstate(over="ignore", under="ignore"):  # as in `scaled`
            clips = clips.astype(np.float32)
        # One by one: no slower here, and each clip has one prediction as well.
        outputs = [network(clip[np.newaxis]) for clip in clips]
        probabilities, embedding = (
            np.concatenate([output[name] for output in outputs])
            for name in ("probabilities", "embedding")
        )
        return probabilities, embedding

    def _check_outputs(self, output: NDArray, clips: NDArray, first: int) -> None:
        """Refuse output that is not finite; `first` is the row of the first clip."""
        is_bad = ~np.isfinite(output).all(axis=1)
        if is_bad.any():
            row = int(is_bad.argmax())
            raise ValueError(
                f"{type(self).__name__} has no finite output for clip {first + row} of "
                f"X, whose values go up to {np.abs(clips[row]).max():.3g}. Give it "
                "spectrograms in dB, made as for fit."
            )

    def _graph_arguments(self) -> tuple[Any, ...]:
        """Return the arguments of `classifier_graph`."""
        return (
            self._network,
            self.network_parameters_,
            self.weights_,
            self.input_mean_,
            self.input_scale_,
        )

    @property
    def _n_features_out(self) -> int:
        return embedding_size(self._network, self.network_parameters_, self.weights_)

    def __sklearn_tags__(self) -> Tags:
        """Return scikit-learn's tags: spectrograms have three axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def _set_network(self, X: Rows, target: Target, *, continues: bool) -> None:
        """Set the genres and the network's parameters, or refuse changed ones."""
        classes = self.classes_ if continues else target.classes
        self._check_parameters()
        if not continues:
            check_two_genres(self, classes)
        several = (self.y_type_ if continues else target.y_type) != ONE
        network_parameters = self._built_with(X.shape[1:], len(classes), several)
        if continues:
            changed = [
                name
                for name, value in network_parameters.items()
                if value != self.network_parameters_[name]
            ]
            if changed:
                raise ValueError(
                    f"{', '.join(changed)} changed since the last training: another "
                    "network can't continue it. Set them back, or fit a clone."
                )
            return
        # A fit that fails leaves an estimator that is not fitted.
        for name in ("weights_", "optimizer_state_", "history_", "n_iter_"):
            self.__dict__.pop(name, None)
        keep_target(self, target)
        self.network_parameters_ = network_parameters

    def _check_parameters(self) -> None:
        """Refuse parameters that are no sequences of integers of the right shape."""
        for name, axes in self._integers.items():
            shape = (len(getattr(self, n)) if isinstance(n, str) else n for n in axes)
            check_integers(name, getattr(self, name), shape=tuple(shape))

    def _built_with(
        self, input_shape: tuple[int, ...], n_classes: int, several: bool
    ) -> dict:
        """Return what the network is built with, or refuse what can't be built."""
        parameters = {
            "input_shape": input_shape,
            "n_classes": n_classes,
            "precision": self.precision,
            **{name: plain(getattr(self, name)) for name in self._network_parameters},
        }
        if several:
            parameters["classifier_activation"] = "sigmoid"
        layer_shapes(self._network, parameters)
        return parameters

    def _learn_scaling(self, training: ClipRows) -> None:
        """Learn the mean and the scale of each mel band from the training clips."""
        self.input_mean_, self.input_scale_ = band_statistics(
            training.X, training.rows, self.input_scaling
        )

    def _choose_thresholds(self, held_out: ClipRows) -> None:
        """Choose the probability at which each genre is predicted, on clips held out.

        Half where there are none.
        """
        self.thresholds_ = np.full(len(self.classes_), 0.5)
        if len(rows := held_out.rows):
            probabilities = [
                self._outputs_of_rows(held_out.X[rows[batch]])[0]
                for batch in gen_batches(len(rows), _BATCH_SIZE)
            ]
            self.thresholds_ = best_thresholds(
                held_out.codes[rows],
                np.concatenate(probabilities).astype(np.float64),
                held_out.weights[rows],
            )

    def _random_state(self) -> np.random.RandomState:
        # NumPy's global generator is left alone, which `check_random_state` would use.
        if self.random_state is None:
            return np.random.RandomState()
        return check_random_state(self.random_state)

    def _learn_weights(
        self,
        training: ClipRows,
        validation: ClipRows,
        random_state: np.random.RandomState,
        *,
        epochs: int,
        keep_optimizer: bool,
        checkpoint_dir: str | os.PathLike | None = None,
        tasks: "EpochTasks | None" = None,
    ) -> None:
        """Train the network; keep its weights and its history as plain data."""
        from skgenre.classifiers._training._train import train

        n_before = len(getattr(self, "history_", {}).get("loss", []))
        # Other seeds for each epoch that is trained by a call of its own.
        seeds = random_state.randint(2**31 - 1, size=(n_before + 1, 2))[-1]
        trained = train(
            *self._network_and_recipe(**self._training_parameters),
            training,
            validation,
            class_weights=None
            if self.y_type_ == ONE
            else several_weights(self, training.codes, training.weights),
            epochs=epochs,
            network_seed=int(seeds[0]),
            shuffle_seed=int(seeds[1]),
            checkpoint_dir=checkpoint_dir,
            tasks=tasks,
            verbose=int(self.verbose),
        )
        learned = self._learned(trained, keep_optimizer=keep_optimizer)
        for name, value in learned.items():
            setattr(self, name, value)

    def _learned(self, trained: "Trained", *, keep_optimizer: bool) -> dict[str, Any]:
        """Return the attributes that a training sets, by name."""
        from skgenre.classifiers._training._train import optimizer_name

        history: dict[str, list[float]] = getattr(self, "history_", {})
        n_before, n_new = len(history.get("loss", [])), len(trained.history["loss"])
        learned: dict[str, Any] = {
            "weights_": trained.weights,
            "history_": {
                name: history.get(name, [np.nan] * n_before)
                + trained.history.get(name, [np.nan] * n_new)
                for name in history | trained.history
            },
            "n_iter_": n_before + n_new,
        }
        if keep_optimizer:
            name = optimizer_name(self.optimizer)
            learned["optimizer_state_"] = [name, *trained.optimizer_state]
        return learned

    def _network_and_recipe(
        self, **training_parameters: Any
    ) -> "tuple[NetworkState, Recipe]":
        """Return what is trained and how."""
        from skgenre.classifiers._training._train import (
            NetworkState,
            Recipe,
            optimizer_name,
        )

        optimizer, *state = getattr(self, "optimizer_state_", [None])
        network = NetworkState(
            self._network,
            self.network_parameters_,
            training_parameters,
            self.classes_,
            self.y_type_ != ONE,
            self.input_mean_,
            self.input_scale_,
            getattr(self, "weights_", None),
            state if optimizer == optimizer_name(self.optimizer) else None,
        )
        settings = {each.name: getattr(self, each.name) for each in fields(Recipe)}
        return network, Recipe(**{k: plain(v) for k, v in settings.items()})


class _Tasks:
    """A fit and its epochs, as tasks of scikit-learn's callbacks.

    Parameters
    ----------
    estimator : BaseGenreClassifier
        The classifier that is fitted.
    X, y, sample_weight : object
        As `fit` was given them.
    """

    def __init__(
        self, estimator: BaseGenreClassifier, X: Any, y: Any, sample_weight: Any
    ) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._given = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=estimator.epochs)
        self._fit.call_on_fit_task_begin(**self._given)

    def begin(self) -> None:
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._given)

    def end(self, trained: "Callable[[], Trained]") -> bool:
        return self._epoch.call_on_fit_task_end(
            **self._given, reconstruction_attributes=lambda: self._learned(trained())
        )

    def _learned(self, trained: "Trained") -> dict[str, Any]:
        """Return the attributes of a classifier whose fit ends with this epoch."""
        estimator = self._given["estimator"]
        learned = estimator._learned(trained, keep_optimizer=estimator.warm_start)
        if estimator.y_type_ != ONE:  # thresholds are chosen in the end
            learned["thresholds_"] = np.full(len(estimator.classes_), 0.5)
        return learned

    def close(self) -> None:
        self._fit.call_on_fit_task_end(**self._given, reconstruction_attributes={})


def plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays as Python's, and lists as tuples."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    return tuple(map(plain, value)) if isinstance(value, list | tuple) else value
