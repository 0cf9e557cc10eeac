/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about projects share. */
#ifndef GYRE_API_PROJECT_JSON_H
#define GYRE_API_PROJECT_JSON_H

#include "api/api.h"

/* Answer with the project as it is now. */
enum status project_reply(
	struct http_request *req, struct http_reply *reply, struct uuid id, struct err *err) MUST_CHECK;

#endif
