/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread looks in the database, and holds nothing in memory: what is due follows from the rows, so that a
 * restart changes nothing. It reads outside of the writer and gives it a few pictures at a time; the job
 * looks again whether each may go.
 */
#include "learn/submitter.h"

#include "base/check.h"
#include "base/metrics.h"
#include "learn/burst.h"
#include "os/bell.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/burst_rows.h"
#include "store/rows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US ((int64_t)1000000)
#define PAUSE_MIN_US SECOND_US        /* between two looks; longer when looking takes long: */
#define PAUSE_MAX_US (10 * SECOND_US) /* at most this, */
#define PAUSE_TIMES 20                /* its own time, so that it takes a twentieth of one processor */
#define BURSTS_US (SECOND_US / 4)     /* of each look: what is left is for the next, or for who needs it */
#define PAGE 200                      /* reviews read at once */

struct submitter {
	struct submitter_options options;
	struct bell bell;
	_Atomic bool stopping;
	bool started;
	thread_handle thread;
	/* Of its thread. */
	int64_t pause_us, bursts_until_us;
	bool failing;
};

static bool stopping(const struct submitter *s)
{
	return atomic_load(&s->stopping);
}

/* ---- submitting a few ---- */

static enum status put_into_bursts(
	struct submitter *s, struct uuid deployment_id, const struct uuid *ids, size_t count, struct err *err)
{
	const struct burst_store store = {s->options.readers, s->options.recorder, s->options.blobs};
	size_t done;
	return burst_assign(&store, deployment_id, ids, count, &done, err);
}

static void tell(struct submitter *s, const struct feedback_submission *job)
{
	metric_add(METRIC_REVIEWS_SUBMITTED, (int64_t)job->submitted);
	if (s->options.submitted && job->submitted > 0)
		s->options.submitted(s->options.submitted_arg, job->deployment_id, job->done, job->submitted);
}

static enum status hold(struct db_conn *c, void *arg, struct err *err)
{
	return feedback_image_rows_hold(c, *(const struct uuid *)arg, err);
}

/* It failed alone, so it is the picture's own fault, and another try would not help. */
static void give_up(
	struct submitter *s, struct feedback_submission *job, struct uuid id, const struct err *why)
{
	struct err ignored;
	log_err("not_submitted", why);
	if (job->by_itself)
		(void)!recorder_run(s->options.recorder, hold, &id, &ignored);
	CHECK(job->problem_count < FEEDBACK_AT_ONCE);
	job->problems[job->problem_count++] =
		(struct feedback_problem){id, arena_strdup(job->arena, why->text)};
}

/* Whether it is about what was submitted and not about the server or the loop. */
static bool is_own_fault(enum status st)
{
	return st == ST_INVALID || st == ST_UNPROCESSABLE || st == ST_TOO_LARGE;
}

static void add_up(struct feedback_submission *sum, const struct feedback_submission *one)
{
	memcpy(sum->done + sum->submitted, one->done, one->submitted * sizeof(one->done[0]));
	sum->submitted += one->submitted;
	sum->waiting += one->waiting;
	sum->already += one->already;
	for (size_t i = 0; i < one->problem_count; i++)
		sum->problems[sum->problem_count++] = one->problems[i];
}

/* One after the other, after they failed together. */
static enum status submit_alone(struct submitter *s, struct feedback_submission *job, struct err *err)
{
	job->submitted = job->waiting = job->already = job->problem_count = 0;
	for (size_t i = 0; i < job->count; i++) {
		struct feedback_submission one = *job;
		one.ids = job->ids + i;
		one.count = 1;
		enum status st = recorder_run(s->options.recorder, feedback_submit_job, &one, err);
		if (is_own_fault(st))
			give_up(s, job, job->ids[i], err);
		else if (st != ST_OK)
			return st;
		else
			add_up(job, &one);
	}
	return ST_OK;
}

