"""The description of the package on PyPI: README.md, with what is in the repository."""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

_CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s]+)\)")


class Description(MetadataHookInterface):
    """Gives the project its description."""

    def update(self, metadata):
        """Set the description, by the address of the repository if there is one."""
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        repository = metadata.get("urls", {}).get("Repository")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": description(text, repository, metadata["version"]),
        }


def description(readme, repository, version):
    """Return a README whose pictures and links don't need the files beside it.

    Without the address of a repository, they become their texts.
    """

    def link(match):
        kind, text, path = match.groups()
        if repository is None:
            return text
        folder = "raw" if kind else "blob"
        return f"{kind}[{text}]({repository}/{folder}/v{version}/{path})"

    parts = _CODE.split(readme)
    parts[::2] = (_LINK.sub(link, part) for part in parts[::2])
    return "".join(parts)
