/* SPDX-License-Identifier: Apache-2.0 */
/* Training Data as the candidate sees it, so that drift goes on when it serves. Who makes it is a peer of
 * this layer, which the composition root wires in; a server that was killed meanwhile makes it anew by
 * itself. */
#include "learn/stages.h"
#include "learn/training_inside.h"
#include "os/clock.h"

#define LOOK_US ((int64_t)250000)

enum status stage_reference(struct training *t, struct err *err)
{
	const struct training_hooks *hooks = &t->options->hooks;
	bool there = false;
	if (uuid_is_zero(t->row.deployment_id) || hooks->reference == NULL) {
		t->passed = "It belongs to no deployment.";
		return ST_OK;
	}
	TRY(hooks->reference(hooks->arg, &t->row, true, &there, err));
	while (!there) {
		uint32_t heard = bell_count(&t->all->bell);
		if (training_leaving(t))
			return err_set(err, ST_UNAVAILABLE, "It was cancelled.");
		bell_wait(&t->all->bell, heard, clock_mono_us() + LOOK_US);
		TRY(hooks->reference(hooks->arg, &t->row, false, &there, err));
	}
	return ST_OK;
}
