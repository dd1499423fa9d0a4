"""Motion applied to the observed heart, on ellipsoids that beat as their size says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cheart.cohort import Cohort
from cheart.completions import QUANTITIES
from cheart.conditions import PAPER_SCHEMA, Factor, Schema
from cheart.datasets.posing import read_heart
from cheart.errors import InputError
from cheart.evaluation.completion import evaluate_completion
from cheart.evidence import Evidence
from cheart.labels import LV, RV
from cheart.metrics.overlap import dice
from cheart.model import Model, load
from cheart.training.train import train
from cohorts import tiny_cohort

pytestmark = pytest.mark.slow

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "acdc-training"


@pytest.fixture(scope="module")
def moved(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Model:
    run = tmp_path_factory.mktemp("motion") / "run"
    train(cohort, run, model="motion", settings=("landmarks=200", "residual=8"), jobs=1)
    return load(run)


def person(model: Model, cohort: Cohort, index: int) -> np.ndarray:
    return model.encode({n: cohort.conditions(index)[n] for n in model.encoding.schema.names})


def test_the_first_frame_is_the_one_that_was_given(moved: Model, cohort: Cohort) -> None:
    real = cohort.heart(int(cohort.indices("test")[0]))
    made = moved.complete(real, {})
    np.testing.assert_array_equal(made.labels[0], real.labels[0])


def test_it_moves_hearts_that_it_has_not_seen(moved: Model, cohort: Cohort) -> None:
    own, copied = (evaluate_completion(moved, cohort, copy_first=copy).subjects.dice_es for copy in (False, True))
    assert own.mean() > copied.mean() + 0.03


def test_of_a_thick_stack_only_observed_planes_are_taken(moved: Model, cohort: Cohort) -> None:
    real = cohort.heart(int(cohort.indices("test")[0]))
    seen = real.observed[0].copy()
    seen[::2] = False
    sparse = np.where(seen[:, None, None], real.labels[0], 0).astype(np.uint8)
    made = moved.network.complete(Evidence.of_frame(sparse, seen, cohort.frames), person(moved, cohort, 0))
    np.testing.assert_array_equal(made[0, seen], real.labels[0, seen])
    assert dice(made[:1], real.labels[:1]).min() > 0.8, "what lies between is filled in"


def test_a_seed_is_a_sample(moved: Model, cohort: Cohort) -> None:
    known = Evidence.of_first_frame(cohort.heart(int(cohort.indices("test")[0])))
    nobody = person(moved, cohort, 0)
    one, same, other = (moved.network.complete(known, nobody, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one[1:] != other[1:]).any()
    np.testing.assert_array_equal(one[0], other[0])


def test_it_refuses_what_it_cannot_do(moved: Model) -> None:
    with pytest.raises(InputError, match="motion model cannot generate; it can complete"):
        moved.generate({})


def test_going_on_makes_room_for_a_condition_and_for_modes_and_knows_what_was_known(
    moved: Model, cohort: Cohort
) -> None:
    group = Factor("group", "level", levels=("NOR", "DCM"))
    wider = Cohort(cohort.path, cohort.info, Schema((*PAPER_SCHEMA.factors, group)), cohort.table.assign(group="DCM"))
    people = [wider.conditions(int(i)) for i in wider.indices("train")]
    was = moved.network.setting
    setting = replace(was, encoding=was.encoding.extended(wider.schema, people))
    more = moved.network.fine_tuned(setting, moved.network.options, wider, moved.population, seed=0, jobs=1)
    assert len(more.planes.motion) > len(moved.network.planes.motion)
    known = Evidence.of_first_frame(cohort.heart(int(cohort.indices("test")[0])))
    own = cohort.conditions(int(cohort.indices("test")[0]))
    for seed in (None, 3):
        before = moved.network.complete(known, moved.encode(own), seed=seed)
        after = more.complete(known, setting.encoding.encode([{**own, "group": "NOR"}])[0], seed=seed)
        assert dice(before, after).min() > 0.995


def test_with_few_patients_going_on_is_better_than_they_alone(moved: Model, cohort: Cohort, tmp_path) -> None:
    pairs = tiny_cohort(tmp_path / "pairs", n=20, pair=True)
    pairs = pairs.resplit([("train", "val", "test", "test", "test")[i % 5] for i in range(20)])
    for name, start in (("alone", None), ("more", moved.folder)):
        settings = () if start else ("landmarks=200", "residual=8")
        train(pairs, tmp_path / name, model="motion", settings=settings, start_from=start, jobs=1)
    alone, more = (evaluate_completion(load(tmp_path / n), pairs).subjects.dice_es.mean() for n in ("alone", "more"))
    assert more > alone + 0.005


def known_es(cohort: Cohort, planes: slice, measured: dict[str, float] | None = None) -> tuple[Evidence, int]:
    """End-diastole of a test subject, some planes of end-systole, and its frame."""
    real = cohort.heart(int(cohort.indices("test")[0]))
    es = real.phenotypes.es_frame
    assert es is not None
    seen = np.zeros_like(real.observed)
    seen[0], seen[es, planes] = True, True
    return Evidence(np.where(seen[..., None, None], real.labels, 0).astype(np.uint8), seen, measured or {}), es


def test_a_frame_that_was_given_comes_back_and_three_of_its_planes_say_most_of_it(moved: Model, cohort: Cohort) -> None:
    """Of a heart that is no smaller at end-systole, as three planes show: the rest of it is not either."""
    real, nobody = cohort.heart(int(cohort.indices("test")[0])), person(moved, cohort, 0)
    whole, es = known_es(cohort, slice(None))
    np.testing.assert_array_equal(moved.network.complete(whole, nobody)[es], real.labels[es])
    few, _ = known_es(cohort, slice(12, 20, 3))
    still = few.labels.copy()
    still[es] = np.where(few.observed[es][:, None, None], real.labels[0], 0)
    blind = moved.network.complete(Evidence.of_first_frame(real), nobody)
    told = moved.network.complete(replace(few, labels=still), nobody)
    rest = ~few.observed[es]
    one, other = (dice(labels[es : es + 1, rest], real.labels[:1, rest]).mean() for labels in (blind, told))
    assert other > one + 0.05


@pytest.mark.real_data
@pytest.mark.skipif(not REAL.is_dir(), reason="shared/data/acdc-training is absent")
@pytest.mark.parametrize(("patient", "es"), [("patient005", 13), ("patient021", 13)])
def test_no_frame_is_much_emptier_than_an_end_systole_that_was_given(patient: str, es: int) -> None:
    ed, es_file = (REAL / patient / f"{patient}_frame{frame:02d}_gt.nii.gz" for frame in (1, es))
    heart = read_heart(ed, es_file=es_file, scheme="acdc", spacing="pixdim", mirrored=True)
    made = load("clinical").complete(heart, given={"frames": "observed"})
    (_, given) = made.given
    for cavity in (LV, RV):
        volumes = (made.labels == cavity).sum(axis=(1, 2, 3))
        assert volumes.min() > 0.8 * volumes[given]


@pytest.mark.parametrize("lvef", [30.0, 45.0])
def test_a_measured_ejection_fraction_is_kept(moved: Model, cohort: Cohort, lvef: float) -> None:
    real = cohort.heart(int(cohort.indices("test")[0]))
    known = Evidence.of_first_frame(real, {"lvef": lvef})
    samples = [moved.network.complete(known, person(moved, cohort, 0), seed=seed) for seed in range(4)]
    found = [moved.heart(labels).phenotypes.lvef for labels in samples]
    assert np.mean(found) == pytest.approx(lvef, abs=5)


def test_a_measurement_of_what_was_observed_is_refused(moved: Model, cohort: Cohort) -> None:
    known = Evidence.of_first_frame(cohort.heart(0), {"lvedv": 150.0})
    with pytest.raises(InputError, match="given lvedv: end-diastole is observed as it is; expected one of lvesv"):
        moved.network.complete(known, person(moved, cohort, 0))


def test_intervals_know_how_wide_they_should_be(moved: Model, cohort: Cohort) -> None:
    made = moved.complete(cohort.heart(int(cohort.indices("test")[0])), n=3)
    assert set(made.widen) == set(QUANTITIES)
    assert made.intervals()["sd"].notna().all()
