"""What more threads bring a service, and what they take."""

import re

import matplotlib.pyplot as plt
from measured import measured

NAME = re.compile(r"(.*), best, (\w+), (\d+) threads, .*")
RUNTIMES = {"onnx": "ONNX Runtime", "keras": "TensorFlow"}
AXES = {
    "clips a second": "Clips a second",
    "median latency": "Median time of a request (ms)",
    "memory": "Memory (MB)",
}

lines = {}
for name, value in measured("latency").items():
    if found := NAME.fullmatch(name):
        what, runtime, n_threads = found.groups()
        lines.setdefault((what, runtime), {})[int(n_threads)] = value

figure, axes = plt.subplots(3, 1, figsize=(5, 6), sharex=True, layout="constrained")
for ax, (what, label) in zip(axes, AXES.items(), strict=True):
    for runtime, name in RUNTIMES.items():
        line = lines[what, runtime]
        ax.plot(list(line), list(line.values()), "o-", label=name)
    ax.set(title=label, xticks=list(line), ylim=(0, None))
axes[-1].set_xlabel("Threads")
axes[0].legend(loc="lower right")
