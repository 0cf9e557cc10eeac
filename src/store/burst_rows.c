/* SPDX-License-Identifier: Apache-2.0 */
#include "store/burst_rows.h"

#include "store/rows.h"

#define SELECT                                                                                               \
	"SELECT a.id, a.burst_id, d.source_id, a.created_us, d.width, d.height, o.sha256, p.image_sign"      \
	" FROM predicted_asset a JOIN prediction p ON p.predicted_asset_id = a.id AND p.is_shadow = 0"       \
	" JOIN data d ON d.id = a.data_id JOIN object o ON o.name = d.object_name "

static void read_row(struct db_query *q, struct arena *a, struct burst_picture *out)
{
	*out = (struct burst_picture){
		.predicted_asset_id = db_uuid(q, 0),
		.burst_id = db_uuid(q, 1),
		.source_id = db_uuid(q, 2),
		.created_us = db_integer(q, 3),
		.width = (uint32_t)db_integer(q, 4),
		.height = (uint32_t)db_integer(q, 5),
		.sha256 = db_text(q, 6, a),
		.image_sign = db_blob(q, 7, a),
	};
}

static enum status read_all(
	struct db_query *q, struct arena *a, struct burst_picture **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

enum status burst_rows_deployments(
	struct db_conn *c, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT f.deployment_id FROM feedback f WHERE EXISTS (SELECT 1 FROM predicted_asset a"
		" WHERE a.deployment_id = f.deployment_id AND a.burst_id IS NULL) ORDER BY f.deployment_id");
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

enum status burst_rows_alone(struct db_conn *c, struct uuid deployment_id, int64_t limit, struct arena *a,
	struct burst_picture **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT
		"WHERE a.deployment_id = $1 AND a.burst_id IS NULL ORDER BY a.created_us, a.id LIMIT $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, limit);
	return read_all(&q, a, items, count, err);
}

enum status burst_rows_recent(struct db_conn *c, struct uuid deployment_id, int64_t limit, struct arena *a,
	struct burst_picture **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT "WHERE a.deployment_id = $1 AND a.burst_id IS NOT NULL"
					       " ORDER BY a.created_us DESC, a.id DESC LIMIT $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, limit);
	return read_all(&q, a, items, count, err);
}

enum status burst_rows_picture(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct burst_picture *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT "WHERE a.id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	*found = db_next(&q);
	if (*found)
		read_row(&q, a, out);
	return db_done(&q, err);
}

enum status burst_rows_of_bytes(
	struct db_conn *c, const char *sha256, struct uuid *burst_id, bool *found, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT a.burst_id FROM object o JOIN data d ON d.object_name = o.name"
		" JOIN predicted_asset a ON a.data_id = d.id WHERE o.sha256 = $1 AND a.burst_id IS NOT NULL"
		" ORDER BY a.created_us, a.id LIMIT 1");
	db_bind_text(&q, sha256);
	*found = db_next(&q);
	if (*found)
		*burst_id = db_uuid(&q, 0);
	return db_done(&q, err);
}

enum status burst_rows_size(
	struct db_conn *c, struct uuid burst_id, int64_t *pictures, int64_t *first_us, struct err *err)
{
	struct db_query q = db_query(
		c, "SELECT count(*), coalesce(min(created_us), 0) FROM predicted_asset WHERE burst_id = $1");
	db_bind_uuid(&q, burst_id);
	*pictures = *first_us = 0;
	if (db_next(&q)) {
		*pictures = db_integer(&q, 0);
		*first_us = db_integer(&q, 1);
	}
	return db_done(&q, err);
}

enum status burst_rows_put(
	struct db_conn *c, struct uuid predicted_asset_id, struct uuid burst_id, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE predicted_asset SET burst_id = $1 WHERE id = $2 AND burst_id IS NULL");
	db_bind_uuid(&q, burst_id);
	db_bind_uuid(&q, predicted_asset_id);
	return db_done(&q, err);
}

enum status burst_rows_put_sign(
	struct db_conn *c, struct uuid predicted_asset_id, struct span image_sign, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE prediction SET image_sign = $1 WHERE predicted_asset_id = $2"
					" AND is_shadow = 0 AND image_sign IS NULL");
	db_bind_blob(&q, image_sign);
	db_bind_uuid(&q, predicted_asset_id);
	return db_done(&q, err);
}

enum status burst_rows_side(struct db_conn *c, struct uuid burst_id, bool *evaluation, struct err *err)
{
	struct db_query q = db_query(c, "INSERT INTO burst_side (burst_id, evaluation) VALUES ($1, $2)"
					" ON CONFLICT (burst_id) DO NOTHING");
	db_bind_uuid(&q, burst_id);
	db_bind_integer(&q, *evaluation);
	TRY(db_done(&q, err));
	q = db_query(c, "SELECT evaluation FROM burst_side WHERE burst_id = $1");
	db_bind_uuid(&q, burst_id);
	if (db_next(&q))
		*evaluation = db_integer(&q, 0) != 0;
	return db_done(&q, err);
}

enum status burst_rows_side_of_bytes(struct db_conn *c, struct uuid dataset_version_id, struct uuid data_id,
	bool *evaluation, bool *found, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT min(a.evaluation) FROM data mine JOIN object o ON o.name = mine.object_name"
		" JOIN object same ON same.sha256 = o.sha256 JOIN data d ON d.object_name = same.name"
		" JOIN asset a ON a.data_id = d.id WHERE mine.id = $1 AND a.dataset_version_id = $2");
	db_bind_uuid(&q, data_id);
	db_bind_uuid(&q, dataset_version_id);
	*found = db_next(&q) && !db_is_null(&q, 0);
	if (*found)
		*evaluation = db_integer(&q, 0) != 0;
	return db_done(&q, err);
}
