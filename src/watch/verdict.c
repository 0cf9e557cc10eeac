/* SPDX-License-Identifier: Apache-2.0 */
/* Whose verdicts are kept up to date, and by whom. */
#include "watch/verdict.h"

#include "base/check.h"
#include "base/compare.h"
#include "base/json.h"
#include "os/bell.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "stats/e_process.h"
#include "store/deployment_rows.h"
#include "store/model_rows.h"
#include "store/quality_rows.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SECOND_US ((int64_t)1000000)
#define REST_US SECOND_US           /* between two looks */
#define LOOK_US (15 * SECOND_US)    /* without a poke */
#define REWRITE_US (10 * SECOND_US) /* a row whose counts of images alone have changed */
#define WATCHED_MAX 64 /* shadows; of more, those that were not looked at for longest begin anew */
#define DRAW 50        /* disagreements at once, at least */

/* What a look depended on: the same again needs none. */
struct state_of {
	int64_t review_position, predictions, skipped;
	struct uuid champion_id, shadow_id;
	double threshold, needed;
};

struct watched {
	struct pairs *pairs;
	struct arena pair_arena; /* of `pair` */
	struct quality_pair pair;
	uint64_t pair_revision, used;
	struct state_of written;
};

struct verdicts {
	struct verdicts_options options;
	struct bell bell;
	_Atomic bool stopping;
	bool started;
	thread_handle thread;
	pthread_mutex_t lock; /* guards all below */
	struct watched watched[WATCHED_MAX];
	size_t count;
	uint64_t clock;
};

struct verdicts *verdicts_new(const struct verdicts_options *options)
{
	struct verdicts *v = calloc(1, sizeof(*v));
	CHECK(v != NULL && pthread_mutex_init(&v->lock, NULL) == 0);
	v->options = *options;
	bell_init(&v->bell);
	return v;
}

static void forget(struct watched *w)
{
	pairs_free(w->pairs);
	arena_release(&w->pair_arena);
	*w = (struct watched){0};
}

