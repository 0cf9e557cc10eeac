/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/create.h"

#include "base/json.h"
#include "os/file.h"
#include "trainer/arch.h"
#include "trainer/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_BYTES_MAX (64U << 20)

static int failed(const char *sentence, int code)
{
	fprintf(stderr, "gyre-train: %s\n", sentence);
	return code;
}

/* ["ok", "worn"] */
static enum status read_labels(
	const char *path, struct arena *a, const char ***labels, size_t *count, struct err *err)
{
	struct span text;
	yyjson_doc *doc;
	TRY(file_read(path, LABELS_BYTES_MAX, a, &text, err));
	TRY(json_parse(text, a, &doc, err));
	yyjson_val *list = yyjson_doc_get_root(doc), *value;
	size_t i, length;
	*labels = ARENA_ARRAY(a, const char *, yyjson_arr_size(list) + 1);
	*count = 0;
	yyjson_arr_foreach (list, i, length, value) {
		if (!yyjson_is_str(value))
			return err_set(err, ST_INVALID, "A label in %s is no text.", path);
		(*labels)[(*count)++] = yyjson_get_str(value);
	}
	if (*count == 0)
		return err_set(err, ST_INVALID, "%s is no list of names, as [\"ok\", \"worn\"].", path);
	return ST_OK;
}

int create_command(int argc, char **argv)
{
	const char *arch = command_option(argc, argv, "--arch"),
		   *labels_path = command_option(argc, argv, "--labels");
	const char *size_text = command_option(argc, argv, "--size"),
		   *output = command_option(argc, argv, "--output");
	const char *seed = command_option(argc, argv, "--seed");
	unsigned width = 0, height = 0;
	if (!arch || !labels_path || !size_text || !output ||
		sscanf(size_text, "%ux%u", &width, &height) != 2)
		return failed(
			"create needs --arch det-t, --labels labels.json, --size 160x160 and --output FILE.",
			EXIT_CODE_USAGE);
	struct arena a;
	arena_init(&a);
	struct err err = {0};
	struct recipe recipe;
	char error[GRAPH_ERROR_SIZE] = "";
	const char **labels = NULL;
	void *file = NULL;
	size_t count = 0, size = 0;
	int code = 0;
	if (read_labels(labels_path, &a, &labels, &count, &err) != ST_OK)
		code = failed(err.text, EXIT_CODE_USAGE);
	else if (!arch_make(arch, labels, count, width, height, seed ? strtoull(seed, NULL, 10) : 1, &recipe,
			 &file, &size, error))
		code = failed(error, EXIT_CODE_USAGE);
	else if (file_write_durable(output, span_of(file, size), 0644, &err) != ST_OK)
		code = failed(err.text, EXIT_CODE_FAILED);
	free(file);
	arena_release(&a);
	return code;
}
