/* SPDX-License-Identifier: Apache-2.0 */
/* The checked way to blobs: every caller comes through here, whatever the implementation. */
#include "store/blob.h"

#include "base/check.h"

bool blob_key_valid(const char *key)
{
	if (key == NULL)
		return false;
	for (int i = 0; i < SHA256_HEX_SIZE - 1; i++)
		if (!((key[i] >= '0' && key[i] <= '9') || (key[i] >= 'a' && key[i] <= 'f')))
			return false;
	return key[SHA256_HEX_SIZE - 1] == '\0';
}

enum status blob_put(struct blob *b, struct span body, char key_out[SHA256_HEX_SIZE], struct err *err)
{
	hash_sha256_hex(body, key_out);
	CHECK(blob_key_valid(key_out));
	return b->ops->put(b, key_out, body, err);
}

enum status blob_get(
	struct blob *b, const char *key, size_t size_max, struct arena *a, struct span *body, struct err *err)
{
	CHECK(blob_key_valid(key));
	TRY(b->ops->get(b, key, size_max, a, body, err));
	CHECK(body->size <= size_max);
	return ST_OK;
}

enum status blob_stat(struct blob *b, const char *key, uint64_t *size, struct err *err)
{
	CHECK(blob_key_valid(key));
	return b->ops->stat(b, key, size, err);
}

enum status blob_open(struct blob *b, const char *key, int *fd, uint64_t *size, struct err *err)
{
	CHECK(blob_key_valid(key));
	TRY(b->ops->open(b, key, fd, size, err));
	CHECK(*fd >= 0);
	return ST_OK;
}

enum status blob_remove(struct blob *b, const char *key, struct err *err)
{
	CHECK(blob_key_valid(key));
	return b->ops->remove(b, key, err);
}

enum status blob_list(
	struct blob *b, bool (*visit)(void *arg, const char *key, uint64_t size), void *arg, struct err *err)
{
	return b->ops->list(b, visit, arg, err);
}

void blob_close(struct blob *b)
{
	if (b)
		b->ops->close(b);
}
