/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run folder: job.json, and under input/ the base model, pictures and annotations of both sides. Pictures
 * are hard links of what is stored where that can be. test.json says what was kept to measure with; the
 * trainer never sees those pictures.
 */
#include "base/check.h"
#include "base/json.h"
#include "deploy/model.h"
#include "learn/run_folder.h"
#include "learn/stages.h"
#include "os/file.h"
#include "task/recipe.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

struct preparing {
	struct training *t;
	struct run_plan plan;
	yyjson_mut_doc *doc; /* of job.json */
};

/* ---- pictures ---- */

/* "0193…-….jpg": the asset's id, and what the name ends with. */
static const char *picture_name(const struct training_picture *p, struct arena *a)
{
	char id[UUID_TEXT_SIZE];
	const char *dot = strrchr(p->filename, '.');
	size_t size =
		dot ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") : 0;
	uuid_format(p->asset_id, id);
	return arena_printf(a, "%s%s", id, dot && size && size < 8 && dot[1 + size] == '\0' ? dot : "");
}

static enum status link_picture(
	const struct preparing *p, const struct training_picture *picture, const char *path, struct err *err)
{
	uint64_t size;
	int fd;
	TRY(blob_open(p->t->options->blobs, picture->sha256, &fd, &size, err));
	enum status st = file_link(fd, path, err);
	close(fd);
	return st;
}

static enum status write_side(struct preparing *p, enum training_side side, const char *name, struct err *err)
{
	struct training *t = p->t;
	const struct training_set *all = &p->plan.set;
	struct labelled_set set = {
		.format = FORMAT_COCO, .labels = all->labels, .label_count = all->label_count};
	struct format_export files;
	const char *folder = arena_printf(t->arena, "%s/input/%s", t->folder, name);
	set.images = ARENA_ARRAY(t->arena, struct labelled_image, all->count + 1);
	TRY(file_make_folders(arena_printf(t->arena, "%s/images", folder), err));
	for (size_t i = 0; i < all->count; i++) {
		const struct training_picture *picture = &all->pictures[i];
		if (picture->side != side)
			continue;
		if (training_leaving(t))
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		const char *file = picture_name(picture, t->arena);
		TRY(link_picture(p, picture, arena_printf(t->arena, "%s/images/%s", folder, file), err));
		set.images[set.image_count++] = (struct labelled_image){.filename = file,
			.width = picture->width,
			.height = picture->height,
			.annotated = true,
			.shapes = picture->shapes,
			.shape_count = picture->shape_count};
	}
	TRY(formats_write(FORMAT_COCO, &set, t->arena, &files, err));
	CHECK(files.file_count == 1);
	return file_write_durable(
		arena_printf(t->arena, "%s/annotations.json", folder), files.files[0].bytes, 0600, err);
}

static enum status write_test(struct preparing *p, struct err *err)
{
	yyjson_mut_doc *doc = json_new(p->t->arena);
	yyjson_mut_val *list = yyjson_mut_arr(doc);
	yyjson_mut_doc_set_root(doc, list);
	for (size_t i = 0; i < p->plan.set.count; i++)
		if (p->plan.set.pictures[i].side == TRAINING_TEST)
			yyjson_mut_arr_add_str(doc, list, p->plan.set.pictures[i].sha256);
	return file_write_durable(arena_printf(p->t->arena, "%s/test.json", p->t->folder),
		json_print(doc, p->t->arena), 0600, err);
}

/* ---- job.json ---- */

static enum status add_base(struct preparing *p, yyjson_mut_val *root, struct err *err)
{
	struct training *t = p->t;
	const struct run_plan *plan = &p->plan;
	yyjson_doc *recipe;
	uint64_t size;
	int fd;
	if (!plan->has_base) {
		yyjson_mut_obj_add_null(p->doc, root, "base");
		return ST_OK;
	}
	TRY(blob_open(t->options->blobs, plan->base.onnx_sha256, &fd, &size, err));
	enum status st = file_copy(fd, arena_printf(t->arena, "%s/input/model.onnx", t->folder), err);
	close(fd);
	TRY(st);
	TRY(json_parse(span_of_text(plan->base.recipe), t->arena, &recipe, err));
	yyjson_mut_val *base = yyjson_mut_obj_add_obj(p->doc, root, "base");
	yyjson_mut_obj_add_str(p->doc, base, "file", "input/model.onnx");
	yyjson_mut_val *labels = yyjson_mut_obj_add_arr(p->doc, base, "labels");
	for (size_t i = 0; i < plan->set.base_label_count; i++)
		yyjson_mut_arr_add_str(p->doc, labels, plan->set.labels[i]);
	yyjson_mut_obj_add_val(
		p->doc, base, "recipe", yyjson_val_mut_copy(p->doc, yyjson_doc_get_root(recipe)));
	return ST_OK;
}

