"""Which embeddings bring the tracks of a genre together.

    python benchmarks/embeddings.py MUSIC [--folds 5] [--epochs N] [--output DIR]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
The clips are split into folds in which no artist is in two. Every embedding is fitted
on the other folds, its columns standardised there, and measured among the clips of one
fold: artists that the network has not heard. Each fold has a network of its own, so
clips of different folds can't be compared. All rows see the same folds. The CRNN is
that of the row 'CRNN (ours)' of `accuracy.py`.

Columns: the adjusted Rand index of `EmbeddingKMeans` (as many clusters as genres) with
the genres, and the silhouette of its clusters; precision at 5 and mean average
precision by cosine distance, the tracks of the query's artist left out. They are means
over folds or clips; the intervals are the 2.5th and 97.5th percentiles over 2,000
bootstrap samples of artists, with the embeddings, clusters and neighbours as they are.
What is computed is kept in DIR and not computed again.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
from accuracy import AudioSteps, bootstrap, rows, set_networks
from sklearn.metrics import silhouette_samples
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skgenre import EmbeddingKMeans, MFCCStandardizer, MusicnnEmbedding, __version__
from skgenre.clustering import mean_average_precision, precision_at_k
from skgenre.datasets import load_audio_folder

K = 5


def embeddings():
    """Return the embeddings to compare, by name."""
    return {
        "random": FunctionTransformer(_noise),
        "MFCC": make_pipeline(MFCCStandardizer()),
        "MFCC, correlations": make_pipeline(
            MFCCStandardizer(statistics="correlations")
        ),
        "CRNN (ours)": rows()["CRNN (ours)"],
        "musicnn MTT": make_pipeline(MusicnnEmbedding(weights="mtt")),
        "musicnn MSD": make_pipeline(MusicnnEmbedding(weights="msd")),
    }


def _noise(clips):
    return np.random.default_rng(0).normal(size=(len(clips), 50))


def embedded(name, tracks, train, test, options, steps):
    """Return the embeddings of a fold's clips, computed or kept."""
    model = embeddings()[name]
    set_networks(model, options.epochs, seed=0)
    key = model.get_params(), __version__, list(tracks.paths), train.tolist()
    digest = hashlib.sha256(repr(key).encode()).hexdigest()[:12]
    file = options.output / f"{name}-{digest}.npy".replace(" ", "_")
    if not file.exists():
        model, _ = steps.replaced(model)
        model.fit(train, tracks.target[train])
        scaler = StandardScaler().fit(model.transform(train))
        partial = file.with_suffix(".part.npy")
        np.save(partial, scaler.transform(model.transform(test)))
        partial.rename(file)
    return np.load(file, allow_pickle=False)


def measure(folds, target, groups):
    """Return the mean and the interval of each measure; `folds` are (rows, E)."""
    values = {
        name: np.full(len(target), np.nan)
        for name in ("silhouette", "precision", "map")
    }
    clusters = np.empty(len(target), dtype=int)
    for test, E in folds:
        genres, artists = target[test], groups[test]
        kmeans = EmbeddingKMeans(len(np.unique(target)), random_state=0).fit(E)
        clusters[test] = kmeans.labels_
        values["silhouette"][test] = silhouette_samples(E, kmeans.labels_)
        common = {"groups": artists, "average": False}
        values["precision"][test] = precision_at_k(E, genres, k=K, **common)
        values["map"][test] = mean_average_precision(E, genres, **common)
    result = {"rand": rand(folds, clusters, target, groups)}
    for name, value in values.items():
        is_defined = np.isfinite(value)
        # As shares, between 0 and 1; silhouettes begin at -1.
        low = -1 if name == "silhouette" else 0
        shares = (value[is_defined] - low) / (1 - low)
        sampled = low + (1 - low) * bootstrap(shares, groups[is_defined])
        result[name] = value[is_defined].mean(), sampled
    return {
        name: {"mean": mean, "interval": np.percentile(sampled, [2.5, 97.5]).tolist()}
        for name, (mean, sampled) in result.items()
    }


def rand(folds, clusters, target, groups, n_samples=2000):
    """Return the mean adjusted Rand index of the folds, and those of samples.

    It is computed from pairs of clips. A pair of two artists counts as often as both
    are drawn together, one of a single artist as often as the artist is drawn: a clip
    that is drawn twice is no pair that a cluster has found.
    """
    artists, artist_of = np.unique(groups, return_inverse=True)
    drawn = np.random.default_rng(0).integers(
        len(artists), size=(n_samples, len(artists))
    )
    times = np.array([np.bincount(row, minlength=len(artists)) for row in drawn])
    times = np.vstack([np.ones(len(artists)), times])  # first as they are
    scores = []
    for test, _ in folds:
        is_by = np.eye(len(artists))[artist_of[test]]
        genre, cluster = (v[test, np.newaxis] == v[test] for v in (target, clusters))
        tp, fp, fn, tn = (
            weighted_pairs(pairs, is_by, times)
            for pairs in (
                genre & cluster,
                ~genre & cluster,
                genre & ~cluster,
                ~genre & ~cluster,
            )
        )
        chance = (tp + fn) * (fn + tn) + (tp + fp) * (fp + tn)
        scores.append(2 * (tp * tn - fn * fp) / chance)
    mean, *sampled = np.mean(scores, axis=0)
    return mean, sampled


def weighted_pairs(pairs, is_by, times):
    """Return how many of these pairs of clips each sample of artists has."""
    of_artists = is_by.T @ (pairs & ~np.eye(len(pairs), dtype=bool)) @ is_by
    of_one = np.diag(of_artists)
    of_two = of_artists - np.diag(of_one)
    return (
        np.einsum("sa,ab,sb->s", times, of_two, times, optimize=True) + times @ of_one
    )


def main():
    names = list(embeddings())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="of the networks, for a quick look")
    parser.add_argument("--rows", nargs="+", choices=names, default=names)
    parser.add_argument("--output", type=Path, help="default: embeddings-MUSIC")
    options = parser.parse_args()
    tracks = load_audio_folder(options.music)
    if tracks.groups is None:
        parser.error("the music names no artists; see load_audio_folder")
    options.output = options.output or Path(
        f"embeddings-{options.music.resolve().stem}"
    )
    options.output.mkdir(parents=True, exist_ok=True)

    steps = AudioSteps(tracks.paths, options.output)
    splitter = StratifiedGroupKFold(options.folds, shuffle=True, random_state=0)
    splits = list(splitter.split(tracks.paths, tracks.target, tracks.groups))
    titles = "adjusted Rand", "silhouette", f"precision@{K}", "mAP"
    print(
        f"{len(tracks.paths)} clips of {len(np.unique(tracks.groups))} artists, "
        f"{options.folds} folds\n\n"
        f"{'':20}" + "".join(f"{title:23}" for title in titles),
        flush=True,
    )
    table = {}
    for name in options.rows:
        folds = [
            (test, embedded(name, tracks, train, test, options, steps))
            for train, test in splits
        ]
        table[name] = measure(folds, tracks.target, tracks.groups)
        cells = (
            "{:.2f} [{:.2f}, {:.2f}]".format(cell["mean"], *cell["interval"])
            for cell in table[name].values()
        )
        print(f"{name:20}" + "".join(f"{cell:23}" for cell in cells), flush=True)
    (options.output / "table.json").write_text(json.dumps(table, indent=2))
    print(f"\nSaved in {options.output / 'table.json'}.")


if __name__ == "__main__":
    main()
