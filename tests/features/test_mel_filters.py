import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgenre.features._mel_filters import hz_to_mel, mel_filter_bank, mel_to_hz


def test_scale_equals_librosa():
    frequencies = np.linspace(0, 24000, 1001)
    assert_allclose(hz_to_mel(frequencies), librosa.hz_to_mel(frequencies), rtol=1e-12)
    mels = np.linspace(0, 70, 1001)
    assert_allclose(mel_to_hz(mels), librosa.mel_to_hz(mels), rtol=1e-12)
    assert_allclose(mel_to_hz(hz_to_mel(frequencies)), frequencies, atol=1e-8)


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100])
@pytest.mark.parametrize("n_fft", [256, 2047, 2048])
@pytest.mark.parametrize("n_mels", [1, 40, 128])
@pytest.mark.parametrize("band", [(0.0, 4000.0), (50.0, 3500.0)])
def test_bank_equals_librosa(sample_rate, n_fft, n_mels, band):
    parameters = {"n_fft": n_fft, "n_mels": n_mels, "fmin": band[0], "fmax": band[1]}
    bank = mel_filter_bank(sample_rate=sample_rate, **parameters)
    assert bank.dtype == np.float32
    assert_allclose(bank, librosa.filters.mel(sr=sample_rate, **parameters), atol=1e-6)
