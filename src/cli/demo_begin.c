/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's first half: pictures, a first model, its deployment, and the settings that close the loop. */
#include "base/check.h"
#include "base/str.h"
#include "cli/demo_inside.h"
#include "os/clock.h"
#include "os/file.h"

#include <inttypes.h>
#include <stdio.h>

#define DATASET "Belt parts (demo)"
#define MODEL "belt-parts-demo"
#define DEPLOYMENT "Belt camera (demo)"
#define IMPORTED_AT_ONCE 60
#define THRESHOLD 0.3

/* GET …/find, and where there is none POST. */
static enum status find_or_make(struct demo *d, const char *find, const char *make, const char *body,
	char id[UUID_TEXT_SIZE], struct err *err)
{
	yyjson_val *found;
	enum status st = demo_call(d, "GET", NULL, &found, err, "%s", find);
	if (st == ST_MISSING)
		st = demo_call(d, "POST", body, &found, err, "%s", make);
	TRY(st);
	return demo_keep_id(found, "/id", id, err);
}

/* ---- labelled pictures ---- */

static enum status make_dataset(struct demo *d, struct err *err)
{
	struct client *c = &d->client;
	struct arena *a = &c->arena;
	TRY(find_or_make(d,
		arena_printf(a, "/api/organization/%s/datasets/find?name=%s", c->organization_id,
			client_escape(c, DATASET)),
		arena_printf(a, "/api/organization/%s/datasets", c->organization_id),
		"{\"name\":\"" DATASET "\",\"description\":\"Drawn by gyre demo\"}", d->state.dataset, err));
	return find_or_make(d,
		arena_printf(a, "/api/dataset/%s/versions/find?version=first", d->state.dataset),
		arena_printf(a, "/api/dataset/%s/versions", d->state.dataset),
		"{\"version\":\"first\",\"type\":\"OBJECT_DETECTION\"}", d->state.dataset_version, err);
}

/* The last of them are kept to measure with. */
static enum status hold_out(struct demo *d, struct err *err)
{
	yyjson_val *page, *asset, *answer;
	struct str body;
	size_t i, n;
	enum status st = demo_call(d, "GET", NULL, &page, err, "/api/dataset/version/%s/assets?limit=1000",
		d->state.dataset_version);
	if (st != ST_OK)
		return st;
	str_init(&body, 1 << 20);
	str_append(&body, "{\"ids\":[");
	const char *between = "";
	yyjson_arr_foreach (yyjson_obj_get(page, "items"), i, n, asset) {
		int number = 0;
		if (sscanf(demo_text(asset, "/data/filename"), "belt-labelled-%d", &number) != 1 ||
			number < d->size.labelled)
			continue;
		str_printf(&body, "%s\"%s\"", between, demo_text(asset, "/id"));
		between = ",";
	}
	str_append(&body, "],\"evaluation\":true}");
	if (*between)
		st = demo_call(d, "POST", str_text(&body), &answer, err,
			"/api/dataset/version/%s/assets/evaluation", d->state.dataset_version);
	str_release(&body);
	return st;
}

enum status demo_step_pictures(struct demo *d, struct err *err)
{
	int count = d->size.labelled + d->size.held_out;
	TRY(make_dataset(d, err));
	demo_open_page(d, "/dataset/version/%s", d->state.dataset_version);
	for (int first = 0; first < count; first += IMPORTED_AT_ONCE) {
		int some = count - first < IMPORTED_AT_ONCE ? count - first : IMPORTED_AT_ONCE;
		TRY(demo_import(d, first, some, err));
		demo_forget(d);
		demo_progress(d, "Importing", (double)(first + some) / count);
	}
	TRY(hold_out(d, err));
	demo_tell(d, "labelled", NULL,
		"%d pictures to train on, %d to measure with: bolts, nuts, gears, and chipped gears.",
		d->size.labelled, d->size.held_out);
	return ST_OK;
}

/* ---- the trainer ---- */

