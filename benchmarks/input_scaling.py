"""Which input scaling recognises genres better, and how both compare with MFCCs.

    python benchmarks/input_scaling.py MUSIC [--folds 5] [--epochs 70]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
Every model is judged by cross-validation in which no artist is in both training and
test. The intervals are the 2.5th and 97.5th percentiles over 2,000 bootstrap samples of
artists; the last column is each model's gain over the baseline, on the same samples.
"""

import argparse

import numpy as np
from accuracy import bootstrap
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.audio import load_audio
from skgenre.datasets import load_audio_folder
from skgenre.features import mfcc_statistics


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("music")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=70)
    options = parser.parse_args()

    tracks = load_audio_folder(options.music)
    if tracks.groups is None:
        parser.error("the music names no artists; see load_audio_folder")
    X = MelSpectrogramTransformer(n_jobs=-1, verbose=True).fit_transform(tracks.paths)
    table = np.array([mfcc_statistics(load_audio(path)) for path in tracks.paths])

    networks = {
        f"CRNN, {scaling!r}, validation_fraction={fraction}": CRNNClassifier(
            input_scaling=scaling,
            validation_fraction=fraction,
            epochs=options.epochs,
            random_state=0,
        )
        for fraction in (0.1, 0)
        for scaling in ("log", "standardize")
    }
    rows = {
        "MFCC + SVC (baseline)": (make_pipeline(StandardScaler(), SVC()), table),
        "majority": (DummyClassifier(), table),
        **{name: (network, X) for name, network in networks.items()},
    }
    folds = StratifiedGroupKFold(options.folds, shuffle=True, random_state=0)
    baseline = None
    print(f"{'model':45}  accuracy  95 % interval   gain over the baseline")
    for name, (model, data) in rows.items():
        params = {"groups": tracks.groups} if name in networks else {}
        predicted = np.empty_like(tracks.target)
        for train, test in folds.split(data, tracks.target, tracks.groups):
            fit = {key: values[train] for key, values in params.items()}
            model.fit(data[train], tracks.target[train], **fit)
            predicted[test] = model.predict(data[test])
        right = predicted == tracks.target
        sampled = bootstrap(right, tracks.groups)
        low, high = np.percentile(sampled, [2.5, 97.5])
        baseline = sampled if baseline is None else baseline
        gain = np.percentile(sampled - baseline, [2.5, 97.5])
        print(
            f"{name:45}  {right.mean():8.3f}  [{low:.3f}, {high:.3f}]  "
            f"[{gain[0]:+.3f}, {gain[1]:+.3f}]",
            flush=True,
        )


if __name__ == "__main__":
    main()
