/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shadow's prediction for a client that waits. It is the very prediction that the shadow's follower makes
 * by itself, and is stored once whoever comes first; only the first client gets it.
 */
#include "base/check.h"
#include "os/clock.h"
#include "shadow/inside.h"
#include "shadow/repeat.h"
#include "store/deployment_rows.h"

#include <stdatomic.h>

#define ASKING_MAX 2 /* of the server's workers: the others are for champions */

struct answer {
	const struct shadows_question *question;
	struct shadow_row shadow;
	struct shadow_task task;
	struct outcomes outcomes; /* of one image, made here */
	struct prediction_row row;
	bool found; /* row is stored already */
};

static enum status read_found(struct db_conn *c, struct answer *answer, struct err *err)
{
	TRY(prediction_rows_of_version(c, answer->task.predicted_asset_id, answer->shadow.model_version_id,
		answer->question->arena, &answer->row, &answer->found, err));
	if (answer->found && !answer->row.is_shadow)
		return err_set(err, ST_CONFLICT,
			"This version was the champion when the image came: its prediction is the "
			"champion's.");
	return ST_OK;
}

static enum status read_all(
	struct db_conn *c, struct answer *answer, struct predicted_row *out, struct err *err)
{
	const struct shadows_question *q = answer->question;
	struct deployment_row deployment;
	struct shadow_row *shadows;
	size_t count;
	TRY(deployment_rows_by_id(c, q->deployment_id, q->arena, &deployment, err));
	TRY(shadow_rows_list(c, q->deployment_id, q->arena, &shadows, &count, err));
	if (count == 0)
		return err_set(
			err, ST_MISSING, "Deployment %s has no shadow; set one first.", deployment.name);
	answer->shadow = shadows[0];
	TRY(shadow_rows_task(c, &answer->shadow, q->prediction_id, q->arena, &answer->task, err));
	TRY(prediction_rows_by_asset(c, answer->task.predicted_asset_id, q->arena, out, err));
	return read_found(c, answer, err);
}

static enum status asked_before(struct err *err)
{
	return err_set(err, ST_CONFLICT,
		"The shadow's prediction on this image was asked for before, and is stored with it.");
}

/* In a job of the writer, where nobody comes between looking and writing. */
static enum status keep(struct db_conn *c, void *arg, struct err *err)
{
	struct answer *answer = arg;
	bool first;
	if (!answer->found) {
		struct prediction_row made = answer->row;
		TRY(read_found(c, answer, err));
		if (!answer->found) {
			answer->row = made;
			bool wanted;
			TRY(shadow_rows_wanted(
				c, made.predicted_asset_id, made.model_version_id, &wanted, err));
			if (!wanted)
				return err_set(err, ST_MISSING,
					"The image was deleted while the shadow looked at it.");
			answer->outcomes.predicted[0].row = made;
			return outcomes_insert(c, &answer->outcomes, err);
		}
	}
	TRY(prediction_rows_set_asked(c, answer->row.id, &first, err));
	return first ? ST_OK : asked_before(err);
}

static enum status make(struct shadows *s, struct follower *f, struct answer *answer, struct err *err)
{
	int64_t deadline_us = clock_mono_us() + s->options.seat_timeout_us;
	struct repeat r = {
		.blobs = s->options.blobs,
		.pixel_budget = &s->pixel_budget,
		.deployment_id = answer->question->deployment_id,
		.seat_deadline_us = deadline_us,
	};
	TRY(follower_model(f, deadline_us, &r.model, err));
	enum repeat_fault fault = repeat_run(&r, &answer->task, answer->question->arena, &answer->row, err);
	model_drop(r.model);
	if (fault != REPEAT_NONE)
		return err->status;
	answer->row.asked = answer->question->keep;
	answer->outcomes = (struct outcomes){
		.shadow_id = answer->shadow.id, .deployment_id = answer->shadow.deployment_id, .count = 1};
	answer->outcomes.predicted[0].champion_version_id = answer->task.champion_version_id;
	answer->outcomes.predicted[0].champion_cpu_us = answer->task.champion_cpu_us;
	return ST_OK;
}

static enum status make_in_turn(struct shadows *s, struct answer *answer, struct err *err)
{
	struct follower *f = shadows_find(s, answer->shadow.id);
	enum status st;
	if (f == NULL)
		return err_set(err, ST_UNAVAILABLE, "The shadow is being started; try again in a moment.");
	if (atomic_fetch_add(&s->asking, 1) < ASKING_MAX)
		st = make(s, f, answer, err);
	else
		st = err_set(err, ST_UNAVAILABLE,
			"%d predictions of shadows are being made already; try again shortly.", ASKING_MAX);
	atomic_fetch_sub(&s->asking, 1);
	follower_drop(f);
	return st;
}

enum status shadows_ask(struct shadows *s, const struct shadows_question *question, struct predicted_row *out,
	struct err *err)
{
	struct answer *answer = ARENA_NEW(question->arena, struct answer);
	struct db_conn *c;
	answer->question = question;
	TRY(db_reader_take(s->options.readers, &c, err));
	enum status st = read_all(c, answer, out, err);
	db_reader_give(s->options.readers, c);
	TRY(st);
	if (!answer->found)
		TRY(make_in_turn(s, answer, err));
	if (question->keep)
		TRY(recorder_run(s->options.recorder, keep, answer, err));
	out->prediction = answer->row;
	return ST_OK;
}
