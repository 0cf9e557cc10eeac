/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/binomial.h"

#include <math.h>

static double log_gamma(double x)
{
	int sign;
	return lgamma_r(x, &sign);
}

static double chance_of(double k, double n, double p)
{
	return exp(log_gamma(n + 1) - log_gamma(k + 1) - log_gamma(n - k + 1) + k * log(p) +
		   (n - k) * log1p(-p));
}

/* Added up away from the mean, where terms shrink, until they do not matter. */
static double sum_upwards(double k, double n, double p)
{
	double term = chance_of(k, n, p), sum = term;
	for (; k < n && term > sum * 1e-17; k++) {
		term *= (n - k) / (k + 1) * p / (1 - p);
		sum += term;
	}
	return sum;
}

double binomial_at_least(uint64_t k, uint64_t n, double p)
{
	if (k == 0)
		return 1;
	if (k > n || p <= 0)
		return 0;
	if (p >= 1)
		return 1;
	if ((double)k > (double)n * p)
		return fmin(sum_upwards((double)k, (double)n, p), 1);
	/* At most k - 1 of them is at least n - k + 1 of the others. */
	return fmax(1 - sum_upwards((double)(n - k + 1), (double)n, 1 - p), 0);
}
