"""Which files can't be decoded, and why."""

from collections.abc import Sequence

from skgenre.audio import AudioError, Clip, map_clips
from skgenre.audio._load import read_samples

# As much as the mel step takes of a long song, from its middle.
_SECONDS = 30


def decoding_errors(
    paths: Sequence[Clip], *, n_jobs: int | None, verbose: bool
) -> list[str | None]:
    """Decode what the pipelines need of each file; return what is wrong, or None."""
    return list(
        map_clips(
            _decoding_error, paths, n_jobs=n_jobs, verbose=verbose, desc="Checking"
        )
    )


def _decoding_error(clip: Clip) -> str | None:
    try:
        read_samples(clip, None, _middle)
    except AudioError as error:
        return str(error)
    return None


def _middle(n_samples: int, sample_rate: int) -> tuple[int, int]:
    length = min(n_samples, _SECONDS * sample_rate)
    start = (n_samples - length) // 2
    return start, start + length
