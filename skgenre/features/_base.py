"""What the steps that take audio have in common."""

from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from skgenre.audio._clips import check_clips
from skgenre.audio._load import Clip
from skgenre.features._spectrogram import MEL_CONSTRAINTS


class AudioTransformer(TransformerMixin, BaseEstimator):
    """Parameters, input checks and tags of a step that takes paths or waveforms."""

    _parameter_constraints: dict = MEL_CONSTRAINTS | {
        "excerpt": [StrOptions({"middle", "start"})],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def _check_clips(self, X: Any, *, reset: bool) -> list[Clip]:
        return check_clips(X, estimator=self, reset=reset)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Paths are accepted too, but `input_tags.string` would announce that arrays
        # of mixed objects are, which they aren't.
        tags.input_tags.two_d_array = True
        return tags


def excerpt_start(n_total: int, n_wanted: int, excerpt: str) -> int:
    """Tell where an excerpt begins, in frames or samples; 0 in clips too short."""
    return max(0, (n_total - n_wanted) // 2) if excerpt == "middle" else 0
