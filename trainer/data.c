/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/data.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/str.h"
#include "formats/readers.h"
#include "os/file.h"
#include "task/mask.h"
#include "trainer/events.h"
#include "trainer/stop.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNOTATIONS_BYTES_MAX ((size_t)1 << 30)
#define IMAGE_BYTES_MAX ((size_t)256 << 20)
#define THREADS_MAX 8
#define STRETCHED_MAX 16 /* times the input's pixels that a picture of odd sides may become */
#define WARNINGS_MAX 20  /* of one kind, that are said one by one */
#define VAL_EVERY 5

/* ---- annotations ---- */

/* The job's place of each label of the file; -1: not asked for. */
static int32_t *label_places(const struct job *job, const struct labelled_set *set, struct arena *a)
{
	int32_t *places = ARENA_ARRAY(a, int32_t, set->label_count);
	for (size_t i = 0; i < set->label_count; i++) {
		places[i] = -1;
		for (size_t k = 0; k < job->label_count; k++)
			if (strcmp(set->labels[i], job->labels[k]) == 0)
				places[i] = (int32_t)k;
		if (places[i] < 0)
			event_warning("Annotations of \"%.100s\" are left out: the job has no such label.",
				set->labels[i]);
	}
	return places;
}

/* What the task can use of a shape. */
static bool is_of_use(enum task task, const struct labelled_shape *s)
{
	switch (task) {
	case TASK_CLASSIFICATION: return s->kind == SHAPE_CLASS;
	case TASK_DETECTION: return s->kind != SHAPE_CLASS && !s->degenerate;
	case TASK_SEGMENTATION: return s->kind == SHAPE_POLYGON && !s->degenerate;
	case TASK_COUNT: break;
	}
	return false;
}

struct reading {
	const struct job *job;
	const struct job_data *data;
	const struct labelled_set *set;
	const int32_t *places;
	struct dataset *out;
	size_t useless, unlabelled; /* shapes that the task cannot use; pictures without a class */
};

static void add_example(struct reading *r, const struct labelled_image *image)
{
	struct arena *a = &r->out->arena;
	struct example s = {.label = -1};
	struct labelled_shape *shapes = ARENA_ARRAY(a, struct labelled_shape, image->shape_count);
	for (size_t i = 0; i < image->shape_count; i++) {
		struct labelled_shape shape = image->shapes[i];
		shape.label = r->places[shape.label];
		if (shape.label < 0)
			continue;
		if (!is_of_use(r->job->task, &shape)) {
			r->useless++;
			continue;
		}
		if (shape.kind == SHAPE_CLASS)
			s.label = shape.label;
		else
			shapes[s.shape_count++] = shape;
	}
	if (r->job->task == TASK_CLASSIFICATION && s.label < 0) {
		r->unlabelled++;
		return;
	}
	s.shapes = shapes;
	s.path = arena_printf(a, "%s/%s", r->data->images, image->filename);
	r->out->examples[r->out->count++] = s;
}

static enum status read_set(const struct job *job, const struct job_data *data, struct dataset *out,
	struct labelled_set *set, struct err *err)
{
	struct format_file file = {.path = "annotations.json"};
	struct collect c;
	TRY(file_read(data->annotations, ANNOTATIONS_BYTES_MAX, &out->arena, &file.bytes, err));
	collect_init(&c, &file, 1, &out->arena);
	coco_read(&c);
	collect_finish(&c, FORMAT_COCO, set);
	for (size_t i = 0; i < set->problem_count && i < WARNINGS_MAX; i++)
		event_warning("%s", set->problems[i]);
	size_t more = set->problem_count + set->problems_left_out;
	if (more > WARNINGS_MAX)
		event_warning("%zu more of the annotations are repaired or left out.", more - WARNINGS_MAX);
	if (set->image_count == 0)
		return err_set(err, ST_UNPROCESSABLE, "%s lists no pictures: %s", data->annotations,
			set->problem_count ? set->problems[0] : "its list of images is empty.");
	return ST_OK;
}

