/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens as a tree, by recursive descent:
 *
 *	either     = both { "or" both }
 *	both       = one { "and" one }
 *	one        = "not" one | "(" either ")" | comparison
 *	comparison = path ( operator value | ["not"] ( "in" "(" value { "," value } ")" | word text ) )
 *	path       = name { "." ( name | text ) }
 */
#include "query/lex.h"

#include "base/check.h"

#include <strings.h>

struct parser {
	struct lexer lexer;
	struct token token; /* the next one */
	size_t depth, comparisons, values;
};

static enum status parse_either(struct parser *p, const struct query_node **out, struct err *err);

static enum status advance(struct parser *p, struct err *err)
{
	return lex_next(&p->lexer, &p->token, err);
}

static enum status expected(struct parser *p, const char *what, struct err *err)
{
	return lex_fail(&p->lexer, p->token.begin, err, "expected %s, found %s.", what,
		lex_show(&p->lexer, &p->token));
}

static bool is_word(const struct parser *p, const char *word)
{
	return p->token.kind == TOKEN_WORD && strcasecmp(p->token.word, word) == 0;
}

static bool is_keyword(const char *word)
{
	static const char *const words[] = {
		"and", "or", "not", "in", "contains", "startswith", "true", "false", "null"};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strcasecmp(words[i], word) == 0)
			return true;
	return false;
}

static struct query_node *node_new(struct parser *p, enum query_kind kind)
{
	struct query_node *node = ARENA_NEW(p->lexer.arena, struct query_node);
	node->kind = kind;
	node->at = lex_character(&p->lexer, p->token.begin);
	return node;
}

static enum status enter(struct parser *p, struct err *err)
{
	if (++p->depth <= QUERY_DEPTH_MAX)
		return ST_OK;
	return lex_fail(&p->lexer, p->token.begin, err, "this is nested too deeply: %d levels are the most.",
		QUERY_DEPTH_MAX);
}

/* after: "=" or "in", for the sentence. */
static enum status parse_value(struct parser *p, struct query_node *node, const char *after, struct err *err)
{
	if (p->values == QUERY_VALUES_MAX)
		return lex_fail(&p->lexer, p->token.begin, err,
			"this is one value too many: %d are the most.", QUERY_VALUES_MAX);
	struct query_value value = p->token.value;
	if (p->token.kind == TOKEN_WORD) {
		value.type = is_word(p, "null") ? QUERY_NULL : QUERY_BOOL;
		value.truth = is_word(p, "true");
		if (!is_word(p, "null") && !is_word(p, "true") && !is_word(p, "false"))
			return lex_fail(&p->lexer, p->token.begin, err,
				"expected a value after %s, found the name %s: a text needs quotes.", after,
				lex_show(&p->lexer, &p->token));
	} else if (p->token.kind != TOKEN_VALUE) {
		return expected(p, arena_printf(p->lexer.arena, "a value after %s", after), err);
	}
	p->values++;
	size_t n = node->value_count++;
	if ((n & (n - 1)) == 0) { /* room doubles */
		struct query_value *more = ARENA_ARRAY(p->lexer.arena, struct query_value, n ? 2 * n : 1);
		if (n)
			memcpy(more, node->values, n * sizeof(*more));
		node->values = more;
	}
	node->values[n] = value;
	return advance(p, err);
}

static enum status parse_list(struct parser *p, struct query_node *node, struct err *err)
{
	node->operator= QUERY_IN;
	TRY(advance(p, err));
	if (p->token.kind != TOKEN_OPEN)
		return expected(p, "a list in parentheses after in, like (\"a\", \"b\")", err);
	do {
		TRY(advance(p, err));
		TRY(parse_value(p, node, node->value_count ? "," : "(", err));
	} while (p->token.kind == TOKEN_COMMA);
	if (p->token.kind != TOKEN_CLOSE)
		return expected(p, "a comma or ')'", err);
	return advance(p, err);
}

static enum status parse_search(
	struct parser *p, struct query_node *node, enum query_operator operator, struct err * err)
{
	const char *word = operator== QUERY_CONTAINS ? "contains" : "startswith";
	node->operator= operator;
	TRY(advance(p, err));
	if (p->token.kind != TOKEN_VALUE || p->token.value.type != QUERY_TEXT)
		return expected(p, arena_printf(p->lexer.arena, "a text in quotes after %s", word), err);
	return parse_value(p, node, word, err);
}

