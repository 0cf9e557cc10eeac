/* SPDX-License-Identifier: Apache-2.0 */
/* gyre dataset: list, show, create, fork, lock, unlock, diff, delete */
#include "base/check.h"
#include "base/uuid.h"
#include "cli/dataset_files.h"
#include "cli/where.h"

#include <poll.h>
#include <stdio.h>

#define POLL_MS 200 /* between two looks at a job */

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));
	return text ? text : "";
}

static long long count_of(yyjson_val *object, const char *key)
{
	return (long long)yyjson_get_sint(yyjson_obj_get(object, key));
}

/* ---- what is printed ---- */

static void print_dataset(yyjson_val *d, bool json)
{
	yyjson_val *newest = yyjson_obj_get(d, "newest_version");
	if (json) {
		client_print(d);
		return;
	}
	printf("%-24s %lld versions", text_of(d, "name"), count_of(d, "versions"));
	if (yyjson_is_obj(newest))
		printf("  newest %s, %lld images", text_of(newest, "version"), count_of(d, "assets"));
	printf("\n");
}

static void print_version(yyjson_val *v, bool json)
{
	if (json) {
		client_print(v);
		return;
	}
	printf("%s:%s  %s  %lld images, %lld annotated, %lld labels, revision %lld",
		text_of(v, "origin_name"), text_of(v, "version"), text_of(v, "type"), count_of(v, "assets"),
		count_of(v, "annotated"), count_of(v, "labels"), count_of(v, "revision"));
	if (yyjson_get_bool(yyjson_obj_get(v, "locked")))
		printf("  locked %.12s", text_of(v, "hash"));
	printf("\n");
}

static void print_stats(yyjson_val *stats)
{
	size_t i, count;
	yyjson_val *name, *shapes, *sizes = yyjson_obj_get(stats, "sizes");
	printf("  %lld shapes: %lld small, %lld medium, %lld large\n", count_of(stats, "nb_objects"),
		count_of(sizes, "small"), count_of(sizes, "medium"), count_of(sizes, "large"));
	yyjson_obj_foreach (yyjson_obj_get(stats, "label_repartition"), i, count, name, shapes)
		printf("  %-22s %lld\n", yyjson_get_str(name), (long long)yyjson_get_sint(shapes));
	if (count_of(stats, "nb_evaluation"))
		printf("  %lld images are kept to measure with\n", count_of(stats, "nb_evaluation"));
}

/* ---- what is meant ---- */

/* "DATASET:VERSION" in its parts; version NULL: only a dataset is named. */
static const char *dataset_part(struct client *c, const char *text, const char **version)
{
	const char *colon = strrchr(text, ':');
	*version = colon ? colon + 1 : NULL;
	return colon ? arena_strndup(&c->arena, text, (size_t)(colon - text)) : text;
}

static enum status find_dataset(struct client *c, const char *name, yyjson_val **out, struct err *err)
{
	struct uuid id;
	enum status st = client_call(c, "GET", NULL, out, err, "/api/organization/%s/datasets/find?name=%s",
		c->organization_id, client_escape(c, name));
	if (st == ST_MISSING && uuid_parse(name, &id))
		return client_call(c, "GET", NULL, out, err, "/api/dataset/%s", name);
	return st;
}

enum status client_dataset_version(
	struct client *c, const char *dataset_and_version, yyjson_val **out, struct err *err)
{
	const char *version, *name = dataset_part(c, dataset_and_version, &version);
	struct uuid id;
	yyjson_val *dataset;
	if (version == NULL && uuid_parse(name, &id))
		return client_call(c, "GET", NULL, out, err, "/api/dataset/version/%s", name);
	if (version == NULL)
		return err_set(err, ST_INVALID,
			"\"%.200s\" does not say which version: write DATASET:VERSION.", name);
	TRY(find_dataset(c, name, &dataset, err));
	return client_call(c, "GET", NULL, out, err, "/api/dataset/%s/versions/find?version=%s",
		text_of(dataset, "id"), client_escape(c, version));
}

/* ---- commands ---- */

struct options {
	bool json;
	const char *type, *description;
};

static enum status print_pages(struct client *c, void (*print)(yyjson_val *item, bool json), bool json,
	const char *path, struct err *err)
{
	yyjson_val *page, *item;
	for (int64_t offset = 0, count = 1; offset < count; offset += 1000) {
		TRY(client_call(
			c, "GET", NULL, &page, err, "%s?limit=1000&offset=%lld", path, (long long)offset));
		count = yyjson_get_sint(yyjson_obj_get(page, "count"));
		yyjson_arr_iter items = yyjson_arr_iter_with(yyjson_obj_get(page, "items"));
		while ((item = yyjson_arr_iter_next(&items)))
			print(item, json);
	}
	return ST_OK;
}

static enum status list(struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	return print_pages(c, print_dataset, o->json,
		arena_printf(&c->arena, "/api/organization/%s/datasets", c->organization_id), err);
}

