/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of projects, and of the dataset versions that are theirs. Texts that are read live in the arena; what
 * is not there is ST_MISSING with a sentence. */
#ifndef GYRE_STORE_PROJECT_ROWS_H
#define GYRE_STORE_PROJECT_ROWS_H

#include "store/rows.h"

struct project_row {
	struct uuid id, organization_id;
	const char *name, *description;
	int64_t created_us;
	int64_t experiment_count; /* only read */
};

enum status project_rows_insert(struct db_conn *c, const struct project_row *p,
	struct err *err) MUST_CHECK; /* ST_CONFLICT: the name */
enum status project_rows_by_id(struct db_conn *c, struct uuid id, struct arena *a, struct project_row *out,
	struct err *err) MUST_CHECK;
enum status project_rows_by_name(struct db_conn *c, const char *name, struct arena *a,
	struct project_row *out, struct err *err) MUST_CHECK;
enum status project_rows_list(struct db_conn *c, const struct rows_page *page, struct arena *a,
	struct project_row **items, size_t *count, int64_t *total, struct err *err) MUST_CHECK;
/* Writes name and description. */
enum status project_rows_update(struct db_conn *c, const struct project_row *p, struct err *err) MUST_CHECK;
/* With its experiments, their logs and artifacts. */
enum status project_rows_delete(struct db_conn *c, struct uuid id, struct err *err) MUST_CHECK;

/* Attached twice is attached. ST_MISSING: no such dataset version. */
enum status project_rows_attach(
	struct db_conn *c, struct uuid id, struct uuid dataset_version_id, struct err *err) MUST_CHECK;
enum status project_rows_detach(
	struct db_conn *c, struct uuid id, struct uuid dataset_version_id, struct err *err) MUST_CHECK;
/* Ids of its dataset versions, the oldest first. */
enum status project_rows_datasets(struct db_conn *c, struct uuid id, struct arena *a, struct uuid **ids,
	size_t *count, struct err *err) MUST_CHECK;

#endif
