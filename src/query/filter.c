/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as SQL. `not` is carried down to the comparisons, which are made definite before they are negated:
 * what is not known (no such value) is false, and its negation true. So parentheses are as deep as the
 * alternation of and and or.
 */
#include "query/write.h"

#include "base/check.h"

#define SQL_MAX ((size_t)1 << 20)

/*
 * How much of the SQL parser's stack a tree takes at most (its 100 places are fixed): a place for a
 * parenthesis, three for what follows an operator. So the side that takes more goes first, and the depth to
 * the right stays logarithmic.
 */
static int stack_need(const struct query_node *node)
{
	if (node->kind == QUERY_COMPARE)
		return 0;
	if (node->kind == QUERY_NOT)
		return stack_need(node->left);
	int left = stack_need(node->left), right = stack_need(node->right);
	int more = left > right ? left : right, less = left > right ? right : left;
	return more + 1 > less + 3 ? more + 1 : less + 3;
}

static enum status write_node(struct writer *w, const struct query_node *node, bool negated, struct err *err);

/* A chain of ands (or ors) needs no parentheses inside. */
static enum status write_side(struct writer *w, const struct query_node *node, const struct query_node *side,
	bool negated, struct err *err)
{
	bool inner = false;
	while (side->kind == QUERY_NOT) {
		side = side->left;
		inner = !inner;
	}
	/* The same word, when both or none are negated; an `and` that is negated is an `or`. */
	bool same = side->kind == QUERY_COMPARE || (side->kind == node->kind) == !inner;
	str_append(&w->sql, same ? "" : "(");
	TRY(write_node(w, side, negated != inner, err));
	str_append(&w->sql, same ? "" : ")");
	return ST_OK;
}

static enum status write_node(struct writer *w, const struct query_node *node, bool negated, struct err *err)
{
	if (node->kind == QUERY_COMPARE)
		return query_write_comparison(w, node, negated, err);
	if (node->kind == QUERY_NOT)
		return write_node(w, node->left, !negated, err);
	bool swap = stack_need(node->right) > stack_need(node->left);
	TRY(write_side(w, node, swap ? node->right : node->left, negated, err));
	str_append(&w->sql, (node->kind == QUERY_AND) == !negated ? " AND " : " OR ");
	return write_side(w, node, swap ? node->left : node->right, negated, err);
}

static enum status write_tree(
	struct writer *w, const struct query_node *node, struct rows_filter *filter, struct err *err)
{
	str_init(&w->sql, SQL_MAX);
	enum status st = write_node(w, node, false, err);
	if (st == ST_OK) {
		CHECK(!w->sql.full);
		struct rows_filter more = {
			.where = arena_strdup(w->arena, str_text(&w->sql)),
			.values = w->values,
			.count = w->count,
		};
		query_filter_and(filter, &more, w->arena);
	}
	str_release(&w->sql);
	if (st == ST_OK && filter->count > QUERY_BINDINGS_MAX)
		return query_too_many(0, err);
	return st;
}

enum status query_filter(
	enum query_noun noun, const char *text, struct arena *a, struct rows_filter *filter, struct err *err)
{
	const struct query_node *node;
	struct writer w = {.arena = a, .noun = noun};
	TRY(query_parse(span_of_text(text), a, &node, err));
	return node ? write_tree(&w, node, filter, err) : ST_OK;
}

void query_filter_and(struct rows_filter *filter, const struct rows_filter *more, struct arena *a)
{
	if (more->where == NULL)
		return;
	if (filter->where == NULL) {
		*filter = *more;
		if (filter->values == NULL) /* so that whoever copies them need not ask */
			filter->values = ARENA_NEW(a, struct db_value);
		return;
	}
	size_t count = filter->count + more->count;
	struct db_value *values = ARENA_ARRAY(a, struct db_value, count ? count : 1);
	if (filter->count)
		memcpy(values, filter->values, filter->count * sizeof(*values));
	if (more->count)
		memcpy(values + filter->count, more->values, more->count * sizeof(*values));
	*filter = (struct rows_filter){
		.where = arena_printf(a, "(%s) AND (%s)", filter->where, more->where),
		.values = values,
		.count = count,
	};
}

/* ---- custom metadata ---- */

struct metadata {
	struct writer writer;
	struct rows_filter *filter;
	const char *parts[QUERY_PARTS_MAX];
	size_t part_count, comparisons;
};

