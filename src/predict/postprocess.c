/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/predict.h"

enum status predict_postprocess(struct prediction *p, struct err *err)
{
	enum status st = recipe_read(predict_recipe(p), p->seat->outputs, p->seat->output_count, &p->map,
		p->arena, &p->shapes, err);
	engine_seat_give(p->seat);
	p->seat = NULL;
	return st;
}
