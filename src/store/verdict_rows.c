/* SPDX-License-Identifier: Apache-2.0 */
#include "store/verdict_rows.h"

/* ---- verdicts ---- */

enum status verdict_rows_get(struct db_conn *c, struct uuid deployment_id, struct uuid shadow_id,
	struct uuid champion_id, struct arena *a, struct verdict_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, "SELECT model_version_id, state, wins, losses, ties, log_e, "
					"log_e_worse, seen, discordant, sentence,"
					" guards, may_promote, decided_us, updated_us FROM shadow_verdict"
					" WHERE deployment_id = $1 AND champion_id = $2 AND shadow_id = $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, champion_id);
	db_bind_uuid(&q, shadow_id);
	*found = db_next(&q);
	if (*found)
		*out = (struct verdict_row){.deployment_id = deployment_id,
			.champion_id = champion_id,
			.shadow_id = shadow_id,
			.model_version_id = db_uuid(&q, 0),
			.state = db_text(&q, 1, a),
			.wins = db_integer(&q, 2),
			.losses = db_integer(&q, 3),
			.ties = db_integer(&q, 4),
			.log_e = db_real(&q, 5),
			.log_e_worse = db_real(&q, 6),
			.seen = db_integer(&q, 7),
			.discordant = db_integer(&q, 8),
			.sentence = db_text(&q, 9, a),
			.guards = db_text(&q, 10, a),
			.may_promote = db_integer(&q, 11) != 0,
			.decided_us = db_integer(&q, 12),
			.updated_us = db_integer(&q, 13)};
	return db_done(&q, err);
}

enum status verdict_rows_put(struct db_conn *c, const struct verdict_row *row, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO shadow_verdict (deployment_id, model_version_id, champion_id, shadow_id, state, "
		"wins,"
		" losses, ties, log_e, log_e_worse, seen, discordant, sentence, guards, may_promote, "
		"decided_us,"
		" updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
		"$17)"
		" ON CONFLICT (deployment_id, model_version_id, champion_id) DO UPDATE SET shadow_id = $4,"
		" state = $5, wins = $6, losses = $7, ties = $8, log_e = $9, log_e_worse = $10, seen = $11,"
		" discordant = $12, sentence = $13, guards = $14, may_promote = $15, decided_us = $16,"
		" updated_us = $17");
	db_bind_uuid(&q, row->deployment_id);
	db_bind_uuid(&q, row->model_version_id);
	db_bind_uuid(&q, row->champion_id);
	db_bind_uuid(&q, row->shadow_id);
	db_bind_text(&q, row->state);
	db_bind_integer(&q, row->wins);
	db_bind_integer(&q, row->losses);
	db_bind_integer(&q, row->ties);
	db_bind_real(&q, row->log_e);
	db_bind_real(&q, row->log_e_worse);
	db_bind_integer(&q, row->seen);
	db_bind_integer(&q, row->discordant);
	db_bind_text(&q, row->sentence);
	db_bind_text(&q, row->guards);
	db_bind_integer(&q, row->may_promote);
	if (row->decided_us)
		db_bind_integer(&q, row->decided_us);
	else
		db_bind_null(&q);
	db_bind_integer(&q, row->updated_us);
	return db_done(&q, err);
}

/* ---- the sample ---- */

enum status sample_rows_list(struct db_conn *c, struct uuid shadow_id, struct uuid champion_id,
	struct arena *a, struct sample_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT s.place, s.predicted_asset_id, p.status FROM shadow_sample s"
					" JOIN predicted_asset p ON p.id = s.predicted_asset_id"
					" WHERE s.shadow_id = $1 AND s.champion_id = $2 ORDER BY s.place");
	db_bind_uuid(&q, shadow_id);
	db_bind_uuid(&q, champion_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct sample_row){db_integer(&q, 0), db_uuid(&q, 1), db_text(&q, 2, a)};
	}
	return db_done(&q, err);
}

enum status sample_rows_add(struct db_conn *c, struct uuid shadow_id, struct uuid champion_id,
	const struct uuid *ids, size_t count, int64_t now_us, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		/* An image that was deleted meanwhile is passed over too. */
		struct db_query q =
			db_query(c, "INSERT INTO shadow_sample (shadow_id, champion_id, place, "
				    "predicted_asset_id, drawn_us)"
				    " SELECT $1, $2, (SELECT coalesce(max(place), 0) + 1 FROM shadow_sample"
				    " WHERE shadow_id = $1 AND champion_id = $2), id, $3 FROM "
				    "predicted_asset WHERE id = $4"
				    " ON CONFLICT (shadow_id, champion_id, predicted_asset_id) DO NOTHING");
		db_bind_uuid(&q, shadow_id);
		db_bind_uuid(&q, champion_id);
		db_bind_integer(&q, now_us);
		db_bind_uuid(&q, ids[i]);
		TRY(db_done(&q, err));
	}
	return ST_OK;
}

enum status sample_rows_next(struct db_conn *c, struct uuid shadow_id, struct uuid champion_id, int64_t limit,
	struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT s.predicted_asset_id FROM shadow_sample s"
		" JOIN predicted_asset p ON p.id = s.predicted_asset_id"
		" WHERE s.shadow_id = $1 AND s.champion_id = $2 AND p.status = 'TO REVIEW' AND NOT EXISTS"
		" (SELECT 1 FROM review_lease l WHERE l.predicted_asset_id = p.id) ORDER BY s.place LIMIT "
		"$3");
	db_bind_uuid(&q, shadow_id);
	db_bind_uuid(&q, champion_id);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

/* ---- pairs of answers ---- */

enum status pair_rows_list(struct db_conn *c, struct uuid deployment_id, struct uuid shadow_version_id,
	struct uuid champion_id, int64_t after, int64_t limit, struct arena *a, struct pair_row **items,
	size_t *count, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT s.position, s.predicted_asset_id, c.shapes, s.shapes FROM prediction s"
			    " CROSS JOIN prediction c ON c.predicted_asset_id = s.predicted_asset_id"
			    " AND c.model_version_id = $1 AND c.is_shadow = 0"
			    " WHERE s.deployment_id = $2 AND s.position > $3 AND s.is_shadow = 1 AND "
			    "s.model_version_id = $4"
			    " ORDER BY s.position LIMIT $5");
	db_bind_uuid(&q, champion_id);
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, after);
	db_bind_uuid(&q, shadow_version_id);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct pair_row){
			db_integer(&q, 0), db_uuid(&q, 1), db_blob(&q, 2, a), db_blob(&q, 3, a)};
	}
	return db_done(&q, err);
}

enum status pair_rows_newest(struct db_conn *c, struct uuid deployment_id, struct uuid shadow_version_id,
	int64_t count, int64_t *after, struct err *err)
{
	*after = 0;
	struct db_query q =
		db_query(c, "SELECT position FROM prediction WHERE deployment_id = $1 AND is_shadow = 1"
			    " AND model_version_id = $2 ORDER BY position DESC LIMIT 1 OFFSET $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_uuid(&q, shadow_version_id);
	db_bind_integer(&q, count);
	if (db_next(&q))
		*after = db_integer(&q, 0);
	return db_done(&q, err);
}