static enum status read_annotations(
	const struct job *job, const struct job_data *data, struct dataset *out, struct err *err)
{
	struct labelled_set set;
	TRY(read_set(job, data, out, &set, err));
	struct reading r = {job, data, &set, label_places(job, &set, &out->arena), out, 0, 0};
	out->examples = ARENA_ARRAY(&out->arena, struct example, set.image_count);
	for (size_t i = 0; i < set.image_count; i++)
		add_example(&r, &set.images[i]);
	if (r.useless)
		event_warning("%zu annotations are left out: %s.", r.useless,
			job->task == TASK_SEGMENTATION ? "they have no outline, which segmentation needs"
			: job->task == TASK_DETECTION
				? "they have no box, or one without area"
				: "they are of a part of the picture, not of all of it");
	if (r.unlabelled)
		event_warning("%zu pictures are left out: they have no class.", r.unlabelled);
	return ST_OK;
}

/* ---- pictures ---- */

/* ST_UNPROCESSABLE: this picture cannot be used. pixels NULL: only its sides are wanted. */
static enum status load(const struct tensor_spec *input, struct example *s, uint8_t **pixels, struct err *err)
{
	struct arena a;
	struct image image;
	struct span bytes;
	arena_init(&a);
	enum status st = file_read(s->path, IMAGE_BYTES_MAX, &a, &bytes, err);
	st = st == ST_OK ? image_decode(bytes, NULL, &image, err) : st;
	arena_release(&a);
	if (st != ST_OK)
		return st;
	s->width = image.width;
	s->height = image.height;
	fitted_sides(input, image.width, image.height, &s->sides[0], &s->sides[1]);
	size_t count = (size_t)s->sides[0] * s->sides[1];
	if (count > (size_t)STRETCHED_MAX * input->width * input->height) {
		image_release(&image);
		return err_set(err, ST_UNPROCESSABLE,
			"It is %u by %u pixels, too narrow for an input of %u by %u.", s->width, s->height,
			input->width, input->height);
	}
	struct tensor_spec fitted = {.width = s->sides[0],
		.height = s->sides[1],
		.fit = FIT_STRETCH,
		.layout = LAYOUT_NHWC,
		.sample = SAMPLE_UINT8};
	struct tensor_map map;
	*pixels = malloc(count * 3);
	CHECK(*pixels != NULL);
	tensor_fill(&image, &fitted, *pixels, &map);
	image_release(&image);
	return ST_OK;
}

/* Pictures are decoded by several threads, each taking the next one; the order of warnings and of what is
 * kept is that of the examples. */
struct loading {
	struct dataset *set;
	atomic_size_t next;
	atomic_llong room;
	struct err *errors; /* one an example; ST_OK: it is there */
};

static void *load_some(void *argument)
{
	struct loading *l = argument;
	for (size_t i; (i = atomic_fetch_add(&l->next, 1)) < l->set->count && !stop_asked();) {
		struct example *s = &l->set->examples[i];
		uint8_t *pixels = NULL;
		l->errors[i].status = load(&l->set->spec, s, &pixels, &l->errors[i]);
		long long size = (long long)s->sides[0] * s->sides[1] * 3;
		bool kept = pixels && atomic_fetch_sub(&l->room, size) >= size;
		if (pixels && !kept) {
			atomic_fetch_add(&l->room, size);
			free(pixels);
		}
		s->pixels = kept ? pixels : NULL;
	}
	return NULL;
}

static void load_all(struct loading *l, uint32_t threads)
{
	pthread_t ids[THREADS_MAX];
	uint32_t count = 0;
	while (count + 1 < threads && count < THREADS_MAX &&
		pthread_create(&ids[count], NULL, load_some, l) == 0)
		count++;
	load_some(l);
	while (count > 0)
		pthread_join(ids[--count], NULL);
}

/* Takes out what could not be read. */
static enum status keep_readable(struct loading *l, const char *what, struct err *err)
{
	struct dataset *d = l->set;
	size_t all = d->count, kept = 0, first = SIZE_MAX;
	for (size_t i = 0; i < all; i++) {
		if (l->errors[i].status == ST_OK) {
			d->examples[kept++] = d->examples[i];
			continue;
		}
		first = first == SIZE_MAX ? i : first;
		if (i - kept < WARNINGS_MAX)
			event_warning("%s cannot be read and is left out. %s", d->examples[i].path,
				l->errors[i].text);
	}
	d->count = kept;
	if (all - kept > WARNINGS_MAX)
		event_warning("%zu pictures in all are left out.", all - kept);
	if ((double)(all - kept) > DATA_UNREADABLE_MAX * (double)all)
		return err_set(err, ST_UNPROCESSABLE,
			"%zu of the %zu pictures of %s cannot be read, more than a tenth. The first one "
			"says: %.200s",
			all - kept, all, what, l->errors[first].text);
	return ST_OK;
}

