/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can a version be trained? The built-in trainer is asked once for each, in the background, one after the
 * other: what it says is with the version (model_version.trainable). A version that was not asked is found by
 * that column alone, so nothing is lost when the server is killed.
 */
#include "base/json.h"
#include "deploy/model.h"
#include "learn/trainer.h"
#include "learn/training_inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/log.h"
#include "store/model_rows.h"

#include <stdlib.h>
#include <unistd.h>

#define ASK_US ((int64_t)120 * 1000000)
#define LOOK_US ((int64_t)5 * 1000000)
#define BUILT_US ((int64_t)1 * 1000000) /* between two looks for a trainer that is not there yet */
#define NOT_TRAINABLE 3
#define NOT_STARTED 126 /* and 127: of a shell */

struct asking {
	struct trainings *all;
	struct arena *arena;
	struct model_version_row version;
	bool found;
	const char *answer;
};

/* ---- the trainer itself ---- */

/* The first line, if it looks like one. */
static char *version_of(const char *text)
{
	size_t size = strcspn(text, "\n");
	return size > 0 && size < 80 && strncmp(text, "usage", 5) != 0 ? strndup(text, size) : NULL;
}

/* False: it does not run, and why is said; one that is being built runs later. */
static bool ask_version(struct trainings *all, const char *folder)
{
	struct arena a;
	struct err err;
	const char *text = "";
	int code = 0;
	arena_init(&a);
	const char *command = arena_printf(&a, "%s --version", trainer_quoted(all->program, &a));
	enum status st = trainer_ask(command, folder, ASK_US, &all->stopping, &a, &code, &text, &err);
	mutex_lock(&all->mutex);
	free(all->broken);
	all->broken = NULL;
	if (st != ST_OK)
		all->broken = strdup(err.text);
	else if (code < 0 || code >= NOT_STARTED)
		all->broken =
			strdup("gyre-train is there and cannot be started: a library that it was built with "
			       "is missing. tools/build.sh trainer builds it anew.");
	else
		all->version = version_of(text);
	bool runs = all->broken == NULL;
	mutex_unlock(&all->mutex);
	arena_release(&a);
	return runs;
}

static enum status ask_again(struct db_conn *c, void *arg, struct err *err)
{
	return model_rows_version_ask_again(c, err);
}

/* ---- a version ---- */

static enum status find(struct asking *x, struct err *err)
{
	struct db_conn *c;
	TRY(db_reader_take(x->all->options.readers, &c, err));
	enum status st = model_rows_version_not_asked(c, x->arena, &x->version, &x->found, err);
	db_reader_give(x->all->options.readers, c);
	return st;
}

static const char *refusal(const char *reason, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_bool(doc, root, "trainable", false);
	yyjson_mut_obj_add_str(doc, root, "reason", reason);
	return (const char *)json_print(doc, a).data;
}

/* Of its answer what is an object with "trainable"; anything else is a reason why not. */
static const char *read_answer(int code, const char *text, struct arena *a)
{
	yyjson_doc *doc;
	struct err err;
	bool sound = (code == 0 || code == NOT_TRAINABLE) && *text &&
		     json_parse(span_of_text(text), a, &doc, &err) == ST_OK &&
		     yyjson_is_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "trainable"));
	if (!sound)
		return refusal(
			arena_printf(a, "The trainer could not look at this model (exit code %d).", code), a);
	yyjson_mut_doc *out = json_new(a);
	yyjson_mut_doc_set_root(out, yyjson_val_mut_copy(out, yyjson_doc_get_root(doc)));
	return (const char *)json_print(out, a).data;
}

static enum status ask(struct asking *x, const char *folder, struct err *err)
{
	struct arena *a = x->arena;
	const char *model = arena_printf(a, "%s/model.onnx", folder), **labels, *text = "";
	const char *recipe = arena_printf(a, "%s/recipe.json", folder);
	uint32_t label_count;
	uint64_t size;
	int fd, code;
	TRY(file_make_folders(folder, err));
	TRY(blob_open(x->all->options.blobs, x->version.onnx_sha256, &fd, &size, err));
	enum status st = file_copy(fd, model, err);
	close(fd);
	TRY(st);
	TRY(file_write_durable(recipe, span_of_text(x->version.recipe), 0600, err));
	TRY(model_labels(x->version.labels, a, &labels, &label_count, err));
	const char *command = arena_printf(a, "nice -n 10 %s check --model %s --recipe %s%s --json",
		trainer_quoted(x->all->program, a), trainer_quoted(model, a), trainer_quoted(recipe, a),
		label_count ? arena_printf(a, " --labels %u", label_count) : "");
	st = trainer_ask(command, folder, ASK_US, &x->all->stopping, a, &code, &text, err);
	(void)unlink(model);
	if (st == ST_UNAVAILABLE && !atomic_load(&x->all->stopping))
		x->answer = refusal(err->text, a);
	else
		TRY(st);
	if (x->answer == NULL)
		x->answer = read_answer(code, text, a);
	return ST_OK;
}

static enum status keep(struct db_conn *c, void *arg, struct err *err)
{
	struct asking *x = arg;
	struct model_version_row now;
	enum status st = model_rows_version_by_id(c, x->version.id, x->arena, &now, err);
	if (st == ST_MISSING) /* deleted meanwhile */
		return ST_OK;
	TRY(st);
	if (now.onnx_sha256 == NULL || strcmp(now.onnx_sha256, x->version.onnx_sha256) != 0)
		return ST_OK; /* it has another file now, and is asked again */
	return model_rows_version_set_trainable(c, x->version.id, x->answer, err);
}

/* False: there is none to ask for, or it did not work. */
static bool ask_next(struct trainings *all, const char *folder)
{
	struct arena a;
	struct err err;
	struct asking x = {.all = all, .arena = &a};
	arena_init(&a);
	enum status st = find(&x, &err);
	if (st == ST_OK && x.found)
		st = ask(&x, folder, &err);
	if (st == ST_OK && x.found)
		st = recorder_run(all->options.recorder, keep, &x, &err);
	if (st != ST_OK && !atomic_load(&all->stopping))
		log_err("trainer_check", &err);
	arena_release(&a);
	return st == ST_OK && x.found;
}

void trainings_check(void *arg)
{
	struct trainings *all = arg;
	struct arena a;
	struct err err;
	arena_init(&a);
	const char *folder = arena_printf(&a, "%s/check", all->options.folder);
	bool found = all->command != NULL, runs = false, look = trainings_look_for_trainer(all);
	if (!(found && look) && recorder_run(all->options.recorder, ask_again, NULL, &err) != ST_OK)
		log_err("trainer_check", &err);
	while (look && !atomic_load(&all->stopping)) {
		uint32_t heard = bell_count(&all->check_bell);
		found = found || trainings_find_trainer(all);
		runs = runs || (found && ask_version(all, folder));
		if (!(runs && ask_next(all, folder)) && !atomic_load(&all->stopping))
			bell_wait(&all->check_bell, heard, clock_mono_us() + (runs ? LOOK_US : BUILT_US));
	}
	arena_release(&a);
}
