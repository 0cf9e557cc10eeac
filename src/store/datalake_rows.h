/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of datalakes: the pools that images live in. */
#ifndef GYRE_STORE_DATALAKE_ROWS_H
#define GYRE_STORE_DATALAKE_ROWS_H

#include "store/rows.h"

struct datalake_row {
	struct uuid id, organization_id;
	const char *name;
	int64_t created_us;
};

enum status datalake_rows_insert(
	struct db_conn *c, const struct datalake_row *d, struct err *err) MUST_CHECK; /* ST_CONFLICT */
enum status datalake_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct datalake_row *out,
	struct err *err) MUST_CHECK; /* ST_MISSING */
enum status datalake_rows_by_name(struct db_conn *c, const char *name, struct arena *a,
	struct datalake_row *out, struct err *err) MUST_CHECK; /* ST_MISSING */
/* The one that is used where none is named: the oldest. ST_MISSING. */
enum status datalake_rows_default(
	struct db_conn *c, struct arena *a, struct datalake_row *out, struct err *err) MUST_CHECK;
enum status datalake_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct datalake_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;

#endif
