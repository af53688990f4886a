"""AudioError: a sound file that can't be read."""

import os

from skgenre._text import shorten

_LONGEST_CAUSE = 300  # characters; decoders and stores write what they like


class AudioError(ValueError):
    """A sound file can't be read.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        The file.

    cause : str
        What is wrong with it; a long text is cut.

    advice : str, default=""
        What can be done about it.

    Attributes
    ----------
    path : str
        Name of the file, as text; of a clip in memory, which clip it is.

    cause : str
        What is wrong with the file.

    advice : str
        What can be done about it; may be empty.

    Examples
    --------
    >>> from skgenre.audio import AudioError, load_audio
    >>> try:
    ...     load_audio("no_such_song.mp3")
    ... except AudioError as error:
    ...     print(error)
    Cannot read 'no_such_song.mp3': there is no such file. Check the path.
    """

    def __init__(
        self, path: str | bytes | os.PathLike, cause: str, advice: str = ""
    ) -> None:
        self.path = str(os.fsdecode(path))  # NumPy's strings print oddly
        self.cause = shorten(cause, _LONGEST_CAUSE)
        self.advice = advice
        # These are the arguments that unpickling calls the class with; errors
        # travel between worker processes as pickles.
        super().__init__(self.path, self.cause, advice)

    def __str__(self) -> str:
        """Name the file, the cause and what to do."""
        message = f"Cannot read {shorten(repr(self.path))}: {self.cause}."
        return f"{message} {self.advice}" if self.advice else message
