/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The query language of lists: `tags.name in ("night", "rain") and not width < 640`. This is the text, read
 * into a tree and printed again; what its names mean is in filter.h. For people: docs/reference/queries.md.
 */
#ifndef GYRE_QUERY_QUERY_H
#define GYRE_QUERY_QUERY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

#define QUERY_BYTES_MAX 32768
#define QUERY_DEPTH_MAX 20        /* parentheses and nots inside each other */
#define QUERY_COMPARISONS_MAX 200 /* of one text */
#define QUERY_VALUES_MAX 1000     /* of one text */
#define QUERY_PARTS_MAX 12        /* of one path */

enum query_kind { QUERY_AND, QUERY_OR, QUERY_NOT, QUERY_COMPARE };

enum query_operator {
	QUERY_EQUAL,
	QUERY_NOT_EQUAL,
	QUERY_LESS,
	QUERY_LESS_EQUAL,
	QUERY_GREATER,
	QUERY_GREATER_EQUAL,
	QUERY_IN,
	QUERY_CONTAINS,
	QUERY_STARTS_WITH,
	QUERY_OPERATOR_COUNT
};

enum query_type { QUERY_NULL, QUERY_BOOL, QUERY_INTEGER, QUERY_REAL, QUERY_TEXT };

struct query_value {
	enum query_type type;
	bool truth;
	int64_t integer;
	double real; /* finite; of an INTEGER too */
	const char *text;
	size_t at; /* the character of the text that it begins with, from 1 */
};

/* A node; what it is not stays zero. Everything lives in the arena. */
struct query_node {
	enum query_kind kind;
	const struct query_node *left, *right; /* AND, OR: both; NOT: left */
	const char **parts;                    /* COMPARE: the path, "tags", "name" */
	size_t part_count;
	enum query_operator operator;
	struct query_value *values; /* one, or with IN one and more */
	size_t value_count;
	size_t at;
};

/* ST_INVALID with the place: "At character 17: expected a value after =, found ')'." An empty text gives
 * NULL. */
enum status query_parse(
	struct span text, struct arena *a, const struct query_node **out, struct err *err) MUST_CHECK;

/* The tree as a text that gives the same tree. */
const char *query_print(const struct query_node *node, struct arena *a);
/* One path, as it is written. */
const char *query_path(const struct query_node *node, struct arena *a);

#endif
