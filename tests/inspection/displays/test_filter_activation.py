import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import make_genre_clips
from skgenre.inspection import FilterActivationDisplay, maximize_activation

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def model():
    clips = make_genre_clips(8, duration=2, random_state=0)
    mel = MelSpectrogramTransformer(n_frames=40, n_mels=24, fmax=8000, top_db=60)
    crnn = CRNNClassifier(filters=(10,), lstm_units=4, epochs=1, random_state=0)
    return make_pipeline(mel, crnn).fit(clips.waveforms, clips.target)


def test_a_grid_in_seconds_and_hertz_of_the_pipeline_s_own_mel_step(model):
    display = FilterActivationDisplay.from_estimator(
        model, "conv1", n_steps=3, random_state=0
    )
    assert display.axes_.shape == (2, 8)
    visible = [ax for ax in display.axes_.flat if ax.get_visible()]
    assert [ax.get_title() for ax in visible] == [f"conv1, {i}" for i in range(10)]
    assert visible[0].get_xlim()[1] == pytest.approx(40 * 1024 / 22050, rel=0.03)
    assert visible[0].get_ylim()[1] == pytest.approx(8000, rel=0.1)
    assert display.result.spectrograms.min() >= -60
    mesh = visible[3].collections[0]
    np.testing.assert_allclose(
        mesh.get_array().reshape(24, 40), display.result.spectrograms[3].T
    )
    assert mesh.get_clim() == (-60, 0)
    # Labels at the left and below; a column that ends early has its own.
    assert [ax.get_ylabel() for ax in visible[:9]] == (
        ["Hz (mel)"] + [""] * 7 + ["Hz (mel)"]
    )
    assert [ax.get_xlabel() for ax in visible] == [""] * 2 + ["Seconds"] * 8
    display.axes_[0, 0].set_xlim(0, 0.5)
    assert visible[9].get_xlim() == (0, 0.5)
    display.figure_.canvas.draw()


def test_of_several_views_the_mix_is_drawn():
    mel = MelSpectrogramTransformer(n_mels=8, views=("harmonic", "mix"))
    spectrograms = np.random.default_rng(0).normal(-40, 5, size=(1, 20, 16))
    result = Bunch(spectrograms=spectrograms, filters=[0], layer="embedding")
    display = FilterActivationDisplay(result, mel=mel).plot()
    drawn = display.axes_[0, 0].collections[0].get_array().reshape(8, 20)
    np.testing.assert_allclose(drawn, spectrograms[0, :, 8:].T)


def test_genres_on_given_axes(model):
    figure, axes = plt.subplots(4)
    result = maximize_activation(model, "genre", n_steps=2, random_state=0)
    display = FilterActivationDisplay(result).plot(axes=axes, vmin=-70)
    assert display.figure_ is figure
    assert [ax.get_title() for ax in axes] == result.filters.tolist()
    assert not any(ax.title.get_parse_math() for ax in axes)
    assert axes[0].collections[0].get_clim() == (-70, 0)
    assert display.colorbar_.ax.figure is figure


def test_one_filter_in_one_picture(model):
    display = FilterActivationDisplay.from_estimator(
        model, "embedding", [5], n_steps=1, mel=MelSpectrogramTransformer(n_mels=24)
    )
    assert display.axes_.shape == (1, 1)
    assert display.axes_[0, 0].get_ylim()[1] == pytest.approx(11025, rel=0.1)
    figure, ax = plt.subplots()
    assert FilterActivationDisplay(display.result).plot(axes=ax).figure_ is figure


def test_refuses_too_few_axes(model):
    result = maximize_activation(model, "conv1", n_steps=1)
    with pytest.raises(ValueError, match="as many as the 10 filters, got 2"):
        FilterActivationDisplay(result).plot(axes=plt.subplots(2)[1])
