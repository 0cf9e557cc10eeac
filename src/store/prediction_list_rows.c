/* SPDX-License-Identifier: Apache-2.0 */
#include "store/prediction_list_rows.h"

#include "base/check.h"
#include "base/str.h"

#include <math.h>

#define SQL_BYTES_MAX ((size_t)256 << 10)
#define VALUES_MAX 32 /* without those of `more` */

/* A condition that is put together: literals, and a value for each `?` in them. */
struct condition {
	struct str text;
	struct db_value *values;
	size_t count;
};

static void add(struct condition *w, const char *text)
{
	if (w->text.size)
		str_append(&w->text, " AND ");
	str_append(&w->text, text);
}

static void value(struct condition *w, struct db_value v)
{
	w->values[w->count++] = v;
}

static struct db_value text_value(const char *text)
{
	return (struct db_value){.type = DB_TEXT, .bytes = span_of_text(text)};
}

static struct db_value real_value(double number)
{
	return (struct db_value){.type = DB_REAL, .real = number};
}

static struct db_value integer_value(int64_t number)
{
	return (struct db_value){.type = DB_INTEGER, .integer = number};
}

static struct db_value id_value(const struct uuid *id)
{
	return (struct db_value){.type = DB_BLOB, .bytes = span_of(id->bytes, sizeof(id->bytes))};
}

static void add_statuses(struct condition *w, const struct prediction_filter *f)
{
	static const char *const lists[PREDICTION_STATUSES_MAX + 1] = {NULL, "predicted_asset.status = ?",
		"predicted_asset.status IN (?, ?)", "predicted_asset.status IN (?, ?, ?)",
		"predicted_asset.status IN (?, ?, ?, ?)"};
	if (f->status_count == 0)
		return;
	add(w, lists[f->status_count]);
	for (size_t i = 0; i < f->status_count; i++)
		value(w, text_value(f->statuses[i]));
}

static void add_times_and_scores(struct condition *w, const struct prediction_filter *f)
{
	if (f->from_us) {
		add(w, "predicted_asset.created_us >= ?");
		value(w, integer_value(f->from_us));
	}
	if (f->to_us) {
		add(w, "predicted_asset.created_us <= ?");
		value(w, integer_value(f->to_us));
	}
	if (!isnan(f->score_min)) {
		add(w, "predicted_asset.score >= ?");
		value(w, real_value(f->score_min));
	}
	if (!isnan(f->score_max)) {
		add(w, "predicted_asset.score <= ?");
		value(w, real_value(f->score_max));
	}
}

#define TAGGED "SELECT t.target_id FROM tag JOIN tag_target t ON t.tag_id = tag.id WHERE tag.name = ?"

static void add_origins(struct condition *w, const struct prediction_filter *f)
{
	if (f->source) {
		add(w, "predicted_asset.data_id IN (SELECT d.id FROM data d WHERE d.source_id ="
		       " (SELECT s.id FROM data_source s WHERE s.name = ?))");
		value(w, text_value(f->source));
	}
	if (f->tag) {
		add(w, "(predicted_asset.id IN (" TAGGED ") OR predicted_asset.data_id IN (" TAGGED "))");
		value(w, text_value(f->tag));
		value(w, text_value(f->tag));
	}
	if (f->label) {
		add(w, "predicted_asset.position IN (SELECT l.position FROM predicted_label l JOIN"
		       " predicted_label_name n ON n.id = l.label_id WHERE n.deployment_id = ? AND n.name = ?"
		       " AND l.score >= ?)");
		value(w, id_value(&f->deployment_id));
		value(w, text_value(f->label));
		value(w, real_value(f->label_score));
	}
	if (!uuid_is_zero(f->version_id)) {
		add(w, "predicted_asset.version_id = ?");
		value(w, id_value(&f->version_id));
	}
}

static bool orders_by(const struct prediction_filter *f, const char *column)
{
	return f->page.order_by && strstr(f->page.order_by, column) != NULL;
}

static void build(struct condition *w, const struct prediction_filter *f)
{
	add_statuses(w, f);
	add_times_and_scores(w, f);
	add_origins(w, f);
	/* The indexes by these hold only what was read of the log. */
	if (orders_by(f, "predicted_asset.score"))
		add(w, "predicted_asset.score IS NOT NULL");
	if (orders_by(f, "predicted_asset.shape_count"))
		add(w, "predicted_asset.shape_count IS NOT NULL");
	if (f->page.filter.where == NULL)
		return;
	add(w, "(");
	str_append(&w->text, f->page.filter.where);
	str_append(&w->text, ")");
	for (size_t i = 0; i < f->page.filter.count; i++)
		value(w, f->page.filter.values[i]);
}

bool prediction_filter_needs_digest(const struct prediction_filter *f)
{
	bool by_time = f->page.order_by == NULL || orders_by(f, "predicted_asset.created_us");
	return f->label != NULL || !uuid_is_zero(f->version_id) || !isnan(f->score_min) ||
	       !isnan(f->score_max) || !by_time || f->page.filter.where != NULL;
}

enum status prediction_list_rows_ids(struct db_conn *c, const struct prediction_filter *f, struct arena *a,
	struct uuid **ids, size_t *count, int64_t *total, struct err *err)
{
	static const struct rows_source source = {.select = "SELECT predicted_asset.id FROM predicted_asset",
		.count = "SELECT count(*) FROM predicted_asset",
		.where = "predicted_asset.deployment_id = $1",
		.id = "predicted_asset.id",
		.created = "predicted_asset.created_us"};
	CHECK(f->status_count <= PREDICTION_STATUSES_MAX);
	size_t room = 0, values_max = VALUES_MAX + f->page.filter.count;
	struct condition w = {.values = ARENA_ARRAY(a, struct db_value, values_max)};
	str_init(&w.text, SQL_BYTES_MAX);
	build(&w, f);
	CHECK(!w.text.full && w.count <= values_max);
	struct rows_page page = f->page;
	page.order = ROWS_NEWEST;
	page.filter = (struct rows_filter){
		w.text.size ? arena_strdup(a, str_text(&w.text)) : NULL, w.values, w.count};
	str_release(&w.text);
	struct db_query q = rows_count(c, a, &source, &page);
	db_bind_uuid(&q, f->deployment_id);
	rows_bind_count(&q, &page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, &page);
	db_bind_uuid(&q, f->deployment_id);
	rows_bind(&q, &page);
	*ids = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(&q, 0);
	}
	return db_done(&q, err);
}

enum status prediction_list_rows_state(struct db_conn *c, struct uuid predicted_asset_id, struct arena *a,
	struct predicted_state *out, struct err *err)
{
	*out = (struct predicted_state){.chance = -1};
	struct db_query q = db_query(c, "SELECT revision, coalesce(chosen_us, 0), chosen_why, "
					"coalesce(chance, -1.0) FROM predicted_asset"
					" WHERE id = $1");
	db_bind_uuid(&q, predicted_asset_id);
	if (db_next(&q))
		*out = (struct predicted_state){
			db_integer(&q, 0), db_integer(&q, 1), db_text(&q, 2, a), db_real(&q, 3)};
	return db_done(&q, err);
}
