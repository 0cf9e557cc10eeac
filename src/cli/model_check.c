/* SPDX-License-Identifier: Apache-2.0 */
/* gyre model check: the recipes that a model could need, ranked on a folder of labelled pictures. */
#include "base/check.h"
#include "cli/files.h"
#include "cli/where.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 300
#define ROWS_SHOWN 8

static bool is_annotation(const char *name)
{
	static const char *const endings[] = {".json", ".xml", ".txt", ".yaml", ".yml", ".names", NULL};
	return files_has_ending(name, endings);
}

static bool wants(const char *name)
{
	return files_is_image(name) || is_annotation(name);
}

static void show_upload(void *arg, uint64_t sent, uint64_t total)
{
	progress_show(arg, sent, total);
}

/* The files with their places in the folder, which say the class where there are no annotations. */
static enum status send_folder(struct client *c, const char *version_id, const char *folder,
	const struct files *files, yyjson_val **job, struct err *err)
{
	struct fetch_field *fields = calloc(files->count, sizeof(*fields));
	CHECK(fields != NULL);
	size_t skip = strlen(folder);
	for (size_t i = 0; i < files->count; i++) {
		const char *name = files->paths[i] + skip;
		fields[i] = (struct fetch_field){.name = files_is_image(name) ? "media" : "annotations",
			.path = files->paths[i],
			.filename = name + strspn(name, "/"),
			.content_type = "application/octet-stream"};
	}
	struct fetch_request request = {
		.method = "POST",
		.url = arena_printf(&c->arena, "%s/api/model/version/%s/check", c->host, version_id),
		.token = c->token,
		.fields = fields,
		.field_count = files->count,
		.timeout_s = 3600,
		.progress = show_upload,
		.progress_arg = (void *)(uintptr_t) "Uploading",
	};
	struct fetch_reply reply;
	yyjson_val *answer;
	enum status st = fetch(c->fetcher, &request, &c->arena, &reply, err);
	progress_end();
	free(fields);
	TRY(st);
	TRY(client_read(c, &reply, &answer, err));
	*job = yyjson_obj_get(answer, "job");
	return ST_OK;
}

/* Asks until it has ended. */
static enum status wait_for(struct client *c, yyjson_val **job, struct err *err)
{
	const char *id = yyjson_get_str(yyjson_obj_get(*job, "id"));
	if (id == NULL)
		return err_set(err, ST_INTERNAL, "The server started no job.");
	while (yyjson_equals_str(yyjson_obj_get(*job, "status"), "RUNNING")) {
		progress_show("Checking", (uint64_t)(1000 * yyjson_get_num(yyjson_obj_get(*job, "progress"))),
			1000);
		poll(NULL, 0, POLL_MS);
		TRY(client_call(c, "GET", NULL, job, err, "/api/job/%s", id));
	}
	progress_end();
	const char *error = yyjson_get_str(yyjson_obj_get(*job, "error"));
	if (yyjson_equals_str(yyjson_obj_get(*job, "status"), "SUCCESS"))
		return ST_OK;
	return err_set(err, ST_FAILED, "%s", error ? error : "The check was cancelled.");
}

static void print_changes(yyjson_val *changed)
{
	yyjson_val *key, *value;
	size_t i, n;
	yyjson_obj_foreach (changed, i, n, key, value) {
		char *text = yyjson_val_write(value, 0, NULL);
		printf("%s%s %s", i ? ", " : "", yyjson_get_str(key),
			yyjson_is_str(value) ? yyjson_get_str(value) : text);
		free(text);
	}
	puts(n ? "" : "the recipe as it is");
}

static void print_result(yyjson_val *result, const char *what)
{
	yyjson_val *row, *problem, *rows = yyjson_obj_get(result, "rows");
	size_t i, n;
	yyjson_arr_foreach (yyjson_obj_get(result, "problems"), i, n, problem)
		fprintf(stderr, "gyre: %s\n", yyjson_get_str(problem));
	const char *metric = yyjson_get_str(yyjson_obj_get(result, "metric"));
	printf("%s on %d pictures with %d labels, the best recipe first:\n", metric ? metric : "Value",
		yyjson_get_int(yyjson_obj_get(result, "pictures")),
		yyjson_get_int(yyjson_obj_get(result, "labelled_shapes")));
	yyjson_arr_foreach (rows, i, n, row) {
		if (i >= ROWS_SHOWN && !yyjson_get_bool(yyjson_obj_get(row, "current")))
			continue;
		printf("%3zu. %.3f  ", i + 1, yyjson_get_num(yyjson_obj_get(row, "value")));
		print_changes(yyjson_obj_get(row, "changed"));
	}
	if (yyjson_get_bool(yyjson_obj_get(yyjson_arr_get_first(rows), "current")))
		printf("No other recipe is better. Say that it is right: gyre model recipe confirm %s\n",
			what);
}

static enum status check_folder(
	struct client *c, const char *what, const char *folder, yyjson_val **job, struct err *err)
{
	yyjson_val *version;
	struct files files;
	files_init(&files);
	enum status st = client_version(c, what, &version, err);
	if (st == ST_OK)
		st = files_add(&files, folder, wants, err);
	if (st == ST_OK && files.count == 0)
		st = err_set(err, ST_MISSING, "There are no pictures in %s.", folder);
	if (st == ST_OK)
		st = send_folder(c, yyjson_get_str(yyjson_obj_get(version, "id")), folder, &files, job, err);
	files_release(&files);
	TRY(st);
	return wait_for(c, job, err);
}

int cli_model_check(const char *const *words, size_t count, bool json)
{
	if (count != 2)
		return cli_usage("model", "Say check, which model, and the folder of labelled pictures.");
	struct client c;
	struct err err;
	yyjson_val *job = NULL;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = check_folder(&c, words[0], words[1], &job, &err);
	if (st == ST_OK && json)
		client_print(yyjson_obj_get(job, "result"));
	else if (st == ST_OK)
		print_result(yyjson_obj_get(job, "result"), words[0]);
	int code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
