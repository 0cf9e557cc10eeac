/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of data sources: where images came from (a camera). */
#ifndef GYRE_STORE_DATA_SOURCE_ROWS_H
#define GYRE_STORE_DATA_SOURCE_ROWS_H

#include "store/rows.h"

struct data_source_row {
	struct uuid id;
	const char *name;
	int64_t created_us;
};

/* ST_CONFLICT when the name is taken. */
enum status data_source_rows_insert(
	struct db_conn *c, const struct data_source_row *s, struct err *err) MUST_CHECK;
/* The id of that name, made now if it is new. Inside a job of the recorder only. */
enum status data_source_rows_get_or_create(
	struct db_conn *c, const char *name, int64_t now_us, struct uuid *id, struct err *err) MUST_CHECK;
enum status data_source_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a,
	struct data_source_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
enum status data_source_rows_by_name(struct db_conn *c, const char *name, struct arena *a,
	struct data_source_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
enum status data_source_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct data_source_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
enum status data_source_rows_rename(
	struct db_conn *c, struct uuid id, const char *name, struct err *err) MUST_CHECK;
/* Its data stay, without a source. */
enum status data_source_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

#endif
