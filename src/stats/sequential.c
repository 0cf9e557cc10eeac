/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/sequential.h"

#include "base/check.h"

#include <math.h>
#include <string.h>

#define TOLERANCE_MIN 0.03
/* Of the mean of as many uniform values as the reference has. Of 76 such means (19 features, two streams, two
 * ways) one is past it in one reference of 50, and then by little. */
#define DEVIATIONS 3.5

#define BESIDES 0.05 /* past the tolerance, for guessing since when: or the guess is much too early */

/* Small ones find small changes, large ones are quick. */
static const double stakes[SEQUENTIAL_BETS] = {0.05, 0.1, 0.2, 0.4, 0.8, 1.2, 1.6};
static const enum sequential_change changes[2][2] = {
	{SEQUENTIAL_HIGHER, SEQUENTIAL_LOWER}, {SEQUENTIAL_WIDER, SEQUENTIAL_NARROWER}};

const char *sequential_change_name(enum sequential_change c)
{
	static const char *const names[] = {NULL, "lower", "higher", "wider", "narrower"};
	CHECK(c < COUNT_OF(names));
	return names[c];
}

void sequential_reset(struct sequential *s)
{
	memset(s, 0, sizeof(*s));
}

/* One way of one stream; `past` is how far the value is past the tolerance that way. Returns the sum of bets.
 */
static double add(struct sequential *s, int stream, int way, double past, double tolerance)
{
	double total = 0, stake_max = 1 / (0.5 + tolerance); /* more could lose more than all */
	for (int i = 0; i < SEQUENTIAL_BETS; i++) {
		double *bet = &s->bets[stream][way][i];
		*bet = fmin((*bet + 1) * (1 + fmin(stakes[i], stake_max) * past), 1e300);
		total += *bet;
	}
	double *sum = &s->sums[stream][way];
	*sum = fmax(0, *sum + past - BESIDES);
	if (*sum == 0)
		s->since[stream][way] = s->seen;
	return total;
}

enum sequential_change sequential_add(
	struct sequential *s, double u, double tolerance, double limit, double *strength)
{
	CHECK(u >= 0 && u <= 1 && tolerance >= 0 && tolerance <= 0.5 && limit > 0);
	enum sequential_change change = SEQUENTIAL_NONE;
	const double values[2] = {u, 2 * fabs(u - 0.5)};
	*strength = 0;
	s->seen++;
	for (int stream = 0; stream < 2; stream++) {
		double from_middle = values[stream] - 0.5;
		double up = add(s, stream, 0, from_middle - tolerance, tolerance);
		double down = add(s, stream, 1, -from_middle - tolerance, tolerance);
		double evidence = (up + down) / (2 * SEQUENTIAL_BETS) / limit;
		if (evidence > *strength) {
			*strength = evidence;
			change = changes[stream][down > up];
		}
	}
	return change;
}

uint64_t sequential_changed(const struct sequential *s, enum sequential_change c)
{
	for (int stream = 0; stream < 2; stream++)
		for (int way = 0; way < 2; way++)
			if (changes[stream][way] == c)
				return s->seen - s->since[stream][way];
	return 0;
}

double sequential_limit(unsigned features, double images)
{
	return 2 * (features ? features : 1) * images;
}

double sequential_tolerance(uint64_t reference_size)
{
	if (reference_size == 0)
		return 0.5;
	double e = DEVIATIONS / sqrt(12 * (double)reference_size);
	return fmin(0.5, fmax(TOLERANCE_MIN, e));
}
