/* SPDX-License-Identifier: Apache-2.0 */
#include "store/import_rows.h"

static enum status read_id(struct db_query *q, struct uuid *id, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		*id = db_uuid(q, 0);
	return db_done(q, err);
}

enum status import_rows_find_asset(struct db_conn *c, struct uuid dataset_version_id, const char *filename,
	const char *sha256, struct uuid *asset_id, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT a.id FROM object o JOIN data d ON d.object_name = o.name JOIN asset a ON "
			    "a.data_id = d.id"
			    " WHERE o.sha256 = $1 AND d.filename = $2 AND a.dataset_version_id = $3"
			    " ORDER BY a.created_us, a.id LIMIT 1");
	db_bind_text(&q, sha256);
	db_bind_text(&q, filename);
	db_bind_uuid(&q, dataset_version_id);
	return read_id(&q, asset_id, found, err);
}

enum status import_rows_find_data(struct db_conn *c, struct uuid datalake_id, const char *filename,
	const char *sha256, struct uuid *data_id, bool *found, struct err *err)
{
	struct db_query q = db_query(c, "SELECT d.id FROM object o JOIN data d ON d.object_name = o.name"
					" WHERE o.sha256 = $1 AND d.filename = $2 AND d.datalake_id = $3"
					" ORDER BY d.created_us, d.id LIMIT 1");
	db_bind_text(&q, sha256);
	db_bind_text(&q, filename);
	db_bind_uuid(&q, datalake_id);
	return read_id(&q, data_id, found, err);
}

enum status import_rows_find_name(struct db_conn *c, struct uuid dataset_version_id, const char *filename,
	struct uuid *asset_id, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT a.id FROM data d JOIN asset a ON a.data_id = d.id"
			    " WHERE d.datalake_id IN (SELECT id FROM datalake) AND d.filename = $1"
			    " AND a.dataset_version_id = $2 ORDER BY a.created_us, a.id LIMIT 1");
	db_bind_text(&q, filename);
	db_bind_uuid(&q, dataset_version_id);
	return read_id(&q, asset_id, found, err);
}
