/* SPDX-License-Identifier: Apache-2.0 */
/* What the lists of all nouns share: a page, and an order. */
#ifndef GYRE_STORE_ROWS_H
#define GYRE_STORE_ROWS_H

#include "store/db.h"

enum rows_order { ROWS_OLDEST, ROWS_NEWEST, ROWS_NAME, ROWS_NAME_DOWN, ROWS_ORDER_COUNT };

struct rows_page {
	int64_t limit, offset;
	enum rows_order order;
};

/*
 * One literal for each order, as statements are kept by address:
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

#endif
