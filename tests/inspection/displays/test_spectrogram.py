import librosa
import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.inspection import SpectrogramDisplay

pytestmark = pytest.mark.usefixtures("no_figures_left")


def test_axes_are_seconds_and_hertz():
    seconds = np.arange(4 * 22050) / 22050
    mel = MelSpectrogramTransformer(n_frames=86)
    display = SpectrogramDisplay.from_estimator(mel, np.sin(6283 * seconds))
    left, right = display.ax_.get_xlim()
    assert right - left == pytest.approx(86 * 1024 / 22050, rel=0.02)
    assert display.ax_.get_ylim()[1] == pytest.approx(11025, rel=0.05)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == (
        "Seconds",
        "Hz (mel scale)",
    )
    # The loudest band is where a tone of 1 kHz belongs.
    mesh = display.ax_.collections[0]
    loudest = mesh.get_array().reshape(128, 86)[:, 40].argmax()
    edges = mesh.get_coordinates()[:, 0, 1]
    assert edges[loudest] <= 1000 <= edges[loudest + 1]
    assert display.colorbar_ is not None
    display.figure_.canvas.draw()


def test_leaves_the_step_as_it_is():
    waveforms = np.random.default_rng(0).normal(size=(3, 4000))
    mel = MelSpectrogramTransformer(n_frames=4).fit(waveforms)
    SpectrogramDisplay.from_estimator(mel, np.ones(9000))
    assert mel.n_features_in_ == 4000


@pytest.mark.parametrize(
    ("views", "drawn"),
    [
        (("percussive",), "percussive"),
        (("percussive", "mix"), "mix"),
        (("harmonic", "percussive"), "harmonic"),
    ],
    ids=["one", "mix", "first"],
)
def test_one_view_is_drawn(views, drawn):
    clip = np.random.default_rng(0).normal(size=22050)
    mel = MelSpectrogramTransformer(n_frames=20, n_mels=16, views=views)
    display = SpectrogramDisplay.from_estimator(mel, clip)
    (expected,) = mel.set_params(views=(drawn,)).transform([clip])
    np.testing.assert_array_equal(display.spectrogram, expected)


def test_on_given_axes_without_colorbar():
    figure, ax = plt.subplots()
    display = SpectrogramDisplay(np.zeros((10, 8))).plot(ax=ax, colorbar=False)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.colorbar_ is None


@pytest.mark.parametrize("n_mels", [8, 32])
def test_few_bands_are_where_their_tones_are(n_mels):
    mel = MelSpectrogramTransformer(n_frames=40, n_mels=n_mels, fmin=100, fmax=8000)
    centers = librosa.mel_frequencies(n_mels + 2, fmin=100, fmax=8000)[1:-1]
    for band in (0, n_mels // 2, n_mels - 1):
        hertz = centers[band]
        tone = np.sin(2 * np.pi * hertz * np.arange(44100) / 22050)
        display = SpectrogramDisplay.from_estimator(mel, tone)
        mesh = display.ax_.collections[0]
        loudest = mesh.get_array().reshape(n_mels, 40)[:, 20].argmax()
        edges = mesh.get_coordinates()[:, 0, 1]
        assert loudest == band
        assert edges[band] < hertz < edges[band + 1]


def test_of_a_path_through_a_pipeline_that_is_not_fitted(tmp_path):
    path = tmp_path / "één lied.wav"
    soundfile.write(path, np.random.default_rng(0).normal(size=22050) / 9, 22050)
    mel = MelSpectrogramTransformer(n_frames=None, n_mels=16)
    model = make_pipeline(make_pipeline(mel), CRNNClassifier())
    display = SpectrogramDisplay.from_estimator(model, path)
    np.testing.assert_array_equal(display.spectrogram, mel.transform([path])[0])


def test_decibels_above_and_below_0_have_one_scale():
    display = SpectrogramDisplay([[-40.0, 3.0], [-9.0, 6.0]]).plot()
    assert display.ax_.collections[0].get_cmap().name == "magma"
    display = SpectrogramDisplay([[-40.0, 3.0], [-9.0, 6.0]]).plot(cmap="viridis")
    assert display.ax_.collections[0].get_cmap().name == "viridis"


def test_refuses_what_makes_no_spectrogram():
    with pytest.raises(ValueError, match="got Pipeline of FunctionTransformer, SVC"):
        SpectrogramDisplay.from_estimator(
            make_pipeline(FunctionTransformer(), SVC()), np.ones(9000)
        )
    with pytest.raises(ValueError, match="Expected 2D array"):
        SpectrogramDisplay(np.zeros(4)).plot()
    with pytest.raises(ValueError, match="spectrogram contains infinity"):
        SpectrogramDisplay(np.full((4, 8), -np.inf)).plot()
