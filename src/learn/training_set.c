/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/training_set.h"

#include "base/check.h"
#include "formats/name_map.h"
#include "learn/dataset_shapes.h"
#include "store/dataset_rows.h"
#include "store/object_rows.h"
#include "task/label_match.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_ASSETS 1000
#define WARNINGS_MAX 8

struct gathering {
	struct db_conn *conn;
	const struct training_wanted *wanted;
	struct arena *arena;
	struct training_set *out;
	size_t room;
	/* Labels as they are found, the base's first; the set's come of them. */
	struct name_map names;
	const char **found;
	size_t found_count, found_room;
	/* Of the version that is read: its labels by id, and which of the found ones each is. */
	struct label_row *labels;
	int32_t *places;
	size_t label_count;
	struct name_map pictures; /* by bytes: place in out->pictures */
	size_t unlabelled, without_bytes, skipped_shapes;
};

static void warn(struct gathering *g, const char *text)
{
	struct training_set *out = g->out;
	if (out->warnings == NULL)
		out->warnings = ARENA_ARRAY(g->arena, const char *, WARNINGS_MAX);
	if (out->warning_count < WARNINGS_MAX)
		out->warnings[out->warning_count++] = text;
}

/* ---- labels ---- */

static int32_t find_label(struct gathering *g, const char *name)
{
	uint32_t place = name_map_add(&g->names, name, strlen(name), (uint32_t)g->found_count);
	if (place == g->found_count) {
		g->found = rows_grow(g->arena, g->found, g->found_count, &g->found_room, sizeof(*g->found));
		g->found[g->found_count++] = name;
	}
	return (int32_t)place;
}

static enum status read_labels(struct gathering *g, struct uuid version_id, struct err *err)
{
	TRY(label_rows_list(g->conn, version_id, g->arena, &g->labels, &g->label_count, err));
	const char **names = ARENA_ARRAY(g->arena, const char *, g->label_count + 1);
	g->places = ARENA_ARRAY(g->arena, int32_t, g->label_count + 1);
	for (size_t i = 0; i < g->label_count; i++) {
		names[i] = g->labels[i].name;
		g->places[i] = -1;
	}
	if (g->wanted->base_label_count)
		label_match(names, g->label_count, g->wanted->base_labels, g->wanted->base_label_count,
			g->places);
	for (size_t i = 0; i < g->label_count; i++)
		if (g->places[i] < 0)
			g->places[i] = find_label(g, names[i]);
	return ST_OK;
}

static int32_t label_of(void *arg, struct uuid id)
{
	const struct gathering *g = arg;
	for (size_t i = 0; i < g->label_count; i++)
		if (uuid_equal(g->labels[i].id, id))
			return g->places[i];
	return -1;
}

/* ---- pictures ---- */

static bool is_of_task(enum task task, const struct labelled_shape *s)
{
	switch (task) {
	case TASK_CLASSIFICATION: return s->kind == SHAPE_CLASS;
	case TASK_DETECTION: return s->kind != SHAPE_CLASS;
	default: return s->kind == SHAPE_POLYGON;
	}
}

/* What was looked at and found good. What a model drew beforehand is nobody's word yet. */
static bool is_truth(const struct annotation_row *row)
{
	if (strcmp(row->status, "REFUSED") == 0 || strcmp(row->status, "SKIPPED") == 0)
		return false;
	return strcmp(row->status, "PENDING") != 0 || strncmp(row->who, "gyre: ", 6) != 0;
}

static void keep_shapes(struct gathering *g, struct training_picture *p)
{
	size_t kept = 0;
	for (size_t i = 0; i < p->shape_count; i++) {
		bool usable = !p->shapes[i].degenerate && p->shapes[i].label >= 0 &&
			      is_of_task(g->wanted->task, &p->shapes[i]);
		g->skipped_shapes += !usable;
		if (usable)
			p->shapes[kept++] = p->shapes[i];
	}
	p->shape_count = kept;
}

