/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQL of models, their versions and their files. Texts that are read live in the
 * arena; NULL where the column is. JSON is text. Whatever is not there is
 * ST_MISSING with a sentence.
 */
#ifndef GYRE_STORE_MODEL_ROWS_H
#define GYRE_STORE_MODEL_ROWS_H

#include "store/rows.h"

struct model_row {
	struct uuid id, organization_id;
	const char *name, *description;
	int64_t created_us;
	/* Only read: */
	int64_t version_count;
	const char *type; /* of the newest version; NULL without one */
};

struct model_version_row {
	struct uuid id, model_id;
	int64_t version; /* from 0 */
	const char *name, *description;
	const char *type;       /* wire name of the inference type */
	const char *framework;  /* wire name */
	const char *labels;     /* {"0": "person", …} */
	const char *parameters; /* an object */
	const char *docker;     /* {"docker_image", "docker_tag", "docker_flags", "docker_env_variables"} */
	const char *notebook_link, *thumbnail_object_name;
	const char *state; /* "EMPTY", "READY", "REFUSED" */
	const char *state_text;
	const char *onnx_sha256; /* key of the blob */
	const char *recipe;      /* given before the file, or found from it */
	const char *graph;       /* what inspection said */
	int64_t created_us;
	struct uuid based_on_id;   /* whose file it runs by another recipe; zero: none. Never changed */
	struct uuid experiment_id; /* that it was published from; zero: none. Never changed */
	const char *trainable;     /* what the trainer says of the file; NULL: not asked yet. Only read */
};

/* A deployment that a version is in now. */
struct model_version_use {
	struct uuid deployment_id;
	const char *name;
	bool shadow; /* else it is the champion */
};

struct model_file_row {
	struct uuid id, model_version_id;
	const char *name, *filename, *object_name;
	bool large;
	int64_t created_us;
};

/* ---- models ---- */

enum status model_rows_insert(struct db_conn *c, const struct model_row *m,
	struct err *err) MUST_CHECK; /* ST_CONFLICT: the name is taken */
enum status model_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct model_row *out,
	struct err *err) MUST_CHECK;
enum status model_rows_by_name(struct db_conn *c, const char *name, struct arena *a, struct model_row *out,
	struct err *err) MUST_CHECK;
enum status model_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct model_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
enum status model_rows_update(
	struct db_conn *c, const struct model_row *m, struct err *err) MUST_CHECK; /* name, description */
enum status model_rows_delete(struct db_conn *c, struct uuid id,
	struct err *err) MUST_CHECK; /* with its versions and their files */
/* A deployment that one of the model's versions is, or was, the champion of; NULL when there is none. */
enum status model_rows_deployment(
	struct db_conn *c, struct uuid id, struct arena *a, const char **name, struct err *err) MUST_CHECK;

/* ---- versions ---- */

/* The number that the next version of a model gets. One writer, so nobody takes it in between. */
enum status model_rows_next_version(
	struct db_conn *c, struct uuid model_id, int64_t *version, struct err *err) MUST_CHECK;
enum status model_rows_version_insert(
	struct db_conn *c, const struct model_version_row *v, struct err *err) MUST_CHECK;
enum status model_rows_version_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct model_version_row *out, struct err *err) MUST_CHECK;
enum status model_rows_version_by_number(struct db_conn *c, struct uuid model_id, int64_t version,
	struct arena *a, struct model_version_row *out, struct err *err) MUST_CHECK;
/* The newest of that name. */
enum status model_rows_version_by_name(struct db_conn *c, struct uuid model_id, const char *name,
	struct arena *a, struct model_version_row *out, struct err *err) MUST_CHECK;
enum status model_rows_version_list(struct db_conn *c, struct uuid model_id, const struct rows_page *page,
	struct arena *a, struct model_version_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;
/* Writes all but id, model, number and creation time. */
enum status model_rows_version_update(
	struct db_conn *c, const struct model_version_row *v, struct err *err) MUST_CHECK;
enum status model_rows_version_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;
/* What the trainer says of its file (JSON). Forgotten when file, labels or recipe change. */
enum status model_rows_version_set_trainable(
	struct db_conn *c, struct uuid id, const char *json, struct err *err) MUST_CHECK;
/* The newest READY one of which it was not asked. */
enum status model_rows_version_not_asked(struct db_conn *c, struct arena *a, struct model_version_row *out,
	bool *found, struct err *err) MUST_CHECK;
/* Of all: the trainer is another one now. */
enum status model_rows_version_ask_again(struct db_conn *c, struct err *err) MUST_CHECK;

/* The deployment whose champion it is now (past: or was once, so that its predictions name it); NULL when
 * there is none. */
enum status model_rows_version_deployment(struct db_conn *c, struct uuid id, bool past, struct arena *a,
	const char **name, struct err *err) MUST_CHECK;

/* All deployments that it is in now, as champion first, then by name. */
enum status model_rows_version_uses(struct db_conn *c, struct uuid id, struct arena *a,
	struct model_version_use **items, size_t *count, struct err *err) MUST_CHECK;

/* ---- files ---- */

enum status model_rows_file_insert(struct db_conn *c, const struct model_file_row *f,
	struct err *err) MUST_CHECK; /* ST_CONFLICT: the name is taken */
enum status model_rows_file_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct model_file_row *out, struct err *err) MUST_CHECK;
enum status model_rows_file_by_name(struct db_conn *c, struct uuid model_version_id, const char *name,
	struct arena *a, struct model_file_row *out, struct err *err) MUST_CHECK;
/* All of them, by name. */
enum status model_rows_file_list(struct db_conn *c, struct uuid model_version_id, struct arena *a,
	struct model_file_row **items, size_t *count, struct err *err) MUST_CHECK;
enum status model_rows_file_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

#endif
