/* SPDX-License-Identifier: Apache-2.0 */
#include "predict/predict.h"

enum status predict_infer(struct prediction *p, struct err *err)
{
	TRY(engine_run(p->seat, err));
	p->cpu_us = p->seat->cpu_us;
	p->features_size = p->seat->features_size;
	memcpy(p->features, p->seat->features, p->features_size * sizeof(p->features[0]));
	return ST_OK;
}
