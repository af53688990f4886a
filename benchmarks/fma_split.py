"""How much easier FMA-small is where artists are in both training and test.

    python benchmarks/fma_split.py FMA

FMA has ``fma_small_26_features.csv``: for each clip its ``track_id``, the ``split`` of
FMA's authors, its genre ``genre_top``, and means of 26 features over its 30 s. In the
official split no artist is in two parts. A support vector machine learns from the
training clips, and is tested on those of the other parts; then once more in 10 random
folds of all clips, in which artists are on both sides.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

FIRST_FEATURE = "chroma_stft"
N_FEATURES = 26


def read(folder):
    """Return the features, the genres and the official split."""
    with open(Path(folder, "fma_small_26_features.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])
    first = names.index(FIRST_FEATURE)
    names = names[first : first + N_FEATURES]
    X = np.array([[float(row[name]) for name in names] for row in rows])
    genres, split = (
        np.array([row[name] for row in rows]) for name in ("genre_top", "split")
    )
    return X, genres, split


def accuracies(X, genres, split):
    """Return the accuracy on the validation clips, the test clips, and in each fold."""
    model = make_pipeline(StandardScaler(), SVC())
    model.fit(X[split == "training"], genres[split == "training"])
    official = [
        model.score(X[split == part], genres[split == part])
        for part in ("validation", "test")
    ]
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    return *official, cross_val_score(model, X, genres, cv=folds)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fma", type=Path)
    validation, test, folds = accuracies(*read(parser.parse_args().fma))
    print(f"validation, other artists  {validation:6.1%}")
    print(f"test, other artists        {test:6.1%}")
    print(f"random folds               {folds.mean():6.1%} +- {folds.std():.1%}")


if __name__ == "__main__":
    main()