static void list_sides(struct dataset *d)
{
	d->sides = ARENA_ARRAY(&d->arena, uint32_t, 2 * d->count);
	for (size_t i = 0; i < d->count; i++)
		memcpy(&d->sides[2 * i], d->examples[i].sides, sizeof(d->examples[i].sides));
}

enum status dataset_read(const struct job *job, const struct job_data *data, uint32_t threads, int64_t *room,
	struct dataset *out, struct err *err)
{
	*out = (struct dataset){.spec = job->recipe.input};
	arena_init(&out->arena);
	TRY(read_annotations(job, data, out, err));
	struct loading l = {.set = out, .errors = ARENA_ARRAY(&out->arena, struct err, out->count)};
	atomic_init(&l.room, *room);
	load_all(&l, threads);
	*room = atomic_load(&l.room);
	if (stop_asked())
		return err_set(err, ST_TIMEOUT, "The run was asked to stop.");
	TRY(keep_readable(&l, data->annotations, err));
	if (out->count == 0)
		return err_set(err, ST_UNPROCESSABLE, "%s has no picture that can be used for %s.",
			data->annotations, task_name(job->task));
	list_sides(out);
	return ST_OK;
}

void dataset_release(struct dataset *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->examples[i].pixels);
	arena_release(&d->arena);
	*d = (struct dataset){0};
}

/* ---- a part to validate on ---- */

struct place {
	int32_t label;
	uint64_t order;
	struct example example;
};

static int by_label_and_order(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->label != y->label)
		return x->label < y->label ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void dataset_split(struct dataset *train, uint64_t seed, struct dataset *val)
{
	CHECK(train->count >= 2);
	*val = (struct dataset){.spec = train->spec};
	arena_init(&val->arena);
	struct place *places = ARENA_ARRAY(&train->arena, struct place, train->count);
	for (size_t i = 0; i < train->count; i++) {
		/* By the name, so that one picture more moves no other to the other side. */
		struct sha256 name = hash_sha256(span_of_text(train->examples[i].path));
		uint64_t number;
		memcpy(&number, name.bytes, sizeof(number));
		struct chance chance = chance_of(seed, number, 0);
		places[i] =
			(struct place){train->examples[i].label, chance_next(&chance), train->examples[i]};
	}
	qsort(places, train->count, sizeof(*places), by_label_and_order);
	val->examples = ARENA_ARRAY(&val->arena, struct example, train->count);
	size_t kept = 0;
	for (size_t i = 0; i < train->count; i++) {
		if (i % VAL_EVERY == VAL_EVERY / 2 || (train->count <= VAL_EVERY / 2 && i == 0))
			val->examples[val->count++] = places[i].example;
		else
			train->examples[kept++] = places[i].example;
	}
	train->count = kept;
	list_sides(train);
	list_sides(val);
}

void dataset_warn_unseen(const struct dataset *d, const struct job *job)
{
	struct arena a;
	struct str names;
	size_t unseen = 0;
	arena_init(&a);
	str_init(&names, 300);
	bool *seen = ARENA_ARRAY(&a, bool, job->label_count);
	for (size_t i = 0; i < d->count; i++) {
		if (d->examples[i].label >= 0)
			seen[d->examples[i].label] = true;
		for (size_t k = 0; k < d->examples[i].shape_count; k++)
			seen[d->examples[i].shapes[k].label] = true;
	}
	for (size_t i = 0; i < job->label_count; i++)
		if (!seen[i])
			str_printf(&names, "%s%s", unseen++ ? ", " : "", job->labels[i]);
	if (unseen)
		event_warning("No picture to train on shows %s: what the model knows of %s may be forgotten.",
			str_text(&names), unseen > 1 ? "them" : "it");
	str_release(&names);
	arena_release(&a);
}

/* ---- one picture ---- */

enum status dataset_show(const struct dataset *d, const struct plan *p, uint8_t *out, struct err *err)
{
	plan_start(p, out);
	for (size_t i = 0; i < p->tile_count; i++) {
		const struct example *s = &d->examples[p->tiles[i].picture];
		struct example again = *s;
		uint8_t *read = NULL;
		if (s->pixels == NULL)
			TRY(load(&d->spec, &again, &read, err));
		if (memcmp(again.sides, s->sides, sizeof(s->sides)) == 0)
			plan_tile(p, &p->tiles[i],
				&(struct image){s->sides[0], s->sides[1], read ? read : s->pixels}, out);
		free(read);
	}
	plan_light(p, out);
	return ST_OK;
}

