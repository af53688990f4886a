import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skgenre import AbstainingClassifier, MelSpectrogramTransformer, SegmentClassifier
from skgenre.inspection import TimelineDisplay
from skgenre.inspection._displays._timeline import _by_instant

pytestmark = pytest.mark.usefixtures("no_figures_left")

RATE = 22050


def hum(seconds):
    return 0.3 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)


def hiss(seconds, seed=0):
    return np.random.default_rng(seed).normal(size=int(seconds * RATE)) / 9


@pytest.fixture(scope="module")
def model():
    """Fitted on whole clips, with another hop than the classifier knows of."""
    clips = [hum(2 + i / 4) for i in range(6)] + [hiss(2 + i / 4, i) for i in range(6)]
    pipeline = make_pipeline(
        MelSpectrogramTransformer(n_frames=None, n_mels=16, hop_length=512),
        AbstainingClassifier(
            SegmentClassifier(LogisticRegression(), window=16, hop=8),
            target_precision=0.5,
            cv=2,
        ),
    )
    return pipeline.fit(clips, ["hum"] * 6 + ["hiss"] * 6)


def named(display):
    """Return the texts of the strip and the seconds that they stand at."""
    return [(t.get_text(), t.get_position()[0]) for t in display.ax_.texts]


def test_a_song_by_its_path_says_what_when(model, tmp_path):
    path = tmp_path / "één lied.wav"
    soundfile.write(path, np.concatenate([hum(6), hiss(4)]), RATE)
    display = TimelineDisplay.from_estimator(model, path)
    assert display.ax_.get_xlabel() == "Seconds"
    assert display.ax_.get_xlim() == pytest.approx((0, 10), abs=0.1)
    (first, first_middle), (second, second_middle) = named(display)
    assert (first, second) == ("hum", "hiss")
    # The border is at 6 s, to within a window.
    assert 2 * first_middle == pytest.approx(6, abs=16 * 512 / RATE)
    assert 2 * second_middle - 10 == pytest.approx(6, abs=16 * 512 / RATE + 0.1)
    assert {t.get_text() for t in display.legend_.get_texts()} == {"hum", "hiss"}
    display.figure_.canvas.draw()


def test_of_a_waveform_and_of_a_spectrogram(model):
    song = np.concatenate([hum(3), hiss(3)])
    display = TimelineDisplay.from_estimator(model, song)
    segments = model[-1].estimator_
    spectrogram = model[0].transform([song])[0]
    alone = TimelineDisplay.from_estimator(segments, spectrogram)
    np.testing.assert_allclose(alone.probabilities, display.probabilities)
    # Alone it has the seconds of the classifier's own frame rate.
    np.testing.assert_array_equal(
        alone.times, segments.predict_timeline([spectrogram])[1][0]
    )
    np.testing.assert_allclose(alone.times, 2 * display.times)


def test_a_list_of_one_song_is_taken_as_every_step_takes_it(model, tmp_path):
    song = np.concatenate([hum(3), hiss(3)])
    path = str(tmp_path / "song.wav")
    soundfile.write(path, song, RATE, subtype="FLOAT")
    expected = TimelineDisplay.from_estimator(model, path).probabilities
    for one in ([path], np.array([path]), pd.Series([path]), [song], song[np.newaxis]):
        display = TimelineDisplay.from_estimator(model, one)
        np.testing.assert_allclose(display.probabilities, expected, atol=1e-5)
    segments, spectrogram = model[-1].estimator_, model[0].transform([song])[0]
    for one in ([spectrogram], spectrogram[np.newaxis], spectrogram.tolist()):
        display = TimelineDisplay.from_estimator(segments, one)
        np.testing.assert_allclose(display.probabilities, expected, atol=1e-5)


