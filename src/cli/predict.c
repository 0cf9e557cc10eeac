/* SPDX-License-Identifier: Apache-2.0 */
/* gyre predict: images and folders of images, in order, one line for each. */
#include "base/check.h"
#include "base/str.h"
#include "cli/files.h"
#include "cli/where.h"

#include <stdio.h>

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
	struct client *c, const char *name, struct files *images, bool json, size_t *failed, struct err *err)
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
	struct files images;
	files_init(&images);
	struct client c;
	struct err err;
	size_t failed = 0;
	enum status st = client_open(&c, &err);
	for (size_t i = 1; st == ST_OK && i < words.count; i++)
		st = files_add(&images, words.words[i], files_is_image, &err);
	if (st == ST_OK)
		st = predict_all(&c, words.words[0], &images, json, &failed, &err);
	code = st != ST_OK ? cli_failed(&err) : failed ? EXIT_FAILED : EXIT_DONE;
	client_close(&c);
	files_release(&images);
	return code;
}