/* The version with its "stats" and its "manifest", one line. */
static void print_whole(struct client *c, yyjson_val *version, yyjson_val *stats, yyjson_val *manifest)
{
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *whole = yyjson_val_mut_copy(doc, version);
	yyjson_mut_doc_set_root(doc, whole);
	yyjson_mut_obj_add_val(doc, whole, "stats", yyjson_val_mut_copy(doc, stats));
	yyjson_mut_obj_add_val(doc, whole, "manifest", yyjson_val_mut_copy(doc, manifest));
	puts((const char *)json_print(doc, &c->arena).data);
}

static enum status show_version(struct client *c, yyjson_val *version, bool json, struct err *err)
{
	yyjson_val *stats, *manifest;
	const char *id = text_of(version, "id");
	TRY(client_call(c, "GET", NULL, &stats, err, "/api/dataset/version/%s/stats", id));
	TRY(client_call(c, "GET", NULL, &manifest, err, "/api/dataset/version/%s/manifest", id));
	if (json) {
		print_whole(c, version, stats, manifest);
		return ST_OK;
	}
	print_version(version, false);
	print_stats(stats);
	printf("  hash %s\n", text_of(manifest, "hash"));
	const char *locked = text_of(version, "hash");
	if (*locked && strcmp(locked, text_of(manifest, "hash")) != 0)
		return err_set(err, ST_CONFLICT,
			"This version was locked with another hash, %s: the database was changed from "
			"outside.",
			locked);
	return ST_OK;
}

static enum status show(struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	const char *version;
	yyjson_val *dataset, *found;
	dataset_part(c, w->words[1], &version);
	if (version) {
		TRY(client_dataset_version(c, w->words[1], &found, err));
		return show_version(c, found, o->json, err);
	}
	TRY(find_dataset(c, w->words[1], &dataset, err));
	print_dataset(dataset, o->json);
	return print_pages(c, print_version, o->json,
		arena_printf(&c->arena, "/api/dataset/%s/versions", text_of(dataset, "id")), err);
}

static yyjson_mut_val *body_of(struct client *c, yyjson_mut_doc **doc)
{
	*doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(*doc);
	yyjson_mut_doc_set_root(*doc, body);
	return body;
}

/* "detection" as it goes over the wire; one that is not known goes as it is, for the server to name others.
 */
static const char *wire_type(const char *type)
{
	static const char *const types[][2] = {{"detection", "OBJECT_DETECTION"},
		{"classification", "CLASSIFICATION"}, {"segmentation", "SEGMENTATION"}};
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (strcmp(types[i][0], type) == 0)
			return types[i][1];
	return type;
}

static void add_options(yyjson_mut_doc *doc, yyjson_mut_val *body, const struct options *o)
{
	if (o->description)
		yyjson_mut_obj_add_str(doc, body, "description", o->description);
	if (o->type)
		yyjson_mut_obj_add_str(doc, body, "type", wire_type(o->type));
}

static enum status make_dataset(
	struct client *c, const char *name, const char *description, yyjson_val **out, struct err *err)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *body = body_of(c, &doc);
	yyjson_mut_obj_add_str(doc, body, "name", name);
	if (description)
		yyjson_mut_obj_add_str(doc, body, "description", description);
	return client_call(c, "POST", doc, out, err, "/api/organization/%s/datasets", c->organization_id);
}

/* A version makes its dataset where that is missing. */
static enum status create(
	struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	const char *version, *name = dataset_part(c, w->words[1], &version);
	yyjson_val *dataset, *made;
	yyjson_mut_doc *doc;
	if (version == NULL && o->type)
		return err_set(
			err, ST_INVALID, "A version has a type, a dataset has none: write DATASET:VERSION.");
	enum status st = version ? find_dataset(c, name, &dataset, err) : ST_MISSING;
	if (st == ST_MISSING)
		st = make_dataset(c, name, version ? NULL : o->description, &dataset, err);
	TRY(st);
	if (version == NULL) {
		print_dataset(dataset, o->json);
		return ST_OK;
	}
	yyjson_mut_val *body = body_of(c, &doc);
	yyjson_mut_obj_add_str(doc, body, "version", version);
	add_options(doc, body, o);
	TRY(client_call(c, "POST", doc, &made, err, "/api/dataset/%s/versions", text_of(dataset, "id")));
	print_version(made, o->json);
	return ST_OK;
}

static enum status wait_for(struct client *c, yyjson_val *job, struct err *err)
{
	const char *id = text_of(job, "id");
	while (strcmp(text_of(job, "status"), "RUNNING") == 0) {
		progress_show(
			"copying", (uint64_t)(1000 * yyjson_get_num(yyjson_obj_get(job, "progress"))), 1000);
		poll(NULL, 0, POLL_MS);
		TRY(client_call(c, "GET", NULL, &job, err, "/api/job/%s", id));
	}
	progress_end();
	if (strcmp(text_of(job, "status"), "SUCCESS") == 0)
		return ST_OK;
	return err_set(err, ST_FAILED, "The fork is not complete: %.300s", text_of(job, "error"));
}

