/* SPDX-License-Identifier: Apache-2.0 */
/* Where bytes live, by the SHA-256 of their content (64 hex digits). */
#ifndef GYRE_STORE_BLOB_H
#define GYRE_STORE_BLOB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/span.h"

struct blob; /* every implementation embeds this first */

struct blob_ops {
	const char *scheme; /* "file": how the configuration names it */
	/* Store; when it returns ST_OK bytes and name survive power loss. Storing the same again is ST_OK. */
	enum status (*put)(struct blob *b, const char *key, struct span body, struct err *err);
	/* ST_MISSING if there is none; ST_TOO_LARGE past size_max. The bytes live in the arena. */
	enum status (*get)(struct blob *b, const char *key, size_t size_max, struct arena *a,
		struct span *body, struct err *err);
	/* Size in bytes; ST_MISSING. */
	enum status (*stat)(struct blob *b, const char *key, uint64_t *size, struct err *err);
	/* A file descriptor at offset 0, which the caller closes; ST_UNSUPPORTED where bytes are not files.
	 */
	enum status (*open)(struct blob *b, const char *key, int *fd, uint64_t *size, struct err *err);
	/* Removing what is not there is ST_OK. */
	enum status (*remove)(struct blob *b, const char *key, struct err *err);
	/* Every key, in no order, until visit() returns false. */
	enum status (*list)(struct blob *b, bool (*visit)(void *arg, const char *key, uint64_t size),
		void *arg, struct err *err);
	void (*close)(struct blob *b);
};

struct blob {
	const struct blob_ops *ops;
};

/* Implementations. */
/* folder/ab/abcdef…, made as needed. Removes what an earlier process left half-written: one process at a
 * time. */
enum status blob_file_open(const char *folder, struct blob **out, struct err *err) MUST_CHECK;
struct blob *blob_mem_new(void);

/* Callers come through here: the contract is checked on both sides. put computes the key into key_out. */
enum status blob_put(
	struct blob *b, struct span body, char key_out[SHA256_HEX_SIZE], struct err *err) MUST_CHECK;
enum status blob_get(struct blob *b, const char *key, size_t size_max, struct arena *a, struct span *body,
	struct err *err) MUST_CHECK;
enum status blob_stat(struct blob *b, const char *key, uint64_t *size, struct err *err) MUST_CHECK;
enum status blob_open(struct blob *b, const char *key, int *fd, uint64_t *size, struct err *err) MUST_CHECK;
enum status blob_remove(struct blob *b, const char *key, struct err *err) MUST_CHECK;
enum status blob_list(struct blob *b, bool (*visit)(void *arg, const char *key, uint64_t size), void *arg,
	struct err *err) MUST_CHECK;
void blob_close(struct blob *b);
bool blob_key_valid(const char *key); /* 64 lower-case hex digits */

#endif
