/* SPDX-License-Identifier: Apache-2.0 */
/* gyre user: list, add, role, remove, token */
#include "base/check.h"
#include "cli/where.h"

#include <stdio.h>

static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));
	return text ? text : "";
}

static void print_user(yyjson_val *user, bool json)
{
	if (json)
		client_print(user);
	else
		printf("%-24s %-9s since %.10s\n", text_of(user, "username"), text_of(user, "role"),
			text_of(user, "created_at"));
}

static enum status read_users(struct client *c, const char *name, yyjson_val **items, struct err *err)
{
	yyjson_val *page;
	TRY(client_call(c, "GET", NULL, &page, err, "/api/organization/%s/users%s%s", c->organization_id,
		name ? "?name=" : "", name ? client_escape(c, name) : ""));
	*items = yyjson_obj_get(page, "items");
	return ST_OK;
}

static enum status list(struct client *c, bool json, struct err *err)
{
	yyjson_val *items, *user;
	TRY(read_users(c, NULL, &items, err));
	yyjson_arr_iter each = yyjson_arr_iter_with(items);
	while ((user = yyjson_arr_iter_next(&each)))
		print_user(user, json);
	return ST_OK;
}

static enum status find_id(struct client *c, const char *name, const char **id, struct err *err)
{
	yyjson_val *items;
	TRY(read_users(c, name, &items, err));
	if (yyjson_arr_size(items) == 0)
		return err_set(err, ST_MISSING, "There is no user named \"%.100s\".", name);
	*id = text_of(yyjson_arr_get(items, 0), "id");
	return ST_OK;
}

/* An API token of theirs is all that a person needs to log in; it is printed this once. */
static enum status make_token(
	struct client *c, const char *user_id, const char *name, bool json, struct err *err)
{
	yyjson_val *answer;
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "name", name);
	yyjson_mut_obj_add_str(doc, body, "user_id", user_id);
	TRY(client_call(c, "POST", doc, &answer, err, "/api/tokens"));
	if (json)
		client_print(answer);
	else
		printf("%s\n", text_of(answer, "token"));
	return ST_OK;
}

static enum status add(
	struct client *c, const struct cli_words *w, const char *role, bool json, struct err *err)
{
	yyjson_val *user;
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "name", w->words[1]);
	yyjson_mut_obj_add_str(doc, body, "role", role ? role : "MEMBER");
	TRY(client_call(c, "POST", doc, &user, err, "/api/organization/%s/users", c->organization_id));
	print_user(user, json);
	return ST_OK;
}

static enum status act(struct client *c, const struct cli_words *w, bool json, struct err *err)
{
	const char *id, *verb = w->words[0];
	yyjson_val *answer;
	TRY(find_id(c, w->words[1], &id, err));
	if (strcmp(verb, "remove") == 0)
		return client_call(c, "DELETE", NULL, &answer, err, "/api/user/%s", id);
	if (strcmp(verb, "token") == 0)
		return make_token(c, id, w->count > 2 ? w->words[2] : "by gyre user token", json, err);
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "role", w->words[2]);
	TRY(client_call(c, "PATCH", doc, &answer, err, "/api/user/%s", id));
	print_user(answer, json);
	return ST_OK;
}

enum what { UNKNOWN, LIST, ADD, ACT };

static enum what understand(const struct cli_words *w)
{
	static const struct {
		const char *verb;
		size_t count_min, count_max;
		enum what what;
	} verbs[] = {
		{"list", 1, 1, LIST},
		{"add", 2, 2, ADD},
		{"role", 3, 3, ACT},
		{"remove", 2, 2, ACT},
		{"token", 2, 3, ACT},
	};
	for (size_t i = 0; w->count && i < COUNT_OF(verbs); i++)
		if (strcmp(w->words[0], verbs[i].verb) == 0 && w->count >= verbs[i].count_min &&
			w->count <= verbs[i].count_max)
			return verbs[i].what;
	return UNKNOWN;
}

int cli_user(int argc, char **argv)
{
	bool json = false;
	const char *role = NULL;
	static struct cli_words words;
	const struct cli_option options[] = {{"--json", NULL, &json}, {"--role", &role, NULL}};
	int code = cli_parse("user", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	enum what what = understand(&words);
	if (what == UNKNOWN)
		return cli_usage("user", "Say list, or what to do with whom.");
	struct client c;
	struct err err;
	enum status st = client_open(&c, &err);
	if (st == ST_OK && what == LIST)
		st = list(&c, json, &err);
	else if (st == ST_OK && what == ADD)
		st = add(&c, &words, role, json, &err);
	else if (st == ST_OK)
		st = act(&c, &words, json, &err);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
