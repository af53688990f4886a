"""Maps of tags' probabilities, planted in some."""

import re

import numpy as np
import pytest
from music_library import write_track
from mutagen.flac import FLAC

from skgenre import GenreTagger
from skgenre.classifiers._tagging._tag_genres import FEATURE_NAMES, TAG_NAMES
from skgenre.cli._commands._embeddings._map import map_of_songs


@pytest.fixture(scope="module")
def tags(tmp_path_factory):
    """Six songs that sound like jazz or metal, with tags that may say otherwise."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    rows = {}
    for i, style in enumerate(["jazz", "metal"] * 3):
        path = folder / f"{i}.flac"
        write_track(path, title=[f"Title {i}"], artist=["Ärtist"], genre=["bebop"])
        if i == 5:
            FLAC(path).delete()
        row = rng.uniform(0.01, 0.05, len(FEATURE_NAMES)).astype(np.float32)
        row[[name == style for name in TAG_NAMES]] = 0.9
        rows[str(path)] = row
    return rows


def make(tags, **changes):
    how = {"color": "genre", "reduction": "pca", "title": "it", "n_jobs": 1}
    return map_of_songs(GenreTagger(), tags, **how | changes)


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("genre", {"jazz": 3, "metal": 3}),
        ("tags", {"Bebop": 5, "none": 1}),
        ("cluster", {"1 jazz": 3, "2 metal": 3}),
    ],
)
def test_colours(tags, color, expected):
    page = make(tags, color=color)
    groups = re.findall(r"<bdi>([^<]*)</bdi> <small>(\d)</small>", page)
    found = {name.split(",")[0]: int(size) for name, size in groups}
    assert found == expected
    assert page.count("Ärtist") == 5 and "Title 0" in page
    assert re.search(r"<title>5&#10;", page)  # a file's name, where there is no title


def test_two_songs_are_one_cluster(tags):
    page = make(dict([*tags.items()][:2]), color="cluster")
    assert re.findall(r"<bdi>([^<]*)</bdi> <small>(\d)</small>", page) == [("1", "2")]


def test_too_few_songs(tags):
    with pytest.raises(ValueError, match="at least 2 songs .* there are 1"):
        make(dict([*tags.items()][:1]))