/* What its set-up said last, where somebody set it up beside us. */
static void tell_setup(struct demo *d)
{
	struct span bytes;
	struct err err;
	if (d->setup_file == NULL ||
		file_read(d->setup_file, 1 << 20, &d->client.arena, &bytes, &err) != ST_OK)
		return;
	char *text = (char *)arena_strndup(&d->client.arena, (const char *)bytes.data, bytes.size),
	     *line = NULL;
	for (char *save = NULL, *at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		line = *at ? at : line;
	if (line == NULL || strcmp(line, d->setup_line) == 0)
		return;
	snprintf(d->setup_line, sizeof(d->setup_line), "%s", line);
	demo_tell(d, "setup", NULL, "%s", d->setup_line);
}

static enum status look_trainer(struct demo *d, bool *done, struct err *err)
{
	yyjson_val *trainer;
	TRY(demo_call(d, "GET", NULL, &trainer, err, "/api/trainer"));
	*done = yyjson_is_true(yyjson_obj_get(trainer, "available"));
	if (*done) {
		demo_tell(d, "trainer", NULL, "%s is there.", demo_text(trainer, "/name"));
		return ST_OK;
	}
	tell_setup(d);
	if (d->setup_file && file_exists(arena_printf(&d->client.arena, "%s.failed", d->setup_file)))
		return err_set(err, ST_UNAVAILABLE,
			"The trainer could not be set up (see %s). `tools/setup.sh trainer && tools/build.sh "
			"trainer` "
			"installs libtorch (125 MB to download) and builds it; then start the demo again.",
			d->setup_file);
	if (d->setup_file == NULL)
		return err_set(err, ST_UNAVAILABLE, "%s Then start the demo again: it goes on here.",
			demo_text(trainer, "/reason"));
	return ST_OK;
}

enum status demo_step_trainer(struct demo *d, struct err *err)
{
	return demo_wait(d, look_trainer, 0, 3600, "the trainer to be installed", err);
}

/* ---- a first model ---- */

static enum status look_training(struct demo *d, const char *id, bool *done, struct err *err)
{
	yyjson_val *training;
	TRY(demo_call(d, "GET", NULL, &training, err, "/api/training/%s", id));
	const char *status = demo_text(training, "/status"), *stage = demo_text(training, "/stage");
	if (strcmp(status, "FAILED") == 0 || strcmp(status, "CANCELED") == 0)
		return err_set(err, ST_INTERNAL,
			"The training did not work: %s Its page shows the log; start the demo "
			"again when it was retried.",
			demo_text(training, "/error"));
	*done = strcmp(status, "SUCCESS") == 0;
	double share = demo_real(training, "/progress"), left_s = demo_real(training, "/left_s");
	char what[40];
	if (strcmp(stage, "train") == 0 && left_s > 0)
		snprintf(what, sizeof(what), "Training, %.0f s left", left_s);
	else
		snprintf(what, sizeof(what), "Stage: %.20s", stage);
	demo_progress(d, what, *done ? 1 : share);
	return ST_OK;
}

static enum status look_first(struct demo *d, bool *done, struct err *err)
{
	return look_training(d, d->state.training, done, err);
}

/* What came of it, with the figures that the server measured. */
static enum status tell_training(struct demo *d, struct err *err)
{
	yyjson_val *t;
	TRY(demo_call(d, "GET", NULL, &t, err, "/api/training/%s", d->state.training));
	TRY(demo_keep_id(t, "/candidate/model_version_id", d->state.first, err));
	TRY(demo_keep_id(t, "/candidate/model_id", d->state.model, err));
	TRY(demo_keep_id(t, "/project/id", d->state.project, err));
	demo_tell(d, "trained",
		arena_printf(&d->client.arena,
			"\"version\":%" PRId64 ",\"ap50\":%.3f,\"ap\":%.3f,\"images\":%" PRId64
			",\"cpu_s\":%.1f",
			demo_int(t, "/candidate/version"), demo_real(t, "/evaluation/candidate50"),
			demo_real(t, "/evaluation/candidate"), demo_int(t, "/evaluation/images"),
			demo_real(t, "/cpu_s")),
		"Version %" PRId64 ": AP50 %.2f on the %" PRId64
		" pictures that were kept to measure with. %s",
		demo_int(t, "/candidate/version"), demo_real(t, "/evaluation/candidate50"),
		demo_int(t, "/evaluation/images"), demo_text(t, "/evaluation/sentence"));
	return ST_OK;
}

enum status demo_step_first_model(struct demo *d, struct err *err)
{
	yyjson_val *training;
	if (d->state.training[0] == '\0') {
		TRY(demo_call(d, "POST",
			arena_printf(&d->client.arena,
				"{\"arch\":\"det-t\",\"name\":\"" MODEL "\",\"parameters\":{\"epochs\":%d}}",
				d->size.epochs_first),
			&training, err, "/api/dataset/version/%s/train", d->state.dataset_version));
		TRY(demo_keep_id(training, "/id", d->state.training, err));
	} else {
		TRY(demo_call(d, "GET", NULL, &training, err, "/api/training/%s", d->state.training));
	}
	demo_open_page(d, "/experiment/%s", demo_text(training, "/experiment/id"));
	TRY(demo_wait(d, look_first, 0, d->size.train_s, "the first model to be trained", err));
	return tell_training(d, err);
}

/* ---- deploy ---- */

enum status demo_step_deploy(struct demo *d, struct err *err)
{
	struct client *c = &d->client;
	struct arena *a = &c->arena;
	TRY(find_or_make(d,
		arena_printf(a, "/api/organization/%s/deployments/find?name=%s", c->organization_id,
			client_escape(c, DEPLOYMENT)),
		arena_printf(a, "/api/model/version/%s/deploy", d->state.first),
		arena_printf(a, "{\"name\":\"" DEPLOYMENT "\",\"min_threshold\":%.2f}", THRESHOLD),
		d->state.deployment, err));
	demo_open_page(d, "/deployment/%s", d->state.deployment);
	demo_tell(d, "deployed", NULL,
		"\"" DEPLOYMENT "\" answers; below a score of %.1f nothing is shown or counted.", THRESHOLD);
	return ST_OK;
}

enum status demo_step_belt(struct demo *d, struct err *err)
{
	int left = d->size.belt - (int)d->state.sent;
	demo_times_begin(d);
	TRY(demo_pictures(d, left > 0 ? left : 0, d->size.pictures_per_s, "Pictures", err));
	demo_tell(d, "belt",
		arena_printf(&d->client.arena, "\"pictures\":%" PRId64 ",\"p99_ms\":%.1f", d->state.sent,
			demo_times_p99(d)),
		"%" PRId64 " pictures were answered, 99 of 100 within %.0f ms, each after it was stored.",
		d->state.sent, demo_times_p99(d));
	return ST_OK;
}

/* ---- settings ---- */

static enum status look_reference(struct demo *d, bool *done, struct err *err)
{
	yyjson_val *td;
	TRY(demo_call(d, "GET", NULL, &td, err, "/api/deployment/%s/pipeline/td", d->state.deployment));
	*done = strcmp(demo_text(td, "/status"), "SUCCESS") == 0;
	if (strcmp(demo_text(td, "/status"), "FAILED") == 0)
		return err_set(err, ST_INTERNAL, "Training Data could not be made: %s",
			demo_text(td, "/reference/error"));
	demo_progress(d, "Training Data", demo_real(td, "/reference/progress"));
	return ST_OK;
}

static enum status set_feedback(struct demo *d, struct err *err)
{
	yyjson_val *answer;
	const char *body =
		arena_printf(&d->client.arena, "{\"dataset_version_id\":\"%s\"}", d->state.dataset_version);
	TRY(demo_call(
		d, "POST", "{}", &answer, err, "/api/deployment/%s/pipeline/fl/setup", d->state.deployment));
	enum status st = demo_call(d, "POST", body, &answer, err, "/api/deployment/%s/pipeline/fl/datasets",
		d->state.deployment);
	if (st != ST_OK && st != ST_CONFLICT)
		return st;
	/* Submitted by the reviewer, not by the clock: so that it can be seen. */
	TRY(demo_call(d, "PATCH", "{\"submit_by_itself\":false,\"evaluation_share\":0.2}", &answer, err,
		"/api/deployment/%s/pipeline/fl", d->state.deployment));
	return demo_call(d, "PUT", "{\"queue_order\":\"outlier\",\"random_share\":0.1}", &answer, err,
		"/api/deployment/%s/queue/settings", d->state.deployment);
}

static enum status set_training(struct demo *d, struct err *err)
{
	yyjson_val *answer;
	struct arena *a = &d->client.arena;
	/* Datasets first: what cannot run is refused. */
	enum status st = demo_call(d, "POST",
		arena_printf(
			a, "{\"name\":\"train\",\"dataset_version_id\":\"%s\"}", d->state.dataset_version),
		&answer, err, "/api/deployment/%s/pipeline/ct/datasets", d->state.deployment);
	if (st != ST_OK && st != ST_CONFLICT)
		return st;
	return demo_call(d, "POST",
		arena_printf(a,
			"{\"project_id\":\"%s\",\"training_type\":\"EXPERIMENT\",\"trigger\":"
			"\"FEEDBACK_LOOP\","
			"\"threshold\":%d,\"experiment_parameters\":{\"epochs\":%d}}",
			d->state.project, d->size.reviews, d->size.epochs_again),
		&answer, err, "/api/deployment/%s/pipeline/ct", d->state.deployment);
}

enum status demo_step_settings(struct demo *d, struct err *err)
{
	yyjson_val *answer;
	const char *body = arena_printf(
		&d->client.arena, "{\"kind\":\"PRODUCTION\",\"images\":%d}", d->size.training_data);
	demo_open_page(d, "/deployment/%s/settings/training-data", d->state.deployment);
	TRY(demo_call(
		d, "POST", body, &answer, err, "/api/deployment/%s/pipeline/td/setup", d->state.deployment));
	TRY(demo_wait(d, look_reference, 0, 120, "Training Data", err));
	TRY(set_feedback(d, err));
	TRY(set_training(d, err));
	TRY(demo_call(d, "POST", "{\"policy\":\"DEPLOY_SHADOW\",\"promote_by_itself\":true}", &answer, err,
		"/api/deployment/%s/pipeline/cd", d->state.deployment));
	demo_open_page(d, "/deployment/%s", d->state.deployment);
	demo_tell(d, "settings", NULL,
		"Training Data: %d pictures. After %d reviews a new version is trained, runs as shadow, and "
		"is promoted by "
		"itself when it is better.",
		d->size.training_data, d->size.reviews);
	return ST_OK;
}
