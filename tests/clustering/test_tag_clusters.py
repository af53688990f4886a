"""Clusters of tags' probabilities, planted in some."""

import csv
import io
import json

import numpy as np
import pytest

from skgenre.classifiers._tagging._tag_genres import (
    FEATURE_NAMES,
    TAG_NAMES,
    tag_embedding,
)
from skgenre.cli._tables import write_clusters
from skgenre.clustering._tag_clusters import cluster_songs, distinctive_tags

STYLES = {"jazz": 5, "techno": 9, "choir": 3}


def planted():
    """Return tags of songs of three styles, in which one tag each is probable."""
    rng = np.random.default_rng(0)
    tags = {}
    for style, n in STYLES.items():
        for i in range(n):
            row = rng.uniform(0.01, 0.05, len(FEATURE_NAMES))
            row[[name == style for name in TAG_NAMES]] = 0.9 - 0.05 * i
            tags[f"{style}/{i}.mp3"] = row.astype(np.float32)
    return tags


@pytest.mark.parametrize("k", [None, 3])
def test_styles_are_found_and_named(k):
    found = cluster_songs(planted(), k)
    sizes = [len(cluster["songs"]) for cluster in found["clusters"]]
    assert sizes == [9, 5, 3]
    assert [cluster["cluster"] for cluster in found["clusters"]] == [1, 2, 3]
    for cluster, style in zip(
        found["clusters"], ("techno", "jazz", "choir"), strict=True
    ):
        assert cluster["name"].split(", ")[0] == style
        assert {song["path"].split("/")[0] for song in cluster["songs"]} == {style}
        distances = [song["distance"] for song in cluster["songs"]]
        assert distances == sorted(distances)
        E = tag_embedding(
            np.array([planted()[song["path"]] for song in cluster["songs"]])
        )
        from_center = np.linalg.norm(E - E.mean(axis=0), axis=1)
        np.testing.assert_allclose(distances, from_center, atol=1e-4)
    tried = found["silhouettes"]
    assert found["silhouette"] == max(tried.values()) > 0.5
    assert list(tried) == ([3] if k else list(range(2, 16)))


def test_too_few_songs():
    tags = dict(list(planted().items())[:2])
    with pytest.raises(ValueError, match="-k auto needs at least 3 songs with music"):
        cluster_songs(tags, None)
    with pytest.raises(ValueError, match="-k 5 needs at least 5 .* there are 2"):
        cluster_songs(tags, 5)
    found = cluster_songs(tags, 2)
    assert found["silhouette"] is None and len(found["clusters"]) == 2


def test_a_thing_is_named_once():
    excess = np.zeros(len(TAG_NAMES))
    for tag in ("no vocals", "no voice", "no vocal"):
        excess[TAG_NAMES.index(tag)] = 2
    excess[TAG_NAMES.index("harp")] = 1
    assert distinctive_tags(excess)[:2] == ["no vocal", "harp"]


def test_forms_agree():
    found = cluster_songs(planted(), 3)
    texts = {}
    for file_format in ("csv", "json", "table"):
        stream = io.StringIO()
        write_clusters(found, file_format, stream)
        texts[file_format] = stream.getvalue()
    read = json.loads(texts["json"])
    assert read["clusters"] == found["clusters"]
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [(row["path"], row["name"]) for row in rows] == [
        (song["path"], cluster["name"])
        for cluster in found["clusters"]
        for song in cluster["songs"]
    ]
    assert "techno" in texts["table"] and "0.mp3" in texts["table"]
