/* SPDX-License-Identifier: Apache-2.0 */
/* One comparison of a query as SQL, through the links of its path. */
#include "query/write.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>

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
		return err_set(err, ST_INVALID, "The query cannot be run: %s", what);
	return err_set(err, ST_INVALID, "At character %zu: %s", at, what);
}

enum status query_too_many(size_t at, struct err *err)
{
	return fail(at, err, "this compares with too many values: ask in several parts.");
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

enum status query_write_comparison(
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
	return w->count > QUERY_BINDINGS_MAX ? query_too_many(node->at, err) : ST_OK;
}
