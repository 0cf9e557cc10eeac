/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens that a deployment's services take: JSON Web Tokens (RFC 7519), signed
 * with HMAC-SHA-256 (RFC 7515). Written and checked by hand, strictly: there is
 * one header, compared as text, so no other algorithm can be asked for.
 */
#ifndef GYRE_API_JWT_H
#define GYRE_API_JWT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "base/uuid.h"

#define JWT_LIFETIME_S 3600
#define JWT_SIZE_MAX 1024 /* characters */

struct jwt {
	struct uuid deployment_id, user_id;
	struct uuid token_id; /* the API token that logged in: when it is deleted, the JWT ends too */
	int64_t expires_s;    /* Unix seconds; not valid at that second any more */
};

/* The third part of header.payload: 43 characters and a NUL. */
#define JWT_SIGNATURE_SIZE 44
void jwt_sign(struct span key, struct span signing_input, char out[JWT_SIGNATURE_SIZE]);

const char *jwt_write(struct span key, const struct jwt *token, struct arena *a);
/* ST_UNAUTHENTICATED: not one of ours, changed, or expired. */
enum status jwt_read(
	struct span key, const char *text, int64_t now_s, struct jwt *out, struct err *err) MUST_CHECK;

#endif
