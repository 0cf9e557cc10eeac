/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries as anybody might write them: a noun (the first byte), then the text. What is parsed is the same
 * after printing and parsing it again; what is translated runs on a database with the real schema; the same
 * text as an order and as metadata.
 */
#include "../unit/query_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct query_node *node, struct arena *a)
{
	const struct query_node *again;
	struct err err;
	const char *text = query_print(node, a);
	if (strlen(text) > QUERY_BYTES_MAX)
		return;
	CHECK(query_parse(span_of_text(text), a, &again, &err) == ST_OK);
	CHECK(strcmp(query_print(again, a), text) == 0);
}

static void check_sentence(const struct err *err)
{
	CHECK(err->status == ST_INVALID && strlen(err->text) > 10);
}

static void run(struct db_conn *c, enum query_noun noun, struct rows_page *page, struct arena *a)
{
	page->limit = 5;
	query_world_list(c, noun, "'x'", page, a);
}

static void try_text(struct db_conn *c, enum query_noun noun, const char *text, struct arena *a)
{
	struct err err;
	yyjson_doc *doc;
	struct rows_page page = {0}, ordered = {0}, chosen = {0};
	if (query_filter(noun, text, a, &page.filter, &err) == ST_OK)
		run(c, noun, &page, a);
	else
		check_sentence(&err);
	if (query_order(noun, &text, 1, a, &ordered.order_by, &err) == ST_OK)
		run(c, noun, &ordered, a);
	else
		check_sentence(&err);
	if (json_parse(span_of_text(text), a, &doc, &err) != ST_OK)
		return;
	if (query_filter_metadata(noun, yyjson_doc_get_root(doc), a, &chosen.filter, &err) == ST_OK)
		run(c, noun, &chosen, a);
	else
		check_sentence(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct db *db;
	static struct db_conn *c;
	if (c == NULL)
		c = query_world_open(&db);
	struct arena a;
	struct err err;
	const struct query_node *node;
	if (size == 0)
		return 0;
	arena_init(&a);
	enum query_noun noun = (enum query_noun)(data[0] % QUERY_NOUN_COUNT);
	if (query_parse(span_of(data + 1, size - 1), &a, &node, &err) == ST_OK)
		check_round_trip(node, &a);
	else
		check_sentence(&err);
	try_text(c, noun, arena_strndup(&a, (const char *)data + 1, size - 1), &a);
	arena_release(&a);
	return 0;
}
