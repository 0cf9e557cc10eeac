/* SPDX-License-Identifier: Apache-2.0 */
/* A text as tokens. Bytes of 0x80 and above count as letters, so that names and texts may be in any script.
 */
#include "query/lex.h"

#include "base/check.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_BYTES_MAX 40
#define NUMBER_BYTES_MAX 64

size_t lex_character(const struct lexer *l, size_t byte)
{
	size_t characters = 1;
	for (size_t i = 0; i < byte && i < l->text.size; i++)
		characters += (l->text.data[i] & 0xc0) != 0x80;
	return characters;
}

enum status lex_fail(const struct lexer *l, size_t byte, struct err *err, const char *format, ...)
{
	char what[360];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(err, ST_INVALID, "At character %zu: %s", lex_character(l, byte), what);
}

const char *lex_show(const struct lexer *l, const struct token *t)
{
	if (t->kind == TOKEN_END)
		return "the end";
	size_t size = t->end - t->begin;
	bool cut = size > SHOWN_BYTES_MAX;
	if (cut)
		for (size = SHOWN_BYTES_MAX; size > 1 && (l->text.data[t->begin + size] & 0xc0) == 0x80;)
			size--;
	return arena_printf(
		l->arena, "'%.*s%s'", (int)size, (const char *)l->text.data + t->begin, cut ? "…" : "");
}

/* The byte so many after the next; 0 past the end. */
static uint8_t peek(const struct lexer *l, size_t ahead)
{
	return ahead < l->text.size - l->at ? l->text.data[l->at + ahead] : 0;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool lex_is_word_start(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

bool lex_is_word(uint8_t c)
{
	return lex_is_word_start(c) || is_digit(c) || c == '-';
}

static void lex_word(struct lexer *l, struct token *t)
{
	t->kind = TOKEN_WORD;
	while (lex_is_word(peek(l, 0)))
		l->at++;
	t->word = arena_strndup(l->arena, (const char *)l->text.data + t->begin, l->at - t->begin);
}

static enum status lex_text(struct lexer *l, struct token *t, struct err *err)
{
	uint8_t quote = peek(l, 0);
	size_t room = 1, size = 0;
	while (peek(l, room) && peek(l, room) != quote)
		room += peek(l, room) == '\\' ? 2 : 1;
	char *text = arena_alloc(l->arena, room);
	for (l->at++; peek(l, 0) != quote; l->at++) {
		uint8_t c = peek(l, 0);
		if (l->at >= l->text.size)
			return lex_fail(l, t->begin, err, "this text has no end: a %c is missing.", quote);
		if (c == 0)
			return lex_fail(l, l->at, err, "a text cannot have a NUL in it.");
		if (c == '\\') {
			c = peek(l, 1);
			if (c != '\\' && c != '"' && c != '\'')
				return lex_fail(l, l->at, err,
					"after a backslash comes \\, \" or ': write \\\\ for a backslash.");
			l->at++;
		}
		text[size++] = (char)c;
	}
	l->at++;
	text[size] = '\0';
	t->kind = TOKEN_VALUE;
	t->value = (struct query_value){.type = QUERY_TEXT, .text = text};
	return ST_OK;
}

/* 2026-11-24, perhaps with a time: a text that needs no quotes. */
static bool lex_date(struct lexer *l, struct token *t)
{
	static const char form[] = "0000-00-00";
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? !is_digit(peek(l, i)) : peek(l, i) != (uint8_t)form[i])
			return false;
	size_t size = sizeof(form) - 1;
	if (peek(l, size) == 'T' || peek(l, size) == 't')
		while (peek(l, size) && strchr("0123456789:.+-TZtz", peek(l, size)))
			size++;
	l->at += size;
	t->kind = TOKEN_VALUE;
	t->value = (struct query_value){.type = QUERY_TEXT,
		.text = arena_strndup(l->arena, (const char *)l->text.data + t->begin, size)};
	return true;
}

static size_t digits(const struct lexer *l, size_t from)
{
	size_t size = 0;
	while (is_digit(peek(l, from + size)))
		size++;
	return size;
}

static enum status lex_number(struct lexer *l, struct token *t, struct err *err)
{
	size_t size = peek(l, 0) == '-' || peek(l, 0) == '+', whole = digits(l, size);
	bool integer = true;
	size += whole;
	if (peek(l, size) == '.' && is_digit(peek(l, size + 1))) {
		size += 1 + digits(l, size + 1);
		integer = false;
	}
	size_t sign = peek(l, size + 1) == '-' || peek(l, size + 1) == '+';
	if ((peek(l, size) | 0x20) == 'e' && is_digit(peek(l, size + 1 + sign))) {
		size += 1 + sign + digits(l, size + 1 + sign);
		integer = false;
	}
	if (whole == 0 || size > NUMBER_BYTES_MAX || lex_is_word(peek(l, size)))
		return lex_fail(l, t->begin, err, "this is no number: texts need quotes, like \"12a\".");
	char copy[NUMBER_BYTES_MAX + 1];
	memcpy(copy, l->text.data + l->at, size);
	copy[size] = '\0';
	l->at += size;
	t->kind = TOKEN_VALUE;
	errno = 0;
	t->value.integer = integer ? strtoll(copy, NULL, 10) : 0;
	integer = integer && errno == 0;
	t->value.real = strtod(copy, NULL);
	if (!isfinite(t->value.real))
		return lex_fail(l, t->begin, err, "this number is too large.");
	t->value.type = integer ? QUERY_INTEGER : QUERY_REAL;
	if (!integer)
		t->value.integer = 0;
	return ST_OK;
}

static enum status lex_operator(struct lexer *l, struct token *t, struct err *err)
{
	static const struct {
		const char *text;
		enum query_operator operator;
	} operators[] = {{"!=", QUERY_NOT_EQUAL}, {"<=", QUERY_LESS_EQUAL}, {">=", QUERY_GREATER_EQUAL},
		{"=", QUERY_EQUAL}, {"<", QUERY_LESS}, {">", QUERY_GREATER}};
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		size_t size = strlen(operators[i].text);
		if (peek(l, 0) == (uint8_t)operators[i].text[0] &&
			(size == 1 || peek(l, 1) == (uint8_t)operators[i].text[1])) {
			l->at += size;
			t->kind = TOKEN_OPERATOR;
			t->operator= operators[i].operator;
			return ST_OK;
		}
	}
	size_t size = 1;
	while ((peek(l, size) & 0xc0) == 0x80)
		size++;
	struct token odd = {.kind = TOKEN_OPERATOR, .begin = t->begin, .end = t->begin + size};
	return lex_fail(l, t->begin, err, "%s means nothing here.", lex_show(l, &odd));
}

