/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the labels of a dataset version and of the groups they are in. Texts that are read live in the
 * arena. Nothing here touches the version: dataset_version_rows_touch() is the caller's. */
#ifndef GYRE_STORE_LABEL_ROWS_H
#define GYRE_STORE_LABEL_ROWS_H

#include "store/rows.h"

#define LABEL_NAME_BYTES_MAX 255
#define LABELS_MAX 10000 /* a dataset version */

struct label_row {
	struct uuid id, dataset_version_id;
	const char *name;
	struct uuid group_id; /* zero: none */
	int64_t position;     /* in order of creation, from 0, without gaps */
	const char *skeleton; /* JSON, or NULL */
	int64_t created_us;
};

/* By its name, made when it is missing (*made says so). ST_INVALID: the name is empty or too long;
 * ST_MISSING: there is no such version. */
enum status label_rows_ensure(struct db_conn *c, struct uuid dataset_version_id, const char *name,
	struct arena *a, struct label_row *out, bool *made, struct err *err) MUST_CHECK;
enum status label_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct label_row *out,
	struct err *err) MUST_CHECK;
enum status label_rows_by_name(struct db_conn *c, struct uuid dataset_version_id, const char *name,
	struct arena *a, struct label_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
/* In order of position. */
enum status label_rows_list(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct label_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Writes name, group and skeleton. ST_CONFLICT: the version has a label of that name. */
enum status label_rows_update(struct db_conn *c, const struct label_row *l, struct err *err) MUST_CHECK;
/* With the shapes that have it; the revision of their annotations is one more, and later labels move up. */
enum status label_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

struct label_group_row {
	struct uuid id, dataset_version_id;
	const char *name;
	struct uuid parent_id; /* zero: none */
	int64_t created_us;
};

/* ST_CONFLICT: the name is taken; ST_INVALID: the parent is of another version. */
enum status label_group_rows_insert(
	struct db_conn *c, const struct label_group_row *g, struct err *err) MUST_CHECK;
enum status label_group_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct label_group_row *out, struct err *err) MUST_CHECK;
/* In order of creation. */
enum status label_group_rows_list(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct label_group_row **items, size_t *count, struct err *err) MUST_CHECK;
/* Writes name and parent. ST_INVALID: the parent is of another version, or below the group itself. */
enum status label_group_rows_update(
	struct db_conn *c, const struct label_group_row *g, struct err *err) MUST_CHECK;
/* With the groups below it; their labels stay, without a group. */
enum status label_group_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

#endif
