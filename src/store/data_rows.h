/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the images of a datalake. */
#ifndef GYRE_STORE_DATA_ROWS_H
#define GYRE_STORE_DATA_ROWS_H

#include "store/rows.h"

struct data_row {
	struct uuid id, datalake_id;
	struct uuid source_id; /* zero: none */
	const char *object_name, *filename, *content_type;
	int64_t width, height;                  /* pixels as shown; 0: not known */
	const char *metadata, *custom_metadata; /* JSON objects, or NULL */
	int64_t created_us;
	const char *source_name; /* only read */
};

/* ST_CONFLICT when another data has this object; ST_MISSING when the datalake or the source is not there. */
enum status data_rows_insert(struct db_conn *c, const struct data_row *d, struct err *err) MUST_CHECK;
enum status data_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct data_row *out, struct err *err) MUST_CHECK;

enum data_key { DATA_ID, DATA_FILENAME, DATA_OBJECT_NAME, DATA_KEY_COUNT };
/* The filter also asks for one of these texts, at most 1,000. What it keeps is in the arena. */
void data_rows_choose(struct arena *a, enum data_key key, const char *const *texts, size_t count,
	struct rows_filter *filter);
enum status data_rows_list(struct db_conn *c, struct uuid datalake_id, const struct rows_page *page,
	struct arena *a, struct data_row **items, size_t *count, int64_t *total,
	struct err *err) MUST_CHECK; /* by name: filename */
/* Writes metadata and custom_metadata. */
enum status data_rows_update(struct db_conn *c, const struct data_row *d, struct err *err) MUST_CHECK;
/* With its tags and its object's name. ST_CONFLICT naming the dataset version
 * that has it, or the deployment that predicted on it. */
enum status data_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

#endif
