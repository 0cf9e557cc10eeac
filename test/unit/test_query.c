/* SPDX-License-Identifier: Apache-2.0 */
/* query/query.h: texts as trees, trees as texts, and what is said of a text that is none. */
#include "query/lex.h"
#include "query/query.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static int set_up(void **state)
{
	static struct arena arena;
	arena_init(&arena);
	*state = &arena;
	return 0;
}

static int tear_down(void **state)
{
	arena_release(*state);
	return 0;
}

static const struct query_node *parse(const char *text, struct arena *a)
{
	const struct query_node *node = NULL;
	struct err err = {.text = ""};
	enum status st = query_parse(span_of_text(text), a, &node, &err);
	if (st != ST_OK)
		print_error("%s: %s\n", text, err.text);
	assert_int_equal(st, ST_OK);
	return node;
}

static void test_texts_are_printed_in_one_way(void **state)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{"", ""},
		{" \t\n", ""},
		{"a=1", "a = 1"},
		{"a.b . c<=-1.5e3", "a.b.c <= -1500.0"},
		{"a != 'it\\'s'", "a != \"it's\""},
		{"a = \"\\\"\\\\\"", "a = \"\\\"\\\\\""},
		{"a = 1 AND b = 2 Or c = 3", "a = 1 and b = 2 or c = 3"},
		{"a = 1 and (b = 2 or c = 3)", "a = 1 and (b = 2 or c = 3)"},
		{"(a = 1 and b = 2) and c = 3", "a = 1 and b = 2 and c = 3"},
		{"a = 1 and (b = 2 and c = 3)", "a = 1 and (b = 2 and c = 3)"},
		{"not not a = 1", "not not a = 1"},
		{"not (a = 1 or b = 2)", "not (a = 1 or b = 2)"},
		{"a not in (1,'x',true,NULL)", "not a in (1, \"x\", true, null)"},
		{"a Contains 'x' and b NOT startswith 'y'", "a contains \"x\" and not b startswith \"y\""},
		{"tags.name in (\"n\u00f6\")", "tags.name in (\"n\u00f6\")"},
		{"metadata.\"camera id\".in = 5", "metadata.\"camera id\".in = 5"},
		{"metadata.\u00e9 = 5", "metadata.\u00e9 = 5"},
		{"a > 2026-11-24 and b < 2026-11-24T08:30:00.5+01:00",
			"a > \"2026-11-24\" and b < \"2026-11-24T08:30:00.5+01:00\""},
		{"a = 9223372036854775807", "a = 9223372036854775807"},
		{"a = 9223372036854775808", "a = 9.2233720368547758e+18"},
		{"a = 5.0 and b = -0.0", "a = 5.0 and b = -0.0"},
		{"((((a = 1))))", "a = 1"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(query_print(parse(cases[i].text, *state), *state), cases[i].printed);
}

static void test_what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{"a = )", "At character 5: expected a value after =, found ')'."},
		{"width =", "At character 8: expected a value after =, found the end."},
		{"a = b",
			"At character 5: expected a value after =, found the name 'b': a text needs quotes."},
		{"a", "At character 2: expected =, !=, <, <=, >, >=, in, contains or startswith after a, "
		      "found "
		      "the end."},
		{"a is null",
			"At character 3: expected =, !=, <, <=, >, >=, in, contains or startswith after "
			"a, found 'is'."},
		{"= 1", "At character 1: expected a name, like filename or tags.name, found '='."},
		{"\"a\" = 1", "At character 1: expected a name, like filename or tags.name, found '\"a\"'."},
		{"and = 1", "At character 1: expected a name, like filename or tags.name, found 'and'."},
		{"a. = 1", "At character 4: expected a name after the dot, found '='."},
		{"a in 5",
			"At character 6: expected a list in parentheses after in, like (\"a\", \"b\"), found "
			"'5'."},
		{"a in ()", "At character 7: expected a value after (, found ')'."},
		{"a in (1 2)", "At character 9: expected a comma or ')', found '2'."},
		{"a contains 5", "At character 12: expected a text in quotes after contains, found '5'."},
		{"a not = 1", "At character 7: expected in, contains or startswith after not, found '='."},
		{"(a = 1", "At character 7: expected and, or or ')', found the end."},
		{"a = 1)", "At character 6: expected and, or or the end, found ')'."},
		{"a = 1 b = 2", "At character 7: expected and, or or the end, found 'b'."},
		{"a = \"x", "At character 5: this text has no end: a \" is missing."},
		{"a = \"\\n\"",
			"At character 6: after a backslash comes \\, \" or ': write \\\\ for a backslash."},
		{"a = 12x", "At character 5: this is no number: texts need quotes, like \"12a\"."},
		{"a = 1e999", "At character 5: this number is too large."},
		{"a ; b", "At character 3: ';' means nothing here."},
		{"\u00e4 = \"\u00fc\" \u20ac \u20ac", /* letters count, bytes do not */
			"At character 9: expected and, or or the end, found '\u20ac'."},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct query_node *node;
		struct err err;
		assert_int_equal(query_parse(span_of_text(cases[i].text), *state, &node, &err), ST_INVALID);
		assert_string_equal(err.text, cases[i].sentence);
		assert_null(node);
	}
}

