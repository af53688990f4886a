"""How fast features are extracted, beside other packages.

    python benchmarks/extraction.py [MUSIC] [--clips 96] [--results FOLDER]
    python benchmarks/extraction.py [MUSIC] --against CHECKOUT

MUSIC is a folder or CSV, as `skgenre.datasets.load_audio_folder` takes it; without it,
synthetic MP3s of 30 s are made. Everything runs in one process and, unless it is said
otherwise, on one thread. What is compared takes turns, a few clips at a time; a figure
is the median over the turns of the ratio of two times, with its quartiles. 'cpu' counts
processor time, which other programs on the machine disturb less than 'wall'.

- `librosa / mel step`: `librosa.load`, `melspectrogram` and `power_to_db`, against
  `MelSpectrogramTransformer` with the same settings. Larger is better.
- `mel step / decode`: against `soundfile.read` alone. 1 is the limit.
- `PACKAGE / mel step`: others that are installed; what each computes is said in its
  function. Not all of them make the same spectrogram.
- `n_jobs=1 / n_jobs=2` (wall time; the machine needs a second, idle core).
- `second run / first run`, with `cache_dir`: wall time of all clips in one go.
- `separate / precompute`: mel spectrograms and MFCCs of the same files, one step after
  the other and by one pass, both into an empty `cache_dir`.

With --against, only `load_audio` and the mel step are compared with those of another
checkout, such as one of the main branch; each has a process of its own. Below 1 this
one is faster.
"""

import argparse
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import librosa
import numpy as np
import soundfile
from _results import RATIO, row, write_rows
from threadpoolctl import threadpool_limits

from skgenre import MelSpectrogramTransformer, MFCCStandardizer
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.features import precompute

_AT_A_TIME = 8
_RATE = 22050


def librosa_recipe(path):
    samples, _ = librosa.load(path, sr=_RATE)
    power = librosa.feature.melspectrogram(
        y=samples, sr=_RATE, n_fft=2048, hop_length=1024, n_mels=128
    )
    return librosa.power_to_db(power, ref=np.max)


def decode(path):
    return soundfile.read(path, dtype="float32")


def torchaudio_recipe():
    """Return torchaudio's mel spectrogram in dB, decoded by soundfile."""
    import torch
    import torchaudio

    torch.set_num_threads(1)
    mel = torchaudio.transforms.MelSpectrogram(
        _RATE,
        n_fft=2048,
        hop_length=1024,
        n_mels=128,
        norm="slaney",
        mel_scale="slaney",
    )
    decibels = torchaudio.transforms.AmplitudeToDB(top_db=80)

    def run(path):
        # Its own decoder is a separate package since 2.9.
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        samples = torch.from_numpy(samples).mean(dim=1)
        return decibels(mel(torchaudio.functional.resample(samples, rate, _RATE)))

    return run


def essentia_recipe():
    """Return essentia's 128 mel bands in dB; they have no option for centred frames."""
    import essentia
    import essentia.standard as es

    essentia.log.infoActive = essentia.log.warningActive = False
    window = es.Windowing(type="hann", size=2048, normalized=False)
    spectrum = es.Spectrum(size=2048)
    bands = es.MelBands(
        numberBands=128,
        inputSize=1025,
        sampleRate=_RATE,
        lowFrequencyBound=0,
        highFrequencyBound=_RATE / 2,
        warpingFormula="slaneyMel",
        normalize="unit_tri",
    )

    def run(path):
        samples = es.MonoLoader(filename=str(path), sampleRate=_RATE)()
        frames = es.FrameGenerator(samples, frameSize=2048, hopSize=1024)
        power = np.array([bands(spectrum(window(frame))) for frame in frames])
        return 10 * np.log10(np.maximum(power, 1e-10))

    return run


def opensmile_recipe():
    """Return openSMILE's 88 eGeMAPS functionals, of speech research."""
    import opensmile

    smile = opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
        num_workers=1,
    )

    def run(path):
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return smile.process_signal(samples.mean(axis=1), rate)

    return run


def pyaudioanalysis_recipe():
    """Return pyAudioAnalysis's 68 features of frames of 50 ms, one every 25."""
    from pyAudioAnalysis import ShortTermFeatures

    def run(path):
        samples, rate = soundfile.read(path, always_2d=True)
        return ShortTermFeatures.feature_extraction(
            samples.mean(axis=1), rate, int(0.05 * rate), int(0.025 * rate)
        )

    return run


