import numpy as np
import pytest

from cheart.conditions import PAPER_SCHEMA, Encoding
from cheart.evidence import Evidence
from cheart.models.base import Setting
from cheart.models.linear_start import ridge_left_out
from cheart.models.ridge import MeanBeat, Ridge, RidgeOptions
from cohorts import on_shapes


@pytest.fixture(scope="module")
def fitted(cohort):
    people = [cohort.conditions(i) for i in range(len(cohort))]
    encoding = Encoding.fit(PAPER_SCHEMA, people)
    shapes, data = on_shapes(cohort, cohort.indices("train"), encoding, modes=6)
    models = {}
    for kind in (Ridge, MeanBeat):
        model = kind(Setting(cohort.grid, cohort.frames, encoding), RidgeOptions(modes=6), shapes)
        model.fit(data, data)
        models[kind] = model
    return models, shapes, data, encoding


def test_what_is_left_out_is_what_the_others_do_not_predict():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    weight, bias, off = ridge_left_out(x, y)
    assert np.abs(off).mean() > np.abs(y - x @ weight - bias).mean()
    alone = np.r_[1:20]
    by_hand = y[0] - y[alone].mean(0)  # at the largest penalty, almost the mean of the others
    assert np.allclose(off[0], by_hand, atol=1.0)


def test_ridge_follows_the_heart_and_the_mean_beat_does_not(fitted):
    models, _, data, _ = fitted
    losses = {kind: float(model.validation_loss(data.subjects).mean()) for kind, model in models.items()}
    assert losses[Ridge] < 0.6 * losses[MeanBeat]


def test_the_given_frame_stays_and_samples_differ_in_motion(fitted, cohort):
    model, encoding = fitted[0][Ridge], fitted[3]
    evidence = Evidence.of_first_frame(cohort.heart(0))
    conditions = encoding.encode([cohort.conditions(0)])[0]
    best, one, again, two = (model.complete(evidence, conditions, seed=s) for s in (None, 1, 1, 2))
    assert best.shape == (cohort.frames, *cohort.grid.shape)
    assert np.array_equal(one, again)
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(best[0], one[0])
    assert not np.array_equal(one, two)


def test_generated_hearts_vary_as_the_training_hearts_do(fitted, cohort):
    encoding = fitted[3]
    ridge = fitted[0][Ridge]
    conditions = encoding.encode([cohort.conditions(0)])[0]
    size = [int((ridge.generate(conditions, seed=s)[0] == 1).sum()) for s in range(12)]
    real = [int((cohort.labels(i)[0] == 1).sum()) for i in range(len(cohort))]
    assert 0.1 * np.std(real) < np.std(size) < 3 * np.std(real)
    assert 0.5 * np.mean(real) < np.mean(size) < 2 * np.mean(real)


def test_a_heart_that_is_encoded_comes_back_at_end_diastole(fitted, cohort):
    ridge, encoding = fitted[0][Ridge], fitted[3]
    heart, conditions = cohort.heart(0), encoding.encode([cohort.conditions(0)])[0]
    made = ridge.decode(ridge.encode(heart.labels[0], heart.observed[0], conditions), conditions)
    evidence = Evidence.of_first_frame(heart)
    assert (made[0] != ridge.complete(evidence, conditions)[0]).mean() < 0.01
