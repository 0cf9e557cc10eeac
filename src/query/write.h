/* SPDX-License-Identifier: Apache-2.0 */
/* Inside query/ only: SQL that is being written, and one comparison of it. */
#ifndef GYRE_QUERY_WRITE_H
#define GYRE_QUERY_WRITE_H

#include "base/str.h"
#include "query/fields.h"

struct writer {
	struct arena *arena;
	enum query_noun noun; /* that is listed */
	struct str sql;       /* with a `?` for each value */
	struct db_value *values;
	size_t count, room;
};

enum status query_write_comparison(
	struct writer *w, const struct query_node *node, bool negated, struct err *err) MUST_CHECK;
/* The sentence for more than QUERY_BINDINGS_MAX; at: the character, 0: none. */
enum status query_too_many(size_t at, struct err *err);

#endif
