/* SPDX-License-Identifier: Apache-2.0 */
#include "shadow/repeat.h"

#include "base/check.h"
#include "os/clock.h"
#include "predict/predict.h"

#define IMAGE_BYTES_MAX ((size_t)256 << 20) /* more than any image that a deployment takes */

static const struct {
	const char *name;
	enum status (*run)(struct prediction *p, struct err *err);
} steps[] = {
	{"decode", predict_decode},
	{"seat", predict_seat},
	{"preprocess", predict_preprocess},
	{"infer", predict_infer},
	{"postprocess", predict_postprocess},
};
enum { STEP_DECODE, STEP_SEAT, STEP_INFER = 3, STEP_COUNT = COUNT_OF(steps) };

static const char *steps_json(const int64_t step_us[STEP_COUNT], struct arena *a)
{
	const char *text = "";
	for (int i = 0; i < STEP_COUNT; i++)
		text = arena_printf(
			a, "%s%s\"%s\":%lld", text, i ? "," : "{", steps[i].name, (long long)step_us[i]);
	return arena_printf(a, "%s}", text);
}

static void fill_row(const struct repeat *r, const struct shadow_task *task, const struct prediction *p,
	const int64_t step_us[STEP_COUNT], struct arena *a, struct prediction_row *row)
{
	int64_t now_us = clock_unix_us();
	*row = (struct prediction_row){
		.id = uuid_v7(now_us / 1000),
		.deployment_id = r->deployment_id,
		.predicted_asset_id = task->predicted_asset_id,
		.model_version_id = r->model->version_id,
		.is_shadow = true,
		.created_us = now_us,
		.threshold = task->threshold,
		.latency_us = step_us[STEP_INFER],
		.cpu_us = p->cpu_us,
		.steps_us = steps_json(step_us, a),
		.shape_count = (int64_t)p->shapes.count,
		.score_max = p->shapes.count ? (double)p->shapes.items[0].score : 0,
		.shapes = shapes_pack(&p->shapes, a),
		.features = arena_copy(a, span_of(p->features, p->features_size * sizeof(p->features[0]))),
		.image_stats = "{}",
	};
}

static enum repeat_fault fault_of(enum status st, int step)
{
	if (st == ST_OK)
		return REPEAT_NONE;
	if (step == STEP_DECODE)
		return st == ST_UNAVAILABLE ? REPEAT_UNREAD : REPEAT_IMAGE;
	return st == ST_UNAVAILABLE || step == STEP_SEAT ? REPEAT_NOT_NOW : REPEAT_MODEL;
}

static enum repeat_fault predict(const struct repeat *r, const struct shadow_task *task, struct prediction *p,
	struct arena *a, struct prediction_row *row, struct err *err)
{
	int64_t step_us[STEP_COUNT], before_us = clock_mono_us();
	for (int i = 0; i < STEP_COUNT; i++) {
		enum repeat_fault fault = fault_of(steps[i].run(p, err), i);
		if (fault != REPEAT_NONE)
			return fault;
		int64_t now_us = clock_mono_us();
		step_us[i] = now_us - before_us;
		before_us = now_us;
	}
	fill_row(r, task, p, step_us, a, row);
	return REPEAT_NONE;
}

enum repeat_fault repeat_run(const struct repeat *r, const struct shadow_task *task, struct arena *a,
	struct prediction_row *row, struct err *err)
{
	struct arena scratch; /* the image's bytes need not live as long as what was seen in it */
	arena_init(&scratch);
	struct prediction p = {
		.model = r->model,
		.arena = &scratch,
		.pixel_budget = r->pixel_budget,
		.seat_deadline_us = r->seat_deadline_us,
	};
	enum status st = task->sha256
				 ? blob_get(r->blobs, task->sha256, IMAGE_BYTES_MAX, &scratch, &p.bytes, err)
				 : err_set(err, ST_MISSING, "The image was deleted.");
	enum repeat_fault fault = st == ST_OK                              ? predict(r, task, &p, a, row, err)
				  : st == ST_MISSING || st == ST_TOO_LARGE ? REPEAT_IMAGE
									   : REPEAT_UNREAD;
	predict_release(&p);
	arena_release(&scratch);
	return fault;
}
