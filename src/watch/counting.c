/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/counting.h"

#include "base/check.h"
#include "watch/rollups.h"

#include <stdlib.h>

/* A row as one view and one source count it: four of a row at most. */
struct entry {
	const struct seen *seen;
	enum rollup_view view;
	double threshold;
	const char *source; /* "": all */
};

struct work {
	struct db_conn *c;
	const struct counting *how;
	struct arena arena;   /* of the entries */
	struct arena scratch; /* of one roll-up */
	struct summary summary;
	struct entry *entries;
	size_t count;
};

/* ---- what is counted where ---- */

static const struct counting_cut *cut_of(const struct work *w, const struct log_row *row)
{
	for (size_t i = 0; i < w->how->cut_count; i++) {
		const struct counting_cut *cut = &w->how->cuts[i];
		if (uuid_equal(cut->deployment_id, row->deployment_id))
			return row->position <= cut->to ? cut : NULL;
	}
	return NULL;
}

/* Of the same source as the row before mostly. */
static enum status source_of(struct work *w, const struct log_row *row, const struct log_row *before,
	const char **out, struct err *err)
{
	if (before && uuid_equal(row->deployment_id, before->deployment_id) &&
		strcmp(row->source, before->source) == 0)
		return ST_OK;
	TRY(rollups_source(w->c, row->deployment_id, row->source, out, err));
	*out = arena_strdup(&w->arena, *out);
	return ST_OK;
}

static void add_entry(
	struct work *w, const struct seen *seen, enum rollup_view view, double threshold, const char *source)
{
	w->entries[w->count++] = (struct entry){seen, view, threshold, ""};
	w->entries[w->count++] = (struct entry){seen, view, threshold, source};
}

static enum status make_entries(struct work *w, const struct seen *rows, size_t count, struct err *err)
{
	const char *source = "";
	w->entries = ARENA_ARRAY(&w->arena, struct entry, 4 * count + 1);
	for (size_t i = 0; i < count; i++) {
		const struct log_row *row = rows[i].row;
		const struct counting_cut *cut = cut_of(w, row);
		if (!w->how->answered && cut == NULL)
			continue;
		TRY(source_of(w, row, i ? rows[i - 1].row : NULL, &source, err));
		if (w->how->answered)
			add_entry(w, &rows[i], ROLLUP_ANSWERED, row->threshold, source);
		if (cut)
			add_entry(w, &rows[i], ROLLUP_RECUT, cut->threshold, source);
	}
	return ST_OK;
}

/* What two entries have in common when they are in the same roll-up but for the time. */
static int compare_places(const struct entry *a, const struct entry *b)
{
	const struct log_row *x = a->seen->row, *y = b->seen->row;
	int by_deployment = memcmp(&x->deployment_id, &y->deployment_id, sizeof(x->deployment_id));
	if (by_deployment)
		return by_deployment;
	if (a->view != b->view)
		return a->view < b->view ? -1 : 1;
	int by_source = strcmp(a->source, b->source);
	if (by_source)
		return by_source;
	int by_version = memcmp(&x->version_id, &y->version_id, sizeof(x->version_id));
	return by_version ? by_version : (int)x->is_shadow - (int)y->is_shadow;
}

static int compare_entries(const void *a, const void *b)
{
	const struct log_row *x = ((const struct entry *)a)->seen->row;
	const struct log_row *y = ((const struct entry *)b)->seen->row;
	int by_place = compare_places(a, b);
	if (by_place)
		return by_place;
	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? -1 : 1;
	return (x->position > y->position) - (x->position < y->position);
}

/* ---- roll-ups of entries of one place, by time ---- */

static struct rollup_key key_of(const struct entry *e, int level_s)
{
	const struct log_row *row = e->seen->row;
	return (struct rollup_key){
		.deployment_id = row->deployment_id,
		.view = e->view,
		.level_s = level_s,
		.source = e->source,
		.start_us = rollup_start_us(row->created_us, level_s),
		.version_id = row->version_id,
		.is_shadow = row->is_shadow,
	};
}

/* How many of the first entries are in one roll-up of that level. */
static size_t run_of(const struct entry *entries, size_t count, int level_s)
{
	int64_t start_us = rollup_start_us(entries[0].seen->row->created_us, level_s);
	size_t i = 1;
	while (i < count && rollup_start_us(entries[i].seen->row->created_us, level_s) == start_us)
		i++;
	return i;
}

static enum status add_summaries(
	struct work *w, const struct entry *entries, size_t count, int level_s, struct err *err)
{
	for (size_t from = 0; from < count;) {
		size_t to = from + run_of(entries + from, count - from, level_s);
		const struct rollup_key key = key_of(&entries[from], level_s);
		for (; from < to; from++)
			summary_add(&w->summary, entries[from].seen, entries[from].threshold);
		enum status st = rollups_add(w->c, &key, &w->summary, &w->scratch, err);
		summary_release(&w->summary);
		arena_release(&w->scratch);
		TRY(st);
	}
	return ST_OK;
}

