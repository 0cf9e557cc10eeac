/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of content (OpenSSL: it uses the processor's own instructions), HMAC-SHA-256 of what we sign and
 * random bytes (libsodium). */
#ifndef GYRE_BASE_HASH_H
#define GYRE_BASE_HASH_H

#include "base/span.h"

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 65

struct sha256 {
	uint8_t bytes[SHA256_SIZE];
};

struct sha256 hash_sha256(struct span bytes);
void hash_sha256_hex(struct span bytes, char out[SHA256_HEX_SIZE]);
struct sha256 hash_hmac(struct span key, struct span message);
bool hash_equal(struct sha256 a, struct sha256 b); /* in constant time */
void random_fill(void *out, size_t size);          /* cryptographic */
/* URL-safe base64 without padding; out holds at least 4*(size+2)/3+1 characters. */
void base64url_encode(struct span bytes, char *out);
/* Decoded size, or -1 when text is not base64url or is larger than room. */
int base64url_decode(const char *text, size_t text_size, uint8_t *out, size_t room);

#endif
