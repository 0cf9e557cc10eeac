/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/model.h"

#include "base/check.h"
#include "os/clock.h"
#include "os/file.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LABELS_MAX 10000u
#define ONNX_BYTES_MAX (2147483647u) /* what a protobuf file can hold */

static struct model_limits limits = {
	.seats = 2,
	.memory_bytes_max = (uint64_t)4 << 30,
	.load_timeout_us = 8 * 1000000,
	.run_timeout_us = 8 * 1000000,
};

void model_limits_set(const struct model_limits *l)
{
	limits = *l;
}

static yyjson_mut_val *ports_json(const struct engine_port *ports, unsigned count, yyjson_mut_doc *doc)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	for (unsigned i = 0; i < count; i++) {
		yyjson_mut_val *port = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_strcpy(doc, port, "name", ports[i].name);
		yyjson_mut_obj_add_str(doc, port, "type", engine_type_name(ports[i].type));
		yyjson_mut_val *shape = yyjson_mut_obj_add_arr(doc, port, "shape");
		for (int d = 0; d < ports[i].rank; d++)
			yyjson_mut_arr_add_int(doc, shape, ports[i].shape[d]);
	}
	return list;
}

static const char *description_json(const struct engine_description *d, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_val(doc, root, "inputs", ports_json(d->inputs, d->input_count, doc));
	yyjson_mut_obj_add_val(doc, root, "outputs", ports_json(d->outputs, d->output_count, doc));
	yyjson_mut_obj_add_strcpy(doc, root, "producer", d->producer);
	yyjson_mut_obj_add_int(doc, root, "opset", d->opset);
	yyjson_mut_obj_add_uint(doc, root, "weights_bytes", d->weights_bytes);
	yyjson_mut_obj_add_strcpy(doc, root, "features_output", d->features_output);
	yyjson_mut_obj_add_uint(doc, root, "features_size", d->features_size);
	if (d->probed)
		yyjson_mut_obj_add_int(doc, root, "probe_us", d->probe_us);
	return (const char *)json_print(doc, a).data;
}

/* A model at fault is a verdict; everything else stays an event. */
static enum status refused(enum status st, struct model_verdict *out, struct arena *a, struct err *err)
{
	if (st != ST_UNPROCESSABLE && st != ST_TIMEOUT && st != ST_FAILED && st != ST_TOO_LARGE &&
		st != ST_INVALID)
		return st;
	out->ready = false;
	out->state_text = arena_strdup(a, err->text);
	return ST_OK;
}

/* Constant grey, of the shape that the engine tried; the outputs stay valid until the seat is given back. */
static enum status run_grey(struct engine_seat *seat, const struct engine_description *d, struct err *err)
{
	const struct engine_port *in = &d->inputs[0];
	size_t count = 1;
	for (int i = 0; i < d->probe_rank; i++)
		count *= (size_t)d->probe_shape[i];
	void *data;
	TRY(engine_seat_input(seat, d->probe_shape, d->probe_rank, &data, err));
	if (in->type == ENGINE_FLOAT32) {
		for (size_t i = 0; i < count; i++)
			((float *)data)[i] = 0.5f;
	} else {
		memset(data, in->type == ENGINE_UINT8 ? 128 : 0, count * engine_type_size(in->type));
	}
	return engine_run(seat, err);
}

static enum status find_recipe(struct engine *engine, const struct engine_description *d, enum task task,
	const char *const *labels, uint32_t label_count, yyjson_val *given, struct recipe *recipe,
	uint32_t *labels_skipped, struct err *err)
{
	if (d->input_count != 1)
		return err_set(err, ST_UNPROCESSABLE,
			"The model has %u inputs; gyre runs models with exactly one, the image.",
			d->input_count);
	struct engine_seat *seat;
	TRY(engine_seat_take(engine, clock_mono_us() + limits.load_timeout_us, &seat, err));
	bool runs = d->probe_rank > 0; /* else the recipe says what is wrong with the input */
	enum status st = runs ? run_grey(seat, d, err) : ST_OK;
	if (st == ST_OK)
		st = recipe_find_for_labels(d, runs ? seat->outputs : NULL, task, labels, label_count, given,
			recipe, labels_skipped, err);
	engine_seat_give(seat);
	TRY(st);
	snprintf(recipe->features_output, sizeof(recipe->features_output), "%s", d->features_output);
	return recipe_check(recipe, d, label_count - *labels_skipped, err);
}

