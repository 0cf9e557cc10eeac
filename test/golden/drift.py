# SPDX-License-Identifier: Apache-2.0
"""Makes drift.txt: what SciPy, NumPy and counting in whole numbers say of made-up samples.

Run: python3 drift.py > drift.txt, with SciPy and NumPy. test_ks.c, test_chi_square.c and test_gaussian.c make the same
samples from the same generator.
"""

import math
from fractions import Fraction

import numpy
from scipy import stats

KS_CASES, KS_LARGE, CHI_CASES, GAUSS_CASES = 120, 12, 60, 12
SHRINK_MIN, RANK_MAX, COMPONENTS = 1e-4, 64, 8


class Chance:
    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % count


def ks_samples(seed):
    """Few different values, so that there are ties within and between."""
    chance = Chance(seed)
    most = 60 if seed < KS_CASES else 2000
    n, m = 1 + chance.below(most), 1 + chance.below(most)
    kinds, shift = 2 + chance.below(150), chance.below(40)
    a = [chance.below(kinds) for _ in range(n)]
    b = [chance.below(kinds) + (shift if seed % 3 == 0 else 0) for _ in range(m)]
    return sorted(a), sorted(b)


def touching(n, m, h):
    """The share of paths from (0, 0) to (n, m) that come to |i m - j n| >= h, as a fraction of whole numbers."""
    inside = [0] * (m + 1)
    for i in range(n + 1):
        for j in range(m + 1):
            if abs(i * m - j * n) >= h:
                inside[j] = 0
            elif i == 0 and j == 0:
                inside[j] = 1
            else:
                inside[j] = (inside[j] if i else 0) + (inside[j - 1] if j else 0)
    return 1 - Fraction(inside[m], math.comb(n + m, n))


def ks_case(seed):
    a, b = ks_samples(seed)
    result = stats.ks_2samp(a, b, method="exact")
    p = result.pvalue
    if len(a) * len(b) <= 3600:  # SciPy loses digits of small p: whole numbers do not
        p = float(touching(len(a), len(b), round(result.statistic * len(a) * len(b))))
        assert abs(p - result.pvalue) < 1e-9
    elif p < 1e-5:
        p = -1
    asymptotic = stats.ks_2samp(a, b, method="asymp").pvalue
    return result.statistic, p, asymptotic


def chi_case(seed):
    chance = Chance(seed + 7000)
    bins, total = 2 + chance.below(8), 40 + chance.below(400)
    counts = [[0] * bins, [0] * bins]
    for side in range(2):
        for _ in range(total * (side + 1)):
            at = chance.below(bins * bins)
            counts[side][int(math.isqrt(at)) if seed % 2 else at % bins] += 1
    a, b = (numpy.array(row, float) for row in counts)
    expected = (a + b) * min(a.sum(), b.sum()) / (a.sum() + b.sum())
    rare = expected < 5
    groups = [[i] for i in range(bins) if not rare[i]]
    rest = [i for i in range(bins) if rare[i] and a[i] + b[i] > 0]
    if rest:
        if expected[rest].sum() < 5 and groups:
            smallest = min(groups, key=lambda g: a[g[0]] + b[g[0]])
            groups.remove(smallest)
            rest += smallest
        groups.append(rest)
    if len(groups) < 2:
        return 0, 0.0, 1.0
    table = numpy.array([[a[g].sum() for g in groups], [b[g].sum() for g in groups]])
    result = stats.chi2_contingency(table, correction=False)
    return result.dof, result.statistic, result.pvalue


def gauss_vectors(chance, count, size, classes):
    rows = numpy.zeros((count, size), numpy.float32)
    labels = numpy.zeros(count, int)
    for r in range(count):
        labels[r] = chance.below(classes)
        value = 0.0
        for i in range(size):
            noise = (chance.below(2001) - 1000) / 1024 * (1 + i % 5)
            value = noise + value / 2 + (3.0 if i % classes == labels[r] else 0.0)
            rows[r, i] = value
    return rows, labels


def ledoit_wolf(rows):
    n, p = rows.shape
    covariance = rows.T @ rows / n
    mu = numpy.trace(covariance) / p
    delta = ((covariance - mu * numpy.eye(p)) ** 2).sum() / p
    spread = sum(((numpy.outer(x, x) - covariance) ** 2).sum() for x in rows) / n**2 / p
    share = 1.0 if spread >= delta else max(SHRINK_MIN, spread / delta)
    return (1 - share) * covariance + share * mu * numpy.eye(p)


def unit(rows):
    rows = rows.astype(float)
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


def gauss_case(seed):
    chance = Chance(seed + 9000)
    size = 2 + chance.below(24)
    count = 12 + chance.below(400)
    classes = 1 + chance.below(4) if seed % 2 else 1
    rows, labels = gauss_vectors(chance, count, size, classes)
    others, _ = gauss_vectors(chance, 4, size, classes)
    z = unit(rows)
    mean = z.mean(axis=0)
    _, vectors = numpy.linalg.eigh(numpy.cov((z - mean).T, bias=True))
    vectors = vectors[:, ::-1].T
    vectors = numpy.array([v if v[numpy.abs(v).argmax()] > 0 else -v for v in vectors])
    few = count < 5 * size
    basis = vectors[: min(RANK_MAX, count // 5, size)] if few else numpy.eye(size)
    reduced = (z - mean) @ basis.T
    centres = {c: reduced[labels == c].mean(axis=0) for c in range(classes) if (labels == c).any()}
    residuals = numpy.array([x - centres[c] for x, c in zip(reduced, labels, strict=True)])
    precision = numpy.linalg.inv(ledoit_wolf(residuals))
    asked = (unit(numpy.vstack([rows[:2], others])) - mean)
    distances = [min((x - c) @ precision @ (x - c) for c in centres.values()) for x in asked @ basis.T]
    projected = numpy.zeros(COMPONENTS)
    known = min(COMPONENTS, size, max(len(basis), COMPONENTS))
    projected[:known] = vectors[:known] @ asked[2]
    return count, size, classes, distances, projected


def main():
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by test/golden/drift.py. */")
    for seed in range(KS_CASES + KS_LARGE):
        print(f"KS({seed}, " + ", ".join(f"{x:.17g}" for x in ks_case(seed)) + ")")
    for seed in range(CHI_CASES):
        degrees, statistic, p = chi_case(seed)
        print(f"CHI({seed}, {degrees}, {statistic:.15g}, {p:.15g})")
    for seed in range(GAUSS_CASES):
        count, size, classes, distances, projected = gauss_case(seed)
        numbers = ", ".join(f"{x:.12g}" for x in [*distances, *projected])
        print(f"GAUSS({seed}, {count}, {size}, {classes}, {numbers})")


if __name__ == "__main__":
    main()
