"""How often pretrained tags alone tell the genre, on any music with known artists.

    python benchmarks/tagger.py MUSIC [--as-one pop rock] [--duration 30]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
Its genres must be among those of `GenreTagger`. Nothing is trained, so that all clips
are test clips. Rows: choosing among the genres that are there, or among all that the
tagger knows; tags as they are, or standardised over all clips. The second column counts
the genres of --as-one as one. Intervals are the 2.5th and 97.5th percentiles over 2,000
bootstrap samples of artists.
"""

import argparse
from pathlib import Path

import numpy as np

from skgenre import GenreTagger
from skgenre.datasets import load_audio_folder
from skgenre.inspection import bootstrap_accuracy


def with_interval(right, groups):
    low, high = np.percentile(bootstrap_accuracy(right, groups), [2.5, 97.5])
    return f"{right.mean():.3f} [{low:.3f}, {high:.3f}]"


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
    print(
        f"{len(tags)} clips of {len(np.unique(tracks.groups))} artists\n\n"
        f"{'genres to choose from':24}{'tags':15}{'accuracy':25}"
        + " and ".join(options.as_one)
        + " as one" * bool(options.as_one)
    )
    for names, known in ((genres, ", ".join(genres)), (None, "all")):
        for standardize in (False, True):
            tagger = GenreTagger(names, standardize=standardize, **how)
            if standardize:
                tagger._fit_tags(tags)
            predicted = tagger._genres(tagger._probabilities(tags))
            right = (predicted == tracks.target).astype(float)
            both = [
                np.isin(each, options.as_one) for each in (predicted, tracks.target)
            ]
            kind = "standardised" if standardize else "as they are"
            line = f"{known[:23]:24}{kind:15}{with_interval(right, tracks.groups):25}"
            if options.as_one:
                line += with_interval(
                    np.maximum(right, both[0] & both[1]), tracks.groups
                )
            print(line, flush=True)


if __name__ == "__main__":
    main()
