/* SPDX-License-Identifier: Apache-2.0 */
/* The demo's second half: the lamp fails, people correct, and a better version is promoted. */
#include "base/check.h"
#include "base/str.h"
#include "cli/demo_inside.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/terminal.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_MS 15000
#define AFTER_KILL 20 /* pictures */
#define INVITED_S 60
#define REVIEWED_AT_ONCE 6
#define WHILE_TRAINING_PER_S 3.0

/* ---- kill -9 ---- */

static enum status server_pid(struct demo *d, long *pid, struct err *err)
{
	struct span text;
	TRY(file_read(d->server_file, 64, &d->client.arena, &text, err));
	*pid = strtol((const char *)text.data, NULL, 10);
	return *pid > 1 ? ST_OK : err_set(err, ST_INVALID, "%s holds no process id.", d->server_file);
}

static enum status count_stored(struct demo *d, int64_t *count, struct err *err)
{
	yyjson_val *page;
	TRY(demo_call(d, "GET", NULL, &page, err, "/api/deployment/%s/predictedassets?limit=1",
		d->state.deployment));
	*count = demo_int(page, "/count");
	return ST_OK;
}

static enum status kill_server(struct demo *d, struct err *err)
{
	int64_t stored;
	long pid;
	TRY(server_pid(d, &pid, err));
	TRY(demo_pictures(d, AFTER_KILL / 2, 0, "Pictures", err));
	if (kill((pid_t)pid, SIGKILL) != 0)
		return err_set(err, ST_INTERNAL, "The server (process %ld) could not be killed.", pid);
	demo_tell(d, "killed", NULL,
		"The server was killed with signal 9 and is started again. The belt goes on.");
	TRY(demo_pictures(d, AFTER_KILL / 2, 0, "Pictures", err));
	TRY(count_stored(d, &stored, err));
	demo_tell(d, "stored",
		arena_printf(&d->client.arena, "\"acknowledged\":%" PRId64 ",\"stored\":%" PRId64,
			d->state.sent, stored),
		"%" PRId64 " pictures were answered, %" PRId64 " are stored: acknowledged is stored.",
		d->state.sent, stored);
	return ST_OK;
}

enum status demo_step_kill(struct demo *d, struct err *err)
{
	if (d->server_file == NULL || !d->terminal) {
		demo_tell(d, "passed_over", NULL,
			"Passed over: this moment needs a person at the terminal of `make run`.");
		return ST_OK;
	}
	demo_tell(d, "ask", NULL,
		"Press K to kill the server with kill -9, any other key to go on (or wait %d seconds).",
		KEY_MS / 1000);
	int key = terminal_key(STDIN_FILENO, KEY_MS);
	return key == 'k' || key == 'K' ? kill_server(d, err) : ST_OK;
}

/* ---- the lamp fails ---- */

static enum status look_drift(struct demo *d, bool *done, struct err *err)
{
	yyjson_val *alerts, *event;
	size_t i, n;
	TRY(demo_call(d, "GET", NULL, &alerts, err, "/api/deployment/%s/alerts", d->state.deployment));
	yyjson_arr_foreach (yyjson_obj_get(alerts, "events"), i, n, event) {
		if (strcmp(demo_text(event, "/kind"), "is_drift") != 0 || *demo_text(event, "/closed_at"))
			continue;
		int64_t dark = d->state.sent - d->state.lamp_at + 1;
		demo_tell(d, "drift", arena_printf(&d->client.arena, "\"pictures\":%" PRId64, dark),
			"After %" PRId64 " dark pictures: %s", dark, demo_text(event, "/sentence"));
		*done = true;
		return ST_OK;
	}
	int64_t dark = d->state.sent - d->state.lamp_at + 1;
	demo_progress(d, "Dark pictures", (double)dark / d->size.dark_max);
	if (dark <= d->size.dark_max)
		return ST_OK;
	return err_set(err, ST_TIMEOUT, "No drift was told within %" PRId64 " dark pictures.", dark);
}

