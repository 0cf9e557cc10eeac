/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which burst a picture joins, the first of these that holds:
 *
 * 1. that of the same bytes, wherever and whenever they came;
 * 2. that of one of the pictures just before it, of the same source and within a minute, that looks roughly
 *    like it, while the burst is not ten minutes long;
 * 3. that of one of the last pictures that shows the same, or of which it is a part, or that is a part of it;
 * 4. one of its own.
 *
 * 2 and 3 leave out a burst of the same source that is full, so that a camera that stands still all day makes
 * many bursts and not one.
 */
#include "learn/burst.h"

#include "base/hash.h"
#include "os/thread.h"
#include "store/burst_rows.h"
#include "store/rows.h"
#include "vision/image_sign.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_US ((int64_t)1000000)
#define NEAR_US (60 * SECOND_US)
#define LONG_US (600 * SECOND_US) /* from its first picture */
#define PICTURES_MAX 200          /* of one burst; then it is full */
#define LOOK_BACK 2000            /* pictures that one is compared with */
#define NEAR_BITS 16              /* of 64 that may differ within a minute, */
#define NEAR_PICTURES 8           /* from one of so many before it */
#define BYTES_MAX ((size_t)64 << 20)

struct seen {
	struct burst_picture row;
	struct image_look *look; /* NULL: not looked at yet; width 0: not known */
	bool decoded;            /* its looks were not kept, and are to be */
};

struct burst {
	struct uuid id;
	int64_t pictures, first_us;
};

struct pass {
	const struct burst_store *store;
	struct db_conn *conn;
	struct arena *arena;
	struct seen *seen; /* newest last: those before, then the new ones */
	size_t before, count;
	struct burst *bursts; /* that were asked for */
	size_t burst_count, burst_room;
};

/* ---- what a picture looks like ---- */

/* Of one from before looks were kept. What cannot be decoded looks like nothing. */
static bool decode_sign(struct pass *p, const struct burst_picture *row, struct image_sign *out)
{
	struct err err;
	struct span bytes;
	struct image image;
	struct arena a;
	arena_init(&a);
	bool made = row->sha256 &&
		    blob_get(p->store->blobs, row->sha256, BYTES_MAX, &a, &bytes, &err) == ST_OK &&
		    image_decode(bytes, &image_limits_default, &image, &err) == ST_OK;
	if (made) {
		image_sign_make(&image, out);
		image_release(&image);
	}
	arena_release(&a);
	return made;
}

static void look_at(struct pass *p, struct seen *seen, bool may_decode)
{
	struct image_sign sign = {0};
	if (seen->look)
		return;
	if (seen->row.image_sign.size == sizeof(sign.luma)) {
		memcpy(sign.luma, seen->row.image_sign.data, sizeof(sign.luma));
		sign.width = seen->row.width;
		sign.height = seen->row.height;
	} else if (may_decode) {
		seen->decoded = decode_sign(p, &seen->row, &sign);
	}
	seen->look = ARENA_NEW(p->arena, struct image_look);
	image_look_make(&sign, seen->look);
}

/* Looks like something. */
static bool has_look(struct pass *p, struct seen *s)
{
	look_at(p, s, false);
	return s->look->sign.width != 0;
}

/* ---- bursts ---- */

static enum status find_burst(struct pass *p, struct uuid id, struct burst **out, struct err *err)
{
	for (size_t i = 0; i < p->burst_count; i++)
		if (uuid_equal(p->bursts[i].id, id)) {
			*out = &p->bursts[i];
			return ST_OK;
		}
	p->bursts = rows_grow(p->arena, p->bursts, p->burst_count, &p->burst_room, sizeof(*p->bursts));
	struct burst *b = *out = &p->bursts[p->burst_count++];
	b->id = id;
	return burst_rows_size(p->conn, id, &b->pictures, &b->first_us, err);
}

static bool same_source(const struct seen *a, const struct seen *b)
{
	return uuid_equal(a->row.source_id, b->row.source_id);
}

static bool within_a_minute(const struct seen *a, const struct seen *b)
{
	return llabs(a->row.created_us - b->row.created_us) <= NEAR_US;
}

/* Whether it may join the burst of another that it looks like. */
static enum status has_room(
	struct pass *p, const struct seen *one, const struct seen *other, bool *room, struct err *err)
{
	struct burst *b;
	TRY(find_burst(p, other->row.burst_id, &b, err));
	*room = b->pictures < PICTURES_MAX || !same_source(one, other);
	return ST_OK;
}

static enum status is_short(
	struct pass *p, const struct seen *one, const struct seen *other, bool *is, struct err *err)
{
	struct burst *b;
	TRY(find_burst(p, other->row.burst_id, &b, err));
	*is = b->pictures < PICTURES_MAX && one->row.created_us - b->first_us <= LONG_US;
	return ST_OK;
}

/* ---- joining ---- */

static enum status join_bytes(struct pass *p, size_t at, bool *joined, struct err *err)
{
	struct seen *one = &p->seen[at];
	*joined = false;
	if (one->row.sha256 == NULL)
		return ST_OK;
	for (size_t i = p->before; i < at && !*joined; i++) {
		const struct seen *other = &p->seen[i]; /* not in the database yet */
		*joined = other->row.sha256 && strcmp(one->row.sha256, other->row.sha256) == 0;
		if (*joined)
			one->row.burst_id = other->row.burst_id;
	}
	return *joined ? ST_OK
		       : burst_rows_of_bytes(p->conn, one->row.sha256, &one->row.burst_id, joined, err);
}

