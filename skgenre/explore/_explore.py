"""`explore`, which starts the server, and the handle that stops it."""

import ipaddress
import os
import socket
import threading
import webbrowser
from html import escape
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike
from sklearn.utils import check_scalar

from skgenre._files import check_writable, data_home_folder, write_atomically
from skgenre._sklearn_compat import HasMethods, Interval, validate_params
from skgenre._text import format_list, printable
from skgenre.audio._isolation._worker import MAX_SECONDS

if TYPE_CHECKING:
    import pandas as pd
    import uvicorn

    from skgenre.explore._server import Server

LABELS_FILE = "skgenre-labels.csv"
"""In the current folder: the labels, unless told otherwise."""
LOOPBACK = "127.0.0.1"
LOOPBACK_HOSTS = LOOPBACK, "localhost", "::1"
"""At which only programs of this machine can ask."""
_SECONDS = 5.0
# The command has three seconds after Ctrl-C, in which dropped songs must go.
_SECONDS_OF_REQUESTS = 2.0


class Explorer:
    """A running server of `explore`, which makes it.

    In Jupyter it shows the page below the cell.

    Parameters
    ----------
    url : str
        Address of the page, with a secret token: whoever has it may hear the music and
        change labels.
    web : uvicorn.Server
        Not running yet.
    listening : socket
        At which it listens.
    server : Server
        What is served. Its songs are heard from now on.

    See Also
    --------
    explore : Starts one.

    Examples
    --------
    With the pretrained weights, and any folder of music::

        with skgenre.explore("my_music") as explorer:
            print(explorer.url)
            explorer.wait()
    """

    def __init__(
        self,
        url: str,
        web: "uvicorn.Server",
        listening: socket.socket,
        server: "Server",
    ) -> None:
        self.url = url
        self._web, self._server = web, server
        self._thread = threading.Thread(
            target=web.run, args=([listening],), daemon=True
        )
        self._thread.start()
        server.extraction.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until the server is stopped.

        Parameters
        ----------
        timeout : float or None, default=None
            Most seconds to wait; None waits without end.
        """
        self._thread.join(timeout)

    def stop(self) -> None:
        """Stop the server and what it computes; what was computed is kept."""
        self._server.extraction.stop()
        self._web.should_exit = True
        self._thread.join(_SECONDS_OF_REQUESTS)
        self._server.media.close()
        self._server.training.stop()  # now that nobody can start another one
        self._server.extraction.wait(_SECONDS)
        self._server.training.wait(_SECONDS)

    def save(self, path: str | os.PathLike, *, preview_seconds: float = 0.0) -> None:
        """Save the map and the lists as a page that needs no server.

        It can be opened from a disk or sent to somebody, loads nothing, and holds the
        files' names, tags and labels. Waits until all songs are heard.

        Parameters
        ----------
        path : str or os.PathLike
            File of HTML to write.
        preview_seconds : float, default=0.0
            Seconds of the middle of each song to embed as sound, of some 5 KB each.

        Raises
        ------
        OSError
            If it can't be written.
        ValueError
            If fewer than two songs can be heard, or `preview_seconds` is outside 0 to
            60.
        """
        check_scalar(preview_seconds, "preview_seconds", Real, min_val=0, max_val=60)
        target = check_writable(path)
        from skgenre.explore._static import static_page

        extraction = self._server.extraction
        extraction.wait()
        if extraction.done.sum() < 2:
            paths = self._server.collection.paths
            problems = [
                f"{printable(paths[number])}: {printable(error)}"
                for number, error in sorted(extraction.errors.items())
            ]
            if extraction.failure:
                problems.insert(0, printable(extraction.failure))
            raise ValueError(
                "A map needs two songs that can be heard, and there are fewer. "
                + (format_list(problems, limit=3, sep="; ") or "Give more files.")
            )
        page = static_page(self._server, preview_seconds=preview_seconds)
        write_atomically(target, page.encode("utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Explorer at {self.url}>"

    def _repr_html_(self) -> str:
        # The same name as Jupyter's own by default: a cookie is not set for a frame of
        # another site.
        url = escape(self.url.replace(LOOPBACK, "localhost", 1))
        return (
            f'<p><a href="{url}" target="_blank" rel="noopener">Open in a tab</a></p>'
            f'<iframe src="{url}" title="Explore music" width="100%" height="800" '
            'style="border:0"></iframe>'
        )


def _serve(server: "Server", host: str, port: int) -> Explorer:
    """Return the server, running."""
    import uvicorn

    from skgenre.explore._guard import Guard

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it lets two programs have one port
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # at once, or another program could still take the port
    except OSError as error:
        listening.close()
        raise OSError(
            error.errno,
            f"{error.strerror}: host={host!r}, port={port}. Choose another port, or 0 "
            "for any that is free",
        ) from error
    is_local = host in LOOPBACK_HOSTS
    guard = Guard(
        server.app,
        hosts=() if is_local else (host, socket.gethostname()),
        any_address=not is_local,
    )
    name = _called(host)
    config = uvicorn.Config(
        guard,
        log_config=None,  # by default, the program's own handlers would be closed
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    return Explorer(
        f"http://{name}:{listening.getsockname()[1]}/?token={guard.token}",
        uvicorn.Server(config),
        listening,
        server,
    )


def _called(host: str) -> str:
    """Return the name by which a host that is listened at is called in a URL."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:  # all of this machine's
        return socket.gethostname()
    return f"[{host}]" if address.version == 6 else host


