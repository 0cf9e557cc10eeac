/* SPDX-License-Identifier: Apache-2.0 */
/* query/filter.h: what queries find in a database with the real schema, and what is said of what they cannot.
 */
#include "query_world.h"

#include "query/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct world {
	struct db *db;
	struct db_conn *conn;
	struct arena arena;
};

static struct world world;

static int set_up(void **state)
{
	world.conn = query_world_open(&world.db);
	arena_init(&world.arena);
	return 0;
}

static int tear_down(void **state)
{
	db_disconnect(world.conn);
	db_close(world.db);
	arena_release(&world.arena);
	return 0;
}

static const char *find(enum query_noun noun, const char *column, const char *text)
{
	struct rows_page page = {.limit = 100};
	struct err err = {.text = ""};
	enum status st = query_filter(noun, text, &world.arena, &page.filter, &err);
	if (st != ST_OK)
		print_error("%s: %s\n", text, err.text);
	assert_int_equal(st, ST_OK);
	return query_world_list(world.conn, noun, column, &page, &world.arena);
}

/* The letters of the images that are found: "ab". */
static const char *images(const char *text)
{
	return find(QUERY_NOUN_data, "substr(data.filename, 1, 1)", text);
}

struct expected {
	const char *text, *found;
};

static void check_images(const struct expected *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *found = images(cases[i].text);
		if (strcmp(found, cases[i].found) != 0)
			print_error("%s\n", cases[i].text);
		assert_string_equal(found, cases[i].found);
	}
}

static void test_images_are_found(void **state)
{
	static const struct expected cases[] = {
		{"", "a b c d "},
		{"filename = \"a.jpg\"", "a "},
		{"name = \"a.jpg\"", "a "},
		{"filename = \"A.JPG\"", ""},
		{"filename != \"a.jpg\"", "b c d "},
		{"filename = 'd \"q\" %.png'", "d "},
		{"filename in (\"a.jpg\", \"c.png\", \"nope\")", "a c "},
		{"filename not in (\"a.jpg\", \"c.png\")", "b d "},
		{"filename contains \".p\"", "c d "},
		{"filename contains \"%\"", "d "}, /* no pattern */
		{"filename startswith \"d \" or filename startswith \"b\"", "b d "},
		{"filename > \"b\" and filename < \"d\"", "b c "},
		{"width > 64 and width <= 1280", "a b d "},
		{"width = 64.0", "c "},
		{"width in (64, 65)", "c d "},
		{"id = \"0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b\"", "b "},
	};
	check_images(cases, COUNT_OF(cases));
}

static void test_images_are_found_through_links(void **state)
{
	static const struct expected cases[] = {
		{"tags.name = \"rain\"", "a b "},
		{"tags.name != \"night\"", "b c d "}, /* has no such tag, not: has another */
		{"not tags.name = \"night\"", "b c d "},
		{"tags.name = \"rain\" and tags.name = \"night\"", "a "},
		{"tags.name in (\"night\", \"rain\")", "a b "},
		{"tags.name not in (\"night\")", "b c d "},
		{"tags.name = null", "c d "},
		{"tags.name != null", "a b "},
		{"tags.name in (\"night\", null)", "a c d "},
		{"tags.name startswith \"n\"", "a "},
		{"source.name = \"gate\"", "a "},
		{"data_source.name != \"gate\"", "b c d "}, /* those without a source too */
		{"source.name = null", "c d "},
		{"source.name > \"h\"", "b "},
		{"not source.name > \"h\"", "a c d "},
		{"datasets.name = \"streets\" and datasets.version = \"first\"", "a b c "},
		{"datasets.version = null", "d "},
		{"datasets.labels.name = \"bus\"", "a b c "},
	};
	check_images(cases, COUNT_OF(cases));
}

