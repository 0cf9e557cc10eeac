/* SPDX-License-Identifier: Apache-2.0 */
/* gyre model recipe show, gyre model recipe confirm */
#include "base/str.h"
#include "cli/where.h"

#include <stdio.h>
#include <stdlib.h>

const char *client_guesses(struct client *c, yyjson_val *version)
{
	const char *text = "";
	yyjson_val *name;
	size_t i, n;
	yyjson_arr_foreach (yyjson_obj_get(version, "guessed"), i, n, name)
		text = arena_printf(&c->arena, "%s%s%s", text, i ? ", " : "", yyjson_get_str(name));
	return text;
}

static void print_value(yyjson_val *value)
{
	char *text = yyjson_val_write(value, 0, NULL);
	printf("%s", yyjson_is_str(value) ? yyjson_get_str(value) : text ? text : "");
	free(text);
}

/* A line a field: its name, its value, how it is known. */
static void show(struct client *c, yyjson_val *version)
{
	yyjson_val *recipe = yyjson_obj_get(version, "recipe"), *from = yyjson_obj_get(recipe, "from");
	yyjson_val *key, *value;
	size_t i, n;
	yyjson_obj_foreach (recipe, i, n, key, value) {
		if (yyjson_is_obj(value))
			continue;
		const char *name = yyjson_get_str(key), *origin = yyjson_get_str(yyjson_obj_get(from, name));
		printf("%-18s %-8s ", name, origin ? origin : "given");
		print_value(value);
		puts("");
	}
	const char *guesses = client_guesses(c, version);
	if (*guesses)
		printf("Guessed, and not confirmed: %s\n", guesses);
}

static enum status confirm(struct client *c, yyjson_val **version, struct err *err)
{
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
	return client_call(c, "POST", doc, version, err, "/api/model/version/%s/recipe/confirm",
		yyjson_get_str(yyjson_obj_get(*version, "id")));
}

int cli_model_recipe(const char *const *words, size_t count, bool json)
{
	bool confirms = count == 2 && strcmp(words[0], "confirm") == 0;
	if (count != 2 || (!confirms && strcmp(words[0], "show") != 0))
		return cli_usage("model", "Say recipe show or recipe confirm, and of which model.");
	struct client c;
	struct err err;
	yyjson_val *version = NULL;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = client_version(&c, words[1], &version, &err);
	if (st == ST_OK && confirms)
		st = confirm(&c, &version, &err);
	if (st == ST_OK && yyjson_is_null(yyjson_obj_get(version, "recipe")))
		st = err_set(&err, ST_MISSING, "%s has no recipe yet.", words[1]);
	if (st == ST_OK && json)
		client_print(yyjson_obj_get(version, "recipe"));
	else if (st == ST_OK && confirms)
		printf("The recipe of %s is confirmed.\n", words[1]);
	else if (st == ST_OK)
		show(&c, version);
	int code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
