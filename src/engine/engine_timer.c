/* SPDX-License-Identifier: Apache-2.0 */
/* Time-outs of a child: by the clock, or by the CPU time that a child in the background got. */
#include "engine/engine_ort.h"
#include "os/clock.h"

#define LOOK_US 10000 /* at least, between two looks at a child that hardly gets the CPU */

/* -1: there is no child. */
static int64_t child_cpu_us(struct ort_engine *e)
{
	mutex_lock(&e->lock); /* or it might be reaped, and another process have its number */
	int64_t cpu_us = proc_cpu_us(&e->child);
	mutex_unlock(&e->lock);
	return cpu_us;
}

struct ort_timer engine_timer(struct ort_engine *e, int64_t allowed_us)
{
	struct ort_timer t = {.began_us = clock_mono_us(), .allowed_us = allowed_us};
	if (e->options.background)
		t.began_cpu_us = child_cpu_us(e);
	if (t.began_cpu_us < 0) /* it is about to be started */
		t.began_cpu_us = 0;
	return t;
}

int64_t engine_timer_left_us(struct ort_engine *e, const struct ort_timer *t)
{
	int64_t passed_us = clock_mono_us() - t->began_us, left_us = t->allowed_us - passed_us;
	if (left_us > 0 || !e->options.background)
		return left_us > 0 ? left_us : 0;
	int64_t cpu_us = child_cpu_us(e), patience_us = t->allowed_us * ENGINE_PATIENCE - passed_us;
	left_us = t->allowed_us - (cpu_us - t->began_cpu_us);
	if (cpu_us < 0 || left_us <= 0 || patience_us <= 0)
		return 0;
	left_us = left_us < patience_us ? left_us : patience_us;
	return left_us > LOOK_US ? left_us : LOOK_US;
}
