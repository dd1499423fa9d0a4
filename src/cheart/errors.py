"""The one error that a person is meant to read."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, met at the door.

    The message quotes what was given, says what was expected, and names the flag or the edit that mends it.
    The command line prints it without a traceback and exits with 2.
    """
