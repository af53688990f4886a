"""Boxes with text and arrows between them, for the figures that are diagrams."""


def draw(ax, boxes, arrows):
    """Draw boxes, a name to place, text and colour; and arrows, pairs of names."""
    texts = {
        name: ax.text(
            *place,
            text,
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.5", "facecolor": colour, "alpha": 0.25},
        )
        for name, (place, text, colour) in boxes.items()
    }
    for pair in arrows:
        (start, end), (begins, ends) = zip(
            *((boxes[name][0], texts[name].get_bbox_patch()) for name in pair),
            strict=True,
        )
        style = {"arrowstyle": "->", "patchA": begins, "patchB": ends}
        ax.annotate("", end, start, arrowprops=style | {"shrinkA": 3, "shrinkB": 3})
    ax.axis("off")
