/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data (RFC 7578) over a body that is whole. Our own, since MHD_PostProcessor has a CVE
 * history; fuzzed. */
#ifndef GYRE_HTTP_MULTIPART_H
#define GYRE_HTTP_MULTIPART_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#define MULTIPART_PARTS_MAX 2048

struct multipart_part {
	const char *name;         /* "" if the part has none */
	const char *filename;     /* NULL for a plain field */
	const char *content_type; /* NULL if not given */
	struct span body;         /* a view into the whole body */
};

struct multipart {
	struct multipart_part *parts; /* in the arena, in the order of the body */
	size_t count, room;
};

/* content_type is the request's header, from which the boundary is read. ST_INVALID with what is wrong. */
enum status multipart_parse(const char *content_type, struct span body, struct arena *a,
	struct multipart **out, struct err *err) MUST_CHECK;
const struct multipart_part *multipart_find(const struct multipart *m, const char *name); /* first, or NULL */

#endif