enum status demo_step_lamp(struct demo *d, struct err *err)
{
	if (d->state.lamp_at == 0)
		d->state.lamp_at = d->state.sent + 1;
	TRY(demo_state_write(d, err));
	demo_open_page(d, "/deployment/%s#drift", d->state.deployment);
	double rate = d->size.pictures_per_s > 0 ? d->size.pictures_per_s : 1000;
	TRY(demo_wait(d, look_drift, rate, 600, "drift to be told", err));
	/* So that there is enough to correct. */
	int64_t wanted = d->state.lamp_at + d->size.reviews * 2, left = wanted - d->state.sent;
	return demo_pictures(d, left > 0 ? (int)left : 0, d->size.pictures_per_s, "Dark pictures", err);
}

/* ---- reviews ---- */

/* Its own person, who may review and nothing else. */
static enum status make_robot(struct demo *d, struct err *err)
{
	yyjson_val *answer, *user;
	struct client *c = &d->client;
	size_t i, n;
	if (d->robot)
		return ST_OK;
	TRY(demo_call(
		d, "GET", NULL, &answer, err, "/api/organization/%s/users?limit=1000", c->organization_id));
	yyjson_arr_foreach (yyjson_obj_get(answer, "items"), i, n, user)
		if (strcmp(demo_text(user, "/name"), "robot") == 0)
			TRY(demo_keep_id(user, "/id", d->state.robot, err));
	if (d->state.robot[0] == '\0') {
		TRY(demo_call(d, "POST", "{\"name\":\"robot\",\"role\":\"REVIEWER\"}", &answer, err,
			"/api/organization/%s/users", c->organization_id));
		TRY(demo_keep_id(answer, "/id", d->state.robot, err));
	}
	TRY(demo_call(d, "POST",
		arena_printf(&c->arena, "{\"name\":\"demo\",\"user_id\":\"%s\"}", d->state.robot), &answer,
		err, "/api/tokens"));
	d->robot = arena_strdup(&d->arena, demo_text(answer, "/token"));
	return ST_OK;
}

struct counts {
	int64_t submitted, threshold, epoch;
	bool open;
};

static enum status read_counts(struct demo *d, struct counts *out, struct err *err)
{
	yyjson_val *ct;
	TRY(demo_call(d, "GET", NULL, &ct, err, "/api/deployment/%s/pipeline/ct", d->state.deployment));
	*out = (struct counts){demo_int(ct, "/counts/submitted"), demo_int(ct, "/counts/threshold"), 0,
		yyjson_is_obj(yyjson_obj_get(ct, "open"))};
	if (strcmp(demo_text(ct, "/state"), "paused") == 0)
		return err_set(err, ST_INTERNAL, "Continuous Training stands still: %s",
			demo_text(ct, "/state_text"));
	yyjson_val *last = yyjson_obj_get(ct, out->open ? "open" : "last");
	if (yyjson_is_obj(last)) {
		out->epoch = demo_int(last, "/epoch");
		TRY(demo_keep_id(last, "/id", d->state.retraining, err));
	}
	return ST_OK;
}

static enum status submit(struct demo *d, struct counts *counts, struct err *err)
{
	yyjson_val *answer;
	TRY(demo_call(
		d, "POST", "{\"all\":true}", &answer, err, "/api/deployment/%s/submit", d->state.deployment));
	TRY(read_counts(d, counts, err));
	if (counts->epoch > d->state.epoch)
		counts->submitted = counts->threshold; /* it took them */
	char what[40];
	snprintf(what, sizeof(what), "%" PRId64 " of %" PRId64 " reviews", counts->submitted,
		counts->threshold);
	demo_progress(
		d, what, (double)counts->submitted / (double)(counts->threshold ? counts->threshold : 1));
	demo_forget(d);
	return ST_OK;
}

