/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions that were made elsewhere: an image and what a model said of it, recorded like our own. */
#include "os/clock.h"
#include "os/log.h"
#include "serve/run.h"

#define SECOND_US ((int64_t)1000000)
#define CLOCK_AHEAD_US (300 * SECOND_US) /* a clock elsewhere may be so far ahead */

static enum status check_serving(const struct service *s, struct err *err)
{
	if (s->row.paused_us)
		return err_set(err, ST_UNAVAILABLE, "The deployment %.200s is paused.", s->row.name);
	return ST_OK;
}

/* What is kept of the image besides its bytes: its statistics and looks. The caller's size must be its own,
 * else the shapes are of another picture. */
static enum status look_at(struct run *run, const struct serve_observation *seen, struct err *err)
{
	run->prediction = (struct prediction){.bytes = run->request->image,
		.arena = run->request->arena,
		.pixel_budget = &run->serve->pixel_budget};
	int64_t before = clock_mono_us();
	run->step = STEP_DECODE;
	TRY(predict_decode(&run->prediction, err));
	run->step_us[STEP_DECODE] = clock_mono_us() - before;
	if (seen->width &&
		(run->prediction.info.width != seen->width || run->prediction.info.height != seen->height))
		return err_set(err, ST_UNPROCESSABLE,
			"The image is %u x %u pixels as shown, not %u x %u: shapes must be in its own "
			"pixels.",
			run->prediction.info.width, run->prediction.info.height, seen->width, seen->height);
	run->prediction.shapes = seen->shapes;
	run->step_us[STEP_INFER] = seen->latency_us;
	return ST_OK;
}

static enum status record_seen(struct run *run, const struct serve_observation *seen, struct err *err)
{
	TRY(check_serving(run->service, err));
	TRY(look_at(run, seen, err));
	run->total_us = clock_mono_us() - run->request->received_us;
	run->step = STEP_RECORD;
	return serve_record(run, err);
}

enum status serve_observe(struct serve *s, const struct serve_request *request,
	const struct serve_observation *seen, struct span *answer, struct err *err)
{
	struct run *run = ARENA_NEW(request->arena, struct run);
	run->serve = s;
	run->request = request;
	run->seen = seen;
	TRY(roster_pin(s->options.roster, request->deployment_id, &run->service, err));
	int64_t now_us = clock_unix_us();
	run->at_us = seen->at_us && seen->at_us < now_us + CLOCK_AHEAD_US ? seen->at_us : now_us;
	enum status st = request->idempotency_key ? serve_look_up_key(run, err) : ST_OK;
	if (st == ST_OK && !run->replayed)
		st = record_seen(run, seen, err);
	if (st == ST_OK)
		st = serve_respond(run, err);
	predict_release(&run->prediction);
	if (st != ST_OK)
		serve_tell_failed(run, err);
	service_drop(run->service);
	*answer = run->answer;
	return st;
}
