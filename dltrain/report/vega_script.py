"""Where does the script come from that draws the charts of a page?

It is Vega-Lite with Vega and vega-embed, as the package vl-convert-python carries them. Putting
the three together costs a good second, so the result is kept in the user's cache folder.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import re
import secrets
from pathlib import Path

_PACKAGE = "vl-convert-python"

# What the page sees of it.
_EXPORTED = "window.vegaEmbed = vegaEmbed;"


@functools.cache
def load_vega_script() -> str:
    """Return the JavaScript (some 0.9 MB) that defines `vegaEmbed`, fit for a <script> element.

    It is read from the cache, or made and put there. A cache that can't be written, or holds
    something else, costs the time to make the script and nothing more.
    """
    path = _cache_path()
    script = _read_whole(path)
    if script is None:
        script = _make_script()
        _keep(path, script)
    return script


def _cache_path() -> Path:
    from platformdirs import user_cache_dir

    version = importlib.metadata.version(_PACKAGE)
    folder = Path(user_cache_dir("dltrain", appauthor=False)) / "scripts"
    return folder / f"vega-of-{_PACKAGE}-{version}.js"


def _make_script() -> str:
    import vl_convert

    script = vl_convert.javascript_bundle(_EXPORTED)
    # None of these is in it now; in a string of JavaScript the escaped form means the same.
    script = re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE)
    return script.replace("<!--", r"<\!--")


def _read_whole(path: Path) -> str | None:
    """Return the script in `path`, or None unless its first line has the checksum of the rest."""
    try:
        head, _, script = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return script if head == _sign(script) else None


def _keep(path: Path, script: str) -> None:
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"{_sign(script)}\n{script}", encoding="utf-8", newline="\n")
        temporary.replace(path)
    except OSError:
        # A home that can't be written, as in some containers: the next page takes its second.
        with contextlib.suppress(OSError):
            temporary.unlink()


def _sign(script: str) -> str:
    return "// sha256:" + hashlib.sha256(script.encode("utf-8")).hexdigest()
