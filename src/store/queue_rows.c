/* SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_rows.h"

/* ---- settings and counts ---- */

enum status queue_rows_settings(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_settings *out, struct err *err)
{
	/* As the schema's defaults. */
	*out = (struct queue_settings){.queue_order = "unsure", .random_share = 0.3, .guide = ""};
	struct db_query q = db_query(c, "SELECT queue_order, random_share, guide, labels_shown"
					" FROM review_settings WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	if (db_next(&q))
		*out = (struct queue_settings){
			db_text(&q, 0, a), db_real(&q, 1), db_text(&q, 2, a), db_text(&q, 3, a)};
	return db_done(&q, err);
}

enum status queue_rows_set_settings(
	struct db_conn *c, struct uuid deployment_id, const struct queue_settings *settings, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO review_settings (deployment_id, queue_order, random_share, guide, labels_shown)"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (deployment_id) DO UPDATE SET"
		" queue_order = $2, random_share = $3, guide = $4, labels_shown = $5");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, settings->queue_order);
	db_bind_real(&q, settings->random_share);
	db_bind_text(&q, settings->guide);
	db_bind_text(&q, settings->labels_shown);
	return db_done(&q, err);
}

enum status queue_rows_counts(
	struct db_conn *c, struct uuid deployment_id, struct queue_counts *out, struct err *err)
{
	*out = (struct queue_counts){0};
	struct db_query q = db_query(
		c, "SELECT status, count(*) FROM predicted_asset WHERE deployment_id = $1 GROUP BY status");
	db_bind_uuid(&q, deployment_id);
	struct arena a;
	arena_init(&a);
	while (db_next(&q)) {
		const char *status = db_text(&q, 0, &a);
		int64_t *into = strcmp(status, "TO REVIEW") == 0   ? &out->to_review
				: strcmp(status, "REVIEWED") == 0  ? &out->reviewed
				: strcmp(status, "SUBMITTED") == 0 ? &out->submitted
								   : &out->skipped;
		*into += db_integer(&q, 1);
	}
	arena_release(&a);
	TRY(db_done(&q, err));
	q = db_query(c,
		"SELECT count(*) FROM predicted_asset WHERE deployment_id = $1 AND chosen_us IS NOT NULL"
		" AND status = 'TO REVIEW'");
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, &out->chosen_left, err);
}

enum status queue_rows_of_user(struct db_conn *c, struct uuid deployment_id, struct uuid user_id,
	int64_t since_us, int64_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT count(DISTINCT predicted_asset_id) FROM review WHERE user_id "
					"= $1 AND created_us >= $2"
					" AND deployment_id = $3 AND kind NOT IN ('SKIPPED', 'UNDONE')");
	db_bind_uuid(&q, user_id);
	db_bind_integer(&q, since_us);
	db_bind_uuid(&q, deployment_id);
	return rows_number(&q, count, err);
}

/* ---- leases ---- */

enum status queue_rows_lease(struct db_conn *c, struct uuid predicted_asset_id, int64_t now_us,
	struct arena *a, struct queue_lease *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT deployment_id, client, user_id, who, until_us FROM review_lease"
			    " WHERE predicted_asset_id = $1 AND until_us > $2");
	db_bind_uuid(&q, predicted_asset_id);
	db_bind_integer(&q, now_us);
	*found = db_next(&q);
	if (*found)
		*out = (struct queue_lease){predicted_asset_id, db_uuid(&q, 0), db_text(&q, 1, a),
			db_uuid(&q, 2), db_text(&q, 3, a), db_integer(&q, 4)};
	return db_done(&q, err);
}

enum status queue_rows_expire(struct db_conn *c, struct uuid deployment_id, int64_t now_us, struct err *err)
{
	struct db_query q =
		db_query(c, "DELETE FROM review_lease WHERE deployment_id = $1 AND until_us <= $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, now_us);
	return db_done(&q, err);
}

enum status queue_rows_take(struct db_conn *c, const struct queue_lease *lease, bool *taken, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO review_lease (predicted_asset_id, deployment_id, client, user_id, who, until_us)"
		" SELECT id, deployment_id, $3, $4, $5, $6 FROM predicted_asset"
		" WHERE id = $1 AND deployment_id = $2 AND status = 'TO REVIEW'"
		" ON CONFLICT (predicted_asset_id) DO UPDATE SET until_us = $6"
		" WHERE review_lease.client = $3 AND review_lease.user_id = $4");
	db_bind_uuid(&q, lease->predicted_asset_id);
	db_bind_uuid(&q, lease->deployment_id);
	db_bind_text(&q, lease->client);
	db_bind_uuid(&q, lease->user_id);
	db_bind_text(&q, lease->who);
	db_bind_integer(&q, lease->until_us);
	TRY(db_done(&q, err));
	*taken = db_changes(c) == 1;
	return ST_OK;
}

