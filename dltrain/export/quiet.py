"""How are converters kept from writing to the terminal?"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silenced() -> Iterator[None]:
    """Drop what libraries write to the process's stdout and stderr; errors are raised anyway."""
    saved = {number: os.dup(number) for number in (1, 2)}
    try:
        with tempfile.TemporaryFile() as sink, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            logging.disable(logging.CRITICAL)
            for number in saved:
                os.dup2(sink.fileno(), number)
            yield
    finally:
        logging.disable(logging.NOTSET)
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)
