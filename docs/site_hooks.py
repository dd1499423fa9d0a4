"""What ``make docs`` does to a page: links into the repository, and the roles of docstrings."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
WHOLE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "changelog.md": "CHANGELOG.md"}
"""Pages that are files of the repository's root."""


def on_page_markdown(markdown, page, **_):
    """Put the root's files in place of their pages, and unlink what is in the repository but not on the site."""
    if page.file.src_uri in WHOLE:
        markdown = (ROOT / WHOLE[page.file.src_uri]).read_text(encoding="utf-8").replace("](docs/", "](")
    for name, whole in WHOLE.items():
        markdown = re.sub(rf"\]\((?:\.\./)?{whole}", f"]({name}", markdown)
    elsewhere = "src|tests|benchmarks|examples|README|CITATION|LICENSE"
    return re.sub(rf"\[([^\]]+)\]\((?:\.\./)*(?:{elsewhere})[^)]*\)", r"\1", markdown)


def on_page_content(html, **_):
    """``:func:`cheart.load``` of a docstring is the name alone."""
    return re.sub(r":(?:func|class|mod|meth|data|attr|exc):<code>~?([^<]*)</code>", r"<code>\1</code>", html)
