"""``cheart``: the verbs, put together. Heavy imports wait inside the verbs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cheart._version import __version__
from cheart.cli.say import say
from cheart.errors import InputError

app = typer.Typer(
    name="cheart",
    help="Complete, generate, vary and evaluate beating hearts. A research tool; not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(asked: bool) -> None:
    if asked:
        print(f"cheart {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; an :class:`InputError` is one line on standard error and exit code 2."""
    try:
        app()
    except InputError as error:
        say(f"cheart: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        say("cheart: stopped; nothing was left half-written")
        sys.exit(130)


if __name__ == "__main__":
    main()
