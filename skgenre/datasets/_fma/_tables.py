"""The tables of FMA's metadata, in the form that they are published in."""

import ast
import csv
import itertools
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import column_or_1d

from skgenre._files import data_home_folder
from skgenre._sklearn_compat import validate_params
from skgenre._text import shorten
from skgenre.datasets._tracks_csv import quoted
from skgenre.features._mfcc import feature_names

if TYPE_CHECKING:
    import pandas

METADATA = "fma_metadata"
"""Name of the folder, and of the archive, that holds the tables."""

SUBSETS = ("small", "medium", "large")
"""Values of the column (set, subset); each subset holds the ones before it."""

SPLITS = ("training", "validation", "test")
"""Values of the column (set, split)."""

_LISTS = [
    ("album", "tags"),
    ("artist", "tags"),
    ("track", "genres"),
    ("track", "genres_all"),
    ("track", "tags"),
]
_DATES = [
    ("album", "date_created"),
    ("album", "date_released"),
    ("artist", "active_year_begin"),
    ("artist", "active_year_end"),
    ("artist", "date_created"),
    ("track", "date_created"),
    ("track", "date_recorded"),
]
_NEEDED = [
    ("album", "id"),
    ("artist", "id"),
    ("set", "split"),
    ("set", "subset"),
    ("track", "genre_top"),
]
# features.csv has a line for each of the three levels, and one that names the index.
_N_HEADER_LINES = 4
_N_MFCC = 20


def table_path(folder: str, name: str) -> str:
    """Return the path of a table of the metadata, which has to be there."""
    tables = os.path.join(folder, METADATA)
    path = os.path.join(tables, name)
    if not os.path.isfile(path):
        # A folder that is there is not downloaded.
        rest = f"delete {tables!r} and " if os.path.isdir(tables) else ""
        raise FileNotFoundError(
            f"There is no file {path!r}. To get it, {rest}call fetch_fma; or pass as "
            f"data_home the folder that holds {METADATA!r}, "
            f"extracted from {METADATA}.zip."
        )
    return path


def read_tracks(path: str, subset: str) -> "pandas.DataFrame":
    """Read the tracks of a subset, and of those that it holds.

    Parameters
    ----------
    path : str
        FMA's ``tracks.csv``.

    subset : {'small', 'medium', 'large'}
        Which tracks.

    Returns
    -------
    DataFrame
        By track id, with columns of two levels. Lists are lists, dates are dates, and
        (set, subset) is ordered.
    """
    import pandas as pd

    try:
        # Not in chunks, which may take one column for numbers here and text there.
        frame = pd.read_csv(path, index_col=0, header=[0, 1], low_memory=False)
    except (ValueError, IndexError) as error:  # pandas' errors are ValueErrors
        raise _not_fma(path, str(error)) from error
    _check_tracks(frame, path)
    subsets = pd.CategoricalDtype(SUBSETS, ordered=True)
    frame["set", "subset"] = frame["set", "subset"].astype(subsets)
    frame = frame[frame["set", "subset"] <= subset].copy()
    try:
        for column in _LISTS:
            if column in frame:
                frame[column] = frame[column].map(_to_list).astype(object)
        for column in _DATES:
            if column in frame:
                frame[column] = pd.to_datetime(frame[column], format="ISO8601")
    except (ValueError, TypeError, SyntaxError) as error:
        raise _not_fma(path, f"in column {column}, {error}") from error
    return frame


def _check_tracks(frame: "pandas.DataFrame", path: str) -> None:
    """Refuse a table that lacks columns, was cut off, or was edited to no good."""
    missing = [column for column in _NEEDED if column not in frame.columns]
    if missing:
        raise _not_fma(path, f"there is no column {missing[0]}")
    _check_ids(frame, path)
    for column in (("set", "split"), ("set", "subset")):
        allowed = SPLITS if column == ("set", "split") else SUBSETS
        wrong = frame.index[~frame[column].isin(allowed)]
        if len(wrong):
            value = frame.loc[wrong[0], column]
            raise _not_fma(
                path, f"{column} of track {wrong[0]} is '{value}', not one of {allowed}"
            )
    for column in (("artist", "id"), ("album", "id")):
        if frame[column].dtype.kind != "i":
            raise _not_fma(path, f"{column} holds more than whole numbers")


