/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/problems.h"

#include "formats/formats.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_BYTES_MAX 2048

void *list_room(struct arena *a, void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? 2 * *room : 8;
	void *out = arena_zalloc(a, *room, size);
	if (count)
		memcpy(out, items, count * size);
	return out;
}

void problems_add(struct problems *p, const char *format, ...)
{
	if (p->count == FORMAT_PROBLEMS_MAX) {
		p->left_out++;
		return;
	}
	char text[PROBLEM_BYTES_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	p->items = list_room(p->arena, p->items, p->count, &p->room, sizeof(*p->items));
	p->items[p->count++] = arena_strdup(p->arena, text);
}
