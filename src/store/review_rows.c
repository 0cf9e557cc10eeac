/* SPDX-License-Identifier: Apache-2.0 */
#include "store/review_rows.h"

#include "base/check.h"

#define SELECT                                                                                               \
	"SELECT position, id, predicted_asset_id, deployment_id, kind, reason, shapes, prediction_id, "      \
	"client_id, who, user_id, seconds, keys, created_us FROM review "

static struct review_row read_row(struct db_query *q, struct arena *a)
{
	return (struct review_row){
		.position = db_integer(q, 0),
		.id = db_uuid(q, 1),
		.predicted_asset_id = db_uuid(q, 2),
		.deployment_id = db_uuid(q, 3),
		.kind = db_text(q, 4, a),
		.reason = db_text(q, 5, a),
		.shapes = db_text(q, 6, a),
		.prediction_id = db_uuid(q, 7),
		.client_id = db_text(q, 8, a),
		.who = db_text(q, 9, a),
		.user_id = db_uuid(q, 10),
		.seconds = db_is_null(q, 11) ? -1 : db_real(q, 11),
		.keys = db_is_null(q, 12) ? -1 : db_integer(q, 12),
		.created_us = db_integer(q, 13),
	};
}

static enum status read_all(
	struct db_query *q, struct arena *a, struct review_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		(*items)[*count] = read_row(q, a);
	}
	return db_done(q, err);
}

/* ---- writing ---- */

/* The review that the same operation made before. */
static enum status find_repeated(struct db_conn *c, struct review_row *r, bool *found, struct err *err)
{
	*found = false;
	if (r->client_id == NULL)
		return ST_OK;
	struct db_query q = db_query(c, "SELECT id, position, deployment_id, created_us FROM review"
					" WHERE predicted_asset_id = $1 AND client_id = $2");
	db_bind_uuid(&q, r->predicted_asset_id);
	db_bind_text(&q, r->client_id);
	*found = db_next(&q);
	if (*found) {
		r->id = db_uuid(&q, 0);
		r->position = db_integer(&q, 1);
		r->deployment_id = db_uuid(&q, 2);
		r->created_us = db_integer(&q, 3);
	}
	return db_done(&q, err);
}

/* Its deployment, and whether it may be reviewed now. */
static enum status check_asset(struct db_conn *c, struct review_row *r, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT deployment_id, status = 'SUBMITTED' FROM predicted_asset WHERE id = $1");
	db_bind_uuid(&q, r->predicted_asset_id);
	bool found = db_next(&q), submitted = false;
	if (found) {
		r->deployment_id = db_uuid(&q, 0);
		submitted = db_integer(&q, 1) != 0;
	}
	TRY(db_done(&q, err));
	if (!found)
		return err_set(err, ST_MISSING,
			"The predicted image is not there any more: it, or its deployment, was deleted.");
	if (submitted)
		return err_set(err, ST_CONFLICT,
			"The image was submitted to the datasets already. Withdraw it, and then review it "
			"again.");
	return ST_OK;
}

static enum status insert(struct db_conn *c, struct review_row *r, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO review (id, predicted_asset_id, deployment_id, kind, reason, shapes, "
		"prediction_id, client_id, who, user_id, seconds, keys, created_us)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING position");
	db_bind_uuid(&q, r->id);
	db_bind_uuid(&q, r->predicted_asset_id);
	db_bind_uuid(&q, r->deployment_id);
	db_bind_text(&q, r->kind);
	db_bind_text(&q, r->reason);
	db_bind_text(&q, r->shapes);
	db_bind_uuid(&q, r->prediction_id);
	db_bind_text(&q, r->client_id);
	db_bind_text(&q, r->who);
	db_bind_uuid(&q, r->user_id);
	if (r->seconds >= 0)
		db_bind_real(&q, r->seconds);
	else
		db_bind_null(&q);
	if (r->keys >= 0)
		db_bind_integer(&q, r->keys);
	else
		db_bind_null(&q);
	db_bind_integer(&q, r->created_us);
	return rows_number(&q, &r->position, err);
}

