/* SPDX-License-Identifier: Apache-2.0 */
/* A version that is admitted anew takes seconds: meanwhile somebody else may change it. */
#ifndef GYRE_API_MODEL_ADMISSION_H
#define GYRE_API_MODEL_ADMISSION_H

#include "deploy/admission.h"

/* Did somebody change what admission looked at since `before` was read? ST_CONFLICT. For the job that stores
 * its result. */
enum status model_admission_check_same(const struct model_version_row *before,
	const struct model_version_row *now, struct err *err) MUST_CHECK;

#endif
