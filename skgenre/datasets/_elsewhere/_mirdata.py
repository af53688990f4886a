"""Data sets of mirdata."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import HasMethods, validate_params
from skgenre.datasets._elsewhere._labelled import labelled
from skgenre.datasets._form import FORM_CONSTRAINTS, FORM_DOCS, in_form
from skgenre.datasets._tracks_csv import quoted


@substitute(**FORM_DOCS)
@validate_params(
    {
        "dataset": [HasMethods(["load_tracks"])],
        "genre": [str, callable],
        "group": [str, callable, None],
    }
    | FORM_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def from_mirdata(
    dataset: Any,
    *,
    genre: str | Callable[[Any], Any] = "genre",
    group: str | Callable[[Any], Any] | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """List the tracks of a mirdata data set, with genres and artists.

    mirdata [1]_ downloads and checks some sixty data sets. No audio is read here.

    Parameters
    ----------
    dataset : mirdata.core.Dataset
        As ``mirdata.initialize`` returns it, downloaded.

    genre : str or callable, default='genre'
        Attribute of a track that is its genre, or a list of genres, as 'genre' of
        ``gtzan_genre``, ``ballroom`` and ``giantsteps_tempo`` and 'tags' of
        ``mtg_jamendo_autotagging_moodtheme``; or a function of a track that returns
        these, as ``lambda track: track.genres["genres"]`` for ``beatport_key``.

    group : str, callable or None, default=None
        The same for the artist, such as 'artist' or 'artist_id'. With None, artists are
        not known.

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        With the attributes:

        paths : ndarray of shape (n_clips,), object
            Names of the files, in mirdata's order; without tracks that have none.
        target : ndarray of shape (n_clips,), str or object
            Genres; tuples of genres where tracks have lists. None, or an empty tuple,
            where a track has no genre.
        target_names : ndarray of shape (n_classes,), str
            The genres, sorted.
        groups : ndarray of shape (n_clips,), str, or None
            Artists. A track without one is a group of its own.
        track_ids : ndarray of shape (n_clips,), str
            mirdata's ids of the tracks.
        %(frame)s
        DESCR : str
            Where the tracks come from and how many there are.

    Raises
    ------
    FileNotFoundError
        If files are missing.

    ValueError
        If tracks have no such attribute, or none has audio.

    See Also
    --------
    load_gtzan : GTZAN without its faulty clips, and with a split.
    from_hugging_face : Data sets of Hugging Face.

    References
    ----------
    .. [1] R. M. Bittner et al., "mirdata: software for reproducible usage of datasets",
       ISMIR 2019. https://mirdata.readthedocs.io

    Examples
    --------
    ::

        dataset = mirdata.initialize("gtzan_genre", data_home="my_data", version="mini")
        dataset.download()
        tracks = from_mirdata(dataset)
    """
    found = [
        (track_id, track)
        for track_id, track in dataset.load_tracks().items()
        if getattr(track, "audio_path", None) is not None
    ]
    paths = [os.fspath(track.audio_path) for _, track in found]
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of {len(paths)} files of the data set are not there: "
            f"{quoted(missing)}. Call dataset.download(), or give its folder to "
            "mirdata.initialize as data_home."
        )
    name = getattr(dataset, "name", None) or type(dataset).__name__
    tracks = labelled(
        paths,
        [_value("genre", genre, track) for _, track in found],
        None if group is None else [_value("group", group, t) for _, t in found],
        f"mirdata's {name}",
    )
    tracks.track_ids = np.array([track_id for track_id, _ in found])
    return in_form(tracks, return_X_y=return_X_y, as_frame=as_frame)


def _value(name: str, wanted: str | Callable[[Any], Any], track: Any) -> Any:
    if callable(wanted):
        return wanted(track)
    try:
        return getattr(track, wanted)
    except AttributeError:
        public = [each for each in dir(track) if not each.startswith("_")]
        raise ValueError(
            f"{name}={wanted!r} is no attribute of the tracks, which have "
            f"{', '.join(public)}. Name one of these, or give a function of a track."
        ) from None
