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

PEOPLE: tuple[dict[str, float | str | None], ...] = (
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
    from cheart.cli.console import inform
    from cheart.files import new_folder

    start = time.perf_counter()
    with new_folder(out, overwrite=overwrite) as folder:
        inform("1/5  A heart by the model that comes with cheart")
        _first(folder)
    inform(f"     {out / 'first.gif'} is there after {time.perf_counter() - start:.0f} s")
    cohort, model = _learn(out, subjects, grid, epochs)
    inform("4/5  Completing held-out hearts from their first frame")
    ours, copied = _complete(out, cohort, model)
    inform("5/5  Generating hearts for two people")
    _generate(out, model)
    print(_summary(out, cohort, ours, copied, model, time.perf_counter() - start))


def _first(folder: Path) -> None:
    """One heart by the bundled model, as NIfTI with its tables and a picture, and beating."""
    import cheart

    hearts = cheart.load().generate(PEOPLE[0])
    hearts.animate(folder / "first.gif")
    hearts.save(folder / "first")


def _learn(folder: Path, subjects: int, grid: str, epochs: int) -> tuple[Cohort, Model]:
    import cheart
    from cheart.cli.console import inform

    inform(f"2/5  Simulating {subjects} healthy hearts")
    cohort = cheart.simulate(folder / "cohort", n=subjects, seed=0, grid=grid)
    inform("3/5  Training CHeart on them")
    return cohort, cheart.train(cohort, folder / "model", preset="quick", settings={"epochs": epochs})


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
        made = model.complete(real, person)
        words = describe(person, cohort.schema)
        hearts += [real, made]
        titles += [f"held out, {words}", words]
    caption = "Each held-out simulated heart, and what the model made of its first frame"
    save_picture(folder / "completed.png", hearts, titles=titles, caption=caption)
    return ours, copied


def _generate(folder: Path, model: Model) -> None:
    """Three hearts for each of two people as NIfTI, a picture, and two of them beating."""
    from cheart.hearts import Hearts

    items = [item for person in PEOPLE for item in model.generate(person, n=3).items]
    hearts = Hearts(model, items, about={"seed": 0})
    hearts.save(folder / "generated")
    hearts[::3].animate(folder / "beating.gif")


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
