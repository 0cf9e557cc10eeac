/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/e_process.h"

#include <math.h>
#include <stdlib.h>

#define LOG_2 0.69314718055994530942
#define SMALL 1e-18         /* of a sum: what follows is less than rounding */
#define MORE_MAX (1u << 20) /* disagreements: nobody reviews as many */

/*
 * With n = w + l the tail of the beta distribution is one of the binomial: P(Beta(1+w, 1+l) > 1/2) is
 * P(Bin(n+1, 1/2) <= w). So E = w! l! / (n+1)! · sum over k <= w of C(n+1, k), and by its last term
 * C(n+1, w) = (n+1)! / (w! (l+1)!) it is the sum of ratios to that term, divided by l + 1.
 */
static double log_below_half(double wins, double losses)
{
	double term = 1, sum = 1;
	for (double k = wins; k > 0 && term > SMALL * sum; k--) {
		term *= k / (wins + losses + 2 - k);
		sum += term;
	}
	return log(sum / (losses + 1));
}

/* Where wins are the most, those terms grow beyond all numbers: all of them are 2^(n+1), less those above w.
 */
static double log_above_half(double wins, double losses)
{
	double count = wins + losses + 1, term = 1, above = 0;
	for (double k = wins + 1; k <= count && term > SMALL * above; k++) { /* ratios to C(n+1, w+1) */
		above += term;
		term *= (count - k) / (k + 1);
	}
	int sign;
	double log_beta =
		lgamma_r(wins + 1, &sign) + lgamma_r(losses + 1, &sign) - lgamma_r(count + 1, &sign);
	/* w! l! / (n+1)! · C(n+1, w+1) = 1 / (w+1) */
	double log_rest = log(above / (wins + 1)) - count * LOG_2 - log_beta;
	return count * LOG_2 + log_beta + log1p(-exp(log_rest));
}

double e_process_log(uint64_t wins, uint64_t losses)
{
	double w = (double)wins, l = (double)losses;
	return wins <= losses ? log_below_half(w, l) : log_above_half(w, l);
}

uint64_t e_process_more(uint64_t wins, uint64_t losses, double needed)
{
	const double enough = log(needed);
	if (e_process_log(wins, losses) >= enough)
		return 0;
	/* One more of each: two wins out of two are no promise. */
	double rate = (double)(wins + 1) / (double)(wins + losses + 2);
	uint64_t low = 0, high = 1;
	if (!(rate > 0.5))
		return UINT64_MAX;
	for (;; low = high, high *= 2) {
		if (high > MORE_MAX)
			return UINT64_MAX;
		uint64_t won = (uint64_t)llround(rate * (double)high);
		if (e_process_log(wins + won, losses + high - won) >= enough)
			break;
	}
	while (low + 1 < high) {
		uint64_t middle = low + (high - low) / 2, won = (uint64_t)llround(rate * (double)middle);
		if (e_process_log(wins + won, losses + middle - won) >= enough)
			high = middle;
		else
			low = middle;
	}
	return high;
}
