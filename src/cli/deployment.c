/* SPDX-License-Identifier: Apache-2.0 */
/* gyre deployment: list, show, pause, resume, rollback, set-model, shadow, delete */
#include "base/check.h"
#include "cli/where.h"

#include <stdio.h>

/* A member of an answer, as it is printed: "" and 0 where there is none. */
static const char *text_of(yyjson_val *object, const char *key)
{
	const char *text = yyjson_get_str(yyjson_obj_get(object, key));
	return text ? text : "";
}

static long long count_of(yyjson_val *object, const char *key)
{
	return (long long)yyjson_get_sint(yyjson_obj_get(object, key));
}

static double number_of(yyjson_val *object, const char *key)
{
	return yyjson_get_num(yyjson_obj_get(object, key));
}

static void print_line(yyjson_val *d)
{
	yyjson_val *champion = yyjson_obj_get(d, "champion"), *stats = yyjson_obj_get(d, "stats");
	printf("%-24s %-9s %s:%lld  threshold %.2f  %lld predictions  mean %.1f ms\n", text_of(d, "name"),
		text_of(d, "status"), text_of(champion, "model_name"), count_of(champion, "version"),
		number_of(d, "min_threshold"), count_of(stats, "inferences"),
		number_of(stats, "mean_latency_ms"));
}

static void print_shadows(yyjson_val *d)
{
	yyjson_val *s;
	yyjson_arr_iter shadows = yyjson_arr_iter_with(yyjson_obj_get(d, "shadows"));
	while ((s = yyjson_arr_iter_next(&shadows))) {
		printf("  shadow %s:%lld  %s  %lld predictions, %lld behind, %lld passed over",
			text_of(s, "model_name"), count_of(s, "version"), text_of(s, "state"),
			count_of(s, "predictions"), count_of(s, "lag"), count_of(s, "skipped"));
		if (count_of(s, "compared"))
			printf("  CPU %.1f ms, champion %.1f ms", number_of(s, "mean_cpu_ms"),
				number_of(s, "champion_mean_cpu_ms"));
		const char *text = text_of(s, "state_text");
		printf("%s%s\n", *text ? ": " : "", text);
	}
}

static void print_one(yyjson_val *d, bool json)
{
	if (json)
		client_print(d);
	else {
		print_line(d);
		print_shadows(d);
	}
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

/* What `gyre deployment shadow` was told. */
struct shadow_words {
	const char *since;
	bool keep_old;
};

static enum status change_shadow(struct client *c, const char *id, const char *verb, const char *what,
	const struct shadow_words *options, struct err *err)
{
	yyjson_val *version, *answer;
	TRY(client_version(c, what, &version, err));
	const char *version_id = yyjson_get_str(yyjson_obj_get(version, "id"));
	if (strcmp(verb, "remove") == 0)
		return client_call(
			c, "DELETE", NULL, &answer, err, "/api/deployment/%s/shadow/%s", id, version_id);
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	if (strcmp(verb, "promote") == 0) {
		yyjson_mut_obj_add_bool(doc, body, "keep_old_as_shadow", options->keep_old);
		return client_call(
			c, "POST", doc, &answer, err, "/api/deployment/%s/shadow/%s/promote", id, version_id);
	}
	yyjson_mut_obj_add_str(doc, body, "model_version_id", version_id);
	if (options->since)
		yyjson_mut_obj_add_str(doc, body, "since", options->since);
	return client_call(c, "POST", doc, &answer, err, "/api/deployment/%s/shadow", id);
}

static enum status act_on_shadow(struct client *c, const struct cli_words *words,
	const struct shadow_words *options, bool json, struct err *err)
{
	yyjson_val *deployment, *answer;
	TRY(client_deployment(c, words->words[2], &deployment, err));
	const char *id = yyjson_get_str(yyjson_obj_get(deployment, "id"));
	TRY(change_shadow(c, id, words->words[1], words->words[3], options, err));
	TRY(client_call(c, "GET", NULL, &answer, err, "/api/deployment/%s", id));
	print_one(answer, json);
	return ST_OK;
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

enum what { UNKNOWN, LIST, ACT, SHADOW };

static bool is_one_of(const char *word, const char *const *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, known[i]) == 0)
			return true;
	return false;
}

static enum what understand(const struct cli_words *w)
{
	static const char *const verbs[] = {"show", "pause", "resume", "rollback", "delete"};
	static const char *const shadow_verbs[] = {"set", "remove", "promote"};
	if (w->count == 1 && strcmp(w->words[0], "list") == 0)
		return LIST;
	if (w->count == 2 && is_one_of(w->words[0], verbs, COUNT_OF(verbs)))
		return ACT;
	if (w->count == 3 && strcmp(w->words[0], "set-model") == 0)
		return ACT;
	if (w->count == 4 && strcmp(w->words[0], "shadow") == 0 &&
		is_one_of(w->words[1], shadow_verbs, COUNT_OF(shadow_verbs)))
		return SHADOW;
	return UNKNOWN;
}

int cli_deployment(int argc, char **argv)
{
	bool json = false;
	struct shadow_words shadow = {0};
	static struct cli_words words;
	const struct cli_option options[] = {{"--json", NULL, &json}, {"--since", &shadow.since, NULL},
		{"--keep-old", NULL, &shadow.keep_old}};
	int code = cli_parse("deployment", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	enum what what = understand(&words);
	if (what == UNKNOWN)
		return cli_usage("deployment", "Say list, or what to do with which deployment.");
	struct client c;
	struct err err;
	enum status st = client_open(&c, &err);
	if (st == ST_OK && what == LIST)
		st = list(&c, json, &err);
	else if (st == ST_OK && what == SHADOW)
		st = act_on_shadow(&c, &words, &shadow, json, &err);
	else if (st == ST_OK)
		st = act(&c, &words, json, &err);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
