"""Which pipeline knows more genres, and by how much, on any music with known artists.

    python benchmarks/accuracy.py MUSIC [--repeats 1] [--rows NAME ...] [--output DIR]
    python benchmarks/accuracy.py --synthetic 40 --epochs 2

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
Every pipeline is judged by repeated cross-validation in which no artist is in both
training and test; all see the same folds. Nothing is tuned on test clips: settings are
fixed before the data is seen, or, in the rows 'nested', chosen in folds of each fold's
training clips. 'tagger' learns nothing and is the row to beat. What is computed is kept
in DIR, fold by fold, and not computed again unless a sound file changes.

Accuracy is the mean over the repeats. Intervals are the 2.5th and 97.5th percentiles
over 2,000 bootstrap samples of artists; the gain is over the row 'MFCC + SVC', on the
same samples. Log loss is that of the probabilities, and missing where a row has none.
Seconds are those of fitting one fold and of predicting one clip, audio included: the
audio steps run once for all folds, and their time is added in proportion. Votes are the
mean of the probabilities of two other rows, as a soft `VotingClassifier` takes it.

The second table has other accuracies (see `skgenre.inspection.accuracy_scores`): with
two guesses, where the genres of --merge count as one, where each genre or each artist
counts the same; and the share of the errors that neighbours by other artists call
errors of the labels (`suspected_label_errors`, of the features of the pipeline --ears).
All are means over the repeats.
"""

import argparse
import hashlib
import json
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skgenre import (
    CRNNClassifier,
    GenreTagger,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    MusicnnEmbedding,
    ParallelCNNRNNClassifier,
    __version__,
    genre_pipeline,
)
from skgenre.datasets import load_audio_folder, make_genre_clips
from skgenre.inspection import accuracy_scores, suspected_label_errors
from skgenre.inspection import bootstrap_accuracy as bootstrap

BASELINE = "MFCC + SVC"
OTHER = {
    "top_2_accuracy": "two",
    "merged_accuracy": "merged",
    "macro_accuracy": "by genre",
    "artist_accuracy": "by artist",
    "label_errors": "labels?",
}
AUDIO_STEPS = MelSpectrogramTransformer, MFCCStandardizer, MusicnnEmbedding, GenreTagger


class TagsToGenres(ClassifierMixin, BaseEstimator):
    """Choose by the tags alone among the genres of the training clips."""

    def fit(self, X, y):
        """Learn which genres there are, and nothing else."""
        self.tagger_ = GenreTagger(np.unique(y).tolist())
        self.classes_ = self.tagger_.classes_
        return self

    def predict_proba(self, X):
        """Return the probabilities of the genres, from tags."""
        return self.tagger_._probabilities(X)

    def predict(self, X):
        """Return the most probable genres."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def nested(pipeline, **grid):
    """Return a search over settings in folds of the training clips' artists."""
    return GridSearchCV(pipeline, grid, cv=StratifiedGroupKFold(4))