/* A person at the terminal may do the last ones; the belt stands still for them. */
static enum status invite(struct demo *d, struct counts *counts, struct err *err)
{
	int64_t end_us = clock_mono_us() + INVITED_S * 1000000LL;
	demo_open_page(d, "/deployment/%s/review", d->state.deployment);
	demo_tell(d, "invited", NULL,
		"The last %" PRId64
		" are yours: correct them on that page (Space accepts), or press a key here and the robot "
		"does them too.",
		counts->threshold - counts->submitted);
	while (counts->epoch <= d->state.epoch && clock_mono_us() < end_us) {
		TRY(demo_check_stop(err));
		if (terminal_key(STDIN_FILENO, 1000) >= 0)
			break;
		TRY(submit(d, counts, err));
	}
	return ST_OK;
}

enum status demo_step_review(struct demo *d, struct err *err)
{
	struct counts counts;
	bool invited = d->leaves || !d->terminal;
	int total = 0;
	TRY(make_robot(d, err));
	TRY(read_counts(d, &counts, err));
	if (counts.open == false)
		d->state.epoch = counts.epoch;
	demo_open_page(d, "/deployment/%s/review", d->state.deployment);
	while (counts.epoch <= d->state.epoch) {
		int done, left = (int)(counts.threshold - counts.submitted), count = REVIEWED_AT_ONCE;
		if (!invited && left <= d->size.invited) {
			invited = true;
			TRY(invite(d, &counts, err));
			continue;
		}
		/* Not beyond what is needed: some are kept to measure with and do not count. */
		count = left < 1 ? 0 : left < count ? left : count;
		TRY(demo_review(d, "", count, &done, err));
		TRY(submit(d, &counts, err));
		total += done;
		if (count > 0 && done == 0)
			TRY(demo_pictures(d, REVIEWED_AT_ONCE, 0, "Pictures", err));
		if (count == 0)
			poll(NULL, 0, 200); /* it begins on its own */
	}
	progress_end();
	demo_tell(d, "reviewed", arena_printf(&d->client.arena, "\"robot\":%d", total),
		"The robot reviewed %d pictures; %" PRId64
		" of them count, the others are kept to measure with.",
		total, counts.threshold);
	return demo_state_write(d, err);
}

/* ---- it trains by itself ---- */

static enum status look_retraining(struct demo *d, bool *done, struct err *err)
{
	yyjson_val *training;
	TRY(demo_call(d, "GET", NULL, &training, err, "/api/training/%s", d->state.retraining));
	const char *status = demo_text(training, "/status"), *stage = demo_text(training, "/stage");
	if (strcmp(status, "FAILED") == 0 || strcmp(status, "CANCELED") == 0)
		return err_set(
			err, ST_INTERNAL, "The retraining did not work: %s", demo_text(training, "/error"));
	*done = strcmp(status, "SUCCESS") == 0;
	char what[40];
	snprintf(what, sizeof(what), "%s", strcmp(stage, "train") == 0 ? "Training" : stage);
	demo_progress(d, what, *done ? 1 : demo_real(training, "/progress"));
	return ST_OK;
}

static enum status tell_retraining(struct demo *d, struct err *err)
{
	yyjson_val *t;
	TRY(demo_call(d, "GET", NULL, &t, err, "/api/training/%s", d->state.retraining));
	TRY(demo_keep_id(t, "/candidate/model_version_id", d->state.second, err));
	double p99 = demo_times_p99(d);
	demo_tell(d, "trained",
		arena_printf(&d->client.arena,
			"\"version\":%" PRId64 ",\"champion_ap50\":%.3f,\"ap50\":%.3f,\"images\":%" PRId64
			",\"cpu_s\":%.1f,\"p99_ms\":%.1f,\"p99_before_ms\":%.1f,\"failed\":%" PRId64,
			demo_int(t, "/candidate/version"), demo_real(t, "/evaluation/champion50"),
			demo_real(t, "/evaluation/candidate50"), demo_int(t, "/evaluation/images"),
			demo_real(t, "/cpu_s"), p99, d->p99_before, d->failed),
		"Version %" PRId64 " is there: AP50 %.2f, the champion %.2f, on the same %" PRId64
		" pictures. Meanwhile 99 of 100 pictures were answered within %.0f ms (before: %.0f ms). %s",
		demo_int(t, "/candidate/version"), demo_real(t, "/evaluation/candidate50"),
		demo_real(t, "/evaluation/champion50"), demo_int(t, "/evaluation/images"), p99, d->p99_before,
		demo_text(t, "/decision/sentence"));
	return ST_OK;
}

