/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/seen.h"

#include "base/check.h"
#include "base/json.h"
#include "deploy/model.h"

#include <math.h>

static double number(yyjson_val *object, const char *key)
{
	yyjson_val *value = yyjson_obj_get(object, key);
	return yyjson_is_num(value) ? yyjson_get_num(value) : (double)NAN;
}

void seen_stats_read(const char *json, struct seen_stats *out)
{
	yyjson_doc *doc = json ? yyjson_read(json, strlen(json), 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc), *rgb = yyjson_obj_get(root, "mean_rgb");
	*out = (struct seen_stats){
		.brightness = number(root, "brightness"),
		.contrast = number(root, "contrast"),
		.blur = number(root, "blur"),
		.entropy = number(root, "entropy"),
		.dark = number(root, "dark"),
		.bright = number(root, "bright"),
	};
	for (size_t i = 0; i < COUNT_OF(out->mean_rgb); i++) {
		yyjson_val *value = yyjson_arr_get(rgb, i);
		out->mean_rgb[i] = yyjson_is_num(value) ? yyjson_get_num(value) : (double)NAN;
	}
	yyjson_doc_free(doc);
}

enum status seen_read(const struct log_row *row, struct arena *a, struct seen *out, struct err *err)
{
	*out = (struct seen){.row = row};
	seen_stats_read(row->image_stats, &out->stats);
	return shapes_unpack(row->shapes, a, &out->shapes, err);
}

/* ---- by label ---- */

struct seen_label_version {
	struct uuid id;
	int32_t label; /* -1: it has none of that name */
	struct seen_label_version *next;
};

struct seen_label seen_label(struct db_conn *c, const char *name, struct arena *a)
{
	return (struct seen_label){.conn = c, .name = name, .arena = a};
}

static int32_t label_of_version(struct seen_label *label, struct uuid id)
{
	struct seen_label_version *v = label->versions;
	while (v && !uuid_equal(v->id, id))
		v = v->next;
	if (v)
		return v->label;
	const char **names;
	uint32_t count;
	v = ARENA_NEW(label->arena, struct seen_label_version);
	*v = (struct seen_label_version){.id = id, .label = -1, .next = label->versions};
	label->versions = v;
	if (model_labels_of(label->conn, id, label->arena, &names, &count, NULL) == ST_OK)
		for (uint32_t i = 0; i < count && v->label < 0; i++)
			if (strcmp(names[i], label->name) == 0)
				v->label = (int32_t)i;
	return v->label;
}

bool seen_has_label(void *arg, const struct log_row *row)
{
	struct seen_label *label = arg;
	int32_t wanted = label_of_version(label, row->version_id);
	struct arena a;
	struct shapes shapes = {0};
	bool has = false;
	if (wanted < 0)
		return false;
	arena_init(&a);
	if (shapes_unpack(row->shapes, &a, &shapes, NULL) == ST_OK)
		for (size_t i = 0; i < shapes.count && !has; i++)
			has = shapes.items[i].label == wanted;
	arena_release(&a);
	return has;
}
