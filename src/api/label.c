/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of a dataset version: names in an order, which is their class index in exports. */
#include "api/label_json.h"
#include "api/nouns.h"
#include "store/dataset_rows.h"

#define SKELETON_POINTS_MAX 1000

yyjson_mut_val *label_json(yyjson_mut_doc *doc, const struct label_row *row)
{
	yyjson_mut_val *object = yyjson_mut_obj(doc);
	api_add_id(doc, object, "id", row->id);
	api_add_text(doc, object, "name", row->name);
	api_add_id(doc, object, "group_id", row->group_id);
	yyjson_mut_obj_add_int(doc, object, "position", row->position);
	return object;
}

static enum status reply_label(
	struct http_request *req, struct http_reply *reply, const struct label_row *row)
{
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_doc_set_root(doc, label_json(doc, row));
	return http_reply_json(req, reply, doc);
}

enum status label_read_version(struct http_request *req, struct uuid *id, struct err *err)
{
	API_READER reader = {0};
	struct dataset_version_row row;
	TRY(api_id(req, "id", "dataset version", id, err));
	TRY(api_read(req, &reader, err));
	return dataset_version_rows_by_id(reader.conn, *id, req->arena, &row, err);
}

/* ---- those of a version ---- */

enum status api_label_list(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct label_row *rows;
	struct uuid id;
	size_t count;
	TRY(label_read_version(req, &id, err));
	TRY(api_read(req, &reader, err));
	TRY(label_rows_list(reader.conn, id, req->arena, &rows, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++)
		yyjson_mut_arr_append(items, label_json(doc, &rows[i]));
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

enum status api_label_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct label_row row;
	struct uuid version_id;
	const char *name;
	TRY(label_read_version(req, &version_id, err));
	TRY(api_query_text(req, "name", &name, err));
	TRY(api_read(req, &reader, err));
	TRY(label_rows_by_name(reader.conn, version_id, name, req->arena, &row, err));
	return reply_label(req, reply, &row);
}

struct making {
	struct uuid version_id;
	const char **names;
	size_t count;
	bool must_be_new;
	struct label_row *rows;
	struct arena *arena;
};

static enum status make_labels(struct db_conn *c, void *arg, struct err *err)
{
	struct making *m = arg;
	size_t made_count = 0;
	for (size_t i = 0; i < m->count; i++) {
		bool made;
		TRY(label_rows_ensure(c, m->version_id, m->names[i], m->arena, &m->rows[i], &made, err));
		made_count += made;
		if (!made && m->must_be_new)
			return err_set(err, ST_CONFLICT,
				"The dataset version has a label named \"%.200s\" already.", m->names[i]);
	}
	/* Last, so that asking for labels that are there needs no version that is open. */
	return made_count ? dataset_version_rows_touch(c, m->version_id, err) : ST_OK;
}

enum status api_label_create(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *name = NULL;
	struct label_row row;
	struct making m = {
		.names = &name, .count = 1, .must_be_new = true, .rows = &row, .arena = req->arena};
	yyjson_val *body;
	TRY(label_read_version(req, &m.version_id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", true, &name, err));
	TRY(api_write(req, "label.create", m.version_id, make_labels, &m, err));
	reply->code = 201;
	return reply_label(req, reply, &row);
}

static enum status read_names(struct http_request *req, struct making *m, struct err *err)
{
	yyjson_val *body, *names, *value;
	size_t i, count;
	TRY(api_body(req, &body, err));
	names = yyjson_obj_get(body, "names");
	if (!yyjson_is_arr(names) || yyjson_arr_size(names) > LABELS_MAX)
		return err_set(err, ST_INVALID, "\"names\" must be a list of at most %d names.", LABELS_MAX);
	m->count = yyjson_arr_size(names);
	m->names = ARENA_ARRAY(req->arena, const char *, m->count + 1);
	m->rows = ARENA_ARRAY(req->arena, struct label_row, m->count + 1);
	yyjson_arr_foreach (names, i, count, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "Element %zu of \"names\" is not a text.", i);
		m->names[i] = yyjson_get_str(value);
		TRY(api_check_name(m->names[i], "names", err));
	}
	return ST_OK;
}

/* Get or make, and a bare list in the order asked for: the SDK's imports begin with it. */
enum status api_label_bulk(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct making m = {.arena = req->arena};
	TRY(label_read_version(req, &m.version_id, err));
	TRY(read_names(req, &m, err));
	TRY(api_write(req, "label.create", m.version_id, make_labels, &m, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	for (size_t i = 0; i < m.count; i++)
		yyjson_mut_arr_append(list, label_json(doc, &m.rows[i]));
	yyjson_mut_doc_set_root(doc, list);
	return http_reply_json(req, reply, doc);
}

/* ---- one label ---- */

static enum status read_label(struct http_request *req, struct label_row *row, struct err *err)
{
	API_READER reader = {0};
	struct uuid id;
	TRY(api_id(req, "id", "label", &id, err));
	TRY(api_read(req, &reader, err));
	return label_rows_by_id(reader.conn, id, req->arena, row, err);
}

enum status api_label_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct label_row row;
	TRY(read_label(req, &row, err));
	return reply_label(req, reply, &row);
}

struct change {
	struct uuid id;
	const char *name, *skeleton;
	struct uuid group_id;
	bool group, remove;
	struct label_row row;
	struct arena *arena;
};

static enum status change_label(struct db_conn *c, void *arg, struct err *err)
{
	struct change *change = arg;
	struct label_row *row = &change->row;
	TRY(label_rows_by_id(c, change->id, change->arena, row, err));
	TRY(dataset_version_rows_touch(c, row->dataset_version_id, err));
	if (change->remove)
		return label_rows_delete(c, row->id, err);
	if (change->name)
		row->name = change->name;
	if (change->skeleton)
		row->skeleton = change->skeleton;
	if (change->group)
		row->group_id = change->group_id;
	return label_rows_update(c, row, err);
}

enum status api_label_patch(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "label", &change.id, err));
	TRY(api_body(req, &body, err));
	TRY(api_json_name(body, "name", false, &change.name, err));
	TRY(api_json_id(body, "group_id", false, &change.group_id, err));
	change.group = yyjson_obj_get(body, "group_id") != NULL;
	TRY(api_write(req, "label.update", change.id, change_label, &change, err));
	return reply_label(req, reply, &change.row);
}

enum status api_label_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena, .remove = true};
	TRY(api_id(req, "id", "label", &change.id, err));
	TRY(api_write(req, "label.delete", change.id, change_label, &change, err));
	return http_reply_empty(reply, 204);
}