enum status demo_step_retrain(struct demo *d, struct err *err)
{
	yyjson_val *t;
	TRY(demo_call(d, "GET", NULL, &t, err, "/api/training/%s", d->state.retraining));
	demo_open_page(d, "/experiment/%s", demo_text(t, "/experiment/id"));
	demo_tell(d, "why", NULL, "Why: %s", demo_text(t, "/why"));
	d->p99_before = demo_times_p99(d);
	demo_times_begin(d);
	TRY(demo_wait(d, look_retraining, WHILE_TRAINING_PER_S, d->size.train_s,
		"the new version to be trained", err));
	return tell_retraining(d, err);
}

/* ---- the shadow ---- */

static enum status is_champion(struct demo *d, bool *yes, struct err *err)
{
	yyjson_val *deployment;
	TRY(demo_call(d, "GET", NULL, &deployment, err, "/api/deployment/%s", d->state.deployment));
	*yes = strcmp(demo_text(deployment, "/champion/version_id"), d->state.second) == 0;
	return ST_OK;
}

static enum status tell_verdict(struct demo *d, char state[16], struct err *err)
{
	yyjson_val *v;
	enum status st = demo_call(d, "GET", NULL, &v, err, "/api/deployment/%s/shadow/verdict?version=%s",
		d->state.deployment, d->state.second);
	if (st == ST_MISSING)
		return ST_OK; /* it was promoted in between */
	TRY(st);
	double e = demo_real(v, "/e"), needed = demo_real(v, "/e_needed");
	char what[48];
	snprintf(what, sizeof(what), "%" PRId64 " won, %" PRId64 " lost", demo_int(v, "/wins"),
		demo_int(v, "/losses"));
	demo_progress(d, what, needed > 0 ? e / needed : 0);
	if (strcmp(state, demo_text(v, "/state")) == 0)
		return ST_OK;
	snprintf(state, 16, "%.15s", demo_text(v, "/state"));
	demo_tell(d, "verdict",
		arena_printf(&d->client.arena,
			"\"state\":\"%s\",\"wins\":%" PRId64 ",\"losses\":%" PRId64
			",\"e\":%.2f,\"may_promote\":%s",
			state, demo_int(v, "/wins"), demo_int(v, "/losses"), e,
			yyjson_is_true(yyjson_obj_get(v, "may_promote")) ? "true" : "false"),
		"%s", demo_text(v, "/sentence"));
	return ST_OK;
}

enum status demo_step_shadow(struct demo *d, struct err *err)
{
	char state[16] = "", queue[96]; /* not of the arena: it outlives calls */
	bool promoted = false;
	int64_t end_us = clock_mono_us() + (int64_t)d->size.verdict_s * 1000000;
	TRY(make_robot(d, err));
	snprintf(queue, sizeof(queue), ",\"queue\":\"disagreements\",\"version\":\"%s\"", d->state.second);
	demo_open_page(d, "/deployment/%s", d->state.deployment);
	while (!promoted) {
		int done;
		TRY(demo_pictures(d, d->size.per_round, d->size.pictures_per_s, NULL, err));
		enum status st = demo_review(d, queue, d->size.per_round / 2, &done, err);
		if (st != ST_OK && st != ST_MISSING) /* it is no shadow any more: promoted in between */
			return st;
		TRY(tell_verdict(d, state, err));
		TRY(is_champion(d, &promoted, err));
		demo_forget(d);
		if (!promoted && clock_mono_us() > end_us)
			return err_set(err, ST_TIMEOUT,
				"The shadow was not promoted within %u seconds; its card says why.",
				d->size.verdict_s);
	}
	progress_end();
	demo_tell(d, "champion", NULL,
		"The shadow was better and was promoted, by itself. The champion before stays as shadow.");
	return demo_state_write(d, err);
}
