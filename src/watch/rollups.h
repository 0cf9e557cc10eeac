/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of watch.db: roll-ups, grids, sources, samples and positions; read for pages, written by the tail. */
#ifndef GYRE_WATCH_ROLLUPS_H
#define GYRE_WATCH_ROLLUPS_H

#include "store/db.h"
#include "watch/heat.h"
#include "watch/summary.h"

enum rollup_view { ROLLUP_ANSWERED, ROLLUP_RECUT };

#define ROLLUP_MINUTE_S 60
#define ROLLUP_HOUR_S 3600
#define ROLLUP_DAY_S 86400
#define ROLLUP_SOURCES_MAX 64       /* of a deployment, with roll-ups of their own */
#define ROLLUP_OTHER_SOURCE "other" /* where the rest is counted */
#define ROLLUP_SAMPLE_MAX 5000      /* kept of a day */

struct rollup_key {
	struct uuid deployment_id;
	enum rollup_view view;
	int level_s;        /* ROLLUP_MINUTE_S … */
	const char *source; /* "": all */
	int64_t start_us;
	struct uuid version_id;
	bool is_shadow;
};

/* The start of the minute, hour or day (UTC) that a time is in. */
int64_t rollup_start_us(int64_t time_us, int level_s);

/* ---- roll-ups ---- */

/* Adds to what is there. Inside the transaction that moves the position. */
enum status rollups_add(struct db_conn *c, const struct rollup_key *key, const struct summary *s,
	struct arena *a, struct err *err) MUST_CHECK;
/* The key's level is not looked at, its start is the day's. Label -1: shapes of any label, a grid of its own.
 */
enum status rollups_add_heat(struct db_conn *c, const struct rollup_key *day, int32_t label,
	const struct heat *h, struct arena *a, struct err *err) MUST_CHECK;

/* Each roll-up of one level that starts in [from_us, to_us), oldest first, champions' and shadows'; version
 * zero: of each. The key's start, and whether it is a shadow's, are not looked at. Packed: summary.h. */
typedef enum status rollups_each(
	void *arg, const struct rollup_key *key, struct span packed, struct err *err);
enum status rollups_read(struct db_conn *c, const struct rollup_key *key, int64_t from_us, int64_t to_us,
	rollups_each *each, void *arg, struct err *err) MUST_CHECK;
/* Days that touch [from_us, to_us), added to `into`; version zero: of each, which makes sense of label -1
 * alone, as labels are a version's. */
enum status rollups_read_heat(struct db_conn *c, const struct rollup_key *key, int64_t from_us, int64_t to_us,
	int32_t label, struct heat *into, struct err *err) MUST_CHECK;
/* The starts of the first and the last minute with a champion's prediction, of all sources; both 0: none. */
enum status rollups_span(struct db_conn *c, struct uuid deployment_id, int64_t *first_us, int64_t *last_us,
	struct err *err) MUST_CHECK;
/* Takes away all of a view. */
enum status rollups_clear(
	struct db_conn *c, struct uuid deployment_id, enum rollup_view view, struct err *err) MUST_CHECK;

/* ---- sources ---- */

/* Sources with a roll-up of their own, by name; "other" is among them when there is. Names in the arena. */
enum status rollups_sources(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	const char ***names, size_t *count, struct err *err) MUST_CHECK;
/* Which source's roll-ups count it: itself, from the first time on, or "other". Never "". */
enum status rollups_source(struct db_conn *c, struct uuid deployment_id, const char *source,
	const char **counted_as, struct err *err) MUST_CHECK;

/* ---- samples: docs/internals/rollups.md says why they are uniform ---- */

struct rollup_drawn {
	struct uuid prediction_id;
	int64_t position, created_us;
};
/* Champions' predictions of one day: those with the smallest hashes stay. In any order, the result is the
 * same. */
enum status rollups_add_sample(struct db_conn *c, struct uuid deployment_id, int64_t day_us,
	const struct rollup_drawn *items, size_t count, struct err *err) MUST_CHECK;
/* Positions of a uniform sample of the champions' predictions in [from_us, to_us), at most limit, ascending;
 * *exact: it is all of them. */
enum status rollups_sample(struct db_conn *c, struct uuid deployment_id, int64_t from_us, int64_t to_us,
	size_t limit, struct arena *a, int64_t **positions, size_t *count, bool *exact,
	struct err *err) MUST_CHECK;
int64_t rollup_hash(struct uuid prediction_id); /* 0 and more */

/* ---- how far ---- */

/* Of the log: what is up to it is counted. 0: nothing. */
enum status rollups_position(struct db_conn *c, int64_t *position, struct err *err) MUST_CHECK;
enum status rollups_set_position(struct db_conn *c, int64_t position, struct err *err) MUST_CHECK;
/* Of ROLLUP_RECUT: at which threshold, and up to where; *found false: there is none. */
struct rollup_recut {
	double threshold;
	int64_t position;
};
enum status rollups_recut(struct db_conn *c, struct uuid deployment_id, struct rollup_recut *out, bool *found,
	struct err *err) MUST_CHECK;
enum status rollups_set_recut(struct db_conn *c, struct uuid deployment_id, const struct rollup_recut *recut,
	struct err *err) MUST_CHECK;

/* All of a deployment, in every table of watch.db. */
enum status rollups_forget(struct db_conn *c, struct uuid deployment_id, struct err *err) MUST_CHECK;

#endif
