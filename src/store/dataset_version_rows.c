/* SPDX-License-Identifier: Apache-2.0 */
/* SQL of the versions of datasets. */
#include "store/dataset_rows.h"

#define SELECT                                                                                               \
	"SELECT id, dataset_id, version, description, type, forked_from_id, revision, locked_us,"            \
	" locked_hash, created_us, (SELECT name FROM dataset d WHERE d.id = dataset_version.dataset_id)"     \
	" FROM dataset_version"

static const struct rows_source source = {.select = SELECT,
	.count = "SELECT count(*) FROM dataset_version",
	.where = "dataset_version.dataset_id = $1",
	.id = "dataset_version.id",
	.created = "dataset_version.created_us",
	.name = "dataset_version.version"};

static void read_row(struct db_query *q, struct arena *a, struct dataset_version_row *out)
{
	*out = (struct dataset_version_row){
		.id = db_uuid(q, 0),
		.dataset_id = db_uuid(q, 1),
		.version = db_text(q, 2, a),
		.description = db_text(q, 3, a),
		.type = db_text(q, 4, a),
		.forked_from_id = db_uuid(q, 5),
		.revision = db_integer(q, 6),
		.locked_us = db_integer(q, 7),
		.locked_hash = db_text(q, 8, a),
		.created_us = db_integer(q, 9),
		.dataset_name = db_text(q, 10, a),
	};
}

static enum status read_one(
	struct db_query *q, struct arena *a, struct dataset_version_row *out, bool *found, struct err *err)
{
	*found = db_next(q);
	if (*found)
		read_row(q, a, out);
	return db_done(q, err);
}

static enum status missing(struct uuid id, struct err *err)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return err_set(err, ST_MISSING, "There is no dataset version with the id %s.", text);
}

static enum status name_taken(const char *version, struct err *err)
{
	return err_set(err, ST_CONFLICT,
		"This dataset has a version named \"%.200s\" already: choose another name.", version);
}

enum status dataset_version_rows_insert(
	struct db_conn *c, const struct dataset_version_row *v, struct err *err)
{
	struct db_query q = db_query(c,
		"INSERT INTO dataset_version (id, dataset_id, version, description, type, forked_from_id,"
		" created_us) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (dataset_id, version) DO "
		"NOTHING");
	db_bind_uuid(&q, v->id);
	db_bind_uuid(&q, v->dataset_id);
	db_bind_text(&q, v->version);
	db_bind_text(&q, v->description);
	db_bind_text(&q, v->type);
	db_bind_uuid(&q, v->forked_from_id);
	db_bind_integer(&q, v->created_us);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_MISSING,
			"The dataset of this version, or the version it is forked from, does not exist.");
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : name_taken(v->version, err);
}

enum status dataset_version_rows_by_id(
	struct db_conn *c, struct uuid id, struct arena *a, struct dataset_version_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE id = $1");
	db_bind_uuid(&q, id);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK : missing(id, err);
}

enum status dataset_version_rows_by_name(struct db_conn *c, struct uuid dataset_id, const char *version,
	struct arena *a, struct dataset_version_row *out, struct err *err)
{
	bool found;
	struct db_query q = db_query(c, SELECT " WHERE dataset_id = $1 AND version = $2");
	db_bind_uuid(&q, dataset_id);
	db_bind_text(&q, version);
	TRY(read_one(&q, a, out, &found, err));
	return found ? ST_OK
		     : err_set(err, ST_MISSING, "This dataset has no version named \"%.200s\".", version);
}

enum status dataset_version_rows_list(struct db_conn *c, struct uuid dataset_id, const struct rows_page *page,
	struct arena *a, struct dataset_version_row **items, size_t *count, int64_t *total, struct err *err)
{
	struct db_query q = rows_count(c, a, &source, page);
	db_bind_uuid(&q, dataset_id);
	rows_bind_count(&q, page);
	TRY(rows_number(&q, total, err));
	q = rows_query(c, a, &source, page);
	db_bind_uuid(&q, dataset_id);
	rows_bind(&q, page);
	size_t room = 0;
	*items = NULL;
	for (*count = 0; db_next(&q); (*count)++) {
		*items = rows_grow(a, *items, *count, &room, sizeof(**items));
		read_row(&q, a, &(*items)[*count]);
	}
	return db_done(&q, err);
}

enum status dataset_version_rows_newest(struct db_conn *c, struct uuid dataset_id, struct arena *a,
	struct dataset_version_row *out, bool *found, struct err *err)
{
	struct db_query q =
		db_query(c, SELECT " WHERE dataset_id = $1 ORDER BY created_us DESC, id DESC LIMIT 1");
	db_bind_uuid(&q, dataset_id);
	return read_one(&q, a, out, found, err);
}

enum status dataset_version_rows_counts(
	struct db_conn *c, struct uuid id, struct dataset_version_counts *out, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT (SELECT count(*) FROM asset WHERE dataset_version_id = $1),"
			    " (SELECT count(*) FROM asset WHERE dataset_version_id = $1 AND EXISTS"
			    " (SELECT 1 FROM annotation WHERE asset_id = asset.id)),"
			    " (SELECT count(*) FROM label WHERE dataset_version_id = $1)");
	db_bind_uuid(&q, id);
	*out = (struct dataset_version_counts){0};
	if (db_next(&q))
		*out = (struct dataset_version_counts){.assets = db_integer(&q, 0),
			.annotated = db_integer(&q, 1),
			.labels = db_integer(&q, 2)};
	return db_done(&q, err);
}

