/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of what is in a dataset version. */
#include "learn/dataset_stats.h"

#include "base/check.h"
#include "base/json.h"
#include "store/annotation_rows.h"
#include "store/dataset_rows.h"

#include <math.h>
#include <stdlib.h>

#define SMALL_AREA (32.0 * 32.0)
#define LARGE_AREA (96.0 * 96.0)

/* ---- areas ---- */

static double coordinate(yyjson_val *point, size_t i)
{
	return yyjson_get_num(yyjson_arr_get(point, i));
}

/* Shoelace formula. */
static double ring_area(yyjson_val *ring)
{
	size_t count = yyjson_arr_size(ring);
	double twice = 0;
	for (size_t i = 0; i < count; i++) {
		yyjson_val *p = yyjson_arr_get(ring, i), *q = yyjson_arr_get(ring, (i + 1) % count);
		twice += coordinate(p, 0) * coordinate(q, 1) - coordinate(q, 0) * coordinate(p, 1);
	}
	return fabs(twice) / 2;
}

static double polygon_rings_area(const char *points)
{
	yyjson_doc *doc = yyjson_read(points, strlen(points), 0);
	yyjson_val *root = yyjson_doc_get_root(doc), *rings = yyjson_obj_get(root, "rings"), *ring;
	size_t i, count;
	double area = rings ? 0 : ring_area(root);
	yyjson_arr_foreach (rings, i, count, ring)
		area += ring_area(ring);
	yyjson_doc_free(doc);
	return area;
}

/* Below 0: it has none. */
static double area_of(struct db_query *q, const char *kind, struct arena *a)
{
	if (!db_is_null(q, 6))
		return db_real(q, 6);
	if (strcmp(kind, "RECTANGLE") == 0)
		return db_real(q, 3) * db_real(q, 4);
	if (strcmp(kind, "POLYGON") == 0 && !db_is_null(q, 5))
		return polygon_rings_area(db_text(q, 5, a));
	return -1;
}

/* ---- shapes ---- */

struct counting {
	struct dataset_stats *stats;
	struct label_row *labels;
	struct uuid *last; /* of each label, the asset that was counted last */
	struct uuid asset;
	int64_t objects; /* of asset */
};

static void end_image(struct counting *n)
{
	if (uuid_is_zero(n->asset))
		return;
	size_t k = n->objects < DATASET_STATS_OBJECTS_MAX ? (size_t)n->objects : DATASET_STATS_OBJECTS_MAX;
	n->stats->objects_per_image[k]++;
	n->stats->objects_most = k > n->stats->objects_most ? k : n->stats->objects_most;
	n->objects = 0;
}

static int by_id(const void *a, const void *b)
{
	const struct uuid *id = a;
	return memcmp(id->bytes, ((const struct label_row *)b)->id.bytes, sizeof(id->bytes));
}

static int by_label_id(const void *a, const void *b)
{
	return by_id(&((const struct label_row *)a)->id, b);
}

static void count_shape(struct counting *n, struct db_query *q, struct arena *a)
{
	const char *kind = db_text(q, 1, a);
	double area = area_of(q, kind, a);
	struct uuid label_id = db_uuid(q, 2);
	struct label_row *label =
		bsearch(&label_id, n->labels, n->stats->label_count, sizeof(n->labels[0]), by_id);
	n->objects++;
	n->stats->objects++;
	if (area >= 0)
		++*(area < SMALL_AREA       ? &n->stats->small
			: area < LARGE_AREA ? &n->stats->medium
					    : &n->stats->large);
	if (label == NULL)
		return;
	struct dataset_label_count *count = &n->stats->labels[label->position];
	struct uuid *last = &n->last[label->position];
	count->shapes++;
	count->images += !uuid_equal(*last, n->asset);
	*last = n->asset;
}

/* One row a shape, or one without a shape for an annotation that has none; by asset. */
static enum status count_shapes(
	struct db_conn *c, struct uuid dataset_version_id, struct counting *n, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT asset.id, s.kind, s.label_id, s.w, s.h, s.points, s.area FROM asset"
		" JOIN annotation ON annotation.id = (SELECT newest.id FROM annotation newest"
		" WHERE newest.asset_id = asset.id ORDER BY newest.created_us DESC, newest.id DESC LIMIT 1)"
		" LEFT JOIN annotation_shape s ON s.annotation_id = annotation.id"
		" WHERE asset.dataset_version_id = $1 ORDER BY asset.id");
	db_bind_uuid(&q, dataset_version_id);
	while (db_next(&q)) {
		struct uuid asset = db_uuid(&q, 0);
		struct arena a;
		if (!uuid_equal(asset, n->asset)) {
			end_image(n);
			n->asset = asset;
		}
		arena_init(&a);
		if (!db_is_null(&q, 1))
			count_shape(n, &q, &a);
		arena_release(&a);
	}
	end_image(n);
	return db_done(&q, err);
}

static enum status count_assets(
	struct db_conn *c, struct uuid dataset_version_id, struct dataset_stats *out, struct err *err)
{
	struct dataset_version_counts counts;
	TRY(dataset_version_rows_counts(c, dataset_version_id, &counts, err));
	out->assets = counts.assets;
	out->annotated = counts.annotated;
	struct db_query q =
		db_query(c, "SELECT count(*) FROM asset WHERE dataset_version_id = $1 AND evaluation = 1");
	db_bind_uuid(&q, dataset_version_id);
	TRY(rows_number(&q, &out->evaluation, err));
	q = db_query(c, "SELECT count(*) FROM annotation JOIN asset ON asset.id = annotation.asset_id"
			" WHERE asset.dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	return rows_number(&q, &out->annotations, err);
}

enum status dataset_stats_read(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct dataset_stats *out, struct err *err)
{
	struct counting n = {.stats = out};
	struct dataset_version_row row;
	*out = (struct dataset_stats){0};
	TRY(dataset_version_rows_by_id(c, dataset_version_id, a, &row, err));
	TRY(count_assets(c, dataset_version_id, out, err));
	TRY(label_rows_list(c, dataset_version_id, a, &n.labels, &out->label_count, err));
	out->labels = ARENA_ARRAY(a, struct dataset_label_count, out->label_count + 1);
	n.last = ARENA_ARRAY(a, struct uuid, out->label_count + 1);
	for (size_t i = 0; i < out->label_count; i++) {
		out->labels[i].name = n.labels[i].name;
		n.labels[i].position = (int64_t)i;
	}
	if (out->label_count)
		qsort(n.labels, out->label_count, sizeof(n.labels[0]), by_label_id);
	return count_shapes(c, dataset_version_id, &n, err);
}

enum status dataset_stats_tags(struct db_conn *c, struct uuid dataset_version_id, bool of_data,
	struct arena *a, struct dataset_tag_count **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(
		c, of_data ? "SELECT tag.name, count(*) FROM asset JOIN tag_target ON tag_target.target_id ="
			     " asset.data_id JOIN tag ON tag.id = tag_target.tag_id"
			     " WHERE asset.dataset_version_id = $1 GROUP BY tag.name ORDER BY tag.name"
			   : "SELECT tag.name, count(*) FROM asset JOIN tag_target ON tag_target.target_id ="
			     " asset.id JOIN tag ON tag.id = tag_target.tag_id"
			     " WHERE asset.dataset_version_id = $1 GROUP BY tag.name ORDER BY tag.name");
	size_t room = 0;
	db_bind_uuid(&q, dataset_version_id);
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] =
			(struct dataset_tag_count){.name = db_text(&q, 0, a), .assets = db_integer(&q, 1)};
	}
	return db_done(&q, err);
}
