/* SPDX-License-Identifier: Apache-2.0 */
/* gyre audit: what the dashboards show, counted anew from the log of predictions. On a data folder at rest.
 */
#include "base/check.h"
#include "cli/cli.h"
#include "config.h"
#include "os/file.h"
#include "store/db_sqlite.h"
#include "watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* The same lock as a server takes; it is held until the program ends. */
static enum status lock_data(const char *folder, struct arena *a, struct err *err)
{
	const char *path = arena_printf(a, "%s/lock", folder);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ST_MISSING,
			"The folder %.300s is no data folder of gyre; give another --data.", folder);
	if (fd < 0)
		return err_errno(err, "The file %s cannot be opened", path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return ST_OK;
	close(fd);
	return err_set(err, ST_CONFLICT,
		"A server uses the data folder %.300s: stop it first, as it would count while this compares.",
		folder);
}

static enum status run(const char *folder, struct arena *a, struct audit *out, struct err *err)
{
	struct db *log;
	TRY(lock_data(folder, a, err));
	TRY(db_sqlite_open(arena_printf(a, "%s/gyre.db", folder), &log, err));
	enum status st = watch_audit(log, arena_printf(a, "%s/watch.db", folder), a, out, err);
	db_close(log);
	return st;
}

static size_t said(const struct audit *audit)
{
	return audit->differences < COUNT_OF(audit->first) ? audit->differences : COUNT_OF(audit->first);
}

static void print_json(const struct audit *audit, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_bool(doc, root, "equal", audit->differences == 0);
	yyjson_mut_obj_add_sint(doc, root, "position", audit->position);
	yyjson_mut_obj_add_sint(doc, root, "predictions", audit->predictions);
	yyjson_mut_obj_add_uint(doc, root, "rollups", audit->rollups);
	yyjson_mut_obj_add_uint(doc, root, "heatmaps", audit->heats);
	yyjson_mut_obj_add_uint(doc, root, "samples", audit->samples);
	yyjson_mut_obj_add_uint(doc, root, "differences", audit->differences);
	for (size_t i = 0; i < said(audit); i++)
		yyjson_mut_arr_add_str(doc, list, audit->first[i]);
	yyjson_mut_obj_add_val(doc, root, "first", list);
	puts((const char *)json_print(doc, a).data);
}

static void print_text(const struct audit *audit)
{
	for (size_t i = 0; i < said(audit); i++)
		puts(audit->first[i]);
	if (audit->differences > said(audit))
		printf("… and %zu more.\n", audit->differences - said(audit));
	printf("%lld predictions up to position %lld of the log; %zu roll-ups, %zu heatmaps, %zu sampled "
	       "predictions: ",
		(long long)audit->predictions, (long long)audit->position, audit->rollups, audit->heats,
		audit->samples);
	if (audit->differences)
		printf("%zu differences. Remove watch.db: the next start counts anew.\n", audit->differences);
	else
		printf("all equal.\n");
}

int cli_audit(int argc, char **argv)
{
	bool json = argc > 0 && strcmp(argv[0], "--json") == 0;
	struct config config;
	struct arena arena;
	struct audit audit;
	struct err err;
	arena_init(&arena);
	enum status st = config_load(&config, argc - json, argv + json, &arena, &err);
	if (st != ST_OK) {
		arena_release(&arena);
		return cli_usage("audit", "%s", err.text);
	}
	st = run(config.text[CONFIG_data], &arena, &audit, &err);
	if (st == ST_OK && json)
		print_json(&audit, &arena);
	else if (st == ST_OK)
		print_text(&audit);
	arena_release(&arena);
	if (st != ST_OK)
		return cli_failed(&err);
	return audit.differences ? EXIT_FAILED : EXIT_DONE;
}