static enum status parse_operation(struct parser *p, struct query_node *node, struct err *err)
{
	static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
	if (p->token.kind == TOKEN_OPERATOR) {
		node->operator= p->token.operator;
		TRY(advance(p, err));
		return parse_value(p, node, signs[node->operator], err);
	}
	if (is_word(p, "in"))
		return parse_list(p, node, err);
	if (is_word(p, "contains"))
		return parse_search(p, node, QUERY_CONTAINS, err);
	if (is_word(p, "startswith"))
		return parse_search(p, node, QUERY_STARTS_WITH, err);
	return expected(p,
		arena_printf(p->lexer.arena, "=, !=, <, <=, >, >=, in, contains or startswith after %s",
			query_path(node, p->lexer.arena)),
		err);
}

static enum status parse_path(struct parser *p, struct query_node *node, struct err *err)
{
	const char *parts[QUERY_PARTS_MAX];
	if (p->token.kind != TOKEN_WORD || is_keyword(p->token.word))
		return expected(p, "a name, like filename or tags.name", err);
	parts[node->part_count++] = p->token.word;
	TRY(advance(p, err));
	while (p->token.kind == TOKEN_DOT) {
		TRY(advance(p, err));
		bool quoted = p->token.kind == TOKEN_VALUE && p->token.value.type == QUERY_TEXT;
		if (p->token.kind != TOKEN_WORD && !quoted)
			return expected(p, "a name after the dot", err);
		if (node->part_count == QUERY_PARTS_MAX)
			return lex_fail(&p->lexer, p->token.begin, err,
				"this name has too many parts: %d are the most.", QUERY_PARTS_MAX);
		parts[node->part_count++] = quoted ? p->token.value.text : p->token.word;
		TRY(advance(p, err));
	}
	node->parts = ARENA_ARRAY(p->lexer.arena, const char *, node->part_count);
	memcpy(node->parts, parts, node->part_count * sizeof(parts[0]));
	return ST_OK;
}

static enum status parse_comparison(struct parser *p, const struct query_node **out, struct err *err)
{
	struct query_node *node = node_new(p, QUERY_COMPARE), *not = NULL;
	if (p->comparisons++ == QUERY_COMPARISONS_MAX)
		return lex_fail(&p->lexer, p->token.begin, err,
			"this is one comparison too many: %d are the most; in (…) takes many values.",
			QUERY_COMPARISONS_MAX);
	TRY(parse_path(p, node, err));
	if (is_word(p, "not")) {
		not = node_new(p, QUERY_NOT);
		TRY(advance(p, err));
		if (p->token.kind == TOKEN_OPERATOR)
			return expected(p, "in, contains or startswith after not", err);
	}
	TRY(parse_operation(p, node, err));
	if (not )
		not ->left = node;
	*out = not ? not : node;
	return ST_OK;
}

static enum status parse_one(struct parser *p, const struct query_node **out, struct err *err)
{
	TRY(enter(p, err));
	if (is_word(p, "not")) {
		struct query_node *node = node_new(p, QUERY_NOT);
		TRY(advance(p, err));
		TRY(parse_one(p, &node->left, err));
		*out = node;
	} else if (p->token.kind == TOKEN_OPEN) {
		TRY(advance(p, err));
		TRY(parse_either(p, out, err));
		if (p->token.kind != TOKEN_CLOSE)
			return expected(p, "and, or or ')'", err);
		TRY(advance(p, err));
	} else {
		TRY(parse_comparison(p, out, err));
	}
	p->depth--;
	return ST_OK;
}

static enum status parse_both(struct parser *p, const struct query_node **out, struct err *err)
{
	TRY(parse_one(p, out, err));
	while (is_word(p, "and")) {
		struct query_node *node = node_new(p, QUERY_AND);
		node->left = *out;
		TRY(advance(p, err));
		TRY(parse_one(p, &node->right, err));
		*out = node;
	}
	return ST_OK;
}

static enum status parse_either(struct parser *p, const struct query_node **out, struct err *err)
{
	TRY(parse_both(p, out, err));
	while (is_word(p, "or")) {
		struct query_node *node = node_new(p, QUERY_OR);
		node->left = *out;
		TRY(advance(p, err));
		TRY(parse_both(p, &node->right, err));
		*out = node;
	}
	return ST_OK;
}

enum status query_parse(struct span text, struct arena *a, const struct query_node **out, struct err *err)
{
	struct parser p = {.lexer = {.text = text, .arena = a}};
	*out = NULL;
	if (text.size > QUERY_BYTES_MAX)
		return err_set(err, ST_INVALID,
			"The query is too long: it has %zu bytes, and %d is the most.", text.size,
			QUERY_BYTES_MAX);
	TRY(advance(&p, err));
	if (p.token.kind == TOKEN_END)
		return ST_OK;
	const struct query_node *node = NULL;
	TRY(parse_either(&p, &node, err));
	if (p.token.kind != TOKEN_END)
		return expected(&p, "and, or or the end", err);
	*out = node;
	return ST_OK;
}