static const char *recipe_text(const struct recipe *recipe, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_doc_set_root(doc, recipe_json(recipe, doc));
	return (const char *)json_print(doc, a).data;
}

enum status model_admit(const char *onnx_path, enum task task, const char *const *labels,
	uint32_t label_count, const char *recipe_given, struct arena *a, struct model_verdict *out,
	struct err *err)
{
	*out = (struct model_verdict){0};
	yyjson_doc *given = NULL;
	const char *features_output = ENGINE_FEATURES_AUTO;
	if (recipe_given) {
		TRY(json_parse(span_of_text(recipe_given), a, &given, err));
		TRY(json_text(yyjson_doc_get_root(given), "features_output", &features_output, err));
	}
	struct span file;
	TRY(file_map(onnx_path, &file, err));
	struct engine_description *d = ARENA_NEW(a, struct engine_description);
	enum status st = engine_inspect(file, d, err);
	file_unmap(file);
	if (st != ST_OK)
		return refused(st, out, a, err);
	out->graph = description_json(d, a);

	struct engine_options options = {
		.model_path = onnx_path,
		.features_output = features_output,
		.seats = 1,
		.memory_bytes_max = limits.memory_bytes_max,
		.load_timeout_us = limits.load_timeout_us,
		.run_timeout_us = limits.run_timeout_us,
	};
	struct engine *engine;
	st = engine_open(&options, &engine, err);
	if (st != ST_OK)
		return refused(st, out, a, err);
	engine_describe(engine, d);
	out->graph = description_json(d, a);
	struct recipe recipe;
	st = find_recipe(engine, d, task, labels, label_count, yyjson_doc_get_root(given), &recipe,
		&out->labels_skipped, err);
	engine_close(engine);
	if (st != ST_OK)
		return refused(st, out, a, err);
	out->ready = true;
	out->recipe = recipe_text(&recipe, a);
	return ST_OK;
}

/* "0", "17": how a number is printed, and nothing else. False for any other text. */
static bool read_index(const char *text, size_t limit, size_t *index)
{
	*index = 0;
	const char *c = text;
	for (; *c >= '0' && *c <= '9' && *index < limit; c++)
		*index = *index * 10 + (size_t)(*c - '0');
	return *c == '\0' && c > text && (*text != '0' || c == text + 1) && *index < limit;
}

enum status model_labels(
	const char *json, struct arena *a, const char ***labels, uint32_t *count, struct err *err)
{
	*labels = NULL;
	*count = 0;
	if (json == NULL)
		return ST_OK;
	yyjson_doc *doc;
	TRY(json_parse(span_of_text(json), a, &doc, err));
	yyjson_val *root = yyjson_doc_get_root(doc), *key, *value;
	size_t size = yyjson_obj_size(root);
	if (!yyjson_is_obj(root) || size > LABELS_MAX)
		return err_set(err, ST_INVALID,
			"Labels must be an object {\"0\": \"name\", …} of at most %u entries.", LABELS_MAX);
	const char **names = ARENA_ARRAY(a, const char *, size + 1);
	size_t i, n;
	yyjson_obj_foreach (root, i, n, key, value) {
		size_t index;
		if (!read_index(yyjson_get_str(key), size, &index) || names[index] || !yyjson_is_str(value))
			return err_set(err, ST_INVALID,
				"The keys of labels must be the class numbers \"0\" to \"%zu\", each once, "
				"and their values texts.",
				size ? size - 1 : 0);
		names[index] = arena_strdup(a, yyjson_get_str(value));
	}
	*labels = names;
	*count = (uint32_t)size;
	return ST_OK;
}

enum status model_labels_of(struct db_conn *c, struct uuid version_id, struct arena *a, const char ***labels,
	uint32_t *count, struct err *err)
{
	struct model_version_row row;
	TRY(model_rows_version_by_id(c, version_id, a, &row, err));
	return model_labels(row.labels, a, labels, count, err);
}

