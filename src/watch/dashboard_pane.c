/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of a range: labels of several versions by name, a total, and the points of its charts. */
#include "base/check.h"
#include "deploy/model.h"
#include "store/rows.h"
#include "watch/dashboard_inside.h"

#include <math.h>
#include <stdlib.h>

/* ---- labels by name ---- */

static size_t hash_of_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return (size_t)(hash ^ (hash >> 32));
}

/* Where the name is, or would be. Slots hold places in `items`, from 1. */
static uint32_t *slot_of(const struct names *n, const char *name)
{
	size_t at = hash_of_text(name) & (n->slot_count - 1);
	while (n->slots[at] && strcmp(n->items[n->slots[at] - 1], name) != 0)
		at = (at + 1) & (n->slot_count - 1);
	return &n->slots[at];
}

static void make_slots(struct names *n)
{
	if (2 * (n->count + 1) <= n->slot_count)
		return;
	n->slot_count = n->slot_count ? 2 * n->slot_count : 64;
	n->slots = ARENA_ARRAY(n->arena, uint32_t, n->slot_count);
	for (size_t i = 0; i < n->count; i++)
		*slot_of(n, n->items[i]) = (uint32_t)i + 1;
}

static uint32_t name_of(struct names *n, const char *name)
{
	make_slots(n);
	uint32_t *slot = slot_of(n, name);
	if (*slot == 0) {
		n->items = rows_grow(n->arena, (void *)n->items, n->count, &n->room, sizeof(*n->items));
		n->items[n->count++] = name;
		*slot = (uint32_t)n->count;
	}
	return *slot - 1;
}

static enum status new_version(struct names *n, struct uuid id, struct version_labels **out, struct err *err)
{
	const char **labels = NULL;
	uint32_t count = 0;
	enum status st = model_labels_of(n->log, id, n->arena, &labels, &count, err);
	if (st != ST_OK && st != ST_MISSING && st != ST_INVALID)
		return st;
	if (st != ST_OK)
		count = 0; /* it is gone: its labels go by their numbers */
	struct version_labels *v = ARENA_NEW(n->arena, struct version_labels);
	*v = (struct version_labels){.id = id, .count = count, .next = n->versions};
	v->map = ARENA_ARRAY(n->arena, uint32_t, count + 1);
	for (uint32_t i = 0; i < count; i++)
		v->map[i] = name_of(n, labels[i]);
	n->versions = v;
	*out = v;
	return ST_OK;
}

enum status names_of_version(struct names *n, struct uuid version_id, uint32_t label_count,
	const struct version_labels **out, struct err *err)
{
	struct version_labels *v = n->versions;
	while (v && !uuid_equal(v->id, version_id))
		v = v->next;
	if (v == NULL)
		TRY(new_version(n, version_id, &v, err));
	if (label_count > v->count) {
		uint32_t *map = ARENA_ARRAY(n->arena, uint32_t, label_count);
		memcpy(map, v->map, v->count * sizeof(*map));
		for (uint32_t i = v->count; i < label_count; i++)
			map[i] = name_of(n, arena_printf(n->arena, "%u", i));
		v->map = map;
		v->count = label_count;
	}
	*out = v;
	return ST_OK;
}

int32_t names_label(const struct names *n, const struct version_labels *v, const char *name)
{
	for (uint32_t i = 0; i < v->count; i++)
		if (strcmp(n->items[v->map[i]], name) == 0)
			return (int32_t)i;
	return -1;
}

/* ---- points ---- */

static double share(double sum, uint64_t count)
{
	return count ? sum / (double)count : (double)NAN;
}

static double quantile_ms(const struct summary *s, double q)
{
	return s->predictions ? sketch_quantile(s->latencies, q) / 1e3 : (double)NAN;
}

static void set_point(struct dashboard_point *p, const struct builder *b)
{
	const struct summary *s = b->now;
	p->predictions = s->predictions;
	p->no_answer = s->without_shapes;
	p->mean_latency_ms = share((double)s->latency_sum_us / 1e3, s->predictions);
	p->p50_ms = quantile_ms(s, 0.5);
	p->p99_ms = quantile_ms(s, 0.99);
	p->brightness = share((double)s->brightness_sum / 1e3, s->measured);
	p->contrast = share((double)s->contrast_sum / 1e3, s->measured);
	p->blur = share((double)s->blur_sum / 1e3, s->measured);
	p->objects = share((double)s->shapes, s->predictions);
	if (b->label == NULL)
		return;
	p->predictions = b->label_images;
	p->no_answer = 0;
	p->objects = share((double)b->label_shapes, b->label_images);
}

static void clear_point(struct dashboard_point *p, int64_t at_us)
{
	const double none = (double)NAN;
	*p = (struct dashboard_point){at_us, 0, 0, 0, 0, none, none, none, none, none, none, none};
}

void pane_init(struct pane *p, const struct range *range, struct arena *a)
{
	summary_init(&p->total);
	p->points = ARENA_ARRAY(a, struct dashboard_point, range->points);
	for (size_t i = 0; i < range->points; i++)
		clear_point(&p->points[i], range->first_us + (int64_t)i * range->step_s * 1000000);
}

/* ---- building ---- */

void builder_init(struct builder *b, const struct range *range, struct names *names, const char *label,
	struct pane *pane, struct arena *a)
{
	*b = (struct builder){.range = range, .names = names, .label = label, .pane = pane};
	b->now = ARENA_NEW(a, struct summary);
	summary_init(b->now);
}

