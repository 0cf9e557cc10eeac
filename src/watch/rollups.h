/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of watch.db's roll-ups: read for pages, written by the tail. */
#ifndef GYRE_WATCH_ROLLUPS_H
#define GYRE_WATCH_ROLLUPS_H

#include "store/db.h"
#include "watch/heat.h"
#include "watch/summary.h"

enum rollup_view { ROLLUP_ANSWERED, ROLLUP_RECUT };

struct rollup_key {
	struct uuid deployment_id;
	enum rollup_view view;
	int level_s;        /* 60, 3600, 86400 */
	const char *source; /* "": all */
	int64_t start_us;
	struct uuid version_id;
	bool is_shadow;
};

/* Adds to what is there. Inside the transaction that moves the position. */
enum status rollups_add(struct db_conn *c, const struct rollup_key *key, const struct summary *s,
	struct arena *a, struct err *err) MUST_CHECK;
enum status rollups_add_heat(struct db_conn *c, const struct rollup_key *day, int32_t label,
	const struct heat *h, struct arena *a, struct err *err) MUST_CHECK;

/* Each roll-up of one level in [from_us, to_us), oldest first; version zero: each. Packed: summary.h. */
typedef enum status rollups_each(
	void *arg, const struct rollup_key *key, struct span packed, struct err *err);
enum status rollups_read(struct db_conn *c, const struct rollup_key *key, int64_t from_us, int64_t to_us,
	rollups_each *each, void *arg, struct err *err) MUST_CHECK;
/* Days that touch [from_us, to_us), summed; label -1: of all. By version, as labels are a version's. */
enum status rollups_read_heat(struct db_conn *c, const struct rollup_key *key, int64_t from_us, int64_t to_us,
	int32_t label, struct heat *into, struct err *err) MUST_CHECK;
/* Sources with a roll-up of their own; *other: there is "other" besides. Names in the arena. */
enum status rollups_sources(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	const char ***names, size_t *count, struct err *err) MUST_CHECK;
/* Positions of a uniform sample of the champions' predictions in [from_us, to_us), at most limit, ascending;
 * *exact: it is all of them. docs/internals/rollups.md says why it is uniform over days of unlike size. */
enum status rollups_sample(struct db_conn *c, struct uuid deployment_id, int64_t from_us, int64_t to_us,
	size_t limit, struct arena *a, int64_t **positions, size_t *count, bool *exact,
	struct err *err) MUST_CHECK;

#endif
