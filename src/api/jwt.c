/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Tokens with one fixed header. */
#include "api/jwt.h"

#include "base/hash.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>

#define HEADER "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" /* {"alg":"HS256","typ":"JWT"} */

void jwt_sign(struct span key, struct span signing_input, char out[JWT_SIGNATURE_SIZE])
{
	struct sha256 mac = hash_hmac(key, signing_input);
	base64url_encode(span_of(mac.bytes, sizeof(mac.bytes)), out);
}

const char *jwt_write(struct span key, const struct jwt *token, struct arena *a)
{
	char deployment[UUID_TEXT_SIZE], user[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	uuid_format(token->deployment_id, deployment);
	uuid_format(token->user_id, user);
	uuid_format(token->token_id, id);
	char payload[256], encoded[400], signature[JWT_SIGNATURE_SIZE];
	int size = snprintf(payload, sizeof(payload),
		"{\"deployment_id\":\"%s\",\"user\":\"%s\",\"token\":\"%s\",\"exp\":%" PRId64 "}", deployment,
		user, id, token->expires_s);
	base64url_encode(span_of(payload, (size_t)size), encoded);
	const char *input = arena_printf(a, HEADER ".%s", encoded);
	jwt_sign(key, span_of_text(input), signature);
	return arena_printf(a, "%s.%s", input, signature);
}

static enum status refuse(struct err *err)
{
	return err_set(err, ST_UNAUTHENTICATED, "This token is not valid here: log in again.");
}

static bool claim_id(yyjson_val *claims, const char *key, struct uuid *out)
{
	const char *text = yyjson_get_str(yyjson_obj_get(claims, key));
	return text && uuid_parse(text, out);
}

static bool read_claims(struct span payload, struct jwt *out)
{
	struct arena a;
	arena_init(&a);
	yyjson_doc *doc;
	bool good = json_parse(payload, &a, &doc, NULL) == ST_OK;
	if (good) {
		yyjson_val *claims = yyjson_doc_get_root(doc);
		good = claim_id(claims, "deployment_id", &out->deployment_id) &&
		       claim_id(claims, "user", &out->user_id) && claim_id(claims, "token", &out->token_id) &&
		       json_integer(claims, "exp", &out->expires_s, NULL) == ST_OK;
	}
	arena_release(&a);
	return good;
}

enum status jwt_read(struct span key, const char *text, int64_t now_s, struct jwt *out, struct err *err)
{
	size_t size = strlen(text), header_size = strlen(HEADER ".");
	if (size > JWT_SIZE_MAX || strncmp(text, HEADER ".", header_size) != 0)
		return refuse(err);
	const char *payload = text + header_size, *dot = strchr(payload, '.');
	if (dot == NULL)
		return refuse(err);
	struct sha256 given, right = hash_hmac(key, span_of(text, (size_t)(dot - text)));
	if (base64url_decode(dot + 1, strlen(dot + 1), given.bytes, sizeof(given.bytes)) != SHA256_SIZE ||
		!hash_equal(given, right))
		return refuse(err);
	/* From here on it is what we wrote ourselves. */
	uint8_t claims[JWT_SIZE_MAX];
	int claims_size = base64url_decode(payload, (size_t)(dot - payload), claims, sizeof(claims));
	struct jwt token = {.expires_s = 0};
	if (claims_size < 0 || !read_claims(span_of(claims, (size_t)claims_size), &token))
		return refuse(err);
	if (now_s >= token.expires_s)
		return err_set(err, ST_UNAUTHENTICATED, "This token has expired: log in again.");
	*out = token;
	return ST_OK;
}
