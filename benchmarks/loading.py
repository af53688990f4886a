"""How long a model file takes to load, next to a pickle of the same model by joblib.

    python benchmarks/loading.py [--repeats 30] [--results FOLDER]

The pipelines 'best' and 'fast' are fitted to random features of 200 clips of 16 genres:
their files are as large as of music, and no pretrained weights are needed. Each is
loaded in turns by `skgenre.load` and by `joblib.load`, which runs whatever a file says;
the least time of each counts.
"""

import argparse
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from _results import RATIO, row, write_rows

import skgenre

N_CLIPS, N_GENRES = 200, 16


def fitted(name):
    """Return a pipeline whose steps after the audio step are fitted."""
    audio, *rest = (step for _, step in skgenre.genre_pipeline(name).steps)
    rng = np.random.default_rng(0)
    y = np.arange(N_CLIPS) % N_GENRES
    if name == "fast":
        X = audio.fit_transform(rng.normal(size=(N_CLIPS, 2 * audio.sample_rate)))
    else:
        X = rng.normal(size=(N_CLIPS, len(audio.get_feature_names_out())))
    pipeline = skgenre.genre_pipeline(name)
    pipeline[1:].fit(X, y)
    pipeline.steps[0] = (pipeline.steps[0][0], audio)
    return pipeline


def least_seconds(loads, repeats):
    """Return the least time of each function, which are called in turns."""
    seconds = {name: [] for name in loads}
    for _ in range(repeats):
        for name, load in loads.items():
            start = time.perf_counter()
            load()
            seconds[name].append(time.perf_counter() - start)
    return {name: min(times) for name, times in seconds.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--results", help="folder to write loading.json to")
    options = parser.parse_args()
    rows = []
    for name in ("best", "fast"):
        with tempfile.TemporaryDirectory() as folder:
            file, pickle = Path(folder) / "it.model", Path(folder) / "it.joblib"
            model = fitted(name)
            skgenre.save(model, file)
            joblib.dump(model, pickle)
            found = least_seconds(
                {
                    "load": lambda file=file: skgenre.load(file, runtime="auto"),
                    "joblib": lambda pickle=pickle: joblib.load(pickle),
                },
                options.repeats,
            )
            n_bytes = file.stat().st_size
        load, other = (1000 * found[each] for each in ("load", "joblib"))
        print(
            f"{name}: {n_bytes / 1e3:.0f} kB, {load:.1f} ms; joblib {other:.1f} ms, "
            f"{load / other:.1f} times"
        )
        how = {"better": "lower"}
        rows.append(row(f"load of '{name}'", load, "ms", rival=other, **how))
        rows.append(row(f"load of '{name}' / joblib.load", load / other, RATIO, **how))
    if options.results:
        print("Written:", write_rows("loading", rows, options.results))


if __name__ == "__main__":
    main()