RIVALS = {
    "torchaudio": torchaudio_recipe,
    "essentia": essentia_recipe,
    "opensmile": opensmile_recipe,
    "pyAudioAnalysis": pyaudioanalysis_recipe,
}


def rivals():
    """Return the packages that are installed, and print the others."""
    found = {}
    for name, make in RIVALS.items():
        if importlib.util.find_spec(name) is None:
            print(f"{name}: not installed")
            continue
        try:
            found[name] = make()
        except Exception as error:  # a package in conflict with the others
            print(f"{name}: does not run here ({type(error).__name__}: {error})")
    return found


def timed(function, argument):
    wall, cpu = time.perf_counter(), time.process_time()
    function(argument)
    return time.perf_counter() - wall, time.process_time() - cpu


def take_turns(functions, paths, at_a_time=_AT_A_TIME):
    """Return the wall and processor times of each turn, (n_turns, 2), by name."""
    for function in functions.values():
        function(paths[:1])  # imports, filter banks, caches of plans
    names = list(functions)
    times = {name: [] for name in names}
    for turn, first in enumerate(range(0, len(paths), at_a_time)):
        shift = turn % len(names)  # no package always reads the files first
        for name in names[shift:] + names[:shift]:
            chunk = paths[first : first + at_a_time]
            times[name].append(np.array(timed(functions[name], chunk)) / len(chunk))
    return {name: np.array(values) for name, values in times.items()}


def ratio(times, over, under):
    ratios = times[over] / times[under]
    result = {}
    for i, kind in enumerate(("wall", "cpu")):
        low, median, high = np.percentile(ratios[:, i], [25, 50, 75]).round(4)
        result[kind] = {"median": median, "quartiles": [low, high]}
    return result


def each(function):
    """Return the function of several files; results are let go, as ours are copied."""

    def run(paths):
        for path in paths:
            function(path)

    return run


def against_others(paths):
    functions = {
        "mel step": MelSpectrogramTransformer().transform,
        "librosa": each(librosa_recipe),
        "decode": each(decode),
        **{name: each(function) for name, function in rivals().items()},
    }
    times = take_turns(functions, paths)
    table = {
        f"{name} / mel step": ratio(times, name, "mel step")
        for name in functions
        if name not in ("mel step", "decode")
    }
    table["mel step / decode"] = ratio(times, "mel step", "decode")
    seconds = {
        name: dict(zip(("wall", "cpu"), np.median(value, axis=0).round(5), strict=True))
        for name, value in times.items()
    }
    return table, seconds


def two_at_a_time(paths):
    functions = {
        f"n_jobs={n}": MelSpectrogramTransformer(n_jobs=n).transform for n in (1, 2)
    }
    times = take_turns(functions, paths, at_a_time=4 * _AT_A_TIME)
    return {"n_jobs=1 / n_jobs=2": ratio(times, "n_jobs=1", "n_jobs=2")}


def from_the_cache(paths, n_rounds=3):
    times = {"first run": [], "second run": []}
    for _ in range(n_rounds):
        with tempfile.TemporaryDirectory() as folder:
            step = MelSpectrogramTransformer(cache_dir=folder)
            for name in times:
                times[name].append(timed(step.transform, paths))
    times = {name: np.array(value) for name, value in times.items()}
    return {"second run / first run": ratio(times, "second run", "first run")}


def several_features(paths):
    def features(paths, at_once):
        with tempfile.TemporaryDirectory() as folder:
            steps = [
                MelSpectrogramTransformer(cache_dir=folder),
                MFCCStandardizer(cache_dir=folder, duration=30.0),
            ]
            if at_once:
                precompute(steps, paths)
                return
            for step in steps:
                step.fit_transform(paths)

    functions = {
        "separate": functools.partial(features, at_once=False),
        "precompute": functools.partial(features, at_once=True),
    }
    times = take_turns(functions, paths)
    return {"separate / precompute": ratio(times, "separate", "precompute")}


# Reads lists of paths, and prints the times of each.
SERVER = """
import json, sys, time, warnings
from skgenre.audio import load_audio
from skgenre.features import MelSpectrogramTransformer
warnings.simplefilter("ignore")
tasks = {
    "load_audio": lambda path: load_audio(path, None),
    "mel step": lambda path: MelSpectrogramTransformer().transform([path]),
}
for line in sys.stdin:
    name, paths = json.loads(line)
    wall, cpu = time.perf_counter(), time.process_time()
    for path in paths:
        tasks[name](path)
    times = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps(times), flush=True)
"""


