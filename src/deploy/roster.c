/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/roster.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/executor.h"
#include "os/log.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define LOADS_WAITING_MAX 100000u

/* A deployment in the roster. Freed by whoever drops the last hold: the roster has one, each service has one.
 */
struct roster_entry {
	_Atomic int holds;
	struct uuid deployment_id;
	struct service *service; /* guarded by the roster's lock */
	struct tally tally;
	struct roster_entry *next;
};

struct roster {
	struct db_readers *readers;
	struct blob *blobs;
	pthread_mutex_t lock;        /* guards entries and their services */
	pthread_mutex_t change_lock; /* one refresh at a time, so that the later commit wins */
	struct roster_entry *entries;
	struct executor *loader;
	_Atomic bool stopping; /* what waits to be loaded is passed over */
};

struct load {
	struct roster *roster;
	struct uuid deployment_id, version_id;
};

const char *service_state_name(enum service_state s)
{
	static const char *const names[] = {"LOADING", "SERVING", "PAUSED", "HELD", "EXTERNAL"};
	CHECK(s < COUNT_OF(names));
	return names[s];
}

static void entry_drop(struct roster_entry *e)
{
	if (atomic_fetch_sub(&e->holds, 1) > 1)
		return;
	tally_end(&e->tally);
	free(e);
}

void service_drop(struct service *s)
{
	int before = atomic_fetch_sub(&s->holds, 1);
	CHECK(before > 0);
	if (before > 1)
		return;
	if (s->model)
		model_drop(s->model);
	entry_drop(s->entry);
	arena_release(&s->arena);
	free(s);
}

static struct roster_entry *find_entry(struct roster *r, struct uuid deployment_id)
{
	for (struct roster_entry *e = r->entries; e; e = e->next)
		if (uuid_equal(e->deployment_id, deployment_id))
			return e;
	return NULL;
}

enum status roster_pin(struct roster *r, struct uuid deployment_id, struct service **out, struct err *err)
{
	mutex_lock(&r->lock);
	struct roster_entry *e = find_entry(r, deployment_id);
	*out = e ? e->service : NULL;
	if (*out)
		atomic_fetch_add(&(*out)->holds, 1);
	mutex_unlock(&r->lock);
	char text[UUID_TEXT_SIZE];
	uuid_format(deployment_id, text);
	return *out ? ST_OK : err_set(err, ST_MISSING, "There is no deployment with the id %s.", text);
}

enum status service_ready(const struct service *s, struct err *err)
{
	char since[28];
	switch (s->state) {
	case SERVICE_SERVING: return ST_OK;
	case SERVICE_PAUSED:
		clock_format(s->row.paused_us, since);
		return err_set(err, ST_UNAVAILABLE,
			"Deployment %s is paused by %s since %s; resume it to get predictions.", s->row.name,
			s->row.paused_by ? s->row.paused_by : "somebody", since);
	case SERVICE_LOADING:
		return err_set(err, ST_UNAVAILABLE,
			"Deployment %s is loading its model; try again in a moment.", s->row.name);
	case SERVICE_HELD:
		return err_set(err, ST_UNAVAILABLE,
			"Deployment %s is held, because its model could not be loaded: %s", s->row.name,
			s->state_text);
	case SERVICE_EXTERNAL:
		return err_set(err, ST_CONFLICT,
			"Deployment %s is served on your own infrastructure; gyre only watches it.",
			s->row.name);
	}
	CHECK(!"every state is above");
	return ST_INTERNAL;
}

/* A model that some service has already, held; NULL when none has. */
static struct model *loaded_model(struct roster *r, struct uuid version_id)
{
	struct model *found = NULL;
	mutex_lock(&r->lock);
	for (struct roster_entry *e = r->entries; e && !found; e = e->next)
		if (e->service && e->service->model && uuid_equal(e->service->model->version_id, version_id))
			found = model_hold(e->service->model);
	mutex_unlock(&r->lock);
	return found;
}

