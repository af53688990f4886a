"""API pages: a sentence first, and a long signature folded."""

from docutils import nodes
from sphinx import addnodes

MOST_PARAMETERS = 6


class details(nodes.General, nodes.Element):
    """What a reader opens: a line, and what is below it."""


def _visit_details(translator, node):
    translator.body.append(f"<details><summary>{node['summary']}</summary>")


def _depart_details(translator, node):
    translator.body.append("</details>")


def _sentence_first(app, doctree):
    """Put the sentence on an API page before its signature, and fold a long one."""
    if not app.env.docname.startswith("api/generated/"):
        return
    for described in list(doctree.findall(addnodes.desc)):
        signature, content = described[0], described[-1]
        parameters = signature.next_node(addnodes.desc_parameterlist)
        if parameters and len(parameters) > MOST_PARAMETERS:
            name = signature.next_node(addnodes.desc_name).astext()
            lines = "".join(f"    {each.astext()},\n" for each in parameters)
            code = nodes.literal_block("", f"{name}(\n{lines})", language="python")
            folded = details("", code, summary=f"All {len(parameters)} parameters")
            content.insert(0, folded)
            parameters.clear()
            parameters += addnodes.desc_parameter("", "…")
        if isinstance(described.parent, nodes.section):
            sentence = content.next_node(nodes.paragraph)
            if sentence is not None and sentence.parent is content:
                content.remove(sentence)
                described.parent.insert(described.parent.index(described), sentence)


def setup(app):
    app.connect("doctree-read", _sentence_first)
    app.add_node(details, html=(_visit_details, _depart_details))
    return {"parallel_read_safe": True}
