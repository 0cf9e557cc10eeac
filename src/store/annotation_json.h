/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of annotations as JSON, the way our pages, reviews and manifests say them: a list of
 *
 *	{"type": "rectangle", "x": 1, "y": 2, "w": 3, "h": 4, "label": "car"}
 *	{"type": "polygon", "polygon": [[1, 2], [3, 2], [3, 4]], "label": "car"}   several parts: "rings":
 *[[[…]…]…]
 *	{"type": "classification", "label": "car"}
 *
 * and likewise "line" ("line"), "point" ("point") and "keypoints" ("keypoints"). Pixels of the image as
 *shown, any finite number. Of what is not usual there is more: "area", "crowd": true, "difficult": true,
 *"text".
 */
#ifndef GYRE_STORE_ANNOTATION_JSON_H
#define GYRE_STORE_ANNOTATION_JSON_H

#include "base/json.h"
#include "store/annotation_rows.h"

/* A number as JSON: whole ones without a fraction. */
yyjson_mut_val *annotation_json_number(yyjson_mut_doc *doc, double value);
/* Texts are not copied. */
yyjson_mut_val *annotation_json_shapes(
	yyjson_mut_doc *doc, const struct annotation_shape_row *shapes, size_t count, struct arena *a);
/*
 * Rows with the names of labels, whose ids are zero: annotation_json_resolve() finds them. Unknown members
 * are ignored (ids and scores of what was predicted, say). ST_INVALID with a sentence that says which shape.
 */
enum status annotation_json_parse(yyjson_val *list, struct arena *a, struct annotation_shape_row **shapes,
	size_t *count, struct err *err) MUST_CHECK;
/* Ids for the labels' names; make: those that are missing are made, else ST_INVALID names one. *made counts
 * them. */
enum status annotation_json_resolve(struct db_conn *c, struct uuid dataset_version_id, bool make,
	struct annotation_shape_row *shapes, size_t count, struct arena *a, size_t *made,
	struct err *err) MUST_CHECK;

#endif