static enum status add_member(struct metadata *m, yyjson_val *value, struct err *err)
{
	struct query_value v = {.type = QUERY_NULL};
	if (yyjson_is_str(value))
		v = (struct query_value){.type = QUERY_TEXT, .text = yyjson_get_str(value)};
	else if (yyjson_is_bool(value))
		v = (struct query_value){.type = QUERY_BOOL, .truth = yyjson_get_bool(value)};
	else if (yyjson_is_sint(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) <= INT64_MAX))
		v = (struct query_value){.type = QUERY_INTEGER, .integer = yyjson_get_sint(value)};
	else if (yyjson_is_num(value))
		v = (struct query_value){.type = QUERY_REAL, .real = yyjson_get_num(value)};
	else if (!yyjson_is_null(value))
		return err_set(err, ST_INVALID,
			"\"custom_metadata\" can ask for texts, numbers, true, false and null, not for a "
			"list.");
	if (m->comparisons++ == QUERY_COMPARISONS_MAX)
		return err_set(err, ST_INVALID,
			"\"custom_metadata\" asks for too much: %d values are the most.",
			QUERY_COMPARISONS_MAX);
	struct query_node node = {.kind = QUERY_COMPARE,
		.parts = m->parts,
		.part_count = m->part_count,
		.operator= QUERY_EQUAL,
		.values = &v,
		.value_count = 1};
	struct writer w = m->writer;
	return write_tree(&w, &node, m->filter, err);
}

static enum status add_object(struct metadata *m, yyjson_val *object, struct err *err)
{
	size_t i, n;
	yyjson_val *key, *value;
	if (m->part_count == QUERY_PARTS_MAX)
		return err_set(err, ST_INVALID, "\"custom_metadata\" is nested too deeply.");
	yyjson_obj_foreach (object, i, n, key, value) {
		m->parts[m->part_count++] = yyjson_get_str(key);
		TRY(yyjson_is_obj(value) ? add_object(m, value, err) : add_member(m, value, err));
		m->part_count--;
	}
	return ST_OK;
}

enum status query_filter_metadata(enum query_noun noun, yyjson_val *object, struct arena *a,
	struct rows_filter *filter, struct err *err)
{
	struct metadata m = {.writer = {.arena = a, .noun = noun},
		.filter = filter,
		.parts = {"custom_metadata"},
		.part_count = 1};
	if (!yyjson_is_obj(object))
		return err_set(err, ST_INVALID, "\"custom_metadata\" must be a JSON object.");
	return add_object(&m, object, err);
}

/* ---- orders ---- */

static enum status write_order(
	struct str *s, enum query_noun noun, const char *text, struct arena *a, struct err *err)
{
	struct field_path path = {0};
	const struct query_node *node = NULL;
	enum query_noun where = noun;
	size_t part;
	bool down = text[0] == '-';
	const char *name = text + down;
	/* A path, as it would stand in a query. */
	if (query_parse(span_of_text(arena_printf(a, "%s = null", name)), a, &node, NULL) != ST_OK ||
		node == NULL || node->kind != QUERY_COMPARE ||
		node->operator!=
		QUERY_EQUAL || !field_find(&where, node->parts, node->part_count, &path, &part))
		return err_set(err, ST_INVALID, "There is no \"%.60s\" to order by: %s has %s.", name,
			field_noun_text(noun), field_names(noun, a));
	bool many = path.field->type == FIELD_JSON;
	for (size_t i = 0; i < path.link_count; i++)
		many = many || path.links[i]->many;
	if (many)
		return err_set(err, ST_INVALID,
			"Nothing can be ordered by \"%.60s\", of which there may be many.", name);
	str_append(s, s->size ? ", " : "");
	for (size_t i = 0; i < path.link_count; i++) /* the innermost has the field */
		str_append(s, "(SELECT ");
	str_append(s, path.field->sql);
	for (size_t i = path.link_count; i-- > 0;)
		str_printf(s, " FROM %s)", path.links[i]->from);
	str_append(s, down ? " DESC" : "");
	return ST_OK;
}

enum status query_order(enum query_noun noun, const char *const *fields, size_t count, struct arena *a,
	const char **out, struct err *err)
{
	struct str s;
	enum status st = ST_OK;
	str_init(&s, SQL_MAX);
	for (size_t i = 0; st == ST_OK && i < count; i++)
		st = write_order(&s, noun, fields[i], a, err);
	CHECK(!s.full);
	*out = st == ST_OK && count ? arena_strdup(a, str_text(&s)) : NULL;
	str_release(&s);
	return st;
}
