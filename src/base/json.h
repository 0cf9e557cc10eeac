/* SPDX-License-Identifier: Apache-2.0 */
/* yyjson, with the few readers that every caller needs and sentences for what is wrong. */
#ifndef GYRE_BASE_JSON_H
#define GYRE_BASE_JSON_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <yyjson.h>

/* Parse strictly; the document lives in the arena. An empty text is ST_INVALID. Nesting deeper than 64 is
 * ST_INVALID. */
enum status json_parse(struct span text, struct arena *a, yyjson_doc **doc, struct err *err) MUST_CHECK;

/* Members of an object. "Missing" and null leave *out as it is and return ST_OK; a wrong type is ST_INVALID
 * naming the key. */
enum status json_text(yyjson_val *object, const char *key, const char **out, struct err *err) MUST_CHECK;
enum status json_number(yyjson_val *object, const char *key, double *out, struct err *err) MUST_CHECK;
enum status json_integer(yyjson_val *object, const char *key, int64_t *out, struct err *err) MUST_CHECK;
enum status json_bool(yyjson_val *object, const char *key, bool *out, struct err *err) MUST_CHECK;
/* As json_text, but the member must be there and not be empty. */
enum status json_text_required(
	yyjson_val *object, const char *key, const char **out, struct err *err) MUST_CHECK;

/* Print a document that was built (compact, NUL-terminated) into the arena. */
struct span json_print(yyjson_mut_doc *doc, struct arena *a);
/* A document whose values live in the arena. */
yyjson_mut_doc *json_new(struct arena *a);

#endif
