"""How good the probabilities of a support vector machine are, calibrated in some ways.

    python benchmarks/calibration.py [MUSIC] [--genres 2 4 10 30] [--clips 5 10 30 100]

Synthetic clips are points around the centre of their genre, mixed into as many features
as ``fast`` has. MUSIC is a folder or CSV with artists, as
`skgenre.datasets.load_audio_folder` takes it: five folds of other artists, three times.
'pairs' is the `TemperatureScalingClassifier` of ``fast``, which compares genres in
pairs, 'votes' the same with votes of the pairs, 'sigmoid' and 'temperature' are
scikit-learn's `CalibratedClassifierCV`, 'none' is the machine alone. Each figure is
accuracy / log loss / mean of the largest probabilities of noise of no genre.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import sklearn
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.fixes import parse_version

from skgenre import TemperatureScalingClassifier, genre_pipeline
from skgenre.datasets import load_audio_folder

N_FEATURES, N_FACTORS = 690, 60
REPEATS = 5
NEW = parse_version("1.8")


def models():
    """Return the machine, calibrated in each way."""
    models = {
        "none": SVC(),
        "pairs": genre_pipeline("fast")[-1],
        "votes": TemperatureScalingClassifier(SVC()),
    }
    for method in ("sigmoid", "temperature"):  # the latter from scikit-learn 1.8
        if method == "sigmoid" or parse_version(sklearn.__version__) >= NEW:
            models[method] = CalibratedClassifierCV(
                SVC(), method=method, cv=3, ensemble=False
            )
    return models


def scores(X, y, X_test, y_test):
    """Return accuracy, log loss and certainty about noise by the name of the model."""
    result = {}
    noise = np.random.default_rng(0).normal(size=(200, X.shape[1]))
    scaler = StandardScaler().fit(X)
    X, X_test = scaler.transform(X), scaler.transform(X_test)
    for name, model in models().items():
        model.fit(X, y)
        loss = certainty = np.nan
        if name != "none":
            loss = log_loss(y_test, model.predict_proba(X_test), labels=model.classes_)
            certainty = model.predict_proba(noise).max(axis=1).mean()
        result[name] = model.score(X_test, y_test), loss, certainty
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
        "{:.3f} / {:.3f} / {:.2f}".format(
            *np.mean([result[model] for result in results], axis=0)
        )
        for model in models()
    )
    print(f"{name:20}", *(f"{mean:22}" for mean in means), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", nargs="?", type=Path)
    parser.add_argument("--genres", nargs="+", type=int, default=[2, 4, 10, 30])
    parser.add_argument("--clips", nargs="+", type=int, default=[5, 10, 30, 100])
    options = parser.parse_args()
    # scikit-learn's temperature is reported where no clip is predicted wrongly.
    warnings.filterwarnings("ignore", category=UserWarning)
    print(" " * 20, *(f"{name:22}" for name in models()))
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
