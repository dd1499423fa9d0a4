import numpy as np
import pytest

from cheart.models.beat_basis import fit_curves, numbers, plateau
from cheart.models.planes import PlaneSubject

T, P, M = 10, 3, 4


def subject(motion: np.ndarray, frames: list[int]) -> PlaneSubject:
    seen = np.zeros((T, P), bool)
    seen[frames] = True
    nothing = np.zeros((P, 2), np.float32)
    motion = np.where(seen[..., None], motion, 0).astype(np.float32)
    return PlaneSubject(nothing, nothing[:, 0], nothing[:, 0], np.zeros(4), motion, np.zeros((T, P)), seen)


def test_a_plateau_is_closed_and_holds_at_end_systole() -> None:
    curve = plateau(T, 3, 5)
    assert curve[0] == 0
    np.testing.assert_allclose(curve[3:6], 1)
    assert curve[1] == pytest.approx((1 - np.cos(np.pi / 3)) / 2)
    assert 0 < curve[-1] < 0.1


def test_where_only_end_systole_is_seen_there_is_one_curve_and_its_number_is_what_was_seen() -> None:
    motion = np.random.default_rng(0).normal(size=(T, P, M))
    hearts = (subject(motion, [3]), subject(motion, [5]))
    curves = fit_curves(hearts, 6)
    assert curves.shape == (1, T)
    found, seen = numbers(hearts[1], curves)
    assert seen.all()
    np.testing.assert_allclose(found[:, 0], motion[5], rtol=1e-6)


def test_whole_cycles_of_two_curves_are_held_by_two() -> None:
    rng = np.random.default_rng(0)
    t = 2 * np.pi * np.arange(T) / T
    waves = np.stack([1 - np.cos(t), np.sin(t)])
    hearts = tuple(subject(np.einsum("jt,jpm->tpm", waves, rng.normal(size=(2, P, M))), [*range(T)]) for _ in range(5))
    curves = fit_curves(hearts, 6)
    assert len(curves) == 2
    np.testing.assert_allclose(curves[:, 0], 0, atol=1e-6)
    found, _ = numbers(hearts[0], curves)
    np.testing.assert_allclose(np.einsum("jt,pjm->tpm", curves, found), hearts[0].motion, atol=1e-4)


def test_of_one_frame_the_numbers_are_the_most_probable_ones() -> None:
    rng = np.random.default_rng(0)
    curves, sd = np.linalg.qr(rng.normal(size=(T, 2)))[0].T, np.array([3.0, 0.1])
    hearts = [subject(np.einsum("jt,pjm->tpm", curves, rng.normal(size=(P, 2, M)) * sd[:, None]), [*range(T)])] * 2
    pair = subject(hearts[0].motion, [4])
    whole, found = numbers(hearts[0], curves)[0], numbers(pair, curves, sd)[0]
    np.testing.assert_allclose(np.einsum("j,pjm->pm", curves[:, 4], found), pair.motion[4], atol=1e-5)
    covariance = np.outer(curves[:, 4] * sd**2, 1) / (curves[:, 4] ** 2 @ sd**2)  # Σb / bᵀΣb
    np.testing.assert_allclose(found, covariance[None] * pair.motion[4][:, None], atol=1e-5)
    assert np.abs(found - whole).mean() < np.abs(numbers(pair, curves)[0] - whole).mean()
