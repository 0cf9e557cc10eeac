/* SPDX-License-Identifier: Apache-2.0 */
/* Presigned URLs: what is signed, and how it looks in a query. */
#include "api/presign.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/str.h"
#include "http/head.h"
#include "os/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define SIGNED_MAX 4096 /* bytes */
#define NAME_MAX_BYTES 512
#define CONTENT_TYPE_MAX 100
#define DOWNLOAD_STEP_S 3600

void presign_sign(struct span key, const struct presign *p, char out[PRESIGN_SIGNATURE_SIZE])
{
	/* Names and types have no line breaks, so no two policies give the same text. The first line keeps it
	 * apart from JWTs. */
	struct str text;
	str_init(&text, SIGNED_MAX);
	str_printf(&text, "gyre presigned url 1\n%s\n%s\n%s\n%" PRIu64 "\n%" PRId64 "\n",
		http_method_name(p->method), p->name, p->content_type, p->size_max, p->expires_s);
	CHECK(!text.full);
	struct sha256 mac = hash_hmac(key, span_of(text.text, text.size));
	str_release(&text);
	base64url_encode(span_of(mac.bytes, sizeof(mac.bytes)), out);
}

enum status presign_verify(
	struct span key, const struct presign *p, const char *signature, int64_t now_s, struct err *err)
{
	char right[PRESIGN_SIGNATURE_SIZE];
	struct sha256 given_hash, right_hash;
	presign_sign(key, p, right);
	if (base64url_decode(signature, strlen(signature), given_hash.bytes, sizeof(given_hash.bytes)) !=
			SHA256_SIZE ||
		base64url_decode(right, strlen(right), right_hash.bytes, sizeof(right_hash.bytes)) !=
			SHA256_SIZE ||
		!hash_equal(given_hash, right_hash))
		return err_set(err, ST_FORBIDDEN,
			"This link was changed: its signature does not fit. Ask for a new one.");
	if (now_s >= p->expires_s)
		return err_set(err, ST_FORBIDDEN, "This link has expired: ask for a new one.");
	return ST_OK;
}

/* Whoever writes objects into folders by their names must not be led out of them. */
static bool segments_are_plain(const char *name)
{
	for (const char *at = name;; at++) {
		size_t size = strcspn(at, "/");
		if (size == 0 || (size <= 2 && strspn(at, ".") >= size))
			return false;
		at += size;
		if (*at == '\0')
			return true;
	}
}

enum status presign_check_name(const char *name, struct err *err)
{
	size_t size = strlen(name);
	if (size == 0 || size > NAME_MAX_BYTES)
		return err_set(err, ST_INVALID, "An object's name has 1 to %d bytes.", NAME_MAX_BYTES);
	for (size_t i = 0; i < size; i++) {
		if ((uint8_t)name[i] < 0x20 || name[i] == 0x7f)
			return err_set(
				err, ST_INVALID, "An object's name must not contain control characters.");
	}
	if (!segments_are_plain(name))
		return err_set(err, ST_INVALID,
			"An object's name must not start or end with '/', nor have a part that is empty, "
			"\".\" or \"..\".");
	return head_is_utf8(span_of_text(name))
		       ? ST_OK
		       : err_set(err, ST_INVALID, "An object's name must be UTF-8 text.");
}

enum status presign_check_content_type(const char *text, struct err *err)
{
	const char *slash = strchr(text, '/');
	size_t size = strlen(text);
	bool good = slash && slash > text && slash[1] && size <= CONTENT_TYPE_MAX;
	for (size_t i = 0; good && i < size; i++)
		good = head_is_token_char(text[i]) || text + i == slash;
	return good ? ST_OK
		    : err_set(err, ST_INVALID, "\"content_type\" must be a media type like image/png.");
}

/* ---- URLs ---- */

static void append_escaped(struct str *out, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._~/", *c))
			str_append_bytes(out, c, 1);
		else
			str_printf(out, "%%%02X", (unsigned char)*c);
	}
}

static const char *url(const struct api *api, const char *path, const struct presign *p, struct arena *a)
{
	char signature[PRESIGN_SIGNATURE_SIZE];
	presign_sign(span_of(api->signing_key, sizeof(api->signing_key)), p, signature);
	struct str out;
	str_init(&out, SIGNED_MAX);
	str_printf(&out, "%s%s?name=", api->public_url, path);
	append_escaped(&out, p->name);
	if (p->method == HTTP_POST) {
		str_append(&out, "&type=");
		append_escaped(&out, p->content_type);
		str_printf(&out, "&size_max=%" PRIu64, p->size_max);
	}
	str_printf(&out, "&expires=%" PRId64 "&signature=%s", p->expires_s, signature);
	CHECK(!out.full);
	const char *text = arena_strndup(a, out.text, out.size);
	str_release(&out);
	return text;
}

const char *presign_upload_url(
	const struct api *api, const char *name, const char *content_type, uint64_t size_max, struct arena *a)
{
	struct presign p = {
		.method = HTTP_POST,
		.name = name,
		.content_type = content_type,
		.size_max = size_max,
		.expires_s = clock_unix_ms() / 1000 + PRESIGN_UPLOAD_S,
	};
	return url(api, PRESIGN_UPLOAD_PATH, &p, a);
}

const char *presign_download_url(const struct api *api, const char *name, struct arena *a)
{
	struct presign p = {
		.method = HTTP_GET,
		.name = name,
		.content_type = "",
		.expires_s = (clock_unix_ms() / 1000 / DOWNLOAD_STEP_S + 2) * DOWNLOAD_STEP_S,
	};
	return url(api, PRESIGN_OBJECT_PATH, &p, a);
}

/* Plain digits only: the text is part of what was signed. */
static bool read_number(const char *text, uint64_t *out)
{
	if (text == NULL || *text == '\0' || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
		return false;
	*out = strtoull(text, NULL, 10);
	return true;
}

enum status presign_read(const struct http_request *req, struct presign *out, struct err *err)
{
	struct api *api = api_of(req);
	const char *name = http_query(req, "name"), *type = http_query(req, "type");
	const char *signature = http_query(req, "signature");
	bool upload = req->route->method == HTTP_POST;
	uint64_t size_max = 0, expires;
	if (name == NULL || signature == NULL || !read_number(http_query(req, "expires"), &expires) ||
		(upload && (type == NULL || !read_number(http_query(req, "size_max"), &size_max))))
		return err_set(err, ST_INVALID, "This link is incomplete: use it as it was given.");
	TRY(presign_check_name(name, err));
	if (upload)
		TRY(presign_check_content_type(type, err));
	*out = (struct presign){
		.method = req->route->method,
		.name = name,
		.content_type = upload ? type : "",
		.size_max = size_max,
		.expires_s = (int64_t)expires,
	};
	/* As of when the request came: a large upload may outlast its link. */
	int64_t now_s = (clock_unix_us() - (clock_mono_us() - req->received_us)) / 1000000;
	return presign_verify(
		span_of(api->signing_key, sizeof(api->signing_key)), out, signature, now_s, err);
}
