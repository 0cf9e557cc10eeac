/* SPDX-License-Identifier: Apache-2.0 */
/* A set of names that point into a file; what a file chooses cannot make it slow or large. */
#ifndef GYRE_ENGINE_NAME_SET_H
#define GYRE_ENGINE_NAME_SET_H

#include "base/span.h"

struct name_set_entry;

struct name_set {
	struct name_set_entry *entries; /* open addressing, on the heap */
	size_t room;                    /* a power of two, or 0 */
	size_t count, count_max;
	uint64_t seed; /* random: a file cannot be made to collide */
};

void name_set_init(struct name_set *n, size_t count_max);
void name_set_release(struct name_set *n);
/* Names in two parts; the second may be empty. False when it would pass count_max. Adding twice is adding
 * once. */
bool name_set_add(struct name_set *n, struct span name, struct span part);
bool name_set_has(const struct name_set *n, struct span name, struct span part);

#endif
