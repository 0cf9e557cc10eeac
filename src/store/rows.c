/* SPDX-License-Identifier: Apache-2.0 */
/* Lists with a filter and an order that are known at run time: the SQL is put together of literals. */
#include "store/rows.h"

#include "base/check.h"
#include "base/str.h"

#include <stdlib.h>

#define SQL_MAX ((size_t)256 << 10) /* bytes: a filter is limited where it is parsed */

/* The largest n of `$n`, or the one before. */
static unsigned parameters(const char *sql, unsigned most)
{
	for (const char *at = sql; at && (at = strchr(at, '$')) != NULL; at++) {
		unsigned n = (unsigned)strtoul(at + 1, NULL, 10);
		most = n > most ? n : most;
	}
	return most;
}

/* Each `?` becomes the next parameter. */
static void append_filter(struct str *sql, const struct rows_filter *filter, unsigned *parameter)
{
	size_t values = 0;
	for (const char *at = filter->where; *at;) {
		size_t plain = strcspn(at, "?");
		str_append_bytes(sql, at, plain);
		at += plain;
		if (*at) {
			str_printf(sql, "$%u", ++*parameter);
			values++;
			at++;
		}
	}
	CHECK(values == filter->count);
}

static void append_conditions(
	struct str *sql, const struct rows_source *source, const struct rows_page *page, unsigned *parameter)
{
	*parameter = parameters(source->where, parameters(str_text(sql), 0));
	if (source->where)
		str_printf(sql, " WHERE (%s)", source->where);
	if (page->filter.where == NULL)
		return;
	str_append(sql, source->where ? " AND (" : " WHERE (");
	append_filter(sql, &page->filter, parameter);
	str_append(sql, ")");
}

static struct db_query query(struct db_conn *c, struct arena *a, struct str *sql)
{
	CHECK(!sql->full);
	const char *text = arena_strdup(a, str_text(sql));
	str_release(sql);
	return db_query_dynamic(c, text);
}

struct db_query rows_count(
	struct db_conn *c, struct arena *a, const struct rows_source *source, const struct rows_page *page)
{
	struct str sql;
	unsigned parameter;
	str_init(&sql, SQL_MAX);
	str_append(&sql, source->count);
	append_conditions(&sql, source, page, &parameter);
	return query(c, a, &sql);
}

struct db_query rows_query(
	struct db_conn *c, struct arena *a, const struct rows_source *source, const struct rows_page *page)
{
	struct str sql;
	unsigned parameter;
	bool down = page->order == ROWS_NEWEST || page->order == ROWS_NAME_DOWN;
	bool by_name = page->order == ROWS_NAME || page->order == ROWS_NAME_DOWN;
	str_init(&sql, SQL_MAX);
	str_append(&sql, source->select);
	append_conditions(&sql, source, page, &parameter);
	str_append(&sql, " ORDER BY ");
	if (page->order_by)
		str_printf(&sql, "%s, %s%s", page->order_by, source->id,
			text_ends_with(page->order_by, " DESC") ? " DESC" : "");
	else
		str_printf(&sql, "%s%s, %s%s", by_name ? source->name : source->created, down ? " DESC" : "",
			source->id, down ? " DESC" : "");
	str_printf(&sql, " LIMIT $%u OFFSET $%u", parameter + 1, parameter + 2);
	return query(c, a, &sql);
}

void rows_bind_count(struct db_query *q, const struct rows_page *page)
{
	for (size_t i = 0; i < page->filter.count; i++)
		db_bind_value(q, &page->filter.values[i]);
}

void rows_bind(struct db_query *q, const struct rows_page *page)
{
	rows_bind_count(q, page);
	db_bind_integer(q, page->limit);
	db_bind_integer(q, page->offset);
}
