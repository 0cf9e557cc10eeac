/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The web pages that are part of the program: a table of gzipped files. A path without
 * a file and without an extension is a page of the single-page application, so it
 * gets index.html; nothing under /api/ does.
 */
#ifndef GYRE_HTTP_STATIC_H
#define GYRE_HTTP_STATIC_H

#include "http/http.h"

struct http_asset {
	const char *path; /* "/index.html", "/assets/index-B1x9.js": what is under /assets/ never changes */
	const char *content_type; /* "text/html; charset=utf-8" */
	const char *etag;         /* of the content, without quotes */
	struct span gzip;         /* static */
};

/* Answers GET and HEAD of req->path: 200, 304, or ST_MISSING. */
enum status http_static_reply(const struct http_asset *assets, size_t count, struct http_request *req,
	struct http_reply *reply, struct err *err) MUST_CHECK;

#endif
