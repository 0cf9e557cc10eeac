/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact: the share of lattice paths from (0, 0) to (n, m) that touch |i m - j n| >= h. It is the probability
 * of touching that is added up, never one minus that of staying inside, so that small p keep their digits;
 * only cells inside of the band are visited.
 */
#include "stats/ks.h"

#include "base/check.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#define CONFIDENCE 0.95

/* 2 exp(-2 n e^2) = (1 - CONFIDENCE) / 2 for each of the two distribution functions. */
static double reach(size_t n)
{
	return sqrt(log(4 / (1 - CONFIDENCE)) / (2 * (double)n));
}

void ks_test(const double *a, size_t n, const double *b, size_t m, struct ks *out)
{
	CHECK(n > 0 && m > 0);
	size_t i = 0, j = 0;
	int64_t farthest = 0;
	*out = (struct ks){.at = a[0] < b[0] ? a[0] : b[0]};
	while (i < n && j < m) {
		double at = a[i] < b[j] ? a[i] : b[j];
		while (i < n && a[i] <= at)
			i++;
		while (j < m && b[j] <= at)
			j++;
		int64_t apart = (int64_t)(i * m) - (int64_t)(j * n);
		if (llabs(apart) > llabs(farthest)) {
			farthest = apart;
			out->at = at;
		}
	}
	uint64_t h = (uint64_t)llabs(farthest);
	out->d = (double)h / ((double)n * (double)m);
	out->sign = (farthest > 0) - (farthest < 0);
	out->p = (double)n * (double)m <= KS_EXACT_MAX ? ks_p_exact(n, m, h) : ks_p_asymptotic(n, m, out->d);
	double e = reach(n) + reach(m);
	out->low = fmax(0, out->d - e);
	out->high = fmin(1, out->d + e);
}

double ks_p_exact(size_t n, size_t m, uint64_t h)
{
	if (h == 0)
		return 1;
	if (n < m) { /* the row is the shorter one */
		size_t other = n;
		n = m;
		m = other;
	}
	double *touch = malloc((m + 1) * sizeof(*touch));
	CHECK(touch != NULL);
	for (size_t j = 0; j <= m; j++)
		touch[j] = 1;
	for (size_t i = 0; i <= n; i++) {
		uint64_t at = (uint64_t)i * m;
		size_t first = at >= h ? (size_t)((at - h) / n) + 1 : 0;
		size_t last = (size_t)((at + h - 1) / n);
		if (last > m)
			last = m;
		if (first > 0 && first <= m + 1)
			touch[first - 1] = 1;
		for (size_t j = first; j <= last; j++) {
			if (i == 0 && j == 0)
				touch[0] = 0;
			else if (j > 0)
				touch[j] =
					((double)i * touch[j] + (double)j * touch[j - 1]) / (double)(i + j);
		}
	}
	double p = touch[m];
	free(touch);
	return p;
}

double ks_p_asymptotic(size_t n, size_t m, double d)
{
	double root = sqrt((double)n * (double)m / (double)(n + m));
	double lambda = (root + 0.12 + 0.11 / root) * d, p = 0;
	if (lambda < 0.2)
		return 1; /* 1 - p < 1e-12, where the series does not end */
	for (int k = 1; k <= 100; k++) {
		double term = exp(-2.0 * k * k * lambda * lambda);
		p += k % 2 ? 2 * term : -2 * term;
		if (term < 1e-18 * p)
			break;
	}
	return fmin(1, fmax(0, p));
}

static uint64_t common(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

double ks_critical(size_t n, size_t m, double alpha)
{
	CHECK(n > 0 && m > 0 && alpha > 0 && alpha < 1);
	bool exact = (double)n * (double)m <= KS_EXACT_MAX;
	uint64_t step = common(n, m), all = (uint64_t)n * m; /* d is a multiple of step / all */
	uint64_t low = 0, high = all / step;
	double guess = sqrt(-log(alpha / 2) / 2 * (double)(n + m) / (double)all);
	uint64_t near = (uint64_t)(fmin(1, 1.05 * guess) * (double)high);
	if (exact && ks_p_exact(n, m, high * step) > alpha)
		return NAN;
	for (bool first = true; high - low > 1 && high - low > high / 4096; first = false) {
		uint64_t middle = first && near > low && near < high ? near : low + (high - low) / 2;
		double p = exact ? ks_p_exact(n, m, middle * step)
				 : ks_p_asymptotic(n, m, (double)(middle * step) / (double)all);
		if (p <= alpha)
			high = middle;
		else
			low = middle;
	}
	return (double)(high * step) / (double)all;
}
