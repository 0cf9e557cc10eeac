/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presigned URLs: whoever holds one may upload, or download, one object until it
 * expires. The whole policy is in the query, signed by HMAC-SHA-256 with the
 * organization's key, so that admission refuses a bad one before any body is read.
 */
#ifndef GYRE_API_PRESIGN_H
#define GYRE_API_PRESIGN_H

#include "api/api.h"

#define PRESIGN_UPLOAD_PATH "/api/storage/upload"
#define PRESIGN_OBJECT_PATH "/api/storage/object"
#define PRESIGN_UPLOAD_S 3600

struct presign {
	enum http_method method;  /* POST uploads, GET downloads */
	const char *name;         /* of the object */
	const char *content_type; /* POST: what it will be stored as; "" for GET */
	uint64_t size_max;        /* POST: bytes of the file; 0 for GET */
	int64_t expires_s;        /* Unix seconds */
};

#define PRESIGN_SIGNATURE_SIZE 44 /* base64url of 32 bytes, and the NUL */
void presign_sign(struct span key, const struct presign *p, char out[PRESIGN_SIGNATURE_SIZE]);
/* ST_FORBIDDEN: changed, or expired. */
enum status presign_verify(struct span key, const struct presign *p, const char *signature, int64_t now_s,
	struct err *err) MUST_CHECK;

/* A URL on public_url that lets an object be uploaded, for PRESIGN_UPLOAD_S. */
const char *presign_upload_url(const struct api *api, const char *name, const char *content_type,
	uint64_t size_max, struct arena *a);
/* A URL that lets an object be read, for one to two hours: it stays the same within an hour, so that browsers
 * can cache. */
const char *presign_download_url(const struct api *api, const char *name, struct arena *a);
/* What the query of a request to a RULE_SIGNED route allows. ST_FORBIDDEN, and ST_INVALID when members are
 * missing. Memory only. */
enum status presign_read(const struct http_request *req, struct presign *out, struct err *err) MUST_CHECK;

/* Could be an object's name: 1…512 bytes, no control characters, no part that is empty, "." or "..". */
enum status presign_check_name(const char *name, struct err *err) MUST_CHECK;
/* A media type like "image/png": the characters of RFC 9110, at most 100, no parameters. */
enum status presign_check_content_type(const char *text, struct err *err) MUST_CHECK;

#endif
