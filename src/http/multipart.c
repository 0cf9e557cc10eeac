/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body of multipart/form-data (RFC 7578; syntax of RFC 2046, section 5.1):
 *
 *   --boundary CRLF  headers CRLF  CRLF  body of the part
 *   CRLF --boundary CRLF …
 *   CRLF --boundary--  (whatever follows a CRLF is ignored)
 *
 * Bodies of parts are views; only names are copied. Every search is memmem over
 * what is left, so the whole is linear in the size of the body.
 */
#include "http/multipart.h"

#include "http/head.h"

#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70
#define PART_HEAD_MAX (8u * 1024)

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- parameters: ; name=token; name="quoted" ---- */

struct parameter {
	struct span name; /* into the text */
	char *value;      /* unquoted, in the arena */
};

enum parameter_result { PARAMETER_NONE, PARAMETER_FOUND, PARAMETER_BAD };

/*
 * In a quoted string a backslash escapes only a quote or itself: browsers send the
 * backslashes of "C:\images\1.png" as they are.
 */
static bool is_escape(struct span text, size_t i)
{
	return text.data[i] == '\\' && i + 1 < text.size &&
	       (text.data[i + 1] == '"' || text.data[i + 1] == '\\');
}

static bool read_quoted(struct span text, size_t *at, struct arena *a, char **out)
{
	size_t start = *at + 1, end = start;
	while (end < text.size && text.data[end] != '"')
		end += is_escape(text, end) ? 2 : 1;
	if (end >= text.size)
		return false;
	char *value = arena_alloc(a, end - start + 1);
	size_t size = 0;
	for (size_t i = start; i < end; i++) {
		if (is_escape(text, i))
			i++;
		value[size++] = (char)text.data[i];
	}
	value[size] = '\0';
	*out = value;
	*at = end + 1;
	return true;
}

static bool read_token(struct span text, size_t *at, struct arena *a, char **out)
{
	size_t start = *at;
	while (*at < text.size && text.data[*at] != ';' && !is_blank((char)text.data[*at]) &&
		text.data[*at] != '"')
		++*at;
	*out = arena_strndup(a, (const char *)text.data + start, *at - start);
	return *at > start;
}

static void skip_blanks(struct span text, size_t *at)
{
	while (*at < text.size && is_blank((char)text.data[*at]))
		++*at;
}

/* Reads "; name=value" at *at and moves past it. */
static enum parameter_result next_parameter(
	struct span text, size_t *at, struct arena *a, struct parameter *out)
{
	skip_blanks(text, at);
	if (*at == text.size)
		return PARAMETER_NONE;
	if (text.data[(*at)++] != ';')
		return PARAMETER_BAD;
	skip_blanks(text, at);
	if (*at == text.size)
		return PARAMETER_NONE; /* a ';' at the end is harmless */
	size_t start = *at;
	while (*at < text.size && head_is_token_char((char)text.data[*at]))
		++*at;
	out->name = span_of(text.data + start, *at - start);
	if (out->name.size == 0 || *at == text.size || text.data[*at] != '=')
		return PARAMETER_BAD;
	++*at;
	bool quoted = *at < text.size && text.data[*at] == '"';
	bool good = quoted ? read_quoted(text, at, a, &out->value) : read_token(text, at, a, &out->value);
	return good ? PARAMETER_FOUND : PARAMETER_BAD;
}

static bool name_is(struct span name, const char *wanted)
{
	return name.size == strlen(wanted) && strncasecmp((const char *)name.data, wanted, name.size) == 0;
}

/* Moves past the value before the first parameter, "form-data" of "form-data; name=x"; false if it is
 * another. */
static bool take_value(struct span text, size_t *at, const char *wanted)
{
	skip_blanks(text, at);
	size_t start = *at;
	while (*at < text.size && text.data[*at] != ';' && !is_blank((char)text.data[*at]))
		++*at;
	return name_is(span_of(text.data + start, *at - start), wanted);
}

