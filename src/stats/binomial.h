/* SPDX-License-Identifier: Apache-2.0 */
/* How surprising a count is, when each of n has the same chance. Pure. */
#ifndef GYRE_STATS_BINOMIAL_H
#define GYRE_STATS_BINOMIAL_H

#include <stdint.h>

/* P(X >= k) of n independent draws with the chance p each, exact: 0 <= p <= 1. k beyond n: 0. */
double binomial_at_least(uint64_t k, uint64_t n, double p);

#endif