@validate_params(
    {
        "paths": "no_validation",
        "model": [HasMethods("fit"), None],
        "genres": ["array-like", None],
        "artists": ["array-like", None],
        "frame": "no_validation",
        "labels_file": [str, os.PathLike],
        "models_dir": [str, os.PathLike, None],
        "host": [str],
        "port": [Interval(Integral, 0, 65535, closed="both")],
        "open_browser": ["boolean"],
        "cache_dir": [str, os.PathLike, None],
        "time_limit": [Interval(Real, 0, MAX_SECONDS, closed="right"), None],
        "n_jobs": [Integral, None],
    },
    prefer_skip_nested_validation=True,
)
def explore(
    paths: Any,
    model: Any = None,
    genres: ArrayLike | None = None,
    *,
    artists: ArrayLike | None = None,
    frame: "pd.DataFrame | None" = None,
    labels_file: str | os.PathLike = LABELS_FILE,
    models_dir: str | os.PathLike | None = None,
    host: str = LOOPBACK,
    port: int = 0,
    open_browser: bool = False,
    cache_dir: str | os.PathLike | None = None,
    time_limit: float | None = None,
    n_jobs: int | None = None,
) -> Explorer:
    """Start a local server with a page on which music can be seen, heard and labelled.

    A map shows which songs sound alike. Each song can be played, with its spectrogram,
    the genres through it, and the songs nearest to it and why. Labels that look wrong
    are listed, and changes of labels are written to a table. The music itself is not
    changed, and nothing leaves this machine.

    Parameters
    ----------
    paths : str, os.PathLike, or sequence of them
        Audio files, and folders, which are searched. With `genres`, `artists` or
        `frame`, a sequence of files in their order.
    model : estimator or None, default=None
        Fitted model of sound files, such as a fitted :func:`~skgenre.genre_pipeline`;
        songs are compared by its :func:`~skgenre.pipelines.embedding_pipeline`. None
        takes the pretrained :class:`~skgenre.GenreTagger`.
    genres : array-like of shape (n_songs,) or None, default=None
        Labels; None and NaN are none. None takes those in the files' tags.
    artists : array-like of shape (n_songs,) or None, default=None
        Artists; None takes those in the tags.
    frame : DataFrame of shape (n_songs, n_columns) or None, default=None
        More columns by which the map can be coloured.
    labels_file : str or os.PathLike, default='skgenre-labels.csv'
        Table that is written when a label is changed or confirmed, with the columns
        ``path``, ``genre``, ``artist`` and ``checked``: ``skgenre train`` and
        :func:`~skgenre.datasets.load_audio_folder` read it. Labels in it count more
        than others, so that work can be resumed.
    models_dir : str, os.PathLike or None, default=None
        Folder of the models that are trained on the page; it is made when the first one
        is, and no file in it is replaced. None takes ``models`` in the folder that the
        environment variable ``SKGENRE_DATA`` names or, without it, in
        ``~/skgenre_data``.
    host : str, default='127.0.0.1'
        Address to listen at. With any other than this machine's loopback, whoever
        gets hold of the token can hear the music from elsewhere, and the connection
        is not encrypted.
    port : int, default=0
        Port to listen at; 0 takes one that is free.
    open_browser : bool, default=False
        Open the page in the user's browser.
    cache_dir : str, os.PathLike or None, default=None
        Folder in which the pretrained tagger, and models that are trained on the page,
        keep what they compute; the audio steps of `model` have their own.
    time_limit : float or None, default=None
        Seconds that a file may take wherever it is read: by the pretrained tagger, by
        models that are trained on the page, to be played and to be drawn. Files are
        then decoded in worker processes; see :ref:`time_limit`. The audio steps of
        `model` have their own.
    n_jobs : int or None, default=None
        Files read at a time, in threads.

    Returns
    -------
    Explorer
        With the address, `url`, and `stop`. Songs are heard in the background.

    Raises
    ------
    ImportError
        If the extra `explore` is not installed, or without a model, the pretrained
        weights are not here.
    OSError
        If the port is taken, or the table can't be written.
    TypeError, ValueError
        If there is no music, lengths don't match, the model makes no embedding, or
        `labels_file` is another table.

    See Also
    --------
    skgenre.TrackRecommender : Finds songs that are near.
    skgenre.inspection.EmbeddingDisplay : The map as a plot.
    skgenre.inspection.TimelineDisplay : The genres through a song as a plot.
    skgenre.inspection.SpectrogramDisplay : A spectrogram as a plot.

    Examples
    --------
    With the pretrained weights, and any folder of music::

        explorer = skgenre.explore("my_music", open_browser=True)
        explorer.stop()
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "explore requires starlette and uvicorn. You can install them with "
            '`pip install "skgenre[explore]"`.'
        ) from error
    from skgenre.explore._collection import Collection
    from skgenre.explore._extraction import Extraction
    from skgenre.explore._kept import Kept
    from skgenre.explore._labels import Labels
    from skgenre.explore._listener import Listener
    from skgenre.explore._model._training import Training
    from skgenre.explore._server import Server

    listener = Listener(model, cache_dir=cache_dir, time_limit=time_limit)
    collection = Collection(paths, genres, artists=artists, frame=frame, n_jobs=n_jobs)
    labels = Labels(
        collection.paths, collection.genres, collection.artists, Path(labels_file)
    )
    kept = Kept(cache_dir, listener.steps, collection.paths)
    extraction = Extraction(listener, collection.paths, n_jobs, kept)
    models = os.path.join(data_home_folder(), "models")
    training = Training(
        Path(models if models_dir is None else models_dir),
        cache_dir=cache_dir,
        time_limit=time_limit,
        n_jobs=n_jobs,
    )
    server = Server(collection, listener, extraction, labels, training)
    try:
        explorer = _serve(server, host, port)
    except OSError:
        server.media.close()
        raise
    if open_browser:
        webbrowser.open(explorer.url)
    return explorer
