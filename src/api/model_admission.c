/* SPDX-License-Identifier: Apache-2.0 */
#include "api/model_admission.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

enum status model_admission_check_same(
	const struct model_version_row *before, const struct model_version_row *now, struct err *err)
{
	if (same_text(before->onnx_sha256, now->onnx_sha256) && same_text(before->type, now->type) &&
		same_text(before->labels, now->labels) && same_text(before->recipe, now->recipe))
		return ST_OK;
	return err_set(err, ST_CONFLICT,
		"Somebody else changed this version in the meantime: read it again, then repeat.");
}