static void test_images_are_found_by_keys_and_times(void **state)
{
	static const struct expected cases[] = {
		{"custom_metadata.n = 5", "a "},
		{"custom_metadata.n = \"5\"", "b "},
		{"custom_metadata.n > 4", "a c "},
		{"custom_metadata.n > \"4\"", "b "},
		{"custom_metadata.n in (5, \"5\")", "a b "},
		{"custom_metadata.b = true", "a "}, /* 1 is a number */
		{"custom_metadata.b = 1", "b "},
		{"custom_metadata.b != true", "b c d "},
		{"custom_metadata.deep.er >= 1.5", "a "},
		{"custom_metadata.s contains \"x\"", "a "},
		{"custom_metadata.s startswith \"x\"", "a "},
		{"custom_metadata.nothing = null", "a b c d "},
		{"custom_metadata.n = null", "d "},
		{"metadata.\"camera id\" = \"k\"", "b "},
		{"custom_metadata.\"it's\" = 1", ""},
		/* times */
		{"created_at = 2026-11-24", "a c "},
		{"created_at < \"2026-11-24\"", "b "},
		{"created_at <= 2026-11-24", "a b c "},
		{"created_at > 2026-11-24", "d "},
		{"created_at >= 2026-11-24T12:00:00Z", "c d "},
		{"created_at = \"2026-11-24 13:00:00+01:00\"", "c "},
		{"created_at = 2026-11-24T12:00:00.4Z", ""},
		{"created_at = 2026-11-24T12:00:00.500000Z", "c "},
		{"created_at in (2026-11-23, 2026-11-25)", "b d "},
		{"created_at != 2026-11-24", "b d "},
		/* logic */
		{"width = 64 or width = 65 and height = 1", "c "},
		{"(width = 64 or width = 65) and height = 64", "c d "},
		{"not (width = 64 or tags.name = \"rain\")", "d "},
		{"not (width = 64 and tags.name = \"rain\")", "a b c d "},
		{"not (not width = 64 or not height = 64)", "c "},
		{"not (source.name = \"gate\" or not tags.name = \"rain\")", "b "},
	};
	check_images(cases, COUNT_OF(cases));
}

