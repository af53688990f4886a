import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgenre.classifiers._meta._windows import (
    Windows,
    clip_summary,
    iter_chunks,
    window_starts,
    window_times,
)


class TestWindows:
    @pytest.mark.parametrize(
        ("n_frames", "window", "hop", "starts"),
        [
            (10, 4, 2, [0, 2, 4, 6]),
            (11, 4, 2, [0, 2, 4, 6, 7]),
            (10, 4, 4, [0, 4, 6]),
            (10, 4, 6, [0, 6]),
            (10, 4, 7, [0, 6]),  # frames 4 and 5 are skipped, as hop says
            (10, 4, 100, [0, 6]),
            (4, 4, 1, [0]),
            (5, 4, 3, [0, 1]),
            (1, 4, 2, [0]),
        ],
    )
    def test_starts(self, n_frames, window, hop, starts):
        assert window_starts(n_frames, window, hop).tolist() == starts

    @pytest.mark.parametrize("window", [1, 3, 8, 30])
    @pytest.mark.parametrize("hop", [1, 2, 3, 8])
    def test_the_first_and_the_last_frame_are_in_a_window(self, window, hop):
        for n_frames in range(1, 25):
            starts = window_starts(n_frames, window, hop)
            assert starts[0] == 0
            assert starts[-1] + window == max(n_frames, window)
            assert (np.diff(starts) > 0).all()
            assert (np.diff(starts) <= hop).all()

    def test_cut(self):
        long, short = np.arange(14.0).reshape(7, 2), np.array([[5.0, 3.0], [4.0, 9.0]])
        cut = Windows([long, short], 4, 2)
        windows = np.asarray(cut)
        assert cut.counts.tolist() == [3, 1]
        assert windows.shape == cut.shape == (4, 4, 2)
        for window, start in zip(windows, [0, 2, 3], strict=False):
            assert_array_equal(window, long[start : start + 4])
        assert_array_equal(windows[3], [[5, 3], [4, 9], [3, 3], [3, 3]])

    def test_chunks_are_all_clips_in_order(self, monkeypatch):
        X = [np.zeros((n, 5), np.float32) for n in (3, 40, 9, 9, 9, 21, 5)]
        monkeypatch.setattr(
            "skgenre.classifiers._meta._windows.CHUNK_BYTES", 4 * 8 * 5 * 4
        )
        parts = list(iter_chunks(X, 8, 4))
        assert len(parts) > 2
        assert [len(clip) for part in parts for clip in part] == [len(x) for x in X]
        for part in parts:
            n_windows = sum(len(window_starts(len(clip), 8, 4)) for clip in part)
            assert n_windows <= 4 or len(part) == 1

    def test_as_many_clips_as_fit_are_in_a_chunk(self, monkeypatch):
        X = np.zeros((7, 16, 5), np.float32)  # of 3 windows each
        limit = "skgenre.classifiers._meta._windows.CHUNK_BYTES"
        for n_windows, sizes in [(5, [1] * 7), (6, [2, 2, 2, 1]), (9, [3, 3, 1])]:
            monkeypatch.setattr(limit, n_windows * 8 * 5 * 4)
            assert [len(part) for part in iter_chunks(X, 8, 4)] == sizes

    def test_types_of_values(self):
        clips = [np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float64)]
        assert Windows(clips, 2, 1).dtype == np.float64
        assert Windows(clips[:1], 2, 1).dtype == np.float32


def test_times():
    times = window_times(11, 4, 3, frame_rate=2)
    assert_array_equal(times, [[0, 2], [1.5, 3.5], [3, 5], [3.5, 5.5]])
    assert_array_equal(window_times(3, 4, 3, frame_rate=0.5), [[0, 6]])


def test_summary_of_a_clip():
    """Mean, standard deviation and maximum, computed by hand."""
    probabilities = np.array([[0.2, 0.8], [0.5, 0.5], [0.8, 0.2], [0.9, 0.1]])
    mean = np.array([0.6, 0.4])
    variance = (0.16 + 0.01 + 0.04 + 0.09) / 4  # the same for both genres
    expected = [*mean, variance**0.5, variance**0.5, 0.9, 0.8]
    assert_allclose(clip_summary(probabilities), expected, rtol=1e-12)
    assert_array_equal(clip_summary(probabilities[:1]), [0.2, 0.8, 0, 0, 0.2, 0.8])
