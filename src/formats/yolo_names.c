/* SPDX-License-Identifier: Apache-2.0 */
/*
 * data.yaml is read as events of libyaml. Of its keys only `names` (a list, or a map from number to name) and
 * `kpt_shape` count; anchors and aliases are refused, since nobody needs them here.
 */
#include "formats/yolo_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#define YAML_BYTES_MAX (1u << 20)
#define YAML_DEPTH_MAX 16

bool yolo_is_list_of_names(const struct collected_file *f)
{
	static const char *const lists[] = {"classes.txt", "names.txt", "labels.txt"};
	if (f->kind == FILE_NAMES)
		return true;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (f->kind == FILE_TEXT && strcasecmp(file_base(f->path), lists[i]) == 0)
			return true;
	return false;
}

/* Name class number `at`; a name that cannot be used is replaced by the number. */
static void set_name(struct collect *c, struct yolo_names *n, size_t at, const char *text, size_t size)
{
	if (at >= FORMAT_LABELS_MAX) {
		problems_add(&c->problems, "%s: class numbers from %d on are not read.", n->path,
			FORMAT_LABELS_MAX);
		return;
	}
	if (n->labels == NULL) {
		n->labels = ARENA_ARRAY(c->arena, int32_t, FORMAT_LABELS_MAX);
		for (size_t i = 0; i < FORMAT_LABELS_MAX; i++)
			n->labels[i] = -1;
	}
	const char *label = label_clean(text, size, c->arena);
	if (label == NULL) {
		label = arena_printf(c->arena, "%zu", at);
		problems_add(&c->problems,
			"%s: the name of class %zu cannot be used; it is called by its number.", n->path, at);
	}
	size_t before = c->label_count;
	int32_t place = collect_label(c, label);
	for (size_t i = 0; place >= 0 && c->label_count == before && i < n->count; i++) {
		if (n->labels[i] != place)
			continue;
		problems_add(&c->problems,
			"%s: classes %zu and %zu are both called %s; they become one label.", n->path, i, at,
			shown(label, c->arena));
		break;
	}
	n->labels[at] = place;
	n->count = n->count > at + 1 ? n->count : at + 1;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct yolo_names yolo_names_of_list(struct collect *c, const struct collected_file *f)
{
	struct yolo_names n = {.path = f->path};
	struct span bytes = f->file->bytes;
	size_t size = bytes.size, at = 0;
	while (size > 0 && is_blank(bytes.data[size - 1]))
		size--; /* what is empty at the end names nothing */
	const char *text = (const char *)bytes.data;
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	for (size_t number = 0; at < size && number <= FORMAT_LABELS_MAX; number++) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t line = end ? (size_t)(end - text) - at : size - at;
		set_name(c, &n, number, text + at, line);
		at += line + 1;
	}
	n.given = n.count > 0;
	return n;
}

/* ---- YAML ---- */

struct walk {
	struct collect *c;
	struct yolo_names *names;
	int depth;           /* 1: in the outermost map */
	bool value;          /* in that map: the next scalar is a value */
	char key[32];        /* of the outermost map, cut */
	bool in_list;        /* in the list or map of names, at depth 2 */
	bool is_map;         /* … which is a map */
	bool number_is_next; /* in that map: the next scalar is a class number */
	size_t number;
	const char *wrong;
};

static void on_scalar(struct walk *w, const char *text, size_t size)
{
	if (w->depth == 1) {
		if (!w->value)
			snprintf(w->key, sizeof(w->key), "%.*s", (int)(size < 31 ? size : 31), text);
		w->value = !w->value;
	} else if (w->depth == 2 && w->in_list && w->is_map && w->number_is_next) {
		char *end;
		errno = 0;
		unsigned long number = strtoul(text, &end, 10);
		if (size == 0 || *end || errno || text[0] == '-')
			w->wrong = "a key of `names` is no class number";
		w->number = number;
		w->number_is_next = false;
	} else if (w->depth == 2 && w->in_list) {
		set_name(w->c, w->names, w->number, text, size);
		w->names->given = true;
		w->number++;
		w->number_is_next = w->is_map;
	}
}

static void on_open(struct walk *w, bool is_map)
{
	if (w->depth == 0 && !is_map)
		w->wrong = "it is no map of settings";
	if (w->depth == 1 && !w->value)
		w->wrong = "a key is no text";
	if (w->depth == 2 && w->in_list)
		w->wrong = "a name is no text";
	if (w->depth == 1) {
		w->in_list = strcmp(w->key, "names") == 0;
		w->is_map = w->number_is_next = is_map;
		w->number = 0;
		w->names->key_points = w->names->key_points || strcmp(w->key, "kpt_shape") == 0;
	}
	if (++w->depth > YAML_DEPTH_MAX)
		w->wrong = "it is nested too deep";
}

static void on_close(struct walk *w)
{
	if (--w->depth == 1) {
		w->in_list = false;
		w->value = false;
	}
}

/* True: go on. */
static bool on_event(struct walk *w, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_SCALAR_EVENT:
		on_scalar(w, (const char *)e->data.scalar.value, e->data.scalar.length);
		break;
	case YAML_SEQUENCE_START_EVENT: on_open(w, false); break;
	case YAML_MAPPING_START_EVENT: on_open(w, true); break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: on_close(w); break;
	case YAML_ALIAS_EVENT: w->wrong = "it has aliases, which are not read here"; break;
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT: return false; /* only the first document counts */
	default: break;
	}
	return w->wrong == NULL;
}

struct yolo_names yolo_names_of_yaml(struct collect *c, const struct collected_file *f)
{
	struct yolo_names n = {.path = f->path};
	struct span bytes = f->file->bytes;
	yaml_parser_t parser;
	yaml_event_t event;
	struct walk w = {.c = c, .names = &n};
	if (bytes.size > YAML_BYTES_MAX || !yaml_parser_initialize(&parser)) {
		problems_add(&c->problems, "%s is too large to be read; it is left out.", f->path);
		return n;
	}
	yaml_parser_set_input_string(&parser, bytes.data, bytes.size);
	bool more = true;
	while (more) {
		if (!yaml_parser_parse(&parser, &event)) {
			w.wrong = parser.problem ? parser.problem : "it is no YAML";
			break;
		}
		more = on_event(&w, &event);
		yaml_event_delete(&event);
	}
	if (w.wrong)
		problems_add(&c->problems, "%s cannot be read to its end: %s in line %zu.", f->path, w.wrong,
			parser.mark.line + 1);
	yaml_parser_delete(&parser);
	return n;
}
