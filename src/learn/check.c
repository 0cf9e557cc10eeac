/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidate by candidate, each over the pictures on a few threads. When there are many pictures, a part of
 * them says which candidates are worth the rest: most wrong recipes are wrong by far.
 */
#include "learn/check.h"

#include "base/check.h"
#include "os/thread.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS_MAX 16u
#define TRIES_MAX 3            /* of one run: its process may be started again meanwhile */
#define SEAT_WAIT_US 600000000 /* the model is ours alone: a seat comes */
#define PROBLEMS_MAX 100

/* What is known of a picture beside its options. */
struct slot {
	struct image image; /* kept decoded, or empty */
	bool broken;
	char why[200];
};

struct candidate_run {
	struct recipe recipe;
	struct measure *measure;
	bool failed;
	struct err why;
	struct measure_value value;
};

struct check {
	const struct check_options *o;
	struct arena *arena;
	struct slot *slots;
	size_t *order; /* of the readable pictures, near ones apart */
	size_t order_count;
	_Atomic uint64_t kept_bytes;
	struct candidate_run *candidates;
	size_t candidate_count;
	/* The pass under way: threads take indexes up to `end`. */
	void (*step)(struct check *c, size_t index, struct arena *a);
	struct candidate_run *candidate;
	_Atomic size_t next;
	size_t first, end;
	char what[64];       /* "recipe 3 of 18" */
	_Atomic size_t done; /* of this pass */
	size_t done_before, total;
	pthread_mutex_t lock; /* guards failed and why of the candidate */
};

/* ---- passes ---- */

static bool is_over(struct check *c)
{
	if (c->o->cancelled && c->o->cancelled(c->o->arg))
		return true;
	mutex_lock(&c->lock);
	bool failed = c->candidate && c->candidate->failed;
	mutex_unlock(&c->lock);
	return failed;
}

static void work(void *arg)
{
	struct check *c = arg;
	thread_stand_back();
	for (size_t i; (i = atomic_fetch_add(&c->next, 1)) < c->end && !is_over(c);) {
		struct arena a;
		arena_init(&a);
		c->step(c, i, &a);
		arena_release(&a);
		size_t done = atomic_fetch_add(&c->done, 1) + 1;
		char message[128];
		snprintf(message, sizeof(message), "%s, %zu of %zu pictures", c->what, done,
			c->end - c->first);
		if (c->o->progress)
			c->o->progress(
				c->o->arg, (double)(c->done_before + done) / (double)c->total, message);
	}
}

/* Runs step on each index from first to before end. ST_UNAVAILABLE when it was cancelled. */
static enum status pass(struct check *c, void (*step)(struct check *, size_t, struct arena *), size_t first,
	size_t end, struct err *err)
{
	thread_handle threads[THREADS_MAX];
	unsigned count = c->o->threads < THREADS_MAX ? c->o->threads : THREADS_MAX;
	c->step = step;
	c->first = first;
	c->end = end;
	atomic_store(&c->next, first);
	atomic_store(&c->done, 0);
	for (unsigned i = 0; i < count; i++)
		thread_start(&threads[i], "check", work, c);
	for (unsigned i = 0; i < count; i++)
		thread_join(threads[i]);
	c->done_before += end - first;
	if (c->o->cancelled && c->o->cancelled(c->o->arg))
		return err_set(err, ST_UNAVAILABLE, "The check was cancelled.");
	return ST_OK;
}

/* ---- pictures ---- */

static void read_picture(struct check *c, size_t index, struct arena *a)
{
	struct slot *slot = &c->slots[index];
	struct err err;
	enum status st = image_decode(c->o->pictures[index].bytes, &image_limits_default, &slot->image, &err);
	if (st != ST_OK) {
		slot->broken = true;
		snprintf(slot->why, sizeof(slot->why), "%.*s", (int)sizeof(slot->why) - 1, err.text);
		return;
	}
	uint64_t bytes = 3ull * slot->image.width * slot->image.height;
	if (atomic_fetch_add(&c->kept_bytes, bytes) + bytes > c->o->pixel_bytes_max) {
		atomic_fetch_sub(&c->kept_bytes, bytes);
		image_release(&slot->image); /* decoded again when it is its turn */
	}
}

