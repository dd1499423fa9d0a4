"""The pages' own sources, in Node: their tests and their lint, and that they make of a model what Python makes."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from cheart.mesh.template import load_template
from cheart.pages.mesh_basis import fit_mesh_basis, volumes_of
from tiny import PERSON

WEB = Path(__file__).parents[2] / "web"
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NODE is None, reason="no Node on this machine"),
    pytest.mark.skipif(not (WEB / "node_modules").is_dir(), reason="the pages' JavaScript is not fetched: make web"),
]


def node(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Node in ``web/``."""
    return subprocess.run([str(NODE), *map(str, words)], cwd=WEB, capture_output=True, text=True, timeout=120)


def test_its_own_tests_pass():
    done = node("--test")
    assert done.returncode == 0, done.stdout[-3000:]


def test_its_lint_is_clean():
    done = node("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", ".")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_the_page_makes_what_python_makes(atlas_page, model, tmp_path):
    rng = np.random.default_rng(1)
    size = model.network.latent_size()
    people = [PERSON, PERSON | {"age": 70.0, "sex": "M"}, {"age": 33.0, "sex": None}]
    latents = rng.standard_normal((len(people), size)).astype(np.float32)
    cases = [{"person": p, "latent": z.tolist()} for p, z in zip(people, latents, strict=True)]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    done = node("agree.mjs", atlas_page, tmp_path / "cases.json")
    assert done.returncode == 0, done.stderr
    basis = fit_mesh_basis(model, hearts=12, jobs=1)
    graph = model.network.layer_graph()
    basis.add_to(graph)
    for made, person, latent in zip(json.loads(done.stdout), people, latents, strict=True):
        conditions = model.encode({name: person.get(name) for name in model.encoding.schema.names})[None]
        with torch.no_grad():
            wanted = model.network.coefficients(torch.from_numpy(latent[None]), torch.from_numpy(conditions))[0]
        assert made["coefficients"] == pytest.approx(wanted.numpy().ravel(), abs=1e-4)
        scores = graph.run(conditions=conditions, latent=latent[None])["scores"]
        vertices = basis.vertices(scores)
        assert made["vertices"] == pytest.approx(vertices[3].ravel(), abs=2e-3), "mm"
        volumes = [list(load_template().volumes_ml(v).values()) for v in vertices]
        assert made["curves"]["lv"] == pytest.approx([v[0] for v in volumes], rel=1e-4)
        assert made["curves"]["myo"] == pytest.approx([v[1] - v[0] for v in volumes], rel=1e-4)
        assert made["quick"]["lv"] == pytest.approx(volumes_of(basis, scores)["lv"], abs=1e-2)
