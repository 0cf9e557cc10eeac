/* SPDX-License-Identifier: Apache-2.0 */
/* gyre model push, gyre model list; recipe and check have files of their own */
#include "base/str.h"
#include "cli/where.h"
#include "os/file.h"
#include "task/shape.h"

#include <stdio.h>

#define TEXT_FILE_MAX (4u << 20)

struct push {
	const char *file, *name, *type, *labels, *recipe;
	bool json;
};

/* Labels as {"0": …}: from JSON (an object or a list), or from a text with one name a line. */
static enum status read_labels(
	const char *path, struct arena *a, yyjson_mut_doc *doc, yyjson_mut_val **out, struct err *err)
{
	struct span text;
	TRY(file_read(path, TEXT_FILE_MAX, a, &text, err));
	char number[16];
	unsigned count = 0;
	const char *start = (const char *)text.data;
	start += strspn(start, " \t\r\n");
	*out = yyjson_mut_obj(doc);
	if (*start == '{' || *start == '[') {
		yyjson_doc *labels;
		TRY(json_parse(text, a, &labels, err));
		yyjson_val *root = yyjson_doc_get_root(labels), *value;
		if (yyjson_is_obj(root)) {
			*out = yyjson_val_mut_copy(doc, root);
			return ST_OK;
		}
		yyjson_arr_iter items = yyjson_arr_iter_with(root);
		while ((value = yyjson_arr_iter_next(&items))) {
			snprintf(number, sizeof(number), "%u", count++);
			yyjson_mut_obj_add(
				*out, yyjson_mut_strcpy(doc, number), yyjson_val_mut_copy(doc, value));
		}
		return ST_OK;
	}
	char *line = arena_strndup(a, start, strlen(start));
	while (line) {
		char *next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		size_t size = strlen(line);
		while (size && (line[size - 1] == '\r' || line[size - 1] == ' '))
			line[--size] = '\0';
		if (size) {
			snprintf(number, sizeof(number), "%u", count++);
			yyjson_mut_obj_add(
				*out, yyjson_mut_strcpy(doc, number), yyjson_mut_strcpy(doc, line));
		}
		line = next;
	}
	return ST_OK;
}

static enum status find_or_create_model(struct client *c, const char *name, const char **id, struct err *err)
{
	yyjson_val *model;
	enum status st = client_call(c, "GET", NULL, &model, err, "/api/organization/%s/models/find?name=%s",
		c->organization_id, client_escape(c, name));
	if (st == ST_MISSING) {
		yyjson_mut_doc *doc = json_new(&c->arena);
		yyjson_mut_val *body = yyjson_mut_obj(doc);
		yyjson_mut_doc_set_root(doc, body);
		yyjson_mut_obj_add_str(doc, body, "name", name);
		st = client_call(
			c, "POST", doc, &model, err, "/api/organization/%s/models", c->organization_id);
	}
	TRY(st);
	*id = yyjson_get_str(yyjson_obj_get(model, "id"));
	return ST_OK;
}

static enum status create_version(struct client *c, const struct push *p, enum task task,
	const char *model_id, yyjson_val **version, struct err *err)
{
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc), *labels;
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "type", task_wire_name(task));
	yyjson_mut_obj_add_str(doc, body, "framework", "ONNX");
	if (p->labels) {
		TRY(read_labels(p->labels, &c->arena, doc, &labels, err));
		yyjson_mut_obj_add_val(doc, body, "labels", labels);
	}
	if (p->recipe) {
		struct span text;
		yyjson_doc *recipe;
		TRY(file_read(p->recipe, TEXT_FILE_MAX, &c->arena, &text, err));
		TRY(json_parse(text, &c->arena, &recipe, err));
		yyjson_mut_obj_add_val(
			doc, body, "recipe", yyjson_val_mut_copy(doc, yyjson_doc_get_root(recipe)));
	}
	return client_call(c, "POST", doc, version, err, "/api/model/%s/versions", model_id);
}

static void show_upload(void *arg, uint64_t sent, uint64_t total)
{
	progress_show(arg, sent, total);
}

#define SIGNED_FIELDS_MAX (FETCH_FIELDS_MAX - 1)

/* Send the file to a presigned form. */
static enum status send_file(struct client *c, const char *path, yyjson_val *presigned, struct err *err)
{
	struct fetch_field fields[FETCH_FIELDS_MAX];
	size_t count = 0, i, n;
	yyjson_val *key, *value, *data = yyjson_obj_get(presigned, "presigned_url_data");
	yyjson_obj_foreach (yyjson_obj_get(data, "fields"), i, n, key, value)
		if (count < SIGNED_FIELDS_MAX)
			fields[count++] = (struct fetch_field){
				.name = yyjson_get_str(key), .value = yyjson_get_str(value)};
	fields[count++] = (struct fetch_field){
		.name = "file", .path = path, .content_type = "application/octet-stream"};
	struct fetch_request request = {
		.method = "POST",
		.url = yyjson_get_str(yyjson_obj_get(data, "url")),
		.fields = fields,
		.field_count = count,
		.timeout_s = 3600,
		.progress = show_upload,
		.progress_arg = (void *)(uintptr_t) "Uploading",
	};
	if (request.url == NULL)
		return err_set(err, ST_INTERNAL, "The server gave no address to upload to.");
	struct fetch_reply reply;
	TRY(fetch(c->fetcher, &request, &c->arena, &reply, err));
	progress_end();
	return client_read(c, &reply, &value, err);
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* The SDK's three steps: a name, a presigned form, the bytes. */
static enum status upload(struct client *c, const char *path, const char **object_name, struct err *err)
{
	yyjson_val *named, *presigned;
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "filename", file_name(path));
	yyjson_mut_obj_add_str(doc, body, "type", "MODEL_FILE");
	TRY(client_call(c, "POST", doc, &named, err, "/api/organization/%s/connector/%s/generate_object_name",
		c->organization_id, c->connector_id));
	*object_name = yyjson_get_str(yyjson_obj_get(named, "object_name"));
	doc = json_new(&c->arena);
	body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "object_name", *object_name);
	yyjson_mut_obj_add_str(doc, body, "content_type", "application/octet-stream");
	TRY(client_call(c, "POST", doc, &presigned, err, "/api/object-storage/%s/generate_presigned_url",
		c->connector_id));
	return send_file(c, path, presigned, err);
}

