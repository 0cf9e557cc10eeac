/* SPDX-License-Identifier: Apache-2.0 */
/* What a dataset version says, as one hash, and how two versions differ. */
#include "learn/manifest.h"

#include "base/check.h"
#include "base/json.h"
#include "base/str.h"
#include "store/annotation_rows.h"
#include "store/dataset_rows.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_MAX ((size_t)1 << 30) /* bytes of one annotation, or of all lines */

/* ---- one annotation ---- */

/* Enough digits to tell any two doubles apart; minus nought is nought. */
static void append_number(struct str *s, double value)
{
	str_printf(s, "%.17g", value == 0 ? 0.0 : value);
}

static void append_text(struct str *s, const char *text)
{
	if (text)
		str_printf(s, "%zu:%s", strlen(text), text);
	else
		str_append(s, "-");
}

/* Points as they are stored, without what JSON leaves open: spaces, and how a number is written. */
static void append_points(struct str *s, yyjson_val *value)
{
	size_t i, n;
	yyjson_val *key, *item;
	if (yyjson_is_num(value)) {
		append_number(s, yyjson_get_num(value));
	} else if (yyjson_is_arr(value)) {
		yyjson_arr_foreach (value, i, n, item) {
			str_append(s, i ? "," : "[");
			append_points(s, item);
		}
		str_append(s, n ? "]" : "[]");
	} else if (yyjson_is_obj(value)) {
		yyjson_obj_foreach (value, i, n, key, item) {
			str_printf(s, "%s%s=", i ? "," : "{", yyjson_get_str(key));
			append_points(s, item);
		}
		str_append(s, n ? "}" : "{}");
	} else {
		str_append(s, "-");
	}
}

static void append_place(struct str *s, const struct annotation_shape_row *shape)
{
	if (shape->kind == ANNOTATION_RECTANGLE) {
		const double box[] = {shape->x, shape->y, shape->w, shape->h};
		for (int i = 0; i < 4; i++) {
			str_append(s, i ? "," : "[");
			append_number(s, box[i]);
		}
		str_append(s, "]");
	} else if (shape->points) {
		yyjson_doc *doc = yyjson_read(shape->points, strlen(shape->points), 0);
		append_points(s, yyjson_doc_get_root(doc));
		yyjson_doc_free(doc);
	} else {
		str_append(s, "-");
	}
}

static const char *shape_text(const struct annotation_shape_row *shape, struct arena *a)
{
	struct str s;
	str_init(&s, TEXT_MAX);
	str_printf(&s, "%s ", annotation_kind_name(shape->kind));
	append_text(&s, shape->label);
	str_append(&s, " ");
	append_place(&s, shape);
	str_append(&s, " ");
	if (shape->area >= 0)
		append_number(&s, shape->area);
	else
		str_append(&s, "-");
	str_printf(&s, " %lld ", (long long)shape->flags);
	append_text(&s, shape->text);
	str_append(&s, "\n");
	CHECK(!s.full);
	const char *text = arena_strdup(a, str_text(&s));
	str_release(&s);
	return text;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void hash_annotation(const struct annotation_row *row, struct arena *a, char out[SHA256_HEX_SIZE])
{
	const char **texts = ARENA_ARRAY(a, const char *, row->shape_count + 1);
	struct str all;
	for (size_t i = 0; i < row->shape_count; i++)
		texts[i] = shape_text(&row->shapes[i], a);
	qsort(texts, row->shape_count, sizeof(texts[0]), by_bytes);
	str_init(&all, TEXT_MAX);
	for (size_t i = 0; i < row->shape_count; i++)
		str_append(&all, texts[i]);
	CHECK(!all.full);
	hash_sha256_hex(span_of_text(str_text(&all)), out);
	str_release(&all);
}

/* ---- all assets ---- */

/* The annotation that counts: the newest. "-": there is none, which is not the same as one without shapes. */
static enum status read_annotation(
	struct db_conn *c, struct uuid asset_id, char out[SHA256_HEX_SIZE], struct err *err)
{
	struct arena a;
	struct annotation_row row;
	bool found;
	arena_init(&a);
	enum status st = annotation_rows_newest(c, asset_id, &a, &row, &found, err);
	if (st == ST_OK && found)
		hash_annotation(&row, &a, out);
	else
		snprintf(out, SHA256_HEX_SIZE, "-");
	arena_release(&a);
	return st;
}

static enum status read_lines(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct manifest *out, struct err *err)
{
	size_t room = 0;
	enum status st = ST_OK;
	struct db_query q = db_query(c,
		"SELECT asset.id, coalesce(object.sha256, '-'), data.filename, asset.evaluation FROM asset"
		" JOIN data ON data.id = asset.data_id JOIN object ON object.name = data.object_name"
		" WHERE asset.dataset_version_id = $1");
	db_bind_uuid(&q, dataset_version_id);
	while (st == ST_OK && db_next(&q)) {
		char annotation[SHA256_HEX_SIZE];
		struct manifest_line line = {.asset_id = db_uuid(&q, 0), .filename = db_text(&q, 2, a)};
		const char *blob = db_text(&q, 1, a);
		st = read_annotation(c, line.asset_id, annotation, err);
		line.key_size = (uint32_t)strlen(blob);
		line.text = arena_printf(a, "%s %s %s %zu:%s\n", blob, annotation,
			db_integer(&q, 3) ? "evaluation" : "training", strlen(line.filename), line.filename);
		out->lines = rows_grow(a, out->lines, out->count, &room, sizeof(out->lines[0]));
		out->lines[out->count++] = line;
	}
	struct err ignored;
	enum status done = db_done(&q, st == ST_OK ? err : &ignored);
	return st == ST_OK ? done : st;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct manifest_line *)a)->text, ((const struct manifest_line *)b)->text);
}

