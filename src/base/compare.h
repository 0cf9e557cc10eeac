/* SPDX-License-Identifier: Apache-2.0 */
/* Orders for qsort() and bsearch(): the smaller first. */
#ifndef GYRE_BASE_COMPARE_H
#define GYRE_BASE_COMPARE_H

#include "base/uuid.h"

#include <string.h>

static inline int compare_int64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Without NAN. */
static inline int compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* By bytes: those of version 7 by time. */
static inline int compare_uuid(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

#endif
