from functools import partial

import pytest

from cheart.simulation import cohort
from cheart.training import train

pytestmark = pytest.mark.usefixtures("undrawn", "tiny_bundled")


@pytest.mark.slow
def test_a_tiny_demo_leaves_what_it_says(cheart, tmp_path, monkeypatch):
    few = partial(cohort.simulate, frames=4, jobs=1)  # drawing 20 frames would take most of the test
    monkeypatch.setattr(cohort, "simulate", few)
    monkeypatch.setattr(train, "train", partial(train.train, jobs=1))
    out = tmp_path / "demo"
    answer = cheart("demo", out, "-n", 20, "--grid", "32x32x32@5x5x4", "--epochs", 2)
    assert answer.code == 0, answer
    assert "simulated" in answer.out
    lines = [line for line in answer.out.splitlines() if line.startswith("  ") and line[2] != " "]
    named = {line.split()[0].rstrip("/") for line in lines}
    assert named | {"checksums.sha256"} == {path.name for path in out.iterdir()}
    assert len(list((out / "generated").glob("sub-*_dseg.nii.gz"))) == 6
