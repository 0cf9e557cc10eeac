/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sentence.h"

#include <stdio.h>

/* Bytes of the UTF-8 character at text, 0 if there is none (RFC 3629: no overlong forms, surrogates or values
 * past 10FFFF). */
static size_t character_size(const uint8_t *text, size_t left)
{
	uint8_t first = text[0];
	if (first < 0x80)
		return first >= 0x20 && first != 0x7f ? 1 : 0;
	size_t size = first >= 0xc2 && first <= 0xdf   ? 2
		      : (first & 0xf0) == 0xe0         ? 3
		      : first >= 0xf0 && first <= 0xf4 ? 4
						       : 0;
	if (size == 0 || size > left)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	uint8_t second = text[1];
	bool bad = (first == 0xc2 && second < 0xa0) || (first == 0xe0 && second < 0xa0) ||
		   (first == 0xed && second > 0x9f) || (first == 0xf0 && second < 0x90) ||
		   (first == 0xf4 && second > 0x8f);
	return bad ? 0 : size;
}

void sentence_clean(struct span text, char *out, size_t room)
{
	size_t used = 0;
	for (size_t at = 0; at < text.size;) {
		size_t size = character_size(text.data + at, text.size - at);
		size_t take = size ? size : 1;
		if (used + take >= room)
			break;
		if (size)
			memcpy(out + used, text.data + at, size);
		else
			out[used] = '?';
		used += take;
		at += take;
	}
	out[used] = '\0';
}

/* "/onnxruntime_src/…/x.cc:61 onnxruntime::Class::Function(args) message": where the message begins, or the
 * text itself. */
static const char *past_source(const char *text)
{
	const char *function = strstr(text, " onnxruntime::");
	const char *end = function ? strchr(function, ')') : NULL;
	if (end == NULL)
		return text;
	end++;
	if (strncmp(end, " const", 6) == 0)
		end += 6;
	while (*end == ' ')
		end++;
	return *end ? end : text;
}

void sentence_of_runtime(const char *text, char *out, size_t room)
{
	const char *source = strstr(text, "/onnxruntime");
	char line[512];
	if (source)
		snprintf(line, sizeof(line), "%.*s%s", (int)(source - text), text, past_source(source));
	else
		snprintf(line, sizeof(line), "%s", text);
	size_t size = strcspn(line, "\r\n");
	while (size > 0 && (line[size - 1] == '.' || line[size - 1] == ' '))
		size--;
	sentence_clean(span_of(line, size), out, room);
}
