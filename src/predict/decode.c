/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/predict.h"

enum status predict_decode(struct prediction *p, struct err *err)
{
	TRY(image_inspect(p->bytes, &image_limits_default, &p->info, err));
	if (p->pixel_budget) {
		uint64_t need = 3ull * p->info.width * p->info.height;
		TRY(budget_take(p->pixel_budget, need, err));
		p->pixels_taken = need;
	}
	TRY(image_decode(p->bytes, &image_limits_default, &p->image, err));
	image_measure(&p->image, &p->stats);
	image_sign_make(&p->image, &p->sign);
	return ST_OK;
}

void predict_release(struct prediction *p)
{
	if (p->seat)
		engine_seat_give(p->seat);
	p->seat = NULL;
	image_release(&p->image);
	if (p->pixels_taken)
		budget_give(p->pixel_budget, p->pixels_taken);
	p->pixels_taken = 0;
}
