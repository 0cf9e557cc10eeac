/* SPDX-License-Identifier: Apache-2.0 */
#include "http/static.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define PLAIN_BYTES_MAX (64u << 20)

static const char policy[] = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' "
			     "'unsafe-inline'; connect-src 'self'; "
			     "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

static const struct http_asset *find(const struct http_asset *assets, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(assets[i].path, path) == 0)
			return &assets[i];
	}
	return NULL;
}

static bool is_page(const char *path)
{
	const char *name = strrchr(path, '/');
	return name != NULL && strchr(name, '.') == NULL && !text_starts_with(path, "/api/") &&
	       strcmp(path, "/api") != 0;
}

/* One item of a comma-separated list, without blanks; moves *at past it. Empty at the end. */
static struct span next_item(const char **at)
{
	*at += strspn(*at, ", \t");
	size_t size = strcspn(*at, ",");
	struct span item = span_of(*at, size);
	*at += size;
	while (item.size > 0 && (item.data[item.size - 1] == ' ' || item.data[item.size - 1] == '\t'))
		item.size--;
	return item;
}

/* "gzip", "br, gzip;q=0.5", but not "gzip;q=0". */
static bool takes_gzip(const struct http_request *req)
{
	const char *at = http_header(req, "Accept-Encoding");
	if (at == NULL)
		return false;
	for (struct span item = next_item(&at); item.size > 0; item = next_item(&at)) {
		char text[64];
		if (item.size >= sizeof(text) || strncasecmp((const char *)item.data, "gzip", 4) != 0)
			continue;
		memcpy(text, item.data, item.size);
		text[item.size] = '\0';
		const char *rest = text + 4 + strspn(text + 4, " \t");
		if (*rest == '\0')
			return true;
		const char *quality = strstr(rest, "q=");
		if (*rest == ';')
			return quality == NULL || strtod(quality + 2, NULL) > 0;
	}
	return false;
}

static bool has_it(const struct http_request *req, const char *etag)
{
	const char *at = http_header(req, "If-None-Match");
	if (at == NULL)
		return false;
	for (struct span item = next_item(&at); item.size > 0; item = next_item(&at)) {
		if (item.size > 2 && memcmp(item.data, "W/", 2) == 0)
			item = span_of(item.data + 2, item.size - 2);
		size_t size = strlen(etag);
		if (item.size == size + 2 && item.data[0] == '"' && memcmp(item.data + 1, etag, size) == 0)
			return true;
		if (item.size == 1 && item.data[0] == '*')
			return true;
	}
	return false;
}

static enum status expand(const struct http_asset *asset, struct arena *a, struct span *out, struct err *err)
{
	/* The last four bytes of a gzip file are the size of what is in it (RFC 1952). */
	struct span gzip = asset->gzip;
	size_t size = 0;
	for (size_t i = 0; i < 4 && gzip.size >= 18; i++)
		size |= (size_t)gzip.data[gzip.size - 4 + i] << (8 * i);
	if (gzip.size < 18 || size > PLAIN_BYTES_MAX)
		return err_set(err, ST_INTERNAL, "The embedded file %s is damaged.", asset->path);
	uint8_t *plain = arena_alloc(a, size + 1);
	z_stream z = {.next_in = (Bytef *)(uintptr_t)gzip.data,
		.avail_in = (uInt)gzip.size,
		.next_out = plain,
		.avail_out = (uInt)size + 1};
	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return err_set(err, ST_UNAVAILABLE, "There is no memory to expand %s.", asset->path);
	int result = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (result != Z_STREAM_END || z.total_out != size)
		return err_set(err, ST_INTERNAL, "The embedded file %s is damaged.", asset->path);
	*out = span_of(plain, size);
	return ST_OK;
}

enum status http_static_reply(const struct http_asset *assets, size_t count, struct http_request *req,
	struct http_reply *reply, struct err *err)
{
	const struct http_asset *asset =
		find(assets, count, strcmp(req->path, "/") == 0 ? "/index.html" : req->path);
	if (asset == NULL && is_page(req->path))
		asset = find(assets, count, "/index.html");
	if (asset == NULL)
		return err_set(err, ST_MISSING, "There is nothing at %.300s.", req->path);
	bool zipped = takes_gzip(req);
	reply->body = asset->gzip;
	if (!zipped)
		TRY(expand(asset, req->arena, &reply->body, err));
	reply->code = has_it(req, asset->etag) ? 304 : 200;
	reply->content_type = asset->content_type;
	if (zipped)
		http_reply_header(reply, "Content-Encoding", "gzip");
	http_reply_header(reply, "Vary", "Accept-Encoding");
	/* Weak: the same for the file and its gzip. */
	http_reply_header(reply, "ETag", arena_printf(req->arena, "W/\"%s\"", asset->etag));
	bool constant = text_starts_with(asset->path, "/assets/");
	http_reply_header(
		reply, "Cache-Control", constant ? "public, max-age=31536000, immutable" : "no-cache");
	http_reply_header(reply, "Content-Security-Policy", policy);
	return ST_OK;
}