enum status dataset_version_rows_update(
	struct db_conn *c, const struct dataset_version_row *v, struct err *err)
{
	struct db_query q = db_query(
		c, "UPDATE dataset_version SET version = $1, description = $2, type = $3 WHERE id = $4");
	db_bind_text(&q, v->version);
	db_bind_text(&q, v->description);
	db_bind_text(&q, v->type);
	db_bind_uuid(&q, v->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return name_taken(v->version, err);
	TRY(st);
	return db_changes(c) == 1 ? ST_OK : missing(v->id, err);
}

enum status dataset_version_rows_set_locked(
	struct db_conn *c, struct uuid id, int64_t locked_us, const char *hash, struct err *err)
{
	struct db_query q =
		db_query(c, "UPDATE dataset_version SET locked_us = $1, locked_hash = $2 WHERE id = $3");
	if (locked_us)
		db_bind_integer(&q, locked_us);
	else
		db_bind_null(&q);
	db_bind_text(&q, hash);
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : missing(id, err);
}

static enum status refuse(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	struct dataset_version_row row;
	arena_init(&a);
	enum status st = dataset_version_rows_by_id(c, id, &a, &row, err);
	if (st == ST_OK)
		st = err_set(err, ST_LOCKED,
			"The version \"%.200s\" of the dataset \"%.200s\" is locked and cannot change: "
			"unlock it, "
			"or fork it and change the fork.",
			row.version, row.dataset_name);
	arena_release(&a);
	return st;
}

enum status dataset_version_rows_check_open(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT count(*) FROM dataset_version WHERE id = $1 AND locked_us IS NULL");
	int64_t open;
	db_bind_uuid(&q, id);
	TRY(rows_number(&q, &open, err));
	return open ? ST_OK : refuse(c, id, err);
}

enum status dataset_version_rows_touch(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(
		c, "UPDATE dataset_version SET revision = revision + 1 WHERE id = $1 AND locked_us IS NULL");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	return db_changes(c) == 1 ? ST_OK : refuse(c, id, err);
}

/* What keeps it: the name of a deployment whose Feedback Loop fills it. */
static enum status check_unused(
	struct db_conn *c, const struct dataset_version_row *v, struct arena *a, struct err *err)
{
	struct db_query q =
		db_query(c, "SELECT d.name FROM feedback_target f JOIN deployment d ON d.id = f.deployment_id"
			    " WHERE f.dataset_version_id = $1 ORDER BY d.name LIMIT 1");
	db_bind_uuid(&q, v->id);
	const char *deployment = db_next(&q) ? db_text(&q, 0, a) : NULL;
	TRY(db_done(&q, err));
	if (deployment)
		return err_set(err, ST_CONFLICT,
			"The Feedback Loop of the deployment %.200s fills the version \"%.200s\" of the "
			"dataset "
			"\"%.200s\": detach it there first.",
			deployment, v->version, v->dataset_name);
	q = db_query(c, "SELECT e.name FROM experiment_dataset x JOIN experiment e ON e.id = x.experiment_id"
			" WHERE x.dataset_version_id = $1 ORDER BY e.created_us, e.id LIMIT 1");
	db_bind_uuid(&q, v->id);
	const char *experiment = db_next(&q) ? db_text(&q, 0, a) : NULL;
	TRY(db_done(&q, err));
	if (experiment)
		return err_set(err, ST_CONFLICT,
			"The experiment %.200s uses the version \"%.200s\" of the dataset \"%.200s\": take "
			"it "
			"out there first.",
			experiment, v->version, v->dataset_name);
	return ST_OK;
}

enum status dataset_version_rows_check_deletable(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	struct dataset_version_row row;
	arena_init(&a);
	enum status st = dataset_version_rows_by_id(c, id, &a, &row, err);
	if (st == ST_OK)
		st = row.locked_us ? refuse(c, id, err) : check_unused(c, &row, &a, err);
	arena_release(&a);
	return st;
}

/* Tags are not foreign keys: of the version, of its assets, and those whose scope it is. */
static enum status delete_tags(struct db_conn *c, struct uuid id, struct err *err)
{
	struct db_query q = db_query(c, "DELETE FROM tag_target WHERE target_id = $1");
	db_bind_uuid(&q, id);
	TRY(db_done(&q, err));
	q = db_query(c, "DELETE FROM tag WHERE scope_id = $1");
	db_bind_uuid(&q, id);
	return db_done(&q, err);
}

static enum status delete_version(
	struct db_conn *c, const struct dataset_version_row *v, struct arena *a, struct err *err)
{
	if (v->locked_us)
		return refuse(c, v->id, err);
	TRY(check_unused(c, v, a, err));
	TRY(delete_tags(c, v->id, err));
	struct db_query q = db_query(c, "DELETE FROM dataset_version WHERE id = $1");
	db_bind_uuid(&q, v->id);
	enum status st = db_done(&q, err);
	if (st == ST_CONFLICT)
		return err_set(err, ST_CONFLICT,
			"The version \"%.200s\" of the dataset \"%.200s\" is used, by an experiment say: "
			"take it "
			"out there first.",
			v->version, v->dataset_name);
	return st;
}

enum status dataset_version_rows_delete(struct db_conn *c, struct uuid id, struct err *err)
{
	struct arena a;
	struct dataset_version_row row;
	arena_init(&a);
	enum status st = dataset_version_rows_by_id(c, id, &a, &row, err);
	if (st == ST_OK)
		st = delete_version(c, &row, &a, err);
	arena_release(&a);
	return st;
}
