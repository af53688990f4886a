import numpy as np
import pytest
from numpy.testing import assert_allclose

from skgenre.features._pretrained._network_input import SCALINGS

POWER = np.array([[0, 1e-12, 1e-6, 1e-4], [1e-3, 1, 100, 1e4]])


@pytest.mark.parametrize("gain", [0.0, 30.0])
@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("relative_db", lambda power: np.maximum(10 * np.log10(power / 1e4), -80)),
        ("db", lambda power: 10 * np.log10(np.maximum(power, 1e-10))),
        ("log_compression", lambda power: np.log10(1 + 10000 * power)),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_scalings_are_their_formulas(scaling, expected, gain):
    scaled = SCALINGS[scaling](POWER.astype(np.float32), gain)
    assert scaled.dtype == np.float32
    louder = POWER if scaling == "relative_db" else POWER * 10 ** (gain / 10)
    assert_allclose(scaled, expected(louder), rtol=1e-6, atol=1e-5)
