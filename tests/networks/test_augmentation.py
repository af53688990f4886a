import keras
import numpy as np
import pytest

from skgenre.networks import RandomTimeCrop, SpecAugment, crnn, parallel_cnn_rnn


class TestRandomTimeCrop:
    X = np.arange(2 * 10 * 3, dtype=np.float32).reshape(2, 10, 3)

    def test_stretches_from_everywhere(self):
        crop = RandomTimeCrop(4, seed=0)
        starts = set()
        for _ in range(60):
            part = np.asarray(crop(self.X, training=True))
            start = int(part[0, 0, 0]) // 3
            np.testing.assert_array_equal(part, self.X[:, start : start + 4])
            starts.add(start)
        assert starts == set(range(7))

    def test_same_seed_same_stretches(self):
        first, second = (RandomTimeCrop(1, seed=3) for _ in range(2))
        for _ in range(5):
            np.testing.assert_array_equal(
                first(self.X, training=True), second(self.X, training=True)
            )

    @pytest.mark.parametrize("layer", [RandomTimeCrop(4), SpecAugment(4, 2)])
    def test_unknown_size_is_refused(self, layer):
        with pytest.raises(ValueError, match="needs clips of a known number of frames"):
            layer(keras.Input((None, 8)))

    def test_nothing_is_lost_outside_training_or_of_short_clips(self):
        np.testing.assert_array_equal(RandomTimeCrop(4)(self.X), self.X)
        short = RandomTimeCrop(10)(self.X, training=True)
        np.testing.assert_array_equal(short, self.X)


class TestSpecAugment:
    X = np.random.default_rng(0).normal(size=(50, 30, 12)).astype(np.float32)

    def hidden(self, **parameters):
        """Tell which values of each clip were replaced, each by the clip's mean."""
        result = np.asarray(SpecAugment(seed=0, **parameters)(self.X, training=True))
        hidden = result != self.X
        means = np.broadcast_to(self.X.mean(axis=(1, 2), keepdims=True), self.X.shape)
        np.testing.assert_allclose(result[hidden], means[hidden], atol=1e-6)
        return hidden

    def test_two_stretches_of_frames(self):
        hidden = self.hidden(time_mask=6)
        np.testing.assert_array_equal(hidden.any(axis=2), hidden.all(axis=2))
        frames = hidden.any(axis=2)
        starts = np.diff(frames.astype(int), prepend=0, axis=1) == 1
        assert set(starts.sum(axis=1)) <= {0, 1, 2}
        assert frames.sum(axis=1).max() <= 12
        assert len({tuple(row) for row in frames}) > 40  # others in each clip
        assert frames.any(axis=0).all()  # anywhere, ends included

    def test_two_stretches_of_bands(self):
        hidden = self.hidden(frequency_mask=3)
        np.testing.assert_array_equal(hidden.any(axis=1), hidden.all(axis=1))
        assert 0 < hidden.any(axis=1).sum(axis=1).max() <= 6

    def test_a_stretch_may_be_empty(self):
        n_hidden = self.hidden(time_mask=1).any(axis=2).sum(axis=1)
        assert set(n_hidden) == {0, 1, 2}

    def test_masks_longer_than_the_clip(self):
        assert self.hidden(time_mask=1000, frequency_mask=1000).any()

    def test_nothing_is_hidden_outside_training(self):
        layer = SpecAugment(10, 10)
        np.testing.assert_array_equal(layer(self.X), self.X)
        np.testing.assert_array_equal(SpecAugment()(self.X, training=True), self.X)

    @pytest.mark.parametrize("build", [crnn, parallel_cnn_rnn])
    def test_in_the_networks(self, build):
        plain, masked = build((40, 16), 3), build((40, 16), 3, time_mask=5)
        assert masked.count_params() == plain.count_params()
        assert [layer.name for layer in masked.layers][1] == "masks"
