"""How does a template become one self-contained HTML file, safe whatever the data holds?

Everything that a template prints is escaped by Jinja2. The page's policy (Content-Security-Policy)
allows the scripts and styles that are in it by their SHA-256, pictures in `data:`, and nothing
else: no request can leave, and a script that came in with the data would not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dltrain.report.charts import Chart
from dltrain.report.vega_script import load_vega_script

_TEMPLATES = Path(__file__).parent / "templates"

# In JSON these stand only inside strings, where the escape means the same. `<` could end the
# element; the two separators are line ends to older JavaScript.
_JSON_ESCAPES = {"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def render_page(
    template: str,
    *,
    title: str,
    charts: Sequence[Chart] = (),
    scripts: Sequence[str] = (),
    libraries: Sequence[str] = (),
    inline_styles: bool = False,
    **values: Any,
) -> str:
    """Return the HTML of `template` (a file beside base.html, which it extends), with `values`.

    `charts` are drawn where the template calls `draw(chart)`; without any, the page carries no
    chart script. `scripts` are files of templates/ for this page beside page.js, `libraries` the
    code of others that they need. `inline_styles` lets such code set styles of its own.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = to_script_json
    environment.filters["thousands"] = "{:,}".format
    style = _read("page.css")
    code = [_read("page.js"), *map(fit_for_element, libraries), *map(_read, scripts)]
    if charts:
        # Last: a table sorts at once, while the charts' script is still being read.
        code = [*code, load_vega_script(), _read("charts.js")]
    return environment.get_template(template).render(
        title=title,
        charts=charts,
        style=style,
        code=code,
        policy=_make_policy(style, code, inline_styles=inline_styles),
        **values,
    )


def to_script_json(value: Any) -> Any:
    """Return `value` as JSON that can stand in a <script type="application/json"> element.

    Raises ValueError for NaN and infinities: whoever makes the value decides what they mean.
    """
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in _JSON_ESCAPES.items():
        text = text.replace(character, escape)
    return Markup(text)


def fit_for_element(script: str) -> str:
    """Return JavaScript that can stand in a <script> element: nothing in it ends the element.

    In a string of JavaScript the escaped form means the same.
    """
    script = re.sub(r"</(?=script)", r"<\\/", script, flags=re.IGNORECASE)
    return script.replace("<!--", r"<\!--")


def _make_policy(style: str, code: Sequence[str], *, inline_styles: bool) -> str:
    scripts = " ".join(_hash_source(text) for text in code)
    styles = "'unsafe-inline'" if inline_styles else _hash_source(style)
    return (
        f"default-src 'none'; script-src {scripts}; style-src {styles}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash_source(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
