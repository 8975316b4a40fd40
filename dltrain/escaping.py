"""How is text that somebody else wrote shown, so that it can't steer the terminal?"""

from __future__ import annotations


def escape_unprintable(text: str) -> str:
    r"""Return `text` with whatever a terminal doesn't print as itself written as an escape.

    `\x1b`, `\t`, `\n`, `\xa0`, `\u202e`: control and formatting characters, every space but the
    common one, line and paragraph separators, and code points that Unicode has not assigned.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable()
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )
