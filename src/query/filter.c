/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree as SQL. `not` is carried down to the comparisons, which are made definite before they are negated:
 * what is not known (no such value) is false, and its negation true. So parentheses are as deep as the
 * alternation of and and or.
 */
#include "query/fields.h"

#include "base/check.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

#define SQL_MAX ((size_t)1 << 20)

struct writer {
	struct arena *arena;
	enum query_noun noun;
	struct str sql;
	struct db_value *values;
	size_t count, room;
};

/* One comparison on its way into SQL. */
struct target {
	const struct query_node *node;
	struct field_path path;
	const char *keys; /* JSON: the path of its keys, '$."a"."b"' */
};

static enum status fail(size_t at, struct err *err, const char *format, ...) PRINTF_LIKE(3, 4);

static enum status fail(size_t at, struct err *err, const char *format, ...)
{
	char what[440];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (at == 0)
		return err_set(err, ST_INVALID, "%s", what);
	return err_set(err, ST_INVALID, "At character %zu: %s", at, what);
}

static enum status too_many(size_t at, struct err *err)
{
	return fail(at, err, "This compares with too many values: ask in several parts.");
}

/* ---- values ---- */

static void bind(struct writer *w, struct db_value value)
{
	w->values = rows_grow(w->arena, w->values, w->count, &w->room, sizeof(*w->values));
	w->values[w->count++] = value;
	str_append(&w->sql, "?");
}

static void bind_text(struct writer *w, const char *text)
{
	bind(w, (struct db_value){.type = DB_TEXT, .bytes = span_of_text(text)});
}

static void bind_integer(struct writer *w, int64_t value)
{
	bind(w, (struct db_value){.type = DB_INTEGER, .integer = value});
}

static void bind_number(struct writer *w, const struct query_value *v)
{
	if (v->type == QUERY_INTEGER)
		bind_integer(w, v->integer);
	else
		bind(w, (struct db_value){.type = DB_REAL, .real = v->real});
}

/* ---- which values fit which field ---- */

static const struct {
	const char *is, *wants;
} types[] = {
	[FIELD_ID] = {"an id", "an id in quotes"},
	[FIELD_TEXT] = {"a text", "a text in quotes"},
	[FIELD_NUMBER] = {"a number", "a number"},
	[FIELD_BOOL] = {"true or false", "true or false"},
	[FIELD_TIME] = {"a time",
		"a date or time in quotes, like \"2026-11-24\" or \"2026-11-24T08:30:00Z\""},
	[FIELD_JSON] = {"of any kind", "a text, a number, true or false"},
};

static bool fits(enum field_type type, const struct query_value *v)
{
	int64_t low, high;
	struct uuid id;
	switch (type) {
	case FIELD_ID: return v->type == QUERY_TEXT && uuid_parse(v->text, &id);
	case FIELD_TEXT: return v->type == QUERY_TEXT;
	case FIELD_NUMBER: return v->type == QUERY_INTEGER || v->type == QUERY_REAL;
	case FIELD_BOOL: return v->type == QUERY_BOOL;
	case FIELD_TIME: return v->type == QUERY_TEXT && query_time(v->text, &low, &high);
	case FIELD_JSON: return v->type != QUERY_NULL;
	}
	return false;
}

static bool orders(enum query_operator operator)
{
	return operator>= QUERY_LESS && operator<= QUERY_GREATER_EQUAL;
}

static enum status check_values(struct writer *w, const struct target *t, struct err *err)
{
	const struct query_node *node = t->node;
	enum field_type type = t->path.field->type;
	bool search = node->operator== QUERY_CONTAINS || node->operator== QUERY_STARTS_WITH;
	const char *path = query_path(node, w->arena);
	if (search && type != FIELD_TEXT && type != FIELD_JSON)
		return fail(node->at, err, "%.100s is %s, and contains and startswith search in texts.", path,
			types[type].is);
	if (orders(node->operator) && (type == FIELD_ID || type == FIELD_BOOL))
		return fail(node->at, err, "%.100s is %s, which has no order: compare it with = or !=.", path,
			types[type].is);
	for (size_t i = 0; i < node->value_count; i++) {
		const struct query_value *v = &node->values[i];
		bool null = v->type == QUERY_NULL && !orders(node->operator);
		if (!null && !fits(type, v))
			return fail(v->at, err, "%.100s is %s: compare it with %s.", path, types[type].is,
				types[type].wants);
		if (orders(node->operator) && v->type == QUERY_BOOL)
			return fail(v->at, err, "true and false have no order: compare them with = or !=.");
	}
	return ST_OK;
}

/* ---- one comparison with one value, inside the field's own table ---- */

static const char *const signs[] = {[QUERY_EQUAL] = "=",
	[QUERY_LESS] = "<",
	[QUERY_LESS_EQUAL] = "<=",
	[QUERY_GREATER] = ">",
	[QUERY_GREATER_EQUAL] = ">="};

/* A time is as precise as it is written: = "2026-11-24" is that whole day. */
static void write_time(struct writer *w, const char *sql, enum query_operator operator, const char * text)
{
	int64_t low = 0, high = 0;
	CHECK(query_time(text, &low, &high));
	bool past = operator== QUERY_GREATER || operator== QUERY_LESS_EQUAL;
	bool less = operator== QUERY_LESS || operator== QUERY_LESS_EQUAL;
	if (operator== QUERY_EQUAL) {
		str_printf(&w->sql, "(%s >= ", sql);
		bind_integer(w, low);
		str_printf(&w->sql, " AND %s < ", sql);
		bind_integer(w, high);
		str_append(&w->sql, ")");
		return;
	}
	str_printf(&w->sql, "%s %s ", sql, less ? "<" : ">=");
	bind_integer(w, past ? high : low);
}

static void write_search(struct writer *w, const char *sql, enum query_operator operator, const char * text)
{
	if (operator== QUERY_CONTAINS) {
		str_printf(&w->sql, "instr(%s, ", sql);
		bind_text(w, text);
		str_append(&w->sql, ") > 0");
		return;
	}
	str_printf(&w->sql, "substr(%s, 1, length(", sql);
	bind_text(w, text);
	str_append(&w->sql, ")) = ");
	bind_text(w, text);
}

static void write_extract(struct writer *w, const struct target *t)
{
	str_printf(&w->sql, "json_extract(%s, ", t->path.field->sql);
	bind_text(w, t->keys);
	str_append(&w->sql, ")");
}

/* Values of another kind than the one asked for are not compared, whatever their order is in SQL. */
static void write_json(
	struct writer *w, const struct target *t, enum query_operator operator, const struct query_value * v)
{
	static const char *const kinds[] = {[QUERY_BOOL] = "('true', 'false')",
		[QUERY_INTEGER] = "('integer', 'real')",
		[QUERY_REAL] = "('integer', 'real')",
		[QUERY_TEXT] = "('text')"};
	str_printf(&w->sql, "(json_type(%s, ", t->path.field->sql);
	bind_text(w, t->keys);
	str_printf(&w->sql, ") IN %s AND ", kinds[v->type]);
	if (operator== QUERY_CONTAINS)
		str_append(&w->sql, "instr(");
	if (operator== QUERY_STARTS_WITH)
		str_append(&w->sql, "substr(");
	write_extract(w, t);
	if (operator== QUERY_CONTAINS) {
		str_append(&w->sql, ", ");
		bind_text(w, v->text);
		str_append(&w->sql, ") > 0)");
		return;
	}
	if (operator== QUERY_STARTS_WITH) {
		str_append(&w->sql, ", 1, length(");
		bind_text(w, v->text);
		str_append(&w->sql, ")) = ");
	} else {
		str_printf(&w->sql, " %s ", signs[operator]);
	}
	if (v->type == QUERY_TEXT)
		bind_text(w, v->text);
	else if (v->type == QUERY_BOOL)
		bind_integer(w, v->truth);
	else
		bind_number(w, v);
	str_append(&w->sql, ")");
}

static void bind_plain(struct writer *w, enum field_type type, const struct query_value *v)
{
	if (type == FIELD_ID) {
		struct uuid *id = ARENA_NEW(w->arena, struct uuid);
		CHECK(uuid_parse(v->text, id));
		bind(w, (struct db_value){.type = DB_BLOB, .bytes = span_of(id->bytes, sizeof(id->bytes))});
	} else if (type == FIELD_TEXT) {
		bind_text(w, v->text);
	} else if (type == FIELD_BOOL) {
		bind_integer(w, v->truth);
	} else {
		bind_number(w, v);
	}
}

static void write_value(
	struct writer *w, const struct target *t, enum query_operator operator, const struct query_value * v)
{
	const struct field *field = t->path.field;
	if (v->type == QUERY_NULL) { /* the caller negates it: "there is one" */
		if (field->type == FIELD_JSON)
			write_extract(w, t);
		else
			str_append(&w->sql, field->sql);
		str_append(&w->sql, " IS NOT NULL");
	} else if (field->type == FIELD_JSON) {
		write_json(w, t, operator, v);
	} else if (field->type == FIELD_TIME) {
		write_time(w, field->sql, operator, v->text);
	} else if (operator== QUERY_CONTAINS || operator== QUERY_STARTS_WITH) {
		write_search(w, field->sql, operator, v->text);
	} else {
		str_printf(&w->sql, "%s %s ", field->sql, signs[operator]);
		bind_plain(w, field->type, v);
	}
}

/* ---- one comparison, with its links ---- */

static void open_links(struct writer *w, const struct field_path *path)
{
	for (size_t i = 0; i < path->link_count; i++)
		str_printf(&w->sql, "EXISTS (SELECT 1 FROM %s AND ", path->links[i]->from);
}

static void close_links(struct writer *w, const struct field_path *path)
{
	for (size_t i = 0; i < path->link_count; i++)
		str_append(&w->sql, ")");
}

/* All values of an `in` that is one SQL IN. */
static void write_list(struct writer *w, const struct target *t)
{
	bool first = true;
	str_printf(&w->sql, "%s IN (", t->path.field->sql);
	for (size_t i = 0; i < t->node->value_count; i++) {
		if (t->node->values[i].type == QUERY_NULL)
			continue;
		str_append(&w->sql, first ? "" : ", ");
		bind_plain(w, t->path.field->type, &t->node->values[i]);
		first = false;
	}
	str_append(&w->sql, ")");
}

static void write_each(struct writer *w, const struct target *t, enum query_operator operator)
{
	bool first = true;
	str_append(&w->sql, "(");
	for (size_t i = 0; i < t->node->value_count; i++) {
		if (t->node->values[i].type == QUERY_NULL)
			continue;
		str_append(&w->sql, first ? "" : " OR ");
		write_value(w, t, operator, & t->node->values[i]);
		first = false;
	}
	str_append(&w->sql, ")");
}

static void count_values(const struct query_node *node, size_t *nulls, size_t *others)
{
	*nulls = *others = 0;
	for (size_t i = 0; i < node->value_count; i++)
		*(node->values[i].type == QUERY_NULL ? nulls : others) += 1;
}

/* Equal to one of its values, null among them: "there is none, or it is one of these". */
static void write_equal(struct writer *w, const struct target *t)
{
	static const struct query_value null = {.type = QUERY_NULL};
	enum field_type type = t->path.field->type;
	size_t nulls, others;
	count_values(t->node, &nulls, &others);
	str_append(&w->sql, nulls && others ? "(" : "");
	if (nulls) {
		str_append(&w->sql, "NOT coalesce(");
		open_links(w, &t->path);
		write_value(w, t, QUERY_EQUAL, &null);
		close_links(w, &t->path);
		str_append(&w->sql, ", FALSE)");
	}
	str_append(&w->sql, nulls && others ? " OR " : "");
	if (others) {
		open_links(w, &t->path);
		if (others > 1 && type != FIELD_JSON && type != FIELD_TIME)
			write_list(w, t);
		else
			write_each(w, t, QUERY_EQUAL);
		close_links(w, &t->path);
	}
	str_append(&w->sql, nulls && others ? ")" : "");
}

static enum status unknown_field(
	struct writer *w, const struct target *t, enum query_noun noun, size_t part, struct err *err)
{
	const struct query_node *node = t->node;
	const char *name = node->parts[part], *more = field_goes_on(noun, name, w->arena);
	if (more && part + 1 == node->part_count)
		return fail(node->at, err, "\"%.60s\" goes on after a dot: with %s.", name, more);
	if (more)
		return fail(node->at, err,
			"this name leads too far: %d steps from thing to thing are the most.",
			FIELD_LINKS_MAX);
	if (field_begins(noun, name))
		return fail(node->at, err, "nothing follows \"%.60s\" after a dot.", name);
	return fail(node->at, err, "%s has no \"%.60s\", but %s.", field_noun_text(noun), name,
		field_names(noun, w->arena));
}

static enum status read_keys(struct writer *w, struct target *t, struct err *err)
{
	const char *keys = "$";
	for (size_t i = t->path.part_count; i < t->node->part_count; i++) {
		if (strchr(t->node->parts[i], '"'))
			return fail(t->node->at, err, "a key cannot have a quotation mark in it.");
		keys = arena_printf(w->arena, "%s.\"%s\"", keys, t->node->parts[i]);
	}
	t->keys = keys;
	return ST_OK;
}

static enum status write_comparison(
	struct writer *w, const struct query_node *node, bool negated, struct err *err)
{
	struct target t = {.node = node};
	enum query_noun noun = w->noun;
	size_t part;
	if (!field_find(&noun, node->parts, node->part_count, &t.path, &part))
		return unknown_field(w, &t, noun, part, err);
	TRY(read_keys(w, &t, err));
	TRY(check_values(w, &t, err));
	negated = negated != (node->operator== QUERY_NOT_EQUAL);
	str_append(&w->sql, negated ? "NOT coalesce(" : "");
	if (node->operator== QUERY_EQUAL || node->operator== QUERY_NOT_EQUAL || node->operator== QUERY_IN) {
		write_equal(w, &t);
	} else {
		open_links(w, &t.path);
		write_value(w, &t, node->operator, & node->values[0]);
		close_links(w, &t.path);
	}
	str_append(&w->sql, negated ? ", FALSE)" : "");
	return w->count > QUERY_BINDINGS_MAX ? too_many(node->at, err) : ST_OK;
}

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
		return write_comparison(w, node, negated, err);
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
		return too_many(0, err);
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
