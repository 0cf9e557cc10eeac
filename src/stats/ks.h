/* SPDX-License-Identifier: Apache-2.0 */
/* The two-sample Kolmogorov–Smirnov test (metrics.md 1.4). Pure. */
#ifndef GYRE_STATS_KS_H
#define GYRE_STATS_KS_H

#include <stddef.h>
#include <stdint.h>

struct ks {
	double d;         /* largest distance of the two distribution functions, 0…1 */
	double p;         /* two-sided; exact where n m <= KS_EXACT_MAX, else Stephens' correction */
	double low, high; /* the true distance lies within, with 95 % (Dvoretzky–Kiefer–Wolfowitz with
			     Massart's constant) */
	double at;        /* the value where the distance is */
	int sign;         /* 1: a is the smaller one there (its distribution function is above) */
};

#define KS_EXACT_MAX 5000000.0

/* Both sorted ascending, no NAN, n and m at least 1. */
void ks_test(const double *a, size_t n, const double *b, size_t m, struct ks *out);
double ks_p_exact(size_t n, size_t m, uint64_t h); /* P(max |i m - j n| >= h); d = h / (n m) */
double ks_p_asymptotic(size_t n, size_t m, double d);
/* The smallest d with p <= alpha, for these sizes: what can be seen; within 1/4096 of it. NAN: so few that
 * not even 1 is enough. */
double ks_critical(size_t n, size_t m, double alpha);

#endif
