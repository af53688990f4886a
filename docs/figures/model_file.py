"""What a model file holds, and what becomes of it when it is loaded."""

import matplotlib.pyplot as plt
from boxes import draw

boxes = {
    "facts": ((0, 3), "skgenre.json\nfacts, scores", "C0"),
    "description": ((0, 2), "model.json\nclasses, parameters", "C0"),
    "arrays": ((0, 1), "0.npy, 1.npy, …\nnumbers, genres", "C0"),
    "list": ((3, 2), "All on the\nclosed list?", "C1"),
    "model": ((6, 2), "The fitted\nestimator", "C2"),
    "refused": ((3, 0.8), "ModelFileError,\nwhich says why", "C3"),
    "info": ((6, 3), "read_info", "C2"),
}
arrows = [
    ("facts", "info"),
    ("description", "list"),
    ("arrays", "list"),
    ("list", "model"),
    ("list", "refused"),
]

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
draw(ax, boxes, arrows)
ax.text(4.5, 2.08, "yes", ha="center", va="bottom")
ax.text(3.1, 1.42, "no", ha="left", va="center")
ax.set(xlim=(-1.3, 7), ylim=(0.4, 3.4))
