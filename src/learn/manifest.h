/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a dataset version says, as one hash, and how two versions differ. Two versions
 * have the same hash if and only if they have the same pictures under the same names,
 * labelled alike, kept alike for evaluation: whatever their ids, times and order. The
 * form of what is hashed is docs/internals/manifest.md.
 */
#ifndef GYRE_LEARN_MANIFEST_H
#define GYRE_LEARN_MANIFEST_H

#include "base/hash.h"
#include "store/db.h"

struct manifest_line {
	const char *text; /* "<blob> <annotation> <training|evaluation> <size>:<filename>\n" */
	const char *filename;
	uint32_t key_size; /* bytes of text that name the picture: its blob */
	struct uuid asset_id;
};

struct manifest {
	int64_t revision;
	char hash[SHA256_HEX_SIZE];
	struct manifest_line *lines; /* by their bytes */
	size_t count;
};

/* Of one snapshot; all in the arena. ST_MISSING: there is no such version. */
enum status manifest_read(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct manifest *out, struct err *err) MUST_CHECK;

enum manifest_change { MANIFEST_ADDED, MANIFEST_REMOVED, MANIFEST_CHANGED, MANIFEST_CHANGE_COUNT };
struct manifest_item {
	enum manifest_change what;
	const char *filename;
	struct uuid asset_id; /* REMOVED: of the other version */
};

struct manifest_diff {
	size_t only_here, only_there, changed, same;
	struct manifest_item *items; /* the first items_max of those that are not the same, by filename */
	size_t count;
};

/* A picture under its name that both have, labelled otherwise or kept otherwise, has changed. */
void manifest_compare(const struct manifest *here, const struct manifest *there, size_t items_max,
	struct arena *a, struct manifest_diff *out);

#endif