static void test_assets_are_found(void **state)
{
	static const struct {
		const char *text, *found;
	} cases[] = {
		{"filename = \"a.jpg\"", "61 "}, /* of the image */
		{"data.filename in (\"a.jpg\", \"b.jpg\")", "61 62 "},
		{"tags.name = \"hard\"", "61 "}, /* its own, not the image's */
		{"tags.name = \"rain\"", ""},
		{"data.tags.name = \"rain\"", "61 62 "},
		{"data.tags.name != \"night\"", "62 63 "},
		{"source.name = null", "63 "},
		{"custom_metadata.n = 7", "63 "},
		{"evaluation = true", "61 "},
		{"evaluation != true", "62 63 "},
		{"evaluation in (true, false)", "61 62 63 "},
		{"annotations.count = 0", "63 "},
		{"annotations.status = \"ACCEPTED\"", "61 "},
		{"annotations.status = null", "63 "},
		{"annotations.rectangles.label.name = \"car\"", "61 "},
		{"annotations.rectangles.label.name = \"bus\"", ""},
		{"annotations.label.name = \"bus\"", "61 "},
		{"annotations.shapes.w > 20", "61 "},
		{"annotations.shapes.w = null", "62 63 "},
		{"datasets.name = \"streets\"", "61 62 63 "},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_string_equal(find(QUERY_NOUN_asset, "hex(asset.id)", cases[i].text), cases[i].found);
}

/* ---- the property: SQL finds what an evaluation of the tree by hand finds ---- */

#define VALUES_MAX 3

/* What the four pictures of query_world.h have; texts end with NULL. */
static const struct picture {
	char letter;
	int64_t width;
	const char *filename[2], *source[2], *tags[VALUES_MAX];
} pictures[] = {
	{'a', 640, {"a.jpg"}, {"gate"}, {"night", "rain"}},
	{'b', 1280, {"b.jpg"}, {"yard"}, {"rain"}},
	{'c', 64, {"c.png"}, {NULL}, {NULL}},
	{'d', 65, {"d \"q\" %.png"}, {NULL}, {NULL}},
};

enum asked { ASKED_FILENAME, ASKED_SOURCE, ASKED_TAGS, ASKED_WIDTH, ASKED_COUNT };
static const char *const asked_paths[ASKED_COUNT][2] = {
	{"filename", NULL}, {"source", "name"}, {"tags", "name"}, {"width", NULL}};

static bool compares(enum query_operator operator, int order)
{
	switch (operator) {
	case QUERY_LESS: return order < 0;
	case QUERY_LESS_EQUAL: return order <= 0;
	case QUERY_GREATER: return order > 0;
	case QUERY_GREATER_EQUAL: return order >= 0;
	default: return order == 0;
	}
}

static bool text_holds(const struct query_node *node, const char *const *texts, const struct query_value *v)
{
	if (v->type == QUERY_NULL)
		return texts[0] == NULL;
	for (; *texts; texts++) {
		bool holds = compares(node->operator, strcmp(*texts, v->text));
		if (node->operator== QUERY_CONTAINS)
			holds = strstr(*texts, v->text) != NULL;
		if (node->operator== QUERY_STARTS_WITH)
			holds = strncmp(*texts, v->text, strlen(v->text)) == 0;
		if (holds)
			return true;
	}
	return false;
}

static bool comparison_holds(const struct query_node *node, const struct picture *p)
{
	bool holds = false;
	for (size_t i = 0; i < node->value_count; i++) {
		const struct query_value *v = &node->values[i];
		if (strcmp(node->parts[0], "width") == 0)
			holds = holds || (v->type != QUERY_NULL &&
						 compares(node->operator,(p->width > v->integer) -
										 (p->width < v->integer)));
		else
			holds = holds || text_holds(node,
						 node->parts[0][0] == 'f'   ? p->filename
						 : node->parts[0][0] == 's' ? p->source
									    : p->tags,
						 v);
	}
	return holds != (node->operator== QUERY_NOT_EQUAL);
}

static bool tree_holds(const struct query_node *node, const struct picture *p)
{
	switch (node->kind) {
	case QUERY_AND: return tree_holds(node->left, p) && tree_holds(node->right, p);
	case QUERY_OR: return tree_holds(node->left, p) || tree_holds(node->right, p);
	case QUERY_NOT: return !tree_holds(node->left, p);
	case QUERY_COMPARE: break;
	}
	return comparison_holds(node, p);
}

static struct query_value random_value(enum asked asked, bool null)
{
	static const char *const texts[] = {"a.jpg", "c.png", "gate", "night", "rain", "g", "p", "x"};
	if (null && random() % 4 == 0)
		return (struct query_value){.type = QUERY_NULL};
	if (asked == ASKED_WIDTH)
		return (struct query_value){
			.type = QUERY_INTEGER, .integer = (int64_t[]){64, 65, 100, 640}[random() % 4]};
	return (struct query_value){.type = QUERY_TEXT, .text = texts[random() % 8]};
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
	enum asked asked = (enum asked)(random() % ASKED_COUNT);
	node->parts = (const char **)asked_paths[asked];
	node->part_count = asked_paths[asked][1] ? 2 : 1;
	node->operator=(enum query_operator)(
		random() % (asked == ASKED_WIDTH ? QUERY_IN + 1 : QUERY_OPERATOR_COUNT));
	node->value_count = node->operator== QUERY_IN ? 1 + (size_t)random() % VALUES_MAX : 1;
	node->values = ARENA_ARRAY(a, struct query_value, node->value_count);
	bool null =
		node->operator== QUERY_EQUAL || node->operator== QUERY_NOT_EQUAL || node->operator== QUERY_IN;
	for (size_t i = 0; i < node->value_count; i++)
		node->values[i] = random_value(asked, null);
	return node;
}

static void test_sql_finds_what_the_tree_says(void **state)
{
	const char *given = getenv("GYRE_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 42;
	size_t found_some = 0;
	for (unsigned i = 0; i < 1500; i++) {
		struct arena a;
		char expected[2 * COUNT_OF(pictures) + 1];
		size_t size = 0;
		arena_init(&a);
		srandom(seed + i);
		const struct query_node *tree = random_tree(&a, (int)(i % 6));
		for (size_t p = 0; p < COUNT_OF(pictures); p++)
			if (tree_holds(tree, &pictures[p]))
				size += (size_t)snprintf(
					expected + size, sizeof(expected) - size, "%c ", pictures[p].letter);
		expected[size] = '\0';
		const char *text = query_print(tree, &a), *found = images(text);
		if (strcmp(found, expected) != 0)
			print_error("seed %u: %s\n", seed + i, text);
		assert_string_equal(found, expected);
		found_some += size > 0 && size < 2 * COUNT_OF(pictures);
		arena_release(&a);
	}
	assert_true(found_some > 500);
}

/* ---- every field of the table, on the schema as it is ---- */

static const struct {
	enum query_noun noun;
	const char *path;
	enum field_type type;
} all_fields[] = {
#define NOUN(noun, text)
#define FIELD(noun, path, type, sql, text) {QUERY_NOUN_##noun, path, FIELD_##type},
#define LINK(noun, part, other, how_many, from, text)
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
};

static const struct {
	enum query_noun noun, other;
	const char *part;
} all_links[] = {
#define NOUN(noun, text)
#define FIELD(noun, path, type, sql, text)
#define LINK(noun, part, other, how_many, from, text) {QUERY_NOUN_##noun, QUERY_NOUN_##other, part},
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
};

static void try_field(enum query_noun noun, const char *before, size_t f)
{
	static const char *const values[] = {[FIELD_ID] = "\"0b0b0b0b-0b0b-0b0b-0b0b-0b0b0b0b0b0b\"",
		[FIELD_TEXT] = "\"x\"",
		[FIELD_NUMBER] = "5",
		[FIELD_BOOL] = "true",
		[FIELD_TIME] = "2026-11-24",
		[FIELD_JSON] = "\"x\""};
	enum field_type type = all_fields[f].type;
	struct arena *a = &world.arena;
	const char *path =
		arena_printf(a, "%s%s%s", before, all_fields[f].path, type == FIELD_JSON ? ".key" : "");
	find(noun, "'x'",
		arena_printf(a, "%s = %s or not %s in (%s, null)", path, values[type], path, values[type]));
	if (type == FIELD_JSON)
		return;
	struct rows_page page = {.limit = 10};
	struct err err;
	enum status st = query_order(noun, &path, 1, a, &page.order_by, &err);
	if (st == ST_OK)
		query_world_list(world.conn, noun, "'x'", &page, a);
	else
		assert_true(strchr(before, '.') && strstr(err.text, "many"));
}

static void test_every_field_is_in_the_schema(void **state)
{
	for (size_t f = 0; f < COUNT_OF(all_fields); f++)
		try_field(all_fields[f].noun, "", f);
	for (size_t l = 0; l < COUNT_OF(all_links); l++)
		for (size_t f = 0; f < COUNT_OF(all_fields); f++)
			if (all_links[l].other == all_fields[f].noun && all_links[l].part[0])
				try_field(all_links[l].noun,
					arena_printf(&world.arena, "%s.", all_links[l].part), f);
}

static void test_what_does_not_fit_is_said(void **state)
{
	static const struct {
		enum query_noun noun;
		const char *text, *sentence;
	} cases[] = {
		{QUERY_NOUN_data, "width = \"x\"",
			"At character 9: width is a number: compare it with a number."},
		{QUERY_NOUN_data, "width = true",
			"At character 9: width is a number: compare it with a number."},
		{QUERY_NOUN_data, "filename = 5",
			"At character 12: filename is a text: compare it with a text in quotes."},
		{QUERY_NOUN_data, "filename in (\"a\", 5)",
			"At character 19: filename is a text: compare it with a text in quotes."},
		{QUERY_NOUN_data, "created_at > \"yesterday\"",
			"At character 14: created_at is a time: compare it with a date or time in quotes, "
			"like "
			"\"2026-11-24\" or \"2026-11-24T08:30:00Z\"."},
		{QUERY_NOUN_data, "id = \"x\"",
			"At character 6: id is an id: compare it with an id in quotes."},
		{QUERY_NOUN_data, "width < null",
			"At character 9: width is a number: compare it with a number."},
		{QUERY_NOUN_data, "width contains \"x\"",
			"At character 1: width is a number, and contains and startswith search in texts."},
		{QUERY_NOUN_asset, "evaluation > true",
			"At character 1: evaluation is true or false, which has no order: compare it with = "
			"or !=."},
		{QUERY_NOUN_data, "custom_metadata.x > true",
			"At character 21: true and false have no order: compare them with = or !=."},
		{QUERY_NOUN_data, "custom_metadata.'a\"b' = 1",
			"At character 1: a key cannot have a quotation mark in it."},
		{QUERY_NOUN_data, "width = 1 and tags = \"x\"",
			"At character 15: \"tags\" goes on after a dot: with name."},
		{QUERY_NOUN_data, "metadata = \"x\"",
			"At character 1: \"metadata\" goes on after a dot: with one of its keys."},
		{QUERY_NOUN_tag, "nam = \"x\"", "At character 1: a tag has no \"nam\", but name."},
		{QUERY_NOUN_data, "tags.nam = \"x\"", "At character 1: a tag has no \"nam\", but name."},
		{QUERY_NOUN_data, "width.x = 1", "At character 1: nothing follows \"width\" after a dot."},
		{QUERY_NOUN_data, "datasets.dataset.versions.dataset.versions.dataset.name = \"x\"",
			"At character 1: this name leads too far: 5 steps from thing to thing are the most."},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct rows_filter filter = {0};
		struct err err = {.text = ""};
		assert_int_equal(
			query_filter(cases[i].noun, cases[i].text, &world.arena, &filter, &err), ST_INVALID);
		assert_string_equal(err.text, cases[i].sentence);
		assert_null(filter.where);
	}
	struct rows_filter filter = {0};
	struct err err;
	assert_int_equal(
		query_filter(QUERY_NOUN_data, "colour = 1", &world.arena, &filter, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "an image has no \"colour\", but id, filename"));
	assert_non_null(strstr(err.text, "tags.…"));
}

/* ---- limits: the largest that is parsed also runs ---- */

static const char *repeat(const char *before, const char *text, int times, const char *after)
{
	struct arena *a = &world.arena;
	size_t size = strlen(text);
	char *middle = arena_alloc(a, size * (size_t)times + 1);
	for (int i = 0; i < times; i++)
		memcpy(middle + size * (size_t)i, text, size);
	middle[size * (size_t)times] = '\0';
	return arena_printf(a, "%s%s%s", before, middle, after);
}

static const char *written(bool negated, const char *left, const char *word, const char *right)
{
	return negated ? arena_printf(&world.arena, "(%s %s not (%s))", left, word, right)
		       : arena_printf(&world.arena, "(%s %s %s)", left, word, right);
}

static void test_the_largest_queries_run(void **state)
{
	images(repeat("", "tags.name != 'x' and ", QUERY_COMPARISONS_MAX - 1, "width = 1"));
	images(repeat("", "not width = 5 or ", QUERY_COMPARISONS_MAX - 1, "width = 1"));
	images(repeat("filename in (", "'x',", QUERY_VALUES_MAX - 1, "'y')"));
	images(repeat("created_at not in (", "2026-11-24,", 499, "2026-11-25)"));
	/* as deep as it may be, and with as many words in a row */
	const char *deep = "width = 1";
	for (int i = 0; i < (QUERY_DEPTH_MAX - 1) / 2; i++)
		deep = arena_printf(&world.arena, "not (tags.name = 'x' %s %s)", i % 2 ? "and" : "or", deep);
	images(deep);
	deep = "width = 1";
	for (int i = 0; i < QUERY_DEPTH_MAX - 1; i++)
		deep = arena_printf(
			&world.arena, "(%s %s custom_metadata.x != 5)", deep, i % 2 ? "and" : "or");
	images(deep);
	deep = "width = 1";
	for (int i = 0; i < QUERY_DEPTH_MAX - 1; i++)
		deep = arena_printf(
			&world.arena, "datasets.name in ('x', null) %s (%s)", i % 2 ? "and" : "or", deep);
	images(deep);
	/* through as many links as there may be, in trees that lean to the left, to the right, and to none */
	static const char far[] = "datasets.dataset.versions.dataset.versions.name in ('x', null)";
	for (int form = 0; form < 2; form++) {
		const char *left = far, *right = far, *even = far;
		for (int i = 0; i < QUERY_DEPTH_MAX / (form ? 3 : 1) - 1; i++) {
			const char *word = i % 2 && form == 0 ? "and" : "or";
			left = written(form, left, word, far);
			right = written(form, far, word, right);
			even = i < 7 ? written(form, even, word, even) : even;
		}
		images(left);
		images(right);
		images(even);
	}

	struct rows_filter filter = {0};
	struct err err;
	const char *many = repeat("created_at in (", "2026-11-24,", 600, "2026-11-25)");
	assert_int_equal(query_filter(QUERY_NOUN_data, many, &world.arena, &filter, &err), ST_INVALID);
	assert_non_null(strstr(err.text, "too many values"));
}

/* ---- orders ---- */

static const char *ordered(const char *const *names, size_t count)
{
	struct rows_page page = {.limit = 100};
	struct err err = {.text = ""};
	assert_int_equal(
		query_order(QUERY_NOUN_data, names, count, &world.arena, &page.order_by, &err), ST_OK);
	return query_world_list(
		world.conn, QUERY_NOUN_data, "substr(data.filename, 1, 1)", &page, &world.arena);
}

static void test_orders(void **state)
{
	assert_string_equal(ordered(NULL, 0), "a b c d ");
	assert_string_equal(ordered((const char *[]){"-width"}, 1), "b a d c ");
	assert_string_equal(ordered((const char *[]){"height", "-width"}, 2), "d c a b ");
	assert_string_equal(ordered((const char *[]){"-created_at"}, 1), "d c a b ");
	assert_string_equal(ordered((const char *[]){"-source.name", "name"}, 2), "b a c d ");
	static const char *const wrong[] = {"", "-", "colour", "tags.name", "metadata.x",
		"width = 1 or width", "width; DROP TABLE data", "1", "--width", "\"width\""};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		const char *sql;
		struct err err;
		assert_int_equal(
			query_order(QUERY_NOUN_data, &wrong[i], 1, &world.arena, &sql, &err), ST_INVALID);
		assert_null(sql);
	}
}

/* ---- custom metadata as an object ---- */

static enum status by_metadata(const char *json, const char **found, struct err *err)
{
	struct rows_page page = {.limit = 100};
	yyjson_doc *doc;
	assert_int_equal(json_parse(span_of_text(json), &world.arena, &doc, err), ST_OK);
	TRY(query_filter_metadata(
		QUERY_NOUN_data, yyjson_doc_get_root(doc), &world.arena, &page.filter, err));
	*found = query_world_list(
		world.conn, QUERY_NOUN_data, "substr(data.filename, 1, 1)", &page, &world.arena);
	return ST_OK;
}

static void test_metadata_as_an_object(void **state)
{
	static const struct {
		const char *json, *found;
	} cases[] = {
		{"{}", "a b c d "},
		{"{\"n\": 5}", "a "},
		{"{\"n\": 5, \"s\": \"x\"}", "a "},
		{"{\"n\": 5, \"s\": \"y\"}", ""},
		{"{\"deep\": {\"er\": 1.5}}", "a "},
		{"{\"b\": true}", "a "},
		{"{\"n\": null}", "d "},
		{"{\"in\": 1}", ""},
	};
	struct err err;
	const char *found;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(by_metadata(cases[i].json, &found, &err), ST_OK);
		assert_string_equal(found, cases[i].found);
	}
	assert_int_equal(by_metadata("[]", &found, &err), ST_INVALID);
	assert_int_equal(by_metadata("{\"a\": []}", &found, &err), ST_INVALID);
	assert_int_equal(by_metadata("{\"a\\\"b\": 1}", &found, &err), ST_INVALID);
	assert_int_equal(by_metadata("{\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\": {\"a\":"
				     " {\"a\": {\"a\": {\"a\": {}}}}}}}}}}}}}",
				 &found, &err),
		ST_INVALID);
}

