"""The page as one file, which needs no server."""

import base64
import contextlib
import io
import json
import re
from typing import Any

import soundfile

from skgenre.audio import AudioError
from skgenre.explore._media import Load
from skgenre.explore._server import SCRIPTS, Server, own_text
from skgenre.inspection._report._page import digest, read_text

_RATE = 22050


def static_page(server: Server, *, preview_seconds: float = 0.0) -> str:
    """Return a page of HTML with the map, the songs and what is near each.

    Parameters
    ----------
    server : Server
        Of which all songs have been heard.
    preview_seconds : float, default=0.0
        Seconds of the middle of each song to embed as sound; some 5 KB each.

    Raises
    ------
    ValueError
        If fewer than two songs were heard.
    """
    saved: dict[str, Any] = {
        "songs": server.songs() | {"reductions": ["pca"]},
        "state": server.state(),
        "map/pca": server.map("pca"),
        "truth/pca": server.truth("pca"),
        "clusters": server.clusters(),
    }
    with contextlib.suppress(ValueError):  # of too few labels
        saved["suspects"] = server.suspects()
    for number in saved["map/pca"]["numbers"]:
        song = server.song(str(number))
        saved[f"songs/{number}"] = song | {"tags": song["tags"] or []}
        if preview_seconds:
            path = server.collection.paths[number]
            sound = _preview(path, preview_seconds, server.listener.load)
            if sound is not None:
                saved[f"songs/{number}/sound"] = sound
    style = read_text("_style.css") + own_text("page.css")
    script = "".join(own_text(name) for name in SCRIPTS)
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest(script)}'; "
        f"style-src 'sha256-{digest(style)}'; img-src data: blob:; "
        "media-src data:; base-uri 'none'; form-action 'none'"
    )
    loads = r'<(link rel="stylesheet"|script src=).*\n'
    page = re.sub(loads, "", own_text("page.html"))
    # In JSON, only strings have such signs.
    data = json.dumps(saved).replace("<", "\\u003c").replace(">", "\\u003e")
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<style>{style}</style>\n</head>"
    )
    end = (
        f'<script type="application/json" id="saved">{data}</script>\n'
        f"<script>{script}</script>\n</body>"
    )
    return page.replace("</head>", head).replace("</body>", end)


def _preview(path: str, seconds: float, load: Load) -> str | None:
    """Return the middle of a song as a URL that holds its sound."""
    try:
        wave = load(path, sample_rate=_RATE)
    except AudioError:  # gone since it was heard
        return None
    start = max(0, (len(wave) - int(seconds * _RATE)) // 2)
    contents = io.BytesIO()
    soundfile.write(
        contents, wave[start : start + int(seconds * _RATE)], _RATE, format="MP3"
    )
    return f"data:audio/mpeg;base64,{base64.b64encode(contents.getvalue()).decode()}"