/* Newest first, and few: of the many that an upload brings in a minute, some differ in few bits by chance. */
static enum status join_neighbours(struct pass *p, size_t at, bool *joined, struct err *err)
{
	struct seen *one = &p->seen[at];
	int looked_at = 0;
	*joined = false;
	for (size_t i = at; i-- > 0 && !*joined && looked_at < NEAR_PICTURES;) {
		struct seen *other = &p->seen[i];
		if (!same_source(one, other) || !within_a_minute(one, other) || !has_look(p, other))
			continue;
		looked_at++;
		if (image_sign_distance(one->look->hash, other->look->hash) > NEAR_BITS)
			continue;
		TRY(is_short(p, one, other, joined, err));
		if (*joined)
			one->row.burst_id = other->row.burst_id;
	}
	return ST_OK;
}

static enum status join_alike(struct pass *p, size_t at, bool *joined, struct err *err)
{
	struct seen *one = &p->seen[at];
	*joined = false;
	for (size_t i = at; i-- > 0 && !*joined;) {
		struct seen *other = &p->seen[i];
		bool room;
		TRY(has_room(p, one, other, &room, err));
		if (!room || !has_look(p, other) || !image_look_alike(one->look, other->look))
			continue;
		*joined = true;
		one->row.burst_id = other->row.burst_id;
	}
	return ST_OK;
}

static enum status join(struct pass *p, size_t at, struct err *err)
{
	struct seen *one = &p->seen[at];
	struct burst *b;
	bool joined;
	TRY(join_bytes(p, at, &joined, err));
	if (!joined && has_look(p, one))
		TRY(join_neighbours(p, at, &joined, err));
	if (!joined && has_look(p, one))
		TRY(join_alike(p, at, &joined, err));
	if (!joined)
		one->row.burst_id = one->row.predicted_asset_id;
	TRY(find_burst(p, one->row.burst_id, &b, err));
	if (b->pictures++ == 0)
		b->first_us = one->row.created_us;
	return ST_OK;
}

/* ---- a pass ---- */

static enum status read_named(struct pass *p, const struct uuid *ids, size_t count,
	struct burst_picture **items, size_t *found_count, struct err *err)
{
	*items = ARENA_ARRAY(p->arena, struct burst_picture, count);
	*found_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct burst_picture *row = &(*items)[*found_count];
		bool found;
		TRY(burst_rows_picture(p->conn, ids[i], p->arena, row, &found, err));
		*found_count += found && uuid_is_zero(row->burst_id);
	}
	return ST_OK;
}

static enum status read_pictures(
	struct pass *p, struct uuid deployment_id, const struct uuid *ids, size_t count, struct err *err)
{
	struct burst_picture *fresh, *before = NULL;
	size_t fresh_count, before_count = 0;
	if (ids)
		TRY(read_named(p, ids, count, &fresh, &fresh_count, err));
	else
		TRY(burst_rows_alone(
			p->conn, deployment_id, BURST_AT_ONCE, p->arena, &fresh, &fresh_count, err));
	if (fresh_count == 0)
		return ST_OK;
	TRY(burst_rows_recent(p->conn, deployment_id, LOOK_BACK, p->arena, &before, &before_count, err));
	p->seen = ARENA_ARRAY(p->arena, struct seen, before_count + fresh_count);
	p->before = before_count;
	p->count = before_count + fresh_count;
	for (size_t i = 0; i < p->count; i++) {
		p->seen[i].row = i < before_count ? before[before_count - 1 - i] : fresh[i - before_count];
		if (i >= before_count)
			look_at(p, &p->seen[i], true);
	}
	return ST_OK;
}

static enum status write_bursts(struct db_conn *c, void *arg, struct err *err)
{
	const struct pass *p = arg;
	for (size_t i = p->before; i < p->count; i++) {
		const struct seen *s = &p->seen[i];
		TRY(burst_rows_put(c, s->row.predicted_asset_id, s->row.burst_id, err));
		if (s->decoded)
			TRY(burst_rows_put_sign(c, s->row.predicted_asset_id,
				span_of(s->look->sign.luma, sizeof(s->look->sign.luma)), err));
	}
	return ST_OK;
}

static enum status plan(
	struct pass *p, struct uuid deployment_id, const struct uuid *ids, size_t count, struct err *err)
{
	TRY(db_reader_take(p->store->readers, &p->conn, err));
	enum status st = read_pictures(p, deployment_id, ids, count, err);
	for (size_t i = p->before; st == ST_OK && i < p->count; i++)
		st = join(p, i, err);
	db_reader_give(p->store->readers, p->conn);
	return st;
}

enum status burst_assign(const struct burst_store *store, struct uuid deployment_id, const struct uuid *ids,
	size_t count, size_t *count_out, struct err *err)
{
	/* What came together is compared with each other, whoever asks. */
	static pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;
	struct arena a;
	arena_init(&a);
	struct pass p = {.store = store, .arena = &a};
	mutex_lock(&turns);
	enum status st = plan(&p, deployment_id, ids, count, err);
	*count_out = p.count - p.before;
	if (st == ST_OK && *count_out > 0)
		st = recorder_run(store->recorder, write_bursts, &p, err);
	mutex_unlock(&turns);
	arena_release(&a);
	return st;
}

bool burst_is_evaluation(struct uuid burst_id, double share)
{
	struct sha256 hash = hash_sha256(span_of(burst_id.bytes, sizeof(burst_id.bytes)));
	uint64_t number = 0;
	for (int i = 0; i < 8; i++)
		number = number << 8 | hash.bytes[i];
	return (double)(number >> 11) < share * 9007199254740992.0; /* 2^53 */
}
