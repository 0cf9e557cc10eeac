/* SPDX-License-Identifier: Apache-2.0 */
/* A set of names that point into a file; what a file chooses cannot make it slow or large. */
#ifndef GYRE_ENGINE_NAMES_H
#define GYRE_ENGINE_NAMES_H

#include "base/span.h"

struct names_entry;

struct names {
	struct names_entry *entries; /* open addressing, on the heap */
	size_t room;                 /* a power of two, or 0 */
	size_t count, count_max;
	uint64_t seed; /* random: a file cannot be made to collide */
};

void names_init(struct names *n, size_t count_max);
void names_release(struct names *n);
/* Names in two parts; the second may be empty. False when it would pass count_max. Adding twice is adding
 * once. */
bool names_add(struct names *n, struct span name, struct span part);
bool names_has(const struct names *n, struct span name, struct span part);

#endif
