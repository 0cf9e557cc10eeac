/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/reference.h"

#include "base/check.h"
#include "base/compare.h"
#include "os/thread.h"
#include "store/deployment_rows.h"
#include "store/reference_rows.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- its images ---- */

static struct log_row *row_of(const struct reference_image_row *image, struct arena *a)
{
	struct log_row *row = ARENA_NEW(a, struct log_row);
	struct shapes none = {0};
	*row = (struct log_row){
		.id = image->asset_id,
		.predicted_asset_id = image->asset_id,
		.shapes = image->shapes.data ? image->shapes : shapes_pack(&none, a),
		.features = image->features,
		.image_stats = image->image_stats,
		.source = "",
		.width = (uint32_t)image->width,
		.height = (uint32_t)image->height,
	};
	return row;
}

enum status reference_images(struct db_conn *c, struct uuid reference_id, struct arena *a, struct seen **seen,
	bool **calibration, size_t *count, struct err *err)
{
	struct reference_image_row *images;
	TRY(reference_rows_images(c, reference_id, a, &images, count, err));
	*seen = ARENA_ARRAY(a, struct seen, *count + 1);
	*calibration = ARENA_ARRAY(a, bool, *count + 1);
	for (size_t i = 0; i < *count; i++) {
		TRY(seen_read(row_of(&images[i], a), a, &(*seen)[i], err));
		(*calibration)[i] = images[i].calibration;
	}
	return ST_OK;
}

/* ---- its distributions ---- */

/* What is measured with the outlier model is taken of calibration images alone: it fits the others too well.
 */
static void add_values(struct reference *r, const struct seen *seen, bool calibration)
{
	double values[FEATURE_COUNT];
	struct outlier_value unusual = {.score = NAN};
	if (r->outlier)
		outlier_measure(r->outlier, seen, &unusual);
	features_of(seen, r->threshold, r->task,
		r->outlier && calibration ? outlier_gaussian(r->outlier) : NULL,
		calibration ? unusual.score : NAN, values);
	for (int f = 0; f < FEATURE_COUNT; f++) {
		/* Of what was not predicted nothing is known, not even that there is no shape. */
		if (isnan(values[f]) || !feature_is_of((enum feature)f, r->task) ||
			(!r->predicted && feature_kind_of((enum feature)f) == FEATURE_OF_MODEL))
			continue;
		r->values[f][r->counts[f]++] = values[f];
	}
}

static void fill_values(struct reference *r, const bool *calibration)
{
	for (int f = 0; f < FEATURE_COUNT; f++)
		r->values[f] = ARENA_ARRAY(&r->arena, double, r->images + 1);
	for (size_t i = 0; i < r->images; i++)
		add_values(r, &r->seen[i], calibration[i]);
	for (int f = 0; f < FEATURE_COUNT; f++)
		qsort(r->values[f], r->counts[f], sizeof(double), compare_double);
}

static void fill_assets(struct reference *r)
{
	r->asset_count = r->production ? r->images : 0;
	r->assets = ARENA_ARRAY(&r->arena, struct uuid, r->asset_count + 1);
	for (size_t i = 0; i < r->asset_count; i++)
		r->assets[i] = r->seen[i].row->id;
	qsort(r->assets, r->asset_count, sizeof(struct uuid), compare_uuid);
}

static enum status fill(
	struct db_conn *c, struct reference *r, const struct reference_row *row, struct err *err)
{
	struct span packed;
	bool *calibration;
	TRY(reference_images(c, row->id, &r->arena, &r->seen, &calibration, &r->images, err));
	TRY(reference_rows_outlier(c, row->id, &r->arena, &packed, err));
	if (packed.size)
		TRY(outlier_unpack(packed, &r->arena, &r->outlier, err));
	r->note = row->note ? arena_strdup(&r->arena, row->note) : NULL;
	fill_values(r, calibration);
	fill_assets(r);
	return ST_OK;
}

