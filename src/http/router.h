/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which route answers a path. Patterns are split once, at start; a look-up compares
 * segments, the most literal pattern wins whatever its place in the array.
 */
#ifndef GYRE_HTTP_ROUTER_H
#define GYRE_HTTP_ROUTER_H

#include "http/http.h"

#define ROUTER_SEGMENTS_MAX 32

struct router;

/* The decoded segments of a path: "/a/b%2Fc" has "a" and "b/c", "/" has one that is empty. */
struct router_path {
	const char *segments[ROUTER_SEGMENTS_MAX];
	size_t sizes[ROUTER_SEGMENTS_MAX];
	size_t count;
};

struct router_match {
	const struct http_route *route;      /* NULL: none for this method */
	const char *params[HTTP_PARAMS_MAX]; /* into the path's segments, or the arena */
	unsigned allowed; /* 1 << method for each method the path has; catch-all routes do not count */
};

/* The array must outlive the router. Two routes that match the same paths with the same method are a CHECK.
 */
struct router *router_new(const struct http_route *routes, size_t count);
void router_free(struct router *r);
/* False when the path is malformed: no '/' in front, a bad escape, text that is not UTF-8, a dot segment, too
 * many segments. */
bool router_split(const char *raw_path, struct arena *a, struct router_path *out);
/* HEAD falls back to GET. */
struct router_match router_find(
	const struct router *r, enum http_method method, const struct router_path *path, struct arena *a);

#endif
