"""Clips, genres and groups of other packages, as loaders return them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from skgenre._text import format_list
from skgenre.datasets._form import is_missing, object_array


def labelled(
    clips: Sequence[Any],
    genres: Sequence[Any],
    groups: Sequence[Any] | None,
    source: str,
) -> Bunch:
    """Return clips with their genres and groups as a Bunch.

    Parameters
    ----------
    clips : sequence
        Whatever audio steps take.
    genres : sequence
        The genre of each clip, or a list of genres; None, NaN or "" where there is
        none.
    groups : sequence or None
        The artist of each clip. Clips without one are groups of their own.
    source : str
        Where they are from, for DESCR.

    Returns
    -------
    Bunch
        'paths', 'target', 'target_names', 'groups' and 'DESCR', as of
        `load_audio_folder`. With lists of genres the target is one of tuples.

    Raises
    ------
    ValueError
        If there are no clips.
    """
    if not len(clips):
        raise ValueError(f"{source} has no clips with audio.")
    are_several = any(isinstance(genre, (list, tuple, np.ndarray)) for genre in genres)
    sets = [_as_tuple(genre) for genre in genres]
    if are_several:
        target = object_array(sets)
    else:
        single = [names[0] if names else None for names in sets]
        target = object_array(single) if None in single else np.array(single)
    counts = Counter(name for names in sets for name in names)
    numbers = [f"{count} {name}" for name, count in counts.most_common()]
    if n_missing := sum(not names for names in sets):
        numbers.append(f"{n_missing} without a genre")
    artists = None
    if groups is not None:
        artists = np.array(
            [
                f"clip {clip}" if is_missing(artist) else str(artist)
                for clip, artist in enumerate(groups)
            ]
        )
    by = "" if artists is None else f" by {len(np.unique(artists))} artists"
    return Bunch(
        paths=object_array(list(clips)),
        target=target,
        target_names=np.array(sorted(counts)),
        groups=artists,
        DESCR=f"{len(clips)} clips{by} from {source}: "
        f"{format_list(numbers, limit=20)}.",
    )


def _as_tuple(genre: Any) -> tuple:
    several = genre if isinstance(genre, (list, tuple, np.ndarray)) else [genre]
    named = (name for name in several if not is_missing(name) and name != "")
    return tuple(dict.fromkeys(named))
