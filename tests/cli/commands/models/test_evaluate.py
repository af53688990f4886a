"""``skgenre evaluate`` as a shell runs it, on real files."""

import csv
import json
import os
import shutil

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from typer.testing import CliRunner

from skgenre import (
    AbstainingClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    SegmentClassifier,
    save,
)
from skgenre.cli import app
from skgenre.datasets import GenreTree, load_audio_folder
from skgenre.inspection import hierarchical_scores

PITCHES = {"high": 1760, "low": 110, "middle": 440}


def evaluate(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def figures(*arguments):
    result = evaluate(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Eight clips of high, low and middle sounds each, by four artists a genre."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    seconds = np.arange(22050) / 22050
    rows = [("path", "genre", "artist_id")]
    for genre, pitch in PITCHES.items():
        (folder / genre).mkdir()
        for i in range(8):
            tone = np.sin(2 * np.pi * pitch * rng.uniform(0.6, 1.6) * seconds)
            clip = 0.3 * tone + rng.normal(0, 0.05, len(tone))
            soundfile.write(folder / genre / f"{i}.wav", clip, 22050)
            rows.append((f"{genre}/{i}.wav", genre, f"{genre} artist {i % 4}"))
    with open(folder / "tracks.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def tracks(music):
    return load_audio_folder(music)


def saved(classifier, tracks, path, target=None):
    """Fit MFCCs and a classifier on every other clip, so that some are wrong."""
    model = make_pipeline(MFCCStandardizer(n_mfcc=3), classifier)
    target = tracks.target if target is None else target
    save(model.fit(tracks.paths[::2], target[::2]), path)
    return path


@pytest.fixture(scope="module")
def model(tracks, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "logistic.model"
    return saved(LogisticRegression(), tracks, path)


def test_accuracies_of_other_kinds(music, tracks, tmp_path):
    # It takes what is low for middle, which is its second guess, and the reverse.
    turned = {"high": "high", "low": "middle", "middle": "low"}
    target = np.array([turned[genre] for genre in tracks.target])
    model = saved(LogisticRegression(), tracks, tmp_path / "a.model", target)
    merge = "--merge", "low=middle"
    found = figures(model, music, *merge)
    assert found["accuracy"] < 0.5 and found["merged_accuracy"] > 0.9
    assert found["accuracy"] < found["top_2_accuracy"]
    kinds = found["macro_accuracy"], found["artist_accuracy"]
    assert kinds == pytest.approx([found["accuracy"]] * 2)
    assert found["n_effective_groups"] == 12  # each with two clips
    printed = " ".join(evaluate(model, music, *merge).stdout.split())
    assert f"Accuracy, low as middle: {found['merged_accuracy']:.2f}" in printed
    assert "merged_accuracy" not in figures(model, music)
    for wrong in ("low", "low=", "=low", "low=loud"):
        result = evaluate(model, music, "--merge", wrong)
        assert result.exit_code == 1 and "merge" in result.stderr
    twice = evaluate(model, music, *merge, "--merge", "low=high")
    assert twice.exit_code == 1 and "as 'middle' and as 'high'" in twice.stderr


def test_what_is_merged_is_checked_before_any_file_is_read(model, tmp_path):
    for genre in PITCHES:
        (tmp_path / genre).mkdir()
        (tmp_path / genre / "a.wav").write_text("no sound")
    for merge, error in (
        (["low=loud"], "merge names 'loud', which is none of the genres"),
        (["low=middle", "middle=high"], "Count both as the last"),
    ):
        options = [text for pair in merge for text in ("--merge", pair)]
        result = evaluate(model, tmp_path, *options)
        assert result.exit_code == 1 and error in " ".join(result.stderr.split())
        assert "no sound" not in result.stderr and "a.wav" not in result.stderr


def test_errors_that_neighbours_call_errors_of_the_labels(model, music, tmp_path):
    """Two of the high clips are called low, and one of the low ones middle."""
    rows = list(csv.DictReader((music / "tracks.csv").read_text().splitlines()))
    wrong = {"high/0.wav": "low", "high/1.wav": "low", "low/0.wav": "middle"}
    for row in rows:
        row["genre"] = wrong.get(row["path"], row["genre"])
        row["path"] = str(music / row["path"])
    labels = tmp_path / "tracks.csv"
    with labels.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    found = figures(model, labels)
    assert found["accuracy"] == pytest.approx(21 / 24)
    assert found["suspected_label_errors"] == 1
    text = "neighbours by other artists have the predicted genre, so that the label may"
    assert f"{text} be wrong: 1.00" in " ".join(evaluate(model, labels).stdout.split())
    assert figures(model, music)["suspected_label_errors"] is None  # no errors


def test_a_model_without_embeddings_says_nothing_of_labels(tracks, music, tmp_path):
    of_spectrograms = make_pipeline(
        MelSpectrogramTransformer(n_frames=8, n_mels=8),
        SegmentClassifier(LogisticRegression(), window=4, hop=4),
    )
    turned = tracks.target[[*range(1, 24), 0]]
    path = tmp_path / "a.model"
    save(of_spectrograms.fit(tracks.paths, turned), path)
    found = figures(path, music)
    assert found["accuracy"] < 1 and found["suspected_label_errors"] is None


def test_the_figures_are_those_of_the_model(model, music, tracks):
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    from skgenre import load

    predicted = load(model).predict(tracks.paths)
    found = figures(model, music)
    assert found["accuracy"] == accuracy_score(tracks.target, predicted)
    low, high = found["accuracy_interval"]
    assert low <= found["accuracy"] <= high
    assert (found["n_clips"], found["n_artists"]) == (24, 12)
    assert found["commonest_share"] == pytest.approx(1 / 3)
    expected = precision_recall_fscore_support(tracks.target, predicted)
    for i, genre in enumerate(found["genres"]):
        assert genre["genre"] == sorted(PITCHES)[i]
        assert genre["precision"] == pytest.approx(expected[0][i])
        assert genre["f1"] == pytest.approx(expected[2][i])
        assert genre["support"] == 8
    assert 0 <= found["calibration_error"] <= 1
    assert found["comparison"] is None


def test_table_and_page(model, music, tracks, tmp_path):
    other = saved(SVC(), tracks, tmp_path / "svc.model")
    page = tmp_path / "report.html"
    result = evaluate(model, music, "--report", page, "--compare", other, "-j", 1)
    assert result.exit_code == 0, result.output
    for text in ("Precision", "Confusion", "24 clips of 12 artists", "McNemar's p"):
        assert text in result.stdout
    assert "Always 'high': 0.33" in result.stdout
    assert "only for music that was not trained on" in result.stderr
    assert "not trained on" not in result.stdout
    text = page.read_text(encoding="utf-8")
    assert "Comparison of two models" in text
    assert f"logistic.model on {music.name}" in text
    found = figures(model, music, "--compare", other)
    assert found["compared_with"] == str(other)
    assert found["comparison"]["difference"] == pytest.approx(
        found["accuracy"] - figures(other, music)["accuracy"]
    )


def test_broken_files_are_named_and_the_others_evaluated(model, music, tmp_path):
    for genre in PITCHES:
        os.symlink(music / genre, tmp_path / genre)
    (tmp_path / "more").mkdir()
    rows = ["path,genre", *(f"{g}/{i}.wav,{g}" for g in PITCHES for i in range(3))]
    (tmp_path / "more" / "empty.mp3").touch()
    (tmp_path / "more" / "text.mp3").write_text("no music " * 50)
    rows += ["more/empty.mp3,low", "more/text.mp3,high"]
    (tmp_path / "some.csv").write_text("\n".join(rows))
    page = tmp_path / "report.html"
    result = evaluate(
        model, tmp_path / "some.csv", "--report", page, "--format", "json"
    )
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["n_clips"], found["n_artists"]) == (9, None)
    assert len(found["errors"]) == 2
    for name in ("empty.mp3", "text.mp3"):
        assert name in result.stderr
    assert "could not be read: 2 of the files" in page.read_text(encoding="utf-8")


def test_genres_that_one_side_alone_knows(tracks, music, tmp_path):
    two = tracks.target != "middle"
    some = {"paths": tracks.paths[two], "target": tracks.target[two]}
    path = saved(LogisticRegression(), type(tracks)(**some), tmp_path / "two.model")
    result = evaluate(path, music, "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["n_clips"] == 16
    assert "other genres (8) are left out: 'middle'" in result.stderr
    assert "left out: 'middle'" in found["notes"][0]

    (tmp_path / "low").symlink_to(music / "low")
    result = evaluate(path, tmp_path)
    assert result.exit_code == 0, result.output
    assert "no clips of 'high'" in " ".join(result.stderr.split())

    (tmp_path / "low").rename(tmp_path / "Low")
    result = evaluate(path, tmp_path)
    assert result.exit_code == 1
    assert "No clip is of a genre that is known" in result.stderr
    assert "'high', 'low'" in result.stderr


def test_answers_of_unknown_are_counted_apart(tracks, music, tmp_path):
    careful = AbstainingClassifier(LogisticRegression(), target_precision=0.9, cv=2)
    model = make_pipeline(MFCCStandardizer(n_mfcc=3), careful)
    model.fit(tracks.paths, tracks.target)
    confidence = model.predict_proba(tracks.paths).max(axis=1)
    careful.threshold_ = np.median(confidence)  # so that half are not answered
    path, page = tmp_path / "careful.model", tmp_path / "report.html"
    save(model, path)
    found = figures(path, music, "--report", page)
    assert found["coverage"] == pytest.approx(0.5, abs=0.05)
    assert found["accuracy"] == pytest.approx(found["coverage"] * found["precision"])
    assert [genre["genre"] for genre in found["genres"]] == sorted(PITCHES)
    assert "Clips with a prediction" in page.read_text(encoding="utf-8")
    result = evaluate(path, music)
    assert "Right, of the predictions" in result.stdout
    assert "unknown" in result.stdout


def test_genres_above_are_partly_right(tracks, music, tmp_path):
    tree = tmp_path / "tree.csv"
    tree.write_text("genre,parent\nhigh,treble\nmiddle,treble\nlow,\n")
    careful = AbstainingClassifier(
        LogisticRegression(), cv=2, genre_tree=GenreTree.from_file(tree)
    )
    model = make_pipeline(MFCCStandardizer(n_mfcc=3), careful)
    model.fit(tracks.paths, tracks.target)
    careful.threshold_ = 0.99
    path = tmp_path / "careful.model"
    save(model, path)
    predicted = model.predict(tracks.paths)
    assert {"treble"} < set(predicted) <= {"treble", "unknown", *PITCHES}
    expected = hierarchical_scores(
        tracks.target,
        predicted,
        careful.genre_tree,
        unknown="unknown",
        groups=tracks.groups,
    )
    found = figures(path, music)
    assert found["hierarchical"]["f1"] == pytest.approx(expected.f1)
    assert found["accuracy"] == pytest.approx(np.mean(predicted == tracks.target))
    # Any model may be judged by a tree, and without one there are no such scores.
    plain = saved(LogisticRegression(), tracks, tmp_path / "plain.model")
    assert "hierarchical" not in figures(plain, music)
    page = tmp_path / "page.html"
    result = evaluate(plain, music, "--genre-tree", tree, "--report", page)
    assert result.stdout.count("Hierarchical ") == 3
    assert "In the tree of genres</h2>" in page.read_text(encoding="utf-8")
    result = evaluate(path, music)
    n_above = (predicted == "treble").sum()
    assert f"{n_above} predictions are genres above" in result.stderr
    result = evaluate(plain, music, "--genre-tree", music / "tracks.csv")
    assert result.exit_code == 1 and "holds no genre tree" in result.stderr


def test_genres_below_a_known_one_count_as_that_one(tracks, music, tmp_path):
    # As after `train --genre-tree`, which has folded rare ones.
    path = saved(LogisticRegression(), tracks, tmp_path / "plain.model")
    given = np.where(tracks.target == "high", "shrill", tracks.target)
    table, tree = tmp_path / "tracks.csv", tmp_path / "tree.csv"
    rows = [",".join(row) for row in zip(tracks.paths, given, strict=True)]
    table.write_text("\n".join(["path,genre", *rows]))
    tree.write_text("genre,parent\nshrill,piercing\npiercing,High\n")
    assert figures(path, table)["n_clips"] == 16
    result = evaluate(path, table, "--genre-tree", tree, "--format", "json")
    assert "shrill as high (8)." in " ".join(result.stderr.split())
    found = json.loads(result.stdout)
    assert found["n_clips"] == 24
    assert found["accuracy"] == figures(path, music)["accuracy"]
    assert found["hierarchical"]["recall"] < 1  # "high" alone is a third of "shrill"


def test_models_without_probabilities_and_searches_and_numbers(tracks, music, tmp_path):
    path = saved(SVC(), tracks, tmp_path / "svc.model")
    assert figures(path, music)["calibration_error"] is None

    search = GridSearchCV(
        make_pipeline(MFCCStandardizer(n_mfcc=3), LogisticRegression()),
        {"logisticregression__C": [0.1, 1]},
        cv=2,
    ).fit(tracks.paths, tracks.target)
    save(search, tmp_path / "search.model")
    assert figures(tmp_path / "search.model", music)["n_clips"] == 24

    numbers = np.unique(tracks.target, return_inverse=True)[1]
    path = saved(LogisticRegression(), tracks, tmp_path / "numbers.model", numbers)
    for i, genre in enumerate(sorted(PITCHES)):
        (tmp_path / "by number").mkdir(exist_ok=True)
        (tmp_path / "by number" / str(i)).symlink_to(music / genre)
    found = figures(path, tmp_path / "by number")
    assert [genre["genre"] for genre in found["genres"]] == ["0", "1", "2"]


def test_what_is_refused_in_a_sentence(model, music, tmp_path):
    save(EmbeddingKMeans(2), tmp_path / "it.model")
    raw = make_pipeline(MFCCStandardizer(), LogisticRegression())
    save(raw, tmp_path / "raw.model")
    for arguments, message in (
        ((tmp_path / "it.model", music), "holds no classifier but EmbeddingKMeans"),
        ((tmp_path / "raw.model", music), "holds a model that was not fitted"),
        ((model, tmp_path / "nothing"), "There is no file or folder"),
        ((tmp_path / "no.model", music), "There is no model file"),
        ((model, music, "--compare", music / "tracks.csv"), "not a model file"),
        ((model, music, "--report", tmp_path / "no" / "it.html"), "There is no folder"),
    ):
        result = evaluate(*arguments)
        assert result.exit_code == 1
        assert message in " ".join(result.stderr.split())
        assert "Traceback" not in result.output


def test_a_report_does_not_replace_what_is_read(model, music):
    before = model.read_bytes(), (music / "tracks.csv").read_bytes()
    for table, report in ((music, model), (music / "tracks.csv",) * 2):
        result = evaluate(model, table, "--report", report)
        assert result.exit_code == 1
        assert "would replace what is to be read" in " ".join(result.stderr.split())
    assert before == (model.read_bytes(), (music / "tracks.csv").read_bytes())


def test_names_of_models_drive_no_terminal(model, music, tmp_path):
    hostile = tmp_path / os.fsdecode(b"\x1b[31m\xff.model")
    shutil.copy(model, hostile)
    (tmp_path / "low").symlink_to(music / "low")
    page = tmp_path / "\x1b[31m.html"
    result = evaluate(hostile, tmp_path, "--compare", hostile, "--report", page)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert r"\x1b[31m\udcff.model: +0.00" in result.stdout
    assert r"\x1b[31m\udcff.model knows" in result.stderr


def test_names_that_are_not_unicode(model, music, tmp_path):
    for genre in ("low", "high"):
        (tmp_path / genre).mkdir()
        name = os.fsencode(tmp_path / genre) + b"/<script>\xff\x1b[31m.wav"
        os.symlink(os.fsencode(music / genre / "0.wav"), name)
    # All are wrong, so that they are named.
    (tmp_path / "low").rename(tmp_path / "x")
    (tmp_path / "high").rename(tmp_path / "low")
    (tmp_path / "x").rename(tmp_path / "high")
    page = tmp_path / "report.html"
    result = evaluate(model, tmp_path, "--report", page)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert r"&lt;script&gt;\udcff\x1b[31m.wav" in text
    assert "<script" not in text