def rows():
    """Return by name the pipelines, or the names of two rows that vote."""
    mfcc, first = MFCCStandardizer(), MelSpectrogramTransformer(excerpt="start")

    crnn, parallel = CRNNClassifier, ParallelCNNRNNClassifier
    return {
        "majority": make_pipeline(mfcc, DummyClassifier()),
        BASELINE: make_pipeline(mfcc, SVC()),
        "MFCC + random forest": make_pipeline(
            mfcc, RandomForestClassifier(500, random_state=0)
        ),
        "tagger": make_pipeline(GenreTagger(), TagsToGenres()),
        "fast": genre_pipeline("fast"),
        "fast, nested": nested(
            genre_pipeline("fast"),
            mfccstandardizer=[
                genre_pipeline("fast")[0].set_params(views=views)
                for views in (("mix",), ("mix", "harmonic", "percussive"))
            ],
            temperaturescalingclassifier__estimator__C=[0.5, 1, 2, 4],
        ),
        "CRNN (paper)": make_pipeline(first, crnn.paper()),
        "Parallel (paper)": make_pipeline(first, parallel.paper()),
        "CRNN + Parallel (paper)": ("CRNN (paper)", "Parallel (paper)"),
        "CRNN (ours)": genre_pipeline("crnn"),
        "CRNN, masked (ours)": genre_pipeline("crnn").set_params(
            segmentclassifier__estimator__time_mask=20,
            segmentclassifier__estimator__frequency_mask=20,
        ),
        "Parallel (ours)": genre_pipeline("parallel"),
        "CRNN + Parallel (ours)": ("CRNN (ours)", "Parallel (ours)"),
        "scratch": genre_pipeline("scratch"),
        "musicnn + linear": make_pipeline(
            MusicnnEmbedding(weights="mtt"),
            StandardScaler(),
            LogisticRegression(C=0.003, max_iter=1000),
        ),
        "best": genre_pipeline("best"),
        "best, nested": nested(
            genre_pipeline("best"), logisticregression__C=[0.1, 0.3, 1, 3]
        ),
    }


def stamps(paths):
    """Return what changes with the sound files: their names, sizes and times."""
    files = [Path(path).stat() for path in paths]
    return [
        (str(path), file.st_size, file.st_mtime_ns)
        for path, file in zip(paths, files, strict=True)
    ]


class AudioSteps:
    """Features of all clips, made once for all folds and pipelines."""

    def __init__(self, paths, folder):
        self.paths, self.folder = paths, folder
        self.stamps = stamps(paths)

    def table(self, step):
        """Return the features of all clips and the seconds for one clip."""
        kind = type(step).__name__, step.get_params(), __version__, self.stamps
        name = hashlib.sha256(repr(kind).encode()).hexdigest()
        file = self.folder / f"{name}.npz"
        if not file.exists():
            started = time.perf_counter()
            step = clone(step).set_params(n_jobs=-1)
            values = step.fit_transform(self.paths)
            if isinstance(step, MFCCStandardizer):  # each fold standardises anew
                values = values * step.scale_ + step.mean_
            seconds = (time.perf_counter() - started) / len(self.paths)
            partial = file.with_suffix(".part.npz")
            np.savez(partial, values=values, seconds=seconds)
            partial.rename(file)
        with np.load(file, allow_pickle=False) as kept:
            return kept["values"], float(kept["seconds"])

    def look_up(self, step):
        """Return a step that takes numbers of clips, and the seconds for one clip."""
        values, seconds = self.table(step)
        look_up = FunctionTransformer(values.__getitem__)
        if isinstance(step, MFCCStandardizer):
            look_up = make_pipeline(look_up, StandardScaler())
        return look_up, seconds

    def replaced(self, pipeline):
        """Return the pipeline for numbers of clips, not paths, and the seconds."""
        seconds = 0.0
        for name, step in pipeline.get_params().items():
            if isinstance(step, AUDIO_STEPS):
                look_up, more = self.look_up(step)
                seconds += more
                pipeline.set_params(**{name: look_up})
        for choices in getattr(pipeline, "param_grid", {}).values():
            for i, step in enumerate(choices):
                if isinstance(step, AUDIO_STEPS):
                    choices[i], more = self.look_up(step)
                    seconds += more
        return pipeline, seconds


def set_networks(pipeline, epochs, seed):
    """Give all networks their seed, and another number of epochs if wanted."""
    for name in pipeline.get_params():
        if name.endswith("random_state"):
            pipeline.set_params(**{name: seed})
        if name.endswith("__epochs") and epochs:
            pipeline.set_params(**{name: epochs})


