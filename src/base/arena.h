/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One arena per request (or job): allocate freely, release once.
 * Not thread-safe: an arena belongs to one thread at a time. Blocks of 16 KiB,
 * growing; never returns NULL (running out of memory is fatal, sizes that a
 * client chooses ask a budget first).
 */
#ifndef GYRE_BASE_ARENA_H
#define GYRE_BASE_ARENA_H

#include "base/err.h"
#include "base/span.h"

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used_bytes;          /* handed out since init or reset */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a); /* frees all; the arena may be used again */

void *arena_alloc(struct arena *a, size_t size); /* aligned to 16, not zeroed */
void *arena_zalloc(
	struct arena *a, size_t count, size_t size);   /* zeroed; overflow of count*size is a CHECK */
char *arena_strdup(struct arena *a, const char *text); /* NULL stays NULL */
char *arena_strndup(struct arena *a, const char *text, size_t size);
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
struct span arena_copy(struct arena *a, struct span bytes);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), 1, sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_zalloc((a), (count), sizeof(type)))

#endif
