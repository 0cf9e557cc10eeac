/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image bytes → shapes, features, timings: the code that serving, shadows,
 * Training Data and evaluation all run, so that their numbers can be compared.
 *
 * The steps are called in order; predict_release() frees whatever was reached.
 */
#ifndef GYRE_PREDICT_PREDICT_H
#define GYRE_PREDICT_PREDICT_H

#include "base/budget.h"
#include "deploy/model.h"
#include "task/shape.h"
#include "vision/image.h"
#include "vision/image_sign.h"
#include "vision/tensor.h"

struct prediction {
	/* given */
	struct span bytes;           /* the image file */
	const struct model *model;   /* held by the caller */
	const struct recipe *recipe; /* another than the model's own, to try it; NULL: its own */
	struct arena *arena;         /* shapes live here */
	struct budget *pixel_budget; /* bytes of decoded pixels at once; NULL: no limit */
	int64_t seat_deadline_us;    /* clock_mono_us until which a free seat is waited for */

	/* decode */
	struct image_info info;
	struct image image;
	struct image_stats stats;
	struct image_sign sign; /* of its looks, to know it again */
	uint64_t pixels_taken;  /* from the budget */
	/* seat, preprocess */
	struct engine_seat *seat;
	struct tensor_map map;
	/* infer */
	int64_t cpu_us; /* of the run, in the model's process */
	uint16_t features[ENGINE_FEATURES_MAX];
	unsigned features_size;
	/* postprocess */
	struct shapes shapes;
};

/* ST_UNSUPPORTED, ST_UNPROCESSABLE, ST_TOO_LARGE: the image; ST_UNAVAILABLE: no memory for pixels just now.
 */
enum status predict_decode(struct prediction *p, struct err *err) MUST_CHECK;
/* Wait for a seat in the model's process: ST_UNAVAILABLE when none is free in time. */
enum status predict_seat(struct prediction *p, struct err *err) MUST_CHECK;
/* Pixels → the seat's input tensor. */
enum status predict_preprocess(struct prediction *p, struct err *err) MUST_CHECK;
/* ST_FAILED, ST_TIMEOUT. */
enum status predict_infer(struct prediction *p, struct err *err) MUST_CHECK;
/* Output tensors → shapes; gives the seat back. */
enum status predict_postprocess(struct prediction *p, struct err *err) MUST_CHECK;
void predict_release(struct prediction *p);

/* The recipe by which it predicts. */
static inline const struct recipe *predict_recipe(const struct prediction *p)
{
	return p->recipe ? p->recipe : &p->model->recipe;
}

#endif
