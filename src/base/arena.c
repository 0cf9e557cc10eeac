/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/check.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES_MIN (16u * 1024)
#define BLOCK_BYTES_MAX (1024u * 1024)
#define ALIGNMENT 16u

struct arena_block {
	struct arena_block *next;
	size_t room; /* bytes of data */
	size_t used;
	size_t unused_padding; /* keeps data aligned to 16 */
	uint8_t data[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){0};
}

void arena_release(struct arena *a)
{
	struct arena_block *block = a->blocks;
	while (block) {
		struct arena_block *next = block->next;
		free(block);
		block = next;
	}
	arena_init(a);
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
	size_t room = a->blocks ? a->blocks->room * 2 : BLOCK_BYTES_MIN;
	if (room > BLOCK_BYTES_MAX)
		room = BLOCK_BYTES_MAX;
	if (room < size)
		room = size;
	struct arena_block *block = malloc(sizeof(*block) + room);
	CHECK(block != NULL);
	block->room = room;
	block->used = 0;
	block->next = a->blocks;
	a->blocks = block;
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	CHECK(size <= SIZE_MAX / 2);
	size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	struct arena_block *block = a->blocks;
	if (block == NULL || block->room - block->used < rounded)
		block = add_block(a, rounded);
	void *out = block->data + block->used;
	block->used += rounded;
	a->used_bytes += rounded;
	return out;
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
	CHECK(size == 0 || count <= SIZE_MAX / 2 / size);
	void *out = arena_alloc(a, count * size);
	memset(out, 0, count * size);
	return out;
}

char *arena_strndup(struct arena *a, const char *text, size_t size)
{
	char *out = arena_alloc(a, size + 1);
	if (size)
		memcpy(out, text, size);
	out[size] = '\0';
	return out;
}

char *arena_strdup(struct arena *a, const char *text)
{
	return text ? arena_strndup(a, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args, again;
	CHECK(format != NULL); /* also what gcc wants to know under its sanitizers */
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(NULL, 0, format, args);
	CHECK(size >= 0);
	char *out = arena_alloc(a, (size_t)size + 1);
	vsnprintf(out, (size_t)size + 1, format, again);
	va_end(again);
	va_end(args);
	return out;
}

struct span arena_copy(struct arena *a, struct span bytes)
{
	return span_of(arena_strndup(a, (const char *)bytes.data, bytes.size), bytes.size);
}
