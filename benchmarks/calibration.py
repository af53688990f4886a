"""What calibration does to the accuracy and the log loss of a support vector machine.

    python benchmarks/calibration.py [MUSIC] [--genres 2 4 10 30] [--clips 5 10 30 100]

Synthetic clips are points around the centre of their genre, mixed into as many features
as ``fast`` has. MUSIC is a folder or CSV with artists, as
`skgenre.datasets.load_audio_folder` takes it: five folds of other artists, three times.
Each figure is accuracy / log loss; 'none' is the machine alone, without probabilities.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import genre_pipeline
from skgenre.datasets import load_audio_folder

N_FEATURES, N_FACTORS = 690, 60
REPEATS = 5


def models():
    """Return the machine, calibrated in each way that scikit-learn knows."""
    calibrated = {
        method: CalibratedClassifierCV(SVC(), method=method, cv=3, ensemble=False)
        for method in ("sigmoid", "temperature")
    }
    return calibrated | {"none": SVC()}


def scores(X, y, X_test, y_test):
    """Return accuracy and log loss by the name of the model."""
    result = {}
    for name, model in models().items():
        model = make_pipeline(StandardScaler(), model).fit(X, y)
        loss = np.nan
        if name != "none":
            proba = model.predict_proba(X_test)
            loss = log_loss(y_test, proba, labels=model.classes_)
        result[name] = model.score(X_test, y_test), loss
    return result


def synthetic(n_genres, n_clips, seed):
    """Return training and test clips of some genres."""
    rng = np.random.default_rng(seed)
    centers = rng.normal(scale=0.55, size=(n_genres, N_FACTORS))
    mixed = rng.normal(size=(N_FACTORS, N_FEATURES)) / 8
    for n in (n_clips, max(20, 400 // n_genres)):
        y = np.repeat(np.arange(n_genres), n)
        factors = centers[y] + rng.normal(size=(len(y), N_FACTORS))
        yield factors @ mixed + 0.5 * rng.normal(size=(len(y), N_FEATURES))
        yield y


def show(name, results):
    means = (
        "{:.3f} / {:.3f}".format(
            *np.mean([result[model] for result in results], axis=0)
        )
        for model in models()
    )
    print(f"{name:20}", *(f"{mean:16}" for mean in means), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", nargs="?", type=Path)
    parser.add_argument("--genres", nargs="+", type=int, default=[2, 4, 10, 30])
    parser.add_argument("--clips", nargs="+", type=int, default=[5, 10, 30, 100])
    options = parser.parse_args()
    # Machines that never err in training need no temperature, which is reported.
    warnings.filterwarnings("ignore", category=UserWarning)
    print(" " * 20, *(f"{name:16}" for name in models()))
    for n_genres in options.genres:
        for n_clips in options.clips:
            seeds = range(REPEATS)
            results = [scores(*synthetic(n_genres, n_clips, seed)) for seed in seeds]
            show(f"{n_genres} genres x {n_clips}", results)
    if options.music:
        tracks = load_audio_folder(options.music)
        X = genre_pipeline("fast", n_jobs=-1)[0].fit_transform(tracks.paths)
        y, results = tracks.target, []
        for repeat in range(3):
            folds = StratifiedGroupKFold(5, shuffle=True, random_state=repeat)
            for train, test in folds.split(X, y, tracks.groups):
                results.append(scores(X[train], y[train], X[test], y[test]))
        show(options.music.name, results)


if __name__ == "__main__":
    main()
