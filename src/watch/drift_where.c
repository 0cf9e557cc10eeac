/* SPDX-License-Identifier: Apache-2.0 */
/* Where a feature moved: on which source, label or tag; and images that show it. */
#include "base/check.h"
#include "base/compare.h"
#include "deploy/model.h"
#include "stats/ks.h"
#include "store/reference_rows.h"
#include "task/shown.h"
#include "watch/drift_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 1000

/* Images of the window that have something in common. */
struct group {
	const char *by, *name;
	double *values;
	size_t count, images, last; /* last: the image that was added last, from 1 */
};

struct groups {
	struct group items[GROUPS_MAX];
	size_t count;
	size_t images; /* of the window */
	struct arena *arena;
};

/* Each image once, though it may have many shapes of a label. */
static void add(struct groups *g, const char *by, const char *name, size_t image, double value)
{
	size_t i = 0;
	if (name == NULL || *name == '\0')
		return;
	while (i < g->count && (strcmp(g->items[i].by, by) != 0 || strcmp(g->items[i].name, name) != 0))
		i++;
	if (i == GROUPS_MAX)
		return;
	if (i == g->count)
		g->items[g->count++] = (struct group){
			.by = by, .name = name, .values = ARENA_ARRAY(g->arena, double, g->images)};
	struct group *group = &g->items[i];
	if (group->last == image + 1)
		return;
	group->last = image + 1;
	group->images++;
	if (!isnan(value))
		group->values[group->count++] = value;
}

static void add_labels(struct groups *g, const struct seen *seen, const struct drift_report *out,
	size_t image, double value, const char **labels, uint32_t label_count)
{
	for (size_t s = 0; s < seen->shapes.count; s++)
		if (shown_score((double)seen->shapes.items[s].score) >= out->threshold)
			add(g, "label",
				model_label((const char *const *)labels, label_count,
					seen->shapes.items[s].label, g->arena),
				image, value);
}

static enum status fill(struct db_conn *c, const struct drift_window *w, enum feature f, struct groups *g,
	const struct drift_report *out, struct err *err)
{
	const char **labels, **tags;
	uint32_t label_count;
	size_t tag_count;
	TRY(model_labels_of(c, out->reference->version_id, g->arena, &labels, &label_count, err));
	for (size_t i = 0; i < w->count; i++) {
		const struct seen *seen = &w->seen[i];
		add(g, "source", seen->row->source, i, w->values[i][f]);
		add_labels(g, seen, out, i, w->values[i][f], labels, label_count);
		TRY(reference_rows_tags(c, seen->row->predicted_asset_id, g->arena, &tags, &tag_count, err));
		for (size_t k = 0; k < tag_count; k++)
			add(g, "tag", tags[k], i, w->values[i][f]);
	}
	return ST_OK;
}

static int by_d(const void *a, const void *b)
{
	const struct drift_where *x = a, *y = b;
	return x->d > y->d ? -1 : x->d < y->d ? 1 : strcmp(x->name, y->name);
}

static void test_groups(struct groups *g, enum feature f, struct drift_report *out)
{
	const struct reference *ref = out->reference;
	struct drift_where *all = ARENA_ARRAY(g->arena, struct drift_where, g->count + 1);
	size_t count = 0;
	for (size_t i = 0; i < g->count; i++) {
		struct group *group = &g->items[i];
		struct ks ks;
		if (group->count < DRIFT_WHERE_IMAGES_MIN)
			continue;
		qsort(group->values, group->count, sizeof(double), compare_double);
		ks_test(ref->values[f], ref->counts[f], group->values, group->count, &ks);
		all[count++] = (struct drift_where){group->by, group->name, group->images, ks.d, ks.p};
	}
	qsort(all, count, sizeof(all[0]), by_d);
	out->where = all;
	out->where_count = count < DRIFT_WHERE_MAX ? count : DRIFT_WHERE_MAX;
}

/* ---- examples ---- */

struct showing {
	size_t image;
	double how_much;
};

static int by_how_much(const void *a, const void *b)
{
	const struct showing *x = a, *y = b;
	if (x->how_much > y->how_much || x->how_much < y->how_much)
		return x->how_much > y->how_much ? -1 : 1;
	return x->image > y->image ? -1 : 1; /* the newer one */
}

/* How much an image shows what moved: by the value itself, or by how far it is from the reference's middle.
 */
static double how_much(const struct drift_feature *moved, double value)
{
	double from_middle = fabs(value - moved->reference_quantiles[DRIFT_QUANTILES / 2]);
	switch (moved->moved) {
	case SEQUENTIAL_HIGHER: return value;
	case SEQUENTIAL_LOWER: return -value;
	case SEQUENTIAL_NARROWER: return -from_middle;
	case SEQUENTIAL_NONE:
	case SEQUENTIAL_WIDER: break;
	}
	return from_middle;
}

static void choose_examples(const struct drift_window *w, const struct drift_feature *moved, struct arena *a,
	struct drift_report *out)
{
	struct showing *all = ARENA_ARRAY(a, struct showing, w->count + 1);
	size_t count = 0;
	for (size_t i = 0; i < w->count; i++)
		if (!w->seen[i].row->gone && !isnan(w->values[i][moved->feature]))
			all[count++] = (struct showing){i, how_much(moved, w->values[i][moved->feature])};
	qsort(all, count, sizeof(all[0]), by_how_much);
	out->example_count = count < DRIFT_EXAMPLES ? count : DRIFT_EXAMPLES;
	out->examples = ARENA_ARRAY(a, struct drift_example, out->example_count + 1);
	for (size_t i = 0; i < out->example_count; i++) {
		const struct log_row *row = w->seen[all[i].image].row;
		out->examples[i] = (struct drift_example){
			row->predicted_asset_id, w->values[all[i].image][moved->feature], row->created_us};
	}
}

enum status drift_where(struct db_conn *c, const struct drift_window *w, struct arena *a,
	struct drift_report *out, struct err *err)
{
	if (out->feature_count == 0)
		return ST_OK;
	enum feature f = out->features[0].feature;
	struct groups *g = ARENA_NEW(a, struct groups);
	g->arena = a;
	g->images = w->count;
	TRY(fill(c, w, f, g, out, err));
	test_groups(g, f, out);
	choose_examples(w, &out->features[0], a, out);
	return ST_OK;
}
