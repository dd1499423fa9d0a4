"""``cheart demo``: the main job from end to end, small."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cheart.cli.options import Overwrite

if TYPE_CHECKING:
    from cheart.cohort import Cohort
    from cheart.evaluation.completion import Completion
    from cheart.model import Model

PEOPLE = (
    {"age": 28.0, "sex": "F", "weight": 62.0, "height": 167.0, "sbp": 114.0},
    {"age": 68.0, "sex": "M", "weight": 84.0, "height": 176.0, "sbp": 142.0},
)
"""Two people who differ in age and sex."""


def demo(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write.")],
    subjects: Annotated[int, typer.Option("-n", min=20, help="Simulated subjects.")] = 240,
    grid: Annotated[str, typer.Option("--grid", help="paper, half, quarter …")] = "paper",
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="At most; the quick preset's training.")] = 200,
    overwrite: Overwrite = False,
) -> None:
    """A heart by the bundled model at once; then simulate a cohort, train on it, complete and generate."""
    from cheart.cli.say import say
    from cheart.files import new_folder

    start = time.perf_counter()
    with new_folder(out, overwrite=overwrite) as folder:
        say("1/5  A heart by the model that comes with cheart")
        _first(folder)
    say(f"     {out / 'first.gif'} is there after {time.perf_counter() - start:.0f} s")
    cohort, model = _learn(out, subjects, grid, epochs)
    say("4/5  Completing held-out hearts from their first frame")
    ours, copied = _complete(out, cohort, model)
    say("5/5  Generating hearts for two people")
    _generate(out, model)
    print(_summary(out, cohort, ours, copied, model, time.perf_counter() - start))


def _first(folder: Path) -> None:
    """One heart by the bundled model, as NIfTI with its tables and a picture, and beating."""
    from cheart.cli.options import finish
    from cheart.files import new_folder
    from cheart.model import load
    from cheart.plot.animation import save_animation
    from cheart.tasks.results import write_hearts

    model = load()
    hearts = model.generate(1, conditions=PEOPLE[0])
    save_animation(folder / "first.gif", hearts, caption=f"Model trained on {model.trained_on}")
    with new_folder(folder / "first") as made:
        finish(made, write_hearts(made, hearts, model, total=1, title="Writing", seed=0), model)


def _learn(folder: Path, subjects: int, grid: str, epochs: int) -> tuple[Cohort, Model]:
    from cheart.cli.say import say
    from cheart.grid import Grid
    from cheart.model import load
    from cheart.simulation.cohort import simulate
    from cheart.training.train import train

    say(f"2/5  Simulating {subjects} healthy hearts")
    cohort = simulate(folder / "cohort", n=subjects, seed=0, grid=Grid.parse(grid))
    say("3/5  Training CHeart on them")
    train(cohort, folder / "model", preset="quick", settings=[f"epochs={epochs}"])
    return cohort, load(folder / "model")


def _complete(folder: Path, cohort: Cohort, model: Model) -> tuple[Completion, Completion]:
    """Judge the model on the held-out subjects, and draw two of them beside their completions."""
    from cheart.conditions import describe
    from cheart.evaluation.completion import evaluate_completion
    from cheart.files import new_file
    from cheart.plot.picture import save_picture

    ours = evaluate_completion(model, cohort)
    copied = evaluate_completion(model, cohort, copy_first=True)
    with new_file(folder / "completion.csv") as partial:
        ours.subjects.to_csv(partial, index=False, float_format="%.6g")
    hearts, titles = [], []
    for index in map(int, cohort.indices("test")[:2]):
        person = cohort.conditions(index)
        real = cohort.heart(index)
        made = model.complete(real, conditions=person)
        words = describe(person, cohort.schema)
        hearts += [real, made]
        titles += [f"held out, {words}", words]
    caption = "Each held-out simulated heart, and what the model made of its first frame"
    save_picture(folder / "completed.png", hearts, titles=titles, caption=caption)
    return ours, copied


def _generate(folder: Path, model: Model) -> None:
    """Three hearts for each of two people as NIfTI, a picture, and two of them beating."""
    from cheart.cli.options import finish
    from cheart.files import new_folder
    from cheart.plot.animation import save_animation
    from cheart.tasks.results import write_hearts

    hearts = [heart for person in PEOPLE for heart in model.generate(3, conditions=person)]
    with new_folder(folder / "generated") as made:
        finish(made, write_hearts(made, hearts, model, total=len(hearts), title="Writing", seed=0), model)
    save_animation(folder / "beating.gif", hearts[::3], caption=f"Model trained on {model.trained_on}")


def _summary(out: Path, cohort: Cohort, ours: Completion, copied: Completion, model: Model, seconds: float) -> str:
    made, still = ours.summary(), copied.summary()

    def of(summary: dict[str, Any], name: str) -> str:
        return f"{summary[name]['mean']:.3f}"

    return "\n".join(
        [
            f"\n{out}: done in {seconds / 60:.1f} minutes. All of it is simulated, or made from simulated hearts.",
            "  first.gif       a heart for a woman of 28 by the bundled model; cheart info bundled",
            "  first/          the same as NIfTI, phenotypes.tsv, picture.png",
            f"  cohort/         {len(cohort)} simulated hearts; cheart info {out / 'cohort'}",
            f"  model/          a CHeart ({model.config['preset']} preset) trained on "
            f"{model.config['trained_on']['subjects']} of them",
            f"  completion.csv  {len(ours.subjects)} held-out hearts completed from their first frame: Dice LV "
            f"{of(made, 'dice_lv')}, Myo {of(made, 'dice_myo')}, RV {of(made, 'dice_rv')}, mean {of(made, 'dice')}",
            f"                  (repeating the first frame: {of(still, 'dice')}); at end-systole "
            f"{of(made, 'dice_es')} ({of(still, 'dice_es')})",
            "  completed.png   two of them beside what the model made of their first frame",
            "  generated/      3 hearts each for a woman of 28 and a man of 68: NIfTI, phenotypes.tsv, picture.png",
            "  beating.gif     one heart of each, beating",
            f"Open first: {out / 'beating.gif'}, then {out / 'completed.png'}.",
        ]
    )
