"""What the steps that take audio have in common."""

from collections.abc import Callable, Iterator
from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions

from skgenre.audio._clips import check_clips
from skgenre.audio._isolation import MAX_SECONDS, IsolatedTask
from skgenre.audio._load import Clip
from skgenre.audio._map import map_clips


class AudioTransformer(TransformerMixin, BaseEstimator):
    """Parameters, input checks and tags of a step that takes paths or waveforms."""

    sample_rate: int
    """Hertz of the waveforms."""
    time_limit: float | None
    n_jobs: int | None
    verbose: bool | int

    _parameter_constraints: dict = {
        "excerpt": [StrOptions({"middle", "start"})],
        "time_limit": [Interval(Real, 0, MAX_SECONDS, closed="right"), None],
        "n_jobs": [None, Integral],
        "verbose": ["verbose"],
    }

    def _check_clips(self, X: Any, *, reset: bool) -> list[Clip]:
        return check_clips(X, estimator=self, reset=reset)

    def _map_clips(
        self, task: Callable[[Clip], Any], clips: list[Clip], desc: str
    ) -> Iterator[Any]:
        """Yield what the task makes of each clip, in order."""
        if self.time_limit is not None:
            task = IsolatedTask(task, self.time_limit)
        return map_clips(
            task, clips, n_jobs=self.n_jobs, verbose=self.verbose, desc=desc
        )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # Paths are accepted too, but `input_tags.string` would announce that arrays
        # of mixed objects are, which they aren't.
        tags.input_tags.two_d_array = True
        return tags


def excerpt_start(n_total: int, n_wanted: int, excerpt: str) -> int:
    """Tell where an excerpt begins, in frames or samples; 0 in clips too short."""
    return max(0, (n_total - n_wanted) // 2) if excerpt == "middle" else 0


def excerpt_samples(
    duration: float | None, excerpt: str
) -> Callable[[int, int], tuple[int, int]]:
    """Return what tells `read_samples` where an excerpt begins and ends.

    Parameters
    ----------
    duration : float or None
        Seconds of the excerpt, at the most; None takes the whole clip.

    excerpt : {'middle', 'start'}
        Which part of a longer clip to take.

    Returns
    -------
    callable
        ``(n_samples, sample_rate) -> (start, stop)``.
    """

    def choose(n_samples: int, sample_rate: int) -> tuple[int, int]:
        if duration is None:
            return 0, n_samples
        length = max(1, round(min(duration * sample_rate, n_samples)))
        start = excerpt_start(n_samples, length, excerpt)
        return start, start + length

    return choose
