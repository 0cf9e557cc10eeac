/* SPDX-License-Identifier: Apache-2.0 */
/* What the lists of all nouns share: a page, an order, and a filter. */
#ifndef GYRE_STORE_ROWS_H
#define GYRE_STORE_ROWS_H

#include "store/db.h"

enum rows_order { ROWS_OLDEST, ROWS_NEWEST, ROWS_NAME, ROWS_NAME_DOWN, ROWS_ORDER_COUNT };

/* A condition that what is listed must meet: query/query.h makes it of what people wrote. */
struct rows_filter {
	const char *where;       /* SQL with a `?` for each value; NULL: none. Of literals only */
	struct db_value *values; /* texts live as long as where */
	size_t count;
};

struct rows_page { /* zeroes but for limit: all, the oldest first */
	int64_t limit, offset;
	enum rows_order order;
	struct rows_filter filter;
	const char *order_by; /* SQL, like "data.width DESC, data.filename"; NULL: by `order` */
};

/*
 * A list that honours all of a page. SQL of literals; the noun's table goes by its own name, as filters and
 * orders say "data.width".
 *
 *	static const struct rows_source source = {
 *		.select = "SELECT id, name FROM model", .count = "SELECT count(*) FROM model",
 *		.where = "model.organization_id = $1",
 *		.id = "model.id", .created = "model.created_us", .name = "model.name"};
 *	struct db_query q = rows_count(c, a, &source, page);
 *	db_bind_uuid(&q, organization_id);
 *	rows_bind_count(&q, page);
 *	TRY(rows_number(&q, total, err));
 *	q = rows_query(c, a, &source, page);
 *	db_bind_uuid(&q, organization_id);
 *	rows_bind(&q, page);
 *	while (db_next(&q)) …
 */
struct rows_source {
	const char *select; /* up to the end of FROM and its joins */
	const char *count;  /* the same with count(*) */
	const char *where;  /* the scope, `$1`…`$n`; NULL: none */
	const char *id, *created, *name;
};

struct db_query rows_count(
	struct db_conn *c, struct arena *a, const struct rows_source *source, const struct rows_page *page);
struct db_query rows_query(
	struct db_conn *c, struct arena *a, const struct rows_source *source, const struct rows_page *page);
/* After the scope's values: the filter's, and with them limit and offset. */
void rows_bind_count(struct db_query *q, const struct rows_page *page);
void rows_bind(struct db_query *q, const struct rows_page *page);

/*
 * A short list without filters: one literal for each order, as statements are kept by address:
 *
 *	static const char *const sql[ROWS_ORDER_COUNT] =
 *		ROWS_ORDERED("SELECT …", "created_us", "name", "LIMIT $1 OFFSET $2");
 *
 * The id breaks ties, so that pages neither repeat nor skip.
 */
#define ROWS_ORDERED(select, created, name, tail)                                                            \
	{                                                                                                    \
		[ROWS_OLDEST] = select " ORDER BY " created ", id " tail,                                    \
		[ROWS_NEWEST] = select " ORDER BY " created " DESC, id DESC " tail,                          \
		[ROWS_NAME] = select " ORDER BY " name ", id " tail,                                         \
		[ROWS_NAME_DOWN] = select " ORDER BY " name " DESC, id DESC " tail,                          \
	}

/* Make room for one more item of an array in the arena. */
static inline void *rows_grow(struct arena *a, void *items, size_t count, size_t *room, size_t item_size)
{
	if (count < *room)
		return items;
	*room = *room ? 2 * *room : 16;
	void *more = arena_zalloc(a, *room, item_size);
	if (count)
		memcpy(more, items, count * item_size);
	return more;
}

/* The one number of a query that was bound, like a count(*). */
static inline enum status rows_number(struct db_query *q, int64_t *out, struct err *err)
{
	*out = db_next(q) ? db_integer(q, 0) : 0;
	return db_done(q, err);
}

/* The ids that a query that was bound has in its first column, in the arena. */
static inline enum status rows_ids(
	struct db_query *q, struct arena *a, struct uuid **ids, size_t *count, struct err *err)
{
	size_t room = 0;
	*ids = NULL;
	for (*count = 0; db_next(q); (*count)++) {
		*ids = rows_grow(a, *ids, *count, &room, sizeof(**ids));
		(*ids)[*count] = db_uuid(q, 0);
	}
	return db_done(q, err);
}

/* 0 stands for "none" in a struct, NULL in its table. */
static inline void rows_bind_or_null(struct db_query *q, int64_t value)
{
	if (value)
		db_bind_integer(q, value);
	else
		db_bind_null(q);
}

#endif
