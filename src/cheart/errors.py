"""What a person is meant to read: the one error, and the one warning."""

from __future__ import annotations

import warnings
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input, met at the door.

    The message quotes what was given, says what was expected, and names the flag or the edit that mends it.
    The command line prints it without a traceback and exits with 2.
    """


class CheartWarning(UserWarning):
    """What to be careful about. The command line prints it on a line that begins with ``warning:``."""


def show_warnings(sentences: Iterable[str], *, stacklevel: int = 3) -> None:
    """Warn of each sentence, at the line that called the function which calls this one."""
    for sentence in sentences:
        warnings.warn(sentence, CheartWarning, stacklevel=stacklevel)
