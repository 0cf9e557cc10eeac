/* SPDX-License-Identifier: Apache-2.0 */
/* Inside query/ only: what a path means, by fields.def. */
#ifndef GYRE_QUERY_FIELDS_H
#define GYRE_QUERY_FIELDS_H

#include "query/filter.h"

enum field_type { FIELD_ID, FIELD_TEXT, FIELD_NUMBER, FIELD_BOOL, FIELD_TIME, FIELD_JSON };

struct field {
	enum query_noun noun;
	const char *path;
	enum field_type type;
	const char *sql;
};

struct link {
	enum query_noun noun;
	const char *part;
	enum query_noun other;
	bool many;
	const char *from;
};

#define FIELD_LINKS_MAX 5 /* each is a SELECT inside the one before, and SQLite has an end to that */

struct field_path {
	const struct link *links[FIELD_LINKS_MAX]; /* followed, the first first */
	size_t link_count;
	const struct field *field;
	size_t part_count; /* of the path that the field took; a JSON field's keys follow */
};

/* False: there is no such field; *noun is where the path ended, and *part which part was not known there. */
bool field_find(
	enum query_noun *noun, const char *const *parts, size_t count, struct field_path *out, size_t *part);
/* "filename, width, tags…": what a noun has. */
const char *field_names(enum query_noun noun, struct arena *a);
/* What may follow a part that is no field by itself: "name", "a key"; NULL: nothing. */
const char *field_goes_on(enum query_noun noun, const char *part, struct arena *a);
/* Is the part the beginning of a field's path? */
bool field_begins(enum query_noun noun, const char *part);
const char *field_noun_text(enum query_noun noun);

#endif
