/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/pipeline.h"

#include "base/check.h"
#include "base/metrics.h"
#include "os/clock.h"
#include "os/log.h"
#include "serve/run.h"

#include <stdlib.h>

static const struct {
	const char *name;
	enum metric metric;
	enum status (*run)(struct run *run, struct err *err);
} steps[] = {
#define STEP(id, name, function, help) {#name, METRIC_STEP_##id, function},
#include "serve/steps.def"
#undef STEP
};

const char *step_name(enum step s)
{
	CHECK(s < STEP_COUNT);
	return steps[s].name;
}

struct serve *serve_new(const struct serve_options *options)
{
	struct serve *s = calloc(1, sizeof(*s));
	CHECK(s != NULL);
	s->options = *options;
	budget_init(&s->pixel_budget, "memory for decoded images", options->pixel_bytes_max);
	return s;
}

void serve_free(struct serve *s)
{
	free(s);
}

struct budget *serve_pixel_budget(struct serve *s)
{
	return &s->pixel_budget;
}

/* The predict/ steps, on the run's prediction. */
enum status serve_decode(struct run *run, struct err *err)
{
	return predict_decode(&run->prediction, err);
}

enum status serve_seat(struct run *run, struct err *err)
{
	run->prediction.seat_deadline_us = clock_mono_us() + run->serve->options.seat_timeout_us;
	return predict_seat(&run->prediction, err);
}

enum status serve_preprocess(struct run *run, struct err *err)
{
	return predict_preprocess(&run->prediction, err);
}

enum status serve_infer(struct run *run, struct err *err)
{
	return predict_infer(&run->prediction, err);
}

enum status serve_postprocess(struct run *run, struct err *err)
{
	return predict_postprocess(&run->prediction, err);
}

static enum status run_steps(struct run *run, struct err *err)
{
	int64_t before = run->request->received_us;
	for (enum step s = 0; s < STEP_COUNT; s++) {
		if (run->replayed && s != STEP_RESPOND)
			continue;
		run->total_us = clock_mono_us() - run->request->received_us;
		run->step = s;
		TRY(steps[s].run(run, err));
		int64_t now = clock_mono_us();
		run->step_us[s] = now - before;
		metric_observe_us(steps[s].metric, now - before);
		before = now;
	}
	return ST_OK;
}

void serve_tell_failed(const struct run *run, const struct err *err)
{
	const struct serve_options *o = &run->serve->options;
	if (o->failed && run->service)
		o->failed(o->failed_arg, run->request->deployment_id, status_http(err->status),
			step_name(run->step), err->text);
}

enum status serve_predict(
	struct serve *s, const struct serve_request *request, struct span *answer, struct err *err)
{
	struct run *run = ARENA_NEW(request->arena, struct run);
	run->serve = s;
	run->request = request;
	enum status st = run_steps(run, err);
	predict_release(&run->prediction);
	if (st != ST_OK)
		serve_tell_failed(run, err);
	if (run->service) {
		if (st != ST_OK && run->step_us[STEP_RECEIVE]) {
			metric_add(METRIC_PREDICTIONS_FAILED, 1);
			tally_failed(run->service->tally);
		}
		service_drop(run->service);
	}
	*answer = run->answer;
	return st;
}

const char *serve_steps_json(const struct run *run, struct arena *a)
{
	struct str out;
	str_init(&out, 1024);
	for (enum step s = 0; s < STEP_RECORD; s++)
		str_printf(&out, "%s\"%s\":%lld", s ? "," : "{", steps[s].name, (long long)run->step_us[s]);
	str_append(&out, "}");
	const char *text = arena_strdup(a, str_text(&out));
	str_release(&out);
	return text;
}
