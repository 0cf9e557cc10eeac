/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about what was wrong with a file, up to a limit; and lists that grow in an arena. */
#ifndef GYRE_FORMATS_PROBLEMS_H
#define GYRE_FORMATS_PROBLEMS_H

#include "base/arena.h"

#include <stddef.h>

struct problems {
	struct arena *arena;
	const char **items;
	size_t count, room, left_out;
};

/* Counted, and kept while there are fewer than FORMAT_PROBLEMS_MAX. */
void problems_add(struct problems *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* The items, or a copy of them, with room for one more. */
void *list_room(struct arena *a, void *items, size_t count, size_t *room, size_t size);

#endif
