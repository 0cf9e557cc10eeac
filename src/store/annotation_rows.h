/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the labels of a dataset version and of the annotations of its assets. Texts that are read live in
 * the arena. Nothing here touches the version: dataset_version_rows_touch() is the caller's. */
#ifndef GYRE_STORE_ANNOTATION_ROWS_H
#define GYRE_STORE_ANNOTATION_ROWS_H

#include "store/rows.h"

struct label_row {
	struct uuid id, dataset_version_id;
	const char *name;
	struct uuid group_id; /* zero: none */
	int64_t position;     /* in order of creation, from 0 */
	int64_t created_us;
};

/* By its name, made when it is missing (*made says so). */
enum status label_rows_ensure(struct db_conn *c, struct uuid dataset_version_id, const char *name,
	struct arena *a, struct label_row *out, bool *made, struct err *err) MUST_CHECK;
enum status label_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct label_row *out,
	struct err *err) MUST_CHECK;
/* In order of position. */
enum status label_rows_list(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct label_row **items, size_t *count, struct err *err) MUST_CHECK;

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

struct annotation_shape_row {
	struct uuid id; /* zero when inserted: one is made */
	enum annotation_kind kind;
	struct uuid label_id;
	const char *label;  /* its name; only read */
	double x, y, w, h;  /* RECTANGLE; POLYGON: its bounds, worked out on insert. Pixels as shown */
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
	int64_t revision, created_us, updated_us;
	struct annotation_shape_row *shapes; /* by position */
	size_t shape_count;
};

/* With its shapes. Their labels must be of the asset's version: ST_INVALID. */
enum status annotation_rows_insert(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err) MUST_CHECK;
/* Of one asset with their shapes, the newest first. */
enum status annotation_rows_of_asset(struct db_conn *c, struct uuid asset_id, struct arena *a,
	struct annotation_row **items, size_t *count, struct err *err) MUST_CHECK;
enum status annotation_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct annotation_row *out, struct err *err) MUST_CHECK;
/* Other shapes instead of those it has; status and duration too. Its revision is one more. */
enum status annotation_rows_save(
	struct db_conn *c, const struct annotation_row *row, struct arena *a, struct err *err) MUST_CHECK;
enum status annotation_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
enum status annotation_rows_delete_of_asset(
	struct db_conn *c, struct uuid asset_id, struct err *err) MUST_CHECK;

#endif