enum status queue_rows_release(struct db_conn *c, const struct queue_lease *lease, struct err *err)
{
	struct db_query q =
		db_query(c, "DELETE FROM review_lease WHERE predicted_asset_id = $1 AND client = $2"
			    " AND user_id = $3");
	db_bind_uuid(&q, lease->predicted_asset_id);
	db_bind_text(&q, lease->client);
	db_bind_uuid(&q, lease->user_id);
	return db_done(&q, err);
}

enum status queue_rows_leased(struct db_conn *c, const struct queue_lease *lease, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT predicted_asset_id FROM review_lease WHERE deployment_id = $1"
					" AND client = $2 AND user_id = $3");
	db_bind_uuid(&q, lease->deployment_id);
	db_bind_text(&q, lease->client);
	db_bind_uuid(&q, lease->user_id);
	return rows_ids(&q, a, ids, count, err);
}

enum status queue_rows_next(struct db_conn *c, struct uuid deployment_id, int64_t limit, struct arena *a,
	struct uuid **ids, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT id FROM predicted_asset WHERE deployment_id = $1 AND chosen_us IS NOT NULL AND"
		" status = 'TO REVIEW' AND NOT EXISTS (SELECT 1 FROM review_lease l"
		" WHERE l.predicted_asset_id = predicted_asset.id) ORDER BY chosen_order LIMIT $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, limit);
	return rows_ids(&q, a, ids, count, err);
}

enum status queue_rows_unplaced(
	struct db_conn *c, struct uuid predicted_asset_id, bool *unplaced, struct err *err)
{
	int64_t number;
	struct db_query q =
		db_query(c, "SELECT count(*) FROM predicted_asset WHERE id = $1 AND burst_id IS NULL");
	db_bind_uuid(&q, predicted_asset_id);
	TRY(rows_number(&q, &number, err));
	*unplaced = number != 0;
	return ST_OK;
}

/* ---- the digest ---- */

enum status queue_rows_answers(struct db_conn *c, struct uuid deployment_id, int64_t position, int64_t limit,
	struct arena *a, struct queue_answer **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c,
		"SELECT position, predicted_asset_id, model_version_id, score_max, shape_count, shapes,"
		" image_stats FROM prediction WHERE deployment_id = $1 AND position > $2 AND is_shadow = 0"
		" ORDER BY position LIMIT $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, position);
	db_bind_integer(&q, limit);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct queue_answer){db_integer(&q, 0), db_uuid(&q, 1), db_uuid(&q, 2),
			db_real(&q, 3), db_integer(&q, 4), db_blob(&q, 5, a), db_text(&q, 6, a)};
	}
	return db_done(&q, err);
}

enum status queue_rows_digest(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_digest *out, struct err *err)
{
	*out = (struct queue_digest){.stats = "{}"};
	struct db_query q = db_query(c, "SELECT position, stats FROM review_digest WHERE deployment_id = $1");
	db_bind_uuid(&q, deployment_id);
	if (db_next(&q))
		*out = (struct queue_digest){db_integer(&q, 0), db_text(&q, 1, a)};
	return db_done(&q, err);
}

enum status queue_rows_set_digest(
	struct db_conn *c, struct uuid deployment_id, const struct queue_digest *digest, struct err *err)
{
	struct db_query q =
		db_query(c, "INSERT INTO review_digest (deployment_id, position, stats) VALUES ($1, $2, $3)"
			    " ON CONFLICT (deployment_id) DO UPDATE SET position = $2, stats = $3");
	db_bind_uuid(&q, deployment_id);
	db_bind_integer(&q, digest->position);
	db_bind_text(&q, digest->stats);
	return db_done(&q, err);
}

enum status queue_rows_set_image(struct db_conn *c, const struct queue_image *image,
	const struct queue_answer *answer, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE predicted_asset SET position = $1, version_id = $2, score = $3, shape_count = $4,"
		" unsure = $5, outlier = $6, considered_from = $7 WHERE id = $8");
	db_bind_integer(&q, answer->position);
	db_bind_uuid(&q, answer->model_version_id);
	db_bind_real(&q, answer->score_max);
	db_bind_integer(&q, answer->shape_count);
	db_bind_real(&q, image->unsure);
	db_bind_real(&q, image->outlier);
	db_bind_integer(&q, image->considered_from);
	db_bind_uuid(&q, image->id);
	return db_done(&q, err);
}

enum status queue_rows_add_label(struct db_conn *c, struct uuid deployment_id, const char *name,
	int64_t position, double score, struct err *err)
{
	int64_t label_id = 0;
	struct db_query q =
		db_query(c, "SELECT id FROM predicted_label_name WHERE deployment_id = $1 AND name = $2");
	db_bind_uuid(&q, deployment_id);
	db_bind_text(&q, name);
	TRY(rows_number(&q, &label_id, err));
	if (label_id == 0) {
		q = db_query(c, "INSERT INTO predicted_label_name (deployment_id, name) VALUES ($1, $2)"
				" RETURNING id");
		db_bind_uuid(&q, deployment_id);
		db_bind_text(&q, name);
		TRY(rows_number(&q, &label_id, err));
	}
	q = db_query(c, "INSERT INTO predicted_label (label_id, position, score) VALUES ($1, $2, $3)"
			" ON CONFLICT DO NOTHING");
	db_bind_integer(&q, label_id);
	db_bind_integer(&q, position);
	db_bind_real(&q, score);
	return db_done(&q, err);
}

