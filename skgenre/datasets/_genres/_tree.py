"""A tree of genres: which genre is above which."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length, column_or_1d

from skgenre._text import format_list, shorten
from skgenre.datasets._form import genres_of_clips
from skgenre.datasets._genres._tree_files import read_tree
from skgenre.datasets._library._genre_names import genre_key

# The largest in use has a few thousand genres, eight deep. A model file may hold one.
MOST_GENRES = 10_000
MOST_LEVELS = 32
_LONGEST_NAME = 200


class GenreTree(Mapping[str, str | None]):
    """Genres, and the genre above each: "Punk" is a subgenre of "Rock".

    It is a mapping of each genre to the one above, or to None at the top, and does
    wherever a dict of these does. Case, blanks and punctuation of names don't matter. A
    genre that is not in the tree is taken for a top genre without subgenres.

    Parameters
    ----------
    parents : mapping of str to str or None
        The genre above each genre. None, or the genre itself, makes it a top genre, and
        so does being above others only. At most 10,000 genres, and 32 levels.

    Attributes
    ----------
    top_genres : list of str
        The genres that have none above them.

    Raises
    ------
    TypeError
        If `parents` is no mapping.
    ValueError
        If names are not text, a genre has two parents or is above itself, or there are
        too many.

    See Also
    --------
    load_music_library : Counts subgenres as their top genres.
    load_fma : Gives the tree of FMA's 163 genres.
    skgenre.AbstainingClassifier : Predicts the genre above where it is uncertain.
    skgenre.inspection.hierarchical_scores : Counts a near miss as half right.

    Examples
    --------
    >>> from skgenre.datasets import GenreTree
    >>> tree = GenreTree({"Deep House": "House", "House": "Electronic", "Jazz": None})
    >>> tree
    GenreTree(4 genres, 2 at the top)
    >>> tree["deep-house"], tree["Electronic"], tree.lineage("Deep House")
    ('House', None, ('Electronic', 'House', 'Deep House'))
    >>> tree.top_genres
    ['Jazz', 'Electronic']
    """

    def __init__(self, parents: Mapping[str, str | None]) -> None:
        if not isinstance(parents, Mapping):
            raise TypeError(
                "parents must be a mapping such as {'House': 'Electronic'}, got "
                f"{type(parents).__name__}. GenreTree.from_file reads files."
            )
        above: dict[str, str | None] = {}
        names: dict[str, str] = {}
        for genre, parent in parents.items():
            key = _checked_key(genre, genre, parent)
            top = parent is None or _checked_key(parent, genre, parent) == key
            parent_key = None if top else genre_key(str(parent))
            if above.setdefault(key, parent_key) != parent_key:
                raise ValueError(
                    f"The genre tree has {names[key]!r} below two genres, as it has "
                    f"{genre!r}, another spelling of it, below {parent!r}. Keep one "
                    "of them."
                )
            names.setdefault(key, genre)
        for parent in parents.values():
            if parent is not None:
                names.setdefault(genre_key(parent), parent)
        if len(names) > MOST_GENRES:
            raise ValueError(
                f"The genre tree has {len(names)} genres, more than {MOST_GENRES}. "
                "Leave out those that you have no music of."
            )
        self._names = names
        self._above = {key: above.get(key) for key in names}
        self._lineages = {key: self._find_lineage(key) for key in names}

    def _find_lineage(self, key: str) -> tuple[str, ...]:
        steps = [key]
        while (parent := self._above[steps[-1]]) is not None:
            is_circle = parent in steps
            steps.append(parent)
            if is_circle or len(steps) > MOST_LEVELS:
                names = format_list([self._names[step] for step in steps])
                reason = (
                    "leads in a circle"
                    if is_circle
                    else f"has more than {MOST_LEVELS} levels"
                )
                raise ValueError(
                    f"The genre tree {reason}: {names}, each below the next. A genre "
                    "can't be above itself, and trees of music are less than ten deep."
                )
        return tuple(self._names[step] for step in reversed(steps))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Self:
        r"""Read a tree of a CSV, JSON or YAML file.

        Parameters
        ----------
        path : str or os.PathLike
            One of these, by the end of its name:

            - ``.csv``: FMA's ``genres.csv``; or a table in UTF-8 whose first line names
              the columns ``genre`` and ``parent``, where an empty parent makes a top
              genre.
            - ``.json``, ``.yaml`` or ``.yml``: names within names, as in beets'
              ``genres-tree.yaml``: a list of names, and of ``name: [subgenres]``; or a
              mapping of names to their subgenres. Of a name that is there twice the
              first place counts, as for beets. YAML needs the extra `yaml`.

        Returns
        -------
        GenreTree
            The tree.

        Raises
        ------
        OSError
            If the file can't be read.
        ImportError
            If it is YAML, and PyYAML is not installed.
        ValueError
            If it is of another form, or no tree.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from skgenre.datasets import GenreTree
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "genres.csv")
        ...     _ = path.write_text("genre,parent\nRock,\nPunk,Rock\n")
        ...     tree = GenreTree.from_file(path)
        >>> dict(tree)
        {'Rock': None, 'Punk': 'Rock'}
        """
        name = os.fspath(path)
        try:
            return cls(read_tree(name))
        except ValueError as error:
            raise ValueError(f"{name!r} holds no genre tree: {error}") from error

    def __getitem__(self, genre: str) -> str | None:
        """Return the genre above one, or None at the top."""
        lineage = self._lineages[_key(genre)]
        return lineage[-2] if len(lineage) > 1 else None

    def __iter__(self) -> Iterator[str]:
        """Iterate over the genres, as they are spelt in the tree."""
        return iter(self._names.values())

    def __len__(self) -> int:
        """Return the number of genres."""
        return len(self._names)

    def __repr__(self) -> str:
        """Return how many genres there are, as their names may fill pages."""
        return (
            f"{type(self).__name__}({len(self)} genres, {len(self.top_genres)} at the "
            "top)"
        )

    @property
    def top_genres(self) -> list[str]:
        """The genres that have none above them."""
        return [genre for genre in self if self[genre] is None]

    def lineage(self, genre: str) -> tuple[str, ...]:
        """Return the genres from the top down to one, which is the last.

        Parameters
        ----------
        genre : str
            Its name, in any spelling. One that is not in the tree is its own lineage.

        Returns
        -------
        tuple of str
            As they are spelt in the tree.

        Examples
        --------
        >>> from skgenre.datasets import GenreTree
        >>> tree = GenreTree({"Punk": "Rock", "Oi!": "Punk"})
        >>> tree.lineage("oi"), tree.lineage("Jazz")
        (('Rock', 'Punk', 'Oi!'), ('Jazz',))
        """
        return self._lineages.get(_key(genre), (genre,))

    def levels(self, genres: ArrayLike) -> NDArray:
        """Return the lineages of genres as a table, a column for each level.

        HiClass takes such a table as y.

        Parameters
        ----------
        genres : array-like of shape (n_clips,)
            Genres, such as the targets of clips.

        Returns
        -------
        ndarray of shape (n_clips, n_levels), str
            The top genre first, and "" below a genre that is less deep than others. All
            "" where there is no genre (None, NaN).

        Raises
        ------
        ValueError
            If clips have lists of genres.

        Examples
        --------
        >>> from skgenre.datasets import GenreTree
        >>> GenreTree({"Punk": "Rock"}).levels(["Punk", "Jazz"])
        array([['Rock', 'Punk'],
               ['Jazz', '']], dtype='<U4')
        """
        of_each, are_several = genres_of_clips("genres", genres)
        if are_several:
            raise ValueError(
                "genres must have one genre for each clip, got lists of genres. Choose "
                "one of each."
            )
        lineages = [self.lineage(*genre) if genre else () for genre in of_each]
        depth = max(map(len, lineages), default=0)
        rows = [[*names, *[""] * (depth - len(names))] for names in lineages]
        return np.array(rows, dtype=str).reshape(len(rows), depth)

    def sum_probabilities(
        self, probabilities: ArrayLike, classes: ArrayLike
    ) -> tuple[NDArray, NDArray]:
        """Return the probability of each genre: its own, and those of its subgenres.

        Parameters
        ----------
        probabilities : array-like of shape (n_clips, n_classes)
            As of a classifier's `predict_proba`.
        classes : array-like of shape (n_classes,)
            The genres of the columns, each once, such as the classifier's `classes_`.

        Returns
        -------
        sums : ndarray of shape (n_clips, n_genres)
            A genre is never less probable than one of its subgenres.
        genres : ndarray of shape (n_genres,)
            The classes and all genres above them, sorted; spelt as the classes or else
            as in the tree.

        Raises
        ------
        ValueError
            If there are not as many classes as columns, or two of them are one genre.

        Examples
        --------
        >>> from skgenre.datasets import GenreTree
        >>> tree = GenreTree({"Punk": "Rock", "Metal": "Rock"})
        >>> classes = ["Jazz", "Metal", "Punk"]
        >>> sums, genres = tree.sum_probabilities([[0.25, 0.5, 0.25]], classes)
        >>> genres.tolist(), sums.tolist()
        (['Jazz', 'Metal', 'Punk', 'Rock'], [[0.25, 0.5, 0.25, 0.75]])
        """
        table = check_array(probabilities, dtype=np.float64, input_name="probabilities")
        labels = column_or_1d(classes)
        if table.shape[1] != len(labels):
            raise ValueError(
                f"probabilities has {table.shape[1]} columns for {len(labels)} classes."
            )
        lineages = [self.lineage(label) for label in labels.tolist()]
        spelt: dict[Any, Any] = {}
        for label, (*_, name) in zip(labels.tolist(), lineages, strict=True):
            if name in spelt:
                raise ValueError(
                    f"classes has {spelt[name]!r} and {label!r}, which are one genre. "
                    "Spell it in one way."
                )
            spelt[name] = label
        for name in (name for lineage in lineages for name in lineage):
            spelt.setdefault(name, name)
        in_order = sorted(spelt, key=lambda name: spelt[name])
        column = {name: i for i, name in enumerate(in_order)}
        sums = np.zeros((len(table), len(spelt)))
        for i, lineage in enumerate(lineages):
            for name in lineage:
                # In one order, so that rounding never makes a genre less probable
                # than its subgenre.
                sums[:, column[name]] += table[:, i]
        genres = [spelt[name] for name in in_order]
        return sums, np.array(genres, dtype=labels.dtype.type)

    def with_genres_above(self, genres: Any) -> NDArray:
        """Return the genres of each clip, and all those above them.

        FMA's "genres_all", of any tree: a clip of punk is one of rock, too.

        Parameters
        ----------
        genres : array-like of shape (n_clips,), or sequence of sequences of str
            The genre of each clip, or the genres. None and NaN are no genre.

        Returns
        -------
        ndarray of shape (n_clips,)
            Tuples: each genre once, before those above it.

        Raises
        ------
        ValueError
            If `genres` has lists for some of the clips only.

        Examples
        --------
        >>> from skgenre.datasets import GenreTree
        >>> tree = GenreTree({"Punk": "Rock", "Metal": "Rock"})
        >>> tree.with_genres_above([("Punk", "Metal", "Folk"), ("Jazz",)]).tolist()
        [('Punk', 'Rock', 'Metal', 'Folk'), ('Jazz',)]
        """
        sets, _ = genres_of_clips("genres", genres)
        spelt: dict[Any, Any] = {}
        for names in sets:
            for name in names:
                spelt.setdefault(self.lineage(name)[-1], name)

        def with_above(names: tuple) -> tuple:
            lines = (reversed(self.lineage(name)) for name in names)
            return tuple(
                {spelt.get(each, each): None for line in lines for each in line}
            )

        return np.fromiter(map(with_above, sets), dtype=object, count=len(sets))

    def fold_rare(
        self,
        genres: Any,
        *,
        min_clips: int = 1,
        groups: ArrayLike | None = None,
        min_groups: int = 1,
    ) -> NDArray:
        """Return genres, rare ones replaced by the genre above.

        The deepest are counted first, and what is still rare then is folded again. Top
        genres stay, however rare.

        Parameters
        ----------
        genres : array-like of shape (n_clips,), or sequence of sequences of str
            The genre of each clip, or the genres. None and NaN are no genre.
        min_clips : int, default=1
            Clips that a subgenre needs to be kept.
        groups : array-like of shape (n_clips,), default=None
            Artists.
        min_groups : int, default=1
            Artists that a subgenre needs to be kept; more than 1 needs `groups`.

        Returns
        -------
        ndarray of shape (n_clips,)
            In the form that was given: genres, or an array of tuples of them.

        Raises
        ------
        ValueError
            If lengths do not match, `groups` is missing, or `genres` has lists for some
            of the clips only.

        Examples
        --------
        >>> from skgenre.datasets import GenreTree
        >>> tree = GenreTree({"Punk": "Rock", "Oi!": "Punk"})
        >>> tree.fold_rare(["Oi!", "Oi!", "Punk", "Punk", "Oi!"], min_clips=4).tolist()
        ['Punk', 'Punk', 'Punk', 'Punk', 'Punk']
        >>> tree.fold_rare([("Oi!", "Folk"), ("Punk", "Rock")], min_clips=3).tolist()
        [('Rock', 'Folk'), ('Rock',)]
        """
        if groups is None and min_groups > 1:
            raise ValueError(f"min_groups={min_groups} counts artists: pass groups.")
        sets, are_several = genres_of_clips("genres", genres)
        artists = np.arange(len(sets))
        if groups is not None:
            check_consistent_length(sets, groups)
            artists = column_or_1d(groups)
        clips: dict[Any, set[int]] = {}
        spelt: dict[Any, Any] = {}
        for clip, names in enumerate(sets):
            for name in names:
                clips.setdefault(self.lineage(name)[-1], set()).add(clip)
                spelt[self.lineage(name)[-1]] = name
        becomes: dict[Any, Any] = {}
        for name in sorted(
            self, key=lambda name: len(self.lineage(name)), reverse=True
        ):
            members, parent = clips.get(name, set()), self[name]
            n_groups = len(set(artists[list(members)].tolist()))
            is_rare = len(members) < min_clips or n_groups < min_groups
            if members and parent is not None and is_rare:
                becomes[name] = parent
                clips.setdefault(parent, set()).update(members)

        def folded(genre: Any) -> Any:
            name = self.lineage(genre)[-1]
            if name not in becomes:
                return genre
            while name in becomes:
                name = becomes[name]
            return spelt.get(name, name)

        result = np.empty(len(sets), dtype=object)
        for clip, names in enumerate(sets):
            result[clip] = tuple(dict.fromkeys(map(folded, names)))
        if are_several:
            return result
        single = [names[0] if names else None for names in result]
        return np.array(single, dtype=object if None in single else None)


def _key(genre: Any) -> Any:
    """Return what spellings of a genre have in common; of a number, itself."""
    return (genre_key(genre) or genre) if isinstance(genre, str) else genre


def _checked_key(name: Any, genre: Any, parent: Any) -> str:
    if isinstance(name, str) and len(name) <= _LONGEST_NAME and genre_key(name):
        return genre_key(name)
    raise ValueError(
        "A genre tree maps names of genres to the names of those above, such as "
        f"{{'Deep House': 'House', 'House': None}}; got {shorten(repr(genre))}: "
        f"{shorten(repr(parent))}."
    )
