/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidate and champion answer the pictures that were kept to measure with, in processes of their own that
 * stand back for those that serve. The champion is the deployment's now, else the version that the training
 * started from.
 */
#include "base/check.h"
#include "formats/name_map.h"
#include "learn/run_folder.h"
#include "learn/side_by_side.h"
#include "learn/stages.h"
#include "os/file.h"
#include "store/deployment_rows.h"
#include "vision/codec.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_BYTES_MAX ((size_t)64 << 20)
#define PICTURE_BYTES_MAX ((size_t)256 << 20)
#define SAY_EVERY 10
#define SEED 1 /* of the resamples */

struct evaluating {
	struct training *t;
	struct run_plan plan;
	struct model_version_row versions[2]; /* champion, candidate */
	const char *model_names[2];
	bool has_champion;
	struct model *models[2];
	struct side_model sides[2];
	struct name_map kept, kept_before; /* by bytes: to measure with, now and by the training before */
	bool has_before;
	struct paired *all, *before;
	struct side_picture *pictures;
	size_t count, before_count, unread;
};

/* ---- which pictures, which models ---- */

/* The list that prepare left in a run's folder. */
static enum status read_kept(struct evaluating *e, const char *folder, struct name_map *out, struct err *err)
{
	struct arena *a = e->t->arena;
	struct span text;
	yyjson_doc *doc;
	yyjson_val *value;
	size_t i, n;
	name_map_init(out, a);
	TRY(file_read(arena_printf(a, "%s/test.json", folder), LIST_BYTES_MAX, a, &text, err));
	TRY(json_parse(text, a, &doc, err));
	yyjson_arr_foreach (yyjson_doc_get_root(doc), i, n, value)
		if (yyjson_is_str(value))
			name_map_add(out, yyjson_get_str(value), yyjson_get_len(value), 0);
	return ST_OK;
}

static bool is_kept(const struct name_map *kept, const struct training_picture *p)
{
	return name_map_find(kept, p->sha256, strlen(p->sha256)) != NAME_MAP_NONE;
}

/* The last success before this one, of the same deployment. */
static enum status find_before(struct evaluating *e, struct db_conn *c, struct err *err)
{
	struct training *t = e->t;
	const struct rows_page page = {.limit = 20, .order = ROWS_NEWEST};
	struct training_row *rows;
	size_t count;
	int64_t total;
	char id[UUID_TEXT_SIZE];
	if (uuid_is_zero(t->row.deployment_id))
		return ST_OK;
	TRY(training_rows_list(c, t->row.deployment_id, &page, t->arena, &rows, &count, &total, err));
	for (size_t i = 0; i < count; i++) {
		struct err unread;
		if (rows[i].created_us >= t->row.created_us || strcmp(rows[i].status, "SUCCESS") != 0)
			continue;
		uuid_format(rows[i].id, id);
		e->has_before = read_kept(e, arena_printf(t->arena, "%s/%s", t->options->folder, id),
					&e->kept_before, &unread) == ST_OK;
		return ST_OK;
	}
	return ST_OK;
}

static enum status read_versions(struct evaluating *e, struct db_conn *c, struct err *err)
{
	struct training *t = e->t;
	struct deployment_row deployment;
	struct uuid ids[2] = {t->experiment.base_model_version_id, t->row.candidate_id};
	if (!uuid_is_zero(t->row.deployment_id)) {
		TRY(deployment_rows_by_id(c, t->row.deployment_id, t->arena, &deployment, err));
		ids[0] = deployment.champion_id;
	}
	for (int i = 0; i < 2; i++) {
		struct model_row model;
		if (uuid_is_zero(ids[i]))
			continue;
		TRY(model_rows_version_by_id(c, ids[i], t->arena, &e->versions[i], err));
		TRY(model_rows_by_id(c, e->versions[i].model_id, t->arena, &model, err));
		e->model_names[i] = model.name;
		e->has_champion |= i == 0;
	}
	return find_before(e, c, err);
}

static enum status open_models(struct evaluating *e, struct err *err)
{
	for (int i = e->has_champion ? 0 : 1; i < 2; i++) {
		TRY(model_open_background(
			&e->versions[i], e->model_names[i], e->t->options->blobs, &e->models[i], err));
		side_model_set(&e->sides[i], e->models[i], &e->plan.set, e->t->arena);
	}
	return ST_OK;
}

/* ---- one picture ---- */

