import numpy as np
import pytest
from scipy.stats import multivariate_normal

from cheart.simulation.clinical.form import (
    LEAST_SEVERITY,
    SEVERITY_SD,
    WALL,
    basis,
    draw_form,
    draw_severity,
    field,
    moments,
    posterior,
    prior,
)  # fmt: skip
from cheart.simulation.clinical.people import KIND_NAMES, KINDS, prevalence
from cheart.simulation.clinical.segments import TERRITORIES, means_of


def density(form, kind, severity):
    """log p(e | k, τ) by the book, of many k and τ."""
    m = moments()
    mean = m.mean[kind] + severity[:, None] * m.slope[kind]
    z = (form - mean)[:, 4:] / m.sd[4:]
    found = -(z**2).sum(1) / 2
    for k in np.unique(kind):
        sizes = multivariate_normal(np.zeros(4), m.size_root[k] @ m.size_root[k].T)
        found[kind == k] += sizes.logpdf((form - mean)[kind == k, :4])
    return found


def test_what_end_diastole_tells_agrees_with_brute_force(population):
    """Draws of kind and severity from what is known before, weighted by the density of the form."""
    rng = np.random.default_rng(1)
    judged = 0
    for i in range(12):
        kinds = prevalence(population.people[i])
        kind, severity = prior(kinds).draw(rng, 20_000)
        log_w = density(population.form[i], kind, severity)
        weight = np.exp(log_w - log_w.max())
        weight /= weight.sum()
        effective = 1 / (weight**2).sum()
        if effective < 200:  # brute force says too little of this heart
            continue
        judged += 1
        exact = posterior(population.form[i], kinds)
        brute = np.bincount(kind, weights=weight, minlength=len(KINDS))
        assert np.abs(brute - exact.kinds).max() < 4 * 0.5 / np.sqrt(effective)
        drawn = exact.draw(rng, 4000)[1]
        assert drawn.mean() == pytest.approx((weight * severity).sum(), abs=5 * SEVERITY_SD / np.sqrt(effective))
    assert judged >= 4


def test_the_posterior_is_calibrated(population):
    """Where it says that a kind has probability p, it is that kind in a share p of people."""
    found = np.stack(
        [posterior(f, prevalence(p)).kinds for f, p in zip(population.form, population.people, strict=True)]
    )
    truly = np.eye(len(KINDS))[population.kind]
    for low, high in ((0.05, 0.3), (0.3, 0.7), (0.7, 0.95)):
        inside = (found > low) & (found <= high)
        error = np.sqrt((found[inside] * (1 - found[inside])).sum()) / inside.sum()
        assert truly[inside].mean() == pytest.approx(found[inside].mean(), abs=4 * error)


def test_forms_have_the_moments_of_their_kind():
    rng = np.random.default_rng(2)
    k = KIND_NAMES.index("dcm")
    form = draw_form(np.full(4000, k), np.full(4000, 1.2), rng)
    m = moments()
    assert np.allclose(form.mean(0), m.mean[k] + 1.2 * m.slope[k], atol=5 * m.sd * 1.4 / np.sqrt(4000))
    assert np.allclose(np.cov(form[:, :4].T), m.size_root[k] @ m.size_root[k].T, atol=0.003)


def test_severity_is_a_cut_normal():
    drawn = draw_severity(np.random.default_rng(3), 5000)
    assert drawn.min() >= LEAST_SEVERITY
    assert drawn.mean() == pytest.approx(1.02, abs=0.03)


def test_an_infarct_thins_its_territory():
    m = moments()
    for name, shares in TERRITORIES.items():
        thinner = means_of(field(m.slope[KIND_NAMES.index(name), WALL]))
        assert np.corrcoef(thinner, -shares)[0, 1] > 0.9, name


def test_unit_coefficients_give_a_field_of_unit_variance():
    draws = field(np.random.default_rng(4).standard_normal((500, len(basis()))))
    assert draws.std() == pytest.approx(1, abs=0.05)
