r"""Light Schrödinger Bridge: an entropic plan between two samples from a potential that is a mixture of Gaussians.

.. math::

    v(y) = \sum_k \alpha_k \, N(y \mid r_k, \varepsilon S_k), \qquad
    \pi(y \mid x) = \sum_k \tilde\alpha_k(x) \, N(y \mid r_k + S_k x, \varepsilon S_k), \qquad
    \tilde\alpha_k(x) \propto \alpha_k \exp \frac{x^T S_k x + 2 r_k^T x}{2 \varepsilon}

.. math::

    \min \; E_x \log c(x) - E_y \log v(y), \qquad
    c(x) = \sum_k \alpha_k \exp \frac{x^T S_k x + 2 r_k^T x}{2 \varepsilon}

The cost of moving x to y is :math:`\frac{1}{2} \lVert x - y \rVert^2`. For this potential the conditional plans, their
means and their samples are in closed form, and the loss needs nothing but the two samples.

>>> import numpy as np
>>> chance = np.random.default_rng(0)
>>> x, y = chance.standard_normal((500, 2)), 3 + chance.standard_normal((400, 2))
>>> bridge = LightSB(eps=0.1, components=4, steps=800).fit(x, y)
>>> bool(np.abs(bridge.conditional_mean(x).mean(axis=0) - y.mean(axis=0)).max() < 0.2)
True

Reference: Alexander Korotin, Nikita Gushchin, Evgeny Burnaev, "Light Schrödinger Bridge", 2023, arXiv:2310.01174. The
plan between Gaussians, `gaussian_plan`: Hicham Janati, Boris Muzellec, Gabriel Peyre, Marco Cuturi, arXiv:2006.02572.

How ours differs: plain numpy with gradients by hand in place of torch; the matrices S are diagonal, or full through
their Cholesky factors; the rate of ADAM falls to zero along a cosine. Paths of the bridge between its two ends are left
out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike

from offprints.transport.problems import Array, checked_positive

Covariance: TypeAlias = Literal["diagonal", "full"]


@dataclass(frozen=True, slots=True)
class Bridge:
    """A plan whose potential has K Gaussians in d dimensions.

    `log_weights` are K logarithms of the weights, `centres` K x d, `spreads` the matrices S: K x d when they are
    diagonal, else K x d x d. `eps` is the strength of the entropy, in the unit of the cost.
    """

    eps: float
    log_weights: Array
    centres: Array
    spreads: Array

    def weights(self, x: ArrayLike) -> Array:
        """The weights of the K parts of the conditional plan at each of the n points `x`: n x K, of sum 1."""
        return _softmax(self._log_parts(self._points(x)))

    def means(self, x: ArrayLike) -> Array:
        """The means of the K parts at each of the n points `x`: n x K x d."""
        points = self._points(x)
        moved = (
            points[:, None] * self.spreads if self.spreads.ndim == 2 else np.einsum("kde,ne->nkd", self.spreads, points)
        )
        means: Array = self.centres + moved
        return means

    def conditional_mean(self, x: ArrayLike) -> Array:
        """Where the mass at each of the n points `x` goes, in the mean: n x d (the barycentric map)."""
        mean: Array = np.einsum("nk,nkd->nd", self.weights(x), self.means(x))
        return mean

    def conditional_covariance(self, x: ArrayLike) -> Array:
        """How the mass at each of the n points `x` spreads: n x d x d."""
        weights, means = self.weights(x), self.means(x)
        centred = means - np.einsum("nk,nkd->nd", weights, means)[:, None]
        within = np.einsum("nk,kde->nde", weights, self.eps * _matrices(self.spreads))
        covariance: Array = within + np.einsum("nk,nkd,nke->nde", weights, centred, centred)
        return covariance

    def sample(self, x: ArrayLike, seed: int) -> Array:
        """For each of the n points `x` one point of its conditional plan: n x d. Repeatable by its seed."""
        chance = np.random.default_rng(seed)
        points = self._points(x)
        steps = np.cumsum(self.weights(points), axis=1)
        parts = np.minimum((steps < chance.random((len(points), 1))).sum(axis=1), len(self.centres) - 1)
        noise = chance.standard_normal(points.shape)
        if self.spreads.ndim == 2:
            moved, spread = self.spreads[parts] * points, np.sqrt(self.eps * self.spreads)[parts] * noise
        else:
            factors = np.linalg.cholesky(self.eps * self.spreads)[parts]
            moved = np.einsum("nde,ne->nd", self.spreads[parts], points)
            spread = np.einsum("nde,ne->nd", factors, noise)
        sample: Array = (self.centres[parts] + moved + spread).astype(points.dtype)
        return sample

    def loss(self, x: ArrayLike, y: ArrayLike) -> float:
        """The loss of the fit on n points `x` and m points `y`: up to a constant, the divergence from the true plan."""
        return _loss_and_gradient(self, self._points(x), self._points(y))[0]

    def _points(self, x: ArrayLike) -> Array:
        points = _checked_points("x", x).astype(self.centres.dtype, copy=False)
        if points.shape[1] != self.centres.shape[1]:
            raise ValueError(f"The points have {points.shape[1]} dimensions, the plan has {self.centres.shape[1]}.")
        return points

    def _log_parts(self, points: Array) -> Array:
        """The logarithms of the parts of c at each point: n x K."""
        forms = _forms(self.spreads, points) + 2 * (points @ self.centres.T)
        parts: Array = self.log_weights + forms / (2 * self.eps)
        return parts


@dataclass(frozen=True, slots=True)
class LightSB:
    """How to fit a `Bridge` to two samples: `components` Gaussians, by `steps` steps of ADAM on `batch` points each.

    `rate` is the rate at the start. `covariance` is ``diagonal``, whose steps cost less, or ``full``. The centres start
    at points of the target. Raises ValueError for numbers that are not above zero and for any other covariance.
    """

    eps: float
    components: int = 20
    covariance: Covariance = "diagonal"
    steps: int = 3000
    batch: int = 256
    rate: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        checked_positive(eps=self.eps, components=self.components, steps=self.steps, batch=self.batch, rate=self.rate)
        if self.covariance not in ("diagonal", "full"):
            raise ValueError(f"covariance is {self.covariance!r}; write diagonal or full.")

    if not TYPE_CHECKING:  # a checker of types knows better what is not here

        def __getattr__(self, name: str) -> Any:
            if name in ("weights", "means", "conditional_mean", "conditional_covariance", "sample", "loss"):
                raise AttributeError(f"LightSB has no plan of its own: fit(x, y) returns one, and that has {name}.")
            raise AttributeError(f"LightSB has no attribute {name!r}.")

    def fit(self, x: ArrayLike, y: ArrayLike) -> Bridge:
        """The plan between the n points `x` and the m points `y`, all of d dimensions, of their precision.

        Raises ValueError for NaN and for shapes that do not fit, TypeError for points that are not real numbers.
        """
        source, target = _checked_points("x", x), _checked_points("y", y)
        if source.shape[1] != target.shape[1]:
            raise ValueError(f"x has {source.shape[1]} dimensions and y has {target.shape[1]}; they must be alike.")
        precision = np.result_type(source, target)
        source, target = source.astype(precision, copy=False), target.astype(precision, copy=False)
        chance = np.random.default_rng(self.seed)
        values = self._start(target, chance)
        adam = _Adam(values)
        for step in range(self.steps):
            first = source[chance.integers(len(source), size=min(self.batch, len(source)))]
            second = target[chance.integers(len(target), size=min(self.batch, len(target)))]
            bridge = self._bridge(values)
            _loss, gradient = _loss_and_gradient(bridge, first, second)
            slopes = (gradient[0], gradient[1], _shape_slope(values[2], gradient[2]))
            adam.step(slopes, self.rate * 0.5 * (1 + math.cos(math.pi * step / self.steps)))
        return self._bridge(values)

    def _start(self, target: Array, chance: np.random.Generator) -> list[Array]:
        """Logarithms of weights, centres, and logarithms of S or a factor whose diagonal is in logarithms."""
        count, size = self.components, target.shape[1]
        centres = target[chance.choice(len(target), count, replace=count > len(target))].copy()
        shape = np.full((count, size), math.log(0.1))
        if self.covariance == "full":
            shape = np.tile(np.diag(np.full(size, math.log(0.1) / 2)), (count, 1, 1))
        return [np.full(count, -math.log(count), target.dtype), centres, shape.astype(target.dtype)]

    def _bridge(self, values: list[Array]) -> Bridge:
        return Bridge(self.eps, values[0].copy(), values[1].copy(), _spreads(values[2]))


@dataclass(frozen=True, slots=True)
class GaussianPlan:
    """An entropic plan between two Gaussians: at x the mean is `mean` + `slope` (x - `origin`)."""

    origin: Array
    mean: Array
    slope: Array
    covariance: Array

    def conditional_mean(self, x: ArrayLike) -> Array:
        """Where the mass at each of the n points `x` goes, in the mean: n x d."""
        mean: Array = self.mean + (np.asarray(x) - self.origin) @ self.slope.T
        return mean


def gaussian_plan(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], eps: float) -> GaussianPlan:
    r"""The entropic plan between two Gaussians, each given by its mean (d) and covariance (d x d), in closed form.

    .. math:: C = \frac{1}{2} A^{1/2} (4 A^{1/2} B A^{1/2} + \varepsilon^2 I)^{1/2} A^{-1/2} - \frac{\varepsilon}{2} I

    is the covariance between both ends. The cost is half of the squared distance.

    >>> import numpy as np
    >>> gaussian_plan((np.zeros(1), np.eye(1)), (np.ones(1), np.eye(1)), eps=1.5).slope
    array([[0.5]])
    """
    checked_positive(eps=eps)
    (origin, source), (mean, target) = ((np.asarray(m, float), np.asarray(c, float)) for m, c in (first, second))
    root = np.real(scipy.linalg.sqrtm(source))
    middle = np.real(scipy.linalg.sqrtm(4 * root @ target @ root + eps**2 * np.eye(len(source))))
    joint = 0.5 * root @ middle @ np.linalg.inv(root) - eps / 2 * np.eye(len(source))
    slope = np.linalg.solve(source, joint).T
    return GaussianPlan(origin, mean, slope, target - slope @ joint)


def _loss_and_gradient(bridge: Bridge, x: Array, y: Array) -> tuple[float, tuple[Array, Array, Array]]:
    """The loss, and its gradient in the logarithms of the weights, the centres, and the entries of S."""
    eps, centres, spreads = bridge.eps, bridge.centres, bridge.spreads
    parts = bridge._log_parts(x)  # noqa: SLF001 -- the same module
    densities, inverse = _log_densities(bridge, y)
    loss = float(_log_sum(parts).mean() - _log_sum(densities).mean())
    ours, theirs = _softmax(parts) / len(x), _softmax(densities) / len(y)
    share = theirs.sum(axis=0)
    pulled = theirs.T @ y - share[:, None] * centres
    if spreads.ndim == 2:
        to_centres = (ours.T @ x - pulled * inverse) / eps
        squares = theirs.T @ y**2 - 2 * centres * (theirs.T @ y) + share[:, None] * centres**2
        to_spreads = ours.T @ x**2 / (2 * eps) - (squares * inverse / eps - share[:, None]) * inverse / 2
    else:
        to_centres = (ours.T @ x - np.einsum("kde,ke->kd", inverse, pulled)) / eps
        apart = y[:, None] - centres
        scatter = np.matmul((theirs[..., None] * apart).transpose(1, 2, 0), apart.transpose(1, 0, 2))
        moments = np.matmul((ours[..., None] * x[:, None]).transpose(1, 2, 0), x)
        to_spreads = moments / (2 * eps) - (inverse @ scatter @ inverse / eps - share[:, None, None] * inverse) / 2
    return loss, (ours.sum(axis=0) - share, to_centres, to_spreads)


def _log_densities(bridge: Bridge, y: Array) -> tuple[Array, Array]:
    """The logarithms of the parts of v at each of the m points `y`, m x K, and the inverses of S."""
    eps, centres, spreads = bridge.eps, bridge.centres, bridge.spreads
    if spreads.ndim == 2:
        inverse = 1 / spreads
        volume = np.log(spreads).sum(axis=1)
        distances = y**2 @ inverse.T - 2 * y @ (centres * inverse).T + (centres**2 * inverse).sum(axis=1)
    else:
        inverse = np.linalg.inv(spreads)
        volume = np.linalg.slogdet(spreads)[1]
        apart = (y[:, None] - centres).transpose(1, 0, 2)
        distances = np.einsum("knd,knd->nk", apart @ inverse, apart)
    constant = volume + y.shape[1] * math.log(2 * math.pi * eps)
    return bridge.log_weights - (distances / eps + constant) / 2, inverse


def _forms(spreads: Array, points: Array) -> Array:
    """x^T S_k x at each point: n x K."""
    if spreads.ndim == 2:
        diagonal: Array = points**2 @ spreads.T
        return diagonal
    forms: Array = np.einsum("knd,nd->nk", points @ spreads, points)
    return forms


def _spreads(shape: Array) -> Array:
    """The matrices S of what is fitted."""
    if shape.ndim == 2:
        diagonal: Array = np.exp(shape)
        return diagonal
    factor = _factor(shape)
    return factor @ factor.transpose(0, 2, 1)


def _factor(shape: Array) -> Array:
    places = np.arange(shape.shape[1])
    factor = np.tril(shape, -1)
    factor[:, places, places] = np.exp(shape[:, places, places])
    return factor


def _shape_slope(shape: Array, to_spreads: Array) -> Array:
    """The gradient in what is fitted, from that in the entries of S."""
    if shape.ndim == 2:
        slope: Array = to_spreads * np.exp(shape)
        return slope
    factor = _factor(shape)
    lower = np.tril((to_spreads + to_spreads.transpose(0, 2, 1)) @ factor)
    places = np.arange(shape.shape[1])
    lower[:, places, places] *= factor[:, places, places]
    return lower


class _Adam:
    """ADAM (Kingma and Ba, arXiv:1412.6980) on arrays that it changes in place."""

    def __init__(self, values: list[Array]) -> None:
        self._values = values
        self._means = [np.zeros_like(value) for value in values]
        self._squares = [np.zeros_like(value) for value in values]
        self._steps = 0

    def step(self, gradients: tuple[Array, ...], rate: float) -> None:
        """One step down the gradients."""
        self._steps += 1
        first, second = 1 - 0.9**self._steps, 1 - 0.999**self._steps
        for place, gradient in enumerate(gradients):
            self._means[place] += 0.1 * (gradient - self._means[place])
            self._squares[place] += 0.001 * (gradient**2 - self._squares[place])
            width = np.sqrt(self._squares[place] / second) + 1e-8
            self._values[place] -= rate / first * self._means[place] / width


def _matrices(spreads: Array) -> Array:
    if spreads.ndim == 3:
        return spreads
    matrices: Array = spreads[:, :, None] * np.eye(spreads.shape[1], dtype=spreads.dtype)
    return matrices


def _softmax(logs: Array) -> Array:
    parts = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares: Array = parts / parts.sum(axis=1, keepdims=True)
    return shares


def _log_sum(logs: Array) -> Array:
    greatest = logs.max(axis=1)
    total: Array = greatest + np.log(np.exp(logs - greatest[:, None]).sum(axis=1))
    return total


def _checked_points(name: str, points: ArrayLike) -> Array:
    array: Array = np.asarray(points)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} is of type {array.dtype}; points are real numbers.")
    if array.ndim != 2 or not array.size:
        raise ValueError(f"{name} has shape {array.shape}; n points of d dimensions are needed, as an n x d array.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds NaN or an infinite number.")
    kept: tuple[np.dtype[Any], ...] = (np.dtype(np.float32), np.dtype(np.float64))
    return array if array.dtype in kept else array.astype(np.float64)
