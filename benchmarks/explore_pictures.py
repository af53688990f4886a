"""Pictures of the page of `skgenre explore`, as the documentation shows them.

    python benchmarks/explore_pictures.py [--clips 120] [--output docs/_static]

So many made clips of 10 s and a small network that is trained on some of them, in
headless Chromium: the map and a song, the network in the dark scheme, and the labels on
the screen of a telephone.
"""

import argparse
import base64
import io
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

import skgenre
from skgenre import CRNNClassifier, MelSpectrogramTransformer
from skgenre.datasets import make_genre_clips

ROOT = Path(__file__).parents[1]
QUALITY = 60


def trained(paths, genres):
    mel = MelSpectrogramTransformer(n_frames=215, n_mels=64, n_jobs=-1)
    network = CRNNClassifier(
        filters=(16, 24, 24), lstm_units=24, learning_rate=0.002, epochs=12
    )
    network.set_params(batch_size=16, random_state=0)
    return make_pipeline(mel, network).fit(paths, genres)


def write_picture(browser, path, width, height):
    from PIL import Image

    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    browser.evaluate("scrollTo(0, 0)")
    found = browser.send(
        "Page.captureScreenshot", clip=clip, captureBeyondViewport=True
    )
    with Image.open(io.BytesIO(base64.b64decode(found["data"]))) as picture:
        picture.convert("RGB").save(path, quality=QUALITY, method=6)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} KB")


def choose_some(browser):
    """Open the first song, without its sound, and select the next ones."""
    browser.evaluate("openSong(map.numbers[0], { isPlayed: false })")
    browser.wait_for("document.querySelectorAll('#near li').length === 10")
    browser.wait_for("!element('sight').hidden")
    browser.evaluate("select([...map.near].slice(0, 3))")


def take_pictures(browser, url, n_songs, folder):
    ready = f"map.numbers.length === {n_songs} && map.painted"
    browser.open(url, width=1280)
    browser.wait_for(ready)
    choose_some(browser)
    browser.click_on("#why")
    browser.wait_for("why")
    write_picture(browser, folder / "explore.webp", 1280, 900)

    browser.open(url, width=1280, scheme="dark")
    browser.wait_for(ready)
    choose_some(browser)
    browser.click_on("#tab-network")
    browser.wait_for("layers && !element('show-filters').disabled")
    browser.evaluate("element('layer').value = 2")
    browser.click_on("#show-filters")
    browser.wait_for("element('filters').children.length === 8")
    write_picture(browser, folder / "explore_network.webp", 1280, 980)

    browser.open(url, width=390)
    browser.wait_for(ready)
    browser.click_on("#tab-labels")
    browser.click_on("#check")
    browser.wait_for("checked")
    browser.evaluate("element('file').textContent = 'skgenre-labels.csv'")
    write_picture(browser, folder / "explore_labels.webp", 390, 800)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=120)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "_static")
    options = parser.parse_args()
    output = options.output.resolve()
    sys.path.append(str(ROOT / "tests" / "helpers"))
    from chromium import Chromium

    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)  # no path of this machine is to be seen
        clips = make_genre_clips(
            options.clips, duration=10, random_state=0, folder="my_music"
        )
        some = np.arange(options.clips) // 4 % 2 == 0  # of each genre, every other one
        model = trained(clips.paths[some], clips.target[some])
        genres = clips.target.tolist()
        genres[5], genres[16] = genres[16], genres[5]
        with (
            skgenre.explore(
                clips.paths,
                model,
                genres,
                artists=clips.groups,
                n_jobs=-1,
            ) as explorer,
            Chromium() as browser,
        ):
            take_pictures(browser, explorer.url, options.clips, output)


if __name__ == "__main__":
    main()
