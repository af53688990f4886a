"""What the commands take, and what comes out."""

import matplotlib.pyplot as plt
from boxes import draw

boxes = {
    "music": ((0, 4), "Music", "C7"),
    "scan": ((2, 5), "scan", "C0"),
    "tag": ((2, 4), "tag", "C0"),
    "alike": ((2, 3), "similar, path,\ncluster, map,\nexplore", "C0"),
    "damaged": ((4, 5), "What can't be read", "C2"),
    "genres": ((4, 4), "Genres, playlists", "C2"),
    "near": ((4, 3), "Songs that sound\nalike", "C2"),
    "labelled": ((0, 1.5), "Music with\ngenres: folders,\nCSV or tags", "C7"),
    "check": ((2, 2), "check-tags", "C0"),
    "train": ((2, 1), "train", "C0"),
    "wrong": ((4, 2), "Tags that look\nwrong", "C2"),
    "model": ((4, 1), "A model file", "C1"),
    "use": ((4, 0), "predict, evaluate,\ninfo, card", "C0"),
}
arrows = [
    *(("music", name) for name in ("scan", "tag", "alike")),
    *(("labelled", name) for name in ("check", "train")),
    ("scan", "damaged"),
    ("tag", "genres"),
    ("alike", "near"),
    ("check", "wrong"),
    ("train", "model"),
    ("model", "use"),
]

figure, ax = plt.subplots(figsize=(5.6, 5), layout="constrained")
draw(ax, boxes, arrows)
ax.set(xlim=(-0.8, 4.9), ylim=(-0.4, 5.3))