const char *model_label(const char *const *labels, uint32_t label_count, int32_t index, struct arena *a)
{
	if (index >= 0 && (uint32_t)index < label_count)
		return labels[index];
	return arena_printf(a, "%d", index);
}

enum status model_version_read(const struct model_version_row *v, struct arena *a, struct recipe *recipe,
	const char ***labels, uint32_t *label_count, struct err *err)
{
	yyjson_doc *doc;
	TRY(json_parse(span_of_text(v->recipe), a, &doc, err));
	TRY(recipe_parse(yyjson_doc_get_root(doc), recipe, err));
	return model_labels(v->labels, a, labels, label_count, err);
}

static enum status open_parts(struct model *m, const struct model_version_row *row, struct blob *blobs,
	bool background, struct err *err)
{
	TRY(model_version_read(row, &m->arena, &m->recipe, &m->labels, &m->label_count, err));
	int fd;
	uint64_t size;
	TRY(blob_open(blobs, row->onnx_sha256, &fd, &size, err));
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct engine_options options = {
		.model_path = path,
		.features_output = m->recipe.features_output[0] ? m->recipe.features_output : NULL,
		.seats = background ? 1 : limits.seats,
		.memory_bytes_max = limits.memory_bytes_max,
		.load_timeout_us = limits.load_timeout_us,
		.run_timeout_us = limits.run_timeout_us,
		.background = background,
	};
	enum status st = engine_open(&options, &m->engine, err);
	close(fd);
	TRY(st);
	engine_describe(m->engine, &m->description);
	return recipe_check(&m->recipe, &m->description, m->label_count, err);
}

static enum status open_model(const struct model_version_row *row, const char *model_name, struct blob *blobs,
	bool background, struct model **out, struct err *err)
{
	if (strcmp(row->state, "READY") != 0)
		return err_set(err, ST_CONFLICT, "Version %" PRId64 " of model %s cannot be deployed: %s",
			row->version, model_name,
			row->state_text ? row->state_text : "it has no ONNX file yet; store one first.");
	struct model *m = calloc(1, sizeof(*m));
	CHECK(m != NULL);
	arena_init(&m->arena);
	atomic_init(&m->holds, 1);
	m->version_id = row->id;
	m->model_id = row->model_id;
	m->version = row->version;
	m->model_name = arena_strdup(&m->arena, model_name);
	m->version_name = arena_strdup(&m->arena, row->name);
	enum status st = open_parts(m, row, blobs, background, err);
	if (st != ST_OK) {
		model_drop(m);
		return st;
	}
	*out = m;
	return ST_OK;
}

enum status model_open(const struct model_version_row *row, const char *model_name, struct blob *blobs,
	struct model **out, struct err *err)
{
	return open_model(row, model_name, blobs, false, out, err);
}

enum status model_open_background(const struct model_version_row *row, const char *model_name,
	struct blob *blobs, struct model **out, struct err *err)
{
	return open_model(row, model_name, blobs, true, out, err);
}

struct model *model_hold(struct model *m)
{
	int before = atomic_fetch_add(&m->holds, 1);
	CHECK(before > 0);
	return m;
}

void model_drop(struct model *m)
{
	int before = atomic_fetch_sub(&m->holds, 1);
	CHECK(before > 0);
	if (before > 1)
		return;
	if (m->engine)
		engine_close(m->engine);
	arena_release(&m->arena);
	free(m);
}

struct model_version_row model_version_kept(const struct model_version_row *v, struct arena *a)
{
	return (struct model_version_row){.id = v->id,
		.model_id = v->model_id,
		.version = v->version,
		.name = arena_strdup(a, v->name),
		.type = arena_strdup(a, v->type),
		.labels = arena_strdup(a, v->labels),
		.state = arena_strdup(a, v->state),
		.state_text = arena_strdup(a, v->state_text),
		.onnx_sha256 = arena_strdup(a, v->onnx_sha256),
		.recipe = arena_strdup(a, v->recipe)};
}