static bool is_kind(const struct review_row *r, const char *kind)
{
	return strcmp(r->kind, kind) == 0;
}

/* What the review makes of its image: the last one counts, unless it says that there is none. */
static enum status update_asset(struct db_conn *c, const struct review_row *r, struct err *err)
{
	bool skipped = is_kind(r, "SKIPPED"), undone = is_kind(r, "UNDONE"), counts = !skipped && !undone;
	CHECK(skipped || undone || is_kind(r, "CORRECTED") || is_kind(r, "ACCEPTED") ||
		is_kind(r, "NOTHING"));
	struct db_query q =
		db_query(c, "UPDATE predicted_asset SET status = $1, review_id = $2, reviewed_us = $3,"
			    " revision = revision + 1 WHERE id = $4");
	db_bind_text(&q, counts ? "REVIEWED" : skipped ? "SKIPPED" : "TO REVIEW");
	db_bind_uuid(&q, counts ? r->id : (struct uuid){{0}});
	if (undone)
		db_bind_null(&q);
	else
		db_bind_integer(&q, r->created_us);
	db_bind_uuid(&q, r->predicted_asset_id);
	return db_done(&q, err);
}

static enum status forget_work(struct db_conn *c, const struct review_row *r, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM review_draft WHERE predicted_asset_id = $1");
	db_bind_uuid(&q, r->predicted_asset_id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM review_lease WHERE predicted_asset_id = $1");
	db_bind_uuid(&q, r->predicted_asset_id);
	return db_done(&q, err);
}

enum status review_rows_insert(struct db_conn *c, struct review_row *r, bool *inserted, struct err *err)
{
	bool repeated;
	*inserted = false;
	TRY(find_repeated(c, r, &repeated, err));
	if (repeated)
		return ST_OK;
	TRY(check_asset(c, r, err));
	TRY(insert(c, r, err));
	TRY(update_asset(c, r, err));
	TRY(forget_work(c, r, err));
	*inserted = true;
	return ST_OK;
}

/* ---- reading ---- */

enum status review_rows_by_client(struct db_conn *c, struct uuid predicted_asset_id, const char *client_id,
	struct arena *a, struct review_row *out, bool *found, struct err *err)
{
	struct db_query q = db_query(c, SELECT "WHERE predicted_asset_id = $1 AND client_id = $2");
	db_bind_uuid(&q, predicted_asset_id);
	db_bind_text(&q, client_id);
	*found = db_next(&q);
	if (*found)
		*out = read_row(&q, a);
	return db_done(&q, err);
}

enum status review_rows_of_asset(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_row **items, size_t *count, struct err *err)
{
	struct db_query q = db_query(c, SELECT "WHERE predicted_asset_id = $1 ORDER BY position");
	db_bind_uuid(&q, predicted_asset_id);
	return read_all(&q, a, items, count, err);
}

enum status review_rows_counting(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct review_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, SELECT "WHERE id = (SELECT review_id FROM predicted_asset WHERE id = $1)");
	db_bind_uuid(&q, predicted_asset_id);
	*found = db_next(&q);
	if (*found)
		*out = read_row(&q, a);
	return db_done(&q, err);
}

enum status review_rows_after(struct db_conn *c, struct uuid deployment_id, int64_t position, int64_t limit,
	struct arena *a, struct review_row **items, size_t *count, struct err *err)
{
	bool of_all = uuid_is_zero(deployment_id);
	struct db_query q = db_query(
		c, of_all ? SELECT "WHERE position > $1 ORDER BY position LIMIT $2"
			  : SELECT "WHERE position > $1 AND deployment_id = $3 ORDER BY position LIMIT $2");
	db_bind_integer(&q, position);
	db_bind_integer(&q, limit);
	if (!of_all)
		db_bind_uuid(&q, deployment_id);
	return read_all(&q, a, items, count, err);
}
