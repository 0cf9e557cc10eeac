/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/stages.h"

/* Who knows Training Data is a peer of this layer: the composition root wires it in. */
enum status stage_reference(struct training *t, struct err *err)
{
	const struct training_hooks *hooks = &t->options->hooks;
	if (uuid_is_zero(t->row.deployment_id))
		t->passed = "It belongs to no deployment.";
	else if (hooks->reference)
		TRY(hooks->reference(hooks->arg, &t->row, err));
	return ST_OK;
}