def test_several_songs_are_refused(model):
    segments, spectrogram = model[-1].estimator_, model[0].transform([hum(3)])[0]
    for estimator, several in (
        (model, ["a.wav", "b.wav"]),
        (model, [hum(3), hum(4)]),
        (model, np.stack([hum(3), hum(3)])),
        (segments, [spectrogram, spectrogram[:40]]),
        (segments, np.stack([spectrogram, spectrogram])),
    ):
        with pytest.raises(ValueError, match=r"shows one song, got 2 clips.*s\[0\]"):
            TimelineDisplay.from_estimator(estimator, several)
    with pytest.raises(ValueError, match="shows one song, got 0 clips"):
        TimelineDisplay.from_estimator(segments, [])


def test_an_excerpt_of_fixed_length(model):
    whole = model[0].transform([hum(4), hiss(4)])
    excerpts = np.stack([clip[:40] for clip in whole] * 3)
    segments = SegmentClassifier(LogisticRegression(), window=16, hop=8, voting="hard")
    segments.fit(excerpts, ["hum", "hiss"] * 3)
    display = TimelineDisplay.from_estimator(segments, excerpts[1])
    assert [name for name, _ in named(display)] == ["hiss"]
    assert set(np.unique(display.probabilities)) == {0, 1}


def areas(display):
    """Return the heights of each area over the instants, lowest first."""
    heights = {}
    for area in display.ax_.collections:
        if area.get_label().startswith("_"):
            continue  # the strip
        box = area.get_paths()[0].vertices
        heights[area.get_label()] = box
    return heights


def test_an_instant_is_the_mean_of_the_windows_that_hear_it():
    display = TimelineDisplay.from_predictions(
        [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]],
        [[0, 4], [2, 6], [6, 8]],
        classes=["folk", "rock"],
    )
    folk = areas(display)["folk"]
    for second, expected in [(1, 1), (3, 0.75), (5, 0.5), (7, 0)]:
        # The top of the lowest area where the steps around this second are.
        inside = folk[(folk[:, 0] >= second - 1) & (folk[:, 0] <= second + 1)]
        assert expected in inside[:, 1]
    # At 5 s both are as probable; the first of the classes is named.
    assert named(display) == [("folk", 3.0), ("rock", 7.0)]


def test_areas_fill_all_and_improbable_genres_share_one():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet([5, 5, 0.01, 0.01, 0.01], size=30)
    starts = np.arange(30)
    display = TimelineDisplay.from_predictions(
        probabilities, np.c_[starts, starts + 2], classes=list("abcde")
    )
    labels = [text.get_text() for text in display.legend_.get_texts()]
    assert labels == ["others", "b", "a"]
    assert areas(display)["others"][:, 1].max() == pytest.approx(1)


def test_a_genre_has_its_own_area_from_a_tenth_on():
    display = TimelineDisplay.from_predictions(
        [[0.77, 0.14, 0.09], [0.9, 0.05, 0.05]], [[0, 2], [2, 4]], classes=list("abc")
    )
    labels = [text.get_text() for text in display.legend_.get_texts()]
    assert labels == ["others", "b", "a"]


def test_windows_may_come_in_any_order():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    times = np.array([[0, 6], [3, 9], [6, 12]])
    expected = _by_instant(probabilities, times)
    for order in ([2, 1, 0], [1, 2, 0]):
        for values, same in zip(
            _by_instant(probabilities[order], times[order]), expected, strict=True
        ):
            np.testing.assert_allclose(values, same)


def test_seconds_that_no_window_hears_stay_empty():
    display = TimelineDisplay.from_predictions(
        [[0.9, 0.1], [0.8, 0.2]], [[0, 4], [6, 10]], classes=["folk", "rock"]
    )
    assert named(display) == [("folk", 2.0), ("folk", 8.0)]
    folk = next(a for a in display.ax_.collections if a.get_label() == "folk")
    assert len(folk.get_paths()) == 2
    display.figure_.canvas.draw()


