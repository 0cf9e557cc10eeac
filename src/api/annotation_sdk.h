/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Annotations and their shapes in the forms that the SDK writes and reads: a list for each kind of shape,
 * labels by their ids. (The form of our own pages is store/annotation_json.h.)
 */
#ifndef GYRE_API_ANNOTATION_SDK_H
#define GYRE_API_ANNOTATION_SDK_H

#include "api/api.h"
#include "store/annotation_json.h"

/* The members of a body that hold lists of shapes: "rectangles", "polygons", … */
const char *annotation_sdk_key(enum annotation_kind kind);
/* False: no kind is called so. */
bool annotation_sdk_kind(const char *key, enum annotation_kind *out);

/* Of the object's lists, all that are there. ST_INVALID with a sentence. Tracks (of videos) are refused. */
enum status annotation_sdk_parse(yyjson_val *object, struct arena *a, struct annotation_shape_row **shapes,
	size_t *count, struct err *err) MUST_CHECK;
/* What a change of one shape says: members that are absent stay as they are in *shape. */
enum status annotation_sdk_change(
	yyjson_val *object, struct arena *a, struct annotation_shape_row *shape, struct err *err) MUST_CHECK;
/* "status" and "duration" of a body, where they are there. */
enum status annotation_sdk_about(
	yyjson_val *object, const char **status, double *duration, struct err *err) MUST_CHECK;

/* {"id", "asset_id", "status", "duration", "who", "revision", "created_at", "updated_at"} */
yyjson_mut_val *annotation_sdk_json(yyjson_mut_doc *doc, const struct annotation_row *row);
/* The same with a list for each kind of shape, labels as names, numbers as they are. */
yyjson_mut_val *annotation_sdk_loaded(yyjson_mut_doc *doc, const struct annotation_row *row, struct arena *a);
/* One shape with its id and its label. A rectangle has whole pixels, as the SDK takes no others here. */
yyjson_mut_val *annotation_sdk_shape(
	yyjson_mut_doc *doc, const struct annotation_shape_row *shape, struct arena *a);

#endif
