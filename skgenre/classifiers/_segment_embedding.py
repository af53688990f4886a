"""What a classifier of windows gives as a transformer: a mean of embeddings."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils._set_output import _wrap_data_with_container
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skgenre.classifiers._clips import check_clips


def _estimator_transforms(self: Any) -> bool:
    return hasattr(getattr(self, "estimator_", self.estimator), "transform")


class MeanEmbedding(ClassNamePrefixFeaturesOutMixin):
    """`transform` and what belongs to it, where the estimator inside has one.

    It is no `TransformerMixin`, which would wrap the methods of its subclasses, for
    `set_output`, in functions that are always there.
    """

    estimator_: Any
    fit: Any
    _of_windows: Any

    @available_if(_estimator_transforms)
    def transform(self, X: ArrayLike) -> NDArray:
        """Return each clip's embedding: the mean of those of its windows.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB.

        Returns
        -------
        ndarray of shape (n_clips, n_components), float32
            What the estimator makes of the windows, averaged.
        """
        check_is_fitted(self)
        clips = check_clips(self, X, reset=False)
        of_clips = self._of_windows(clips, self.estimator_.transform)
        embeddings = np.asarray([e.mean(axis=0) for e in of_clips], dtype=np.float32)
        return _wrap_data_with_container("transform", embeddings, X, self)

    @available_if(_estimator_transforms)
    def fit_transform(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> NDArray:
        """Fit on spectrograms and genres, and return the clips' embeddings.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_frames, n_mels), or list of array-like of \
                shape (n_frames_i, n_mels)
            Spectrograms in dB.
        y : array-like of shape (n_clips,)
            Genres.
        **fit_params : dict
            More of what `fit` takes.

        Returns
        -------
        ndarray of shape (n_clips, n_components), float32
            What the estimator makes of the windows, averaged.
        """
        return self.fit(X, y, **fit_params).transform(X)

    @available_if(_estimator_transforms)
    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Return the names of the embedding's columns.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        input_features : array-like or None, default=None
            Ignored.

        Returns
        -------
        ndarray of str
            'segmentclassifier0', 'segmentclassifier1', ...
        """
        return super().get_feature_names_out(input_features)

    @property
    def _n_features_out(self) -> int:
        return len(self.estimator_.get_feature_names_out())
