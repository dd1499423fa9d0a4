"""Pages that are there, and a browser to open them with."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.model import Model
from cheart.pages.atlas import atlas
from cheart.pages.shell import PAGE
from cheart.pages.view import view

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader", "--disable-background-networking")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="session")
def built() -> None:
    """The pages' JavaScript."""
    if not PAGE.is_file():
        pytest.skip("the pages' JavaScript is not built: make web")


@pytest.fixture(scope="session")
def atlas_page(built: None, model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as an atlas."""
    return atlas(model, tmp_path_factory.mktemp("pages") / "atlas.html", hearts=12, jobs=1)


@pytest.fixture(scope="session")
def view_page(built: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two beating hearts beside each other."""
    out = tmp_path_factory.mktemp("pages") / "view.html"
    another = beating_ellipsoids(frames=4)
    possible = [replace(another, labels=np.roll(another.labels, k, axis=3)) for k in (-1, 1)]  # a voxel to the sides
    view([beating_ellipsoids(), another], out, titles=["one", "another"], draws={1: possible})
    return out


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window, and without a GPU."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'cheart[dev]'")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


class Visit:
    """A page that is open: what it said of errors, and whom it asked for anything."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page, self.errors, self.asked = page, [], []
        page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        self.url = path.as_uri()

    def go(self, link: str = "", ready: str = "window.cheart?.clock") -> Visit:
        """Open it, and wait until it lives."""
        self.page.goto(self.url + link)
        self.wait(ready)
        return self

    def wait(self, expression: str, seconds: float = 60) -> None:
        """Until an expression holds; asked from outside, for the page lets nobody evaluate words inside it."""
        end = time.monotonic() + seconds
        while not self.tell(f"Boolean({expression})"):
            assert time.monotonic() < end, f"{expression}: not in {seconds:g} s; {self.errors}"
            self.page.wait_for_timeout(50)

    def tell(self, expression: str) -> Any:
        """A value of the page's JavaScript."""
        return self.page.evaluate(expression)

    @property
    def quiet(self) -> bool:
        """Nothing went wrong, and nobody was asked for anything but the page itself."""
        inside = ("data:", "blob:", self.url)
        return not self.errors and all(url.startswith(inside) for url in self.asked)


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Open a page: ``visit(path, size="phone")``."""
    contexts = []

    def open_page(path: Path, size: str = "desktop", script: str = "") -> Visit:
        width, height = SIZES[size]
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True))
        page = contexts[-1].new_page()
        if script:
            page.add_init_script(script)
        return Visit(page, path)

    yield open_page
    for context in contexts:
        context.close()