def against_checkout(paths, checkout):
    """Return the ratio of this checkout's times to those of another."""
    servers = {}
    for name, folder in (("this", Path(__file__).parents[1]), ("other", checkout)):
        servers[name] = subprocess.Popen(
            [sys.executable, "-P", "-c", SERVER],
            env=os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(server, task, paths):
        server.stdin.write(json.dumps([task, paths]) + "\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    table = {}
    for task in ("load_audio", "mel step"):
        times = {"this": [], "other": []}
        for server in servers.values():
            ask(server, task, paths[:1])  # imports
        for turn, first in enumerate(range(0, len(paths), _AT_A_TIME)):
            for name in sorted(servers, reverse=bool(turn % 2)):
                chunk = paths[first : first + _AT_A_TIME]
                times[name].append(ask(servers[name], task, chunk))
        times = {name: np.array(values) for name, values in times.items()}
        table[f"{task}, this / other"] = ratio(times, "this", "other")
    for server in servers.values():
        server.stdin.close()
        server.wait()
    return table


def as_rows(ratios, seconds):
    """Return the results to keep of a release, by processor or wall time."""
    kept = [
        # Name, times, which is better, promised value.
        *((name, "cpu", "higher", None) for name in ratios if "/ mel step" in name),
        ("mel step / decode", "cpu", "lower", 1.6),
        ("n_jobs=1 / n_jobs=2", "wall", "higher", 1.8),
        ("separate / precompute", "cpu", "higher", None),
        ("second run / first run", "wall", "lower", 0.05),
    ]
    targets = {"librosa / mel step": 1.8}
    rows = [
        row(
            name,
            ratios[name][kind]["median"],
            RATIO,
            better=better,
            target=targets.get(name, target),
        )
        for name, kind, better, target in kept
    ]
    rows.append(
        row(
            "30 s clip to its mel spectrogram, processor time",
            1000 * seconds["mel step"]["cpu"],
            "ms",
            better="lower",
            rival=1000 * seconds["librosa"]["cpu"],
        )
    )
    return rows


def synthetic(folder, n):
    """Write MP3s of 30 s, stereo at 44.1 kHz, and return their paths."""
    clips = make_genre_clips(
        n, duration=30, sample_rate=44100, random_state=0, folder=folder
    )
    paths = []
    for i, path in enumerate(clips.paths):
        samples, rate = soundfile.read(path)
        paths.append(f"{folder}/{i}.mp3")
        soundfile.write(paths[-1], np.stack([samples, 0.5 * samples], axis=1), rate)
    return paths


def print_ratios(paths, ratios):
    """Print medians and quartiles as a table."""
    print(f"\n{len(paths)} clips{'':20}   wall [quartiles]         cpu [quartiles]")
    for name, kinds in ratios.items():
        cells = (
            "{:.3f} [{:.3f}, {:.3f}]".format(kind["median"], *kind["quartiles"])
            for kind in kinds.values()
        )
        print(f"{name:28}" + "".join(f"{cell:24}" for cell in cells))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path, nargs="?")
    parser.add_argument("--clips", type=int, default=96)
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--results", help="folder to write extraction.json to")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.music is None:
            paths = synthetic(folder, options.clips)
        else:
            paths = list(load_audio_folder(options.music).paths)
            step = max(1, len(paths) // options.clips)
            paths = [str(path) for path in paths[::step][: options.clips]]
        if options.against is not None:
            print_ratios(paths, against_checkout(paths, options.against))
            return
        with threadpool_limits(1):
            ratios, seconds = against_others(paths)
            ratios |= two_at_a_time(paths)
            ratios |= several_features(paths)
            ratios |= from_the_cache(paths)
    print_ratios(paths, ratios)
    print("\nSeconds a clip (wall, cpu)")
    for name, kinds in seconds.items():
        print(f"{name:28}{kinds['wall']:.4f}  {kinds['cpu']:.4f}")
    if options.results:
        rows = as_rows(ratios, seconds)
        print("Written:", write_rows("extraction", rows, options.results))


if __name__ == "__main__":
    main()