static size_t greatest_divisor(size_t a, size_t b)
{
	while (b) {
		size_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Pictures of one class or scene follow each other: a stride of about the golden section takes them apart. */
static void spread(struct check *c)
{
	size_t count = 0, n = c->o->picture_count, stride = n * 382 / 1000 + 1;
	while (greatest_divisor(stride, n) != 1)
		stride++;
	c->order = ARENA_ARRAY(c->arena, size_t, n);
	for (size_t i = 0; i < n; i++) {
		size_t picture = i * stride % n;
		if (!c->slots[picture].broken)
			c->order[count++] = picture;
	}
	c->order_count = count;
}

static void add_problem(struct check *c, struct check_result *out, const char *text)
{
	if (out->problem_count < PROBLEMS_MAX)
		out->problems[out->problem_count++] = arena_strdup(c->arena, text);
}

static enum status read_pictures(struct check *c, struct check_result *out, struct err *err)
{
	char text[480];
	snprintf(c->what, sizeof(c->what), "reading");
	TRY(pass(c, read_picture, 0, c->o->picture_count, err));
	for (size_t i = 0; i < c->o->picture_count; i++) {
		if (!c->slots[i].broken)
			continue;
		snprintf(text, sizeof(text), "%.200s: %s", c->o->pictures[i].name, c->slots[i].why);
		add_problem(c, out, text);
	}
	spread(c);
	out->pictures = c->order_count;
	if (c->order_count >= CHECK_PICTURES_MIN)
		return ST_OK;
	return err_set(err, ST_UNPROCESSABLE,
		"Only %zu of the %zu labelled pictures can be read, and a check needs at least %d. %s",
		c->order_count, c->o->picture_count, CHECK_PICTURES_MIN,
		out->problem_count ? out->problems[0] : "");
}

/* ---- candidates ---- */

static enum status run_once(
	struct check *c, const struct image *image, struct arena *a, struct trial *t, struct err *err)
{
	enum status st = ST_UNAVAILABLE;
	for (int i = 0; i < TRIES_MAX && st == ST_UNAVAILABLE; i++) {
		*t = (struct trial){.model = c->o->model,
			.recipe = &c->candidate->recipe,
			.arena = a,
			.seat_timeout_us = SEAT_WAIT_US};
		st = trial_run_on(t, image, err);
	}
	return st;
}

static void fail(struct check *c, const struct err *err)
{
	mutex_lock(&c->lock);
	if (!c->candidate->failed)
		c->candidate->why = *err;
	c->candidate->failed = true;
	mutex_unlock(&c->lock);
}

static void run_picture(struct check *c, size_t index, struct arena *a)
{
	size_t picture = c->order[index];
	const struct check_picture *p = &c->o->pictures[picture];
	struct image decoded = {0};
	const struct image *image = &c->slots[picture].image;
	struct trial trial;
	struct err err;
	enum status st = ST_OK;
	if (image->pixels == NULL) {
		st = image_decode(p->bytes, &image_limits_default, &decoded, &err);
		image = &decoded;
	}
	if (st == ST_OK)
		st = run_once(c, image, a, &trial, &err);
	if (st == ST_OK)
		measure_add(c->candidate->measure, picture, &p->truth, &trial.shapes, image->width,
			image->height);
	else
		fail(c, &err);
	image_release(&decoded);
}

/* One candidate over a part of the pictures. */
static enum status run_candidate(struct check *c, struct candidate_run *candidate, const char *what,
	size_t first, size_t end, struct err *err)
{
	snprintf(c->what, sizeof(c->what), "%s", what);
	c->candidate = candidate;
	enum status st = pass(c, run_picture, first, end, err);
	c->candidate = NULL;
	if (st == ST_OK && !candidate->failed)
		measure_read(candidate->measure, &candidate->value);
	return st;
}

static void list_candidates(struct check *c)
{
	const struct model *m = c->o->model;
	struct recipe *recipes = ARENA_ARRAY(c->arena, struct recipe, RECIPE_CANDIDATES_MAX);
	size_t count = recipe_candidates(&m->recipe, m->label_count, recipes);
	c->candidates = ARENA_ARRAY(c->arena, struct candidate_run, count);
	for (size_t i = 0; i < count; i++) {
		struct candidate_run *candidate = &c->candidates[c->candidate_count];
		if (recipe_check(&recipes[i], &m->description, m->label_count, NULL) != ST_OK)
			continue;
		candidate->recipe = recipes[i];
		candidate->measure = measure_new(
			m->recipe.task, c->o->labels, recipe_label_count(&m->recipe), c->o->picture_count);
		c->candidate_count++;
	}
	CHECK(c->candidate_count > 0); /* the model was opened by the first one */
}

static enum status run_first(struct check *c, size_t pictures, struct err *err)
{
	for (size_t i = 0; i < c->candidate_count; i++) {
		char what[64];
		snprintf(what, sizeof(what), "recipe %zu of %zu", i + 1, c->candidate_count);
		TRY(run_candidate(c, &c->candidates[i], what, 0, pictures, err));
	}
	return ST_OK;
}

static int by_value(const void *a, const void *b)
{
	const struct candidate_run *const *x = a, *const *y = b;
	if ((*x)->value.value != (*y)->value.value)
		return (*x)->value.value > (*y)->value.value ? -1 : 1;
	return (*x > *y) - (*x < *y);
}

/* The best ones, and always the current one, on the rest of the pictures. */
static enum status run_finalists(struct check *c, size_t seen, struct err *err)
{
	struct candidate_run **ranked = ARENA_ARRAY(c->arena, struct candidate_run *, c->candidate_count);
	size_t count = 0;
	for (size_t i = 0; i < c->candidate_count; i++)
		if (!c->candidates[i].failed)
			ranked[count++] = &c->candidates[i];
	qsort(ranked, count, sizeof(ranked[0]), by_value);
	size_t finalists = count < CHECK_FINALISTS ? count : CHECK_FINALISTS;
	for (size_t i = finalists; i < count; i++)
		if (ranked[i] == &c->candidates[0])
			ranked[finalists - 1] = ranked[i];
	for (size_t i = 0; i < finalists; i++) {
		char what[64];
		snprintf(what, sizeof(what), "recipe %zu of the best %zu", i + 1, finalists);
		TRY(run_candidate(c, ranked[i], what, seen, c->order_count, err));
	}
	return ST_OK;
}

static enum status collect(struct check *c, struct check_result *out, struct err *err)
{
	uint64_t *evidence = ARENA_ARRAY(c->arena, uint64_t, c->candidate_count);
	out->rows = ARENA_ARRAY(c->arena, struct check_row, c->candidate_count);
	for (size_t i = 0; i < c->candidate_count; i++) {
		const struct candidate_run *run = &c->candidates[i];
		if (run->failed)
			continue;
		evidence[out->row_count] = run->value.evidence;
		out->rows[out->row_count++] = (struct check_row){.recipe = run->recipe,
			.value = run->value.value,
			.value50 = run->value.value50,
			.certainty = run->value.certainty,
			.pictures = run->value.pictures,
			.current = i == 0};
	}
	size_t failed = c->candidate_count - out->row_count;
	const struct err *why = NULL;
	for (size_t i = 0; why == NULL && i < c->candidate_count; i++)
		why = c->candidates[i].failed ? &c->candidates[i].why : NULL;
	if (out->row_count == 0)
		return err_set(err, ST_FAILED, "%s", why->text);
	if (failed)
		add_problem(c, out,
			arena_printf(c->arena, "The model failed with %zu of the %zu recipes. %s", failed,
				c->candidate_count, why->text));
	check_rank(out->rows, evidence, out->row_count);
	return ST_OK;
}

static enum status run_all(struct check *c, struct check_result *out, struct err *err)
{
	TRY(read_pictures(c, out, err));
	size_t first = c->order_count <= CHECK_FIRST_PICTURES ? c->order_count : CHECK_FIRST_PICTURES;
	size_t rest = c->order_count - first;
	c->total = c->done_before + first * c->candidate_count + rest * CHECK_FINALISTS;
	TRY(run_first(c, first, err));
	if (rest > 0)
		TRY(run_finalists(c, first, err));
	return collect(c, out, err);
}

enum status check_run(
	const struct check_options *o, struct arena *a, struct check_result *out, struct err *err)
{
	CHECK(o->picture_count > 0 && o->picture_count <= CHECK_PICTURES_MAX && o->threads > 0);
	struct check c = {.o = o, .arena = a};
	*out = (struct check_result){.problems = ARENA_ARRAY(a, const char *, PROBLEMS_MAX)};
	CHECK(pthread_mutex_init(&c.lock, NULL) == 0);
	c.slots = ARENA_ARRAY(a, struct slot, o->picture_count);
	list_candidates(&c);
	c.total = o->picture_count * (1 + c.candidate_count);
	enum status st = run_all(&c, out, err);
	for (size_t i = 0; i < o->picture_count; i++)
		image_release(&c.slots[i].image);
	for (size_t i = 0; i < c.candidate_count; i++)
		measure_free(c.candidates[i].measure);
	pthread_mutex_destroy(&c.lock);
	return st;
}