/* ---- the boundary ---- */

static bool is_boundary(const char *text)
{
	size_t size = strlen(text);
	if (size == 0 || size > BOUNDARY_MAX || text[size - 1] == ' ')
		return false;
	for (; *text; text++) {
		bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			      (*text >= '0' && *text <= '9');
		if (!letter && strchr("'()+_,-./:=? ", *text) == NULL)
			return false;
	}
	return true;
}

static enum status read_boundary(const char *content_type, struct arena *a, const char **out, struct err *err)
{
	struct span text = span_of_text(content_type);
	size_t at = 0;
	if (!take_value(text, &at, "multipart/form-data"))
		return err_set(err, ST_INVALID,
			"The body must be multipart/form-data, but Content-Type says otherwise.");
	*out = NULL;
	struct parameter parameter;
	enum parameter_result result;
	while ((result = next_parameter(text, &at, a, &parameter)) == PARAMETER_FOUND) {
		if (!name_is(parameter.name, "boundary"))
			continue;
		if (*out)
			return err_set(err, ST_INVALID, "Content-Type names two boundaries.");
		*out = parameter.value;
	}
	if (result == PARAMETER_BAD)
		return err_set(err, ST_INVALID, "Content-Type has a malformed parameter.");
	if (*out == NULL)
		return err_set(err, ST_INVALID, "Content-Type of a multipart body must name its boundary.");
	if (!is_boundary(*out))
		return err_set(err, ST_INVALID,
			"The boundary in Content-Type must be 1 to 70 characters that RFC 2046 allows.");
	return ST_OK;
}

/* ---- headers of a part ---- */

/* "UTF-8''na%C3%AFve.png" (RFC 8187). */
static enum status decode_extended(char *value, const char **out, struct err *err)
{
	if (strncasecmp(value, "utf-8'", 6) != 0)
		return err_set(
			err, ST_INVALID, "A name with an asterisk must be in UTF-8 (filename*=UTF-8''…).");
	char *text = strchr(value + 6, '\'');
	if (text == NULL || !head_decode_path(text + 1))
		return err_set(err, ST_INVALID, "A name with an asterisk is malformed (filename*=UTF-8''…).");
	*out = text + 1;
	return ST_OK;
}

static bool is_good_name(const char *text)
{
	if (text == NULL)
		return true;
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	}
	return head_is_utf8(span_of_text(text));
}

struct disposition {
	const char *name, *filename, *name_extended, *filename_extended;
};

static enum status take_disposition(struct parameter p, struct disposition *d, struct err *err)
{
	const char **plain = name_is(p.name, "name")       ? &d->name
			     : name_is(p.name, "filename") ? &d->filename
							   : NULL;
	const char **extended = name_is(p.name, "name*")       ? &d->name_extended
				: name_is(p.name, "filename*") ? &d->filename_extended
							       : NULL;
	if ((plain && *plain) || (extended && *extended))
		return err_set(err, ST_INVALID, "A part of the multipart body gives its name twice.");
	if (plain)
		*plain = p.value;
	return extended ? decode_extended(p.value, extended, err) : ST_OK;
}

static enum status read_disposition(
	struct span value, struct arena *a, struct multipart_part *part, struct err *err)
{
	size_t at = 0;
	if (!take_value(value, &at, "form-data"))
		return err_set(err, ST_INVALID, "A part of the multipart body is not form-data.");
	struct disposition d = {0};
	struct parameter parameter;
	enum parameter_result result;
	while ((result = next_parameter(value, &at, a, &parameter)) == PARAMETER_FOUND)
		TRY(take_disposition(parameter, &d, err));
	const char *name = d.name_extended ? d.name_extended : d.name;
	part->filename = d.filename_extended ? d.filename_extended : d.filename;
	if (result == PARAMETER_BAD || !is_good_name(name) || !is_good_name(part->filename))
		return err_set(
			err, ST_INVALID, "A part of the multipart body has a malformed Content-Disposition.");
	if (name)
		part->name = name;
	return ST_OK;
}

