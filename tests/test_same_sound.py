"""One sound, however it is given: its file, its samples, its bytes and its URL."""

import io
import tempfile
from functools import cache

import fsspec
import keras
import numpy as np
import pytest
import soundfile
from numpy.testing import assert_allclose, assert_array_equal
from published_weights import HAS_WEIGHTS
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sound_files import write_av

from skgenre import (
    KerasEmbedding,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
    SegmentClassifier,
    Waveform,
    load_audio,
)
from skgenre.features import precompute

RATE = 44100


@pytest.fixture(scope="module")
def stereo():
    """Three seconds of two sweeps in some noise, (n_samples, 2)."""
    t = np.arange(3 * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.05, (len(t), 2))
    left = 0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t)
    right = 0.2 * np.sin(2 * np.pi * (900 - 200 * t) * t)
    return np.stack([left, right], axis=1) + noise


FORMATS = {
    "wav": {"subtype": "PCM_16"},
    "8-bit.wav": {"subtype": "PCM_U8"},
    "24-bit.wav": {"subtype": "PCM_24"},
    "float.wav": {"subtype": "FLOAT"},
    "law.wav": {"subtype": "ULAW"},
    "adpcm.wav": {"subtype": "IMA_ADPCM"},
    "flac": {},
    "mp3": {},
    "ogg": {},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "aiff": {},
    "au": {},
    "m4a": "aac",
    "alac.m4a": "alac",
    "mp4": "aac",
    "mka": "aac",
    "aac": "aac",
}


@pytest.fixture(scope="module")
def sound_file(stereo, tmp_path_factory):
    """Function that returns the path of a file of a format."""
    folder = tmp_path_factory.mktemp("sounds")

    @cache
    def make(name):
        path = folder / f"sound.{name}"
        how = FORMATS[name]
        if isinstance(how, str):
            write_av(path, stereo.astype(np.float32), how)
        else:
            rate = 48000 if name == "opus" else RATE
            soundfile.write(path, stereo, rate, **how)
        return path

    return make


def samples_of(path):
    """Return the samples and the rate, by soundfile where it can."""
    if isinstance(FORMATS[path.name.removeprefix("sound.")], str):
        return load_audio(path, sample_rate=None), RATE
    return soundfile.read(path)


def given_otherwise(path):
    """Return the sound in all forms but that of a path."""
    samples, rate = samples_of(path)
    contents = path.read_bytes()
    fsspec.filesystem("memory").pipe(f"/same/{path.name}", contents)
    spooled = tempfile.SpooledTemporaryFile(max_size=1000)
    spooled.write(contents)
    return {
        "pair": (samples, rate),
        "tuple": Waveform(samples.T, rate),
        "row": {"array": samples, "sampling_rate": np.int64(rate)},
        "bytes": io.BytesIO(contents),
        "upload": spooled,
        "file": open(path, "rb"),
        "URL": f"memory://same/{path.name}",
    }


def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((20, 32)),
            keras.layers.Conv1D(4, 3, activation="relu"),
            keras.layers.GlobalAveragePooling1D(),
        ]
    )


STEPS = {
    "mel": lambda: MelSpectrogramTransformer(n_frames=30),
    "mel, whole": lambda: MelSpectrogramTransformer(n_frames=None, sample_rate=16000),
    "MFCC": lambda: MFCCStandardizer(sample_rate=16000),
    "MFCC, part": lambda: MFCCStandardizer(duration=1.0),
    "network": lambda: KerasEmbedding(network(), n_mels=32, duration=2.0),
    "musicnn": lambda: MusicnnEmbedding(weights="mtt"),
}
slow_steps = {"network", "musicnn"}
quick_formats = {"wav", "mp3", "m4a", "8-bit.wav"}


def combinations():
    for step in STEPS:
        for name in FORMATS:
            marks = []
            if step in slow_steps or name not in quick_formats:
                marks.append(pytest.mark.slow)
            if step == "musicnn" and not HAS_WEIGHTS:
                marks.append(pytest.mark.skip("no weights of musicnn"))
            yield pytest.param(step, name, marks=marks)


