/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of tags: names in a scope (a datalake, or the organization) that are put on things of one kind. */
#ifndef GYRE_STORE_TAG_ROWS_H
#define GYRE_STORE_TAG_ROWS_H

#include "store/rows.h"

struct tag_row {
	struct uuid id;
	const char *name;
	const char *target_type; /* wire name: "DATA", "MODEL", … */
	struct uuid scope_id;
	int64_t created_us;
};

/* ST_CONFLICT when the name is taken for that kind in that scope. */
enum status tag_rows_insert(struct db_conn *c, const struct tag_row *t, struct err *err) MUST_CHECK;
enum status tag_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct tag_row *out, struct err *err) MUST_CHECK;
enum status tag_rows_by_name(struct db_conn *c, struct uuid scope_id, const char *target_type,
	const char *name, struct arena *a, struct tag_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
/* target_type NULL: all kinds. */
enum status tag_rows_list(struct db_conn *c, struct uuid scope_id, const char *target_type,
	const struct rows_page *page, struct arena *a, struct tag_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK;
enum status tag_rows_rename(struct db_conn *c, const struct tag_row *t, struct err *err) MUST_CHECK;
enum status tag_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* *attached: false when the target does not exist, is of another kind or scope, or has the tag already. */
enum status tag_rows_attach(struct db_conn *c, const struct tag_row *t, struct uuid target_id, bool *attached,
	struct err *err) MUST_CHECK;
enum status tag_rows_detach(struct db_conn *c, struct uuid tag_id, struct uuid target_id, bool *detached,
	struct err *err) MUST_CHECK;
/* The tags of one thing, by name. */
enum status tag_rows_of(struct db_conn *c, struct uuid target_id, struct arena *a, struct tag_row **items,
	size_t *count, struct err *err) MUST_CHECK;

#endif
