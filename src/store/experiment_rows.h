/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of experiments: what each starts from, its datasets by role, its logs, artifacts, console and
 * evaluations. Texts that are read live in the arena; what is not there is ST_MISSING with a sentence.
 */
#ifndef GYRE_STORE_EXPERIMENT_ROWS_H
#define GYRE_STORE_EXPERIMENT_ROWS_H

#include "store/rows.h"

struct experiment_row {
	struct uuid id, project_id;
	const char *name, *description;
	const char *status;                                    /* wire name: "WAITING", "RUNNING", … */
	struct uuid base_model_version_id, base_experiment_id; /* zero: none */
	const char *logging_object_name;                       /* NULL: none was stored */
	int64_t created_us;
};

enum status experiment_rows_insert(struct db_conn *c, const struct experiment_row *e,
	struct err *err) MUST_CHECK; /* ST_CONFLICT: the name is taken in its project */
enum status experiment_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct experiment_row *out, struct err *err) MUST_CHECK;
enum status experiment_rows_by_name(struct db_conn *c, struct uuid project_id, const char *name,
	struct arena *a, struct experiment_row *out, struct err *err) MUST_CHECK;
enum status experiment_rows_list(struct db_conn *c, struct uuid project_id, const struct rows_page *page,
	struct arena *a, struct experiment_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;
/* Writes all but id, project and creation time. */
enum status experiment_rows_update(
	struct db_conn *c, const struct experiment_row *e, struct err *err) MUST_CHECK;
enum status experiment_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* ---- datasets by role ---- */

struct experiment_dataset_row {
	const char *name;
	struct uuid dataset_version_id;
	int64_t revision; /* of the version, when it was attached */
};

/* ST_CONFLICT: the role or the version is taken; ST_MISSING: no such version. Pins the version's revision. */
enum status experiment_rows_attach(struct db_conn *c, struct uuid id, const char *name,
	struct uuid dataset_version_id, struct err *err) MUST_CHECK;
enum status experiment_rows_detach(
	struct db_conn *c, struct uuid id, struct uuid dataset_version_id, struct err *err) MUST_CHECK;
/* By name. */
enum status experiment_rows_datasets(struct db_conn *c, struct uuid id, struct arena *a,
	struct experiment_dataset_row **items, size_t *count, struct err *err) MUST_CHECK;

/* ---- logs ---- */

struct experiment_log_row {
	struct uuid id, experiment_id;
	const char *name, *type; /* "LINE", … */
	const char *data;        /* JSON */
	int64_t created_us;
};

enum status experiment_log_rows_insert(
	struct db_conn *c, const struct experiment_log_row *l, struct err *err) MUST_CHECK; /* ST_CONFLICT */
enum status experiment_log_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct experiment_log_row *out, struct err *err) MUST_CHECK;
/* *found false: none of that name. */
enum status experiment_log_rows_by_name(struct db_conn *c, struct uuid experiment_id, const char *name,
	struct arena *a, struct experiment_log_row *out, bool *found, struct err *err) MUST_CHECK;
enum status experiment_log_rows_list(struct db_conn *c, struct uuid experiment_id,
	const struct rows_page *page, struct arena *a, struct experiment_log_row **items, size_t *count,
	int64_t *total, struct err *err) MUST_CHECK;
/* Writes name, type and data. */
enum status experiment_log_rows_update(
	struct db_conn *c, const struct experiment_log_row *l, struct err *err) MUST_CHECK;
enum status experiment_log_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* ---- artifacts ---- */

struct artifact_row {
	struct uuid id, experiment_id;
	const char *name, *filename, *object_name;
	bool large;
	int64_t created_us;
};

enum status artifact_rows_insert(struct db_conn *c, const struct artifact_row *f,
	struct err *err) MUST_CHECK; /* ST_CONFLICT: the name; ST_MISSING: no such object */
enum status artifact_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct artifact_row *out,
	struct err *err) MUST_CHECK;
enum status artifact_rows_by_name(struct db_conn *c, struct uuid experiment_id, const char *name,
	struct arena *a, struct artifact_row *out, struct err *err) MUST_CHECK;
enum status artifact_rows_list(struct db_conn *c, struct uuid experiment_id, const struct rows_page *page,
	struct arena *a, struct artifact_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;
/* Writes name, filename, object_name and large. */
enum status artifact_rows_update(struct db_conn *c, const struct artifact_row *f, struct err *err) MUST_CHECK;
enum status artifact_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* ---- the console ---- */

/* The same line again replaces it: senders repeat. */
enum status experiment_rows_put_line(struct db_conn *c, struct uuid experiment_id, int64_t line,
	const char *entry, struct err *err) MUST_CHECK;
/* From a line on, at most limit, as JSON texts by line. */
enum status experiment_rows_lines(struct db_conn *c, struct uuid experiment_id, int64_t from, int64_t limit,
	struct arena *a, const char ***entries, size_t *count, struct err *err) MUST_CHECK;

/* ---- evaluations ---- */

struct evaluation_row {
	struct uuid id, experiment_id, asset_id;
	const char *shapes; /* JSON: [{"type": …, "label_id", "score"}, …] */
	int64_t created_us;
};

/* Of an asset that has one already: replaced, or kept as it was. */
enum status evaluation_rows_put(
	struct db_conn *c, const struct evaluation_row *e, bool replace, struct err *err) MUST_CHECK;
/* ST_MISSING. */
enum status evaluation_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct evaluation_row *out, struct err *err) MUST_CHECK;
enum status evaluation_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
enum status evaluation_rows_list(struct db_conn *c, struct uuid experiment_id, const struct rows_page *page,
	struct arena *a, struct evaluation_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;

#endif