static enum status push(
	struct client *c, const struct push *p, enum task task, yyjson_val **version, struct err *err)
{
	const char *model_id, *object_name;
	yyjson_val *file;
	if (!file_exists(p->file))
		return err_set(err, ST_MISSING, "There is no file %s.", p->file);
	TRY(find_or_create_model(c, p->name, &model_id, err));
	TRY(create_version(c, p, task, model_id, version, err));
	const char *version_id = yyjson_get_str(yyjson_obj_get(*version, "id"));
	TRY(upload(c, p->file, &object_name, err));
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	/* Whatever the file is called here: it is pushed as the version's ONNX file, and the server says if
	 * it is none. */
	const char *name = file_name(p->file);
	yyjson_mut_obj_add_str(doc, body, "name", "model-latest");
	yyjson_mut_obj_add_str(doc, body, "filename",
		text_ends_with(name, ".onnx") ? name : arena_printf(&c->arena, "%s.onnx", name));
	yyjson_mut_obj_add_str(doc, body, "object_name", object_name);
	yyjson_mut_obj_add_bool(doc, body, "large", false);
	TRY(client_call(c, "POST", doc, &file, err, "/api/model/version/%s/modelfiles", version_id));
	return client_call(c, "GET", NULL, version, err, "/api/model/version/%s", version_id);
}

static int report(const struct push *p, yyjson_val *version)
{
	const char *state = yyjson_get_str(yyjson_obj_get(version, "state"));
	const char *text = yyjson_get_str(yyjson_obj_get(version, "state_text"));
	bool ready = state && strcmp(state, "READY") == 0;
	if (p->json)
		client_print(version);
	else if (ready)
		printf("%s:%d is ready. Deploy it: gyre deploy %s:%d\n", p->name,
			yyjson_get_int(yyjson_obj_get(version, "version")), p->name,
			yyjson_get_int(yyjson_obj_get(version, "version")));
	if (!ready)
		fprintf(stderr, "gyre: the model was stored, but it cannot be deployed: %s\n",
			text ? text : "it was not inspected.");
	return ready ? EXIT_DONE : EXIT_FAILED;
}

static int push_command(const struct push *p)
{
	enum task task;
	if (!task_parse(p->type, &task))
		return cli_usage(
			"model", "--type is detection, classification or segmentation, not %s.", p->type);
	struct client c;
	struct err err;
	yyjson_val *version;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = push(&c, p, task, &version, &err);
	int code = st == ST_OK ? report(p, version) : cli_failed(&err);
	client_close(&c);
	return code;
}

static int list_command(bool json)
{
	struct client c;
	struct err err;
	yyjson_val *list, *item;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = client_call(&c, "GET", NULL, &list, &err, "/api/organization/%s/models?limit=1000",
			c.organization_id);
	if (st == ST_OK) {
		yyjson_arr_iter items = yyjson_arr_iter_with(yyjson_obj_get(list, "items"));
		while ((item = yyjson_arr_iter_next(&items))) {
			if (json)
				client_print(item);
			else
				printf("%-32s %d versions\n", yyjson_get_str(yyjson_obj_get(item, "name")),
					yyjson_get_int(yyjson_obj_get(item, "versions")));
		}
	}
	int code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}

int cli_model(int argc, char **argv)
{
	struct push p = {0};
	static struct cli_words words;
	const struct cli_option options[] = {{"--name", &p.name, NULL}, {"--type", &p.type, NULL},
		{"--labels", &p.labels, NULL}, {"--recipe", &p.recipe, NULL}, {"--json", NULL, &p.json}};
	int code = cli_parse("model", argc, argv, options, sizeof(options) / sizeof(options[0]), &words);
	if (code)
		return code;
	if (words.count == 1 && strcmp(words.words[0], "list") == 0)
		return list_command(p.json);
	if (words.count > 0 && strcmp(words.words[0], "recipe") == 0)
		return cli_model_recipe(words.words + 1, words.count - 1, p.json);
	if (words.count > 0 && strcmp(words.words[0], "check") == 0)
		return cli_model_check(words.words + 1, words.count - 1, p.json);
	if (words.count != 2 || strcmp(words.words[0], "push") != 0)
		return cli_usage("model", "Say push and a file, list, recipe or check.");
	if (p.name == NULL || p.type == NULL)
		return cli_usage("model", "--name and --type are needed.");
	p.file = words.words[1];
	return push_command(&p);
}
