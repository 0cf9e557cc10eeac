/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/chi_square.h"

#include <math.h>
#include <stdbool.h>

#define TERMS_MAX 10000

/* P(a, x), the lower regularised incomplete gamma function, by its series; for x < a + 1. */
static double lower_series(double a, double x)
{
	double term = 1 / a, sum = term;
	for (int n = 1; n < TERMS_MAX && fabs(term) > 1e-17 * fabs(sum); n++) {
		term *= x / (a + n);
		sum += term;
	}
	return sum * exp(-x + a * log(x) - lgamma(a));
}

/* Q(a, x) = 1 - P(a, x) by Lentz's continued fraction; for x >= a + 1. */
static double upper_fraction(double a, double x)
{
	double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
	for (int i = 1; i < TERMS_MAX; i++) {
		double an = -i * (i - a);
		b += 2;
		d = an * d + b;
		d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
		c = b + an / c;
		c = fabs(c) < 1e-300 ? 1e-300 : c;
		h *= d * c;
		if (fabs(d * c - 1) < 1e-16)
			break;
	}
	return h * exp(-x + a * log(x) - lgamma(a));
}

double chi_square_p(double statistic, unsigned degrees)
{
	double a = degrees / 2.0, x = statistic / 2;
	if (degrees == 0 || !(x > 0))
		return 1;
	double p = x < a + 1 ? 1 - lower_series(a, x) : upper_fraction(a, x);
	return fmin(1, fmax(0, p));
}

struct pair {
	double a, b;
};

/* The smaller of what is expected of the two samples. */
static double expected_of(struct pair bin, struct pair all)
{
	return (bin.a + bin.b) * fmin(all.a, all.b) / (all.a + all.b);
}

static double statistic_of(struct pair bin, struct pair all)
{
	double both = (bin.a + bin.b) / (all.a + all.b);
	if (!(both > 0))
		return 0;
	double from_a = bin.a - both * all.a, from_b = bin.b - both * all.b;
	return from_a * from_a / (both * all.a) + from_b * from_b / (both * all.b);
}

void chi_square_two_samples(const uint64_t *a, const uint64_t *b, size_t bin_count, struct chi_square *out)
{
	struct pair all = {0}, rest = {0};
	size_t rarest = bin_count, used = 0;
	*out = (struct chi_square){.p = 1};
	for (size_t i = 0; i < bin_count; i++) {
		all.a += (double)a[i];
		all.b += (double)b[i];
	}
	if (!(all.a > 0 && all.b > 0))
		return;
	for (size_t i = 0; i < bin_count; i++) {
		if (expected_of((struct pair){(double)a[i], (double)b[i]}, all) < CHI_SQUARE_EXPECTED_MIN) {
			rest.a += (double)a[i];
			rest.b += (double)b[i];
		} else if (rarest == bin_count || a[i] + b[i] < a[rarest] + b[rarest]) {
			rarest = i;
		}
	}
	bool some = rest.a + rest.b > 0;
	bool with_rarest = some && expected_of(rest, all) < CHI_SQUARE_EXPECTED_MIN && rarest < bin_count;
	if (with_rarest) {
		rest.a += (double)a[rarest];
		rest.b += (double)b[rarest];
	}
	for (size_t i = 0; i < bin_count; i++) {
		struct pair bin = {(double)a[i], (double)b[i]};
		if (expected_of(bin, all) < CHI_SQUARE_EXPECTED_MIN || (with_rarest && i == rarest))
			continue;
		out->statistic += statistic_of(bin, all);
		used++;
	}
	if (some) {
		out->statistic += statistic_of(rest, all);
		used++;
	}
	out->degrees = used > 1 ? (unsigned)(used - 1) : 0;
	out->statistic = out->degrees ? out->statistic : 0;
	out->p = chi_square_p(out->statistic, out->degrees);
}