enum status manifest_read(struct db_conn *c, struct uuid dataset_version_id, struct arena *a,
	struct manifest *out, struct err *err)
{
	struct dataset_version_row row;
	struct str all;
	TRY(dataset_version_rows_by_id(c, dataset_version_id, a, &row, err));
	*out = (struct manifest){.revision = row.revision};
	TRY(read_lines(c, dataset_version_id, a, out, err));
	if (out->count)
		qsort(out->lines, out->count, sizeof(out->lines[0]), by_text);
	str_init(&all, TEXT_MAX);
	for (size_t i = 0; i < out->count; i++)
		str_append(&all, out->lines[i].text);
	CHECK(!all.full);
	hash_sha256_hex(span_of_text(str_text(&all)), out->hash);
	str_release(&all);
	return ST_OK;
}

/* ---- two versions ---- */

/* By the picture and its name; lines of equal pictures under equal names in the order of their texts. */
static int compare_pictures(const struct manifest_line *a, const struct manifest_line *b)
{
	uint32_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
	int blobs = memcmp(a->text, b->text, size);
	if (blobs == 0)
		blobs = (a->key_size > b->key_size) - (a->key_size < b->key_size);
	return blobs ? blobs : strcmp(a->filename, b->filename);
}

static int by_picture(const void *a, const void *b)
{
	const struct manifest_line *x = *(const struct manifest_line *const *)a;
	const struct manifest_line *y = *(const struct manifest_line *const *)b;
	int pictures = compare_pictures(x, y);
	return pictures ? pictures : strcmp(x->text, y->text);
}

static const struct manifest_line **pictures_of(const struct manifest *m, struct arena *a)
{
	const struct manifest_line **lines = ARENA_ARRAY(a, const struct manifest_line *, m->count + 1);
	for (size_t i = 0; i < m->count; i++)
		lines[i] = &m->lines[i];
	qsort(lines, m->count, sizeof(lines[0]), by_picture);
	return lines;
}

static void add_item(struct manifest_diff *d, struct manifest_item *items, enum manifest_change what,
	const struct manifest_line *line)
{
	size_t *counts[] = {[MANIFEST_ADDED] = &d->only_here,
		[MANIFEST_REMOVED] = &d->only_there,
		[MANIFEST_CHANGED] = &d->changed};
	++*counts[what];
	items[d->count++] =
		(struct manifest_item){.what = what, .filename = line->filename, .asset_id = line->asset_id};
}

static size_t run_of(const struct manifest_line *const *lines, size_t at, size_t count)
{
	size_t end = at + 1;
	while (end < count && compare_pictures(lines[at], lines[end]) == 0)
		end++;
	return end - at;
}

/* Equal pictures under equal names on both sides, each side by its texts: equal texts are pairs first. */
static void compare_runs(const struct manifest_line *const *here, size_t here_count,
	const struct manifest_line *const *there, size_t there_count, struct manifest_item *items,
	struct arena *a, struct manifest_diff *d)
{
	const struct manifest_line **left_here = ARENA_ARRAY(a, const struct manifest_line *, here_count);
	const struct manifest_line **left_there = ARENA_ARRAY(a, const struct manifest_line *, there_count);
	size_t i = 0, j = 0, m = 0, n = 0;
	while (i < here_count || j < there_count) {
		int order = i == here_count    ? 1
			    : j == there_count ? -1
					       : strcmp(here[i]->text, there[j]->text);
		if (order == 0) {
			d->same++;
			i++;
			j++;
		} else if (order < 0) {
			left_here[m++] = here[i++];
		} else {
			left_there[n++] = there[j++];
		}
	}
	for (size_t k = 0; k < m || k < n; k++)
		add_item(d, items,
			k >= n   ? MANIFEST_ADDED
			: k >= m ? MANIFEST_REMOVED
				 : MANIFEST_CHANGED,
			k < m ? left_here[k] : left_there[k]);
}

static int by_filename(const void *a, const void *b)
{
	const struct manifest_item *x = a, *y = b;
	int names = strcmp(x->filename, y->filename);
	if (names == 0)
		names = (int)x->what - (int)y->what;
	return names ? names : memcmp(x->asset_id.bytes, y->asset_id.bytes, sizeof(x->asset_id.bytes));
}

void manifest_compare(const struct manifest *here, const struct manifest *there, size_t items_max,
	struct arena *a, struct manifest_diff *out)
{
	const struct manifest_line **h = pictures_of(here, a), **t = pictures_of(there, a);
	struct manifest_item *items = ARENA_ARRAY(a, struct manifest_item, here->count + there->count + 1);
	size_t i = 0, j = 0;
	*out = (struct manifest_diff){.items = items};
	while (i < here->count || j < there->count) {
		int order = i == here->count ? 1 : j == there->count ? -1 : compare_pictures(h[i], t[j]);
		size_t m = order <= 0 ? run_of(h, i, here->count) : 0;
		size_t n = order >= 0 ? run_of(t, j, there->count) : 0;
		compare_runs(h + i, m, t + j, n, items, a, out);
		i += m;
		j += n;
	}
	if (out->count)
		qsort(items, out->count, sizeof(items[0]), by_filename);
	if (out->count > items_max)
		out->count = items_max;
}