static enum status submit_some(struct submitter *s, struct feedback_submission *job, struct err *err)
{
	TRY(put_into_bursts(s, job->deployment_id, job->ids, job->count, err));
	enum status st = recorder_run(s->options.recorder, feedback_submit_job, job, err);
	if (is_own_fault(st))
		st = submit_alone(s, job, err);
	if (st == ST_OK)
		tell(s, job);
	return st;
}

/* ---- what is reviewed, page by page ---- */

struct page {
	int64_t created_us;
	struct uuid id;
	struct feedback_image *items;
	size_t count;
};

static enum status next_page(
	struct db_conn *c, struct uuid deployment_id, struct page *page, struct arena *a, struct err *err)
{
	TRY(feedback_image_rows_reviewed(
		c, deployment_id, page->created_us, page->id, PAGE, a, &page->items, &page->count, err));
	if (page->count > 0) {
		page->created_us = page->items[page->count - 1].created_us;
		page->id = page->items[page->count - 1].id;
	}
	return ST_OK;
}

static bool was_taken_back(const struct feedback_image *image)
{
	return uuid_equal(image->withdrawn_id, image->review_id);
}

static int64_t due_us(const struct feedback *f, const struct feedback_image *image)
{
	return image->reviewed_us + f->row.submit_after_s * SECOND_US;
}

/* ---- by hand ---- */

static void keep_problems(
	struct submitter_result *out, const struct feedback_submission *job, struct arena *a)
{
	out->submitted += job->submitted;
	out->waiting += job->waiting;
	out->already += job->already;
	if (out->problems == NULL)
		out->problems = ARENA_ARRAY(a, struct feedback_problem, SUBMITTER_PROBLEMS_MAX);
	for (size_t i = 0; i < job->problem_count; i++) {
		if (out->problem_count < SUBMITTER_PROBLEMS_MAX)
			out->problems[out->problem_count++] = (struct feedback_problem){
				job->problems[i].id, arena_strdup(a, job->problems[i].text)};
		else
			out->problems_left_out++;
	}
}

static enum status submit_named(struct submitter *s, struct uuid deployment_id, const struct uuid *ids,
	size_t count, struct arena *a, struct submitter_result *out, struct err *err)
{
	for (size_t at = 0; at < count; at += FEEDBACK_AT_ONCE) {
		struct feedback_submission job = {.deployment_id = deployment_id,
			.ids = ids + at,
			.count = count - at < FEEDBACK_AT_ONCE ? count - at : FEEDBACK_AT_ONCE,
			.now_us = clock_unix_us(),
			.arena = a};
		TRY(submit_some(s, &job, err));
		keep_problems(out, &job, a);
	}
	return ST_OK;
}

/* As it is when this begins: what is reviewed meanwhile is not part of "all". */
static enum status read_reviewed(struct submitter *s, struct uuid deployment_id, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err)
{
	struct db_conn *c;
	struct page page = {0};
	size_t room = 0;
	*ids = NULL;
	*count = 0;
	TRY(db_reader_take(s->options.readers, &c, err));
	enum status st;
	do {
		struct arena of_page;
		arena_init(&of_page);
		st = next_page(c, deployment_id, &page, &of_page, err);
		for (size_t i = 0; st == ST_OK && i < page.count; i++) {
			*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
			(*ids)[(*count)++] = page.items[i].id;
		}
		arena_release(&of_page);
	} while (st == ST_OK && page.count > 0);
	db_reader_give(s->options.readers, c);
	return st;
}

/* So that a loop that is not open says so, also when there is nothing to submit. */
static enum status check_open(struct submitter *s, struct uuid deployment_id, struct err *err)
{
	struct db_conn *c;
	struct feedback f;
	struct arena a;
	arena_init(&a);
	enum status st = db_reader_take(s->options.readers, &c, err);
	if (st == ST_OK) {
		st = feedback_read(c, deployment_id, &a, &f, err);
		db_reader_give(s->options.readers, c);
	}
	if (st == ST_OK)
		st = feedback_open(&f, err);
	arena_release(&a);
	return st;
}

