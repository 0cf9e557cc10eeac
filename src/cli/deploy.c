/* SPDX-License-Identifier: Apache-2.0 */
/* gyre deploy */
#include "cli/where.h"

#include <stdio.h>
#include <stdlib.h>

static enum status deploy(struct client *c, const char *what, const char *name, const char *threshold,
	yyjson_val **out, struct err *err)
{
	yyjson_val *version;
	TRY(client_version(c, what, &version, err));
	const char *guesses = client_guesses(c, version);
	if (*guesses)
		fprintf(stderr,
			"gyre: nobody has confirmed what was guessed of the recipe: %s. A wrong guess gives "
			"worse "
			"answers, not an error: look at it (gyre model recipe show %s), or find the right "
			"one from "
			"labelled pictures (gyre model check %s FOLDER), then gyre model recipe confirm "
			"%s.\n",
			guesses, what, what, what);
	yyjson_mut_doc *doc = json_new(&c->arena);
	yyjson_mut_val *body = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, body);
	if (name)
		yyjson_mut_obj_add_str(doc, body, "name", name);
	if (threshold)
		yyjson_mut_obj_add_real(doc, body, "min_threshold", strtod(threshold, NULL));
	return client_call(c, "POST", doc, out, err, "/api/model/version/%s/deploy",
		yyjson_get_str(yyjson_obj_get(version, "id")));
}

int cli_deploy(int argc, char **argv)
{
	const char *name = NULL, *threshold = NULL;
	bool json = false;
	static struct cli_words words;
	const struct cli_option options[] = {
		{"--name", &name, NULL}, {"--threshold", &threshold, NULL}, {"--json", NULL, &json}};
	int code = cli_parse("deploy", argc, argv, options, sizeof(options) / sizeof(options[0]), &words);
	if (code)
		return code;
	char *end = NULL;
	if (threshold && (strtod(threshold, &end), *end || end == threshold))
		return cli_usage("deploy", "--threshold takes a number from 0 to 1, not %s.", threshold);
	if (words.count != 1)
		return cli_usage("deploy", "Say which model to deploy.");
	struct client c;
	struct err err;
	yyjson_val *deployment = NULL;
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = deploy(&c, words.words[0], name, threshold, &deployment, &err);
	if (st == ST_OK && json)
		client_print(deployment);
	else if (st == ST_OK)
		printf("%s is in service: %s/deployment/%s\n",
			yyjson_get_str(yyjson_obj_get(deployment, "name")), c.host,
			yyjson_get_str(yyjson_obj_get(deployment, "id")));
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
