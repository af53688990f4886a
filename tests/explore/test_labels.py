"""Labels that are changed, kept in a table, and checked by songs of other artists."""

import os

import numpy as np
import pytest

from skgenre.datasets import load_audio_folder
from skgenre.explore._labels import Labels, find_suspects


def labels_of(folder, *, genres=("rock", None, "jazz"), names=("a", "b", "c")):
    paths = [str(folder / f"{name}.flac") for name in names]
    for path in paths:
        open(path, "ab").close()
    return Labels(paths, genres, ["Ann", None, "=Bob"], folder / "labels.csv")


def test_changes_are_in_a_table_that_train_takes_and_count_the_next_time(tmp_path):
    labels = labels_of(tmp_path)
    assert not labels.file.exists()
    labels.change(1, ' Hip, "Hop" ')
    labels.change(0, "rock")
    tracks = load_audio_folder(labels.file)
    assert [os.path.basename(path) for path in tracks.paths] == [
        "a.flac",
        "b.flac",
        "c.flac",
    ]
    assert tracks.target.tolist() == ["rock", 'Hip, "Hop"', "jazz"]
    assert tracks.groups.tolist() == ["Ann", str(tmp_path / "b.flac"), "'=Bob"]
    again = labels_of(tmp_path, genres=("x", "y", "z"))
    assert again.genres == ["rock", 'Hip, "Hop"', "jazz"] and again.checked == {0, 1}
    # Songs that are not explored now stay in it.
    other = labels_of(tmp_path, genres=("x",), names=("d",))
    other.change(0, "dub")
    assert len(load_audio_folder(other.file).paths) == 4
    assert labels_of(tmp_path, genres=(None,) * 3).checked == {0, 1}


def test_genres_and_names_of_files_are_no_formulas_in_the_table(tmp_path):
    names = "a", "b;=SUM(1)", "c"
    labels = labels_of(tmp_path, genres=("=SUM(A1)", "x", "jazz"), names=names)
    labels.change(2, "dub")
    rows = labels.file.read_text().splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [
        [str(tmp_path / "a.flac"), "'=SUM(A1)"],
        [str(tmp_path / "c.flac"), "dub"],
    ]
    with pytest.raises(ValueError, match="is no formula"):
        labels.change(2, "dub;\uff1dSUM(1)")
    with pytest.raises(ValueError, match="can't be in a table"):
        labels.change(1, "dub")


def test_labels_are_the_same_when_they_are_read_again(tmp_path):
    given = "R&B|soul", "-core", "|"
    labels = labels_of(tmp_path, genres=given)
    assert labels.genres == ["R&B/soul", "-core", "/"]
    for wrong in ("R&B|soul", "|"):
        with pytest.raises(ValueError, match="no [|], and"):
            labels.change(2, wrong)
    labels.change(2, "dub")
    again = labels_of(tmp_path, genres=(None,) * 3)
    assert again.genres == labels.genres == ["R&B/soul", "-core", "dub"]
    again.change(0, "R&B")
    assert labels_of(tmp_path, genres=(None,) * 3).genres == ["R&B", "-core", "dub"]


@pytest.mark.parametrize(
    "contents", ["", "path,genre\na.flac,rock\n", "a,b\n", "\xff\xfe", "no table"]
)
def test_another_table_is_not_replaced(tmp_path, contents):
    (tmp_path / "labels.csv").write_bytes(contents.encode("latin-1"))
    with pytest.raises(ValueError, match="would be replaced .* Choose another file"):
        labels_of(tmp_path)
    assert (tmp_path / "labels.csv").read_bytes() == contents.encode("latin-1")


def test_names_that_a_table_cannot_hold(tmp_path):
    labels = labels_of(tmp_path, names=("a", " b\n", "c"))
    with pytest.raises(ValueError, match="can't be in a table of text. Rename it"):
        labels.change(1, "rock")
    labels.change(0, "dub")
    assert len(load_audio_folder(labels.file).paths) == 2


def test_a_change_that_cannot_be_written_is_none(tmp_path):
    (tmp_path / "below").mkdir()
    paths = [str(tmp_path / "a.flac")]
    labels = Labels(paths, ["rock"], [None], tmp_path / "below" / "labels.csv")
    (tmp_path / "below").rmdir()
    with pytest.raises(OSError):
        labels.change(0, "jazz")
    assert labels.genres == ["rock"] and labels.checked == set()
    with pytest.raises(FileNotFoundError, match="no folder"):
        Labels(paths, ["rock"], [None], tmp_path / "none" / "labels.csv")


def planted():
    """Return embeddings of two genres, of which two labels are exchanged."""
    rng = np.random.default_rng(0)
    genres = np.repeat(["folk", "techno"], 20).tolist()
    E = rng.normal(size=(40, 4))
    E[20:] += 4
    genres[3], genres[30] = "techno", "folk"
    groups = np.array([f"by {i // 2}" for i in range(40)])
    return E, genres, groups


def test_wrong_labels_are_found():
    E, genres, groups = planted()
    # The first song was not heard, and the last has no label.
    genres[39] = None
    found = find_suspects(np.arange(1, 40), E[1:], genres, groups)
    suspects = {each["number"]: each for each in found["suspects"]}
    assert set(suspects) == {3, 30}
    assert (suspects[3]["label"], suspects[3]["genre"]) == ("techno", "folk")
    assert suspects[3]["confidence"] > 0.8 > 0.2 > suspects[3]["of_label"]
    pairs = [(p["label"], p["genre"], p["numbers"]) for p in found["pairs"]]
    assert pairs == [("folk", "techno", [30]), ("techno", "folk", [3])]
    assert found["n_checked"] == 38 and found["agreement"] == pytest.approx(36 / 38)


def test_too_few_labels():
    E, genres, groups = planted()
    with pytest.raises(ValueError, match="two genres or more have 5 songs"):
        find_suspects(np.arange(40), E, ["folk"] * 20 + [None] * 20, groups)
    with pytest.raises(ValueError, match="there is only one"):
        find_suspects(np.arange(40), E, genres, np.full(40, "by one"))
