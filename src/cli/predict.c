/* SPDX-License-Identifier: Apache-2.0 */
/* gyre predict: images and folders of images, in order, one line for each. */
#include "base/check.h"
#include "base/str.h"
#include "cli/where.h"
#include "os/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#define IMAGES_MAX 1000000u
#define FOLDER_DEPTH_MAX 16

struct images {
	const char **paths;
	size_t count, room;
	struct arena *arena;
};

static void add_image(struct images *images, const char *path)
{
	if (images->count == images->room) {
		images->room = images->room ? images->room * 2 : 64;
		images->paths = realloc(images->paths, images->room * sizeof(*images->paths));
		CHECK(images->paths != NULL);
	}
	images->paths[images->count++] = arena_strdup(images->arena, path);
}

static bool looks_like_image(const char *name)
{
	static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot && i < COUNT_OF(endings); i++)
		if (strcasecmp(dot, endings[i]) == 0)
			return true;
	return false;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum status add_path(struct images *images, const char *path, int depth, struct err *err)
{
	struct stat info;
	if (stat(path, &info) != 0)
		return err_set(err, ST_MISSING, "There is no file or folder %s.", path);
	if (!S_ISDIR(info.st_mode)) {
		if (depth == 0 || looks_like_image(path))
			add_image(images, path);
		return images->count < IMAGES_MAX
			       ? ST_OK
			       : err_set(err, ST_TOO_LARGE, "These are more than %u images.", IMAGES_MAX);
	}
	if (depth > FOLDER_DEPTH_MAX)
		return err_set(err, ST_TOO_LARGE, "The folder %s is nested too deep.", path);
	struct dirent **entries;
	int count = scandir(path, &entries, no_dots, alphasort);
	if (count < 0)
		return err_errno(err, "The folder %s cannot be read", path);
	enum status st = ST_OK;
	for (int i = 0; i < count; i++) {
		if (st == ST_OK)
			st = add_path(images, arena_printf(images->arena, "%s/%s", path, entries[i]->d_name),
				depth + 1, err);
		free(entries[i]);
	}
	free(entries);
	return st;
}

static void print_text(const char *path, yyjson_val *answer)
{
	yyjson_val *shapes = yyjson_obj_get(answer, "shapes"), *shape;
	printf("%s: ", path);
	if (yyjson_arr_size(shapes) == 0)
		printf("nothing at or above %.2f", yyjson_get_num(yyjson_obj_get(answer, "threshold")));
	yyjson_arr_iter items = yyjson_arr_iter_with(shapes);
	for (bool first = true; (shape = yyjson_arr_iter_next(&items)); first = false)
		printf("%s%s %.2f", first ? "" : ", ", yyjson_get_str(yyjson_obj_get(shape, "label")),
			yyjson_get_num(yyjson_obj_get(shape, "score")));
	printf("  (%.1f ms)\n", yyjson_get_num(yyjson_obj_get(answer, "latency")) * 1e3);
}

/* The answer as it came, with the file's path in front. */
static void print_json(const char *path, struct span answer)
{
	struct str line;
	str_init(&line, answer.size + 16384);
	str_append(&line, "{\"file\":");
	str_append_json(&line, path);
	str_append(&line, ",");
	str_append_bytes(&line, answer.data + 1, answer.size - 1);
	puts(str_text(&line));
	str_release(&line);
}

static enum status predict_one(
	struct client *c, const char *url, const char *path, bool json, struct err *err)
{
	const struct fetch_field field = {.name = "media", .path = path};
	struct fetch_request request = {
		.method = "POST", .url = url, .token = c->token, .fields = &field, .field_count = 1};
	struct fetch_reply reply;
	yyjson_val *answer;
	TRY(fetch(c->fetcher, &request, &c->arena, &reply, err));
	TRY(client_read(c, &reply, &answer, err));
	if (!yyjson_is_obj(answer))
		return err_set(
			err, ST_INTERNAL, "The server answered with something that is not a prediction.");
	if (json)
		print_json(path, reply.body);
	else
		print_text(path, answer);
	return ST_OK;
}

/* An image that fails is named and does not stop the rest. */
static enum status predict_all(
	struct client *c, const char *name, struct images *images, bool json, size_t *failed, struct err *err)
{
	yyjson_val *deployment;
	TRY(client_deployment(c, name, &deployment, err));
	char url[1024];
	snprintf(url, sizeof(url), "%s/api/deployments/%s/predict", c->host,
		yyjson_get_str(yyjson_obj_get(deployment, "id")));
	for (size_t i = 0; i < images->count; i++) {
		struct err why;
		arena_release(&c->arena);
		enum status st = predict_one(c, url, images->paths[i], json, &why);
		if (st != ST_OK) {
			progress_end();
			fprintf(stderr, "gyre: %s: %s\n", images->paths[i], why.text);
			++*failed;
		}
		if (images->count > 1 && !json)
			fflush(stdout);
		progress_show("Predicting", i + 1, images->count);
	}
	progress_end();
	return ST_OK;
}

int cli_predict(int argc, char **argv)
{
	bool json = false;
	static struct cli_words words;
	const struct cli_option options[] = {{"--json", NULL, &json}};
	int code = cli_parse("predict", argc, argv, options, 1, &words);
	if (code)
		return code;
	if (words.count < 2)
		return cli_usage("predict", "Say which deployment to ask, and about which images.");
	struct arena paths;
	arena_init(&paths);
	struct images images = {.arena = &paths};
	struct client c;
	struct err err;
	size_t failed = 0;
	enum status st = client_open(&c, &err);
	for (size_t i = 1; st == ST_OK && i < words.count; i++)
		st = add_path(&images, words.words[i], 0, &err);
	if (st == ST_OK)
		st = predict_all(&c, words.words[0], &images, json, &failed, &err);
	code = st != ST_OK ? cli_failed(&err) : failed ? EXIT_FAILED : EXIT_DONE;
	client_close(&c);
	free(images.paths);
	arena_release(&paths);
	return code;
}
