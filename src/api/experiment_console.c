/* SPDX-License-Identifier: Apache-2.0 */
/* The console of an experiment: lines as they come, and the whole of it as a file. */
#include "api/experiment_json.h"
#include "api/nouns.h"
#include "api/presign.h"
#include "base/check.h"
#include "store/object_rows.h"

#include <stdlib.h>

#define LINE_BYTES_MAX (64u << 10)
#define LINES_MAX 10000 /* of one answer */

struct line {
	struct uuid id;
	int64_t line;
	const char *entry;
	struct arena *arena;
};

static enum status put_line(struct db_conn *c, void *arg, struct err *err)
{
	const struct line *l = arg;
	struct experiment_row row;
	TRY(experiment_rows_by_id(c, l->id, l->arena, &row, err));
	return experiment_rows_put_line(c, l->id, l->line, l->entry, err);
}

/* {"line_nb", "log": text or list of texts, "part", "final", "special"} */
enum status api_experiment_console_write(struct http_request *req, struct http_reply *reply, struct err *err)
{
	static const char *const kept[] = {"log", "part", "final", "special"};
	struct line l = {.line = -1, .arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &l.id, err));
	TRY(api_body(req, &body, err));
	TRY(json_integer(body, "line_nb", &l.line, err));
	if (l.line < 0)
		return err_set(err, ST_INVALID, "\"line_nb\" must be the number of the line, from 0.");
	yyjson_mut_doc *doc;
	yyjson_mut_val *entry = api_object(req, &doc);
	yyjson_mut_obj_add_int(doc, entry, "line_nb", l.line);
	for (size_t i = 0; i < COUNT_OF(kept); i++)
		if (yyjson_obj_get(body, kept[i]))
			yyjson_mut_obj_add_val(
				doc, entry, kept[i], yyjson_val_mut_copy(doc, yyjson_obj_get(body, kept[i])));
	struct span text = json_print(doc, req->arena);
	if (text.size > LINE_BYTES_MAX)
		return err_set(
			err, ST_TOO_LARGE, "A line of the console has at most %u KiB.", LINE_BYTES_MAX >> 10);
	l.entry = (const char *)text.data;
	TRY(api_write(req, "experiment.console", l.id, put_line, &l, err));
	return http_reply_empty(reply, 204);
}

/* ?from= a line. {"items": [{"line_nb", "log", "part", …}], "count"} */
enum status api_experiment_console_lines(struct http_request *req, struct http_reply *reply, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row row;
	struct uuid id;
	const char *from = http_query(req, "from"), **entries;
	size_t count;
	TRY(api_id(req, "id", "experiment", &id, err));
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, id, req->arena, &row, err));
	TRY(experiment_rows_lines(reader.conn, id, from ? strtoll(from, NULL, 10) : 0, LINES_MAX, req->arena,
		&entries, &count, err));
	yyjson_mut_doc *doc = json_new(req->arena);
	yyjson_mut_val *items = yyjson_mut_arr(doc);
	for (size_t i = 0; i < count; i++) {
		yyjson_doc *line;
		TRY(json_parse(span_of_text(entries[i]), req->arena, &line, err));
		yyjson_mut_arr_append(items, yyjson_val_mut_copy(doc, yyjson_doc_get_root(line)));
	}
	return api_reply_list(req, reply, doc, items, (int64_t)count);
}

/* ---- the whole of it, as a file: its id is the experiment's ---- */

static enum status reply_file(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err)
{
	API_READER reader = {0};
	struct experiment_row row;
	TRY(api_read(req, &reader, err));
	TRY(experiment_rows_by_id(reader.conn, id, req->arena, &row, err));
	if (row.logging_object_name == NULL)
		return err_set(err, ST_MISSING, "No logging file was stored for this experiment.");
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_id(doc, root, "id", row.id);
	api_add_text(doc, root, "object_name", row.logging_object_name);
	api_add_text(doc, root, "presigned_url",
		presign_download_url(api_of(req), row.logging_object_name, req->arena));
	return http_reply_json(req, reply, doc);
}

struct file {
	struct uuid id;
	const char *object_name; /* NULL: none any more */
	struct arena *arena;
};

static enum status put_file(struct db_conn *c, void *arg, struct err *err)
{
	const struct file *f = arg;
	struct experiment_row row;
	struct object_row object;
	TRY(experiment_rows_by_id(c, f->id, f->arena, &row, err));
	const char *old = row.logging_object_name;
	if (f->object_name)
		TRY(object_rows_stored(c, f->object_name, f->arena, &object, err));
	row.logging_object_name = f->object_name;
	TRY(experiment_rows_update(c, &row, err));
	return old ? object_rows_release(c, old, err) : ST_OK;
}

enum status api_experiment_console_save(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct file f = {.arena = req->arena};
	yyjson_val *body;
	TRY(api_id(req, "id", "experiment", &f.id, err));
	TRY(api_body(req, &body, err));
	TRY(json_text_required(body, "object_name", &f.object_name, err));
	TRY(api_write(req, "experiment.save_console", f.id, put_file, &f, err));
	return reply_file(req, reply, f.id, err);
}

enum status api_experiment_console_file(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct uuid id;
	TRY(api_id(req, "id", "experiment", &id, err));
	return reply_file(req, reply, id, err);
}

enum status api_logging_file_delete(struct http_request *req, struct http_reply *reply, struct err *err)
{
	struct file f = {.arena = req->arena};
	TRY(api_id(req, "id", "logging file", &f.id, err));
	TRY(api_write(req, "experiment.delete_console", f.id, put_file, &f, err));
	return http_reply_empty(reply, 204);
}
