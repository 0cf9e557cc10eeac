/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output/model.onnx becomes the next version of its model: stored, opened and run once as any upload, with
 * the recipe of what it started from or that of output/recipe.json. One transaction inserts the version and
 * says so in the training's row, so that there is one whatever happens.
 */
#include "deploy/admission.h"
#include "learn/publish.h"
#include "learn/run_folder.h"
#include "learn/stages.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/object_rows.h"

#include <stdio.h>

#define RECIPE_BYTES_MAX ((size_t)64 << 10)

struct publishing {
	struct training *t;
	struct publication p;
	/* Artifacts, by name. */
	struct {
		const char *name, *filename, *content_type;
		char sha256[SHA256_HEX_SIZE];
		uint64_t size;
	} files[2];
	size_t file_count;
};

/* ---- files ---- */

static enum status store_file(struct publishing *x, const char *name, const char *filename,
	const char *content_type, struct err *err)
{
	const char *path = arena_printf(x->t->arena, "%s/output/%s", x->t->folder, filename);
	struct span bytes;
	TRY(file_map(path, &bytes, err));
	size_t i = x->file_count;
	x->files[i].name = name;
	x->files[i].filename = filename;
	x->files[i].content_type = content_type;
	x->files[i].size = bytes.size;
	enum status st = blob_put(x->t->options->blobs, bytes, x->files[i].sha256, err);
	file_unmap(bytes);
	TRY(st);
	x->file_count++;
	return ST_OK;
}

/* An artifact of that name, again where it was made before. */
static enum status put_artifact(struct db_conn *c, struct publishing *x, size_t i, struct err *err)
{
	struct training *t = x->t;
	struct artifact_row old, row = {.experiment_id = t->row.experiment_id,
					 .name = x->files[i].name,
					 .filename = x->files[i].filename,
					 .created_us = clock_unix_us()};
	char id[UUID_TEXT_SIZE];
	uuid_format(t->row.id, id);
	row.id = uuid_v7(row.created_us / 1000);
	row.object_name = arena_printf(
		t->arena, "trainings/%s/%lld/%s", id, (long long)t->row.attempt, x->files[i].filename);
	struct object_row object = {.name = row.object_name,
		.sha256 = x->files[i].sha256,
		.content_type = x->files[i].content_type,
		.size_bytes = (int64_t)x->files[i].size,
		.created_us = row.created_us};
	TRY(object_rows_reserve(c, object.name, object.created_us, err));
	TRY(object_rows_store(c, &object, err));
	enum status st = artifact_rows_by_name(c, row.experiment_id, row.name, t->arena, &old, err);
	if (st == ST_MISSING)
		return artifact_rows_insert(c, &row, err);
	TRY(st);
	row.id = old.id;
	TRY(artifact_rows_update(c, &row, err));
	return strcmp(old.object_name, row.object_name) == 0 ? ST_OK
							     : object_rows_release(c, old.object_name, err);
}

static enum status put_artifacts(struct db_conn *c, void *arg, struct err *err)
{
	struct publishing *x = arg;
	for (size_t i = 0; i < x->file_count; i++)
		TRY(put_artifact(c, x, i, err));
	return ST_OK;
}

/* ---- the version ---- */

static enum status read_publication(struct publishing *x, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(x->t->options->readers, &c, err));
	enum status st = publication_read(c, &x->p, err);
	db_reader_give(x->t->options->readers, c);
	return st;
}

/* What a new architecture needs is in output/recipe.json. */
static enum status read_recipe(struct publishing *x, struct err *err)
{
	struct training *t = x->t;
	struct span text;
	yyjson_doc *doc;
	enum status st = file_read(arena_printf(t->arena, "%s/output/recipe.json", t->folder),
		RECIPE_BYTES_MAX, t->arena, &text, err);
	if (st == ST_MISSING)
		return ST_OK;
	TRY(st);
	TRY(json_parse(text, t->arena, &doc, err));
	return admission_given(x->p.row.recipe, yyjson_doc_get_root(doc), t->arena, &x->p.row.recipe, err);
}

static enum status insert(struct db_conn *c, void *arg, struct err *err)
{
	struct publishing *x = arg;
	struct training_row now;
	TRY(training_rows_by_id(c, x->t->row.id, x->t->arena, &now, err));
	if (!uuid_is_zero(now.candidate_id)) { /* a server before this one came so far */
		x->t->row.candidate_id = now.candidate_id;
		return ST_OK;
	}
	TRY(publication_insert(c, &x->p, err));
	x->t->row.candidate_id = x->p.row.id;
	return ST_OK;
}

static void choose_model(struct publishing *x)
{
	const struct training_row *row = &x->t->row;
	x->p.model.id = row->model_id;
	x->p.row.created_us = clock_unix_us();
	x->p.row.id = uuid_v7(x->p.row.created_us / 1000);
	x->p.is_new = uuid_is_zero(row->model_id);
	if (!x->p.is_new)
		return;
	x->p.model = (struct model_row){.id = uuid_v7(x->p.row.created_us / 1000),
		.organization_id = x->t->options->organization_id,
		.name = row->model_name ? row->model_name : x->t->experiment.name,
		.description = "",
		.created_us = x->p.row.created_us};
}

enum status stage_publish(struct training *t, struct err *err)
{
	struct publishing x = {.t = t, .p = {.experiment = {.id = t->row.experiment_id}, .arena = t->arena}};
	if (!uuid_is_zero(t->row.candidate_id))
		return ST_OK;
	training_say(t, "The result is opened and run once");
	TRY(store_file(&x, "model-latest", "model.onnx", "application/octet-stream", err));
	if (file_exists(arena_printf(t->arena, "%s/output/report.json", t->folder)))
		TRY(store_file(&x, "report", "report.json", "application/json", err));
	TRY(training_write(t, put_artifacts, &x, err));
	TRY(read_publication(&x, err));
	TRY(read_recipe(&x, err));
	TRY(publication_admit(t->options->blobs, &x.p, err));
	if (strcmp(x.p.row.state, "READY") != 0)
		return err_set(err, ST_FAILED, "The trainer's result cannot be used: %s",
			x.p.row.state_text ? x.p.row.state_text : "it is no model.");
	choose_model(&x);
	enum status st = training_write(t, insert, &x, err);
	if (st != ST_OK)
		t->row.candidate_id = (struct uuid){{0}}; /* it was not made */
	return st;
}