def _check_ids(frame: "pandas.DataFrame", path: str) -> None:
    if frame.empty:
        raise _not_fma(path, "it lists no tracks")
    if frame.index.dtype.kind != "i":
        raise _not_fma(path, "the first column holds more than track ids")
    if not frame.index.is_unique:
        twice = frame.index[frame.index.duplicated()]
        raise _not_fma(path, f"track {twice[0]} is listed more than once")


def _to_list(cell: Any) -> list:
    """Return the list that a cell holds, of numbers or texts; [] of an empty cell."""
    if cell != cell:  # NaN
        return []
    found = ast.literal_eval(cell) if isinstance(cell, str) else cell
    if isinstance(found, list) and all(
        isinstance(item, int | float | str) for item in found
    ):
        return found
    raise ValueError(f"{shorten(repr(cell))} is not a list of numbers or texts")


def read_genres(path: str) -> "pandas.DataFrame":
    """Read FMA's genres, and their colours where they are known.

    Parameters
    ----------
    path : str
        FMA's ``genres.csv``. The colours are in ``raw_genres.csv`` beside it.

    Returns
    -------
    DataFrame
        By genre id: ``#tracks``, ``parent`` (an id, or 0 at the top), ``title``,
        ``top_level`` (an id) and ``color`` (such as '#006666', or None).
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, index_col="genre_id")
    except (ValueError, IndexError) as error:
        raise _not_fma(path, str(error)) from error
    missing = [name for name in ("parent", "title") if name not in frame]
    if missing:
        raise _not_fma(path, f"there is no column {missing[0]}")
    are_ids = frame.index.dtype.kind == frame["parent"].dtype.kind == "i"
    if not are_ids or not frame.index.is_unique:
        raise _not_fma(path, "genres and parents are not given by their ids, each once")
    if not frame["title"].is_unique:
        raise _not_fma(path, "a title is there more than once")
    strange = frame["parent"][
        (frame["parent"] != 0) & ~frame["parent"].isin(frame.index)
    ]
    if len(strange):
        raise _not_fma(
            path,
            f"genre {strange.index[0]} is below {strange.iloc[0]}, which isn't there",
        )
    frame["color"] = _genre_colors(path).reindex(frame.index)
    return frame


def _genre_colors(path: str) -> "pandas.Series":
    import pandas as pd

    raw = os.path.join(os.path.dirname(path), "raw_genres.csv")
    if not os.path.isfile(raw):
        return pd.Series(dtype=object)
    try:
        colors = pd.read_csv(raw, index_col="genre_id")["genre_color"].astype(object)
    except KeyError as error:
        raise _not_fma(raw, f"there is no column {error}") from error
    except ValueError as error:
        raise _not_fma(raw, str(error)) from error
    if not colors.index.is_unique:
        twice = colors.index[colors.index.duplicated()]
        raise _not_fma(raw, f"genre {twice[0]} is listed more than once")
    return colors


def genre_parents(genres: "pandas.DataFrame") -> dict[str, str | None]:
    """Return the title of the genre above each, or None, by title."""
    titles = genres["title"].to_dict()
    return {
        titles[genre]: titles.get(parent) for genre, parent in genres["parent"].items()
    }


def _not_fma(path: str, reason: str) -> ValueError:
    return ValueError(
        f"{path!r} is not a table of FMA's metadata in the form of 2017: {reason}. "
        f"Extract {METADATA}.zip anew, or delete the folder and call fetch_fma."
    )


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "track_ids": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def load_fma_features(
    data_home: str | os.PathLike[str] | None = None, *, track_ids: Any = None
) -> "pandas.DataFrame":
    r"""Read the MFCC statistics that come with the FMA data set.

    Parameters
    ----------
    data_home : str, os.PathLike or None, default=None
        The folder that holds ``fma_metadata``; see :func:`fetch_fma`, which downloads
        it.

    track_ids : array-like of shape (n_tracks,), int, or None, default=None
        Which tracks, in which order, such as the ``track_ids`` of :func:`load_fma`.
        None takes all 106,574.

    Returns
    -------
    features : DataFrame of shape (n_tracks, 140)
        Seven statistics over time of 20 MFCCs, by track id: what
        ``MFCCStandardizer(input="features")`` takes. Names and order of the columns
        are those of its own features, ``mfcc_kurtosis_01`` to ``mfcc_std_20``.

    Raises
    ------
    FileNotFoundError
        If there is no ``features.csv``.

    ValueError
        If a track is not in the table, or the table is of another form.

    See Also
    --------
    load_fma : The clips, their genres and artists.
    skgenre.MFCCStandardizer : Computes the same from audio, and standardises both.

    Notes
    -----
    FMA's authors [1]_ computed the table on the tracks in their full length, not on
    the clips of 30 s, and at each file's own sample rate, mostly 44,100 Hz [2]_ [3]_.
    The same statistics of the clips at 22,050 Hz, the default of
    :class:`~skgenre.MFCCStandardizer`, are other numbers: a model takes the ones or
    the others, and one of clips is less accurate.

    References
    ----------
    .. [1] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: a dataset for
       music analysis", ISMIR 2017.
    .. [2] https://github.com/mdeff/fma/blob/master/features.py
    .. [3] https://github.com/mdeff/fma/issues/8

    Examples
    --------
    Two tracks, in a file of FMA's form:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import load_fma_features
    >>> statistics = ("kurtosis", "max", "mean", "median", "min", "skew", "std")
    >>> names = [(name, f"{i + 1:02d}") for name in statistics for i in range(20)]
    >>> lines = [
    ...     ",".join(["feature"] + ["mfcc"] * 140),
    ...     ",".join(["statistics"] + [name for name, _ in names]),
    ...     ",".join(["number"] + [number for _, number in names]),
    ...     "track_id" + "," * 140,
    ...     "2" + ",0.5" * 140,
    ...     "5" + ",0.25" * 140,
    ... ]
    >>> with tempfile.TemporaryDirectory() as data_home:
    ...     table = Path(data_home, "fma_metadata", "features.csv")
    ...     table.parent.mkdir()
    ...     _ = table.write_text("\n".join(lines))
    ...     features = load_fma_features(data_home, track_ids=[5, 2])
    >>> features.shape
    (2, 140)
    >>> features["mfcc_mean_01"].to_dict()
    {5: 0.25, 2: 0.5}
    """
    import pandas as pd

    path = table_path(data_home_folder(data_home), "features.csv")
    names = feature_names(_N_MFCC, "moments")
    try:
        places = _places(path)
        if not set(names) <= set(places):
            raise ValueError(f"there are not all columns {names[0]} to {names[-1]}")
        # pandas can't choose columns by a header of several lines.
        features = pd.read_csv(
            path,
            header=None,
            skiprows=_N_HEADER_LINES,
            index_col=0,
            usecols=[0, *(places[name] for name in names)],
        )
    except (ValueError, csv.Error) as error:
        raise _not_fma(path, str(error)) from error
    _check_ids(features, path)
    texts = features.columns[features.dtypes.map(lambda dtype: dtype.kind not in "if")]
    if len(texts):
        raise _not_fma(path, f"column {texts[0]} holds more than numbers")
    by_place = {place: name for name, place in places.items()}
    features.columns = pd.Index([by_place[place] for place in features.columns])
    features.index.name = "track_id"
    features = features[names]
    if track_ids is None:
        return features
    ids = column_or_1d(track_ids)
    unknown = ids[~np.isin(ids, features.index)]
    if len(unknown):
        raise ValueError(
            f"{path!r} holds no features of {len(unknown)} of the track_ids: "
            f"{quoted(unknown.tolist())}. Leave them out."
        )
    return features.loc[ids]


def _places(path: str) -> dict[str, int]:
    """Return the column of each feature, by its name."""
    with open(path, encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        *header, index_line = itertools.islice(reader, _N_HEADER_LINES)
    if index_line[:1] != ["track_id"]:
        raise ValueError(f"line {_N_HEADER_LINES} does not begin with 'track_id'")
    columns = zip(*header, strict=False)
    return {"_".join(levels): place for place, levels in enumerate(columns)}
