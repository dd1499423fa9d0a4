"""Words of the form ``name=value``, of which every name stands once."""

from __future__ import annotations

from collections.abc import Iterable

from cheart.errors import InputError


def read_assignments(words: Iterable[str], flag: str, expected: str, *, lower: bool = False) -> dict[str, str]:
    """Values by name, without the spaces around both.

    >>> read_assignments(["lvef=55", "lvesv = 60"], "--given", "name=value")
    {'lvef': '55', 'lvesv': '60'}

    Args:
        words: as they were given.
        flag: by which they were.
        expected: what each should look like, for the message.
        lower: whether capitals in names mean nothing.

    Raises:
        InputError: one without a name and a value, or two of one name: the last would be taken and the first lost.
    """
    found: dict[str, str] = {}
    for word in words:
        name, _, value = (part.strip() for part in word.partition("="))
        if not (name and value):
            raise InputError(f"{flag} {word!r}: expected {expected}")
        name = name.lower() if lower else name
        if name in found:
            raise InputError(f"{flag} {name}={found[name]} and {name}={value}: give {name} once")
        found[name] = value
    return found
