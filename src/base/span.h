/* SPDX-License-Identifier: Apache-2.0 */
/* A view of bytes that somebody else owns. */
#ifndef GYRE_BASE_SPAN_H
#define GYRE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *data; /* may be NULL when size is 0 */
	size_t size;         /* bytes */
};

static inline struct span span_of(const void *data, size_t size)
{
	return (struct span){.data = (const uint8_t *)data, .size = size};
}

static inline struct span span_of_text(const char *text)
{
	return (struct span){.data = (const uint8_t *)text, .size = text ? strlen(text) : 0};
}

static inline bool span_equal(struct span a, struct span b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
