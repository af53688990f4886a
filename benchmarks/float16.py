"""What it costs to keep spectrograms as float16: errors in dB, and accuracy.

    python benchmarks/float16.py MUSIC [--folds 5] [--seeds 3] [--epochs N]

MUSIC is a folder or CSV with artists, as `skgenre.datasets.load_audio_folder` takes it.
Both files are written by `MelSpectrogramTransformer.transform_to`; the network of
``genre_pipeline("scratch")`` is then cross-validated on each, with the same folds, in
which no artist is in both training and test, and the same seeds.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from skgenre import genre_pipeline
from skgenre.datasets import load_audio_folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("music")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="instead of the network's own")
    options = parser.parse_args()

    tracks = load_audio_folder(options.music)
    if tracks.groups is None:
        parser.error("the music names no artists; see load_audio_folder")
    mel, network = genre_pipeline("scratch", n_jobs=-1, verbose=True)
    network.set_params(verbose=0, epochs=options.epochs or network.epochs)
    with tempfile.TemporaryDirectory() as folder:
        files = {
            dtype: mel.transform_to(
                Path(folder, f"{dtype}.npy"), tracks.paths, dtype=dtype
            )
            for dtype in ("float32", "float16")
        }
        errors = [
            np.abs(exact - rounded.astype(np.float32))
            for exact, rounded in zip(*files.values(), strict=True)
        ]
        print(
            f"{len(tracks.paths)} clips: float16 is off by {np.max(errors):.4f} dB at "
            f"most, {np.mean(errors):.4f} dB on average"
        )
        rights = {dtype: [] for dtype in files}
        for seed in range(options.seeds):
            folds = StratifiedGroupKFold(options.folds, shuffle=True, random_state=seed)
            for dtype, X in files.items():
                predicted = cross_val_predict(
                    clone(network).set_params(random_state=seed),
                    X,
                    tracks.target,
                    groups=tracks.groups,
                    cv=folds,
                )
                rights[dtype].append(predicted == tracks.target)
            right32, right16 = (rights[dtype][-1] for dtype in files)
            print(
                f"seed {seed}: accuracy {right32.mean():.4f} from float32, "
                f"{right16.mean():.4f} from float16; "
                f"{(right32 != right16).sum()} clips predicted better or worse",
                flush=True,
            )
    right32, right16 = (np.array(rights[dtype]) for dtype in files)
    print(
        f"mean accuracy {right32.mean():.4f} from float32, {right16.mean():.4f} from "
        "float16"
    )


if __name__ == "__main__":
    main()