static enum status ask_both(struct evaluating *e, const struct training_picture *p, const struct image *image,
	struct arena *a, struct err *err)
{
	struct match_guess *guesses[2] = {NULL, NULL};
	size_t counts[2] = {0, 0}, truth_count;
	enum task task = e->plan.set.task;
	for (int i = e->has_champion ? 0 : 1; i < 2; i++)
		TRY(side_guesses(&e->sides[i], image, task, a, &guesses[i], &counts[i], err));
	struct match_truth *truths = side_truths(task, p, image->width, image->height, a, &truth_count);
	paired_add(e->all, truths, truth_count, guesses[0], counts[0], guesses[1], counts[1]);
	e->pictures[e->count++] = (struct side_picture){p->asset_id, p->data_id, p->filename};
	if (e->has_before && is_kept(&e->kept_before, p)) {
		paired_add(e->before, truths, truth_count, guesses[0], counts[0], guesses[1], counts[1]);
		e->before_count++;
	}
	return ST_OK;
}

static enum status add_picture(struct evaluating *e, const struct training_picture *p, struct err *err)
{
	struct arena a;
	struct span bytes;
	struct image image = {0};
	struct err unread;
	if (e->plan.set.task == TASK_CLASSIFICATION && p->shape_count == 0)
		return ST_OK; /* its class is none that was trained on */
	arena_init(&a);
	enum status st = blob_get(e->t->options->blobs, p->sha256, PICTURE_BYTES_MAX, &a, &bytes, err);
	if (st == ST_OK) {
		if (image_decode(bytes, &image_limits_default, &image, &unread) == ST_OK)
			st = ask_both(e, p, &image, &a, err);
		else
			e->unread++;
	}
	image_release(&image);
	arena_release(&a);
	return st;
}

static enum status add_pictures(struct evaluating *e, struct err *err)
{
	size_t of = 0, done = 0;
	for (size_t i = 0; i < e->plan.set.count; i++)
		of += is_kept(&e->kept, &e->plan.set.pictures[i]);
	e->pictures = ARENA_ARRAY(e->t->arena, struct side_picture, of + 1);
	for (size_t i = 0; i < e->plan.set.count; i++) {
		if (!is_kept(&e->kept, &e->plan.set.pictures[i]))
			continue;
		if (training_leaving(e->t))
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		TRY(add_picture(e, &e->plan.set.pictures[i], err));
		if (++done % SAY_EVERY == 0)
			training_say(e->t, "%zu of %zu pictures to measure with", done, of);
	}
	return ST_OK;
}

/* ---- the whole ---- */

static enum status put_log(struct db_conn *c, void *arg, struct err *err)
{
	struct training *t = arg;
	return run_put_log(c, t, "evaluation", "EVALUATION", t->row.evaluation, t->arena, err);
}

static enum status report(struct evaluating *e, struct err *err)
{
	struct training *t = e->t;
	struct paired_result all, before;
	if (e->count == 0) {
		t->passed =
			"There are no pictures to measure with: keep some of the dataset version to measure "
			"with, or give the experiment one as \"test\".";
		return ST_OK;
	}
	paired_read(e->all, SEED, t->arena, &all);
	if (e->before_count)
		paired_read(e->before, SEED, t->arena, &before);
	const struct side_report r = {.set = &e->plan.set,
		.all = &all,
		.pictures = e->pictures,
		.before = e->before_count ? &before : NULL,
		.has_champion = e->has_champion};
	t->row.evaluation = side_report_json(&r, t->arena);
	char id[UUID_TEXT_SIZE];
	uuid_format(e->versions[0].id, id);
	if (e->has_champion) /* what is found holds beside this one alone */
		t->detail = arena_printf(t->arena, "{\"champion_id\":\"%s\"}", id);
	return training_write(t, put_log, t, err);
}

static enum status evaluate(struct evaluating *e, struct err *err)
{
	struct training *t = e->t;
	struct db_conn *c;
	TRY(run_plan_read(t, &e->plan, err));
	TRY(read_kept(e, t->folder, &e->kept, err));
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = read_versions(e, c, err);
	db_reader_give(t->options->readers, c);
	TRY(st);
	TRY(open_models(e, err));
	e->all = paired_new(e->plan.set.task, (uint32_t)e->plan.set.label_count);
	e->before = paired_new(e->plan.set.task, (uint32_t)e->plan.set.label_count);
	TRY(add_pictures(e, err));
	return report(e, err);
}

enum status stage_evaluate(struct training *t, struct err *err)
{
	struct evaluating *e = calloc(1, sizeof(*e));
	CHECK(e != NULL);
	e->t = t;
	enum status st = evaluate(e, err);
	for (int i = 0; i < 2; i++)
		if (e->models[i])
			model_drop(e->models[i]);
	if (e->all)
		paired_free(e->all);
	if (e->before)
		paired_free(e->before);
	free(e);
	return st;
}