static enum status read_version(struct roster *r, struct uuid version_id, struct arena *a,
	struct model_version_row *row, const char **model_name, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(r->readers, &c, err));
	struct model_row model;
	enum status st = model_rows_version_by_id(c, version_id, a, row, err);
	if (st == ST_OK)
		st = model_rows_by_id(c, row->model_id, a, &model, err);
	db_reader_give(r->readers, c);
	if (st == ST_OK)
		*model_name = model.name;
	return st;
}

enum status roster_model(struct roster *r, struct uuid version_id, struct model **out, struct err *err)
{
	*out = loaded_model(r, version_id);
	if (*out)
		return ST_OK;
	struct arena a;
	arena_init(&a);
	struct model_version_row row;
	const char *model_name;
	enum status st = read_version(r, version_id, &a, &row, &model_name, err);
	if (st == ST_OK)
		st = model_open(&row, model_name, r->blobs, out, err);
	arena_release(&a);
	return st;
}

/* Copies the row's texts, so that it lives as long as the service. */
static enum status read_deployment(struct roster *r, struct uuid id, struct service *s, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(r->readers, &c, err));
	enum status st = deployment_rows_by_id(c, id, &s->arena, &s->row, err);
	db_reader_give(r->readers, c);
	TRY(st);
	CHECK(task_parse(s->row.type, &s->task));
	return ST_OK;
}

static enum status add_entry(struct roster *r, struct uuid id, struct roster_entry **out, struct err *err)
{
	mutex_lock(&r->lock);
	*out = find_entry(r, id);
	mutex_unlock(&r->lock);
	if (*out)
		return ST_OK;
	struct roster_entry *e = calloc(1, sizeof(*e));
	CHECK(e != NULL);
	atomic_init(&e->holds, 1);
	e->deployment_id = id;
	struct db_conn *c;
	enum status st = db_reader_take(r->readers, &c, err);
	if (st == ST_OK) {
		st = tally_start(&e->tally, c, id, err);
		db_reader_give(r->readers, c);
	}
	if (st != ST_OK) {
		free(e);
		return st;
	}
	mutex_lock(&r->lock);
	e->next = r->entries;
	r->entries = e;
	mutex_unlock(&r->lock);
	*out = e;
	return ST_OK;
}

/* Put s in the place of what answers now. Takes s. */
static void flip(struct roster *r, struct roster_entry *e, struct service *s)
{
	s->entry = e;
	s->tally = &e->tally;
	atomic_fetch_add(&e->holds, 1);
	mutex_lock(&r->lock);
	struct service *before = e->service;
	e->service = s;
	mutex_unlock(&r->lock);
	if (before)
		service_drop(before);
}

/*
 * The model to answer with, held for s; NULL when there is none. Whoever committed another champion hands its
 * model in a moment later: until then the one before answers, or a change served in between would interrupt
 * it.
 */
static struct model *choose_model(
	struct roster *r, const struct service *s, struct model *given, const struct service *before)
{
	if (!s->row.serving)
		return NULL;
	if (given && uuid_equal(given->version_id, s->row.champion_id))
		return model_hold(given);
	struct model *loaded = loaded_model(r, s->row.champion_id);
	if (loaded == NULL && before && before->model)
		loaded = model_hold(before->model);
	return loaded;
}

/* The state that goes with the row and the model. Without a model, a held service stays held. */
static void choose_state(struct service *s, const char *held_text, const struct service *before)
{
	if (held_text == NULL && before && before->state_text[0])
		held_text = before->state_text;
	if (s->model == NULL && s->row.serving && held_text)
		snprintf(s->state_text, sizeof(s->state_text), "%s", held_text);
	if (!s->row.serving)
		s->state = SERVICE_EXTERNAL;
	else if (s->row.paused_us)
		s->state = SERVICE_PAUSED;
	else if (s->model)
		s->state = SERVICE_SERVING;
	else
		s->state = held_text ? SERVICE_HELD : SERVICE_LOADING;
}

