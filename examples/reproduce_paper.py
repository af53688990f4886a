"""
The report, repeated
====================

Every table and figure of the paper [1]_ on FMA-small [2]_, by one command::

    python examples/reproduce_paper.py DATA_HOME --download

DATA_HOME holds FMA's ``fma_metadata`` and ``fma_small`` or, with ``--download``, gets
them (8 GB). The four baselines and both networks are trained on FMA's training clips,
the networks choose their epoch on its validation clips, and all are judged on its test
clips, of artists that are in neither. What is computed is kept in the folder of
``--output``, so that an interrupted run resumes.

There it leaves ``report.html``, with the paper's figures beside each of ours, the
plots as PNG and all numbers as ``results.json``.

.. [1] P. Dwivedi, "Deep Learning for Music Genre Recognition".
.. [2] M. Defferrard, K. Benzi, P. Vandergheynst, X. Bresson, "FMA: A Dataset For Music
   Analysis", ISMIR 2017.
"""

import argparse
import hashlib
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import jinja2
import keras
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tqdm import tqdm

import skgenre
from skgenre import (
    AudioError,
    CRNNClassifier,
    EmbeddingKMeans,
    MelSpectrogramTransformer,
    MFCCStandardizer,
    ParallelCNNRNNClassifier,
)
from skgenre.datasets import fetch_fma, load_fma, load_fma_features
from skgenre.inspection import (
    ClusterDisplay,
    FilterActivationDisplay,
    LearningCurvesDisplay,
    SilhouetteCurveDisplay,
    SpectrogramDisplay,
    score_intervals,
)

SPLITS = ("training", "validation", "test")
CLIPS_AT_A_TIME = 128

# %%
# What the paper says
# --------------------
# Precision, recall and F1 score of its tables 1 to 3, and its other figures.

GENRES = (
    *("Electronic", "Experimental", "Folk", "Hip-Hop"),
    *("Instrumental", "International", "Pop", "Rock"),
)
TABLES = {
    "MFCC + SVC": """.44 .60 .51  .34 .44 .38  .24 .20 .22  .63 .68 .65
                     .51 .42 .46  .54 .48 .51  .34 .25 .29  .66 .64 .65""",
    "CRNN": """.64 .49 .55  .28 .22 .25  .19 .16 .17  .57 .85 .68
               .36 .34 .35  .46 .64 .54  .30 .27 .28  .64 .56 .60""",
    "Parallel CNN-RNN": """.59 .51 .55  .30 .30 .30  .24 .28 .26  .63 .80 .70
                           .43 .41 .42  .58 .45 .51  .26 .19 .22  .49 .61 .54""",
}
REPORTED = {
    "accuracy": {"MFCC + SVC": 0.463, "CRNN": 0.441, "Parallel CNN-RNN": 0.443},
    "log_loss": {"CRNN": 1.74},
    "clustering": {
        "adjusted_rand": 0.22,
        "silhouette": 0.30,
        "silhouette_by_k": dict(
            enumerate((0.275, 0.277, 0.272, 0.275, 0.296, 0.288, 0.302, 0.286), start=2)
        ),
    },
}
# Of the genres in its figures 1 and 2.
FIGURE_ORDER = (
    *("Pop", "Instrumental", "Experimental", "Folk"),
    *("Rock", "International", "Electronic", "Hip-Hop"),
)


def reported_scores(model):
    """Return {genre: (precision, recall, F1 score)} of one of the paper's tables."""
    values = np.array(TABLES[model].split(), dtype=float).reshape(-1, 3)
    return dict(zip(GENRES, values.tolist(), strict=True))


# %%
# Music
# -----
# Spectrograms lie in one file, training clips first, and are read from there batch by
# batch: those of FMA-small are 2.6 GB. A file that can't be read is left out, which is
# reported.


