/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sample of each day that makes a uniform sample of any range: the predictions with the smallest hashes of
 * their ids. A day that was cut has all below its largest kept hash; so a range has all below the smallest
 * such hash of its days, each prediction with the same chance.
 */
#include "watch/rollups.h"

#include "base/compare.h"

#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

int64_t rollup_hash(struct uuid prediction_id)
{
	uint64_t halves[2], x;
	memcpy(halves, prediction_id.bytes, sizeof(halves));
	x = halves[0] ^ (halves[1] * UINT64_C(0x9e3779b97f4a7c15));
	x = (x ^ (x >> 30)) *
	    UINT64_C(0xbf58476d1ce4e5b9); /* splitmix64's finish (Steele, Lea, Flood 2014) */
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (int64_t)((x ^ (x >> 31)) >> 1);
}

/* ---- writing ---- */

struct day {
	int64_t start_us, kept, largest; /* largest: of the hashes that are kept */
};

static bool is_full(const struct day *d)
{
	return d->kept >= ROLLUP_SAMPLE_MAX;
}

static enum status read_day(
	struct db_conn *c, struct uuid deployment_id, int64_t start_us, struct day *out, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT kept, largest FROM sample_day WHERE deployment_id = $1 AND start_us = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, start_us);
	*out = (struct day){.start_us = start_us};
	if (db_next(&q)) {
		out->kept = db_integer(&q, 0);
		out->largest = db_integer(&q, 1);
	}
	return db_done(&q, err);
}

static enum status write_day(
	struct db_conn *c, struct uuid deployment_id, const struct day *d, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO sample_day (deployment_id, start_us, kept, largest) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (deployment_id, start_us) DO UPDATE SET kept = excluded.kept,"
		" largest = excluded.largest");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, d->start_us);
	db_bind_integer(&q, d->kept);
	db_bind_integer(&q, d->largest);
	return db_done(&q, err);
}

static enum status keep(struct db_conn *c, struct uuid deployment_id, struct day *d,
	const struct rollup_drawn *item, int64_t hash, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO sample (deployment_id, start_us, hash, position, created_us)"
			    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, d->start_us);
	db_bind_integer(&q, hash);
	db_bind_integer(&q, item->position);
	db_bind_integer(&q, item->created_us);
	TRY(db_done(&q, err));
	d->kept += db_changes(c);
	if (hash > d->largest)
		d->largest = hash;
	return ST_OK;
}