static void add_part(struct preparing *p, yyjson_mut_val *data, const char *name, bool there)
{
	if (!there) {
		yyjson_mut_obj_add_null(p->doc, data, name);
		return;
	}
	yyjson_mut_val *part = yyjson_mut_obj_add_obj(p->doc, data, name);
	yyjson_mut_obj_add_str(
		p->doc, part, "annotations", arena_printf(p->t->arena, "input/%s/annotations.json", name));
	yyjson_mut_obj_add_str(p->doc, part, "images", arena_printf(p->t->arena, "input/%s/images", name));
}

static enum status write_job(struct preparing *p, struct err *err)
{
	struct training *t = p->t;
	const struct run_plan *plan = &p->plan;
	char id[UUID_TEXT_SIZE];
	p->doc = json_new(t->arena);
	yyjson_mut_val *root = yyjson_mut_obj(p->doc);
	yyjson_mut_doc_set_root(p->doc, root);
	uuid_format(t->row.id, id);
	yyjson_mut_obj_add_int(p->doc, root, "schema", 1);
	yyjson_mut_obj_add_str(p->doc, root, "job", id);
	yyjson_mut_obj_add_str(p->doc, root, "task", task_wire_name(plan->set.task));
	TRY(add_base(p, root, err));
	if (plan->has_base)
		yyjson_mut_obj_add_null(p->doc, root, "arch");
	else
		yyjson_mut_obj_add_str(p->doc, root, "arch", t->row.arch);
	yyjson_mut_val *labels = yyjson_mut_obj_add_arr(p->doc, root, "labels");
	for (size_t i = 0; i < plan->set.label_count; i++)
		yyjson_mut_arr_add_str(p->doc, labels, plan->set.labels[i]);
	TRY(run_add_parameters(plan->parameters, p->doc, root, t->arena, err));
	yyjson_mut_val *data = yyjson_mut_obj_add_obj(p->doc, root, "data");
	add_part(p, data, "train", true);
	add_part(p, data, "val", plan->set.side_counts[TRAINING_VAL] > 0);
	yyjson_mut_obj_add_str(p->doc, root, "device", "cpu");
	yyjson_mut_obj_add_uint(p->doc, root, "threads", t->options->threads);
	if (t->options->time_s_max)
		yyjson_mut_obj_add_int(p->doc, root, "time_limit_s", t->options->time_s_max);
	else
		yyjson_mut_obj_add_null(p->doc, root, "time_limit_s");
	return file_write_durable(
		arena_printf(t->arena, "%s/job.json", t->folder), json_print(p->doc, t->arena), 0600, err);
}

/* ---- what others want to know ---- */

static void set_detail(struct preparing *p)
{
	const struct training_set *set = &p->plan.set;
	yyjson_mut_doc *doc = json_new(p->t->arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_uint(doc, root, "train", set->side_counts[TRAINING_TRAIN]);
	yyjson_mut_obj_add_uint(doc, root, "val", set->side_counts[TRAINING_VAL]);
	yyjson_mut_obj_add_uint(doc, root, "test", set->side_counts[TRAINING_TEST]);
	yyjson_mut_obj_add_uint(doc, root, "objects", set->objects);
	yyjson_mut_obj_add_bool(doc, root, "split", set->split);
	yyjson_mut_val *labels = yyjson_mut_obj_add_arr(doc, root, "labels");
	for (size_t i = 0; i < set->label_count; i++)
		yyjson_mut_arr_add_str(doc, labels, set->labels[i]);
	yyjson_mut_val *warnings = yyjson_mut_obj_add_arr(doc, root, "warnings");
	for (size_t i = 0; i < set->warning_count; i++)
		yyjson_mut_arr_add_str(doc, warnings, set->warnings[i]);
	p->t->detail = (const char *)json_print(doc, p->t->arena).data;
}

static enum status put_labelmap(struct db_conn *c, void *arg, struct err *err)
{
	struct preparing *p = arg;
	return run_put_log(
		c, p->t, "labelmap", "LABELMAP", run_labelmap(&p->plan.set, p->t->arena), p->t->arena, err);
}

enum status stage_prepare(struct training *t, struct err *err)
{
	struct preparing p = {.t = t};
	const char *input = arena_printf(t->arena, "%s/input", t->folder);
	TRY(run_plan_read(t, &p.plan, err));
	TRY(file_remove_folder(input, err));
	TRY(file_make_folders(input, err));
	TRY(file_make_folders(arena_printf(t->arena, "%s/output", t->folder), err));
	TRY(file_make_folders(arena_printf(t->arena, "%s/state", t->folder), err));
	TRY(write_side(&p, TRAINING_TRAIN, "train", err));
	if (p.plan.set.side_counts[TRAINING_VAL])
		TRY(write_side(&p, TRAINING_VAL, "val", err));
	TRY(write_test(&p, err));
	TRY(write_job(&p, err));
	set_detail(&p);
	return training_write(t, put_labelmap, &p, err);
}
