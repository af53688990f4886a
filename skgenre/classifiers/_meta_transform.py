"""`transform` of an estimator around another, where that one has it."""

from abc import abstractmethod
from typing import Any

from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skgenre._sklearn_compat import wrap_data_with_container


def _estimator_transforms(self: Any) -> bool:
    return hasattr(getattr(self, "estimator_", self.estimator), "transform")


class InnerTransform(ClassNamePrefixFeaturesOutMixin):
    """`transform` and what belongs to it, where the estimator inside has one.

    It is no `TransformerMixin`, which would wrap the methods of its subclasses, for
    `set_output`, in functions that are always there.
    """

    estimator_: Any
    fit: Any

    @abstractmethod
    def _embeddings(self, X: Any) -> NDArray:
        """Return one row a clip, by the estimator's `transform`."""

    @available_if(_estimator_transforms)
    def transform(self, X: ArrayLike) -> NDArray:
        """Return each clip's embedding, as the estimator inside makes it.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Clips, as in `fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_components)
            Of clips that are cut into windows, the mean over these.
        """
        check_is_fitted(self)
        return wrap_data_with_container("transform", self._embeddings(X), X, self)

    @available_if(_estimator_transforms)
    def fit_transform(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> NDArray:
        """Fit on clips and genres, and return the clips' embeddings.

        Only where the estimator has a `transform`.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or list of array-like
            Clips, as in `fit`.
        y : array-like of shape (n_clips,)
            Genres.
        **fit_params : dict
            More of what `fit` takes.

        Returns
        -------
        ndarray of shape (n_clips, n_components)
            Of clips that are cut into windows, the mean over these.
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
            The class's name in lower case and a number, such as 'segmentclassifier0'.
        """
        return super().get_feature_names_out(input_features)

    @property
    def _n_features_out(self) -> int:
        return len(self.estimator_.get_feature_names_out())
