"""What every fitted network gives: genres, probabilities, embeddings, its layers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers._checks import as_spectrograms, check_finite
from skgenre.classifiers._input_scaling import scaled
from skgenre.runtime._interrupts import interrupts_wait

if TYPE_CHECKING:
    from skgenre.classifiers._training._wrapper import NetworkClassifier

# Clips that the network answers for at a time; fewer are filled up. With a number of
# rows that varied, so would the last digits: the same clip has one answer, whatever
# others come with it.
_CLIPS = 8


class FittedNetwork(
    ClassifierMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """The part of a network classifier that works from its fitted state alone.

    The state is plain data: genres, weights, scaling, and what the network was built
    with. Keras, or ONNX Runtime, is imported when the network is asked.
    """

    _network: ClassVar[str]
    """Name of the function in `skgenre.networks` that builds the network."""

    _training_parameters: ClassVar[dict[str, Any]] = {}
    """More parameters of that function where the network is to be trained."""

    _runtime = "keras"
    """Or 'onnx': what answers for the network; :func:`skgenre.load` chooses."""

    classes_: NDArray
    history_: dict[str, list[float]]
    input_mean_: NDArray
    input_scale_: NDArray
    network_parameters_: dict[str, Any]
    weights_: list[NDArray]

    @property
    def keras_classifier_(self) -> "NetworkClassifier":
        """The fitted scikeras ``KerasClassifier``, rebuilt at each access."""
        check_is_fitted(self)
        from skgenre.classifiers._training._train import wrapped_network

        keras_classifier = wrapped_network(self, pooled=False, verbose=0, model__seed=0)
        shape = (len(self.classes_), *self.network_parameters_["input_shape"])
        keras_classifier.initialize(np.empty(shape, np.float32), self.classes_)
        keras_classifier.history_ = self.history_
        return keras_classifier

    def __dir__(self) -> list[str]:
        """List the attributes, but not the one that builds a network when looked at.

        scikit-learn looks at each to list those that are there, and again to show them
        in notebooks.
        """
        return [
            name
            for name in object.__dir__(self)
            if name != "keras_classifier_" and hasattr(self, name)
        ]

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there are weights: a fit that failed leaves none."""
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
            Rows sum to 1; columns in the order of `classes_`.

        Raises
        ------
        ValueError
            If the clips are not as large as those of `fit`, or their values are out of
            all proportion, so that the network has no finite answer.
        """
        probabilities = np.concatenate([p for p, _ in self._outputs(X)])
        probabilities = probabilities.astype(np.float64)
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable genre of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels)
            Spectrograms in dB.

        Returns
        -------
        ndarray of shape (n_clips,)
            Members of `classes_`.
        """
        probabilities = self.predict_proba(X)
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
        return np.concatenate([embedding for _, embedding in self._outputs(X)])

    def summary(self) -> None:
        """Print the layers of the fitted network, as Keras does."""
        check_is_fitted(self)
        from skgenre import networks

        getattr(networks, self._network)(**self.network_parameters_).summary()

    def _outputs(self, X: ArrayLike) -> Iterator[tuple[NDArray, NDArray]]:
        """Yield probabilities and embeddings, batch by batch."""
        check_is_fitted(self)
        rows = as_spectrograms(self, X, reset=False)

        answer = self._onnx_answer if self._runtime == "onnx" else self._keras_answer
        for start in range(0, len(rows), _CLIPS):
            clips = np.asarray(rows[start : start + _CLIPS])
            check_finite(self, clips, first=start)
            probabilities, embedding = answer(clips)
            for values in (probabilities, embedding):
                self._check_finite(values, clips, start)
            yield probabilities, embedding

    @interrupts_wait()
    def _keras_answer(self, clips: NDArray) -> tuple[NDArray, NDArray]:
        from skgenre import networks
        from skgenre.runtime._keras import check_process
        from skgenre.runtime._keras_function import predictor

        check_process()
        predict = predictor(
            getattr(networks, self._network),
            tuple(self.network_parameters_.items()),
            tuple(weights.shape for weights in self.weights_),
        )
        padded = np.zeros((_CLIPS, *clips.shape[1:]), np.float32)
        padded[: len(clips)] = scaled(clips, self.input_mean_, self.input_scale_)
        probabilities, embedding = predict(self.weights_, padded)
        return probabilities.numpy()[: len(clips)], embedding.numpy()[: len(clips)]

    def _onnx_answer(self, clips: NDArray) -> tuple[NDArray, NDArray]:
        from skgenre.runtime._networks import classifier_graph
        from skgenre.runtime._trained import trained_network

        network = trained_network(classifier_graph, *self._graph_arguments())
        # One by one: no slower here, and each clip has one answer as well.
        answers = [network(clip[np.newaxis].astype(np.float32)) for clip in clips]
        probabilities, embedding = (
            np.concatenate([answer[name] for answer in answers])
            for name in ("probabilities", "embedding")
        )
        return probabilities, embedding

    def _check_finite(self, answer: NDArray, clips: NDArray, first: int) -> None:
        """Refuse answers that are no numbers; `first` is the row of the first clip."""
        is_bad = ~np.isfinite(answer).all(axis=1)
        if is_bad.any():
            row = int(is_bad.argmax())
            raise ValueError(
                f"{type(self).__name__} has no finite answer to clip {first + row} of "
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
        return len(self.weights_[-2])  # rows of the kernel that reads the embedding

    def __sklearn_tags__(self) -> Tags:
        """Return what scikit-learn should know of the estimator."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
