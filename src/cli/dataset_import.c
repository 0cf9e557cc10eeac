/* SPDX-License-Identifier: Apache-2.0 */
/* gyre dataset import: a folder of pictures and annotation files, sent in parts that are whole each. */
#include "base/check.h"
#include "cli/dataset_files.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 100
#define PROBLEMS_SHOWN 20

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));
	return text ? text : "";
}

/* ---- the version, made where it is missing ---- */

static enum status make_dataset(struct client *c, const char *name, yyjson_val **out, struct err *err)
{
	enum status st = client_call(c, "GET", NULL, out, err, "/api/organization/%s/datasets/find?name=%s",
		c->organization_id, client_escape(c, name));
	if (st != ST_MISSING)
		return st;
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "name", name);
	return client_call(c, "POST", doc, out, err, "/api/organization/%s/datasets", c->organization_id);
}

static enum status make_version(
	struct client *c, yyjson_val *dataset, const char *name, yyjson_val **out, struct err *err)
{
	const char *id = text_of(dataset, "id");
	enum status st = client_call(c, "GET", NULL, out, err, "/api/dataset/%s/versions/find?version=%s", id,
		client_escape(c, name));
	if (st != ST_MISSING)
		return st;
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "version", name);
	yyjson_mut_obj_add_str(doc, body, "type", "NOT_CONFIGURED");
	return client_call(c, "POST", doc, out, err, "/api/dataset/%s/versions", id);
}

/* "BCCD:v2", or "BCCD": its newest version, and of a new one the first, v1. */
static enum status find_version(struct client *c, const char *what, yyjson_val **out, struct err *err)
{
	char *name = arena_strdup(&c->arena, what), *colon = strrchr(name, ':');
	yyjson_val *dataset, *list;
	if (colon)
		*colon = '\0';
	TRY(make_dataset(c, name, &dataset, err));
	if (colon)
		return make_version(c, dataset, colon + 1, out, err);
	TRY(client_call(c, "GET", NULL, &list, err, "/api/dataset/%s/versions?limit=1&order_by=-created_at",
		text_of(dataset, "id")));
	*out = yyjson_arr_get_first(yyjson_obj_get(list, "items"));
	return *out ? ST_OK : make_version(c, dataset, "v1", out, err);
}

/* ---- sending ---- */

struct totals {
	int64_t images, assets_new, annotated, unchanged, shapes, labels_new, left_out;
	const char **problems; /* all different */
	size_t problem_count, problem_room;
	int64_t here, missing; /* annotated pictures: in the folder; named, but not there */
	size_t failed;         /* parts */
	struct arena *arena;
};

static void add_problem(struct totals *t, const char *text)
{
	for (size_t i = 0; i < t->problem_count; i++) {
		if (strcmp(t->problems[i], text) == 0)
			return; /* each part may say it of the files that all have */
	}
	if (t->problem_count == t->problem_room) {
		size_t room = t->problem_room ? 2 * t->problem_room : 64;
		const char **more = ARENA_ARRAY(t->arena, const char *, room);
		if (t->problem_count)
			memcpy(more, t->problems, t->problem_count * sizeof(*more));
		t->problems = more;
		t->problem_room = room;
	}
	t->problems[t->problem_count++] = arena_strdup(t->arena, text);
}

static void add_result(struct totals *t, yyjson_val *result)
{
	static const char *const keys[] = {
		"images", "assets_new", "annotated", "unchanged", "shapes", "labels_new"};
	int64_t *numbers[] = {
		&t->images, &t->assets_new, &t->annotated, &t->unchanged, &t->shapes, &t->labels_new};
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		*numbers[i] += yyjson_get_sint(yyjson_obj_get(result, keys[i]));
	size_t i, count;
	yyjson_val *problem;
	yyjson_arr_foreach (yyjson_obj_get(result, "problems"), i, count, problem)
		add_problem(t, yyjson_get_str(problem));
	int64_t elsewhere = yyjson_get_sint(yyjson_obj_get(result, "annotated_elsewhere"));
	int64_t here = yyjson_get_sint(yyjson_obj_get(result, "annotated")) +
		       yyjson_get_sint(yyjson_obj_get(result, "unchanged"));
	t->here += here;
	/* COCO's files speak of all pictures in each part, those of others only of pictures that nobody has.
	 */
	bool coco = yyjson_equals_str(yyjson_obj_get(result, "format"), "COCO");
	t->missing = coco ? elsewhere + here - t->here : elsewhere;
	int64_t left_out = yyjson_get_sint(yyjson_obj_get(result, "problems_left_out"));
	t->left_out = left_out > t->left_out ? left_out : t->left_out;
}

struct sending {
	struct client *c;
	const char *version_id, *format, *mode;
	struct dataset_files files;
	struct totals totals;
};

static enum status send_part(
	struct sending *s, const struct dataset_part *part, yyjson_val **job, struct err *err)
{
	struct client *c = s->c;
	size_t count = 0;
	struct fetch_field *fields = calloc(part->count + 2, sizeof(*fields));
	CHECK(fields != NULL);
	if (s->format)
		fields[count++] = (struct fetch_field){.name = "format", .value = s->format};
	if (s->mode)
		fields[count++] = (struct fetch_field){.name = "mode", .value = s->mode};
	for (size_t i = 0; i < part->count; i++)
		fields[count++] =
			(struct fetch_field){.name = part->files[i]->picture ? "media" : "annotations",
				.path = part->files[i]->path,
				.filename = part->files[i]->name,
				.content_type = "application/octet-stream"};
	const struct fetch_request request = {
		.method = "POST",
		.url = arena_printf(&c->arena, "%s/api/dataset/version/%s/import", c->host, s->version_id),
		.token = c->token,
		.fields = fields,
		.field_count = count,
		.timeout_s = 3600,
	};
	struct fetch_reply reply;
	yyjson_val *answer;
	enum status st = fetch(c->fetcher, &request, &c->arena, &reply, err);
	free(fields);
	TRY(st);
	TRY(client_read(c, &reply, &answer, err));
	*job = yyjson_obj_get(answer, "job");
	return ST_OK;
}

