/* SPDX-License-Identifier: Apache-2.0 */
/* A page of a list, by what the request asks for: which part, in which order, and which of them all. */
#include "api/api.h"
#include "base/check.h"

#define LIMIT_MAX 1000
#define ORDERS_MAX 8
#define WORDS_MAX 16 /* of upload_statuses and types */

static enum status read_order(
	struct http_request *req, enum query_noun noun, struct rows_page *out, struct err *err)
{
	const char *orders[ORDERS_MAX];
	size_t count = http_query_all(req, "order_by", orders, ORDERS_MAX);
	if (count > ORDERS_MAX)
		return err_set(err, ST_INVALID, "A list is ordered by at most %d fields.", ORDERS_MAX);
	return query_order(noun, orders, count, req->arena, &out->order_by, err);
}

static enum status read_query(struct http_request *req, enum query_noun noun, const char *text,
	struct rows_page *out, struct err *err)
{
	struct err why;
	enum status st = query_filter(noun, text ? text : "", req->arena, &out->filter, &why);
	return st == ST_OK ? ST_OK : err_set(err, st, "The query (\"q\") cannot be read. %s", why.text);
}

static enum status read_metadata(
	struct http_request *req, enum query_noun noun, struct rows_page *out, struct err *err)
{
	const char *text = http_query(req, "custom_metadata");
	yyjson_doc *doc;
	if (text == NULL || *text == '\0')
		return ST_OK;
	TRY(json_parse(span_of_text(text), req->arena, &doc, err));
	return query_filter_metadata(noun, yyjson_doc_get_root(doc), req->arena, &out->filter, err);
}

/* All that is stored here is an image that is there: a list that wants none of those is empty. */
static const struct {
	const char *name, *ours, *known;
} states[] = {
	{"upload_statuses", "DONE", "PENDING,COMPUTING,DONE,ERROR"},
	{"types", "IMAGE", "IMAGE,VIDEO"},
};

/* Is the word one of a list with commas? */
static bool is_listed(const char *list, const char *word, size_t size)
{
	for (const char *at = list; size; at++) {
		size_t length = strcspn(at, ",");
		if (length == size && strncmp(at, word, size) == 0)
			return true;
		at += length;
		if (*at == '\0')
			break;
	}
	return false;
}

/* Some words, with commas inside perhaps: *ours when one is what things here are. */
static enum status read_words(size_t state, const char *words, bool *ours, struct err *err)
{
	for (const char *at = words;; at++) {
		size_t size = strcspn(at, ",");
		if (!is_listed(states[state].known, at, size))
			return err_set(err, ST_INVALID, "\"%s\" takes %s, not \"%.*s\".", states[state].name,
				states[state].known, (int)(size < 50 ? size : 50), at);
		*ours = *ours || is_listed(states[state].ours, at, size);
		at += size;
		if (*at == '\0')
			return ST_OK;
	}
}

static void narrow_to_nothing(struct http_request *req, struct rows_page *out)
{
	static const struct rows_filter nothing = {.where = "FALSE"};
	query_filter_and(&out->filter, &nothing, req->arena);
}

static enum status read_states(struct http_request *req, struct rows_page *out, struct err *err)
{
	for (size_t state = 0; state < COUNT_OF(states); state++) {
		const char *words[WORDS_MAX];
		bool ours = false;
		size_t count = http_query_all(req, states[state].name, words, WORDS_MAX);
		for (size_t i = 0; i < count && i < WORDS_MAX; i++)
			TRY(read_words(state, words[i], &ours, err));
		if (count && !ours)
			narrow_to_nothing(req, out);
	}
	return ST_OK;
}

static enum status read_states_of_body(
	struct http_request *req, yyjson_val *body, struct rows_page *out, struct err *err)
{
	for (size_t state = 0; state < COUNT_OF(states); state++) {
		yyjson_val *list = yyjson_obj_get(body, states[state].name), *word;
		bool ours = false;
		size_t i, n;
		if (list == NULL || yyjson_is_null(list))
			continue;
		if (!yyjson_is_arr(list))
			return err_set(err, ST_INVALID, "\"%s\" must be a list.", states[state].name);
		yyjson_arr_foreach (list, i, n, word) {
			const char *text = yyjson_get_str(word);
			TRY(read_words(state, text ? text : "", &ours, err));
		}
		if (!ours)
			narrow_to_nothing(req, out);
	}
	return ST_OK;
}

static enum status read_page(
	struct http_request *req, enum query_noun noun, struct rows_page *out, struct err *err)
{
	*out = (struct rows_page){.order = ROWS_OLDEST};
	TRY(http_page(req, &out->limit, &out->offset, err));
	const char *limit = http_query(req, "limit");
	if (limit == NULL || *limit == '\0')
		out->limit = LIMIT_MAX;
	TRY(read_order(req, noun, out, err));
	return read_metadata(req, noun, out, err);
}

enum status api_page_of(
	struct http_request *req, enum query_noun noun, struct rows_page *out, struct err *err)
{
	TRY(read_page(req, noun, out, err));
	TRY(read_states(req, out, err));
	return read_query(req, noun, http_query(req, "q"), out, err);
}

enum status api_page_look_up(struct http_request *req, enum query_noun noun, yyjson_val *body,
	struct rows_page *out, struct err *err)
{
	const char *q = NULL;
	TRY(json_text(body, "q", &q, err));
	TRY(read_page(req, noun, out, err));
	TRY(read_states_of_body(req, body, out, err));
	return read_query(req, noun, q, out, err);
}
