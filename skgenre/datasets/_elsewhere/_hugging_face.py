"""Data sets of Hugging Face."""

import io
from collections.abc import Mapping
from typing import Any

from skgenre._docstrings import substitute
from skgenre._sklearn_compat import validate_params
from skgenre.datasets._elsewhere._labelled import labelled
from skgenre.datasets._form import FORM_CONSTRAINTS, FORM_DOCS, in_form


@substitute(**FORM_DOCS)
@validate_params(
    {
        "audio": [str],
        "genre": [str],
        "group": [str, None],
    }
    | FORM_CONSTRAINTS,
    prefer_skip_nested_validation=True,
)
def from_hugging_face(
    dataset: Any,
    *,
    audio: str = "audio",
    genre: str = "genre",
    group: str | None = None,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Any:
    """List the rows of a Hugging Face data set, with genres and artists.

    Nothing is decoded here, so that `datasets` needs no decoder, and no waveforms are
    held: audio steps decode the files, at their own rate.

    Parameters
    ----------
    dataset : datasets.Dataset
        One split, as ``datasets.load_dataset(name, split="train")`` returns it.

    audio : str, default='audio'
        Column of the sounds: of the type ``Audio``, or paths.

    genre : str, default='genre'
        Column of the genres, or of lists of them: texts, numbers, or the type
        ``ClassLabel``, of which the names are taken.

    group : str or None, default=None
        Column of the artists. With None, artists are not known.

    %(return_X_y)s

    %(as_frame)s

    Returns
    -------
    tracks : :class:`~sklearn.utils.Bunch`, or tuple
        With the attributes:

        paths : ndarray of shape (n_clips,), object
            Clips for an audio step, in the order of the rows: names of files, or open
            files in memory where the data set holds the sounds themselves.
        target : ndarray of shape (n_clips,), str, int or object
            Genres; tuples of genres where rows have lists. None, or an empty tuple,
            where a row has no genre.
        target_names : ndarray of shape (n_classes,), str or int
            The genres, sorted.
        groups : ndarray of shape (n_clips,), str, or None
            Artists. A row without one is a group of its own.
        %(frame)s
        DESCR : str
            Where the clips come from and how many there are.

    Raises
    ------
    TypeError
        If it is no ``datasets.Dataset``.

    ValueError
        If there is no such column, or there are no rows.

    See Also
    --------
    from_mirdata : Data sets of mirdata.

    Examples
    --------
    ::

        dataset = datasets.load_dataset("lewtun/music_genres_small", split="train")
        tracks = from_hugging_face(dataset, group="song_id")
        genre_pipeline("fast").fit(tracks.paths, tracks.target)
    """
    features = _features(dataset)
    for parameter, column in (("audio", audio), ("genre", genre), ("group", group)):
        if column is not None and column not in features:
            raise ValueError(
                f"{parameter}={column!r} is no column of the data set, which has "
                f"{', '.join(features)}."
            )
    dataset = dataset.with_format(None)  # plain lists and numbers
    kind = features[audio]
    if hasattr(kind, "decode"):  # the type Audio
        dataset = dataset.cast_column(audio, type(kind)(decode=False))
    names = _names(features[genre])
    tracks = labelled(
        [_clip(row) for row in dataset[audio]],
        [_label_name(value, names) for value in dataset[genre]],
        None if group is None else list(dataset[group]),
        "a data set of Hugging Face",
    )
    return in_form(tracks, return_X_y=return_X_y, as_frame=as_frame)


def _features(dataset: Any) -> Mapping[str, Any]:
    """Return the types of the columns."""
    is_split = not isinstance(dataset, Mapping) and hasattr(dataset, "__len__")
    if is_split and getattr(dataset, "features", None) is not None:
        return dataset.features
    remedy = "Load it without streaming=True."
    if isinstance(dataset, Mapping):
        remedy = f"Choose one of its splits: {', '.join(map(str, dataset))}."
    raise TypeError(
        f"dataset must be a datasets.Dataset, got {type(dataset).__name__}. {remedy}"
    )


def _clip(row: Any) -> Any:
    """Return an undecoded row as a path or an open file; anything else as it is."""
    if isinstance(row, Mapping) and row.keys() >= {"bytes", "path"}:
        return row["path"] if row["bytes"] is None else io.BytesIO(row["bytes"])
    return row


def _names(feature: Any) -> list[str] | None:
    """Return the names of a ClassLabel, also of one in a list."""
    return getattr(getattr(feature, "feature", feature), "names", None)


def _label_name(value: Any, names: list[str] | None) -> Any:
    if isinstance(value, list):
        return [_label_name(each, names) for each in value]
    # Splits without labels have -1.
    if value is None or names is not None and value < 0:
        return None
    return value if names is None else names[value]