def compute_spectrograms(mel, paths, folder):
    """Return spectrograms in a memory map, the rows of `paths` that they are of, and
    what is wrong with the others.
    """
    values, progress = folder / "spectrograms.npy", folder / "spectrograms.json"
    shape = (len(paths), mel.n_frames, mel.n_mels)
    if values.exists() and progress.exists():
        state = json.loads(progress.read_text())
    else:
        np.lib.format.open_memmap(values, "w+", np.float32, shape).flush()
        state = {"next": 0, "rows": [], "errors": {}}
    spectrograms = np.lib.format.open_memmap(values, "r+")
    starts = range(state["next"], len(paths), CLIPS_AT_A_TIME)
    for start in tqdm(starts, "Spectrograms", unit="chunk"):
        rows = list(range(start, min(start + CLIPS_AT_A_TIME, len(paths))))
        while rows:
            try:
                chunk = mel.transform(paths[rows])
                break
            except AudioError as error:
                state["errors"][error.path] = str(error)
                rows = [row for row in rows if paths[row] != error.path]
        else:
            chunk = np.empty((0, *shape[1:]))
        first = len(state["rows"])
        spectrograms[first : first + len(rows)] = chunk
        spectrograms.flush()
        state["rows"] += rows
        state["next"] = start + CLIPS_AT_A_TIME
        write(progress, json.dumps(state))
    return spectrograms[: len(state["rows"])], state["rows"], state["errors"]


