/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/check.h"

#define NESTING_MAX 64

static void *arena_json_malloc(void *ctx, size_t size)
{
	/* realloc needs the old size: kept in front. */
	size_t *block = arena_alloc(ctx, size + 16);
	*block = size;
	return (char *)block + 16;
}

static void *arena_json_realloc(void *ctx, void *old, size_t old_size, size_t size)
{
	void *out = arena_json_malloc(ctx, size);
	memcpy(out, old, old_size < size ? old_size : size);
	return out;
}

static void arena_json_free(void *ctx, void *block)
{
	/* the arena frees all at once */
}

static yyjson_alc arena_allocator(struct arena *a)
{
	return (yyjson_alc){arena_json_malloc, arena_json_realloc, arena_json_free, a};
}

/* yyjson parses any depth without recursion, but those who walk the tree recurse. */
static bool too_deep(struct span text)
{
	int depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > NESTING_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

enum status json_parse(struct span text, struct arena *a, yyjson_doc **doc, struct err *err)
{
	if (text.size == 0)
		return err_set(err, ST_INVALID, "A JSON text was expected here, but there is nothing.");
	if (too_deep(text))
		return err_set(err, ST_INVALID, "This JSON is nested deeper than %d levels.", NESTING_MAX);
	yyjson_alc allocator = arena_allocator(a);
	yyjson_read_err why;
	/* Without the in-place flag the text is not written to. */
	*doc = yyjson_read_opts(
		(char *)(uintptr_t)text.data, text.size, YYJSON_READ_NOFLAG, &allocator, &why);
	if (*doc == NULL)
		return err_set(err, ST_INVALID, "This is not valid JSON: %s at byte %zu.", why.msg, why.pos);
	return ST_OK;
}

static yyjson_val *member(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	return yyjson_is_null(value) ? NULL : value;
}

enum status json_text(yyjson_val *object, const char *key, const char **out, struct err *err)
{
	yyjson_val *value = member(object, key);
	if (value == NULL)
		return ST_OK;
	if (!yyjson_is_str(value))
		return err_set(err, ST_INVALID, "\"%s\" must be a text.", key);
	if (strlen(yyjson_get_str(value)) != yyjson_get_len(value))
		return err_set(err, ST_INVALID, "\"%s\" must not contain a NUL character.", key);
	*out = yyjson_get_str(value);
	return ST_OK;
}

enum status json_text_required(yyjson_val *object, const char *key, const char **out, struct err *err)
{
	*out = NULL;
	TRY(json_text(object, key, out, err));
	if (*out == NULL || **out == '\0')
		return err_set(
			err, ST_INVALID, "\"%s\" is missing: it must be a text that is not empty.", key);
	return ST_OK;
}

enum status json_number(yyjson_val *object, const char *key, double *out, struct err *err)
{
	yyjson_val *value = member(object, key);
	if (value == NULL)
		return ST_OK;
	if (!yyjson_is_num(value))
		return err_set(err, ST_INVALID, "\"%s\" must be a number.", key);
	*out = yyjson_get_num(value);
	return ST_OK;
}

enum status json_integer(yyjson_val *object, const char *key, int64_t *out, struct err *err)
{
	yyjson_val *value = member(object, key);
	if (value == NULL)
		return ST_OK;
	if (!yyjson_is_int(value) || (yyjson_is_uint(value) && yyjson_get_uint(value) > INT64_MAX))
		return err_set(err, ST_INVALID, "\"%s\" must be a whole number.", key);
	*out = yyjson_get_sint(value);
	return ST_OK;
}

enum status json_bool(yyjson_val *object, const char *key, bool *out, struct err *err)
{
	yyjson_val *value = member(object, key);
	if (value == NULL)
		return ST_OK;
	if (!yyjson_is_bool(value))
		return err_set(err, ST_INVALID, "\"%s\" must be true or false.", key);
	*out = yyjson_get_bool(value);
	return ST_OK;
}

yyjson_mut_doc *json_new(struct arena *a)
{
	yyjson_alc allocator = arena_allocator(a);
	yyjson_mut_doc *doc = yyjson_mut_doc_new(&allocator);
	CHECK(doc != NULL);
	return doc;
}

struct span json_print(yyjson_mut_doc *doc, struct arena *a)
{
	yyjson_alc allocator = arena_allocator(a);
	size_t size;
	/* A NaN or an infinity prints as null: JSON has neither. */
	char *text = yyjson_mut_write_opts(doc, YYJSON_WRITE_INF_AND_NAN_AS_NULL, &allocator, &size, NULL);
	CHECK(text != NULL);
	return span_of(text, size);
}