static struct span trim(struct span text)
{
	while (text.size > 0 && is_blank((char)text.data[0]))
		text = span_of(text.data + 1, text.size - 1);
	while (text.size > 0 && is_blank((char)text.data[text.size - 1]))
		text.size--;
	return text;
}

static bool is_plain_encoding(struct span value)
{
	return name_is(value, "binary") || name_is(value, "8bit") || name_is(value, "7bit");
}

static bool has_control(struct span line)
{
	for (size_t i = 0; i < line.size; i++) {
		if ((line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
			return true;
	}
	return false;
}

struct part_fields {
	bool disposition, content_type;
};

static enum status read_field(struct span line, struct arena *a, struct multipart_part *part,
	struct part_fields *seen, struct err *err)
{
	const uint8_t *colon = memchr(line.data, ':', line.size);
	size_t name_size = colon ? (size_t)(colon - line.data) : 0;
	for (size_t i = 0; i < name_size; i++) {
		if (!head_is_token_char((char)line.data[i]))
			name_size = 0;
	}
	if (name_size == 0 || has_control(line))
		return err_set(err, ST_INVALID, "A part of the multipart body has a malformed header.");
	struct span name = span_of(line.data, name_size);
	struct span value = trim(span_of(colon + 1, line.size - name_size - 1));
	bool disposition = name_is(name, "Content-Disposition"), content_type = name_is(name, "Content-Type");
	if ((disposition && seen->disposition) || (content_type && seen->content_type))
		return err_set(err, ST_INVALID, "A part of the multipart body has the same header twice.");
	seen->disposition |= disposition;
	seen->content_type |= content_type;
	if (disposition)
		return read_disposition(value, a, part, err);
	if (content_type)
		part->content_type = arena_strndup(a, (const char *)value.data, value.size);
	if (name_is(name, "Content-Transfer-Encoding") && !is_plain_encoding(value))
		return err_set(err, ST_INVALID,
			"Parts of a multipart body must be sent as they are, not in base64 or the like.");
	return ST_OK;
}

/* Reads the header lines at *at and moves past the empty line that ends them. */
static enum status read_part_head(
	struct span body, size_t *at, struct arena *a, struct multipart_part *part, struct err *err)
{
	*part = (struct multipart_part){.name = ""};
	struct part_fields seen = {0};
	size_t head_end = body.size - *at > PART_HEAD_MAX ? *at + PART_HEAD_MAX : body.size;
	for (;;) {
		const uint8_t *line = body.data + *at;
		const uint8_t *end = memmem(line, head_end - *at, "\r\n", 2);
		if (end == NULL)
			return err_set(err, ST_INVALID,
				"The headers of a part of the multipart body have no end, or are larger than "
				"8 KiB.");
		*at = (size_t)(end - body.data) + 2;
		if (end == line)
			return ST_OK;
		TRY(read_field(span_of(line, (size_t)(end - line)), a, part, &seen, err));
	}
}

/* ---- delimiters ---- */

enum delimiter { DELIMITER_NONE, DELIMITER_PART, DELIMITER_LAST };

/* What stands after "--boundary" at *at: blanks and CRLF (another part), or "--" (the end). Moves past it. */
static enum delimiter read_delimiter_end(struct span body, size_t *at)
{
	size_t i = *at;
	bool last = body.size - i >= 2 && body.data[i] == '-' && body.data[i + 1] == '-';
	if (last)
		i += 2;
	skip_blanks(body, &i);
	bool line_end = body.size - i >= 2 && body.data[i] == '\r' && body.data[i + 1] == '\n';
	if (!line_end && !(last && i == body.size))
		return DELIMITER_NONE; /* a longer word that starts like the boundary */
	*at = line_end ? i + 2 : i;
	return last ? DELIMITER_LAST : DELIMITER_PART;
}

/* From *at, where a part's body starts, to the delimiter that ends it. */
static enum delimiter find_delimiter(
	struct span body, struct span delimiter, size_t *at, struct span *part_body)
{
	const uint8_t *start = body.data + *at;
	size_t from = *at;
	for (;;) {
		const uint8_t *found =
			memmem(body.data + from, body.size - from, delimiter.data, delimiter.size);
		if (found == NULL)
			return DELIMITER_NONE;
		size_t end = (size_t)(found - body.data) + delimiter.size;
		enum delimiter kind = read_delimiter_end(body, &end);
		if (kind != DELIMITER_NONE) {
			*part_body = span_of(start, (size_t)(found - start));
			*at = end;
			return kind;
		}
		from = (size_t)(found - body.data) + 1;
	}
}

/* Room for one more part. What a form of many files outgrows stays in the arena: at most as much again. */
static struct multipart_part *next_part(struct multipart *m, struct arena *a)
{
	if (m->count == m->room) {
		size_t room = m->room ? 2 * m->room : 8;
		struct multipart_part *parts = ARENA_ARRAY(a, struct multipart_part, room);
		if (m->count)
			memcpy(parts, m->parts, m->count * sizeof(*parts));
		m->parts = parts;
		m->room = room;
	}
	return &m->parts[m->count];
}

static enum status read_parts(
	struct span body, struct span delimiter, struct arena *a, struct multipart *m, struct err *err)
{
	/* The first delimiter has no CRLF before it; one that a client puts there is forgiven. */
	size_t at = body.size >= 2 && memcmp(body.data, "\r\n", 2) == 0 ? 2 : 0;
	size_t dashes = delimiter.size - 2;
	if (body.size - at < dashes || memcmp(body.data + at, delimiter.data + 2, dashes) != 0)
		return err_set(err, ST_INVALID, "The multipart body does not start with its boundary.");
	at += dashes;
	enum delimiter kind = read_delimiter_end(body, &at);
	if (kind == DELIMITER_NONE)
		return err_set(err, ST_INVALID, "The multipart body does not start with its boundary.");
	while (kind == DELIMITER_PART) {
		if (m->count == MULTIPART_PARTS_MAX)
			return err_set(err, ST_INVALID, "The multipart body has more than %d parts.",
				MULTIPART_PARTS_MAX);
		struct multipart_part *part = next_part(m, a);
		TRY(read_part_head(body, &at, a, part, err));
		/* The CRLF of the empty line may itself start the delimiter of an empty part. */
		at -= 2;
		struct span part_body;
		kind = find_delimiter(body, delimiter, &at, &part_body);
		if (kind == DELIMITER_NONE)
			return err_set(
				err, ST_INVALID, "The multipart body ends before its closing boundary.");
		part->body = part_body.size >= 2 ? span_of(part_body.data + 2, part_body.size - 2)
						 : span_of("", 0);
		m->count++;
	}
	return ST_OK;
}

enum status multipart_parse(
	const char *content_type, struct span body, struct arena *a, struct multipart **out, struct err *err)
{
	const char *boundary = NULL;
	if (content_type == NULL)
		return err_set(err, ST_INVALID,
			"A multipart body needs a Content-Type header that names its boundary.");
	TRY(read_boundary(content_type, a, &boundary, err));
	const char *delimiter = arena_printf(a, "\r\n--%s", boundary);
	struct multipart *m = ARENA_NEW(a, struct multipart);
	TRY(read_parts(body, span_of_text(delimiter), a, m, err));
	*out = m;
	return ST_OK;
}

const struct multipart_part *multipart_find(const struct multipart *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++) {
		if (strcmp(m->parts[i].name, name) == 0)
			return &m->parts[i];
	}
	return NULL;
}