/* ---- its skeleton: names of points, and which of them (from 1) are joined ---- */

static enum status reply_skeleton(struct http_request *req, struct http_reply *reply, const char *skeleton)
{
	reply->body = span_of_text(skeleton);
	return ST_OK;
}

enum status api_label_skeleton_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct label_row row;
	TRY(read_label(req, &row, err));
	if (row.skeleton == NULL)
		return err_set(err, ST_MISSING, "The label \"%.200s\" has no skeleton.", row.name);
	return reply_skeleton(req, reply, row.skeleton);
}

static bool is_edge(yyjson_val *edge, size_t vertex_count)
{
	if (!yyjson_is_arr(edge) || yyjson_arr_size(edge) != 2)
		return false;
	for (size_t i = 0; i < 2; i++) {
		yyjson_val *end = yyjson_arr_get(edge, i);
		if (!yyjson_is_uint(end) || yyjson_get_uint(end) < 1 || yyjson_get_uint(end) > vertex_count)
			return false;
	}
	return true;
}

static enum status read_skeleton(struct http_request *req, const char **out, struct err *err)
{
	yyjson_val *body, *vertices, *edges, *value;
	size_t i, count;
	TRY(api_body(req, &body, err));
	vertices = yyjson_obj_get(body, "vertices");
	edges = yyjson_obj_get(body, "edges");
	if (!yyjson_is_arr(vertices) || yyjson_arr_size(vertices) > SKELETON_POINTS_MAX ||
		!yyjson_is_arr(edges) || yyjson_arr_size(edges) > SKELETON_POINTS_MAX)
		return err_set(err, ST_INVALID,
			"A skeleton needs the lists \"vertices\" and \"edges\" of at most %d elements.",
			SKELETON_POINTS_MAX);
	yyjson_arr_foreach (vertices, i, count, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "\"vertices\" must be a list of names.");
	}
	yyjson_arr_foreach (edges, i, count, value) {
		if (!is_edge(value, yyjson_arr_size(vertices)))
			return err_set(err, ST_INVALID,
				"Each of \"edges\" must be two numbers of vertices, counted from 1.");
	}
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_val(doc, root, "vertices", yyjson_val_mut_copy(doc, vertices));
	yyjson_mut_obj_add_val(doc, root, "edges", yyjson_val_mut_copy(doc, edges));
	*out = (const char *)json_print(doc, req->arena).data;
	return ST_OK;
}

enum status api_label_skeleton_set(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct change change = {.arena = req->arena};
	TRY(api_id(req, "id", "label", &change.id, err));
	TRY(read_skeleton(req, &change.skeleton, err));
	TRY(api_write(req, "label.update", change.id, change_label, &change, err));
	return reply_skeleton(req, reply, change.skeleton);
}