static const char *repeat(const char *text, int times, struct arena *a)
{
	size_t size = strlen(text);
	char *out = arena_alloc(a, size * (size_t)times + 1);
	for (int i = 0; i < times; i++)
		memcpy(out + size * (size_t)i, text, size);
	out[size * (size_t)times] = '\0';
	return out;
}

static enum status try(struct arena *a, const char *before, int times, const char *part, const char *after)
{
	const struct query_node *node;
	struct err err;
	const char *text = arena_printf(a, "%s%s%s", before, repeat(part, times, a), after);
	return query_parse(span_of_text(text), a, &node, &err);
}

static void test_limits(void **state)
{
	struct arena *a = *state;
	assert_int_equal(try(a, "", QUERY_DEPTH_MAX - 1, "not ", "a = 1"), ST_OK);
	assert_int_equal(try(a, "", QUERY_DEPTH_MAX, "not ", "a = 1"), ST_INVALID);
	assert_int_equal(try(a, "", 5000, "(", ""), ST_INVALID);
	assert_int_equal(try(a, "", QUERY_COMPARISONS_MAX - 1, "a = 1 or ", "a = 1"), ST_OK);
	assert_int_equal(try(a, "", QUERY_COMPARISONS_MAX, "a = 1 or ", "a = 1"), ST_INVALID);
	assert_int_equal(try(a, "a in (", QUERY_VALUES_MAX - 1, "1,", "1)"), ST_OK);
	assert_int_equal(try(a, "a in (", QUERY_VALUES_MAX, "1,", "1)"), ST_INVALID);
	assert_int_equal(try(a, "a", QUERY_PARTS_MAX - 1, ".a", " = 1"), ST_OK);
	assert_int_equal(try(a, "a", QUERY_PARTS_MAX, ".a", " = 1"), ST_INVALID);
	assert_int_equal(try(a, "", QUERY_BYTES_MAX - 5, " ", "a = 1"), ST_OK);
	assert_int_equal(try(a, "", QUERY_BYTES_MAX - 4, " ", "a = 1"), ST_INVALID);
}

/* ---- the property: printed and parsed again, a tree is the same ---- */

static void check_same(const struct query_node *x, const struct query_node *y)
{
	assert_int_equal(x->kind, y->kind);
	if (x->kind != QUERY_COMPARE) {
		check_same(x->left, y->left);
		if (x->kind != QUERY_NOT)
			check_same(x->right, y->right);
		return;
	}
	assert_int_equal(x->operator, y->operator);
	assert_int_equal(x->part_count, y->part_count);
	for (size_t i = 0; i < x->part_count; i++)
		assert_string_equal(x->parts[i], y->parts[i]);
	assert_int_equal(x->value_count, y->value_count);
	for (size_t i = 0; i < x->value_count; i++) {
		const struct query_value *v = &x->values[i], *w = &y->values[i];
		assert_int_equal(v->type, w->type);
		assert_int_equal(v->truth, w->truth);
		assert_int_equal(v->integer, w->integer);
		if (v->type == QUERY_REAL)
			assert_memory_equal(&v->real, &w->real, sizeof(v->real));
		if (v->type == QUERY_TEXT)
			assert_string_equal(v->text, w->text);
	}
}

