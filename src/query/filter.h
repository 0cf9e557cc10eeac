/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a query means for a list: its names are those of fields.def, and it becomes the filter and the order
 * of a page (store/rows.h). The SQL is put together of literals only; what people wrote is bound.
 */
#ifndef GYRE_QUERY_FILTER_H
#define GYRE_QUERY_FILTER_H

#include "base/json.h"
#include "query/query.h"
#include "store/rows.h"

/* What is listed. The list's SQL calls the noun's table by its own name. */
enum query_noun {
#define NOUN(noun, text) QUERY_NOUN_##noun,
#define FIELD(noun, path, type, sql, text)
#define LINK(noun, part, other, how_many, from, text)
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
	QUERY_NOUN_COUNT
};

#define QUERY_BINDINGS_MAX 1000 /* values that the SQL of one text binds */

/*
 * Narrow a filter further. Everything lives in the arena. ST_INVALID with a sentence that says where the text
 * is wrong, and what would be right. A NULL or empty text narrows nothing.
 */
enum status query_filter(enum query_noun noun, const char *text, struct arena *a, struct rows_filter *filter,
	struct err *err) MUST_CHECK;
/* The same by a JSON object whose members the noun's custom_metadata must have, with those values. */
enum status query_filter_metadata(enum query_noun noun, yyjson_val *object, struct arena *a,
	struct rows_filter *filter, struct err *err) MUST_CHECK;
/* Both filters hold. */
void query_filter_and(struct rows_filter *filter, const struct rows_filter *more, struct arena *a);

/* Fields to order by, the first first, "-" for downwards, as SQL. None gives NULL. */
enum status query_order(enum query_noun noun, const char *const *fields, size_t count, struct arena *a,
	const char **out, struct err *err) MUST_CHECK;

/* A time or a date, as a range of Unix microseconds with the precision that it is given in: low <= t < high.
 */
bool query_time(const char *text, int64_t *low_us, int64_t *high_us);

#endif
