"""How often pretrained tags alone tell the genre, on any music with known artists.

    python benchmarks/tagger.py MUSIC [--as-one pop rock] [--duration 30]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
Its genres must be among those of `GenreTagger`. Nothing is trained, so that all clips
are test clips. Rows: choosing among the genres that are there, or among all that the
tagger knows; tags as they are, or standardised over all clips; of a tag that both of
musicnn's sets have, the larger set's, or the mean of both; and last, which of these is
best on other artists' clips, in five folds. The second column counts the genres of
--as-one as one. Intervals are the 2.5th and 97.5th percentiles over 2,000 bootstrap
samples of artists.
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from skgenre import GenreTagger
from skgenre.classifiers._tagging._tag_genres import (
    FEATURE_NAMES,
    TAG_NAMES,
    genre_weights,
)
from skgenre.datasets import load_audio_folder
from skgenre.inspection import bootstrap_accuracy


def with_interval(right, groups):
    low, high = np.percentile(bootstrap_accuracy(right, groups), [2.5, 97.5])
    return f"{right.mean():.3f} [{low:.3f}, {high:.3f}]"


def tags_of_both_sets(genres):
    names, weights = genre_weights(genres)
    tags = np.array(TAG_NAMES)
    return {
        str(name): np.array(FEATURE_NAMES)[tags == tags[row.argmax()]].tolist()
        for name, row in zip(names, weights, strict=True)
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("music", type=Path)
    parser.add_argument("--as-one", nargs="+", default=[])
    parser.add_argument("--duration", type=float, default=30.0)
    options = parser.parse_args()
    tracks = load_audio_folder(options.music)
    if tracks.groups is None:
        parser.error("the music names no artists; see load_audio_folder")

    how = {"duration": options.duration, "n_jobs": -1}
    # The tags are the same for all rows.
    tags = GenreTagger(**how).transform(tracks.paths)
    genres = np.unique(tracks.target).tolist()
    as_one = " and ".join(options.as_one) + " as one" * bool(options.as_one)
    print(
        f"{len(tags)} clips of {len(np.unique(tracks.groups))} artists\n\n"
        f"{'genres to choose from':24}{'tags':25}{'accuracy':25}{as_one}"
    )

    def show(known, kind, predicted):
        right = (predicted == tracks.target).astype(float)
        both = [np.isin(each, options.as_one) for each in (predicted, tracks.target)]
        line = f"{known[:23]:24}{kind:25}{with_interval(right, tracks.groups):25}"
        if options.as_one:
            line += with_interval(np.maximum(right, both[0] & both[1]), tracks.groups)
        print(line, flush=True)

    for names, known in ((genres, ", ".join(genres)), (None, "all")):
        kinds = {}
        for standardize in (False, True):
            for both in (False, True):
                tagger = GenreTagger(
                    tags_of_both_sets(names) if both else names,
                    standardize=standardize,
                    **how,
                )
                if standardize:
                    tagger._fit_tags(tags)
                kind = "standardised" if standardize else "as they are"
                kind += ", both sets" * both
                kinds[kind] = tagger._genres(tagger._probabilities(tags))
                show(known, kind, kinds[kind])
        chosen = np.empty_like(tracks.target)
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
        for train, test in folds.split(tags, tracks.target, tracks.groups):
            is_right = [each[train] == tracks.target[train] for each in kinds.values()]
            best = np.argmax(np.mean(is_right, axis=1))
            chosen[test] = [*kinds.values()][best][test]
        show(known, "chosen on other artists", chosen)


if __name__ == "__main__":
    main()
