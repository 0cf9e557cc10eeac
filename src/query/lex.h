/* SPDX-License-Identifier: Apache-2.0 */
/* Inside query/ only: a text as tokens. */
#ifndef GYRE_QUERY_LEX_H
#define GYRE_QUERY_LEX_H

#include "query/query.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,  /* a name or a keyword */
	TOKEN_VALUE, /* a text in quotes, a number, a date */
	TOKEN_OPERATOR,
	TOKEN_DOT,
	TOKEN_COMMA,
	TOKEN_OPEN,
	TOKEN_CLOSE,
};

struct token {
	enum token_kind kind;
	size_t begin, end; /* bytes of the text */
	const char *word;  /* WORD: in the arena */
	struct query_value value;
	enum query_operator operator;
};

struct lexer {
	struct span text;
	size_t at; /* the next byte */
	struct arena *arena;
};

enum status lex_next(struct lexer *l, struct token *out, struct err *err) MUST_CHECK;
/* ST_INVALID, beginning with the place of a byte. */
enum status lex_fail(const struct lexer *l, size_t byte, struct err *err, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* A token as it stands in an error: 'width', or "the end". */
const char *lex_show(const struct lexer *l, const struct token *t);
/* The place of a byte, in characters from 1. */
size_t lex_character(const struct lexer *l, size_t byte);
bool lex_is_word_start(uint8_t c);
bool lex_is_word(uint8_t c);

#endif