def evaluate(pipeline, clips, tracks, train, test):
    """Return what a fold's fit predicts, as plain data, and the seconds."""
    target = tracks.target
    started = time.perf_counter()
    with sklearn.config_context(enable_metadata_routing=True):
        wanted = pipeline.get_metadata_routing().consumes("fit", ["groups"])
        groups = {"groups": tracks.groups[train]} if wanted else {}
        pipeline.fit(clips[train], target[train], **groups)
    fitted = time.perf_counter()
    predicted = pipeline.predict(clips[test])
    finished = time.perf_counter()
    result = {
        "test": test.tolist(),
        "predicted": predicted.tolist(),
        "fit_seconds": fitted - started,
        "predict_seconds": (finished - fitted) / len(test),
    }
    if hasattr(pipeline, "predict_proba"):
        result["proba"] = pipeline.predict_proba(clips[test]).tolist()
        result["classes"] = pipeline.classes_.tolist()
    return result


def vote(folds, others):
    """Return the folds of a soft vote of two rows."""
    result = []
    for fold, other in zip(folds, others, strict=True):
        proba = (np.array(fold["proba"]) + other["proba"]) / 2
        sums = {
            key: fold[key] + other[key] for key in ("fit_seconds", "predict_seconds")
        }
        predicted = np.array(fold["classes"])[proba.argmax(axis=1)].tolist()
        result.append(fold | sums | {"proba": proba.tolist(), "predicted": predicted})
    return result


def summary(folds, target, n_repeats):
    """Return the share of right predictions for each clip, and the means over folds."""
    right = np.zeros(len(target))
    losses = []
    for fold in folds:
        right[fold["test"]] += target[fold["test"]] == fold["predicted"]
        if "proba" in fold:
            classes = fold["classes"]
            losses.append(log_loss(target[fold["test"]], fold["proba"], labels=classes))
    times = [
        np.mean([fold[f"{what}_seconds"] for fold in folds])
        for what in ("fit", "predict")
    ]
    return right / n_repeats, np.mean(losses) if losses else None, times


def other_accuracies(folds, tracks, options, ears):
    """Return the row's other accuracies, each a mean over the repeats."""
    target = tracks.target
    genres, scores = np.unique(target), []
    for start in range(0, len(folds), options.folds):
        predicted = target.copy()
        proba = np.zeros((len(target), len(genres)))
        for fold in folds[start : start + options.folds]:
            predicted[fold["test"]] = fold["predicted"]
            if "proba" in fold:
                columns = np.searchsorted(genres, fold["classes"])
                proba[np.ix_(fold["test"], columns)] = fold["proba"]
        result = accuracy_scores(
            target,
            predicted,
            groups=tracks.groups,
            y_proba=proba if "proba" in folds[0] else None,
            labels=genres,
            merge=dict(options.merge) or None,
        )
        suspected = suspected_label_errors(ears, target, predicted, tracks.groups)
        result["label_errors"] = suspected.sum() / max(1, (predicted != target).sum())
        scores.append(result)
    return {name: float(np.mean([s[name] for s in scores])) for name in OTHER}


def cross_validate(name, tracks, steps, output, options):
    """Yield the results of all folds of all repeats, computed or kept."""
    clips = np.arange(len(tracks.paths))
    for repeat in range(options.repeats):
        folds = StratifiedGroupKFold(options.folds, shuffle=True, random_state=repeat)
        split = folds.split(clips, tracks.target, tracks.groups)
        for number, (train, test) in enumerate(split):
            pipeline = rows()[name]
            set_networks(pipeline, options.epochs, seed=repeat)
            key = (
                pipeline.get_params(),
                __version__,
                steps.stamps,
                tracks.target.tolist(),
                tracks.groups.tolist(),
                test.tolist(),
            )
            digest = hashlib.sha256(repr(key).encode()).hexdigest()[:12]
            file = output / f"{name}-{repeat}-{number}-{digest}.json".replace(" ", "_")
            if not file.exists():
                pipeline, seconds = steps.replaced(pipeline)
                fold = evaluate(pipeline, clips, tracks, train, test)
                fold["fit_seconds"] += seconds * len(train)
                fold["predict_seconds"] += seconds
                partial = file.with_suffix(".part")
                partial.write_text(json.dumps(fold))
                partial.rename(file)
            yield json.loads(file.read_text())