/* With all that there is. */
static enum status fork_version(
	struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	yyjson_val *parent, *answer, *made;
	yyjson_mut_doc *doc;
	TRY(client_dataset_version(c, w->words[1], &parent, err));
	yyjson_mut_val *body = body_of(c, &doc);
	yyjson_mut_obj_add_str(doc, body, "parent_id", text_of(parent, "id"));
	yyjson_mut_obj_add_str(doc, body, "version", w->words[2]);
	yyjson_mut_obj_add_bool(doc, body, "with_labels", true);
	yyjson_mut_obj_add_bool(doc, body, "with_annotations", true);
	yyjson_mut_obj_add_bool(doc, body, "with_tags", true);
	add_options(doc, body, o);
	TRY(client_call(c, "POST", doc, &answer, err, "/api/dataset/%s/fork", text_of(parent, "origin_id")));
	TRY(wait_for(c, yyjson_obj_get(answer, "job"), err));
	TRY(client_call(c, "GET", NULL, &made, err, "/api/dataset/version/%s",
		text_of(yyjson_obj_get(answer, "dataset_version"), "id")));
	print_version(made, o->json);
	return ST_OK;
}

/* lock, unlock */
static enum status set_lock(
	struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	yyjson_val *version, *answer;
	TRY(client_dataset_version(c, w->words[1], &version, err));
	TRY(client_call(c, "POST", NULL, &answer, err, "/api/dataset/version/%s/%s", text_of(version, "id"),
		w->words[0]));
	print_version(answer, o->json);
	return ST_OK;
}

/* What the second has, and the first has not, is added. */
static enum status diff(struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	yyjson_val *before, *after, *answer, *item;
	TRY(client_dataset_version(c, w->words[1], &before, err));
	TRY(client_dataset_version(c, w->words[2], &after, err));
	TRY(client_call(c, "GET", NULL, &answer, err, "/api/dataset/version/%s/diff?other=%s",
		text_of(after, "id"), text_of(before, "id")));
	if (o->json) {
		client_print(answer);
		return ST_OK;
	}
	yyjson_arr_iter items = yyjson_arr_iter_with(yyjson_obj_get(answer, "items"));
	while ((item = yyjson_arr_iter_next(&items)))
		printf("%-8s %s\n", text_of(item, "what"), text_of(item, "filename"));
	printf("%lld added, %lld removed, %lld changed, %lld the same\n", count_of(answer, "only_here"),
		count_of(answer, "only_there"), count_of(answer, "changed"), count_of(answer, "same"));
	return ST_OK;
}

static enum status delete_one(
	struct client *c, const struct cli_words *w, const struct options *o, struct err *err)
{
	const char *version;
	yyjson_val *found, *answer;
	dataset_part(c, w->words[1], &version);
	if (version) {
		TRY(client_dataset_version(c, w->words[1], &found, err));
		return client_call(
			c, "DELETE", NULL, &answer, err, "/api/dataset/version/%s", text_of(found, "id"));
	}
	TRY(find_dataset(c, w->words[1], &found, err));
	return client_call(c, "DELETE", NULL, &answer, err, "/api/dataset/%s", text_of(found, "id"));
}

typedef enum status action(
	struct client *c, const struct cli_words *w, const struct options *o, struct err *err);

static action *understand(const struct cli_words *w)
{
	static const struct {
		const char *verb;
		size_t count;
		action *run;
	} verbs[] = {
		{"list", 1, list},
		{"show", 2, show},
		{"create", 2, create},
		{"fork", 3, fork_version},
		{"lock", 2, set_lock},
		{"unlock", 2, set_lock},
		{"diff", 3, diff},
		{"delete", 2, delete_one},
	};
	for (size_t i = 0; w->count && i < COUNT_OF(verbs); i++)
		if (strcmp(w->words[0], verbs[i].verb) == 0 && w->count == verbs[i].count)
			return verbs[i].run;
	return NULL;
}

int cli_dataset(int argc, char **argv)
{
	if (argc > 0 && strcmp(argv[0], "import") == 0)
		return cli_dataset_import(argc, argv);
	if (argc > 0 && strcmp(argv[0], "export") == 0)
		return cli_dataset_export(argc, argv);
	struct options o = {0};
	static struct cli_words words;
	const struct cli_option options[] = {{"--json", NULL, &o.json}, {"--type", &o.type, NULL},
		{"--description", &o.description, NULL}};
	int code = cli_parse("dataset", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	action *run = understand(&words);
	if (run == NULL)
		return cli_usage("dataset", "Say list, or what to do with which dataset or version.");
	struct client c;
	struct err err;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = run(&c, &words, &o, &err);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