enum status submitter_submit(struct submitter *s, struct uuid deployment_id, const struct uuid *ids,
	size_t count, struct arena *a, struct submitter_result *out, struct err *err)
{
	struct uuid *all;
	*out = (struct submitter_result){0};
	TRY(check_open(s, deployment_id, err));
	if (ids == NULL) {
		TRY(read_reviewed(s, deployment_id, a, &all, &count, err));
		ids = all;
	}
	return submit_named(s, deployment_id, ids, count, a, out, err);
}

/* ---- by itself ---- */

/* Those of a page that may go now, in batches. */
static enum status submit_due(struct submitter *s, const struct feedback *f, const struct page *page,
	struct arena *a, struct err *err)
{
	struct uuid due[PAGE];
	size_t due_count = 0, waiting;
	int64_t now_us = clock_unix_us();
	const char **labels;
	for (size_t i = 0; i < page->count; i++) {
		const struct feedback_image *image = &page->items[i];
		if (was_taken_back(image) || due_us(f, image) > now_us)
			continue;
		TRY(feedback_waiting(f, image->shapes, a, &labels, &waiting, err));
		if (waiting == 0)
			due[due_count++] = image->id;
	}
	for (size_t at = 0; at < due_count && !stopping(s); at += FEEDBACK_AT_ONCE) {
		struct feedback_submission job = {.deployment_id = f->row.deployment_id,
			.ids = due + at,
			.count = due_count - at < FEEDBACK_AT_ONCE ? due_count - at : FEEDBACK_AT_ONCE,
			.by_itself = true,
			.now_us = clock_unix_us(),
			.arena = a};
		TRY(submit_some(s, &job, err));
	}
	return ST_OK;
}

/* One page, in a snapshot of its own. */
static enum status read_page(struct submitter *s, struct uuid deployment_id, struct feedback *f,
	struct page *page, struct arena *a, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(s->options.readers, &c, err));
	enum status st = feedback_read(c, deployment_id, a, f, err);
	if (st == ST_OK)
		st = next_page(c, deployment_id, page, a, err);
	db_reader_give(s->options.readers, c);
	return st;
}

static enum status follow_one(struct submitter *s, struct uuid deployment_id, struct err *err)
{
	struct page page = {0};
	enum status st;
	do {
		struct feedback f;
		struct err closed;
		struct arena a;
		arena_init(&a);
		st = read_page(s, deployment_id, &f, &page, &a, err);
		if (st == ST_OK && feedback_open(&f, &closed) != ST_OK)
			page.count = 0; /* the settings say so */
		if (st == ST_OK)
			st = submit_due(s, &f, &page, &a, err);
		arena_release(&a);
	} while (st == ST_OK && page.count > 0 && !stopping(s));
	return st;
}

typedef enum status list_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err);

static enum status list(struct submitter *s, list_deployments *which, struct arena *a, struct uuid **ids,
	size_t *count, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(s->options.readers, &c, err));
	enum status st = which(c, a, ids, count, err);
	db_reader_give(s->options.readers, c);
	return st;
}

/* Each of the deployments, though another fails: the last failure. */
static enum status each(struct submitter *s, list_deployments *which,
	enum status (*work)(struct submitter *s, struct uuid deployment_id, struct err *err), struct err *err)
{
	struct uuid *ids;
	size_t count = 0;
	struct arena a;
	struct err one;
	arena_init(&a);
	enum status st = list(s, which, &a, &ids, &count, err);
	for (size_t i = 0; i < count && !stopping(s); i++)
		if (work(s, ids[i], &one) != ST_OK) {
			*err = one;
			st = one.status;
		}
	arena_release(&a);
	return st;
}

/* A picture takes up to 50 ms among 2,000 others. One that is wanted before its turn is put in then. */
static enum status assign_bursts(struct submitter *s, struct uuid deployment_id, struct err *err)
{
	const struct burst_store store = {s->options.readers, s->options.recorder, s->options.blobs};
	size_t done;
	do
		TRY(burst_assign(&store, deployment_id, NULL, 0, &done, err));
	while (done > 0 && !stopping(s) && clock_mono_us() < s->bursts_until_us);
	return ST_OK;
}

