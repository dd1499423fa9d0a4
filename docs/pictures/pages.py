"""The pictures of how-to-look.md: ``python docs/pictures/pages.py`` writes atlas.png and view.png beside this file.

It needs Chromium and playwright (``cheart[dev]``), and the pages' JavaScript (``make web``).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from playwright.sync_api import sync_playwright

import cheart
from cheart.simulation import draw_person, simulate_heart

HERE = Path(__file__).parent
FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--enable-unsafe-swiftshader")
READY = {"atlas": "!!window.cheart?.people.every((person) => person.normal)", "view": "!!window.cheart"}
LINKS = {"atlas": "#a=28,F,60,166,115;41;&b=70,M,88,178,150;41;&v=tissue,1,0,4,1", "view": "#v=tissue,1,0,6"}


def main() -> None:
    """Write both pages, open them, and keep what is seen."""
    model = cheart.load()
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        cheart.atlas(model, Path(folder) / "atlas.html")
        person = draw_person(np.random.default_rng(7))
        heart, _ = simulate_heart(person, seed=7, grid=model.grid)
        known = {name: person[name] for name in model.encoding.schema.names}
        made = model.complete(heart, known)
        cheart.view([heart, made], Path(folder) / "view.html", titles=["a heart", "completed from its first frame"])
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for name, link in LINKS.items():
            page = browser.new_page(viewport={"width": 1280, "height": 1150})
            page.goto((Path(folder) / f"{name}.html").as_uri() + link, timeout=0)
            while not page.evaluate(READY[name]):
                page.wait_for_timeout(200)
            page.evaluate("() => { const s = window.cheart.stage; s.ratio = 1; s.resize(2); }")
            page.evaluate("() => Object.assign(window.cheart.clock, { playing: false, phase: 0.05, dirty: true })")
            page.wait_for_timeout(1500)
            page.screenshot(path=HERE / f"{name}.png", timeout=0)
        browser.close()


if __name__ == "__main__":
    main()
