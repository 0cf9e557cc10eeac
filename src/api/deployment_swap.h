/* SPDX-License-Identifier: Apache-2.0 */
/* Another champion for a deployment: deployed by a person, gone back to, or promoted from its shadows. */
#ifndef GYRE_API_DEPLOYMENT_SWAP_H
#define GYRE_API_DEPLOYMENT_SWAP_H

#include "api/api.h"
#include "deploy/swap.h"

/* deploy/swap.h with a line in the audit log, by the caller; answers with the deployment. deployment_id and
 * who of the swap are set here. */
enum status deployment_swap_run(struct http_request *req, struct http_reply *reply, struct uuid id,
	struct swap *swap, struct err *err) MUST_CHECK;

/* By Continuous Deployment (arg is the struct api). */
enum status deployment_swap_by_itself(void *arg, const struct swap *swap, struct err *err) MUST_CHECK;
/* Another champion answers (of struct swap_hooks; arg is the struct api): shadows, Training Data and pages
 * follow. */
void deployment_swapped(void *arg, struct uuid deployment_id, const char *who);
/* It has another shadow, or one less (arg is the struct api): the same. */
void deployment_shadow_changed(void *arg, struct uuid deployment_id, const char *who);

#endif
