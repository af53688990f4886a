"""The accuracies in the tables of the page on pipelines, as plots.

It runs in its own folder.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

PAGE = Path("../user_guide/pipelines.rst").read_text(encoding="utf-8")
ROW = r"^(\S.*?)  +(0\.\d\d)  +(0\.\d\d) to (0\.\d\d)"
POINT = r"^(\d+) +" + r" +".join([r"(0\.\d\d) \((\d+)\)"] * 4)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
rows = {
    name.replace("`", ""): figures  # a name that comes twice: over three shuffles
    for name, *figures in reversed(re.findall(ROW, PAGE, re.MULTILINE))
}
names = list(rows)
values, lows, highs = np.array(list(rows.values()), float).T
order = np.argsort(values, kind="stable")
left.errorbar(
    values[order],
    np.arange(len(rows)),
    xerr=[(values - lows)[order], (highs - values)[order]],
    fmt="o",
)
left.set(yticks=np.arange(len(rows)), yticklabels=np.array(names)[order])
left.set(xlabel="Accuracy, 95 % interval", xlim=(0, 1), title="Which model")

points = np.array(re.findall(POINT, PAGE, re.MULTILINE), float)
for column, name, style in (
    (1, "best, many artists", "C0o-"),
    (3, "best, fewer artists", "C0o--"),
    (5, "fast, many artists", "C1s-"),
    (7, "fast, fewer artists", "C1s--"),
):
    right.plot(points[:, 0], points[:, column], style, label=name)
right.set(
    xlabel="Training clips", ylabel="Accuracy", ylim=(0, 1), title="How much music"
)
right.legend(loc="lower right")
