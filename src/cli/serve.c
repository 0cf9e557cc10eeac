/* SPDX-License-Identifier: Apache-2.0 */
/* gyre serve, gyre config */
#include "cli/cli.h"
#include "server.h"

#include <stdio.h>

int cli_serve(int argc, char **argv)
{
	struct config config;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	enum status st = config_load(&config, argc, argv, &arena, &err);
	bool usage = st != ST_OK;
	if (st == ST_OK)
		st = server_run(&config, &err);
	arena_release(&arena);
	if (st == ST_OK)
		return EXIT_DONE;
	return usage ? cli_usage("serve", "%s", err.text) : cli_failed(&err);
}

static void print_json(const struct config *config)
{
	struct arena arena;
	arena_init(&arena);
	yyjson_mut_doc *doc = json_new(&arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	for (enum config_key key = 0; key < CONFIG_COUNT; key++) {
		yyjson_mut_val *setting = yyjson_mut_obj_add_obj(doc, root, config_name(key));
		yyjson_mut_obj_add_str(doc, setting, "value", config->text[key]);
		yyjson_mut_obj_add_str(doc, setting, "source", config->source[key]);
		yyjson_mut_obj_add_str(doc, setting, "default", config_default(key));
		yyjson_mut_obj_add_str(doc, setting, "help", config_help(key));
	}
	puts((const char *)json_print(doc, &arena).data);
	arena_release(&arena);
}

int cli_config(int argc, char **argv)
{
	bool json = argc > 0 && strcmp(argv[0], "--json") == 0;
	struct config config;
	struct arena arena;
	struct err err;
	arena_init(&arena);
	enum status st = config_load(&config, argc - json, argv + json, &arena, &err);
	if (st != ST_OK) {
		arena_release(&arena);
		return cli_usage("config", "%s", err.text);
	}
	if (json)
		print_json(&config);
	for (enum config_key key = 0; !json && key < CONFIG_COUNT; key++)
		printf("%-16s = %-24s # %s (%s)\n", config_name(key), config.text[key], config_help(key),
			config.source[key]);
	arena_release(&arena);
	return EXIT_DONE;
}
