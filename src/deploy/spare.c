/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/spare.h"

#include "base/check.h"
#include "base/hash.h"
#include "os/clock.h"
#include "os/thread.h"

#include <stdlib.h>

struct spare {
	struct db_readers *readers;
	struct roster *roster;
	int64_t keep_us;
	pthread_mutex_t open_lock; /* one who asks at a time */
	pthread_mutex_t lock;      /* guards all below */
	pthread_cond_t changed;
	struct model *model; /* NULL: none is kept */
	struct sha256 row;   /* of what its row said when it was opened */
	int64_t until_us;
	bool stopping;
	thread_handle closer;
};

/* Closes what was not asked for any more: a process and its memory go back to the system. */
static void close_in_time(void *arg)
{
	struct spare *s = arg;
	mutex_lock(&s->lock);
	while (!s->stopping) {
		if (s->model && clock_mono_us() >= s->until_us) {
			struct model *model = s->model;
			s->model = NULL;
			mutex_unlock(&s->lock);
			model_drop(model);
			mutex_lock(&s->lock);
			continue;
		}
		cond_wait_until(&s->changed, &s->lock, s->model ? s->until_us : 0);
	}
	mutex_unlock(&s->lock);
}

struct spare *spare_new(struct db_readers *readers, struct roster *roster, int64_t keep_us)
{
	struct spare *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	s->readers = readers;
	s->roster = roster;
	s->keep_us = keep_us ? keep_us : SPARE_US_MAX;
	CHECK(pthread_mutex_init(&s->open_lock, NULL) == 0);
	CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
	cond_init(&s->changed);
	thread_start(&s->closer, "spare", close_in_time, s);
	return s;
}

void spare_free(struct spare *s)
{
	mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->changed);
	mutex_unlock(&s->lock);
	thread_join(s->closer);
	if (s->model)
		model_drop(s->model);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->open_lock);
	free(s);
}

/* What a model is opened from: when it differs, the one that is kept is another model. */
static enum status read_row(struct spare *s, struct uuid version_id, struct sha256 *out, struct err *err)
{
	struct db_conn *c;
	struct model_version_row row;
	struct arena a;
	TRY(db_reader_take(s->readers, &c, err));
	arena_init(&a);
	enum status st = model_rows_version_by_id(c, version_id, &a, &row, err);
	db_reader_give(s->readers, c);
	if (st == ST_OK)
		*out = hash_sha256(span_of_text(arena_printf(&a, "%s\n%s\n%s\n%s\n%s\n%s", row.state,
			row.type, row.onnx_sha256 ? row.onnx_sha256 : "", row.recipe ? row.recipe : "",
			row.labels ? row.labels : "", row.name)));
	arena_release(&a);
	return st;
}

/* The kept one, held, if it is this; it is kept for a full time again. */
static struct model *take_kept(struct spare *s, struct uuid version_id, struct sha256 row)
{
	struct model *found = NULL;
	mutex_lock(&s->lock);
	if (s->model && uuid_equal(s->model->version_id, version_id) && hash_equal(s->row, row)) {
		found = model_hold(s->model);
		s->until_us = clock_mono_us() + s->keep_us;
	}
	mutex_unlock(&s->lock);
	return found;
}

/* model: held for here. NULL: none is kept from now on. */
static void keep(struct spare *s, struct model *model, struct sha256 row)
{
	mutex_lock(&s->lock);
	struct model *before = s->model;
	s->model = model;
	s->row = row;
	s->until_us = clock_mono_us() + s->keep_us;
	pthread_cond_signal(&s->changed);
	mutex_unlock(&s->lock);
	if (before)
		model_drop(before);
}

enum status spare_model(struct spare *s, struct uuid version_id, struct model **out, struct err *err)
{
	struct sha256 row;
	mutex_lock(&s->open_lock);
	enum status st = read_row(s, version_id, &row, err);
	*out = st == ST_OK ? take_kept(s, version_id, row) : NULL;
	if (st == ST_OK && *out == NULL) {
		keep(s, NULL, row); /* before the next one takes memory */
		st = roster_model(s->roster, version_id, out, err);
		if (st == ST_OK)
			keep(s, model_hold(*out), row);
	}
	mutex_unlock(&s->open_lock);
	return st;
}

void spare_failed(struct spare *s, const struct model *model)
{
	struct model *kept = NULL;
	mutex_lock(&s->lock);
	if (s->model == model) {
		kept = s->model;
		s->model = NULL;
	}
	mutex_unlock(&s->lock);
	if (kept)
		model_drop(kept);
}
