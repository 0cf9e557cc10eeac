/* SPDX-License-Identifier: Apache-2.0 */
/* gyre deployment: list, show, pause, resume, rollback, set-model, delete */
#include "base/check.h"
#include "cli/where.h"

#include <stdio.h>

static void print_line(yyjson_val *d)
{
	yyjson_val *champion = yyjson_obj_get(d, "champion"), *stats = yyjson_obj_get(d, "stats");
	printf("%-24s %-9s %s:%d  threshold %.2f  %lld predictions  mean %.1f ms\n",
		yyjson_get_str(yyjson_obj_get(d, "name")), yyjson_get_str(yyjson_obj_get(d, "status")),
		yyjson_get_str(yyjson_obj_get(champion, "model_name")),
		yyjson_get_int(yyjson_obj_get(champion, "version")),
		yyjson_get_num(yyjson_obj_get(d, "min_threshold")),
		(long long)yyjson_get_sint(yyjson_obj_get(stats, "inferences")),
		yyjson_get_num(yyjson_obj_get(stats, "mean_latency_ms")));
}

static void print_one(yyjson_val *d, bool json)
{
	if (json)
		client_print(d);
	else
		print_line(d);
}

static enum status list(struct client *c, bool json, struct err *err)
{
	yyjson_val *page, *item;
	for (int64_t offset = 0, count = 1; offset < count; offset += 1000) {
		TRY(client_call(c, "GET", NULL, &page, err,
			"/api/organization/%s/deployments?limit=1000&offset=%lld", c->organization_id,
			(long long)offset));
		count = yyjson_get_sint(yyjson_obj_get(page, "count"));
		yyjson_arr_iter items = yyjson_arr_iter_with(yyjson_obj_get(page, "items"));
		while ((item = yyjson_arr_iter_next(&items)))
			print_one(item, json);
	}
	return ST_OK;
}

static enum status set_model(struct client *c, const char *id, const char *what, struct err *err)
{
	yyjson_val *version, *answer;
	TRY(client_version(c, what, &version, err));
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	yyjson_mut_obj_add_str(doc, body, "model_version_id", yyjson_get_str(yyjson_obj_get(version, "id")));
	return client_call(c, "POST", doc, &answer, err, "/api/deployment/%s/model", id);
}

static enum status act(struct client *c, const struct cli_words *words, bool json, struct err *err)
{
	const char *verb = words->words[0];
	yyjson_val *deployment, *answer;
	TRY(client_deployment(c, words->words[1], &deployment, err));
	const char *id = yyjson_get_str(yyjson_obj_get(deployment, "id"));
	if (strcmp(verb, "delete") == 0)
		return client_call(c, "DELETE", NULL, &answer, err, "/api/deployment/%s", id);
	if (strcmp(verb, "set-model") == 0)
		TRY(set_model(c, id, words->words[2], err));
	else if (strcmp(verb, "show") != 0)
		TRY(client_call(c, "POST", NULL, &answer, err, "/api/deployment/%s/%s", id, verb));
	TRY(client_call(c, "GET", NULL, &answer, err, "/api/deployment/%s", id));
	print_one(answer, json);
	return ST_OK;
}

int cli_deployment(int argc, char **argv)
{
	static const char *const verbs[] = {"show", "pause", "resume", "rollback", "delete", "set-model"};
	bool json = false;
	static struct cli_words words;
	const struct cli_option options[] = {{"--json", NULL, &json}};
	int code = cli_parse("deployment", argc, argv, options, 1, &words);
	if (code)
		return code;
	bool listing = words.count == 1 && strcmp(words.words[0], "list") == 0, known = listing;
	for (size_t i = 0; !known && words.count && i < COUNT_OF(verbs); i++)
		known = strcmp(words.words[0], verbs[i]) == 0 &&
			words.count == (strcmp(verbs[i], "set-model") == 0 ? 3 : 2);
	if (!known)
		return cli_usage("deployment", "Say list, or what to do with which deployment.");
	struct client c;
	struct err err;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = listing ? list(&c, json, &err) : act(&c, &words, json, &err);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