/* Down to the size of a sample: what is above its last hash goes. */
static enum status cut(struct db_conn *c, struct uuid deployment_id, struct day *d, struct err *err)
{
	struct db_query q = db_query(c, "SELECT hash FROM sample WHERE deployment_id = $1 AND start_us = $2"
					" ORDER BY hash LIMIT 1 OFFSET $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, d->start_us);
	db_bind_integer(&q, ROLLUP_SAMPLE_MAX - 1);
	TRY(rows_number(&q, &d->largest, err));
	q = db_query(c, "DELETE FROM sample WHERE deployment_id = $1 AND start_us = $2 AND hash > $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, d->start_us);
	db_bind_integer(&q, d->largest);
	TRY(db_done(&q, err));
	d->kept = ROLLUP_SAMPLE_MAX;
	return ST_OK;
}

enum status rollups_add_sample(struct db_conn *c, struct uuid deployment_id, int64_t day_us,
	const struct rollup_drawn *items, size_t count, struct err *err)
{
	struct day d;
	bool any = false;
	TRY(read_day(c, deployment_id, day_us, &d, err));
	const int64_t below = is_full(&d) ? d.largest : INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const int64_t hash = rollup_hash(items[i].prediction_id);
		if (hash >= below)
			continue;
		any = true;
		TRY(keep(c, deployment_id, &d, &items[i], hash, err));
	}
	if (!any)
		return ST_OK;
	if (d.kept > ROLLUP_SAMPLE_MAX)
		TRY(cut(c, deployment_id, &d, err));
	return write_day(c, deployment_id, &d, err);
}

/* ---- reading ---- */

struct range {
	struct uuid deployment_id;
	int64_t from_us, to_us;
	int64_t complete; /* up to this hash all predictions of its days are kept */
	bool cut;
	double expected; /* how many those are */
};

/* The days that a range touches: which hashes all of them keep. */
static enum status look_at_days(struct db_conn *c, struct range *r, struct err *err)
{
	struct db_query q = db_query(c, "SELECT kept, largest FROM sample_day WHERE deployment_id = $1"
					" AND start_us > $2 AND start_us < $3");
	double density = 0; /* of kept ones, a hash */
	db_bind_uuid(&q, r->deployment_id);
	db_bind_integer(&q, r->from_us - (int64_t)ROLLUP_DAY_S * 1000000);
	db_bind_integer(&q, r->to_us);
	r->complete = INT64_MAX;
	while (db_next(&q)) {
		const struct day d = {0, db_integer(&q, 0), db_integer(&q, 1)};
		density += (double)d.kept / (is_full(&d) ? (double)d.largest + 1 : (double)INT64_MAX);
		if (is_full(&d) && d.largest < r->complete)
			r->complete = d.largest;
		r->cut |= is_full(&d);
	}
	r->expected = density * (double)r->complete;
	return db_done(&q, err);
}

/* Those up to a hash, the smallest first, at most `most`. The plus keeps SQLite from reading days whole: it
 * would look for s.start_us by the range of d.start_us, and leave the hash unused. */
static enum status read_below(struct db_conn *c, const struct range *r, int64_t hash, size_t most,
	struct arena *a, int64_t **positions, size_t *count, struct err *err)
{
	size_t room = 0;
	struct db_query q = db_query(c,
		"SELECT s.position FROM sample_day d CROSS JOIN sample s ON s.deployment_id = d.deployment_id"
		" AND s.start_us = +d.start_us AND s.hash <= $1"
		" WHERE d.deployment_id = $2 AND d.start_us > $3 AND d.start_us < $4"
		" AND s.created_us >= $5 AND s.created_us < $4 ORDER BY s.hash LIMIT $6");
	db_bind_integer(&q, hash);
	db_bind_uuid(&q, r->deployment_id);
	db_bind_integer(&q, r->from_us - (int64_t)ROLLUP_DAY_S * 1000000);
	db_bind_integer(&q, r->to_us);
	db_bind_integer(&q, r->from_us);
	db_bind_integer(&q, (int64_t)most);
	*positions = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*positions = rows_grow(a, *positions, *count, &room, sizeof(**positions));
		(*positions)[*count] = db_integer(&q, 0);
	}
	return db_done(&q, err);
}

enum status rollups_sample(struct db_conn *c, struct uuid deployment_id, int64_t from_us, int64_t to_us,
	size_t limit, struct arena *a, int64_t **positions, size_t *count, bool *exact, struct err *err)
{
	struct range r = {.deployment_id = deployment_id, .from_us = from_us, .to_us = to_us};
	TRY(look_at_days(c, &r, err));
	/* Many days have many times the limit: what is below a smaller hash is nearly always enough. */
	const double share = r.expected > 0 ? 1.5 * (double)limit / r.expected : 1;
	const bool is_first_try = share < 1;
	const int64_t hash = is_first_try ? (int64_t)((double)r.complete * share) : r.complete;
	TRY(read_below(c, &r, hash, limit + 1, a, positions, count, err));
	if (is_first_try && *count <= limit)
		TRY(read_below(c, &r, r.complete, limit + 1, a, positions, count, err));
	*exact = !r.cut && *count <= limit;
	if (*count > limit)
		*count = limit;
	if (*count > 0)
		qsort(*positions, *count, sizeof(**positions), compare_int64);
	return ST_OK;
}
