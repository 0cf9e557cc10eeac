/* SPDX-License-Identifier: Apache-2.0 */
/* What clients may write of a model version, in POST and PATCH alike. */
#ifndef GYRE_API_MODEL_VERSION_FIELDS_H
#define GYRE_API_MODEL_VERSION_FIELDS_H

#include "api/api.h"
#include "store/model_rows.h"

#define MODEL_VERSION_DOCKER_KEYS                                                                            \
	{                                                                                                    \
		"docker_image", "docker_tag", "docker_flags", "docker_env_variables"                         \
	}
#define MODEL_VERSION_LABELS_MAX 10000

struct model_version_fields {
	/* NULL: not given, so it stays. */
	const char *name, *description, *type, *framework, *notebook_link, *thumbnail_object_name;
	const char *labels;     /* JSON in the order of the classes; "" takes them away */
	const char *parameters; /* JSON */
	yyjson_val *body;       /* for the docker members */
	yyjson_val *recipe;     /* not checked yet, not applied */
};

/* ST_INVALID naming what is wrong; members that are not known are passed over. */
enum status model_version_fields_read(struct http_request *req, yyjson_val *body,
	struct model_version_fields *out, struct err *err) MUST_CHECK;
/* Texts are in the arena, or where the body is. The recipe is left alone. */
enum status model_version_fields_apply(const struct model_version_fields *fields, struct arena *a,
	struct model_version_row *row, struct err *err) MUST_CHECK;
/* Do labels or type differ? */
bool model_version_fields_need_admission(
	const struct model_version_row *before, const struct model_version_row *after);

#endif
