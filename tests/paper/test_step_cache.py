from pathlib import Path

import pytest

from cheart.files import read_json
from cheart.paper.step_cache import Step, StepCache, in_words


def run(out: Path, *steps: Step) -> list[str]:
    """What is said while the steps are done."""
    said: list[str] = []
    StepCache(out).run(steps, said.append)
    return said


def test_a_step_is_done_once_for_the_same_inputs_and_outputs(tmp_path: Path) -> None:
    out, done = tmp_path / "out.txt", []

    def work() -> None:
        done.append(1)
        out.write_text("x")

    def do(inputs: int) -> None:
        run(tmp_path, Step("a", 1.0, lambda: {"n": inputs}, [out], work))

    do(1), do(1)
    assert len(done) == 1
    do(2)
    assert len(done) == 2
    out.unlink()
    do(2)
    assert len(done) == 3


def test_a_step_that_failed_is_not_done_and_its_time_is_kept(tmp_path: Path) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Step("a", 1.0, dict, [], fail))
    entry = read_json(tmp_path / "steps.json")["a"]
    assert not entry["finished"]
    run(tmp_path, Step("a", 1.0, dict, [], lambda: None))
    again = read_json(tmp_path / "steps.json")["a"]
    assert again["finished"]
    assert again["seconds"] >= entry["seconds"]


def test_headings_say_which_step_of_how_many_and_what_is_left(tmp_path: Path) -> None:
    said = run(
        tmp_path, *(Step(name, cost, dict, [], lambda: None) for name, cost in zip("abc", (1, 1, 2), strict=True))
    )
    assert said[0] == "step 1 of 3: a"
    assert said[1].startswith("step 2 of 3: b   (about ")


@pytest.mark.parametrize(("seconds", "words"), [(8.2, "8 s"), (720, "12 min"), (19000, "5.3 h")])
def test_durations(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
