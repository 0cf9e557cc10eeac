/* SPDX-License-Identifier: Apache-2.0 */
/* gyre dataset export: a version as a zip file. */
#include "base/check.h"
#include "cli/dataset_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

struct options {
	const char *format, *side, *output;
	bool images, json;
};

static void show_download(void *arg, uint64_t received, uint64_t total)
{
	progress_show(arg, received, total);
}

/* Beside its place until it is whole: a file that is there is never half of an export. */
static enum status download(
	struct client *c, const char *url, const char *path, uint64_t *size, struct err *err)
{
	const char *part = arena_printf(&c->arena, "%s.part", path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_errno(err, "The file %s cannot be written", part);
	const struct fetch_request request = {.method = "GET",
		.url = url,
		.token = c->token,
		.timeout_s = 3600,
		.received = show_download,
		.progress_arg = (void *)(uintptr_t) "Exporting",
		.file = fd + 1};
	struct fetch_reply reply;
	yyjson_val *answer;
	enum status st = fetch(c->fetcher, &request, &c->arena, &reply, err);
	progress_end();
	off_t end = lseek(fd, 0, SEEK_END);
	close(fd);
	*size = end > 0 ? (uint64_t)end : 0;
	if (st == ST_OK && reply.code >= 400)
		st = client_read(c, &reply, &answer, err);
	if (st == ST_OK && rename(part, path) < 0)
		st = err_errno(err, "The file %s cannot be written", path);
	if (st != ST_OK)
		unlink(part);
	return st;
}

static enum status export_version(
	struct client *c, const char *what, const struct options *o, struct err *err)
{
	yyjson_val *version;
	uint64_t size = 0;
	TRY(client_dataset_version(c, what, &version, err));
	const char *url =
		arena_printf(&c->arena, "%s/api/dataset/version/%s/export?format=%s&images=%d&for=%s",
			c->host, yyjson_get_str(yyjson_obj_get(version, "id")), client_escape(c, o->format),
			o->images, client_escape(c, o->side ? o->side : "all"));
	TRY(download(c, url, o->output, &size, err));
	if (o->json)
		printf("{\"bytes\":%" PRIu64 "}\n", size);
	else
		printf("%s: %" PRIu64 " bytes\n", o->output, size);
	return ST_OK;
}

int cli_dataset_export(int argc, char **argv)
{
	static struct cli_words words;
	struct options o = {0};
	struct client c;
	struct err err;
	const struct cli_option options[] = {{"--format", &o.format, NULL}, {"--for", &o.side, NULL},
		{"--images", NULL, &o.images}, {"-o", &o.output, NULL}, {"--output", &o.output, NULL},
		{"--json", NULL, &o.json}};
	int code = cli_parse("dataset", argc, argv, options, COUNT_OF(options), &words);
	if (code)
		return code;
	if (words.count != 2 || o.format == NULL || o.output == NULL)
		return cli_usage("dataset",
			"Say export, which DATASET:VERSION, --format coco, voc or yolo, and -o FILE.zip.");
	enum status st = client_open(&c, &err);
	if (st == ST_OK)
		st = export_version(&c, words.words[1], &o, &err);
	code = st == ST_OK ? EXIT_DONE : cli_failed(&err);
	client_close(&c);
	return code;
}
