/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/check.h"
#include "base/str.h"

#include <openssl/sha.h>
#include <sodium.h>

struct sha256 hash_sha256(struct span bytes)
{
	struct sha256 out;
	SHA256(bytes.data, bytes.size, out.bytes);
	return out;
}

void hash_sha256_hex(struct span bytes, char out[SHA256_HEX_SIZE])
{
	struct sha256 hash = hash_sha256(bytes);
	hex_encode(hash.bytes, sizeof(hash.bytes), out);
}

struct sha256 hash_hmac(struct span key, struct span message)
{
	struct sha256 out;
	crypto_auth_hmacsha256_state state;
	crypto_auth_hmacsha256_init(&state, key.data, key.size);
	crypto_auth_hmacsha256_update(&state, message.data, message.size);
	crypto_auth_hmacsha256_final(&state, out.bytes);
	return out;
}

bool hash_equal(struct sha256 a, struct sha256 b)
{
	return sodium_memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

void random_fill(void *out, size_t size)
{
	CHECK(sodium_init() >= 0);
	randombytes_buf(out, size);
}

void base64url_encode(struct span bytes, char *out)
{
	sodium_bin2base64(out,
		sodium_base64_encoded_len(bytes.size, sodium_base64_VARIANT_URLSAFE_NO_PADDING), bytes.data,
		bytes.size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int base64url_decode(const char *text, size_t text_size, uint8_t *out, size_t room)
{
	size_t size;
	const char *end;
	if (sodium_base642bin(out, room, text, text_size, NULL, &size, &end,
		    sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return -1;
	return end == text + text_size ? (int)size : -1;
}