void verdicts_free(struct verdicts *v)
{
	if (v == NULL)
		return;
	verdicts_stop(v);
	for (size_t i = 0; i < v->count; i++)
		forget(&v->watched[i]);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void verdicts_poke(struct verdicts *v)
{
	bell_ring(&v->bell);
}

static struct watched *watched_of(struct verdicts *v, const struct pairs_key *key)
{
	size_t at = 0;
	for (; at < v->count; at++)
		if (uuid_equal(pairs_key(v->watched[at].pairs)->shadow_id, key->shadow_id) &&
			uuid_equal(pairs_key(v->watched[at].pairs)->champion_id, key->champion_id))
			break;
	if (at == v->count && v->count == WATCHED_MAX) {
		at = 0;
		for (size_t i = 1; i < v->count; i++)
			if (v->watched[i].used < v->watched[at].used)
				at = i;
		forget(&v->watched[at]);
	} else if (at == v->count) {
		v->count++;
	}
	struct watched *w = &v->watched[at];
	if (w->pairs == NULL) {
		w->pairs = pairs_new(key);
		arena_init(&w->pair_arena);
	}
	w->used = ++v->clock;
	return w;
}

/* ---- one look ---- */

/* What a look is about; rows of one moment. */
struct look {
	struct deployment_row deployment;
	enum task task;
	struct shadow_row shadow;
	struct state_of state;
};

static enum status read_version(
	struct db_conn *c, struct uuid id, struct arena *a, struct verdict_version *out, struct err *err)
{
	struct model_version_row row;
	struct model_row model;
	*out = (struct verdict_version){.id = id};
	enum status st = model_rows_version_by_id(c, id, a, &row, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	TRY(model_rows_by_id(c, row.model_id, a, &model, err));
	out->version = row.version;
	out->model = model.name;
	return ST_OK;
}

/* Several candidates share the chance of a false promotion. */
static double needed_by(const struct shadow_row *shadows, size_t count, const struct shadow_row *shadow)
{
	size_t compared = 0;
	for (size_t i = 0; i < count; i++)
		compared += strcmp(shadows[i].role, SHADOW_ROLE_FORMER) != 0;
	bool former = strcmp(shadow->role, SHADOW_ROLE_FORMER) == 0;
	return E_PROCESS_DECIDES * (double)(former || compared < 1 ? 1 : compared);
}

/* version_id zero: the newest. */
static enum status look_begin(struct db_conn *c, struct uuid deployment_id, struct uuid version_id,
	struct arena *a, struct look *out, struct err *err)
{
	struct shadow_row *shadows;
	size_t count, at = 0;
	*out = (struct look){0};
	TRY(deployment_rows_by_id(c, deployment_id, a, &out->deployment, err));
	if (!task_parse(out->deployment.type, &out->task))
		return err_set(err, ST_INVALID, "Versions are not compared for deployments of the type %s.",
			out->deployment.type);
	TRY(shadow_rows_list(c, deployment_id, a, &shadows, &count, err));
	while (at < count && !uuid_is_zero(version_id) &&
		!uuid_equal(shadows[at].model_version_id, version_id))
		at++;
	if (at == count)
		return err_set(err, ST_MISSING,
			uuid_is_zero(version_id)
				? "The deployment has no shadow to compare with its champion."
				: "This version is no shadow of the deployment.");
	out->shadow = shadows[at];
	out->state = (struct state_of){.predictions = out->shadow.predictions,
		.skipped = out->shadow.skipped,
		.champion_id = out->deployment.champion_id,
		.shadow_id = out->shadow.id,
		.threshold = out->deployment.threshold,
		.needed = needed_by(shadows, count, &out->shadow)};
	int64_t newest;
	return quality_rows_positions(c, deployment_id, &out->state.review_position, &newest, err);
}

static struct watched *watched_in(struct verdicts *v, const struct look *look)
{
	return watched_of(v, &(struct pairs_key){look->deployment.id, look->shadow.id,
				     look->shadow.model_version_id, look->deployment.champion_id});
}

struct samples {
	struct sample_row *items;
	struct uuid *ids;
	enum quality_winner *winners;
	size_t count;
};

static enum status read_rows(struct db_conn *c, const struct look *look, struct watched *w, struct arena *a,
	struct samples *samples, struct verdict *out, struct err *err)
{
	*out = (struct verdict){.row = look->shadow, .needed = look->state.needed};
	TRY(read_version(c, look->shadow.model_version_id, a, &out->shadow, err));
	TRY(read_version(c, look->deployment.champion_id, a, &out->champion, err));
	TRY(sample_rows_list(
		c, look->shadow.id, look->deployment.champion_id, a, &samples->items, &samples->count, err));
	samples->ids = ARENA_ARRAY(a, struct uuid, samples->count + 1);
	samples->winners = ARENA_ARRAY(a, enum quality_winner, samples->count + 1);
	for (size_t i = 0; i < samples->count; i++)
		samples->ids[i] = samples->items[i].predicted_asset_id;
	return pairs_refresh(w->pairs, c, look->task, look->deployment.threshold, err);
}

static struct quality_pair copy_pair(const struct quality_pair *from, struct arena *a)
{
	struct quality_pair out = *from;
	out.labels = ARENA_ARRAY(a, struct quality_pair_label, from->label_count + 1);
	for (size_t i = 0; i < from->label_count; i++) {
		out.labels[i] = from->labels[i];
		out.labels[i].label = arena_strdup(a, from->labels[i].label);
	}
	return out;
}

/* What reviews say; measured anew only when there are others. */
static enum status read_reviews(struct verdicts *v, const struct look *look, struct watched *w,
	struct arena *a, const struct samples *samples, struct verdict *out, struct err *err)
{
	uint64_t before = w->pair_revision;
	struct quality_pair pair = w->pair;
	TRY(quality_read_pair(v->options.quality, look->deployment.id, look->deployment.champion_id,
		look->shadow.model_version_id, samples->ids, samples->count, samples->winners,
		&w->pair_revision, a, &pair, err));
	if (w->pair_revision != before) {
		arena_release(&w->pair_arena);
		w->pair = copy_pair(&pair, &w->pair_arena);
	}
	out->pair = copy_pair(&w->pair, a);
	return ST_OK;
}

/* What was reached before stays. */
static enum status latch(
	struct verdicts *v, const struct look *look, struct arena *a, struct verdict *out, struct err *err)
{
	struct db_conn *c;
	struct verdict_row before;
	bool found = false;
	TRY(db_reader_take(v->options.readers, &c, err));
	enum status st = verdict_rows_get(c, look->deployment.id, look->shadow.id,
		look->deployment.champion_id, a, &before, &found, err);
	db_reader_give(v->options.readers, c);
	TRY(st);
	if (found && strcmp(before.state, VERDICT_UNSURE) != 0) {
		out->state = before.state;
		out->decided_us = before.decided_us;
	}
	return ST_OK;
}

/* The lock is held, no reader is. */
static enum status look_at(struct verdicts *v, const struct look *look, struct watched *w, struct arena *a,
	struct verdict *out, struct err *err)
{
	struct db_conn *c;
	struct samples samples;
	TRY(db_reader_take(v->options.readers, &c, err));
	enum status st = read_rows(c, look, w, a, &samples, out, err);
	db_reader_give(v->options.readers, c);
	TRY(st);
	TRY(read_reviews(v, look, w, a, &samples, out, err));
	pairs_read(w->pairs, a, &out->pairs);
	verdict_count(out, samples.items, samples.winners, samples.count, a);
	TRY(latch(v, look, a, out, err));
	verdict_guard(out, a);
	verdict_say(out, a);
	return ST_OK;
}

static enum status begin(struct verdicts *v, struct uuid deployment_id, struct uuid version_id,
	struct arena *a, struct look *out, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(v->options.readers, &c, err));
	enum status st = look_begin(c, deployment_id, version_id, a, out, err);
	db_reader_give(v->options.readers, c);
	return st;
}

enum status verdict_read(struct verdicts *v, struct uuid deployment_id, struct uuid version_id,
	struct arena *a, struct verdict *out, struct err *err)
{
	struct look look;
	TRY(begin(v, deployment_id, version_id, a, &look, err));
	mutex_lock(&v->lock);
	enum status st = look_at(v, &look, watched_in(v, &look), a, out, err);
	mutex_unlock(&v->lock);
	return st;
}

/* ---- the sample ---- */

struct draw {
	struct uuid shadow_id, champion_id;
	const struct uuid *ids;
	size_t count;
};

static enum status store_draw(struct db_conn *c, void *arg, struct err *err)
{
	const struct draw *d = arg;
	return sample_rows_add(c, d->shadow_id, d->champion_id, d->ids, d->count, clock_unix_us(), err);
}

static enum status draw_more(
	struct verdicts *v, const struct look *look, size_t open, struct arena *a, struct err *err)
{
	struct db_conn *c;
	struct verdict verdict;
	struct samples samples;
	struct uuid *ids;
	size_t count, waiting = 0;
	struct watched *w = watched_in(v, look);
	TRY(db_reader_take(v->options.readers, &c, err));
	enum status st = read_rows(c, look, w, a, &samples, &verdict, err);
	db_reader_give(v->options.readers, c);
	TRY(st);
	for (size_t i = 0; i < samples.count; i++)
		waiting += strcmp(samples.items[i].status, "TO REVIEW") == 0;
	if (waiting >= open)
		return ST_OK;
	qsort(samples.ids, samples.count, sizeof(*samples.ids), compare_uuid);
	pairs_draw(w->pairs, samples.ids, samples.count, open > DRAW ? open : DRAW, a, &ids, &count);
	if (count == 0)
		return ST_OK;
	struct draw draw = {look->shadow.id, look->deployment.champion_id, ids, count};
	TRY(recorder_run(v->options.recorder, store_draw, &draw, err));
	w->written = (struct state_of){0}; /* some of them may be reviewed already */
	verdicts_poke(v);
	return ST_OK;
}

enum status verdict_draw(struct verdicts *v, struct uuid deployment_id, struct uuid version_id, size_t open,
	struct uuid *shadow_id, struct uuid *champion_id, struct err *err)
{
	struct look look;
	struct arena a;
	arena_init(&a);
	enum status st = begin(v, deployment_id, version_id, &a, &look, err);
	if (st == ST_OK) {
		*shadow_id = look.shadow.id;
		*champion_id = look.deployment.champion_id;
		mutex_lock(&v->lock);
		st = draw_more(v, &look, open, &a, err);
		mutex_unlock(&v->lock);
	}
	arena_release(&a);
	return st;
}

/* ---- the thread ---- */

static const char *guards_json(const struct verdict *v, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, list);
	for (size_t i = 0; i < VERDICT_GUARDS; i++) {
		yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_str(doc, one, "name", v->guards[i].name);
		yyjson_mut_obj_add_bool(doc, one, "ok", v->guards[i].ok);
		yyjson_mut_obj_add_str(doc, one, "sentence", v->guards[i].sentence);
	}
	return (const char *)json_print(doc, a).data;
}

