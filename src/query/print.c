/* SPDX-License-Identifier: Apache-2.0 */
/* A tree as a text that gives the same tree: parentheses only where they are needed. */
#include "query/lex.h"

#include "base/check.h"
#include "base/str.h"

#include <inttypes.h>

static void print_text(struct str *s, const char *text)
{
	str_append(s, "\"");
	for (const char *c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			str_append(s, "\\");
		str_append_bytes(s, c, 1);
	}
	str_append(s, "\"");
}

static void print_path(struct str *s, const struct query_node *node)
{
	for (size_t i = 0; i < node->part_count; i++) {
		const char *part = node->parts[i];
		bool plain = lex_is_word_start((uint8_t)part[0]);
		for (const char *c = part; *c; c++)
			plain = plain && lex_is_word((uint8_t)*c);
		if (i)
			str_append(s, ".");
		if (plain)
			str_append(s, part);
		else
			print_text(s, part);
	}
}

static void print_value(struct str *s, const struct query_value *v)
{
	size_t before = s->size;
	switch (v->type) {
	case QUERY_NULL: str_append(s, "null"); break;
	case QUERY_BOOL: str_append(s, v->truth ? "true" : "false"); break;
	case QUERY_INTEGER: str_printf(s, "%" PRId64, v->integer); break;
	case QUERY_REAL:
		str_printf(s, "%.17g", v->real);
		if (strpbrk(str_text(s) + before, ".e") == NULL)
			str_append(s, ".0");
		break;
	case QUERY_TEXT: print_text(s, v->text); break;
	}
}

static void print_comparison(struct str *s, const struct query_node *node)
{
	static const char *const operators[QUERY_OPERATOR_COUNT] = {[QUERY_EQUAL] = " = ",
		[QUERY_NOT_EQUAL] = " != ",
		[QUERY_LESS] = " < ",
		[QUERY_LESS_EQUAL] = " <= ",
		[QUERY_GREATER] = " > ",
		[QUERY_GREATER_EQUAL] = " >= ",
		[QUERY_IN] = " in (",
		[QUERY_CONTAINS] = " contains ",
		[QUERY_STARTS_WITH] = " startswith "};
	print_path(s, node);
	str_append(s, operators[node->operator]);
	for (size_t i = 0; i < node->value_count; i++) {
		str_append(s, i ? ", " : "");
		print_value(s, &node->values[i]);
	}
	if (node->operator== QUERY_IN)
		str_append(s, ")");
}

static void print_node(struct str *s, const struct query_node *node);

/* In parentheses when it would bind otherwise. */
static void print_inside(struct str *s, const struct query_node *node, bool parentheses)
{
	str_append(s, parentheses ? "(" : "");
	print_node(s, node);
	str_append(s, parentheses ? ")" : "");
}

static void print_node(struct str *s, const struct query_node *node)
{
	const struct query_node *left = node->left, *right = node->right;
	switch (node->kind) {
	case QUERY_AND:
		print_inside(s, left, left->kind == QUERY_OR);
		str_append(s, " and ");
		print_inside(s, right, right->kind == QUERY_OR || right->kind == QUERY_AND);
		break;
	case QUERY_OR:
		print_inside(s, left, false);
		str_append(s, " or ");
		print_inside(s, right, right->kind == QUERY_OR);
		break;
	case QUERY_NOT:
		str_append(s, "not ");
		print_inside(s, left, left->kind == QUERY_AND || left->kind == QUERY_OR);
		break;
	case QUERY_COMPARE: print_comparison(s, node); break;
	}
}

static const char *keep(struct str *s, struct arena *a)
{
	CHECK(!s->full);
	const char *text = arena_strdup(a, str_text(s));
	str_release(s);
	return text;
}

const char *query_print(const struct query_node *node, struct arena *a)
{
	struct str s;
	str_init(&s, (size_t)64 * QUERY_BYTES_MAX);
	if (node)
		print_node(&s, node);
	return keep(&s, a);
}

const char *query_path(const struct query_node *node, struct arena *a)
{
	struct str s;
	str_init(&s, (size_t)4 * QUERY_BYTES_MAX);
	print_path(&s, node);
	return keep(&s, a);
}
