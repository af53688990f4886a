"""The sound of songs, as a browser plays it, and what it looks like."""

import base64
import tempfile
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from skgenre.datasets._audio_files import AUDIO_SUFFIXES
from skgenre.features import log_mel_spectrogram

MEDIA_TYPES = {
    **{".mp3": "audio/mpeg", ".flac": "audio/flac", ".wav": "audio/wav"},
    **{".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg"},
    **{".m4a": "audio/mp4", ".m4b": "audio/mp4", ".aac": "audio/aac"},
    **{".weba": "audio/webm", ".webm": "audio/webm"},
}
"""Of files that browsers play, by the ends of their names."""
MOST_BYTES = 256 << 20
"""Of a file that is dropped on the page."""
_MOST_DROPPED = 20
_MOST_MADE = 5
_PLAYED_RATE = 44100
_LONGEST_PLAYED = 1800.0  # seconds of a song to convert, so that memory is bounded
RATE = 22050
"""At which songs are seen."""
LONGEST = 600.0
"""Seconds up to which a longer song is seen, so that memory is bounded."""
N_MELS = 96
"""Bands of the spectrograms of songs, up to half the rate."""
_MOST_COLUMNS = 1200
_FLOOR = 80.0


Load = Callable[..., NDArray]
"""Takes a path and what `load_audio` takes, and returns a waveform as it does."""


class TooLarge(ValueError):
    """A dropped file is larger than `MOST_BYTES`."""


class Media:
    """Files that the server makes: converted songs, and those that were dropped.

    Parameters
    ----------
    load : callable
        Reads songs.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._folder = tempfile.TemporaryDirectory(
            prefix="skgenre-", ignore_cleanup_errors=True
        )
        self._lock = threading.Lock()
        self._made: OrderedDict[Hashable, str] = OrderedDict()
        self._dropped: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._n_made = 0

    def close(self) -> None:
        """Delete the files."""
        self._folder.cleanup()

    def _new_name(self, suffix: str) -> Path:
        with self._lock:
            self._n_made += 1
            return Path(self._folder.name, f"{self._n_made}{suffix}")

    def as_wav(self, path: str) -> str:
        """Return the name of a WAV file, in mono, of a song that browsers don't play.

        Of a longer song, it has half an hour from the beginning.

        Raises
        ------
        AudioError
            If the file can't be read.
        """
        return self.made(
            path,
            lambda: (
                self._load(path, sample_rate=_PLAYED_RATE, duration=_LONGEST_PLAYED),
                _PLAYED_RATE,
            ),
        )

    def made(self, key: Hashable, make: Callable[[], tuple[NDArray, int]]) -> str:
        """Return the name of a WAV file of what `make` returns, kept by a key."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        target = self._new_name(".wav")
        wave, rate = make()
        soundfile.write(target, np.clip(wave, -1, 1), rate, subtype="PCM_16")
        with self._lock:
            if key in self._made:  # by another request at the same time
                target.unlink()
                return self._made[key]
            self._made[key] = str(target)
            while len(self._made) > _MOST_MADE:
                _, old = self._made.popitem(last=False)
                Path(old).unlink(missing_ok=True)
        return str(target)

    async def receive(self, name: str, stream: AsyncIterator[bytes]) -> str:
        """Write a dropped file, and return the key by which it is known.

        Raises
        ------
        TooLarge
            If it has more than `MOST_BYTES`; nothing is left of it then.
        ValueError
            If it is empty.
        """
        suffix = Path(name).suffix.lower()
        target = self._new_name(suffix if suffix in AUDIO_SUFFIXES else "")
        n_bytes = 0
        try:
            with open(target, "xb") as file:
                async for block in stream:
                    n_bytes += len(block)
                    if n_bytes > MOST_BYTES:
                        raise TooLarge(
                            f"The file is larger than {MOST_BYTES >> 20} MiB. Drop a "
                            "smaller one, or explore its folder."
                        )
                    file.write(block)
            if not n_bytes:
                raise ValueError("The file is empty. Drop another one.")
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        with self._lock:
            key = f"d{target.stem}"
            self._dropped[key] = str(target), name
            while len(self._dropped) > _MOST_DROPPED:
                _, (old, _) = self._dropped.popitem(last=False)
                Path(old).unlink(missing_ok=True)
        return key

    def dropped(self, key: str) -> tuple[str, str]:
        """Return the file and the name of what was dropped, by its key.

        Raises
        ------
        KeyError
            If it is not there, or no longer.
        """
        with self._lock:
            return self._dropped[key]

    def forget(self, key: str) -> None:
        """Delete what was dropped, if it is still there."""
        with self._lock:
            path, _ = self._dropped.pop(key, ("", ""))
        if path:
            Path(path).unlink(missing_ok=True)


def spectrogram(path: str, load: Load) -> dict[str, Any]:
    """Return what a song looks like, for the page to draw.

    Parameters
    ----------
    path : str
        The song.
    load : callable
        Reads it.

    Returns
    -------
    dict
        As `picture` returns; 'seconds', how much of the song it is.

    Raises
    ------
    AudioError
        If the file can't be read.
    """
    wave = load(path, sample_rate=RATE, duration=LONGEST)
    hop = max(512, -(-len(wave) // 12_000))
    mel = log_mel_spectrogram(
        wave, sample_rate=RATE, hop_length=hop, n_mels=N_MELS, top_db=_FLOOR
    )
    return picture(mel, _FLOOR) | {"seconds": len(wave) / RATE}


def picture(mel: NDArray, depth: float) -> dict[str, Any]:
    """Return a spectrogram of shape (n_frames, n_mels) for the page to draw.

    Returns
    -------
    dict
        'columns' and 'bands', the size; 'values', a byte for each, band after band from
        the lowest of each column, in Base64, where 0 is `depth` dB below 0 and 255 is
        0 dB.
    """
    values = _shrink(mel, _MOST_COLUMNS)
    loudness = np.clip(255 * (1 + values / depth), 0, 255).astype(np.uint8)
    columns, bands = loudness.shape
    return {
        "columns": columns,
        "bands": bands,
        "values": base64.b64encode(loudness.tobytes()).decode(),
    }


def _shrink(mel: NDArray, most: int) -> NDArray:
    """Return at most so many columns, each the mean of several."""
    if len(mel) <= most:
        return mel
    edges = np.linspace(0, len(mel), most + 1).astype(int)[:-1]
    return np.add.reduceat(mel, edges) / np.diff([*edges, len(mel)])[:, np.newaxis]