def test_an_hour_of_many_windows():
    starts = np.arange(100_000) * 0.046
    probabilities = np.random.default_rng(0).dirichlet([1, 1], size=len(starts))
    edges, means = _by_instant(probabilities, np.c_[starts, starts + 3])
    for at in (0, 50_000, len(means) - 1):
        hears = (starts <= edges[at]) & (starts + 3 >= edges[at + 1])
        np.testing.assert_allclose(means[at], probabilities[hears].mean(axis=0))


def test_names_are_no_formulas():
    display = TimelineDisplay.from_predictions(
        [[1, 0], [0, 1]], [[0, 9], [9, 18]], classes=["$_$", "_R$B$"]
    )
    display.figure_.canvas.draw()
    assert [name for name, _ in named(display)] == ["$_$", "_R$B$"]
    assert len(display.legend_.get_texts()) == 2


def test_one_window_of_integer_genres_on_given_axes():
    _, ax = plt.subplots()
    display = TimelineDisplay.from_predictions(
        [[0, 1]], [[0, 5]], classes=[3, 7], ax=ax
    )
    assert display.ax_ is ax and display.figure_ is ax.figure
    assert named(display) == [("7", 2.5)]


def test_refuses_what_it_can_not_draw(model):
    with pytest.raises(NotFittedError):
        TimelineDisplay.from_estimator(SegmentClassifier(SVC()), np.ones((9, 4)))
    with pytest.raises(ValueError, match="needs a SegmentClassifier.*Pipeline of SVC"):
        TimelineDisplay.from_estimator(
            make_pipeline(SVC()).fit([[0], [1]], [0, 1]), [0]
        )
    draw = TimelineDisplay.from_predictions
    with pytest.raises(ValueError, match=r"one song.*probabilities\[0\]"):
        draw(np.ones((1, 2, 2)), np.ones((2, 2)), classes=["a", "b"])
    with pytest.raises(ValueError, match=r"need times of shape \(2, 2\) and 2 classes"):
        draw(np.eye(2), [[0, 1]], classes=["a", "b"])
    with pytest.raises(ValueError, match="and 3 classes"):
        draw(np.eye(2), [[0, 1], [1, 2]], classes=["a", "b", "c"])
    with pytest.raises(ValueError, match="sum 1. Got sums from 1 to 2, the lowest"):
        draw([[1, 0], [1, 1]], [[0, 1], [1, 2]], classes=["a", "b"])
    with pytest.raises(ValueError, match="non-negative.*the lowest value is -1"):
        draw([[2, -1]], [[0, 1]], classes=["a", "b"])
    with pytest.raises(ValueError, match="Window 1 is from 2 s to 1 s"):
        draw(np.eye(2), [[0, 1], [2, 1]], classes=["a", "b"])
    with pytest.raises(ValueError, match="probabilities contains NaN"):
        draw([[np.nan, 1]], [[0, 1]], classes=["a", "b"])


def test_several_genres_have_a_line_each():
    display = TimelineDisplay.from_predictions(
        [[0.9, 0.8, 0.02], [0.7, 0.2, 0.05]],
        [[0, 4], [4, 8]],
        classes=["folk", "pop", "rock"],
        several=True,
    )
    folk, pop = display.ax_.lines
    assert folk.get_label() == "folk"
    assert pop.get_xdata().tolist() == [0, 4, 8]
    assert pop.get_ydata() == pytest.approx([0.8, 0.2, 0.2])
    assert [text.get_text() for text in display.legend_.get_texts()] == ["folk", "pop"]
    with pytest.raises(ValueError, match="must be from 0 to 1"):
        TimelineDisplay.from_predictions(
            [[1.2, 0]], [[0, 4]], classes=["a", "b"], several=True
        )


def test_a_classifier_of_several_genres():
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=(40, 2))
    X = rng.normal(size=(40, 12, 2)) + 4 * y[:, None]
    inner = OneVsRestClassifier(LogisticRegression())
    model = SegmentClassifier(inner, window=4, hop=2).fit(X, y)
    display = TimelineDisplay.from_estimator(model, X[y.sum(axis=1).argmax()])
    assert len(display.ax_.lines) == 2