static void add_picture(struct gathering *g, const struct training_picture *p)
{
	struct training_set *out = g->out;
	uint32_t place = name_map_add(&g->pictures, p->sha256, strlen(p->sha256), (uint32_t)out->count);
	if (place < out->count) { /* its bytes were seen: the side that is trained on the least has it */
		struct training_picture *old = &out->pictures[place];
		enum training_side side = p->side > old->side ? p->side : old->side;
		if (p->labelled && (!old->labelled || p->side > old->side))
			*old = *p;
		old->side = side;
		return;
	}
	out->pictures = rows_grow(g->arena, out->pictures, out->count, &g->room, sizeof(*out->pictures));
	out->pictures[out->count++] = *p;
}

static enum status add_asset(
	struct gathering *g, const struct asset_row *asset, enum training_side side, struct err *err)
{
	struct training_picture p = {.asset_id = asset->id,
		.data_id = asset->data.id,
		.filename = asset->data.filename,
		.width = (uint32_t)asset->data.width,
		.height = (uint32_t)asset->data.height,
		.side = asset->evaluation ? TRAINING_TEST : side};
	struct annotation_row annotation;
	struct object_row object;
	bool found;
	g->out->images++;
	TRY(object_rows_by_name(g->conn, asset->data.object_name, g->arena, &object, err));
	if (object.sha256 == NULL) {
		g->without_bytes++;
		return ST_OK;
	}
	p.sha256 = object.sha256;
	TRY(annotation_rows_newest(g->conn, asset->id, g->arena, &annotation, &found, err));
	if (found && is_truth(&annotation)) {
		p.shapes = dataset_shapes_from_rows(annotation.shapes, annotation.shape_count, label_of, g,
			g->arena, &p.shape_count, &g->skipped_shapes);
		keep_shapes(g, &p);
		p.labelled = p.shape_count > 0 || g->wanted->task != TASK_CLASSIFICATION;
	}
	/* Unlabelled ones too, until all are there: kept to measure with here, a picture that is labelled
	 * elsewhere is not trained on. */
	add_picture(g, &p);
	return ST_OK;
}

static enum status read_version(
	struct gathering *g, const struct experiment_dataset_row *dataset, struct err *err)
{
	struct rows_page page = {.limit = PAGE_ASSETS};
	enum training_side side = strcmp(dataset->name, "val") == 0    ? TRAINING_VAL
				  : strcmp(dataset->name, "test") == 0 ? TRAINING_TEST
								       : TRAINING_TRAIN;
	int64_t total;
	TRY(read_labels(g, dataset->dataset_version_id, err));
	do {
		struct asset_row *rows;
		size_t count;
		TRY(asset_rows_list(
			g->conn, dataset->dataset_version_id, &page, g->arena, &rows, &count, &total, err));
		for (size_t i = 0; i < count; i++)
			TRY(add_asset(g, &rows[i], side, err));
		page.offset += page.limit;
	} while (page.offset < total);
	return ST_OK;
}

static void drop_unlabelled(struct gathering *g)
{
	struct training_set *out = g->out;
	size_t kept = 0;
	for (size_t i = 0; i < out->count; i++)
		if (out->pictures[i].labelled)
			out->pictures[kept++] = out->pictures[i];
	g->unlabelled = out->count - kept;
	out->count = kept;
}

/* ---- sides ---- */

static void count_sides(struct training_set *out)
{
	memset(out->side_counts, 0, sizeof(out->side_counts));
	for (size_t i = 0; i < out->count; i++)
		out->side_counts[out->pictures[i].side]++;
}

/* By the picture's bytes, so that a larger set keeps out what a smaller one did. */
static bool is_drawn(const struct training_picture *p)
{
	char digits[9];
	memcpy(digits, p->sha256, 8);
	digits[8] = '\0';
	return (double)strtoul(digits, NULL, 16) / 4294967296.0 < TRAINING_SPLIT_SHARE;
}

/* Where nobody said what to measure with, a share of what would be trained on is it. */
static void split(struct gathering *g)
{
	struct training_set *out = g->out;
	for (size_t i = 0; i < g->wanted->dataset_count; i++)
		if (strcmp(g->wanted->datasets[i].name, "test") == 0)
			return;
	count_sides(out);
	size_t train = out->side_counts[TRAINING_TRAIN], drawn = 0;
	if ((double)out->side_counts[TRAINING_TEST] >= TRAINING_SPLIT_BELOW * (double)out->count)
		return;
	for (size_t i = 0; i < out->count; i++)
		drawn += out->pictures[i].side == TRAINING_TRAIN && is_drawn(&out->pictures[i]);
	if (drawn == 0 || drawn >= train)
		return;
	out->split = true;
	for (size_t i = 0; i < out->count; i++)
		if (out->pictures[i].side == TRAINING_TRAIN && is_drawn(&out->pictures[i]))
			out->pictures[i].side = TRAINING_TEST;
}

