/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, on the heap, always NUL-terminated, up to a stated maximum. */
#ifndef GYRE_BASE_STR_H
#define GYRE_BASE_STR_H

#include "base/err.h"
#include "base/span.h"

struct str {
	char *text;  /* never NULL after the first append; "" through str_text() */
	size_t size; /* without the NUL */
	size_t room;
	size_t max; /* appending past it truncates and sets `full` */
	bool full;
};

void str_init(struct str *s, size_t size_max);
void str_release(struct str *s);
void str_clear(struct str *s); /* keeps the memory */
const char *str_text(const struct str *s);
void str_append(struct str *s, const char *text);
void str_append_bytes(struct str *s, const void *data, size_t size);
void str_printf(struct str *s, const char *format, ...) PRINTF_LIKE(2, 3);
void str_append_json(struct str *s, const char *text); /* a quoted, escaped JSON string; NULL gives null */

/* The value of a hex digit, or -1. */
int hex_value(char c);
/* Lower-case hex of size bytes into out[2*size+1]. */
void hex_encode(const void *data, size_t size, char *out);
bool hex_decode(const char *text, uint8_t *out, size_t size); /* exactly 2*size digits */

bool text_ends_with(const char *text, const char *suffix);
bool text_starts_with(const char *text, const char *prefix);

#endif