@pytest.mark.parametrize(("step", "name"), list(combinations()))
def test_a_file_its_samples_its_bytes_and_its_url_are_one_sound(sound_file, step, name):
    path = sound_file(name)
    forms = given_otherwise(path)
    step = STEPS[step]()
    if isinstance(step, MFCCStandardizer):
        step.fit([np.random.default_rng(i).normal(0, 0.1, 40_000) for i in range(9)])
    expected, *others = step.transform([path, *forms.values()])
    for form, other in zip(forms, others, strict=True):
        if form in ("pair", "tuple", "row"):
            assert_allclose(other, expected, atol=1e-5 * abs(expected).max())
        else:
            assert_array_equal(other, expected, err_msg=form)
    assert forms["bytes"].tell() == forms["file"].tell() == 0
    assert forms["upload"].tell() == path.stat().st_size


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", ">i2", "u2", "i4", "u4", "f4"])
def test_integers_are_fractions_of_their_type(stereo, dtype):
    """As scipy.io.wavfile returns them; also in arrays without a rate."""
    mono = stereo.mean(axis=1).clip(-1, 1 - 1e-9)
    dtype, samples = np.dtype(dtype), mono.astype("f4")
    if dtype.kind != "f":
        full = 2.0 ** (8 * dtype.itemsize - 1)
        middle = full if dtype.kind == "u" else 0
        samples = np.round(mono * full + middle).astype(dtype)
    in_steps = 2.0 ** (1 - 8 * dtype.itemsize) if dtype.kind != "f" else 1e-7
    found = load_audio((samples, RATE), sample_rate=None)
    assert_allclose(found, mono, atol=max(in_steps, 1e-7))
    step = MFCCStandardizer(sample_rate=RATE)
    step.fit([np.random.default_rng(i).normal(0, 0.1, RATE) for i in range(9)])
    bare = step.transform([samples])
    assert_array_equal(bare, step.transform(samples[np.newaxis]))
    assert_allclose(bare, step.transform([found]), atol=1e-9)
    assert_allclose(bare, step.transform([(samples, RATE)]), atol=1e-9)
    if in_steps < 1e-4:
        assert_allclose(bare, step.transform([mono]), atol=0.05)


def test_clips_of_all_kinds_in_one_list(sound_file):
    path = sound_file("wav")
    forms = given_otherwise(path)
    del forms["URL"]  # of a store in this process's memory, which workers have not
    rate = 22050
    X = [str(path), path, *forms.values(), load_audio(path, rate)]
    for parameters in ({}, {"n_jobs": 2}, {"time_limit": 60, "n_jobs": 2}):
        step = MelSpectrogramTransformer(n_frames=20, sample_rate=rate, **parameters)
        first, *others = step.transform(X)
        for other in others:
            assert_allclose(other, first, atol=2e-3)


def test_one_file_many_times_in_threads(sound_file):
    file = io.BytesIO(sound_file("mp3").read_bytes())
    file.seek(100)
    step = MelSpectrogramTransformer(n_frames=20)
    expected = step.transform([file])[0]
    for row in step.set_params(n_jobs=4).transform([file] * 12):
        assert_array_equal(row, expected)
    assert file.tell() == 100


@pytest.mark.parametrize("excerpt", ["middle", "start"])
def test_excerpts_of_waveforms_are_those_of_files(sound_file, excerpt):
    path = sound_file("wav")
    samples, rate = soundfile.read(path, dtype="int16")
    for step in (
        MelSpectrogramTransformer(n_frames=13, excerpt=excerpt),
        MelSpectrogramTransformer(n_frames=200, excerpt=excerpt),
        MFCCStandardizer(duration=0.7, excerpt=excerpt).fit([path, path]),
    ):
        expected, found = step.transform([path, (samples, rate)])
        assert_array_equal(found, expected)


@pytest.mark.parametrize("form", ["pair", "bytes", "upload", "row"])
def test_results_are_cached_by_content(sound_file, form, tmp_path, monkeypatch):
    path = sound_file("wav")
    step = MelSpectrogramTransformer(n_frames=20, cache_dir=tmp_path)
    expected = step.transform([given_otherwise(path)[form]])
    monkeypatch.setattr("skgenre.features._mel_transformer.read_samples", None)
    assert_array_equal(step.transform([given_otherwise(path)[form]]), expected)
    with pytest.raises(TypeError, match="NoneType"):
        samples, rate = samples_of(path)
        step.transform([(samples, rate + 1)])