static const char *const names[] = {"a", "filename", "x-1", "\u00f6l"};
static const char *const inner[] = {"name", "in", "and", "with space", "5", "", "it's \\ here", "\u00f6"};
static const char *const texts[] = {"", "x", "\"", "\\", "'", "a\nb", "\u20ac", "null"};

static struct query_value random_value(void)
{
	struct query_value v = {.type = (enum query_type)(random() % 5)};
	v.truth = v.type == QUERY_BOOL && random() % 2;
	if (v.type == QUERY_INTEGER) {
		v.integer = random() % 3 ? random() - RAND_MAX / 2 : random() % 2 ? INT64_MIN : INT64_MAX;
		v.real = (double)v.integer;
	} else if (v.type == QUERY_REAL) {
		v.real = (double)(random() - RAND_MAX / 2) / (double)(1 + random() % 1000);
		if (random() % 4 == 0)
			v.real *= 1e300;
	} else if (v.type == QUERY_TEXT) {
		v.text = texts[(size_t)random() % COUNT_OF(texts)];
	}
	return v;
}

static struct query_node *random_tree(struct arena *a, int depth)
{
	struct query_node *node = ARENA_NEW(a, struct query_node);
	node->kind = depth > 0 ? (enum query_kind)(random() % 4) : QUERY_COMPARE;
	if (node->kind != QUERY_COMPARE) {
		node->left = random_tree(a, depth - 1);
		node->right = node->kind == QUERY_NOT ? NULL : random_tree(a, depth - 1);
		return node;
	}
	node->part_count = 1 + (size_t)random() % 3;
	node->parts = ARENA_ARRAY(a, const char *, node->part_count);
	node->parts[0] = names[(size_t)random() % COUNT_OF(names)];
	for (size_t i = 1; i < node->part_count; i++)
		node->parts[i] = inner[(size_t)random() % COUNT_OF(inner)];
	node->operator=(enum query_operator)(random() % QUERY_OPERATOR_COUNT);
	node->value_count = node->operator== QUERY_IN ? 1 + (size_t)random() % 4 : 1;
	node->values = ARENA_ARRAY(a, struct query_value, node->value_count);
	for (size_t i = 0; i < node->value_count; i++)
		node->values[i] = random_value();
	if (node->operator== QUERY_CONTAINS || node->operator== QUERY_STARTS_WITH)
		node->values[0] = (struct query_value){.type = QUERY_TEXT, .text = texts[1]};
	return node;
}

static void test_printed_and_parsed_a_tree_is_the_same(void **state)
{
	const char *given = getenv("GYRE_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 4711;
	for (unsigned i = 0; i < 2000; i++) {
		struct arena a;
		arena_init(&a);
		srandom(seed + i);
		const struct query_node *tree = random_tree(&a, (int)(i % 6));
		const char *text = query_print(tree, &a);
		const struct query_node *again = parse(text, &a);
		check_same(tree, again);
		assert_string_equal(query_print(again, &a), text);
		arena_release(&a);
	}
}

static void test_places_are_characters(void **state)
{
	struct lexer l = {.text = span_of_text("\u00e4\u20ac = 1"), .arena = *state};
	struct token t;
	struct err err;
	assert_int_equal(lex_next(&l, &t, &err), ST_OK);
	assert_int_equal(t.kind, TOKEN_WORD);
	assert_int_equal(lex_next(&l, &t, &err), ST_OK);
	assert_int_equal(t.kind, TOKEN_OPERATOR);
	assert_int_equal(lex_character(&l, t.begin), 4);
	assert_string_equal(lex_show(&l, &t), "'='");
	assert_int_equal(lex_next(&l, &t, &err), ST_OK);
	assert_int_equal(t.value.at, 6);
	assert_int_equal(lex_next(&l, &t, &err), ST_OK);
	assert_int_equal(t.kind, TOKEN_END);
	assert_string_equal(lex_show(&l, &t), "the end");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_texts_are_printed_in_one_way),
		TEST(test_what_is_wrong_is_said_with_its_place),
		TEST(test_limits),
		TEST(test_printed_and_parsed_a_tree_is_the_same),
		TEST(test_places_are_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