/* model: held by the caller, or NULL. */
static enum status refresh(
	struct roster *r, struct uuid id, struct model *model, const char *held_text, struct err *err)
{
	struct service *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	arena_init(&s->arena);
	atomic_init(&s->holds, 1);
	mutex_lock(&r->change_lock);
	struct roster_entry *e;
	enum status st = read_deployment(r, id, s, err);
	if (st == ST_OK)
		st = add_entry(r, id, &e, err);
	if (st == ST_OK) {
		const struct service *before = e->service; /* changed under change_lock only */
		s->model = choose_model(r, s, model, before);
		choose_state(s, held_text, before);
		flip(r, e, s);
	} else {
		arena_release(&s->arena);
		free(s);
	}
	mutex_unlock(&r->change_lock);
	return st;
}

enum status roster_serve(struct roster *r, struct uuid deployment_id, struct model *model, struct err *err)
{
	return refresh(r, deployment_id, model, NULL, err);
}

static void load_one(void *arg)
{
	struct load load = *(struct load *)arg;
	free(arg);
	if (atomic_load(&load.roster->stopping))
		return;
	struct err err;
	struct model *model = NULL;
	enum status st = roster_model(load.roster, load.version_id, &model, &err);
	const char *why = st == ST_OK ? NULL : err.text;
	if (st != ST_OK)
		log_err("model_not_loaded", &err);
	struct err refresh_err;
	if (refresh(load.roster, load.deployment_id, model, why, &refresh_err) != ST_OK)
		log_err("deployment_not_served", &refresh_err);
	if (model)
		model_drop(model);
}

static enum status load_later(struct roster *r, const struct deployment_row *row, struct err *err)
{
	TRY(refresh(r, row->id, NULL, NULL, err));
	if (!row->serving)
		return ST_OK;
	struct load *load = calloc(1, sizeof(*load));
	CHECK(load != NULL);
	*load = (struct load){r, row->id, row->champion_id};
	enum status st = executor_post(r->loader, load_one, load, err);
	if (st != ST_OK)
		free(load);
	return st;
}

enum status roster_load_all(struct roster *r, struct err *err)
{
	struct arena a;
	arena_init(&a);
	struct deployment_row *rows = NULL;
	size_t count = 0;
	int64_t total;
	struct rows_page page = {.limit = 1000, .order = ROWS_NEWEST};
	enum status st;
	do {
		struct db_conn *c;
		st = db_reader_take(r->readers, &c, err);
		if (st != ST_OK)
			break;
		st = deployment_rows_list(c, &page, &a, &rows, &count, &total, err);
		db_reader_give(r->readers, c);
		for (size_t i = 0; st == ST_OK && i < count; i++)
			st = load_later(r, &rows[i], err);
		page.offset += (int64_t)count;
	} while (st == ST_OK && count > 0 && page.offset < total);
	arena_release(&a);
	return st;
}

struct roster *roster_new(struct db_readers *readers, struct blob *blobs)
{
	struct roster *r = calloc(1, sizeof(*r));
	CHECK(r != NULL);
	r->readers = readers;
	r->blobs = blobs;
	CHECK(pthread_mutex_init(&r->lock, NULL) == 0);
	CHECK(pthread_mutex_init(&r->change_lock, NULL) == 0);
	r->loader = executor_new("loader", 1, LOADS_WAITING_MAX);
	return r;
}

static void remove_entry(struct roster_entry *e)
{
	if (e->service)
		service_drop(e->service);
	entry_drop(e);
}

void roster_remove(struct roster *r, struct uuid deployment_id)
{
	struct roster_entry *found = NULL;
	mutex_lock(&r->change_lock); /* or a refresh under way would put it back */
	mutex_lock(&r->lock);
	for (struct roster_entry **at = &r->entries; *at; at = &(*at)->next) {
		if (uuid_equal((*at)->deployment_id, deployment_id)) {
			found = *at;
			*at = found->next;
			break;
		}
	}
	mutex_unlock(&r->lock);
	mutex_unlock(&r->change_lock);
	if (found)
		remove_entry(found);
}

void roster_free(struct roster *r)
{
	atomic_store(&r->stopping, true);
	executor_free(r->loader);
	while (r->entries) {
		struct roster_entry *next = r->entries->next;
		remove_entry(r->entries);
		r->entries = next;
	}
	pthread_mutex_destroy(&r->lock);
	pthread_mutex_destroy(&r->change_lock);
	free(r);
}
