/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of tags and of what they are on. */
#include "store/tag_rows.h"

#include "base/check.h"

#define SELECT "SELECT id, name, target_type, scope_id, created_us FROM tag"

static void read_row(struct db_query *q, struct arena *a, struct tag_row *out)
{
	*out = (struct tag_row){
		.id = db_uuid(q, 0),
		.name = db_text(q, 1, a),
		.target_type = db_text(q, 2, a),
		.scope_id = db_uuid(q, 3),
		.created_us = db_integer(q, 4),
	};
}

static enum status read_all(
	struct db_query *q, struct arena *a, struct tag_row **items, size_t *count, struct err *err)
{
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(q, a, &(*items)[*count]);
	}
	return db_done(q, err);
}

static enum status name_taken(const char *name, struct err *err)
{
	return err_set(err, ST_CONFLICT, "A tag named \"%.200s\" exists already.", name);
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no tag with the id %s.", text);
}

enum status tag_rows_insert(struct db_conn *c, const struct tag_row *t, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO tag (id, name, target_type, scope_id, created_us)"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (target_type, scope_id, name) DO NOTHING");
	db_bind_uuid(&q, t->id);
	db_bind_text(&q, t->name);
	db_bind_text(&q, t->target_type);
	db_bind_uuid(&q, t->scope_id);
	db_bind_integer(&q, t->created_us);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : name_taken(t->name, err);
}

enum status tag_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct tag_row *out, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	bool found = db_next(&q);
	if (found)
		read_row(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : missing(id, err);
}

enum status tag_rows_by_name(struct db_conn *c, struct uuid scope_id, const char *target_type,
	const char *name, struct arena *a, struct tag_row *out, struct err *err)
{
	struct db_query q = db_query(c, SELECT " WHERE scope_id = $1 AND target_type = $2 AND name = $3");
	db_bind_uuid(&q, scope_id);
	db_bind_text(&q, target_type);
	db_bind_text(&q, name);
	bool found = db_next(&q);
	if (found)
		read_row(&q, a, out);
	TRY(db_done(&q, err));
	return found ? ST_OK : err_set(err, ST_MISSING, "There is no tag named \"%.200s\".", name);
}

enum status tag_rows_list(struct db_conn *c, struct uuid scope_id, const char *target_type,
	const struct rows_page *page, struct arena *a, struct tag_row **items, size_t *count, int64_t *total,
	struct err *err)
{
#define CHOICE " WHERE scope_id = $1 AND ($2 IS NULL OR target_type = $2)"
	static const char *const sql[ROWS_ORDER_COUNT] =
		ROWS_ORDERED(SELECT CHOICE, "created_us", "name", "LIMIT $3 OFFSET $4");
	struct db_query q = db_query(c, "SELECT count(*) FROM tag" CHOICE);
	db_bind_uuid(&q, scope_id);
	db_bind_text(&q, target_type);
	TRY(rows_number(&q, total, err));
	q = db_query(c, sql[page->order]);
	db_bind_uuid(&q, scope_id);
	db_bind_text(&q, target_type);
	db_bind_integer(&q, page->limit);
	db_bind_integer(&q, page->offset);
	return read_all(&q, a, items, count, err);
#undef CHOICE
}

enum status tag_rows_rename(struct db_conn *c, const struct tag_row *t, struct err *err)
{
	struct db_query q = db_query(c, "UPDATE tag SET name = $1 WHERE id = $2");
	db_bind_text(&q, t->name);
	db_bind_uuid(&q, t->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(t->name, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(t->id, err);
}

enum status tag_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM tag WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

/* The kinds of thing that exist and can carry a tag. $1 the tag, $2 the target, $3 the tag's scope. */
#define ATTACH(table, column)                                                                                \
	"INSERT INTO tag_target (tag_id, target_id) SELECT $1, id FROM " table " WHERE id = $2 AND " column  \
	" = $3 ON CONFLICT DO NOTHING"
static const struct {
	const char *target_type, *attach;
} kinds[] = {
	{"DATA", ATTACH("data", "datalake_id")},
	{"MODEL", ATTACH("model", "organization_id")},
	{"MODEL_VERSION",
		"INSERT INTO tag_target (tag_id, target_id) SELECT $1, v.id FROM model_version v JOIN model m"
		" ON m.id = v.model_id WHERE v.id = $2 AND m.organization_id = $3 ON CONFLICT DO NOTHING"},
	{"DATASET", ATTACH("dataset", "organization_id")},
	{"DATASET_VERSION",
		"INSERT INTO tag_target (tag_id, target_id) SELECT $1, v.id FROM dataset_version v JOIN"
		" dataset d ON d.id = v.dataset_id WHERE v.id = $2 AND d.organization_id = $3"
		" ON CONFLICT DO NOTHING"},
	{"ASSET", ATTACH("asset", "dataset_version_id")},
	{"DEPLOYMENT", ATTACH("deployment", "organization_id")},
	{"PREDICTED_ASSET", "INSERT INTO tag_target (tag_id, target_id) SELECT $1, p.id FROM predicted_asset "
			    "p JOIN deployment d"
			    " ON d.id = p.deployment_id WHERE p.id = $2 AND d.organization_id = $3 ON "
			    "CONFLICT DO NOTHING"},
};

enum status tag_rows_attach(
	struct db_conn *c, const struct tag_row *t, struct uuid target_id, bool *attached, struct err *err)
{
	*attached = false;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (strcmp(kinds[i].target_type, t->target_type) != 0)
			continue;
		struct db_query q = db_query(c, kinds[i].attach);
		db_bind_uuid(&q, t->id);
		db_bind_uuid(&q, target_id);
		db_bind_uuid(&q, t->scope_id);
		TRY(db_done(&q, err));
		*attached = db_changes(c) == 1;
	}
	return ST_OK;
}

enum status tag_rows_detach(
	struct db_conn *c, struct uuid tag_id, struct uuid target_id, bool *detached, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE tag_id = $1 AND target_id = $2");
	db_bind_uuid(&q, tag_id);
	db_bind_uuid(&q, target_id);
	TRY(db_done(&q, err));
	*detached = db_changes(c) == 1;
	return ST_OK;
}

enum status tag_rows_of(struct db_conn *c, struct uuid target_id, struct arena *a, struct tag_row **items,
	size_t *count, struct err *err)
{
	struct db_query q = db_query(
		c, SELECT " WHERE id IN (SELECT tag_id FROM tag_target WHERE target_id = $1) ORDER BY name");
	db_bind_uuid(&q, target_id);
	return read_all(&q, a, items, count, err);
}
