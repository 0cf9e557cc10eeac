/* SPDX-License-Identifier: Apache-2.0 */
/* See router.h. With 150 routes a look-up takes about a microsecond, so there is no tree. */
#include "http/router.h"

#include "base/check.h"
#include "http/head.h"

#include <stdlib.h>
#include <string.h>

enum segment_kind { SEGMENT_REST = 1, SEGMENT_PARAM, SEGMENT_LITERAL };

struct segment {
	enum segment_kind kind;
	const char *text; /* of a literal, into the pattern */
	size_t size;
};

struct pattern {
	const struct http_route *route;
	struct segment segments[ROUTER_SEGMENTS_MAX];
	size_t count;
	bool rest;     /* the last segment is {name*} */
	uint64_t rank; /* two bits a segment, the first highest: a literal beats a parameter beats the rest */
};

struct router {
	size_t count;
	struct pattern patterns[];
};

static struct segment read_segment(const char *text, size_t size)
{
	bool braces = size >= 3 && text[0] == '{' && text[size - 1] == '}';
	CHECK(braces || memchr(text, '{', size) == NULL);
	if (!braces)
		return (struct segment){SEGMENT_LITERAL, text, size};
	return (struct segment){text[size - 2] == '*' ? SEGMENT_REST : SEGMENT_PARAM, NULL, 0};
}

static void read_pattern(struct pattern *p, const struct http_route *route)
{
	CHECK(route->pattern[0] == '/' && route->handler != NULL && route->rule != 0);
	CHECK((unsigned)route->method < HTTP_METHOD_COUNT);
	p->route = route;
	size_t params = 0;
	const char *at = route->pattern;
	while (*at) {
		CHECK(p->count < ROUTER_SEGMENTS_MAX && !p->rest);
		size_t size = strcspn(++at, "/");
		struct segment segment = read_segment(at, size);
		params += segment.kind != SEGMENT_LITERAL;
		p->rest = segment.kind == SEGMENT_REST;
		p->rank |= (uint64_t)segment.kind << (62 - 2 * p->count);
		p->segments[p->count++] = segment;
		at += size;
	}
	CHECK(params <= HTTP_PARAMS_MAX);
}

static bool same_shape(const struct pattern *a, const struct pattern *b)
{
	if (a->route->method != b->route->method || a->count != b->count || a->rank != b->rank)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct segment *x = &a->segments[i], *y = &b->segments[i];
		if (x->size != y->size || (x->size > 0 && memcmp(x->text, y->text, x->size) != 0))
			return false;
	}
	return true;
}

struct router *router_new(const struct http_route *routes, size_t count)
{
	struct router *r = calloc(1, sizeof(*r) + count * sizeof(r->patterns[0]));
	CHECK(r != NULL);
	r->count = count;
	for (size_t i = 0; i < count; i++) {
		read_pattern(&r->patterns[i], &routes[i]);
		for (size_t j = 0; j < i; j++)
			CHECK(!same_shape(&r->patterns[i], &r->patterns[j]));
	}
	return r;
}

void router_free(struct router *r)
{
	free(r);
}

static bool is_dots(const char *segment)
{
	return strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0;
}

bool router_split(const char *raw_path, struct arena *a, struct router_path *out)
{
	out->count = 0;
	if (raw_path[0] != '/')
		return false;
	const char *at = raw_path;
	while (*at) {
		if (out->count == ROUTER_SEGMENTS_MAX)
			return false;
		size_t size = strcspn(++at, "/");
		char *segment = arena_strndup(a, at, size);
		if (!head_decode_path(segment) || !head_is_utf8(span_of_text(segment)) || is_dots(segment))
			return false;
		out->segments[out->count] = segment;
		out->sizes[out->count++] = strlen(segment);
		at += size;
	}
	return true;
}

static bool matches(const struct pattern *p, const struct router_path *path)
{
	if (p->rest ? path->count < p->count : path->count != p->count)
		return false;
	/* From the end: the paths of an API differ there, and all start with /api/. */
	for (size_t i = p->count; i-- > 0;) {
		const struct segment *s = &p->segments[i];
		if (s->kind == SEGMENT_PARAM && path->sizes[i] == 0)
			return false;
		if (s->kind == SEGMENT_LITERAL &&
			(path->sizes[i] != s->size || memcmp(path->segments[i], s->text, s->size) != 0))
			return false;
	}
	return true;
}

static const char *join_rest(const struct router_path *path, size_t from, struct arena *a)
{
	size_t size = 0;
	for (size_t i = from; i < path->count; i++)
		size += path->sizes[i] + 1;
	char *out = arena_alloc(a, size), *at = out;
	for (size_t i = from; i < path->count; i++) {
		memcpy(at, path->segments[i], path->sizes[i]);
		at += path->sizes[i];
		*at++ = '/';
	}
	at[-1] = '\0';
	return out;
}

static void fill_params(
	const struct pattern *p, const struct router_path *path, struct router_match *match, struct arena *a)
{
	size_t count = 0;
	for (size_t i = 0; i < p->count; i++) {
		if (p->segments[i].kind == SEGMENT_PARAM)
			match->params[count++] = path->segments[i];
		else if (p->segments[i].kind == SEGMENT_REST)
			match->params[count++] = join_rest(path, i, a);
	}
}

struct router_match router_find(
	const struct router *r, enum http_method method, const struct router_path *path, struct arena *a)
{
	struct router_match match = {0};
	const struct pattern *best[HTTP_METHOD_COUNT] = {0};
	for (size_t i = 0; i < r->count; i++) {
		const struct pattern *p = &r->patterns[i];
		enum http_method m = p->route->method;
		if (!matches(p, path))
			continue;
		if (!p->rest)
			match.allowed |= 1u << m;
		if (best[m] == NULL || p->rank > best[m]->rank)
			best[m] = p;
	}
	const struct pattern *found = (unsigned)method < HTTP_METHOD_COUNT ? best[method] : NULL;
	if (found == NULL && method == HTTP_HEAD)
		found = best[HTTP_GET];
	if (match.allowed & 1u << HTTP_GET)
		match.allowed |= 1u << HTTP_HEAD;
	if (found == NULL)
		return match;
	/* A page for everything must not hide that a path of the API lacks this method. */
	if (found->rest && match.allowed && !(match.allowed & 1u << method))
		return match;
	match.route = found->route;
	fill_params(found, path, &match, a);
	return match;
}