def test_a_file_that_can_not_be_read_is_one_clip(sound_file):
    """Damaged contents, NaN and rates are told as those of files are."""
    path = sound_file("wav")
    samples, rate = soundfile.read(path)
    holed = samples.copy()
    holed[70_000] = np.nan
    bad = {
        "no decoder reads it": io.BytesIO(b"half a download"),
        "empty": io.BytesIO(),
        "NaN or infinite": (holed, rate),
        "no samples": (samples[:0], rate),
        "sample rate is 0 Hz": (samples, 0),
        "sample rate is 44.1 Hz": (samples, 44.1),
        "sample rate is nan Hz": (samples, np.nan),
        "sample rate is 22050.5 Hz": (samples, 22050.5),
        "sample rate is -44100 Hz": (samples, -44100),
        "sample rate is 2000000 Hz": (samples, 2e6),
    }
    step = MelSpectrogramTransformer(n_frames=200, on_error="ignore")
    rows = step.transform([path, *bad.values()])
    assert np.isfinite(rows[0]).all() and np.isnan(rows[1:]).all()
    report = step.extraction_report_
    assert report["path"].tolist() == [str(path), *[None] * len(bad)]
    for cause, part in zip(report["cause"][1:], bad, strict=True):
        assert part in cause
    assert report.loc[3, ["duration", "channels", "sample_rate"]].tolist() == [
        3,
        2,
        rate,
    ]
    for i, (part, clip) in enumerate(bad.items()):
        X = [path] * i + [clip]
        with pytest.raises(ValueError, match=f"'clip {i} of X': .*{part}") as caught:
            MelSpectrogramTransformer(n_frames=200).transform(X)
        assert len(str(caught.value)) < 300


def test_features_of_several_steps(sound_file, tmp_path):
    forms = given_otherwise(sound_file("mp3"))
    X = [forms["pair"], forms["bytes"]]
    steps = [
        MelSpectrogramTransformer(n_frames=20, cache_dir=tmp_path),
        MFCCStandardizer(sample_rate=16000, cache_dir=tmp_path),
    ]
    precompute(steps, X, n_jobs=2)
    assert len(list(tmp_path.rglob("*.*"))) >= 4
    for step in steps:
        found = step.fit_transform(X)
        step.set_params(cache_dir=None)
        assert_array_equal(step.fit_transform(X), found)


def test_spectrograms_on_the_disk(sound_file, tmp_path):
    forms = given_otherwise(sound_file("mp3"))
    X = [forms["pair"], forms["bytes"]]
    step = MelSpectrogramTransformer(n_frames=20)
    written = step.transform_to(tmp_path / "it.npy", X)
    assert_array_equal(np.asarray(written), step.transform(X))
    step.transform_to(tmp_path / "it.npy", X)  # complete
    samples, rate = forms["pair"]
    with pytest.raises(FileExistsError, match="clips differ"):
        step.transform_to(tmp_path / "it.npy", [(samples, rate + 1), forms["bytes"]])


@pytest.mark.parametrize("form", ["pair", "tuple", "row", "bytes"])
@pytest.mark.parametrize("container", ["list", "objects"])
def test_cross_validation_and_searches_index_them(form, container):
    rng = np.random.default_rng(0)
    clips, genres = [], np.repeat(["high", "low"], 6)
    for i, genre in enumerate(genres):
        pitch = rng.uniform(0.9, 1.1) * (2000 if genre == "high" else 200)
        samples = 0.3 * np.sin(2 * np.pi * pitch * np.arange(24_000) / 48_000)
        file = io.BytesIO()
        soundfile.write(file, samples, 48_000, format="WAV")
        of_form = {
            "pair": (samples, 48_000),
            "tuple": Waveform(samples, 48_000),
            "row": {"path": f"{i}.wav", "array": samples, "sampling_rate": 48_000},
            "bytes": file,
        }
        clips.append(of_form[form])
    X = clips
    if container == "objects":
        X = np.array(clips, dtype=object)
    model = make_pipeline(MFCCStandardizer(n_mfcc=5), LogisticRegression())
    found = cross_val_predict(model, X, genres, cv=3)
    assert found.tolist() == genres.tolist()
    search = GridSearchCV(model, {"mfccstandardizer__n_mfcc": [4, 5]}, cv=2)
    assert search.fit(X, genres).score(X, genres) == 1


def test_displays(sound_file, no_figures_left):
    from skgenre.inspection import SpectrogramDisplay, TimelineDisplay

    path = sound_file("wav")
    forms = given_otherwise(path)
    mel = MelSpectrogramTransformer(n_frames=None)
    expected = mel.transform([path])[0]
    songs = [(np.random.default_rng(i).normal(size=70_000), 44100) for i in range(6)]
    model = make_pipeline(mel, SegmentClassifier(LogisticRegression(), window=16))
    model.fit(songs, [0, 1] * 3)
    for form in ("pair", "row", "bytes"):
        display = SpectrogramDisplay.from_estimator(mel, forms[form])
        assert_array_equal(display.spectrogram, expected)
        for clip in (forms[form], [forms[form]]):
            display = TimelineDisplay.from_estimator(model, clip)
            assert display.times[-1, 1] == pytest.approx(3, abs=0.4)