def main():
    names = list(rows())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", nargs="?", type=Path)
    parser.add_argument("--synthetic", type=int, help="make so many clips instead")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of the networks, for a quick look")
    parser.add_argument("--ears", choices=["fast", "best"], default="fast")
    parser.add_argument(
        "--merge",
        nargs="+",
        default=[],
        type=lambda text: text.split("=", 1),
        metavar="GENRE=OTHER",
    )
    parser.add_argument("--rows", nargs="+", choices=names, default=names)
    parser.add_argument("--output", type=Path, help="default: accuracy-MUSIC")
    options = parser.parse_args()
    if (options.music is None) == (options.synthetic is None):
        parser.error("give either MUSIC or --synthetic N")

    music = options.music
    if options.synthetic:
        music = Path(f"synthetic-{options.synthetic}")
        if not music.exists():
            make_genre_clips(
                options.synthetic, duration=10, random_state=0, folder=music
            )
    tracks = load_audio_folder(music)
    if tracks.groups is None:
        parser.error("the music names no artists; see load_audio_folder")
    output = options.output or Path(f"accuracy-{music.resolve().stem}")
    output.mkdir(parents=True, exist_ok=True)

    steps = AudioSteps(tracks.paths, output)
    ears, _ = steps.table(genre_pipeline(options.ears)[0])
    counts = np.unique(tracks.groups, return_counts=True)[1]
    print(
        f"{len(tracks.paths)} clips of {len(counts)} artists, who say as much as "
        f"{counts.sum() ** 2 / (counts**2).sum():.0f} of equal size; "
        f"{options.repeats} x {options.folds} folds\n\n"
        f"{'':24} accuracy  95 % interval   gain over the baseline    log loss"
        "  fit s  predict s",
        flush=True,
    )
    target, table, baseline = tracks.target, [], None
    for name in sorted(options.rows, key=lambda name: name != BASELINE):
        members = rows()[name] if isinstance(rows()[name], tuple) else (name,)
        folds = [
            list(cross_validate(member, tracks, steps, output, options))
            for member in members
        ]
        folds = vote(*folds) if len(members) > 1 else folds[0]
        right, loss, (fit, predict) = summary(folds, target, options.repeats)
        sampled = bootstrap(right, tracks.groups)
        baseline = (right.mean(), sampled) if name == BASELINE else baseline
        row = {
            "name": name,
            "accuracy": right.mean(),
            "interval": np.percentile(sampled, [2.5, 97.5]).tolist(),
            "log_loss": loss,
            "fit_seconds": fit,
            "predict_seconds": predict,
            **other_accuracies(folds, tracks, options, ears),
        }
        gain = ""
        if baseline is not None:
            row["gain"] = right.mean() - baseline[0]
            row["gain_interval"] = np.percentile(
                sampled - baseline[1], [2.5, 97.5]
            ).tolist()
            low, high = row["gain_interval"]
            gain = f"{row['gain']:+.3f} [{low:+.3f}, {high:+.3f}]"
        table.append(row)
        low, high = row["interval"]
        print(
            f"{name:24} {row['accuracy']:8.3f}  [{low:.3f}, {high:.3f}]  {gain:24}"
            f"  {'' if loss is None else f'{loss:.3f}':>8}  {fit:5.1f}  {predict:9.3f}",
            flush=True,
        )
    print(f"\n{'':24}" + "".join(f"{heading:>10}" for heading in OTHER.values()))
    for row in table:
        print(f"{row['name']:24}" + "".join(f"{row[name]:10.3f}" for name in OTHER))
    (output / "table.json").write_text(json.dumps(table, indent=2))
    print(f"\nSaved in {output / 'table.json'}.")


if __name__ == "__main__":
    main()
