"""Offer the versions of the documentation that lie side by side in a site.

``python docs/versions.py SITE /skgenre/`` writes ``versions.json``, in which each page
finds the other versions, copies the newest release to ``stable``, and makes a first
page that leads there. SITE has a folder for each version: ``0.2.0`` and the like, and
``dev`` for what is not released. The second argument is the site's place on its server.
"""

import json
import re
import shutil
import sys
from pathlib import Path

RELEASE = re.compile(r"\d+(\.\d+)*")


def offer_versions(site, address):
    """Write the list, the first page and the folder ``stable`` into a site's folder."""
    site = Path(site)
    folders = {each.name for each in site.iterdir() if each.is_dir()}
    releases = sorted(
        filter(RELEASE.fullmatch, folders),
        key=lambda name: [int(part) for part in name.split(".")],
        reverse=True,
    )
    versions = [
        {"name": name, "version": name, "url": f"{address}{name}/"}
        for name in [*releases, *({"dev"} & folders)]
    ]
    first = "dev"
    if releases:
        first = "stable"
        shutil.rmtree(site / first, ignore_errors=True)
        shutil.copytree(site / releases[0], site / first)
        versions[0] |= {
            "name": f"{releases[0]} (stable)",
            "url": f"{address}{first}/",
            "preferred": True,
        }
    (site / "versions.json").write_text(json.dumps(versions, indent=1) + "\n")
    (site / "index.html").write_text(
        f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={first}/">\n'
        f'<a href="{first}/">skgenre</a>\n'
    )


if __name__ == "__main__":
    offer_versions(*sys.argv[1:])
