/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two HTTP parsers in a row may read in two ways is refused here: of a request
 * whose length is in doubt, the rest would be taken for the next request.
 */
#include "http/head.h"

#include "base/str.h"

#include <strings.h>

bool head_is_token_char(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (!head_is_token_char(*text))
			return false;
	}
	return true;
}

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 && *text != '\t')
			return true;
		if (*text == 0x7f)
			return true;
	}
	return false;
}

static bool is_digits(const char *text)
{
	size_t size = strlen(text);
	return size > 0 && size <= 19 && strspn(text, "0123456789") == size;
}

struct seen {
	unsigned lengths, codings, hosts;
};

static enum status check_field(const struct head_field *field, struct seen *seen, struct err *err)
{
	if (!is_token(field->name))
		return err_set(
			err, ST_INVALID, "A header of the request has a name that is not allowed in HTTP.");
	if (has_control(field->value))
		return err_set(err, ST_INVALID, "The header %.64s has a control character in its value.",
			field->name);
	if (strcasecmp(field->name, "Content-Length") == 0) {
		seen->lengths++;
		if (!is_digits(field->value))
			return err_set(err, ST_INVALID, "Content-Length must be a plain number of bytes.");
	} else if (strcasecmp(field->name, "Transfer-Encoding") == 0) {
		seen->codings++;
		if (strcasecmp(field->value, "chunked") != 0)
			return err_set(
				err, ST_INVALID, "The only Transfer-Encoding that is read here is chunked.");
	} else if (strcasecmp(field->name, "Host") == 0) {
		seen->hosts++;
	}
	return ST_OK;
}

enum status head_check(const struct head_field *fields, size_t count, struct err *err)
{
	struct seen seen = {0};
	for (size_t i = 0; i < count; i++)
		TRY(check_field(&fields[i], &seen, err));
	if (seen.lengths > 0 && seen.codings > 0)
		return err_set(err, ST_INVALID,
			"A request may not carry both Content-Length and Transfer-Encoding.");
	if (seen.lengths > 1 || seen.codings > 1)
		return err_set(err, ST_INVALID, "A request may say only once how long its body is.");
	if (seen.hosts > 1)
		return err_set(err, ST_INVALID, "A request may have only one Host header.");
	return ST_OK;
}

/* Decodes in place; space_plus: '+' stands for a space; breaks: TAB, CR and LF may appear. */
static bool decode(char *text, bool space_plus, bool breaks)
{
	char *out = text;
	for (const char *in = text; *in; in++) {
		unsigned char c = (unsigned char)*in;
		if (c == '%') {
			int high = hex_value(in[1]);
			int low = high < 0 ? -1 : hex_value(in[2]);
			if (low < 0)
				return false;
			c = (unsigned char)(high * 16 + low);
			in += 2;
		} else if (c == '+' && space_plus) {
			c = ' ';
		}
		bool is_break = c == '\t' || c == '\r' || c == '\n';
		if (c == 0x7f || (c < 0x20 && !(breaks && is_break)))
			return false;
		*out++ = (char)c;
	}
	*out = '\0';
	return true;
}

bool head_decode_path(char *path)
{
	return decode(path, false, false);
}

bool head_decode_query(char *text)
{
	return decode(text, true, true);
}

/* Bytes of the sequence that starts at p, 0 if it is malformed. The bounds are table 3-7 of the Unicode
 * standard. */
static size_t utf8_sequence(const uint8_t *p, size_t room)
{
	uint8_t first = p[0];
	if (first < 0x80)
		return 1;
	size_t size = first >= 0xc2 && first <= 0xdf   ? 2
		      : first >= 0xe0 && first <= 0xef ? 3
		      : first >= 0xf0 && first <= 0xf4 ? 4
						       : 0;
	if (size == 0 || size > room)
		return 0;
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return size;
}

bool head_is_utf8(struct span text)
{
	for (size_t at = 0; at < text.size;) {
		size_t size = utf8_sequence(text.data + at, text.size - at);
		if (size == 0)
			return false;
		at += size;
	}
	return true;
}