static enum status lex_token(struct lexer *l, struct token *t, struct err *err)
{
	static const struct {
		char c;
		enum token_kind kind;
	} marks[] = {{'.', TOKEN_DOT}, {',', TOKEN_COMMA}, {'(', TOKEN_OPEN}, {')', TOKEN_CLOSE}};
	uint8_t c = peek(l, 0);
	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		if (c == (uint8_t)marks[i].c) {
			t->kind = marks[i].kind;
			l->at++;
			return ST_OK;
		}
	}
	if (c == '"' || c == '\'')
		return lex_text(l, t, err);
	if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(l, 1))))
		return lex_date(l, t) ? ST_OK : lex_number(l, t, err);
	if (!lex_is_word_start(c))
		return lex_operator(l, t, err);
	lex_word(l, t);
	return ST_OK;
}

enum status lex_next(struct lexer *l, struct token *out, struct err *err)
{
	while (peek(l, 0) == ' ' || (peek(l, 0) >= '\t' && peek(l, 0) <= '\r'))
		l->at++;
	*out = (struct token){.kind = TOKEN_END, .begin = l->at, .end = l->at};
	if (l->at >= l->text.size)
		return ST_OK;
	TRY(lex_token(l, out, err));
	CHECK(l->at > out->begin);
	out->end = l->at;
	out->value.at = lex_character(l, out->begin);
	return ST_OK;
}