struct writing {
	struct verdict_row row;
	struct arena *arena;
	bool changed; /* more than counts of images */
};

static enum status write_row(struct db_conn *c, void *arg, struct err *err)
{
	struct writing *w = arg;
	struct verdict_row before, *row = &w->row;
	bool found;
	TRY(verdict_rows_get(
		c, row->deployment_id, row->shadow_id, row->champion_id, w->arena, &before, &found, err));
	if (found) {
		row->log_e = fmax(row->log_e, before.log_e);
		row->log_e_worse = fmax(row->log_e_worse, before.log_e_worse);
	}
	if (strcmp(row->state, VERDICT_UNSURE) != 0 && row->decided_us == 0)
		row->decided_us = row->updated_us;
	w->changed = !found || strcmp(before.state, row->state) != 0 ||
		     before.may_promote != row->may_promote || before.wins != row->wins ||
		     before.losses != row->losses || before.ties != row->ties;
	if (!w->changed && row->updated_us - before.updated_us < REWRITE_US)
		return ST_OK;
	return verdict_rows_put(c, row, err);
}

static enum status write_verdict(struct verdicts *v, const struct look *look, const struct verdict *verdict,
	struct arena *a, bool *changed, struct err *err)
{
	struct writing w = {.arena = a,
		.row = {.deployment_id = look->deployment.id,
			.model_version_id = look->shadow.model_version_id,
			.champion_id = look->deployment.champion_id,
			.shadow_id = look->shadow.id,
			.state = verdict->state,
			.wins = (int64_t)verdict->wins,
			.losses = (int64_t)verdict->losses,
			.ties = (int64_t)verdict->ties,
			.log_e = verdict->log_e,
			.log_e_worse = verdict->log_e_worse,
			.seen = (int64_t)verdict->pairs.images,
			.discordant = (int64_t)verdict->pairs.disagree,
			.sentence = verdict->sentence,
			.guards = guards_json(verdict, a),
			.may_promote = verdict->may_promote,
			.decided_us = verdict->decided_us,
			.updated_us = clock_unix_us()}};
	TRY(recorder_run(v->options.recorder, write_row, &w, err));
	*changed = w.changed;
	return ST_OK;
}