static void test_filters_add_up(void **state)
{
	struct rows_page page = {.limit = 100};
	struct err err;
	struct arena *a = &world.arena;
	assert_int_equal(
		query_filter(QUERY_NOUN_data, "width = 64 or width = 640", a, &page.filter, &err), ST_OK);
	assert_int_equal(query_filter(QUERY_NOUN_data, "height = 64", a, &page.filter, &err), ST_OK);
	assert_string_equal(
		query_world_list(world.conn, QUERY_NOUN_data, "substr(data.filename, 1, 1)", &page, a), "c ");
	struct rows_filter none = {0}; /* binds nothing, and may be copied */
	assert_int_equal(query_filter(QUERY_NOUN_data, "tags.name = null", a, &none, &err), ST_OK);
	assert_int_equal(none.count, 0);
	assert_non_null(none.values);
}

/* ---- times ---- */

static void test_times(void **state)
{
	static const struct {
		const char *text;
		int64_t low_us, size_us;
	} good[] = {
		{"1970-01-01", 0, 86400000000},
		{"1969-12-31T23:59:59Z", -1000000, 1000000},
		{"2000-02-29", 951782400000000, 86400000000},
		{"2026-11-24T08:30", 1795509000000000, 60000000},
		{"2026-11-24t08:30:00z", 1795509000000000, 1000000},
		{"2026-11-24 08:30:00.25Z", 1795509000250000, 10000},
		{"2026-11-24T08:30:00.1234567Z", 1795509000123456, 1},
		{"2026-11-24T08:30:00-01:30", 1795514400000000, 1000000},
		{"0001-01-01", -62135596800000000, 86400000000},
		{"9999-12-31", 253402214400000000, 86400000000},
		{"2016-12-31T23:59:60Z", 1483228800000000, 1000000},
	};
	int64_t low, high;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_true(query_time(good[i].text, &low, &high));
		assert_int_equal(low, good[i].low_us);
		assert_int_equal(high - low, good[i].size_us);
	}
	static const char *const bad[] = {"", "2026", "2026-11", "2026-13-01", "2026-02-29", "1900-02-29",
		"2026-1-1", "2026-11-24T", "2026-11-24T08", "2026-11-24T24:00", "2026-11-24T08:30:61",
		"2026-11-24T08:30:00.", "2026-11-24T08:30:00X", "2026-11-24T08:30:00+1:00",
		"2026-11-24T08:30+01:00:00", "2026-11-24 ", "2026-11-24Z", "0000-01-01", "tomorrow",
		"2026-11-24T08:30:00Z "};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(query_time(bad[i], &low, &high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_images_are_found),
		cmocka_unit_test(test_images_are_found_through_links),
		cmocka_unit_test(test_images_are_found_by_keys_and_times),
		cmocka_unit_test(test_assets_are_found),
		cmocka_unit_test(test_sql_finds_what_the_tree_says),
		cmocka_unit_test(test_every_field_is_in_the_schema),
		cmocka_unit_test(test_what_does_not_fit_is_said),
		cmocka_unit_test(test_the_largest_queries_run),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_metadata_as_an_object),
		cmocka_unit_test(test_filters_add_up),
		cmocka_unit_test(test_times),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
