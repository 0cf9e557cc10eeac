/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void str_init(struct str *s, size_t size_max)
{
	*s = (struct str){.max = size_max};
}

void str_release(struct str *s)
{
	free(s->text);
	*s = (struct str){.max = s->max};
}

void str_clear(struct str *s)
{
	s->size = 0;
	s->full = false;
	if (s->text)
		s->text[0] = '\0';
}

const char *str_text(const struct str *s)
{
	return s->text ? s->text : "";
}

/* Room for `size` more bytes and the NUL; fewer when the maximum is near. Returns how many fit. */
static size_t make_room(struct str *s, size_t size)
{
	if (size > s->max - s->size) {
		size = s->max - s->size;
		s->full = true;
	}
	size_t need = s->size + size + 1;
	if (need > s->room) {
		size_t room = s->room ? s->room * 2 : 256;
		while (room < need)
			room *= 2;
		s->text = realloc(s->text, room);
		CHECK(s->text != NULL);
		s->room = room;
	}
	return size;
}

void str_append_bytes(struct str *s, const void *data, size_t size)
{
	size = make_room(s, size);
	if (size)
		memcpy(s->text + s->size, data, size);
	s->size += size;
	s->text[s->size] = '\0';
}

void str_append(struct str *s, const char *text)
{
	str_append_bytes(s, text, strlen(text));
}

void str_printf(struct str *s, const char *format, ...)
{
	char small[512];
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int size = vsnprintf(small, sizeof(small), format, args);
	CHECK(size >= 0);
	if ((size_t)size < sizeof(small)) {
		str_append_bytes(s, small, (size_t)size);
	} else {
		char *big = malloc((size_t)size + 1);
		CHECK(big != NULL);
		vsnprintf(big, (size_t)size + 1, format, again);
		str_append_bytes(s, big, (size_t)size);
		free(big);
	}
	va_end(again);
	va_end(args);
}

void str_append_json(struct str *s, const char *text)
{
	if (text == NULL) {
		str_append(s, "null");
		return;
	}
	str_append(s, "\"");
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			str_printf(s, "\\%c", *c);
		else if (*c < 0x20)
			str_printf(s, "\\u%04x", *c);
		else
			str_append_bytes(s, c, 1);
	}
	str_append(s, "\"");
}

int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void hex_encode(const void *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;
	for (size_t i = 0; i < size; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * size] = '\0';
}

bool hex_decode(const char *text, uint8_t *out, size_t size)
{
	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool text_ends_with(const char *text, const char *suffix)
{
	size_t size = strlen(text), end = strlen(suffix);
	return size >= end && memcmp(text + size - end, suffix, end) == 0;
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}
