"""F1 scores that the paper reports, genre by genre.

It runs in its own folder.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

SCRIPT = Path("../../examples/reproduce_paper.py").read_text(encoding="utf-8")
genres = re.findall(
    r'"([\w-]+)"', re.search(r"\nGENRES = \((.*?)\n\)", SCRIPT, re.S)[1]
)
tables = re.search(r"\nTABLES = {(.*?)\n}", SCRIPT, re.S)[1]

figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for marker, (name, table) in zip(
    "os^", re.findall(r'"([^"]+)": """(.*?)"""', tables, re.S), strict=True
):
    f1 = np.array(table.split(), float)[2::3]  # after precision and recall
    ax.plot(f1, np.arange(len(genres)), marker, label=name)
ax.set(yticks=np.arange(len(genres)), yticklabels=genres, xlim=(0, 1), xlabel="F1")
ax.invert_yaxis()
ax.grid(axis="y", alpha=0.3)
ax.legend(loc="upper right")
