/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the annotations of a dataset version's assets. Texts that are read live in the arena. Nothing here
 * touches the version: dataset_version_rows_touch() is the caller's. */
#ifndef GYRE_STORE_ANNOTATION_ROWS_H
#define GYRE_STORE_ANNOTATION_ROWS_H

#include "store/label_rows.h"
#include "store/rows.h"

enum annotation_kind {
	ANNOTATION_RECTANGLE,
	ANNOTATION_POLYGON,
	ANNOTATION_CLASSIFICATION,
	ANNOTATION_LINE,
	ANNOTATION_POINT,
	ANNOTATION_KEYPOINTS,
	ANNOTATION_KIND_COUNT
};
#define ANNOTATION_CROWD 1     /* COCO */
#define ANNOTATION_DIFFICULT 2 /* Pascal VOC */
#define ANNOTATION_BOX_GIVEN 4 /* a polygon whose box is as annotated, not its bounds */

struct annotation_shape_row {
	struct uuid id; /* zero when inserted: one is made */
	enum annotation_kind kind;
	struct uuid label_id;
	const char *label; /* its name; only read */
	double x, y, w,
		h; /* RECTANGLE; others: the bounds, worked out on insert unless BOX_GIVEN. Pixels as shown */
	const char *points; /* JSON, as the schema says; NULL for RECTANGLE and CLASSIFICATION */
	double area;        /* below 0: that of the shape */
	int64_t flags;
	const char *text; /* or NULL */
};

struct annotation_row {
	struct uuid id, asset_id;
	const char *status; /* "PENDING", "SKIPPED", "ACCEPTED", "REFUSED" */
	double duration;    /* seconds */
	const char *who;
	const char *client_id; /* of the operation that saved it last; NULL: it had none */
	int64_t revision;      /* from 1; 0 when inserted: 1 */
	int64_t created_us, updated_us;
	struct annotation_shape_row *shapes; /* by position */
	size_t shape_count;
};

#define ANNOTATION_SHAPES_MAX 10000
#define ANNOTATION_POINTS_MAX 100000 /* of all parts of a shape */
#define ANNOTATION_NUMBER_MAX 1e7 /* pixels: what a 32-bit float of an annotation file holds to the pixel */

const char *annotation_kind_name(enum annotation_kind kind); /* "RECTANGLE" */
bool annotation_status_known(const char *status);

/* With its shapes. Their labels must be of the asset's version, their points as the schema says and their
 * numbers at most ANNOTATION_NUMBER_MAX:
 * ST_INVALID. ST_MISSING: there is no such asset. */
enum status annotation_rows_insert(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err) MUST_CHECK;
/* Of one asset with their shapes, the newest first. */
enum status annotation_rows_of_asset(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct annotation_row **items, size_t *count, struct err *err) MUST_CHECK;
/* The one that counts, which is the newest, with its shapes. *found false: none. */
enum status annotation_rows_newest(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct annotation_row *out, bool *found, struct err *err) MUST_CHECK;
enum status annotation_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct annotation_row *out, struct err *err) MUST_CHECK;
/* Of the assets of a version, without their shapes. status NULL: all. */
enum status annotation_rows_list(struct db_conn *c, struct uuid dataset_version_id, const char *status,
	const struct rows_page *page, struct arena *a, struct annotation_row **items, size_t *count,
	int64_t *total, struct err *err) MUST_CHECK;
/* Writes status, duration and updated_us alone. */
enum status annotation_rows_update(
	struct db_conn *c, const struct annotation_row *row, struct err *err) MUST_CHECK;
/* Other shapes instead of those it has; status, duration, who, client_id, updated_us too. Its revision is one
 * more.
 */
enum status annotation_rows_save(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err) MUST_CHECK;
/* Further shapes, after those it has. Its revision is one more. */
enum status annotation_rows_add(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err) MUST_CHECK;
enum status annotation_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
enum status annotation_rows_delete_of_asset(
	struct db_conn *c, struct uuid asset_id, struct err *err) MUST_CHECK;
enum status annotation_rows_delete_of_version(
	struct db_conn *c, struct uuid dataset_version_id, struct err *err) MUST_CHECK;

/* The shapes of one annotation, by position. */
enum status annotation_shape_rows_read(struct db_conn *c, struct uuid annotation_id, struct arena *a,
	struct annotation_shape_row **items, size_t *count, struct err *err) MUST_CHECK;
enum status annotation_shape_rows_count(
	struct db_conn *c, struct uuid annotation_id, int64_t *count, struct err *err) MUST_CHECK;
/* One shape, and of which annotation it is. ST_MISSING. */
enum status annotation_shape_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct annotation_shape_row *out, struct uuid *annotation_id, struct err *err) MUST_CHECK;
/* All but its kind and position. The revision of its annotation is one more. */
enum status annotation_shape_rows_update(
	struct db_conn *c, const struct annotation_shape_row *s, struct arena *a, struct err *err) MUST_CHECK;
enum status annotation_shape_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
/* At the positions from first on. The labels must be of the version. */
enum status annotation_shape_rows_insert(struct db_conn *c, const struct annotation_row *row,
	struct uuid dataset_version_id, int64_t first, struct arena *a, struct err *err) MUST_CHECK;

#endif
