/* SPDX-License-Identifier: Apache-2.0 */
/* demo.json: how far the demo is and what it made, for its next run, the page's strip, and Remove demo. */
#include "base/check.h"
#include "base/str.h"
#include "cli/demo_inside.h"
#include "os/clock.h"
#include "os/file.h"

#include <inttypes.h>
#include <stddef.h>
#include <unistd.h>

#define STATE_BYTES_MAX 65536u

static const struct {
	const char *name, *title, *text;
} steps[] = {
#define STEP(name, title, text) {#name, title, text},
#include "cli/demo_steps.def"
#undef STEP
};

size_t demo_step_count(void)
{
	return COUNT_OF(steps);
}

const char *demo_step_name(size_t step)
{
	return steps[step].name;
}

const char *demo_step_title(size_t step)
{
	return steps[step].title;
}

const char *demo_step_text(size_t step)
{
	return steps[step].text;
}

#define ID(name)                                                                                             \
	{                                                                                                    \
#name, offsetof(struct demo_state, name)                                                     \
	}
static const struct {
	const char *name;
	size_t offset;
} ids[] = {ID(dataset), ID(dataset_version), ID(training), ID(model), ID(first), ID(second), ID(project),
	ID(deployment), ID(retraining), ID(robot)};
#define NUMBER(name)                                                                                         \
	{                                                                                                    \
#name, offsetof(struct demo_state, name)                                                     \
	}
static const struct {
	const char *name;
	size_t offset;
} numbers[] = {NUMBER(step), NUMBER(started_us), NUMBER(sent), NUMBER(lamp_at), NUMBER(epoch), NUMBER(seed)};

static char *id_at(struct demo_state *s, size_t i)
{
	return (char *)s + ids[i].offset;
}

static int64_t *number_at(struct demo_state *s, size_t i)
{
	return (int64_t *)(void *)((char *)s + numbers[i].offset);
}

enum status demo_state_read(struct demo *d, struct err *err)
{
	struct span bytes;
	yyjson_doc *doc;
	struct demo_state *s = &d->state;
	enum status st = file_read(d->path, STATE_BYTES_MAX, &d->arena, &bytes, err);
	*s = (struct demo_state){0};
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	TRY(json_parse(bytes, &d->arena, &doc, err));
	yyjson_val *kept = yyjson_obj_get(yyjson_doc_get_root(doc), "kept");
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		TRY(json_integer(kept, numbers[i].name, number_at(s, i), err));
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		const char *text = yyjson_get_str(yyjson_obj_get(kept, ids[i].name));
		struct uuid id;
		if (text && uuid_parse(text, &id))
			uuid_format(id, id_at(s, i));
	}
	s->finished = yyjson_equals_str(yyjson_obj_get(yyjson_doc_get_root(doc), "state"), "done");
	if (s->step < 0 || s->step > (int64_t)demo_step_count())
		s->step = 0;
	return ST_OK;
}

/* In the order in which they can be deleted. */
static void append_removals(struct str *out, const struct demo_state *s)
{
	const struct {
		const char *path, *id;
	} all[] = {{"/api/deployment/", s->deployment}, {"/api/project/", s->project},
		{"/api/model/", s->model}, {"/api/dataset/", s->dataset}, {"/api/user/", s->robot}};
	const char *between = "";
	str_append(out, ",\"remove\":[");
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		if (all[i].id[0] == '\0')
			continue;
		str_printf(out, "%s\"%s%s\"", between, all[i].path, all[i].id);
		between = ",";
	}
	str_append(out, "]");
}

enum status demo_state_write(struct demo *d, struct err *err)
{
	struct demo_state *s = &d->state;
	size_t step = (size_t)s->step, shown = step < COUNT_OF(steps) ? step : COUNT_OF(steps) - 1;
	struct str out;
	str_init(&out, STATE_BYTES_MAX);
	str_printf(&out, "{\"schema\":1,\"state\":\"%s\",\"step\":%zu,\"steps\":%zu",
		s->finished ? "done" : "running", shown + 1, COUNT_OF(steps));
	str_append(&out, ",\"title\":");
	str_append_json(&out, s->finished ? "Now yours" : steps[shown].title);
	str_append(&out, ",\"text\":");
	str_append_json(&out, s->finished ? "Drop an ONNX file on Models, or a folder of pictures on "
					    "Datasets. The demo can stay beside "
					    "them, or be removed."
					  : steps[shown].text);
	str_printf(&out, ",\"updated_us\":%" PRId64 ",\"link\":", clock_unix_us());
	str_append_json(&out, d->link[0] ? d->link : NULL);
	append_removals(&out, s);
	str_append(&out, ",\"kept\":{");
	for (size_t i = 0; i < COUNT_OF(numbers); i++)
		str_printf(&out, "%s\"%s\":%" PRId64, i ? "," : "", numbers[i].name, *number_at(s, i));
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		str_printf(&out, ",\"%s\":\"%s\"", ids[i].name, id_at(s, i));
	str_append(&out, "}}\n");
	CHECK(!out.full);
	d->written_us = clock_mono_us();
	enum status st = file_write_durable(d->path, span_of(out.text, out.size), 0600, err);
	str_release(&out);
	return st;
}

enum status demo_state_forget(struct demo *d, struct err *err)
{
	if (unlink(d->path) != 0 && file_exists(d->path))
		return err_set(err, ST_INTERNAL, "%s could not be removed.", d->path);
	d->state = (struct demo_state){0};
	return ST_OK;
}