/* ---- batches ---- */

enum status queue_rows_add_batch(struct db_conn *c, struct queue_batch *batch, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO review_batch (deployment_id, at_us, queue_order, budget, pool, weight_sum,"
		" random_share) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING position");
	db_bind_uuid(&q, batch->deployment_id);
	db_bind_integer(&q, batch->at_us);
	db_bind_text(&q, batch->queue_order);
	db_bind_real(&q, batch->budget);
	db_bind_integer(&q, batch->pool);
	db_bind_real(&q, batch->weight_sum);
	db_bind_real(&q, batch->random_share);
	return rows_number(&q, &batch->position, err);
}

enum status queue_rows_batches(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_batch **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, "SELECT position, at_us, queue_order, budget, pool, weight_sum, "
					"random_share FROM review_batch"
					" WHERE deployment_id = $1 ORDER BY position");
	db_bind_uuid(&q, deployment_id);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = (struct queue_batch){db_integer(&q, 0), deployment_id, db_integer(&q, 1),
			db_text(&q, 2, a), db_real(&q, 3), db_integer(&q, 4), db_real(&q, 5), db_real(&q, 6)};
	}
	return db_done(&q, err);
}

enum status queue_rows_newest_batch(
	struct db_conn *c, struct uuid deployment_id, int64_t *position, struct err *err)
{
	bool of_all = uuid_is_zero(deployment_id);
	struct db_query q = db_query(
		c, of_all ? "SELECT coalesce(max(position), 0) FROM review_batch"
			  : "SELECT coalesce(max(position), 0) FROM review_batch WHERE deployment_id = $1");
	if (!of_all)
		db_bind_uuid(&q, deployment_id);
	return rows_number(&q, position, err);
}

#define IMAGE "SELECT id, unsure, outlier, created_us, considered_from, chosen_batch FROM predicted_asset"

static struct queue_image read_image(struct db_query *q)
{
	return (struct queue_image){db_uuid(q, 0), db_real(q, 1), db_real(q, 2), db_integer(q, 3),
		db_integer(q, 4), db_integer(q, 5)};
}

static enum status read_images(
	struct db_query *q, struct arena *a, struct queue_image **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = read_image(q);
	}
	return db_done(q, err);
}

enum status queue_rows_pool(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_image **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, IMAGE
		" WHERE deployment_id = $1 AND status = 'TO REVIEW' AND chosen_us IS NULL"
		" AND considered_from IS NOT NULL UNION ALL SELECT DISTINCT p.id, p.unsure, p.outlier,"
		" p.created_us, p.considered_from, p.chosen_batch FROM shadow_sample s"
		" CROSS JOIN predicted_asset p ON p.id = s.predicted_asset_id WHERE p.deployment_id = $1"
		" AND p.status IN ('REVIEWED', 'SUBMITTED') AND p.chosen_us IS NULL"
		" AND p.considered_from IS NOT NULL");
	db_bind_uuid(&q, deployment_id);
	return read_images(&q, a, items, count, err);
}

enum status queue_rows_choose(struct db_conn *c, const struct queue_choice *choice, struct err *err)
{
	struct db_query q = db_query(c,
		"UPDATE predicted_asset SET chosen_us = $1, chosen_why = $2, chosen_batch = $3, "
		"chosen_order = $4,"
		" chance = $5 WHERE id = $6 AND chosen_us IS NULL AND (status = 'TO REVIEW'"
		" OR (status IN ('REVIEWED', 'SUBMITTED') AND EXISTS (SELECT 1 FROM shadow_sample s"
		" WHERE s.predicted_asset_id = predicted_asset.id)))");
	db_bind_integer(&q, choice->at_us);
	db_bind_text(&q, choice->why);
	db_bind_integer(&q, choice->batch);
	db_bind_integer(&q, choice->order);
	db_bind_real(&q, choice->chance);
	db_bind_uuid(&q, choice->predicted_asset_id);
	return db_done(&q, err);
}

enum status queue_rows_image(struct db_conn *c, struct uuid predicted_asset_id, struct queue_image *out,
	bool *found, struct err *err)
{
	struct db_query q = db_query(c, IMAGE " WHERE id = $1 AND chosen_us IS NOT NULL");
	db_bind_uuid(&q, predicted_asset_id);
	*found = db_next(&q);
	if (*found)
		*out = read_image(&q);
	return db_done(&q, err);
}

enum status queue_rows_chosen(struct db_conn *c, struct uuid deployment_id, struct arena *a,
	struct queue_image **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, IMAGE " WHERE deployment_id = $1 AND chosen_us IS NOT NULL");
	db_bind_uuid(&q, deployment_id);
	return read_images(&q, a, items, count, err);
}