static void look(struct submitter *s)
{
	struct err err;
	int64_t start_us = clock_mono_us();
	enum status st = each(s, feedback_rows_by_themselves, follow_one, &err);
	s->bursts_until_us = clock_mono_us() + BURSTS_US;
	enum status bursts = stopping(s) ? ST_OK : each(s, burst_rows_deployments, assign_bursts, &err);
	s->pause_us = PAUSE_TIMES * (clock_mono_us() - start_us);
	bool fails = st != ST_OK || bursts != ST_OK;
	if (fails && !s->failing && !stopping(s)) /* once, until it works again */
		log_err("submitter_failing", &err);
	s->failing = fails;
	if (s->pause_us < PAUSE_MIN_US)
		s->pause_us = PAUSE_MIN_US;
	if (s->pause_us > PAUSE_MAX_US)
		s->pause_us = PAUSE_MAX_US;
}

static void run(void *arg)
{
	struct submitter *s = arg;
	thread_stand_back();
	while (!stopping(s)) {
		uint32_t heard = bell_count(&s->bell);
		look(s);
		if (!stopping(s))
			bell_wait(&s->bell, heard, clock_mono_us() + s->pause_us);
	}
}

/* ---- counts ---- */

static void count_label(struct submitter_counts *out, const char *label, size_t *room, struct arena *a)
{
	size_t i = 0;
	while (i < out->label_count && strcmp(out->labels[i].label, label) != 0)
		i++;
	if (i == out->label_count) {
		out->labels = rows_grow(a, out->labels, i, room, sizeof(*out->labels));
		out->labels[out->label_count++].label = arena_strdup(a, label);
	}
	out->labels[i].pictures++;
}

static enum status count_image(const struct feedback *f, const struct feedback_image *image, bool open,
	struct submitter_counts *out, size_t *room, struct arena *a, struct arena *of_page, struct err *err)
{
	const char **labels;
	size_t waiting;
	TRY(feedback_waiting(f, image->shapes, of_page, &labels, &waiting, err));
	for (size_t i = 0; i < waiting && f->target_count > 0; i++) /* else it is not for their names */
		count_label(out, labels[i], room, a);
	out->waiting += waiting > 0 || !open;
	bool goes = open && waiting == 0 && f->row.submit_by_itself && !was_taken_back(image);
	if (goes && (out->next_us == 0 || due_us(f, image) < out->next_us))
		out->next_us = due_us(f, image);
	return ST_OK;
}

enum status submitter_count(struct db_conn *c, const struct feedback *f, struct arena *a,
	struct submitter_counts *out, struct err *err)
{
	struct err closed;
	struct page page = {0};
	size_t room = 0, looked_at = 0;
	bool open = feedback_open(f, &closed) == ST_OK;
	*out = (struct submitter_counts){0};
	TRY(feedback_image_rows_count(c, f->row.deployment_id, &out->reviewed, &out->submitted, err));
	enum status st;
	do {
		struct arena of_page;
		arena_init(&of_page);
		st = next_page(c, f->row.deployment_id, &page, &of_page, err);
		for (size_t i = 0; st == ST_OK && i < page.count; i++)
			st = count_image(f, &page.items[i], open, out, &room, a, &of_page, err);
		looked_at += page.count;
		arena_release(&of_page);
	} while (st == ST_OK && page.count > 0 && looked_at < SUBMITTER_LOOKED_AT);
	return st;
}

/* ---- its life ---- */

struct submitter *submitter_new(const struct submitter_options *options)
{
	struct submitter *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	s->options = *options;
	bell_init(&s->bell);
	return s;
}

void submitter_start(struct submitter *s)
{
	CHECK(!s->started);
	s->started = true;
	thread_start(&s->thread, "submitter", run, s);
}

void submitter_stop(struct submitter *s)
{
	atomic_store(&s->stopping, true);
	bell_ring(&s->bell);
	if (s->started)
		thread_join(s->thread);
	s->started = false;
}

void submitter_free(struct submitter *s)
{
	submitter_stop(s);
	free(s);
}

void submitter_poke(struct submitter *s)
{
	bell_ring(&s->bell);
}