void builder_release(struct builder *b)
{
	for (size_t i = 0; i < b->part_count; i++) {
		summary_release(&b->parts[i]->counts);
		free(b->parts[i]);
	}
	if (b->now)
		summary_release(b->now);
	b->part_count = 0;
}

/* A part's counts go into the point at hand and the total. */
static enum status add_part(struct builder *b, struct part *part, struct err *err)
{
	const struct version_labels *v;
	struct summary *s = &part->counts;
	if (!part->used)
		return ST_OK;
	TRY(names_of_version(b->names, part->version_id, s->label_count, &v, err));
	summary_merge_mapped(b->now, s, v->map, 0); /* without labels */
	summary_merge_mapped(&b->pane->total, s, v->map, v->count);
	int32_t wanted = b->label ? names_label(b->names, v, b->label) : -1;
	if (wanted >= 0 && (uint32_t)wanted < s->label_count) {
		b->label_images += s->labels[wanted].images;
		b->label_shapes += s->labels[wanted].shapes;
	}
	summary_release(s);
	summary_init(s);
	part->used = false;
	return ST_OK;
}

static enum status add_parts(struct builder *b, struct err *err)
{
	for (size_t i = 0; i < b->part_count; i++)
		TRY(add_part(b, b->parts[i], err));
	return ST_OK;
}

static enum status end_point(struct builder *b, struct err *err)
{
	TRY(add_parts(b, err));
	if (b->now->predictions)
		set_point(&b->pane->points[b->at], b);
	summary_release(b->now);
	summary_init(b->now);
	b->label_images = b->label_shapes = 0;
	return ST_OK;
}

enum status builder_part(
	struct builder *b, int64_t at_us, struct uuid version_id, struct summary **out, struct err *err)
{
	size_t at = range_point(b->range, at_us), i = 0;
	CHECK(at >= b->at);
	if (at != b->at)
		TRY(end_point(b, err));
	b->at = at;
	while (i < b->part_count && !uuid_equal(b->parts[i]->version_id, version_id))
		i++;
	if (i == PANE_VERSIONS_MAX) {
		TRY(add_part(b, b->parts[0], err));
		i = 0;
	} else if (i == b->part_count) {
		b->parts[i] = calloc(1, sizeof(struct part));
		CHECK(b->parts[i] != NULL);
		b->part_count++;
	}
	b->parts[i]->version_id = version_id;
	b->parts[i]->used = true;
	*out = &b->parts[i]->counts;
	return ST_OK;
}

enum status builder_finish(struct builder *b, struct err *err)
{
	return end_point(b, err);
}

/* ---- samples ---- */

uint64_t pane_scaled(uint64_t count, uint64_t of, uint64_t n)
{
	return (uint64_t)((double)count * (double)of / (double)n + 0.5);
}

static void scale_all(uint64_t *counts, size_t count, uint64_t of, uint64_t n)
{
	for (size_t i = 0; i < count; i++)
		if (counts[i])
			counts[i] = pane_scaled(counts[i], of, n);
}

/* A summary is whole numbers up to its labels, and so is a label. */
#define SUMMARY_NUMBERS (offsetof(struct summary, labels) / sizeof(uint64_t))
#define LABEL_NUMBERS (sizeof(struct summary_label) / sizeof(uint64_t))

void pane_scale(struct pane *p, size_t points, uint64_t of, uint64_t n)
{
	if (n == 0 || n == of)
		return;
	scale_all((uint64_t *)&p->total, SUMMARY_NUMBERS, of, n);
	for (uint32_t i = 0; i < p->total.label_count; i++)
		scale_all((uint64_t *)&p->total.labels[i], LABEL_NUMBERS, of, n);
	for (size_t i = 0; i < points; i++) {
		p->points[i].predictions = pane_scaled(p->points[i].predictions, of, n);
		p->points[i].no_answer = pane_scaled(p->points[i].no_answer, of, n);
	}
}

void pane_take_shapes(struct pane *p, const struct pane *from, size_t points)
{
	struct summary *to = &p->total;
	struct summary_label *labels = to->labels;
	uint32_t count = from->total.label_count;
	to->shapes = from->total.shapes;
	to->without_shapes = from->total.without_shapes;
	memcpy(to->objects, from->total.objects, sizeof(to->objects));
	free(labels);
	to->labels = calloc(count + 1, sizeof(*labels));
	CHECK(to->labels != NULL);
	to->label_count = count;
	if (count)
		memcpy(to->labels, from->total.labels, count * sizeof(*labels));
	for (size_t i = 0; i < points; i++) {
		p->points[i].no_answer = from->points[i].no_answer;
		p->points[i].objects = from->points[i].objects;
	}
}

void pane_take_images(struct pane *p, const struct pane *from, size_t points)
{
	struct summary *to = &p->total;
	struct summary_label *labels = to->labels;
	const uint64_t predictions = to->predictions, shapes = to->shapes, without = to->without_shapes;
	uint32_t label_count = to->label_count;
	*to = from->total;
	to->predictions = predictions;
	to->shapes = shapes;
	to->without_shapes = without;
	to->labels = labels;
	to->label_count = label_count;
	for (size_t i = 0; i < points; i++) {
		struct dashboard_point one = from->points[i];
		one.predictions = p->points[i].predictions;
		one.no_answer = p->points[i].no_answer;
		one.objects = p->points[i].objects;
		p->points[i] = one;
	}
}
