/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is trained on is frozen: of each dataset version that is still open a locked copy is made, and the
 * experiment names that instead. The open one goes on filling; what came into it since the epoch was opened
 * and is in the copy counts as had. A copy that a killed server left unlocked is made anew, as the version
 * may have changed since.
 */
#include "base/check.h"
#include "base/json.h"
#include "learn/assets.h"
#include "learn/stages.h"
#include "os/clock.h"
#include "store/dataset_rows.h"
#include "store/pipeline_rows.h"

#include <inttypes.h>
#include <string.h>

struct frozen {
	struct training *training;
	const char *alias;
	struct dataset_version_row open, copy;
};

static struct assets_store store_of(const struct training *t)
{
	return (struct assets_store){t->options->readers, t->options->recorder};
}

/* ---- the copy ---- */

static enum status insert_job(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_insert(c, arg, err);
}

static enum status delete_job(struct db_conn *c, void *arg, struct err *err)
{
	return dataset_version_rows_delete(c, *(const struct uuid *)arg, err);
}

/* "latest · run 3, 0f1e2d": of this training alone, and the same when it is made again. */
static const char *copy_name(const struct training *t, const struct dataset_version_row *open)
{
	char id[UUID_TEXT_SIZE];
	uuid_format(t->row.id, id);
	return arena_printf(t->arena, "%.100s \xc2\xb7 run %" PRId64 ", %s", open->version, t->row.epoch,
		id + UUID_TEXT_SIZE - 1 - 6);
}

static enum status find_copy(struct frozen *f, const char *name, bool *found, struct err *err)
{
	struct training *t = f->training;
	struct db_conn *c;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = dataset_version_rows_by_name(c, f->open.dataset_id, name, t->arena, &f->copy, err);
	db_reader_give(t->options->readers, c);
	*found = st == ST_OK;
	return st == ST_MISSING ? ST_OK : st;
}

static enum status make_copy(struct frozen *f, const char *name, struct err *err)
{
	struct training *t = f->training;
	const struct assets_store store = store_of(t);
	int64_t now_us = clock_unix_us(), copied;
	f->copy = (struct dataset_version_row){
		.id = uuid_v7(now_us / 1000),
		.dataset_id = f->open.dataset_id,
		.version = name,
		.description = arena_printf(
			t->arena, "Frozen from %s for experiment %s", f->open.version, t->experiment.name),
		.type = f->open.type,
		.forked_from_id = f->open.id,
		.created_us = now_us,
	};
	TRY(recorder_run(store.recorder, insert_job, &f->copy, err));
	const struct assets_copy all = {.from_id = f->open.id,
		.to_id = f->copy.id,
		.with_labels = true,
		.with_annotations = true,
		.with_tags = true};
	TRY(assets_copy(&store, &all, NULL, &copied, err));
	return assets_lock(&store, f->copy.id, err);
}

static enum status find_or_make(struct frozen *f, struct err *err)
{
	const struct assets_store store = store_of(f->training);
	const char *name = copy_name(f->training, &f->open);
	bool found;
	TRY(find_copy(f, name, &found, err));
	if (found && f->copy.locked_us)
		return ST_OK;
	if (found) {
		TRY(assets_delete_all(&store, f->copy.id, err));
		TRY(recorder_run(store.recorder, delete_job, &f->copy.id, err));
	}
	return make_copy(f, name, err);
}

/* ---- in its place ---- */

static enum status attach_job(struct db_conn *c, void *arg, struct err *err)
{
	const struct frozen *f = arg;
	const struct training_row *row = &f->training->row;
	TRY(experiment_rows_detach(c, row->experiment_id, f->open.id, err));
	TRY(experiment_rows_attach(c, row->experiment_id, f->alias, f->copy.id, err));
	return submission_rows_take_copied(c, f->open.id, f->copy.id, row->deployment_id, row->epoch, err);
}

static enum status freeze(struct training *t, const struct experiment_dataset_row *dataset, struct err *err)
{
	struct frozen f = {.training = t, .alias = dataset->name};
	struct db_conn *c;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = dataset_version_rows_by_id(c, dataset->dataset_version_id, t->arena, &f.open, err);
	db_reader_give(t->options->readers, c);
	TRY(st);
	if (f.open.locked_us)
		return ST_OK;
	training_say(t, "Freezing %s: %s", f.alias, f.open.version);
	TRY(find_or_make(&f, err));
	return training_write(t, attach_job, &f, err);
}

static enum status read_datasets(
	struct training *t, struct experiment_dataset_row **items, size_t *count, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(t->options->readers, &c, err));
	enum status st = experiment_rows_datasets(c, t->row.experiment_id, t->arena, items, count, err);
	db_reader_give(t->options->readers, c);
	return st;
}

static const char *detail_json(struct training *t, const struct experiment_dataset_row *items, size_t count)
{
	yyjson_mut_doc *doc = json_new(t->arena);
	yyjson_mut_val *root = yyjson_mut_obj(doc), *list;
	yyjson_mut_doc_set_root(doc, root);
	list = yyjson_mut_obj_add_arr(doc, root, "datasets");
	for (size_t i = 0; i < count; i++) {
		yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
		char *id = arena_alloc(t->arena, UUID_TEXT_SIZE);
		uuid_format(items[i].dataset_version_id, id);
		yyjson_mut_obj_add_str(doc, item, "alias", items[i].name);
		yyjson_mut_obj_add_str(doc, item, "dataset_version_id", id);
	}
	return (const char *)json_print(doc, t->arena).data;
}

enum status stage_snapshot(struct training *t, struct err *err)
{
	struct experiment_dataset_row *datasets;
	size_t count;
	if (t->row.epoch == 0) {
		t->passed =
			"The experiment's dataset versions are used as they are: it names their revisions.";
		return ST_OK;
	}
	TRY(read_datasets(t, &datasets, &count, err));
	for (size_t i = 0; i < count; i++) {
		if (training_leaving(t))
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		TRY(freeze(t, &datasets[i], err));
	}
	TRY(read_datasets(t, &datasets, &count, err));
	t->detail = detail_json(t, datasets, count);
	return ST_OK;
}
