"""Formulas drawn by Matplotlib: MathJax would load its scripts from elsewhere."""

import base64
import io
from html import escape

from docutils import nodes
from matplotlib.mathtext import math_to_image


def _visit(translator, node):
    formula = " ".join(node.astext().split())
    file = io.BytesIO()
    math_to_image(f"${formula}$", file, format="svg")
    content = base64.b64encode(file.getvalue()).decode()
    image = f'<img src="data:image/svg+xml;base64,{content}" alt="{escape(formula)}">'
    is_block = isinstance(node, nodes.math_block)
    translator.body.append(f"<p>{image}</p>" if is_block else image)
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathtext", (_visit, None), (_visit, None))
    return {"parallel_read_safe": True}
