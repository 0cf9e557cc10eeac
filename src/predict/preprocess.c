/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/predict.h"

enum status predict_seat(struct prediction *p, struct err *err)
{
	return engine_seat_take(p->model->engine, p->seat_deadline_us, &p->seat, err);
}

enum status predict_preprocess(struct prediction *p, struct err *err)
{
	const struct tensor_spec *spec = &predict_recipe(p)->input;
	int64_t channels = tensor_channels(spec), width = spec->width, height = spec->height;
	const int64_t nchw[4] = {1, channels, height, width}, nhwc[4] = {1, height, width, channels};
	void *data;
	TRY(engine_seat_input(p->seat, spec->layout == LAYOUT_NCHW ? nchw : nhwc, 4, &data, err));
	tensor_fill(&p->image, spec, data, &p->map);
	return ST_OK;
}
