"""``cheart``: the verbs, put together. Heavy imports wait inside the verbs."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from cheart._version import __version__
from cheart.cli.atlas import atlas
from cheart.cli.cohort_atlas import cohort_atlas
from cheart.cli.complete import complete
from cheart.cli.console import inform, show_warnings_plainly
from cheart.cli.demo import demo
from cheart.cli.evaluate import evaluate
from cheart.cli.export import export_app
from cheart.cli.generate import generate
from cheart.cli.import_ import import_app
from cheart.cli.info import info
from cheart.cli.mesh import mesh
from cheart.cli.pack import pack, push
from cheart.cli.render import render
from cheart.cli.report import report
from cheart.cli.reproduce import reproduce
from cheart.cli.segment import dicom, segment
from cheart.cli.simulate import simulate
from cheart.cli.train import train
from cheart.cli.vary import vary
from cheart.cli.verify import verify
from cheart.cli.view import view
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
    show_warnings_plainly()


app.command()(simulate)
app.add_typer(import_app, name="import")
app.command()(dicom)
app.command()(segment)
app.add_typer(export_app, name="export")
app.command()(info)
app.command()(train)
app.command()(complete)
app.command()(generate)
app.command()(vary)
app.command()(evaluate)
app.command()(reproduce)
app.command()(render)
app.command()(view)
app.command()(atlas)
app.command()(report)
app.command()(cohort_atlas)
app.command()(mesh)
app.command()(pack)
app.command()(push)
app.command()(verify)
app.command()(demo)


def main() -> None:
    """Run the command line: an :class:`InputError` is one line and exit code 2, a disk that refuses one line and 1."""
    # a scheduler's stop is a person's Ctrl-C, also in the background, where shells let Ctrl-C be ignored: programs that
    # are called would ignore the stop as well
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except InputError as error:
        inform(f"cheart: {error}")
        sys.exit(2)
    except OSError as error:  # no room, no permission, a file where a folder should be
        inform(f"cheart: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        inform("cheart: stopped; no file was left half-written")
        sys.exit(130)


if __name__ == "__main__":
    main()