/* *changed: the row did. */
static enum status look_and_write(struct verdicts *v, struct uuid deployment_id, struct uuid version_id,
	struct arena *a, bool *changed, struct err *err)
{
	struct look look;
	struct verdict verdict;
	TRY(begin(v, deployment_id, version_id, a, &look, err));
	mutex_lock(&v->lock);
	struct watched *w = watched_in(v, &look);
	enum status st = ST_OK;
	bool same = memcmp(&w->written, &look.state, sizeof(look.state)) == 0;
	if (!same)
		st = look_at(v, &look, w, a, &verdict, err);
	if (st == ST_OK && !same)
		w->written = look.state;
	mutex_unlock(&v->lock);
	TRY(st);
	return same ? ST_OK : write_verdict(v, &look, &verdict, a, changed, err);
}

static enum status shadows_of(struct verdicts *v, struct uuid deployment_id, struct arena *a,
	struct shadow_row **shadows, size_t *count, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(v->options.readers, &c, err));
	enum status st = shadow_rows_list(c, deployment_id, a, shadows, count, err);
	db_reader_give(v->options.readers, c);
	return st;
}

static enum status look_at_deployment(struct verdicts *v, struct uuid id, struct arena *a, struct err *err)
{
	struct shadow_row *shadows;
	size_t count;
	bool changed = false;
	TRY(shadows_of(v, id, a, &shadows, &count, err));
	for (size_t i = 0; i < count; i++) {
		bool one = false;
		enum status st = look_and_write(v, id, shadows[i].model_version_id, a, &one, err);
		if (st != ST_OK && st != ST_MISSING && st != ST_INVALID && st != ST_CONFLICT)
			return st; /* gone meanwhile, or of a type that is not compared: nothing to say */
		changed = changed || one;
	}
	if (changed && v->options.changed && !atomic_load(&v->stopping))
		v->options.changed(v->options.changed_arg, id);
	return ST_OK;
}

static enum status look_at_all(struct verdicts *v, struct err *err)
{
	struct db_conn *c;
	struct uuid *ids;
	size_t count = 0;
	struct arena a;
	arena_init(&a);
	enum status st = db_reader_take(v->options.readers, &c, err);
	if (st == ST_OK) {
		st = shadow_rows_deployments(c, &a, &ids, &count, err);
		db_reader_give(v->options.readers, c);
	}
	for (size_t i = 0; st == ST_OK && i < count && !atomic_load(&v->stopping); i++)
		st = look_at_deployment(v, ids[i], &a, err);
	arena_release(&a);
	return st;
}

static void run(void *arg)
{
	struct verdicts *v = arg;
	thread_stand_back();
	while (!atomic_load(&v->stopping)) {
		struct err err;
		uint32_t heard = bell_count(&v->bell);
		int64_t begun_us = clock_mono_us();
		if (look_at_all(v, &err) != ST_OK)
			log_err("verdict_failed", &err);
		while (!atomic_load(&v->stopping) && clock_mono_us() < begun_us + REST_US) {
			uint32_t rings = bell_count(&v->bell); /* those that come now are heard below */
			bell_wait(&v->bell, rings, begun_us + REST_US);
		}
		if (!atomic_load(&v->stopping))
			bell_wait(&v->bell, heard, clock_mono_us() + LOOK_US);
	}
}

void verdicts_start(struct verdicts *v)
{
	CHECK(!v->started);
	v->started = true;
	thread_start(&v->thread, "verdicts", run, v);
}

void verdicts_stop(struct verdicts *v)
{
	if (!v->started)
		return;
	atomic_store(&v->stopping, true);
	bell_ring(&v->bell);
	thread_join(v->thread);
	v->started = false;
}