/* ---- of a day ---- */

static bool has_place(const struct shape *shape)
{
	return shape->kind != SHAPE_CLASS;
}

static int compare_labels(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

/* Labels of shapes that have a place, each once, after -1 for all; *labels is on the heap. */
static size_t labels_of(const struct entry *day, size_t count, int32_t **labels)
{
	size_t room = 1, used = 0, kept = 0;
	for (size_t i = 0; i < count; i++)
		room += day[i].seen->shapes.count;
	*labels = malloc(room * sizeof(**labels));
	CHECK(*labels != NULL);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < day[i].seen->shapes.count; k++)
			if (has_place(&day[i].seen->shapes.items[k]))
				(*labels)[used++] = day[i].seen->shapes.items[k].label;
	if (used == 0)
		return 0;
	(*labels)[used++] = -1;
	qsort(*labels, used, sizeof(**labels), compare_labels);
	for (size_t i = 0; i < used; i++)
		if (kept == 0 || (*labels)[i] != (*labels)[kept - 1])
			(*labels)[kept++] = (*labels)[i];
	return kept;
}

static enum status add_heat(
	struct work *w, const struct entry *day, size_t count, int32_t label, struct err *err)
{
	struct heat *heat = ARENA_NEW(&w->scratch, struct heat);
	const struct rollup_key key = key_of(day, ROLLUP_DAY_S);
	for (size_t i = 0; i < count; i++)
		heat_add(heat, day[i].seen, label, day[i].threshold);
	/* None at the threshold: no row, as if there had been no shape. */
	enum status st = heat->shapes ? rollups_add_heat(w->c, &key, label, heat, &w->scratch, err) : ST_OK;
	arena_release(&w->scratch);
	return st;
}

static enum status add_heats(struct work *w, const struct entry *day, size_t count, struct err *err)
{
	int32_t *labels;
	size_t label_count = labels_of(day, count, &labels);
	enum status st = ST_OK;
	for (size_t i = 0; i < label_count && st == ST_OK; i++)
		st = add_heat(w, day, count, labels[i], err);
	free(labels);
	return st;
}

static enum status add_sample(struct work *w, const struct entry *day, size_t count, struct err *err)
{
	struct rollup_drawn *drawn = ARENA_ARRAY(&w->scratch, struct rollup_drawn, count);
	for (size_t i = 0; i < count; i++) {
		const struct log_row *row = day[i].seen->row;
		drawn[i] = (struct rollup_drawn){row->id, row->position, row->created_us};
	}
	const struct rollup_key key = key_of(day, ROLLUP_DAY_S);
	enum status st = rollups_add_sample(w->c, key.deployment_id, key.start_us, drawn, count, err);
	arena_release(&w->scratch);
	return st;
}

static enum status add_days(struct work *w, const struct entry *entries, size_t count, struct err *err)
{
	bool sampled = entries[0].view == ROLLUP_ANSWERED && entries[0].source[0] == '\0';
	for (size_t from = 0; from < count;) {
		size_t size = run_of(entries + from, count - from, ROLLUP_DAY_S);
		TRY(add_heats(w, entries + from, size, err));
		if (sampled)
			TRY(add_sample(w, entries + from, size, err));
		from += size;
	}
	return ST_OK;
}

static enum status add_place(struct work *w, const struct entry *entries, size_t count, struct err *err)
{
	TRY(add_summaries(w, entries, count, ROLLUP_MINUTE_S, err));
	TRY(add_summaries(w, entries, count, ROLLUP_HOUR_S, err));
	TRY(add_summaries(w, entries, count, ROLLUP_DAY_S, err));
	return entries[0].seen->row->is_shadow ? ST_OK : add_days(w, entries, count, err);
}

static enum status add_all(struct work *w, const struct seen *rows, size_t count, struct err *err)
{
	TRY(make_entries(w, rows, count, err));
	qsort(w->entries, w->count, sizeof(*w->entries), compare_entries);
	for (size_t from = 0, to; from < w->count; from = to) {
		for (to = from + 1; to < w->count; to++)
			if (compare_places(&w->entries[from], &w->entries[to]) != 0)
				break;
		TRY(add_place(w, w->entries + from, to - from, err));
	}
	return ST_OK;
}

enum status counting_add(
	struct db_conn *c, const struct counting *how, const struct seen *rows, size_t count, struct err *err)
{
	struct work *w = calloc(1, sizeof(*w));
	CHECK(w != NULL);
	w->c = c;
	w->how = how;
	arena_init(&w->arena);
	arena_init(&w->scratch);
	summary_init(&w->summary);
	enum status st = add_all(w, rows, count, err);
	summary_release(&w->summary);
	arena_release(&w->scratch);
	arena_release(&w->arena);
	free(w);
	return st;
}
