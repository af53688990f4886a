"""Whether a model gains from varied copies of its clips, or from music without labels.

    python benchmarks/augmentation.py MUSIC [--repeats 3] [--jobs 2] [--output DIR]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
All rows are judged by the same folds, in which no artist is in both training and test;
nothing is chosen on test clips. Accuracy is the mean over the repeats; the gain is over
the row without copies or pretraining, with the 2.5th and 97.5th percentiles over 2,000
bootstrap samples of artists, and then by repeat. The features are kept in the folder of
``benchmarks/accuracy.py``.

Copies: of the first 30 s of every clip two with another pitch (up to two semitones),
two with another tempo (up to a tenth), two with a clip of the same genre by another
artist mixed in, and two played in a small room, all made of the waveform. Models see
the training clips and their copies, and predict test clips as they are. No copy
contains a test clip. 'fast' is its support vector machine without the calibration; in
rows 'weighted' each clip weighs as much with its copies as without. 'scratch' makes as
many training steps with copies as without.

Pretraining: 'scratch' first learns from all training clips, without labels, to tell
another window of the same clip from windows of other artists' clips (NT-Xent [1]_), and
then the genres of a few that have labels. 'windows': both windows are of the clip as it
is; 'varied': also of its copies, but for mixes. 'scaling' takes only means and
variances from the clips without labels.

.. [1] T. Chen et al., "A simple framework for contrastive learning of visual
   representations", ICML 2020.
"""

import argparse
import hashlib
from functools import partial
from pathlib import Path

import keras
import librosa
import numpy as np
import soxr
import tensorflow as tf
from accuracy import stamps
from joblib import Parallel, delayed
from scipy.signal import oaconvolve
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import __version__, genre_pipeline, networks
from skgenre.audio import load_audio
from skgenre.datasets import load_audio_folder
from skgenre.inspection import bootstrap_accuracy

