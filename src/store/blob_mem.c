/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs in memory, for tests: a list under a lock. They are not files, so open() is unsupported. */
#include "store/blob.h"

#include "base/check.h"
#include "os/thread.h"

#include <stdlib.h>

struct mem_item {
	struct mem_item *next;
	char key[SHA256_HEX_SIZE];
	size_t size;
	uint8_t data[];
};

struct blob_mem {
	struct blob blob;
	pthread_mutex_t mutex;
	struct mem_item *items; /* guarded by mutex */
};

/* The link that leads to the item, or the last one. */
static struct mem_item **find(struct blob_mem *m, const char *key)
{
	struct mem_item **link = &m->items;
	while (*link && strcmp((*link)->key, key) != 0)
		link = &(*link)->next;
	return link;
}

static enum status mem_put(struct blob *b, const char *key, struct span body, struct err *err)
{
	struct blob_mem *m = (struct blob_mem *)b;
	mutex_lock(&m->mutex);
	struct mem_item **link = find(m, key);
	if (*link == NULL) {
		struct mem_item *item = malloc(sizeof(*item) + body.size);
		CHECK(item != NULL);
		item->next = NULL;
		memcpy(item->key, key, sizeof(item->key));
		item->size = body.size;
		if (body.size)
			memcpy(item->data, body.data, body.size);
		*link = item;
	}
	mutex_unlock(&m->mutex);
	return ST_OK;
}

static enum status missing(const char *key, struct err *err)
{
	return err_set(err, ST_MISSING, "There is no content %.12s….", key);
}

static enum status mem_get(
	struct blob *b, const char *key, size_t size_max, struct arena *a, struct span *body, struct err *err)
{
	struct blob_mem *m = (struct blob_mem *)b;
	enum status st = ST_OK;
	mutex_lock(&m->mutex);
	const struct mem_item *item = *find(m, key);
	if (item == NULL)
		st = missing(key, err);
	else if (item->size > size_max)
		st = err_set(err, ST_TOO_LARGE, "The content %.12s… has %zu bytes, more than %zu.", key,
			item->size, size_max);
	else
		*body = arena_copy(a, span_of(item->data, item->size));
	mutex_unlock(&m->mutex);
	return st;
}

static enum status mem_stat(struct blob *b, const char *key, uint64_t *size, struct err *err)
{
	struct blob_mem *m = (struct blob_mem *)b;
	mutex_lock(&m->mutex);
	const struct mem_item *item = *find(m, key);
	enum status st = item ? ST_OK : missing(key, err);
	if (item)
		*size = item->size;
	mutex_unlock(&m->mutex);
	return st;
}

static enum status mem_open(struct blob *b, const char *key, int *fd, uint64_t *size, struct err *err)
{
	TRY(mem_stat(b, key, size, err));
	return err_set(err, ST_UNSUPPORTED, "Contents in memory have no file to open.");
}

static enum status mem_remove(struct blob *b, const char *key, struct err *err)
{
	struct blob_mem *m = (struct blob_mem *)b;
	mutex_lock(&m->mutex);
	struct mem_item **link = find(m, key);
	struct mem_item *item = *link;
	if (item)
		*link = item->next;
	mutex_unlock(&m->mutex);
	free(item);
	return ST_OK;
}

static enum status mem_list(
	struct blob *b, bool (*visit)(void *arg, const char *key, uint64_t size), void *arg, struct err *err)
{
	struct blob_mem *m = (struct blob_mem *)b;
	/* A copy, since visit() may put and remove. */
	mutex_lock(&m->mutex);
	size_t count = 0, i = 0;
	for (const struct mem_item *item = m->items; item; item = item->next)
		count++;
	struct {
		char key[SHA256_HEX_SIZE];
		uint64_t size;
	} *copy = calloc(count + 1, sizeof(*copy));
	CHECK(copy != NULL);
	for (const struct mem_item *item = m->items; item; item = item->next, i++) {
		memcpy(copy[i].key, item->key, sizeof(copy[i].key));
		copy[i].size = item->size;
	}
	mutex_unlock(&m->mutex);
	for (i = 0; i < count && visit(arg, copy[i].key, copy[i].size); i++)
		;
	free(copy);
	return ST_OK;
}

static void mem_close(struct blob *b)
{
	struct blob_mem *m = (struct blob_mem *)b;
	while (m->items) {
		struct mem_item *next = m->items->next;
		free(m->items);
		m->items = next;
	}
	pthread_mutex_destroy(&m->mutex);
	free(m);
}

static const struct blob_ops mem_ops = {
	.scheme = "mem",
	.put = mem_put,
	.get = mem_get,
	.stat = mem_stat,
	.open = mem_open,
	.remove = mem_remove,
	.list = mem_list,
	.close = mem_close,
};

struct blob *blob_mem_new(void)
{
	struct blob_mem *m = calloc(1, sizeof(*m));
	CHECK(m != NULL);
	m->blob.ops = &mem_ops;
	pthread_mutex_init(&m->mutex, NULL);
	return &m->blob;
}