/* ---- which labels ---- */

static void renumber(struct gathering *g, const int32_t *places)
{
	struct training_set *out = g->out;
	size_t lost = 0;
	for (size_t i = 0; i < out->count; i++) {
		struct training_picture *p = &out->pictures[i];
		size_t kept = 0;
		for (size_t k = 0; k < p->shape_count; k++) {
			int32_t place = places[p->shapes[k].label];
			if (place < 0) {
				lost++;
				continue;
			}
			p->shapes[kept] = p->shapes[k];
			p->shapes[kept++].label = place;
			if (p->side != TRAINING_TEST) {
				out->label_shapes[place]++;
				out->objects++;
			}
		}
		p->shape_count = kept;
	}
	if (lost)
		warn(g, arena_printf(g->arena,
				"%zu shapes have labels that only pictures to measure with have: they do not "
				"count.",
				lost));
}

static void choose_labels(struct gathering *g)
{
	struct training_set *out = g->out;
	size_t *used = ARENA_ARRAY(g->arena, size_t, g->found_count + 1);
	int32_t *places = ARENA_ARRAY(g->arena, int32_t, g->found_count + 1);
	for (size_t i = 0; i < out->count; i++)
		for (size_t k = 0; k < out->pictures[i].shape_count; k++)
			used[out->pictures[i].shapes[k].label] += out->pictures[i].side != TRAINING_TEST;
	out->labels = ARENA_ARRAY(g->arena, const char *, g->found_count + 1);
	out->label_shapes = ARENA_ARRAY(g->arena, size_t, g->found_count + 1);
	out->base_label_count = g->wanted->base_label_count;
	for (size_t i = 0; i < g->found_count; i++) {
		places[i] = -1;
		if (i >= out->base_label_count && used[i] == 0)
			continue;
		places[i] = (int32_t)out->label_count;
		out->labels[out->label_count++] = g->found[i];
	}
	renumber(g, places);
}

static enum status check(struct gathering *g, struct err *err)
{
	static const char *const kinds[] = {[TASK_CLASSIFICATION] = "classes of whole pictures",
		[TASK_DETECTION] = "boxes",
		[TASK_SEGMENTATION] = "outlines"};
	struct training_set *out = g->out;
	count_sides(out);
	if (g->unlabelled)
		warn(g, arena_printf(g->arena, "%zu pictures are not labelled yet: they are left out.",
				g->unlabelled));
	if (g->without_bytes)
		warn(g, arena_printf(g->arena, "%zu pictures were never uploaded: they are left out.",
				g->without_bytes));
	if (out->side_counts[TRAINING_TRAIN] == 0)
		return err_set(err, ST_INVALID,
			out->count
				? "There is nothing to train on: all labelled pictures are kept to measure "
				  "with."
				: "There is nothing to train on: none of the pictures is labelled.");
	if (out->objects == 0)
		return err_set(err, ST_INVALID,
			"There is nothing to train on: the labelled pictures have no %s.",
			kinds[g->wanted->task]);
	return ST_OK;
}

enum status training_set_read(struct db_conn *c, const struct training_wanted *wanted, struct arena *a,
	struct training_set *out, struct err *err)
{
	struct gathering g = {.conn = c, .wanted = wanted, .arena = a, .out = out};
	*out = (struct training_set){.task = wanted->task};
	name_map_init(&g.names, a);
	name_map_init(&g.pictures, a);
	for (size_t i = 0; i < wanted->base_label_count; i++) {
		g.found = rows_grow(a, g.found, g.found_count, &g.found_room, sizeof(*g.found));
		g.found[g.found_count] = wanted->base_labels[i];
		name_map_add(&g.names, wanted->base_labels[i], strlen(wanted->base_labels[i]),
			(uint32_t)g.found_count++);
	}
	for (size_t i = 0; i < wanted->dataset_count; i++)
		TRY(read_version(&g, &wanted->datasets[i], err));
	drop_unlabelled(&g);
	split(&g);
	choose_labels(&g);
	return check(&g, err);
}
