/* SPDX-License-Identifier: Apache-2.0 */
/* What drift.c and outliers.c share. */
#ifndef GYRE_API_DRIFT_JSON_H
#define GYRE_API_DRIFT_JSON_H

#include "api/api.h"
#include "watch/drift.h"

/* What is measured against. */
struct reference_used {
	struct uuid id;
	int64_t images;
	bool held_out, production;
};
/* "reference", with a sentence; NULL: null. */
void drift_add_reference(
	yyjson_mut_doc *doc, yyjson_mut_val *root, const struct reference_used *r, struct arena *a);
/* A number, or null where it is not finite. */
void drift_add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value);

#endif
