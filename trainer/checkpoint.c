/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/checkpoint.h"

#include "base/check.h"
#include "os/file.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC "gyre run 1\n"
#define CHECKPOINT_BYTES_MAX ((size_t)16 << 30)

/* Magic, this, history, metrics, the parts' floats, SHA-256 of all before. */
struct head {
	char magic[16];
	struct sha256 job;
	struct progress progress;
	uint64_t history_size, metrics_size, floats;
};

static uint64_t floats_of(const struct checkpoint *c)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < c->part_count; i++)
		sum += c->parts[i].count;
	return sum;
}

static void put(uint8_t **at, const void *bytes, size_t size)
{
	if (size > 0)
		memcpy(*at, bytes, size);
	*at += size;
}

enum status checkpoint_write(const char *path, const struct checkpoint *c, struct err *err)
{
	struct head head;
	memset(&head, 0, sizeof(head));
	memcpy(head.magic, MAGIC, sizeof(MAGIC));
	head.job = c->job;
	head.progress = c->progress;
	head.history_size = strlen(c->history);
	head.metrics_size = strlen(c->metrics);
	head.floats = floats_of(c);
	size_t size = sizeof(head) + head.history_size + head.metrics_size + head.floats * sizeof(float);
	uint8_t *bytes = malloc(size + SHA256_SIZE), *at = bytes;
	if (bytes == NULL)
		return err_set(
			err, ST_UNAVAILABLE, "There is no memory for a checkpoint of %zu bytes.", size);
	put(&at, &head, sizeof(head));
	put(&at, c->history, head.history_size);
	put(&at, c->metrics, head.metrics_size);
	for (size_t i = 0; i < c->part_count; i++)
		put(&at, c->parts[i].values, c->parts[i].count * sizeof(float));
	CHECK((size_t)(at - bytes) == size);
	struct sha256 hash = hash_sha256(span_of(bytes, size));
	put(&at, hash.bytes, SHA256_SIZE);
	enum status st = file_write_durable(path, span_of(bytes, size + SHA256_SIZE), 0600, err);
	free(bytes);
	return st;
}

static bool is_whole(struct span file, struct head *head)
{
	if (file.size < sizeof(*head) + SHA256_SIZE)
		return false;
	memcpy(head, file.data, sizeof(*head));
	uint64_t body = file.size - sizeof(*head) - SHA256_SIZE;
	if (memcmp(head->magic, MAGIC, sizeof(MAGIC)) != 0 || head->history_size > body ||
		head->metrics_size > body - head->history_size ||
		head->floats != (body - head->history_size - head->metrics_size) / sizeof(float))
		return false;
	struct sha256 hash = hash_sha256(span_of(file.data, file.size - SHA256_SIZE));
	return memcmp(hash.bytes, file.data + file.size - SHA256_SIZE, SHA256_SIZE) == 0;
}

static enum status fill(struct span file, struct arena *a, struct checkpoint *c, struct err *err)
{
	struct head head;
	if (!is_whole(file, &head))
		return err_set(
			err, ST_CONFLICT, "The checkpoint is damaged, or of another version of the trainer.");
	if (!hash_equal(head.job, c->job) || head.floats != floats_of(c))
		return err_set(
			err, ST_CONFLICT, "The checkpoint is of another job, model or set of pictures.");
	const uint8_t *at = file.data + sizeof(head);
	c->progress = head.progress;
	c->history = arena_strndup(a, (const char *)at, head.history_size);
	at += head.history_size;
	c->metrics = arena_strndup(a, (const char *)at, head.metrics_size);
	at += head.metrics_size;
	for (size_t i = 0; i < c->part_count; i++) {
		size_t size = c->parts[i].count * sizeof(float);
		if (size > 0)
			memcpy(c->parts[i].values, at, size);
		at += size;
	}
	return ST_OK;
}

enum status checkpoint_read(const char *path, struct arena *a, struct checkpoint *c, struct err *err)
{
	struct span file;
	TRY(file_map(path, &file, err));
	enum status st = fill(file, a, c, err);
	file_unmap(file);
	return st;
}
