"""What more threads bring a service, and what they take.

It runs in its own folder.
"""

import json
import re
from pathlib import Path

import matplotlib.pyplot as plt

FILE = Path("../../benchmarks/results/0.1.0/latency.json")
ROW = re.compile(r"(.*), best, (\w+), (\d+) threads, .*")
RUNTIMES = {"onnx": "ONNX Runtime", "keras": "TensorFlow"}
AXES = {
    "clips a second": "Clips a second",
    "median latency": "Median time of a request (ms)",
    "memory": "Memory (MB)",
}

measured = {}
for each in json.loads(FILE.read_text(encoding="utf-8"))["rows"]:
    if found := ROW.fullmatch(each["name"]):
        what, runtime, n_threads = found.groups()
        measured.setdefault((what, runtime), {})[int(n_threads)] = each["value"]

figure, axes = plt.subplots(3, 1, figsize=(5, 6), sharex=True, layout="constrained")
for ax, (what, label) in zip(axes, AXES.items(), strict=True):
    for runtime, name in RUNTIMES.items():
        values = measured[what, runtime]
        ax.plot(list(values), list(values.values()), "o-", label=name)
    ax.set(title=label, xticks=list(values), ylim=(0, None))
axes[-1].set_xlabel("Threads")
axes[0].legend(loc="lower right")
