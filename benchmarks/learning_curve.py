"""How much music a pipeline needs: accuracy by labelled clips and by their artists.

    python benchmarks/learning_curve.py MUSIC [--pipeline best] [--repeats 5]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
Of the training clips of each of five folds by artist, some are drawn, and the test
clips predicted. 'clips': drawn from all artists. 'artists': all clips of so few artists
that these are as many. Features are kept in the folder of ``benchmarks/accuracy.py``.
"""

import argparse
from pathlib import Path

import numpy as np
from accuracy import AudioSteps
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import genre_pipeline
from skgenre.datasets import load_audio_folder

FEWEST = 3  # clips of a genre, which calibration needs


def drawn(train, groups, n_clips, rng):
    """Return so many clips, and those of the first artists who have as many."""
    artists = rng.permutation(np.unique(groups[train]))
    by_artist = np.concatenate([train[groups[train] == artist] for artist in artists])
    return {"clips": rng.permutation(train)[:n_clips], "artists": by_artist[:n_clips]}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path)
    parser.add_argument("--pipeline", choices=["best", "fast"], default="best")
    parser.add_argument("--sizes", nargs="+", type=int, default=[20, 40, 80, 160])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, help="default: accuracy-MUSIC")
    options = parser.parse_args()
    tracks = load_audio_folder(options.music)
    output = options.output or Path(f"accuracy-{options.music.resolve().stem}")
    output.mkdir(parents=True, exist_ok=True)
    steps = AudioSteps(tracks.paths, output)
    target, groups = tracks.target, tracks.groups
    model, _ = steps.replaced(genre_pipeline(options.pipeline))
    print(f"{'drawn':8}  {'clips':>5}  {'artists':>7}  accuracy")
    for size in options.sizes:
        right = {"clips": [], "artists": []}
        n_artists = {"clips": [], "artists": []}
        for repeat in range(options.repeats):
            rng = np.random.default_rng(repeat)
            folds = StratifiedGroupKFold(5, shuffle=True, random_state=repeat)
            for train, test in folds.split(groups, target, groups):
                for how, rows in drawn(train, groups, size, rng).items():
                    counts = np.unique(target[rows], return_counts=True)[1]
                    if len(counts) < len(np.unique(target)) or counts.min() < FEWEST:
                        continue  # no training without some clips of each genre
                    model.fit(rows, target[rows])
                    right[how].extend(model.predict(test) == target[test])
                    n_artists[how].append(len(np.unique(groups[rows])))
        for how, values in right.items():
            if values:
                print(
                    f"{how:8}  {size:5}  {np.mean(n_artists[how]):7.0f}  "
                    f"{np.mean(values):8.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
