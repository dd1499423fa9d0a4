"""``python -m cheart``."""

from cheart.cli.main import main

main()
