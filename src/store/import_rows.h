/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of imports: whether a picture is there already, by its name and its bytes. */
#ifndef GYRE_STORE_IMPORT_ROWS_H
#define GYRE_STORE_IMPORT_ROWS_H

#include "store/db.h"

/* The oldest asset of the version with this file name and these bytes. */
enum status import_rows_find_asset(struct db_conn *c, struct uuid dataset_version_id, const char *filename,
	const char *sha256, struct uuid *asset_id, bool *found, struct err *err) MUST_CHECK;
/* The oldest data of the datalake with them. */
enum status import_rows_find_data(struct db_conn *c, struct uuid datalake_id, const char *filename,
	const char *sha256, struct uuid *data_id, bool *found, struct err *err) MUST_CHECK;
/* Whether the version has an asset of this file name, whatever its bytes; *asset_id is the oldest. */
enum status import_rows_find_name(struct db_conn *c, struct uuid dataset_version_id, const char *filename,
	struct uuid *asset_id, bool *found, struct err *err) MUST_CHECK;

#endif
