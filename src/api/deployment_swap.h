/* SPDX-License-Identifier: Apache-2.0 */
/* Another champion for a deployment: deployed by a person, gone back to, or promoted from its shadows. */
#ifndef GYRE_API_DEPLOYMENT_SWAP_H
#define GYRE_API_DEPLOYMENT_SWAP_H

#include "api/deployment_change.h"

struct deployment_swap {
	struct deployment_change change; /* first: the job gets its address */
	struct uuid version_id;
	const char *what;    /* of the history: "deployed", "rolled_back", "promoted" */
	bool from_shadow;    /* it must be a shadow of the deployment */
	bool keep_as_shadow; /* the champion before follows on, from now */
	const char *type;    /* of the version; read by _run */
};

/* Load, warm up and check (model_open does), commit, flip, drain; answer with the deployment. Whatever it was
 * promoted from, the new champion is no shadow any more. */
enum status deployment_swap_run(struct http_request *req, struct http_reply *reply, struct uuid id,
	struct deployment_swap *swap, struct err *err) MUST_CHECK;

#endif
