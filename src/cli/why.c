/* SPDX-License-Identifier: Apache-2.0 */
/* gyre why: where a prediction comes from, down to the images, and what became of it. */
#include "base/check.h"
#include "cli/where.h"

#include <stdio.h>

static const char *text(yyjson_val *object, const char *key)
{
	const char *found = yyjson_get_str(yyjson_obj_get(object, key));
	return found ? found : "-";
}

static void print_version(yyjson_val *item, const char *relation, const char *role)
{
	long long pinned = yyjson_get_sint(yyjson_obj_get(item, "revision"));
	long long now = yyjson_get_sint(yyjson_obj_get(item, "revision_now"));
	printf("%s%s %s:%s at revision %lld (%lld images now, hash %.12s%s)\n", relation, role,
		text(item, "dataset"), text(item, "version"), pinned,
		(long long)yyjson_get_sint(yyjson_obj_get(item, "images_now")), text(item, "hash_now"),
		pinned == now ? "" : ", changed since");
}

static void print_lineage(yyjson_val *root)
{
	yyjson_val *prediction = yyjson_obj_get(root, "prediction"), *image = yyjson_obj_get(root, "image");
	yyjson_val *version = yyjson_obj_get(root, "model_version"),
		   *experiment = yyjson_obj_get(root, "experiment");
	yyjson_val *item;
	size_t i, n;
	printf("prediction   %s, %s, %lld shapes%s\n", text(prediction, "id"), text(prediction, "created_at"),
		(long long)yyjson_get_sint(yyjson_obj_get(prediction, "shapes")),
		yyjson_get_bool(yyjson_obj_get(prediction, "is_shadow")) ? ", of a shadow" : "");
	printf("deployment   %s\n", text(yyjson_obj_get(root, "deployment"), "name"));
	printf("image        %s (%.12s)\n", text(image, "filename"), text(image, "sha256"));
	printf("version      %s:%lld (%.12s)\n", text(version, "model"),
		(long long)yyjson_get_sint(yyjson_obj_get(version, "version")), text(version, "sha256"));
	if (yyjson_is_obj(experiment))
		printf("experiment   %s in %s\n", text(experiment, "name"), text(experiment, "project"));
	else
		puts("experiment   none: the version was uploaded");
	yyjson_arr_foreach (yyjson_obj_get(root, "trained_on"), i, n, item)
		print_version(item, "trained on   ", text(item, "role"));
	yyjson_arr_foreach (yyjson_obj_get(root, "reviews"), i, n, item)
		printf("review       %s by %s, %s\n", text(item, "kind"), text(item, "who"),
			text(item, "created_at"));
	yyjson_arr_foreach (yyjson_obj_get(root, "became_part_of"), i, n, item)
		print_version(item, "part of", "     ");
}

int cli_why(int argc, char **argv)
{
	bool json = false;
	const struct cli_option options[] = {{.name = "--json", .flag = &json}};
	struct cli_words words;
	int code = cli_parse("why", argc, argv, options, COUNT_OF(options), &words);
	if (code != EXIT_DONE)
		return code;
	if (words.count != 1)
		return cli_usage("why", "Say the id of one prediction.");
	struct client c;
	struct err err;
	yyjson_val *root = NULL;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = client_call(&c, "GET", NULL, &root, &err, "/api/prediction/%s/lineage",
			client_escape(&c, words.words[0]));
	if (st == ST_OK && json)
		client_print(root);
	else if (st == ST_OK)
		print_lineage(root);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
