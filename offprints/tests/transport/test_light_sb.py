"""LightSB against the plan between Gaussians in closed form, against finite differences, and against its own laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offprints.transport import light_sb as module
from offprints.transport.light_sb import Bridge, LightSB, gaussian_plan
from offprints.transport.light_sb_claims import experiment


def _bridge(seed: int, *, full: bool, parts: int = 3, size: int = 2, precision: Any = np.float64) -> Bridge:
    chance = np.random.default_rng(seed)
    spreads = chance.uniform(0.3, 1.2, (parts, size))
    if full:
        factors = chance.uniform(-0.7, 0.7, (parts, size, size))
        spreads = factors @ factors.transpose(0, 2, 1) + 0.3 * np.eye(size)
    arrays = np.log(chance.dirichlet(np.ones(parts))), chance.standard_normal((parts, size)), spreads
    return Bridge(0.5, *(array.astype(precision) for array in arrays))


@pytest.mark.parametrize("full", [True, False], ids=["full", "diagonal"])
def test_the_conditional_plan_is_the_formula(full: bool) -> None:
    bridge = _bridge(0, full=full)
    matrices = bridge.spreads if full else np.array([np.diag(spread) for spread in bridge.spreads])
    x = np.array([0.4, -1.1])
    grid = np.stack(np.meshgrid(*[np.linspace(-9, 9, 601)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    logs = np.zeros(len(grid))
    density = np.zeros(len(grid))
    for log_weight, centre, matrix in zip(bridge.log_weights, bridge.centres, matrices, strict=True):
        apart = grid - centre
        spread = 0.5 * matrix
        logs = -0.5 * np.einsum("nd,de,ne->n", apart, np.linalg.inv(spread), apart)
        density += np.exp(log_weight + logs) / np.sqrt(np.linalg.det(2 * np.pi * spread))
    density *= np.exp(grid @ x / 0.5)  # the plan is v(y) exp(x y / eps), up to its sum
    density /= density.sum()
    mean = density @ grid
    covariance = (grid - mean).T @ ((grid - mean) * density[:, None])
    assert np.allclose(bridge.conditional_mean(x[None])[0], mean, atol=1e-3)
    assert np.allclose(bridge.conditional_covariance(x[None])[0], covariance, atol=1e-3)


@pytest.mark.parametrize("full", [True, False], ids=["full", "diagonal"])
def test_the_gradient_is_that_of_the_loss(full: bool) -> None:
    options = LightSB(0.5, 3, "full" if full else "diagonal")
    chance = np.random.default_rng(1)
    x, y = chance.standard_normal((9, 2)), chance.standard_normal((7, 2)) + 1
    values = options._start(y, chance)
    values = [value + 0.2 * chance.standard_normal(value.shape) for value in values]
    if full:
        values[2] = np.tril(values[2])

    def loss(place: int, entry: tuple[int, ...], step: float) -> float:
        moved = [value.copy() for value in values]
        moved[place][entry] += step
        return options._bridge(moved).loss(x, y)

    gradient = module._loss_and_gradient(options._bridge(values), x, y)[1]
    slopes = [gradient[0], gradient[1], module._shape_slope(values[2], gradient[2])]
    for place, value in enumerate(values):
        for entry in np.ndindex(*value.shape):
            if full and place == 2 and entry[2] > entry[1]:
                continue
            slope = (loss(place, entry, 1e-6) - loss(place, entry, -1e-6)) / 2e-6
            assert slope == pytest.approx(slopes[place][entry], abs=1e-7)


def test_diagonal_and_full_matrices_say_the_same() -> None:
    thin = _bridge(2, full=False)
    thick = Bridge(thin.eps, thin.log_weights, thin.centres, np.array([np.diag(s) for s in thin.spreads]))
    x = np.random.default_rng(0).standard_normal((5, 2))
    assert np.allclose(thin.conditional_mean(x), thick.conditional_mean(x))
    assert np.allclose(thin.conditional_covariance(x), thick.conditional_covariance(x))
    assert thin.loss(x, x + 1) == pytest.approx(thick.loss(x, x + 1))


@pytest.mark.parametrize("full", [True, False], ids=["full", "diagonal"])
def test_samples_have_the_conditional_mean_and_covariance(full: bool) -> None:
    bridge = _bridge(3, full=full)
    x = np.tile([[0.5, -0.5]], (40_000, 1))
    sample = bridge.sample(x, seed=0)
    assert np.allclose(sample.mean(axis=0), bridge.conditional_mean(x[:1])[0], atol=0.03)
    assert np.allclose(np.cov(sample.T), bridge.conditional_covariance(x[:1])[0], atol=0.06)
    assert np.array_equal(sample, bridge.sample(x, seed=0))
    assert not np.array_equal(sample, bridge.sample(x, seed=1))


def test_the_fit_between_gaussians_is_the_plan_in_closed_form() -> None:
    chance = np.random.default_rng(0)
    source, target = np.array([[1.0, 0.3], [0.3, 0.7]]), np.array([[0.5, -0.2], [-0.2, 1.5]])
    x = chance.multivariate_normal([0, 0], source, 4000)
    y = chance.multivariate_normal([2, -1], target, 4000)
    bridge = LightSB(0.5, 1, "full", steps=1500).fit(x, y)
    plan = gaussian_plan(([0, 0], source), ([2, -1], target), 0.5)
    points = chance.multivariate_normal([0, 0], source, 100)
    assert np.abs(bridge.conditional_mean(points) - plan.conditional_mean(points)).mean() < 0.1
    assert np.allclose(bridge.conditional_covariance(points[:1])[0], plan.covariance, atol=0.06)


def test_the_plan_between_gaussians_is_what_sinkhorn_finds_on_a_grid() -> None:
    grid = np.linspace(-6, 6, 241)
    a, b = np.exp(-(grid**2) / 2), np.exp(-((grid - 1) ** 2) / (2 * 0.5))
    a, b = a / a.sum(), b / b.sum()
    cost = (grid[:, None] - grid) ** 2 / 2
    plan = ot.sinkhorn(a, b, cost, 0.4, method="sinkhorn_log", numItermax=5000, stopThr=1e-11)
    found = gaussian_plan(([0.0], [[1.0]]), ([1.0], [[0.5]]), 0.4)
    at = 150
    weights = plan[at] / plan[at].sum()
    mean = float(weights @ grid)
    assert found.conditional_mean(grid[at : at + 1, None])[0, 0] == pytest.approx(mean, abs=1e-3)
    assert found.covariance[0, 0] == pytest.approx(float(weights @ (grid - mean) ** 2), abs=1e-3)


def test_the_plan_between_gaussians_in_one_dimension_by_hand() -> None:
    # Of variances 1 and 1: the covariance c of both ends solves c^2 + eps c = 1.
    for eps in (0.1, 1.5, 10.0):
        c = float(gaussian_plan(([0.0], [[1.0]]), ([0.0], [[1.0]]), eps).slope[0, 0])
        assert c**2 + eps * c == pytest.approx(1.0)


@given(seed=st.integers(0, 1000), toll=st.floats(-5, 5))
def test_a_factor_on_the_potential_changes_nothing(seed: int, toll: float) -> None:
    bridge = _bridge(seed, full=False)
    other = Bridge(bridge.eps, bridge.log_weights + toll, bridge.centres, bridge.spreads)
    x = np.random.default_rng(seed).standard_normal((4, 2))
    assert np.allclose(bridge.weights(x), other.weights(x))
    assert bridge.loss(x, x) == pytest.approx(other.loss(x, x), abs=1e-9)


@given(seed=st.integers(0, 1000), scale=st.sampled_from([0.5, 2.0, 10.0]))
def test_a_change_of_unit_changes_nothing(seed: int, scale: float) -> None:
    bridge = _bridge(seed, full=False)
    other = Bridge(scale**2 * bridge.eps, bridge.log_weights, scale * bridge.centres, bridge.spreads)
    x = np.random.default_rng(seed).standard_normal((4, 2))
    assert np.allclose(other.conditional_mean(scale * x), scale * bridge.conditional_mean(x))


def test_the_true_bridge_has_the_smallest_loss() -> None:
    bridge = _bridge(4, full=True)
    x, matched = np.random.default_rng(0).standard_normal((2, 20_000, 2))
    y = bridge.sample(matched, seed=1)
    for seed in range(5):
        moved = Bridge(
            bridge.eps, bridge.log_weights, bridge.centres + _bridge(seed, full=True).centres / 3, bridge.spreads
        )
        assert bridge.loss(x, y) < moved.loss(x, y)


def test_points_far_away_do_not_overflow() -> None:
    bridge = _bridge(5, full=True)
    weights = bridge.weights(np.array([[1e4, -1e4]]))
    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_single_precision_stays_single(covariance: Any) -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 50, 2)).astype(np.float32)
    bridge = LightSB(0.5, 2, covariance, steps=20).fit(x, y)
    found = (bridge.centres, bridge.spreads, bridge.conditional_mean(x), bridge.sample(x, seed=0))
    assert {array.dtype for array in found} == {np.dtype(np.float32)}
    assert LightSB(0.5, 2, covariance, steps=2).fit([[1], [2]], [[3]]).centres.dtype == np.float64


def test_the_same_seed_gives_the_same_fit() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 50, 2))
    first, again, other = (LightSB(0.5, 3, steps=30, seed=seed).fit(x, y).centres for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_fit_leaves_the_samples_as_they_are() -> None:
    x, y = np.random.default_rng(0).standard_normal((2, 50, 2))
    kept = x.copy(), y.copy()
    LightSB(0.5, 3, steps=30).fit(x, y)
    assert np.array_equal(x, kept[0])
    assert np.array_equal(y, kept[1])


@pytest.mark.parametrize(
    ("x", "y", "error", "sentence"),
    [
        pytest.param(np.ones((3, 2)), np.ones((3, 1)), ValueError, "x has 2 dimensions and y has 1", id="dimensions"),
        pytest.param(np.ones(3), np.ones((3, 1)), ValueError, "an n x d array", id="one dimension"),
        pytest.param(np.ones((0, 2)), np.ones((3, 2)), ValueError, "an n x d array", id="no point"),
        pytest.param(np.full((3, 2), np.nan), np.ones((3, 2)), ValueError, "x holds NaN", id="NaN"),
        pytest.param(np.ones((3, 2)), np.full((3, 2), np.inf), ValueError, "y holds NaN or an infinite", id="infinite"),
        pytest.param(np.ones((3, 2)) * 1j, np.ones((3, 2)), TypeError, "real numbers", id="complex"),
    ],
)
def test_samples_that_cannot_be_fitted_are_refused(x: Any, y: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        LightSB(0.5).fit(x, y)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"eps": 0.0}, "eps is 0.0; it must be above zero"),
        ({"eps": float("nan")}, "eps is nan"),
        ({"eps": 1.0, "components": 0}, "components is 0"),
        ({"eps": 1.0, "rate": -1.0}, "rate is -1.0"),
        ({"eps": 1.0, "covariance": "round"}, "write diagonal or full"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        LightSB(**options)


@pytest.mark.parametrize("name", ["weights", "means", "conditional_mean", "conditional_covariance", "sample", "loss"])
def test_what_only_the_plan_has_is_said_so(name: str) -> None:
    with pytest.raises(AttributeError, match=rf"fit\(x, y\) returns one, and that has {name}"):
        getattr(LightSB(0.1), name)
    assert hasattr(Bridge, name)


def test_points_of_another_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match="have 3 dimensions, the plan has 2"):
        _bridge(0, full=False).conditional_mean(np.ones((4, 3)))


def test_a_regularisation_of_zero_has_no_closed_form() -> None:
    with pytest.raises(ValueError, match=r"eps is 0\.0"):
        gaussian_plan(([0.0], [[1.0]]), ([0.0], [[1.0]]), 0.0)


def test_the_metric_of_the_experiment_is_zero_for_the_truth_and_100_for_a_point_at_the_mean() -> None:
    pair = experiment.make_pair(0, 100, 2, 0.1)
    assert experiment.unexplained(pair, pair.truth) == pytest.approx(0.0, abs=1e-6)
    moved = pair.truth[0] + np.sqrt(pair.spread / 2 / 2), pair.truth[1]
    assert experiment.unexplained(pair, moved) == pytest.approx(100.0)