static enum status wait_for(struct client *c, yyjson_val **job, struct err *err)
{
	const char *id = arena_strdup(&c->arena, text_of(*job, "id"));
	while (yyjson_equals_str(yyjson_obj_get(*job, "status"), "RUNNING")) {
		poll(NULL, 0, POLL_MS);
		TRY(client_call(c, "GET", NULL, job, err, "/api/job/%s", id));
	}
	return ST_OK;
}

/* A part that failed is a problem, and the others are sent. */
static enum status send_all(struct sending *s, struct err *err)
{
	struct dataset_part part;
	while (dataset_files_next(&s->files, &part)) {
		yyjson_val *job;
		progress_show(
			"Importing", s->files.done, s->files.picture_count ? s->files.picture_count : 1);
		TRY(send_part(s, &part, &job, err));
		TRY(wait_for(s->c, &job, err));
		if (yyjson_equals_str(yyjson_obj_get(job, "status"), "SUCCESS")) {
			add_result(&s->totals, yyjson_obj_get(job, "result"));
			continue;
		}
		s->totals.failed++;
		const char *error = yyjson_get_str(yyjson_obj_get(job, "error"));
		add_problem(&s->totals, error ? error : "An import was cancelled.");
	}
	progress_end();
	if (s->totals.missing > 0)
		add_problem(&s->totals,
			arena_printf(&s->c->arena, "%" PRId64 " annotated pictures are not in the folder.",
				s->totals.missing));
	return ST_OK;
}

/* ---- what is printed ---- */

static void print_json(const struct sending *s, yyjson_val *version)
{
	const struct totals *t = &s->totals;
	yyjson_mut_doc *doc = json_new(&s->c->arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_str(doc, root, "dataset_version_id", text_of(version, "id"));
	yyjson_mut_obj_add_int(doc, root, "images", t->images);
	yyjson_mut_obj_add_int(doc, root, "assets_new", t->assets_new);
	yyjson_mut_obj_add_int(doc, root, "annotated", t->annotated);
	yyjson_mut_obj_add_int(doc, root, "unchanged", t->unchanged);
	yyjson_mut_obj_add_int(doc, root, "shapes", t->shapes);
	yyjson_mut_obj_add_int(doc, root, "labels_new", t->labels_new);
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "problems");
	for (size_t i = 0; i < t->problem_count; i++)
		yyjson_mut_arr_add_str(doc, list, t->problems[i]);
	yyjson_mut_obj_add_int(doc, root, "problems_left_out", t->left_out);
	puts((const char *)json_print(doc, &s->c->arena).data);
}

static void print_totals(const struct sending *s, yyjson_val *version)
{
	const struct totals *t = &s->totals;
	size_t shown = t->problem_count < PROBLEMS_SHOWN ? t->problem_count : PROBLEMS_SHOWN;
	for (size_t i = 0; i < shown; i++)
		fprintf(stderr, "gyre: %s\n", t->problems[i]);
	int64_t more = (int64_t)(t->problem_count - shown) + t->left_out;
	if (more > 0)
		fprintf(stderr, "gyre: and %" PRId64 " more problems (--json prints those that are known)\n",
			more);
	printf("%s:%s: %" PRId64 " pictures, %" PRId64 " of them new; %" PRId64 " annotated with %" PRId64
	       " shapes, %" PRId64 " as they were; %" PRId64 " new labels\n",
		text_of(version, "origin_name"), text_of(version, "version"), t->images, t->assets_new,
		t->annotated, t->shapes, t->unchanged, t->labels_new);
}

static enum status import_folder(
	struct sending *s, const char *folder, const char *dataset, yyjson_val **version, struct err *err)
{
	TRY(dataset_files_read(&s->files, folder, err));
	if (s->format == NULL && dataset_files_are_classes(&s->files))
		s->format = "folders";
	TRY(find_version(s->c, dataset, version, err));
	s->version_id = text_of(*version, "id");
	return send_all(s, err);
}

int cli_dataset_import(int argc, char **argv)
{
	static struct cli_words words;
	const char *dataset = NULL;
	bool json = false;
	struct client c;
	struct sending s = {.c = &c, .totals.arena = &c.arena};
	const struct cli_option options[] = {{"--dataset", &dataset, NULL}, {"--format", &s.format, NULL},
		{"--mode", &s.mode, NULL}, {"--json", NULL, &json}};
	int code = cli_parse("dataset", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	if (words.count != 2 || dataset == NULL || *dataset == '\0')
		return cli_usage("dataset", "Say import, which folder, and --dataset DATASET[:VERSION].");
	struct err err;
	yyjson_val *version = NULL;
	dataset_files_init(&s.files);
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = import_folder(&s, words.words[1], dataset, &version, &err);
	if (st == ST_OK && json)
		print_json(&s, version);
	else if (st == ST_OK)
		print_totals(&s, version);
	code = st != ST_OK ? cli_failed(&err) : s.totals.failed ? EXIT_FAILED : EXIT_DONE;
	dataset_files_release(&s.files);
	client_close(&c);
	return code;
}
