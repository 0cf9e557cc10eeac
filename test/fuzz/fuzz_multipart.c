/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http/multipart: the first line is the boundary, the rest the body. The body lies in
 * a block of exactly its size, and every part must be a view into it.
 */
#include "base/check.h"
#include "http/head.h"
#include "http/multipart.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(const struct multipart_part *part, struct span body)
{
	CHECK(part->name != NULL && head_is_utf8(span_of_text(part->name)));
	CHECK(part->filename == NULL || head_is_utf8(span_of_text(part->filename)));
	if (part->body.size > 0) {
		CHECK(part->body.data >= body.data && part->body.size <= body.size);
		CHECK(part->body.data + part->body.size <= body.data + body.size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	if (line_end == NULL)
		return 0;
	size_t line = (size_t)(line_end - data), rest = size - line - 1;
	struct arena a;
	arena_init(&a);
	const char *type =
		arena_printf(&a, "multipart/form-data; boundary=%.*s", (int)line, (const char *)data);
	uint8_t *exact = malloc(rest ? rest : 1);
	CHECK(exact != NULL);
	memcpy(exact, line_end + 1, rest);
	struct multipart *m;
	struct err err = {0};
	struct span body = span_of(exact, rest);
	enum status st = multipart_parse(type, body, &a, &m, &err);
	CHECK(st == ST_OK || (st == ST_INVALID && err.text[0] != '\0'));
	for (size_t i = 0; st == ST_OK && i < m->count; i++)
		check_part(&m->parts[i], body);
	free(exact);
	arena_release(&a);
	return 0;
}
