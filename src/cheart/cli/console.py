"""How the command line speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any


def inform(text: str) -> None:
    """Let a person know how things stand (standard error, so that ``--json`` stays clean)."""
    print(text, file=sys.stderr)


def warn(text: str) -> None:
    """Let a person know what to be careful about."""
    inform(f"warning: {text}")


def show_warnings_plainly() -> None:
    """Print :class:`cheart.errors.CheartWarning` as the command line speaks, each one that comes."""
    from cheart.errors import CheartWarning

    usual = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *rest: Any, **more: Any) -> None:
        if issubclass(category, CheartWarning):
            warn(str(message))
        else:
            usual(message, category, *rest, **more)

    warnings.showwarning = show
    warnings.simplefilter("always", CheartWarning)


def answer(value: Any, text: str, *, as_json: bool) -> None:
    """Print the result: ``value`` as JSON for machines, or ``text`` for people."""
    from cheart.files import without_nan

    print(json.dumps(without_nan(value), indent=2, ensure_ascii=False) if as_json else text)
