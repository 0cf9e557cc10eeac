/* SPDX-License-Identifier: Apache-2.0 */
#include "shadow/shadows.h"

#include "base/check.h"
#include "os/log.h"
#include "shadow/inside.h"

#include <stdatomic.h>
#include <stdlib.h>

const char *shadow_state_name(enum shadow_state state)
{
	static const char *const names[] = {"FOLLOWING", "PAUSED", "HELD"};
	CHECK(state < COUNT_OF(names));
	return names[state];
}

static struct bell *bell_of(struct shadows *s, struct uuid deployment_id)
{
	return &s->bells[deployment_id.bytes[15] % SHADOWS_BELLS]; /* random bits of a UUIDv7 */
}

void shadows_recorded(struct shadows *s, struct uuid deployment_id)
{
	bell_ring(bell_of(s, deployment_id));
}

/* On a follower's thread. */
static void tell(void *arg, struct uuid deployment_id)
{
	struct shadows *s = arg;
	mutex_lock(&s->tell_lock);
	if (s->changed)
		s->changed(s->changed_arg, deployment_id);
	mutex_unlock(&s->tell_lock);
}

struct shadows *shadows_new(const struct shadows_options *options)
{
	struct shadows *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	s->options = *options;
	s->options.changed = tell;
	s->options.changed_arg = s;
	s->changed = options->changed;
	s->changed_arg = options->changed_arg;
	budget_init(&s->pixel_budget, "memory for images of shadows", options->pixel_bytes_max);
	for (size_t i = 0; i < SHADOWS_BELLS; i++)
		bell_init(&s->bells[i]);
	CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
	CHECK(pthread_mutex_init(&s->change_lock, NULL) == 0);
	CHECK(pthread_mutex_init(&s->tell_lock, NULL) == 0);
	return s;
}

/* ---- the list ---- */

struct follower *shadows_find(struct shadows *s, struct uuid shadow_id)
{
	mutex_lock(&s->lock);
	struct follower *f = s->followers;
	while (f && !uuid_equal(f->row.id, shadow_id))
		f = f->next;
	if (f)
		follower_hold(f);
	mutex_unlock(&s->lock);
	return f;
}

void shadows_state(struct shadows *s, struct uuid shadow_id, enum shadow_state *state, char text[480])
{
	struct follower *f = shadows_find(s, shadow_id);
	*state = SHADOW_FOLLOWING;
	text[0] = '\0';
	if (f == NULL)
		return;
	follower_state(f, state, text);
	follower_drop(f);
}

/* Those whose threads are over. */
static void drop_ended(struct shadows *s)
{
	struct follower *ended = NULL;
	mutex_lock(&s->lock);
	for (struct follower **at = &s->followers; *at;) {
		struct follower *f = *at;
		if (!follower_ended(f)) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		f->next = ended;
		ended = f;
	}
	mutex_unlock(&s->lock);
	while (ended) {
		struct follower *next = ended->next;
		follower_join(ended);
		follower_drop(ended);
		ended = next;
	}
}

/* ---- starting and ending ---- */

static bool is_listed(const struct shadow_row *rows, size_t count, struct uuid id)
{
	for (size_t i = 0; i < count; i++)
		if (uuid_equal(rows[i].id, id))
			return true;
	return false;
}

/* Those of the deployment without a row end, the others look again. With change_lock held. */
static void end_others(
	struct shadows *s, struct uuid deployment_id, const struct shadow_row *rows, size_t count)
{
	mutex_lock(&s->lock);
	for (struct follower *f = s->followers; f; f = f->next) {
		if (!uuid_equal(f->row.deployment_id, deployment_id))
			continue;
		if (is_listed(rows, count, f->row.id))
			follower_poke(f);
		else
			follower_stop(f);
	}
	mutex_unlock(&s->lock);
}

static void start_new(struct shadows *s, const struct shadow_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct follower *f = shadows_find(s, rows[i].id);
		if (rows[i].elsewhere && f == NULL)
			continue;
		if (f) {
			follower_drop(f);
			continue;
		}
		f = follower_start(
			&rows[i], &s->options, &s->pixel_budget, bell_of(s, rows[i].deployment_id));
		mutex_lock(&s->lock);
		f->next = s->followers;
		s->followers = f;
		mutex_unlock(&s->lock);
	}
}

static enum status read_rows(struct shadows *s, struct uuid deployment_id, struct arena *a,
	struct shadow_row **rows, size_t *count, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(s->options.readers, &c, err));
	enum status st = shadow_rows_list(c, deployment_id, a, rows, count, err);
	db_reader_give(s->options.readers, c);
	return st;
}

enum status shadows_refresh(struct shadows *s, struct uuid deployment_id, struct err *err)
{
	struct shadow_row *rows;
	size_t count;
	struct arena a;
	arena_init(&a);
	mutex_lock(&s->change_lock);
	enum status st = read_rows(s, deployment_id, &a, &rows, &count, err);
	if (st == ST_OK && !s->stopped) {
		end_others(s, deployment_id, rows, count);
		drop_ended(s);
		start_new(s, rows, count);
	}
	mutex_unlock(&s->change_lock);
	arena_release(&a);
	return st;
}

enum status shadows_load_all(struct shadows *s, struct err *err)
{
	struct db_conn *c;
	struct uuid *ids;
	size_t count;
	struct arena a;
	arena_init(&a);
	enum status st = db_reader_take(s->options.readers, &c, err);
	if (st == ST_OK) {
		st = shadow_rows_deployments(c, &a, &ids, &count, err);
		db_reader_give(s->options.readers, c);
	}
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = shadows_refresh(s, ids[i], err);
	arena_release(&a);
	return st;
}

void shadows_stop(struct shadows *s)
{
	mutex_lock(&s->change_lock);
	s->stopped = true;
	mutex_lock(&s->lock);
	for (struct follower *f = s->followers; f; f = f->next)
		follower_stop(f);
	mutex_unlock(&s->lock);
	mutex_unlock(&s->change_lock);
	mutex_lock(&s->tell_lock);
	s->changed = NULL;
	mutex_unlock(&s->tell_lock);
}

void shadows_free(struct shadows *s)
{
	shadows_stop(s);
	while (s->followers) {
		struct follower *next = s->followers->next;
		follower_join(s->followers);
		follower_drop(s->followers);
		s->followers = next;
	}
	pthread_mutex_destroy(&s->tell_lock);
	pthread_mutex_destroy(&s->change_lock);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
