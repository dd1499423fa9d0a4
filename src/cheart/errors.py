"""What a person is meant to read: the one error, and the one warning."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from operator import index


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


def check_seed(seed: object) -> int:
    """A seed as given.

    Raises:
        InputError: it is no whole number from 0 to 2⁶³ − 1.
    """
    try:
        value = -1 if isinstance(seed, bool) else index(seed)  # type: ignore[arg-type]
    except TypeError:
        value = -1
    if not 0 <= value < 2**63:
        raise InputError(f"seed {seed!r}: expected a whole number from 0 to {2**63 - 1}")
    return value
