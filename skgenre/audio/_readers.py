"""Open a sound file, and choose what decodes it."""

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO

import soundfile

from skgenre.audio._clip import FileClip, Readable, WaveformClip, clip_name
from skgenre.audio._decoders._av import AVReader
from skgenre.audio._decoders._interface import Reader
from skgenre.audio._decoders._soundfile import ResumingReader, SoundFileReader
from skgenre.audio._decoders._waveform import WaveformReader
from skgenre.audio._errors import AudioError
from skgenre.audio._remote import fetched, is_url, local_path

# Hertz. Below, there is no music; resampling would make as many samples of a few bytes
# as the header says. Above, nothing is recorded.
_MIN_SAMPLE_RATE = 1_000
MAX_SAMPLE_RATE = 1_000_000
"""Hertz; far above what sound is recorded at, far below what exhausts the memory."""

_SFE_BAD_FILE = 7  # libsndfile's error number

_DAMAGED = "The file is damaged: replace it or leave it out."


def decoder_versions() -> tuple[Any, ...]:
    """Return the versions of libsndfile and FFmpeg; others may decode otherwise.

    FFmpeg's are those of its libraries, with several of which one PyAV may be built.
    """
    import av

    return soundfile.__libsndfile_version__, sorted(av.library_versions.items())


def _reason(error: Exception) -> str:
    """Return a decoder's message, without the file's name or descriptor."""
    for name in "error_string", "strerror":  # of soundfile, of PyAV and the system
        if reason := getattr(error, name, None):
            return reason.rstrip(".")
    return str(error).rstrip(".") or type(error).__name__


def _open_local(path: str | bytes, name: str | bytes) -> BinaryIO:
    """Open a regular file, and nothing else.

    Opening a named pipe would wait for a writer forever, and opening a device may do
    anything: so it is looked at first. That it may become one in between, the opened
    file is looked at again, and opened without waiting.
    """
    try:
        _check_is_file(os.stat(path), name)
        # Not buffered: libsndfile begins where the descriptor is.
        file = open(path, "rb", buffering=0, opener=_open_at_once)
    except AudioError:
        raise
    except FileNotFoundError:
        raise AudioError(name, "there is no such file", "Check the path.") from None
    except PermissionError as error:
        cause = error.strerror or str(error)
        raise AudioError(name, cause, "Check the permissions.") from error
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise AudioError(name, cause, "Check the path.") from error
    try:
        _check_is_file(os.fstat(file.fileno()), name)
    except BaseException:
        file.close()
        raise
    return file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_is_file(status: os.stat_result, name: str | bytes) -> None:
    """Refuse what isn't a regular file, or is empty."""
    if stat.S_ISDIR(status.st_mode):
        raise AudioError(
            name, "it is a directory", "Pass the paths of the files inside it."
        )
    if not stat.S_ISREG(status.st_mode):
        raise AudioError(
            name, "it is a pipe, socket or device", "Pass the path of a regular file."
        )
    if status.st_size == 0:
        raise AudioError(
            name, "the file is empty (0 bytes)", "Replace it or leave it out."
        )


def _open_in_memory(clip: FileClip) -> BinaryIO:
    """Return the contents of an open file, and refuse an empty one."""
    try:
        is_empty = not clip.size()
    except (OSError, ValueError) as error:
        raise AudioError(
            clip.name,
            f"reading it failed ({_reason(error)})",
            "Pass an open file.",
        ) from error
    if is_empty:
        raise AudioError(
            clip.name, "the file is empty (0 bytes)", "Replace it or leave it out."
        )
    return clip.open()


def _choose_reader(file: BinaryIO, clip: Readable) -> Reader:
    try:
        first = SoundFileReader(file)
    except soundfile.SoundFileError as error:
        reason = _reason(error)
        if getattr(error, "code", None) == _SFE_BAD_FILE:
            # libsndfile's text is vaguer.
            reason = "it begins like MP3, and no frame decodes"
    else:
        # Without samples, a header was never finished: its recorder was killed.
        if first.n_samples and not first.is_cut_short():
            return ResumingReader(file, first)
        try:
            second = AVReader(file)
        except MemoryError:
            raise
        except Exception:  # of many types, where a file is damaged
            second = None
        if second is not None and second.n_samples:
            first.close()
            return second
        first.close()
        return SoundFileReader(file)
    try:
        return AVReader(file)
    except MemoryError:
        raise
    except Exception as error:  # of many types, where a file is damaged
        raise AudioError(
            clip_name(clip),
            f"no decoder reads it as audio (libsndfile: {reason}; FFmpeg: "
            f"{_reason(error)})",
            "Replace the file or leave it out.",
        ) from error


def open_file(
    path: str | bytes | os.PathLike | FileClip,
) -> AbstractContextManager[BinaryIO]:
    """Open a local file, a copy of one that a URL names, or one that is open.

    Parameters
    ----------
    path : str, bytes, os.PathLike or FileClip
        A path, or a str that begins with ``protocol://``; or an open file, which is
        left open.

    Returns
    -------
    context manager
        Gives a binary file, closed at the end of the block.

    Raises
    ------
    AudioError
        If the file can't be opened. If it can't be fetched, on entering the block.
    """
    if isinstance(path, FileClip):
        return _open_in_memory(path)
    name = os.fspath(path)
    local = name
    if isinstance(name, str) and "://" in name and is_url(name):
        in_place = local_path(name)
        if in_place is None:
            return fetched(name)
        local = in_place
    return _open_local(local, name)


@contextmanager
def decoding_errors(clip: Readable) -> Iterator[None]:
    """Turn whatever a decoder raises inside the block into an `AudioError`."""
    try:
        yield
    except (AudioError, MemoryError):
        raise
    except Exception as error:
        raise AudioError(
            clip_name(clip), f"decoding failed ({_reason(error)})", _DAMAGED
        ) from error


def _check_sample_rate(rate: float, clip: Readable, advice: str) -> None:
    if not _MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE or rate != int(rate):
        raise AudioError(
            clip_name(clip),
            f"its sample rate is {rate:.10g} Hz, and expected are whole numbers from "
            f"{_MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}",
            advice,
        )


@contextmanager
def open_audio(clip: Readable) -> Iterator[Reader]:
    """Open a clip; whatever fails inside the block becomes an `AudioError`.

    Parameters
    ----------
    clip : str, bytes, os.PathLike, FileClip or WaveformClip
        A sound file, its URL, or sound in memory.

    Yields
    ------
    reader : Reader
        Gives the clip's samples; closed at the end of the block.
    """
    if isinstance(clip, WaveformClip):
        _check_sample_rate(clip.sample_rate, clip, "Pass the rate it was recorded at.")
        yield WaveformReader(clip)
        return
    with open_file(clip) as file:
        n_bytes = file.seek(0, 2)
        reader = _choose_reader(file, clip)
        reader.n_bytes = n_bytes
        try:
            _check_sample_rate(reader.sample_rate, clip, _DAMAGED)
            with decoding_errors(clip):
                yield reader
        finally:
            reader.close()
