/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole numbers in as few bytes as they need, and arrays of counts of which most are 0: what packed summaries
 * and grids consist of (docs/internals/rollups.md). One value has one form: what another would write as well
 * is refused, so that equal things have equal bytes.
 */
#ifndef GYRE_WATCH_PACKING_H
#define GYRE_WATCH_PACKING_H

#include "base/arena.h"
#include "base/span.h"

struct packer {
	struct arena *arena;
	uint8_t *data;
	size_t size, room;
};
/* Seven bits a byte, the lowest first; the eighth says that more follow. */
void pack_number(struct packer *p, uint64_t value);
/* How many are not 0, then of each the zeros before it and what it is. */
void pack_counts(struct packer *p, const uint64_t *counts, uint32_t count);
void pack_counts_32(struct packer *p, const uint32_t *counts, uint32_t count);

struct unpacker {
	const uint8_t *at, *end;
	bool is_broken; /* something was not as it is written; zeros are given from then on */
};
uint64_t unpack_number(struct unpacker *u);
/* Adds; sums wrap around. */
void unpack_counts(struct unpacker *u, uint64_t *into, uint32_t count);
void unpack_counts_32(struct unpacker *u, uint32_t *into, uint32_t count);
/* Everything was read, and as it is written. */
bool unpack_ended(const struct unpacker *u);

#endif