enum status reference_read(struct db_conn *c, const struct reference_row *row, enum task task,
	double threshold, struct reference **out, struct err *err)
{
	struct reference *r = calloc(1, sizeof(*r));
	CHECK(r != NULL);
	arena_init(&r->arena);
	r->holds = 1;
	r->id = row->id;
	r->deployment_id = row->deployment_id;
	r->version_id = row->model_version_id;
	r->task = task;
	r->threshold = threshold;
	r->held_out = row->held_out;
	r->predicted = row->predicted;
	r->production = strcmp(row->kind, "PRODUCTION") == 0;
	r->position = row->position;
	r->created_us = row->created_us;
	enum status st = fill(c, r, row, err);
	if (st == ST_OK)
		*out = r;
	else
		reference_drop(r);
	return st;
}

/* ---- the last ones ---- */

struct references {
	pthread_mutex_t lock;                     /* guards the rest */
	struct reference *items[REFERENCES_KEPT]; /* the one asked for last is the first; NULL: none */
};

struct references *references_new(void)
{
	struct references *kept = calloc(1, sizeof(*kept));
	CHECK(kept != NULL);
	CHECK(pthread_mutex_init(&kept->lock, NULL) == 0);
	return kept;
}

void references_free(struct references *kept)
{
	if (kept == NULL)
		return;
	for (size_t i = 0; i < REFERENCES_KEPT; i++)
		reference_drop(kept->items[i]);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

/* Held for the caller; NULL: it is not kept. */
static struct reference *find(struct references *kept, struct uuid id, double threshold)
{
	struct reference *found = NULL;
	if (kept == NULL)
		return NULL;
	mutex_lock(&kept->lock);
	for (size_t i = 0; i < REFERENCES_KEPT && found == NULL; i++)
		if (reference_is(kept->items[i], id, threshold)) {
			found = kept->items[i];
			memmove(kept->items + 1, kept->items, i * sizeof(kept->items[0]));
			kept->items[0] = found;
			reference_hold(found);
		}
	mutex_unlock(&kept->lock);
	return found;
}

static void keep(struct references *kept, struct reference *r)
{
	if (kept == NULL)
		return;
	mutex_lock(&kept->lock);
	reference_drop(kept->items[REFERENCES_KEPT - 1]);
	memmove(kept->items + 1, kept->items, (REFERENCES_KEPT - 1) * sizeof(kept->items[0]));
	kept->items[0] = reference_hold(r);
	mutex_unlock(&kept->lock);
}

static enum status load_current(struct references *kept, struct db_conn *c, const struct reference_row *row,
	double threshold, struct arena *a, struct reference **out, struct err *err)
{
	struct deployment_row deployment;
	enum task task = TASK_DETECTION;
	*out = find(kept, row->id, threshold);
	if (*out)
		return ST_OK;
	TRY(deployment_rows_by_id(c, row->deployment_id, a, &deployment, err));
	CHECK(task_parse(deployment.type, &task));
	TRY(reference_read(c, row, task, threshold, out, err));
	keep(kept, *out);
	return ST_OK;
}

enum status references_load(struct references *kept, struct db_conn *c, struct uuid deployment_id,
	double threshold, struct reference **out, struct err *err)
{
	struct arena a;
	struct reference_row row;
	bool found;
	*out = NULL;
	arena_init(&a);
	enum status st = reference_rows_current(c, deployment_id, false, &a, &row, &found, err);
	if (st == ST_OK && found)
		st = load_current(kept, c, &row, threshold, &a, out, err);
	arena_release(&a);
	return st;
}

enum status reference_load(struct db_conn *c, struct uuid deployment_id, double threshold,
	struct reference **out, struct err *err)
{
	return references_load(NULL, c, deployment_id, threshold, out, err);
}

/* ---- held by many ---- */

struct reference *reference_hold(struct reference *r)
{
	atomic_fetch_add(&r->holds, 1);
	return r;
}

void reference_drop(struct reference *r)
{
	if (r == NULL || atomic_fetch_sub(&r->holds, 1) > 1)
		return;
	arena_release(&r->arena);
	free(r);
}

bool reference_is(const struct reference *r, struct uuid id, double threshold)
{
	return r && uuid_equal(r->id, id) && r->threshold == threshold;
}

bool reference_has_asset(const struct reference *r, struct uuid predicted_asset_id)
{
	return r->asset_count && bsearch(&predicted_asset_id, r->assets, r->asset_count, sizeof(struct uuid),
					 compare_uuid) != NULL;
}

bool reference_may_alarm(const struct reference *r, enum feature f)
{
	return r->held_out || feature_kind_of(f) == FEATURE_OF_IMAGE;
}