SAMPLE_RATE, SECONDS = 22050, 30.0
KINDS = "pitch", "stretch", "mix", "reverb"
COPIES = 2  # of each kind
N_FRAMES, N_BANDS, CROP, WINDOW = 640, 3 * 128, 320, 160
EXCERPTS = {
    "whole": [slice(0, N_FRAMES)],
    "crops": [slice(i, i + CROP) for i in range(0, N_FRAMES - CROP + 1, 64)],
    "windows": [slice(i, i + WINDOW) for i in range(0, N_FRAMES - WINDOW + 1, 80)],
}
"""Frames of a clip that are described: to predict, to learn from, and to compare."""
TEMPERATURE, PAIRS = 0.2, 64
WINDOWS_OF = {
    "windows": [0],
    "varied": [
        i
        for i in range(1 + COPIES * len(KINDS))
        if not i or KINDS[(i - 1) // COPIES] != "mix"
    ],
}
"""From which versions of clips pairs of windows are taken."""


def slower(samples, factor):
    """Return a clip that lasts longer by a factor, its tones as they were.

    A phase vocoder: frames are read at another speed, and each tone turns on by as
    much as it does from one frame to the next.
    """
    frames = librosa.stft(samples, n_fft=2048, hop_length=512)
    position = np.arange(0, frames.shape[1] - 1, 1 / factor)
    before, part = position.astype(int), (position % 1).astype(np.float32)
    power = np.abs(frames)
    phase = np.where(power > 0, frames, 1) / np.where(power > 0, power, 1)
    power = power[:, before] * (1 - part) + power[:, before + 1] * part
    turns = phase[:, before + 1] * phase[:, before].conj()
    turns[:, 0] *= phase[:, 0]
    return librosa.istft(power * np.cumprod(turns, axis=1), hop_length=512)


def pitch(samples, other, copy, rng):
    """Move all tones, down in the first copy and up in the second."""
    factor = 2 ** (rng.uniform(0.5, 2) * (1 if copy else -1) / 12)
    return soxr.resample(slower(samples, factor), factor, 1)


def stretch(samples, other, copy, rng):
    """Play more slowly in the first copy, and faster in the second."""
    return slower(samples, rng.uniform(1.03, 1.1) ** (-1 if copy else 1))


def mix(samples, other, copy, rng):
    """Mix another clip in, no louder than the clip itself."""
    other = np.resize(other, len(samples))
    loudness = [np.sqrt(np.mean(each**2)) for each in (samples, other)]
    share = rng.uniform(0.5, 1) * loudness[0] / max(loudness[1], 1e-6)
    return samples + share * other


def reverb(samples, other, copy, rng):
    """Add the sound of a room: noise that dies away within 0.2 to 0.8 s."""
    seconds = np.arange(int(0.8 * SAMPLE_RATE)) / SAMPLE_RATE
    room = rng.normal(size=len(seconds)) * 10 ** (-3 * seconds / rng.uniform(0.2, 0.8))
    room *= rng.uniform(0.3, 0.7) / np.linalg.norm(room)
    room[0] += 1
    return oaconvolve(samples, room.astype(np.float32))[: len(samples)]


def versions(samples, others, rng):
    """Yield a clip and its varied copies, all of one length."""
    yield samples
    for vary in (pitch, stretch, mix, reverb):
        for copy, other in enumerate(others):
            # A faster clip begins once more.
            yield np.resize(vary(samples, other, copy, rng), len(samples))


def features(path, others, seed):
    """Return the table of 'fast' and the spectrograms of 'scratch' of all versions."""
    samples, *others = (
        load_audio(each, SAMPLE_RATE, duration=SECONDS) for each in (path, *others)
    )
    clips = versions(samples, others, np.random.default_rng(seed))
    clips = [(clip.astype(np.float32), SAMPLE_RATE) for clip in clips]
    mfcc = genre_pipeline("fast")[0]
    table = mfcc.fit_transform(clips) * mfcc.scale_ + mfcc.mean_
    return table, genre_pipeline("scratch")[0].transform(clips)


def partners(target, groups, rng):
    """Return for each clip some others of its genre, by other artists if possible."""
    chosen = []
    for clip in range(len(target)):
        genre = np.flatnonzero(target == target[clip])
        others = genre[groups[genre] != groups[clip]]
        chosen.append(rng.choice(others if len(others) else genre, COPIES))
    return np.array(chosen)


class Data:
    """All versions of all clips, computed once and kept in a folder."""

    def __init__(self, tracks, folder, n_jobs):
        self.target, self.groups = tracks.target, tracks.groups
        self.genres, self.codes = np.unique(tracks.target, return_inverse=True)
        self.artists = np.unique(tracks.groups, return_inverse=True)[1]
        self.partners = partners(self.target, self.groups, np.random.default_rng(0))
        key = repr((__version__, stamps(tracks.paths)))
        file = folder / f"augmented-{hashlib.sha256(key.encode()).hexdigest()}.npz"
        if not file.exists():
            tasks = (
                delayed(features)(path, [tracks.paths[i] for i in others], seed)
                for seed, (path, others) in enumerate(
                    zip(tracks.paths, self.partners, strict=True)
                )
            )
            describe = Descriptions()
            results = Parallel(n_jobs, return_as="generator")(tasks)
            rows = [{"fast": table} | describe(X) for table, X in results]
            partial_file = file.with_suffix(".part.npz")
            columns = {name: [row[name] for row in rows] for name in rows[0]}
            np.savez(partial_file, **columns)
            partial_file.rename(file)
        with np.load(file, allow_pickle=False) as kept:
            self.of = dict(kept)

    def chosen(self, train, kinds):
        """Return (clip, version) of training clips and of copies made of them alone."""
        pairs = [(clip, 0) for clip in train]
        for kind in kinds:
            first = 1 + COPIES * KINDS.index(kind)
            pairs += [
                (clip, first + copy)
                for clip in train
                for copy in range(COPIES)
                if kind != "mix" or self.partners[clip, copy] in train
            ]
        return np.array(pairs).T


class Descriptions:
    """What the layers of 'scratch' that learn nothing make of each excerpt."""

    def __init__(self):
        self.networks = {}

    def __call__(self, spectrograms):
        """Return by kind of excerpt an array (n_versions, n_excerpts, n_features)."""
        log_power = spectrograms * np.float32(np.log(10) / 10)
        return {
            kind: np.stack([self.describe(log_power[:, part]) for part in parts], 1)
            for kind, parts in EXCERPTS.items()
        }

    def describe(self, X):
        """Return a description (n_features,) of each excerpt."""
        if X.shape[1:] not in self.networks:
            network = networks.second_order(X.shape[1:], 2, n_views=3)
            pooling = network.get_layer("pooling").output
            self.networks[X.shape[1:]] = keras.Model(network.input, pooling)
        return self.networks[X.shape[1:]].predict_on_batch(X)


class Prototypes:
    """The layers of 'scratch' that learn, for descriptions; trained as it is.

    Its crops begin anywhere, these at one of six frames: so a fit takes seconds.
    """

    def __init__(self, n_features, n_classes):
        self.recipe = genre_pipeline("scratch")[-1]
        self.n_features, self.n_classes = n_features, n_classes
        self.model, self.embedding = self.build(seed=0)
        self.initial, self.kept = {}, {}  # variables by seed, pretrained weights
        self.projection = keras.Sequential(
            [keras.layers.Dense(128, activation="relu"), keras.layers.Dense(64)]
        )
        self.projection.build((None, self.recipe.n_prototypes))
        self.loss = keras.losses.CategoricalCrossentropy(
            label_smoothing=self.recipe.label_smoothing
        )
        X = tf.TensorSpec((None, n_features))
        self.label_step = self.step(
            self.label_loss, [self.model], [X, tf.TensorSpec((None, n_classes))]
        )
        self.pair_step = self.step(
            self.pair_loss,
            [self.embedding, self.projection],
            [X, tf.TensorSpec((None,), tf.int64)],
        )

    def build(self, seed):
        """Return the network after the pooling, and its part up to the embedding."""
        shape = N_FRAMES, N_BANDS
        network = networks.second_order(shape, self.n_classes, n_views=3, seed=seed)
        names = [layer.name for layer in network.layers]
        x = X = keras.Input((self.n_features,))
        for layer in network.layers[names.index("pooling") + 1 :]:
            x = layer(x)
            if layer.name == "embedding":
                embedding = keras.Model(X, x)
        return keras.Model(X, x), embedding

    def step(self, loss, models, signature):
        """Return a training step, whose optimiser is its attribute."""
        weights = [w for model in models for w in model.trainable_variables]
        optimizer = keras.optimizers.AdamW()
        optimizer.build(weights)

        @tf.function(input_signature=signature)
        def step(*batch):
            with tf.GradientTape() as tape:
                value = loss(*batch)
            gradients = tape.gradient(value, weights)
            optimizer.apply_gradients(zip(gradients, weights, strict=True))

        step.optimizer = optimizer
        return step

    def label_loss(self, X, y):
        """Return the cross-entropy with smoothed labels."""
        return self.loss(y, self.model(X, training=True))

    def pair_loss(self, X, artists):
        """Return NT-Xent of windows i and i + n, against those of other artists."""
        z = tf.math.l2_normalize(self.projection(self.embedding(X, training=True)), 1)
        n = tf.shape(z)[0]
        pair = (tf.range(n) + n // 2) % n
        artists = tf.concat([artists, artists], 0)
        compared = (artists[:, None] != artists) | tf.cast(tf.one_hot(pair, n), bool)
        similarity = tf.matmul(z, z, transpose_b=True) / TEMPERATURE
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            labels=pair, logits=tf.where(compared, similarity, -1e9)
        )
        return tf.reduce_mean(losses)

    def start(self, X, seed):
        """Begin anew, with the means and variances of descriptions."""
        if seed not in self.initial:
            model, _ = self.build(seed)
            self.initial[seed] = [variable.numpy() for variable in model.variables]
        assign(self.model.variables, self.initial[seed])
        variance = X.var(axis=0)
        self.model.get_layer("scaling").set_weights(
            [X.mean(axis=0), np.where(variance > 0, variance, 1)]
        )

    def schedule(self, step, n_rounds):
        """Reset a step's optimiser, and yield the rounds with their learning rates."""
        zeros = [tf.zeros_like(variable) for variable in step.optimizer.variables]
        assign(step.optimizer.variables, zeros)
        for number in range(n_rounds):
            share = np.cos(np.pi * number / n_rounds / 2) ** 2
            step.optimizer.learning_rate.assign(self.recipe.learning_rate * share)
            yield number

    def learn(self, crops, codes, epochs, seed):
        """Learn genres from descriptions (n_clips, n_crops, n_features)."""
        rng = np.random.default_rng(seed)
        y = np.eye(self.n_classes, dtype=np.float32)[codes]
        for _ in self.schedule(self.label_step, epochs):
            order = rng.permutation(len(y))
            for i in range(0, len(y), self.recipe.batch_size):
                rows = order[i : i + self.recipe.batch_size]
                self.label_step(crops[rows, rng.integers(crops.shape[1])], y[rows])

    def pretrain(self, windows, artists, n_steps, seed):
        """Learn pairs among descriptions (n_clips, n_versions, n_windows, n_features).

        The windows of a pair don't overlap.
        """
        rng = np.random.default_rng(seed)
        weights = [
            keras.initializers.GlorotUniform(seed)(weight.shape)
            if len(weight.shape) > 1
            else tf.zeros_like(weight)
            for weight in self.projection.variables
        ]
        assign(self.projection.variables, weights)
        n_versions, n_windows = windows.shape[1:3]
        for _ in self.schedule(self.pair_step, n_steps):
            clips = rng.permutation(len(artists))[:PAIRS]
            first = rng.integers(n_windows - 2, size=len(clips))
            second = first + rng.integers(2, n_windows - first)
            version = rng.integers(n_versions, size=(2, len(clips)))
            X = [windows[clips, version[0], first], windows[clips, version[1], second]]
            self.pair_step(np.concatenate(X), artists[clips])


def assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def fast(data, train, test, seed, kinds=(), weighted=False):
    """Return the genres of the test clips, as numbers."""
    clips, version = data.chosen(train, kinds)
    X = data.of["fast"][clips, version]
    scaler = StandardScaler().fit(X)
    weight = 1 / np.bincount(clips)[clips] if weighted else None
    svc = SVC(break_ties=True).fit(scaler.transform(X), data.codes[clips], weight)
    return svc.predict(scaler.transform(data.of["fast"][test, 0]))


def scratch(data, network, options, train, test, seed, kinds=()):
    """Return the genres of the test clips, as numbers."""
    clips, version = data.chosen(train, kinds)
    network.start(data.of["whole"][clips, version, 0], seed)
    epochs = max(1, round(options.epochs * len(train) / len(clips)))
    network.learn(data.of["crops"][clips, version], data.codes[clips], epochs, seed)
    return network.model.predict_on_batch(data.of["whole"][test, 0, 0]).argmax(axis=1)


def pretrained(data, network, options, train, test, seed, how, n_labels=None):
    """Return the genres of the test clips, as numbers, from all labels or some."""
    labelled, codes = train, data.codes
    if n_labels and n_labels + network.n_classes <= len(train):
        labelled, _ = train_test_split(
            train, train_size=n_labels, stratify=codes[train], random_state=seed
        )
    seen = labelled if how == "labels alone" else train
    network.start(data.of["whole"][seen, 0, 0], seed)
    if how in WINDOWS_OF:
        key = how, seed, train.tobytes()
        if key not in network.kept:  # the same for any number of labels
            windows = data.of["windows"][train][:, WINDOWS_OF[how]]
            network.pretrain(windows, data.artists[train], options.steps, seed)
            network.kept[key] = [w.numpy() for w in network.embedding.weights]
        assign(network.embedding.weights, network.kept[key])
    network.learn(data.of["crops"][labelled, 0], codes[labelled], options.epochs, seed)
    return network.model.predict_on_batch(data.of["whole"][test, 0, 0]).argmax(axis=1)


def rows(data, options):
    """Yield tables: functions (train, test, seed) by name; the first is the rival."""
    copies = {"no copies": (), **{kind: (kind,) for kind in KINDS}, "all": KINDS}
    table = {}
    for name, kinds in copies.items():
        table[f"fast, {name}"] = partial(fast, data, kinds=kinds)
        if kinds:
            weighted = partial(fast, data, kinds=kinds, weighted=True)
            table[f"fast, {name}, weighted"] = weighted
    yield table

    n_features = data.of["whole"].shape[-1]
    network = Prototypes(n_features, len(data.genres))
    table = {
        f"scratch, {name}": partial(scratch, data, network, options, kinds=kinds)
        for name, kinds in copies.items()
    }
    yield table
    for n_labels in options.labels:
        yield {
            f"{n_labels} labels, {how}": partial(
                pretrained, data, network, options, how=how, n_labels=n_labels
            )
            for how in ("labels alone", "scaling", *WINDOWS_OF)
        }
    yield {"scratch, no copies": table["scratch, no copies"]} | {
        f"all labels, {how}": partial(pretrained, data, network, options, how=how)
        for how in WINDOWS_OF
    }


def cross_validate(predict, data, options):
    """Return whether each clip is predicted, (repeats, clips)."""
    right = np.zeros((options.repeats, len(data.codes)))
    for repeat in range(options.repeats):
        folds = StratifiedGroupKFold(options.folds, shuffle=True, random_state=repeat)
        for train, test in folds.split(data.codes, data.codes, data.groups):
            predicted = predict(train, test, seed=repeat)
            right[repeat, test] = predicted == data.codes[test]
    return right


def show(name, right, rival, groups):
    gain = right.mean(axis=1) - rival.mean(axis=1)
    sampled = [bootstrap_accuracy(each.mean(axis=0), groups) for each in (right, rival)]
    low, high = np.percentile(sampled[0] - sampled[1], [2.5, 97.5])
    print(
        f"{name:24} {right.mean():8.3f}  {gain.mean():+.3f} [{low:+.3f}, {high:+.3f}]  "
        + " ".join(f"{each:+.3f}" for each in gain),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--labels", nargs="+", type=int, default=[20, 80])
    parser.add_argument("--epochs", type=int, default=120, help="on labelled clips")
    parser.add_argument("--steps", type=int, default=300, help="of pretraining")
    parser.add_argument("--jobs", type=int, help="clips varied at a time")
    parser.add_argument("--output", type=Path, help="default: accuracy-MUSIC")
    options = parser.parse_args()
    tracks = load_audio_folder(options.music)
    if tracks.groups is None:
        parser.error("the music names no artists; see load_audio_folder")
    output = options.output or Path(f"accuracy-{options.music.resolve().stem}")
    output.mkdir(parents=True, exist_ok=True)
    data = Data(tracks, output, options.jobs)
    for table in rows(data, options):
        print(f"\n{'':24} accuracy  gain, 95 % interval        by repeat")
        rival = None
        for name, predict in table.items():
            right = cross_validate(predict, data, options)
            rival = right if rival is None else rival
            show(name, right, rival, data.groups)


if __name__ == "__main__":
    main()
