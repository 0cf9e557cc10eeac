/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/lease.h"

#include "base/check.h"
#include "learn/burst.h"
#include "os/log.h"
#include "store/verdict_rows.h"

#define LEFT_MIN 16   /* chosen images; fewer, and a batch is drawn */
#define BATCHES_MAX 3 /* a call */

struct taking {
	const struct lease_request *request;
	struct lease_result *out;
	struct arena *arena;
	bool again;   /* held ones were seen to */
	int64_t left; /* chosen images that nobody has, at most LEFT_MIN */
};

static struct queue_lease lease_of(const struct lease_request *r, struct uuid id)
{
	return (struct queue_lease){
		id, r->deployment_id, r->client, r->user_id, r->who, r->now_us + LEASE_US};
}

static bool contains(const struct uuid *ids, size_t count, struct uuid id)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(ids[i], id))
			return true;
	return false;
}

/* Renews what is held and gives back what is not any more. */
static enum status see_to_held(struct db_conn *c, struct taking *t, struct err *err)
{
	const struct lease_request *r = t->request;
	struct queue_lease lease = lease_of(r, (struct uuid){{0}});
	struct uuid *had;
	size_t had_count;
	TRY(queue_rows_leased(c, &lease, t->arena, &had, &had_count, err));
	for (size_t i = 0; i < had_count; i++) {
		lease.predicted_asset_id = had[i];
		if (!contains(r->held, r->held_count, had[i]))
			TRY(queue_rows_release(c, &lease, err));
	}
	t->out->lost_count = 0;
	for (size_t i = 0; i < r->held_count; i++) {
		bool taken;
		lease.predicted_asset_id = r->held[i];
		TRY(queue_rows_take(c, &lease, &taken, err));
		if (!taken)
			t->out->lost[t->out->lost_count++] = r->held[i];
	}
	return ST_OK;
}

static enum status take(
	struct db_conn *c, struct taking *t, const struct uuid *ids, size_t count, struct err *err)
{
	const struct lease_request *r = t->request;
	struct lease_result *out = t->out;
	for (size_t i = 0; i < count && out->taken_count < r->count; i++) {
		bool taken;
		struct queue_lease lease = lease_of(r, ids[i]);
		if (contains(r->held, r->held_count, ids[i]) ||
			contains(out->taken, out->taken_count, ids[i]))
			continue;
		TRY(queue_rows_take(c, &lease, &taken, err));
		if (taken)
			out->taken[out->taken_count++] = ids[i];
	}
	return ST_OK;
}

static enum status take_job(struct db_conn *c, void *arg, struct err *err)
{
	struct taking *t = arg;
	const struct lease_request *r = t->request;
	struct uuid *next;
	size_t count;
	TRY(queue_rows_expire(c, r->deployment_id, r->now_us, err));
	if (!t->again) {
		t->out->taken_count = 0;
		TRY(see_to_held(c, t, err));
		TRY(take(c, t, r->wanted, r->wanted_count, err));
	}
	int64_t limit = LEFT_MIN + (int64_t)(r->count - t->out->taken_count);
	if (r->sample)
		TRY(sample_rows_next(c, r->sample->shadow_id, r->sample->champion_id, limit, t->arena, &next,
			&count, err));
	else
		TRY(queue_rows_next(c, r->deployment_id, limit, t->arena, &next, &count, err));
	size_t before = t->out->taken_count;
	TRY(take(c, t, next, count, err));
	t->left = (int64_t)(count - (t->out->taken_count - before));
	return ST_OK;
}

/* Those of the taken ones that are in no burst yet, to the front of ids. */
static enum status find_unplaced(struct db_readers *readers, const struct lease_result *out, struct uuid *ids,
	size_t *count, struct err *err)
{
	struct db_conn *c;
	enum status st = ST_OK;
	*count = 0;
	TRY(db_reader_take(readers, &c, err));
	for (size_t i = 0; st == ST_OK && i < out->taken_count; i++) {
		bool unplaced = false;
		st = queue_rows_unplaced(c, out->taken[i], &unplaced, err);
		if (unplaced)
			ids[(*count)++] = out->taken[i];
	}
	db_reader_give(readers, c);
	return st;
}

/* As a rule all are in theirs already. A picture whose looks cannot be read is put into one later, as all
 * that nobody takes are. */
static void see_to_bursts(
	const struct burst_store *store, const struct lease_request *r, const struct lease_result *out)
{
	struct uuid ids[LEASE_COUNT_MAX];
	struct err err;
	size_t count, placed;
	if (store->blobs == NULL)
		return;
	enum status st = find_unplaced(store->readers, out, ids, &count, &err);
	if (st == ST_OK && count)
		st = burst_assign(store, r->deployment_id, ids, count, &placed, &err);
	if (st != ST_OK)
		log_err("burst_left_for_later", &err);
}

enum status lease_take(struct db_readers *readers, struct recorder *recorder, struct blob *blobs,
	const struct lease_request *request, struct arena *a, struct lease_result *out, struct err *err)
{
	CHECK(request->count <= LEASE_COUNT_MAX && request->held_count <= LEASE_HELD_MAX);
	struct taking t = {.request = request, .out = out, .arena = a};
	*out = (struct lease_result){.taken = ARENA_ARRAY(a, struct uuid, LEASE_COUNT_MAX),
		.lost = ARENA_ARRAY(a, struct uuid, LEASE_HELD_MAX)};
	TRY(recorder_run(recorder, take_job, &t, err));
	t.again = true;
	for (int i = 0; i < BATCHES_MAX && t.left < LEFT_MIN && request->sample == NULL; i++) {
		size_t chosen, pool;
		if (i == 0)
			TRY(choose_digest(readers, recorder, request->deployment_id, err));
		TRY(choose_batch(
			readers, recorder, request->deployment_id, request->now_us, &chosen, &pool, err));
		if (pool == 0)
			break;
		TRY(recorder_run(recorder, take_job, &t, err));
	}
	see_to_bursts(&(struct burst_store){readers, recorder, blobs}, request, out);
	return ST_OK;
}
