/* SPDX-License-Identifier: Apache-2.0 */
#include "api/static.h"

#include "base/check.h"
#include "base/embed.h"
#include "base/hash.h"
#include "base/str.h"
#include "http/static.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

extern const struct embedded_file web_files[];
extern const size_t web_files_count;

static struct http_asset *assets;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char *content_type(const char *name)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{".html", "text/html; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".json", "application/json"},
		{".woff2", "font/woff2"},
	};
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (text_ends_with(name, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}

/* Lives as long as the program: the files do, too. */
static void build_assets(void)
{
	static struct arena arena;
	arena_init(&arena);
	assets = ARENA_ARRAY(&arena, struct http_asset, web_files_count + 1);
	for (size_t i = 0; i < web_files_count; i++) {
		char hash[SHA256_HEX_SIZE];
		struct span bytes = span_of(web_files[i].data, web_files[i].size);
		hash_sha256_hex(bytes, hash);
		assets[i] = (struct http_asset){
			.path = arena_printf(&arena, "/%s", web_files[i].name),
			.content_type = content_type(web_files[i].name),
			.etag = arena_strndup(&arena, hash, 16),
			.gzip = bytes,
		};
	}
}

enum status api_static(struct http_request *req, struct http_reply *reply, struct err *err)
{
	if (web_files_count == 0)
		return err_set(err, ST_MISSING,
			"This gyre was built without its web pages; `make build` builds them.");
	pthread_once(&once, build_assets);
	return http_static_reply(assets, web_files_count, req, reply, err);
}