struct box example_box(const struct example *s, struct box b)
{
	float x = (float)s->sides[0] / (float)s->width, y = (float)s->sides[1] / (float)s->height;
	return (struct box){b.x1 * x, b.y1 * y, b.x2 * x, b.y2 * y};
}

/* ---- outlines ---- */

struct painting {
	const struct dataset *set;
	const struct plan *plan;
	const struct tile *tile;
	const struct example *example;
	struct arena arena;
	int16_t *out;
};

static struct mask mask_in_output(struct painting *p, const struct labelled_shape *shape)
{
	double x = (double)p->example->sides[0] / p->example->width,
	       y = (double)p->example->sides[1] / p->example->height;
	struct mask_ring *rings = ARENA_ARRAY(&p->arena, struct mask_ring, shape->ring_count);
	for (uint32_t i = 0; i < shape->ring_count; i++) {
		const struct labelled_ring *ring = &shape->rings[i];
		double *points = ARENA_ARRAY(&p->arena, double, 2 * (size_t)ring->point_count);
		for (uint32_t k = 0; k < ring->point_count; k++) {
			points[2 * k] = ring->points[2 * k] * x * p->tile->at.scale_x + p->tile->at.offset_x;
			points[2 * k + 1] =
				ring->points[2 * k + 1] * y * p->tile->at.scale_y + p->tile->at.offset_y;
		}
		rings[i] = (struct mask_ring){points, ring->point_count};
	}
	return mask_of_rings(rings, shape->ring_count, p->plan->width, p->plan->height, &p->arena);
}

static void paint(struct painting *p, const struct labelled_shape *shape)
{
	struct mask mask = mask_in_output(p, shape);
	int16_t value = shape->crowd ? -1 : (int16_t)shape->label;
	uint32_t height = p->plan->height;
	uint64_t at = 0;
	for (size_t run = 0; run < mask.run_count; at += mask.runs[run++])
		for (uint64_t k = at; run % 2 == 1 && k < at + mask.runs[run]; k++) {
			int32_t x = (int32_t)(k / height), y = (int32_t)(k % height);
			if (x >= p->tile->x0 && x < p->tile->x1 && y >= p->tile->y0 && y < p->tile->y1)
				p->out[(size_t)y * p->plan->width + (size_t)x] = value;
		}
}

static int larger_first(const void *a, const void *b)
{
	const struct labelled_shape *const *x = a, *const *y = b;
	double m = labelled_area(*x), n = labelled_area(*y);
	return (m < n) - (m > n);
}

/* Where the picture itself is: not label -1 as the padding. */
static void clear(struct painting *p, int16_t value)
{
	for (int32_t y = p->tile->y0; y < p->tile->y1; y++)
		for (int32_t x = p->tile->x0; x < p->tile->x1; x++) {
			float u = ((float)x + 0.5f - p->tile->at.offset_x) / p->tile->at.scale_x;
			float v = ((float)y + 0.5f - p->tile->at.offset_y) / p->tile->at.scale_y;
			if (u >= 0 && v >= 0 && u < (float)p->example->sides[0] &&
				v < (float)p->example->sides[1])
				p->out[(size_t)y * p->plan->width + (size_t)x] = value;
		}
}

void dataset_classes(const struct dataset *d, const struct plan *plan, int32_t label_count, int16_t *out)
{
	memset(out, 0xff, (size_t)plan->width * plan->height * sizeof(*out)); /* -1 */
	for (size_t i = 0; i < plan->tile_count; i++) {
		const struct example *s = &d->examples[plan->tiles[i].picture];
		struct painting p = {d, plan, &plan->tiles[i], s, {0}, out};
		arena_init(&p.arena);
		clear(&p, (int16_t)label_count);
		const struct labelled_shape **order =
			ARENA_ARRAY(&p.arena, const struct labelled_shape *, s->shape_count);
		for (size_t k = 0; k < s->shape_count; k++)
			order[k] = &s->shapes[k];
		qsort(order, s->shape_count, sizeof(const struct labelled_shape *), larger_first);
		for (size_t k = 0; k < s->shape_count; k++)
			paint(&p, order[k]);
		arena_release(&p.arena);
	}
}