def write(path, text):
    """Write a file whole or not at all."""
    partial = path.with_suffix(".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


# %%
# Models
# ------


def baselines():
    """Return the paper's four classifiers of MFCC statistics."""
    return {
        "MFCC + SVC": SVC(),
        "MFCC + random forest": RandomForestClassifier(random_state=0),
        "MFCC + logistic regression": LogisticRegression(max_iter=5000),
        "MFCC + decision tree": DecisionTreeClassifier(random_state=0),
    }


def trained(classifier, file, training, validation):
    """Train a network, or load it if that was done before."""
    if not file.exists():
        classifier.fit(*training, validation_data=validation)
        skgenre.save(classifier.set_params(verbose=0), file)
    return skgenre.load(file)


def scores(target, predicted, classes, artists):
    """Return accuracy, its interval and each genre's scores as plain data."""
    result = score_intervals(target, predicted, labels=classes, groups=artists)
    # The precision of a genre that is never predicted is undefined, and null in JSON.
    by_genre = np.column_stack([result.precision, result.recall, result.f1])
    by_genre = np.where(np.isnan(by_genre), None, by_genre)
    return {
        "accuracy": float(result.accuracy),
        "interval": result.accuracy_interval.tolist(),
        "macro_f1": float(result.macro_f1),
        "by_genre": dict(zip(classes.tolist(), by_genre.tolist(), strict=True)),
    }


# %%
# Figures
# -------


def spectrogram_figure(mel, spectrograms, target, genres):
    """Draw the first clip of each of up to four genres (figures 1 and 2)."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 7), layout="constrained")
    for ax in axes.flat[len(genres) :]:
        ax.remove()
    for ax, genre in zip(axes.flat, genres, strict=False):
        clip = spectrograms[np.flatnonzero(target == genre)[0]]
        SpectrogramDisplay(
            clip,
            sample_rate=mel.sample_rate,
            hop_length=mel.hop_length,
            fmin=mel.fmin,
            fmax=mel.fmax,
        ).plot(ax=ax)
        ax.set_title(genre)
    return figure


def convolution_figure(crnn, clip):
    """Draw what the first convolution's first filter makes of a clip (figure 3)."""
    model = crnn.keras_classifier_.model_
    convolution = model.get_layer("conv1")
    response = keras.Model(model.input, convolution.output)(
        ((clip - crnn.input_mean_) / crnn.input_scale_)[np.newaxis]
    )
    kernel = np.asarray(convolution.kernel)[:, :, 0]
    figure, axes = plt.subplots(
        3, 1, figsize=(9, 7), height_ratios=(3, 3, 1), layout="constrained"
    )
    axes[0].imshow(clip.T, origin="lower", aspect="auto", cmap="magma")
    axes[0].axvspan(100, 100 + len(kernel), color="cyan", alpha=0.8)
    axes[0].set(title="A clip; the filter covers the marked frames, and moves over it")
    axes[1].imshow(kernel.T, origin="lower", aspect="auto", cmap="coolwarm")
    axes[1].set(title=f"One filter: {len(kernel)} frames x all mel bands")
    axes[1].set_xticks(range(len(kernel)))
    for ax in axes[:2]:
        ax.set(xlabel="Frame", ylabel="Mel band")
    axes[2].plot(np.asarray(response)[0, :, 0], linewidth=0.8)
    axes[2].set(title="Its output", xlabel="Frame", xmargin=0)
    return figure


def architecture_figure(classifier):
    """Draw a network's layers and what comes out of them (figures 4 and 6)."""
    model = classifier.keras_classifier_.model_
    made_by = {id(layer.output): layer.name for layer in model.layers}
    depth, parents = {}, {}
    for layer in model.layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        parents[layer.name] = [
            made_by[id(x)] for x in inputs if made_by[id(x)] != layer.name
        ]
        depth[layer.name] = 1 + max((depth[p] for p in parents[layer.name]), default=-1)
    place, n_at = {}, {}
    for name, level in depth.items():
        n_at[level] = n_at.get(level, -1) + 1
        place[name] = (n_at[level], -level)
    figure, ax = plt.subplots(
        figsize=(4.2 * (1 + max(n_at.values())), 0.55 * (1 + max(depth.values())))
    )
    for layer in model.layers:
        box = {"boxstyle": "round,pad=0.3", "facecolor": "#eef3fb", "edgecolor": "0.5"}
        shape = " x ".join(str(n) for n in layer.output.shape[1:])
        text = f"{layer.name} ({type(layer).__name__}): {shape}"
        ax.text(*place[layer.name], text, ha="center", va="center", bbox=box, size=8)
        for parent in parents[layer.name]:
            (x0, y0), (x1, y1) = place[parent], place[layer.name]
            ax.plot((x0, x1), (y0 - 0.25, y1 + 0.25), color="0.5", zorder=0)
    ax.set(
        xlim=(-0.6, max(n_at.values()) + 0.6), ylim=(-max(depth.values()) - 0.6, 0.6)
    )
    ax.axis("off")
    return figure


def confusion_figure(target, predicted, classes):
    """Draw who is taken for whom (figure 7)."""
    figure, ax = plt.subplots(figsize=(7, 6), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        target,
        predicted,
        labels=classes,
        cmap="Blues",
        xticks_rotation=45,
        ax=ax,
        colorbar=False,
    )
    return figure


# %%
# The report
# ----------


def write_report(folder, results, figures):
    """Write the plots, the numbers, and the page that shows both."""
    plots = []
    for number, (caption, *parts) in enumerate(figures, start=1):
        names = [f"figure_{number:02d}{letter}.png" for letter in "ab"[: len(parts)]]
        if len(parts) == 1:
            names = [f"figure_{number:02d}.png"]
        for name, figure in zip(names, parts, strict=True):
            figure.savefig(folder / name, dpi=120, bbox_inches="tight")
            plt.close(figure)
        plots.append({"files": names, "caption": caption})
    results = {**results, "figures": plots, "reported": REPORTED}
    write(folder / "results.json", json.dumps(results, indent=2))
    template = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    page = jinja2.Environment(autoescape=True).from_string(template)
    tables = {model: reported_scores(model) for model in TABLES}
    write(folder / "report.html", page.render(**results, tables=tables))


# %%
# From music to the page
# ------------------------


def main():
    """Compute what isn't there yet and write the page."""
    parser = argparse.ArgumentParser(
        description="Repeat the paper's tables and figures on FMA-small."
    )
    parser.add_argument("data_home", type=Path, metavar="DATA_HOME")
    parser.add_argument("--download", action="store_true", help="get what is missing")
    parser.add_argument("--output", type=Path, default=Path("paper-report"))
    parser.add_argument("--epochs", type=int, help="of both networks, for a quick look")
    parser.add_argument("--jobs", type=int, default=-1, help="clips decoded at a time")
    options = parser.parse_args()

    tracks = (fetch_fma if options.download else load_fma)(options.data_home)
    left_out = [
        f"Track {track_id}: {reason}."
        for track_id, reason in tracks.left_out.itertuples(index=False)
    ]
    # Training clips first, so that each part of the split is one stretch.
    order = np.concatenate([np.flatnonzero(tracks.split == part) for part in SPLITS])
    mel = MelSpectrogramTransformer(excerpt="start", n_jobs=options.jobs)
    key = mel.get_params(), skgenre.__version__, tracks.paths[order].tolist()
    kept = options.output / "kept" / hashlib.sha256(repr(key).encode()).hexdigest()[:12]
    kept.mkdir(parents=True, exist_ok=True)
    X, rows, errors = compute_spectrograms(mel, tracks.paths[order], kept)
    left_out += errors.values()
    order = order[rows]
    y, split = tracks.target[order], tracks.split[order]
    parts = {name: np.flatnonzero(split == name) for name in SPLITS}
    if not all(map(len, parts.values())):
        raise SystemExit(
            "The report needs training, validation and test clips that can be read; "
            f"{options.data_home} has {[len(part) for part in parts.values()]} of them."
        )
    parts = {name: slice(part[0], part[-1] + 1) for name, part in parts.items()}
    training, validation, test = ((X[part], y[part]) for part in parts.values())
    y_test, artists = test[1], tracks.groups[order[parts["test"]]]

    # FMA's own table of MFCC statistics, of whole tracks, as in the paper.
    mfcc = load_fma_features(options.data_home, track_ids=tracks.track_ids[order])
    predictions, probabilities = {}, {}
    for name, classifier in baselines().items():
        model = make_pipeline(MFCCStandardizer(input="features"), classifier)
        model.fit(mfcc.iloc[parts["training"]], training[1])
        predictions[name] = model.predict(mfcc.iloc[parts["test"]])

    settings = {} if options.epochs is None else {"epochs": options.epochs}
    networks = {
        name: trained(
            recipe.paper(random_state=0, verbose=2, **settings),
            kept / f"{recipe.__name__}-{options.epochs or 'all'}.model",
            training,
            validation,
        )
        for name, recipe in (
            ("CRNN", CRNNClassifier),
            ("Parallel CNN-RNN", ParallelCNNRNNClassifier),
        )
    }
    crnn, parallel = networks.values()
    classes = crnn.classes_
    for name, network in networks.items():
        probabilities[name] = network.predict_proba(test[0])
    probabilities["Vote of both networks"] = sum(probabilities.values()) / 2
    for name, values in probabilities.items():
        predictions[name] = classes[values.argmax(axis=1)]

    embeddings = crnn.transform(test[0])
    kmeans = EmbeddingKMeans(len(classes), random_state=0).fit(embeddings, y_test)
    by_k = EmbeddingKMeans("auto", k_range=(2, 9), random_state=0).fit(embeddings)

    results = {
        "n_clips": {name: len(y[part]) for name, part in parts.items()},
        "genres": classes.tolist(),
        "left_out": left_out,
        "models": {
            name: scores(y_test, predicted, classes, artists)
            for name, predicted in predictions.items()
        },
        "clustering": {
            "adjusted_rand": kmeans.adjusted_rand_score_,
            "silhouette": kmeans.silhouette_score_,
            "silhouette_by_k": by_k.silhouette_by_k_,
        },
    }
    for name, values in probabilities.items():
        loss = log_loss(y_test, values, labels=classes)
        results["models"][name]["log_loss"] = loss

    # A genre without test clips has no plot.
    drawn = [genre for genre in FIGURE_ORDER if genre in y_test] or sorted(set(y_test))
    half = (len(drawn) + 1) // 2
    mean = training[0].mean(axis=0)
    filters = [
        FilterActivationDisplay.from_estimator(
            parallel, layer, range(n_filters), mel=mel, start=mean, random_state=0
        ).figure_
        for layer, n_filters in (("conv1", 16), ("conv5", 24))
    ]
    figures = [
        ("Mel spectrograms", spectrogram_figure(mel, *test, drawn[:half])),
        ("Mel spectrograms", spectrogram_figure(mel, *test, drawn[half:])),
        ("What a filter of the CRNN does", convolution_figure(crnn, test[0][0])),
        ("Layers of the CRNN", architecture_figure(crnn)),
        ("Training of the CRNN", LearningCurvesDisplay.from_estimator(crnn).figure_),
        ("Layers of the parallel CNN-RNN", architecture_figure(parallel)),
        (
            "Predictions of the CRNN",
            confusion_figure(y_test, predictions["CRNN"], classes),
        ),
        ("What activates filters of the first and the fifth convolution", *filters),
        (
            "Clusters of the CRNN's embeddings",
            ClusterDisplay.from_predictions(y_test, kmeans.labels_).figure_,
        ),
        (
            "Silhouette over the number of clusters",
            SilhouetteCurveDisplay.from_estimator(by_k).figure_,
        ),
    ]
    write_report(options.output, results, figures)
    for name, result in results["models"].items():
        print(f"{name:26} accuracy {result['accuracy']:.3f}")
    print(f"Report: {options.output / 'report.html'}")


if __name__ == "__main__":
    main()
