/* SPDX-License-Identifier: Apache-2.0 */
#include "store/blob_faulty.h"

#include "base/check.h"
#include "os/thread.h"

#include <stdlib.h>

struct blob_faulty {
	struct blob blob;
	struct blob *inner;
	pthread_mutex_t mutex;
	/* guarded by mutex: */
	unsigned nth; /* calls until the failure; 0: no plan */
	unsigned fired;
	enum blob_faulty_when when;
	enum status status;
};

/* ST_OK, or what this call must fail with. */
static enum status planned(struct blob_faulty *f, enum blob_faulty_when *when, struct err *err)
{
	enum status st = ST_OK;
	mutex_lock(&f->mutex);
	if (f->nth > 0 && --f->nth == 0) {
		f->fired++;
		*when = f->when;
		st = err_set(err, f->status, "This call fails by plan.");
	}
	mutex_unlock(&f->mutex);
	return st;
}

static enum status faulty_put(struct blob *b, const char *key, struct span body, struct err *err)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	enum blob_faulty_when when;
	enum status st = planned(f, &when, err);
	if (st != ST_OK && when == BLOB_FAULTY_BEFORE)
		return st;
	TRY(f->inner->ops->put(f->inner, key, body, err));
	return st;
}

static enum status faulty_get(
	struct blob *b, const char *key, size_t size_max, struct arena *a, struct span *body, struct err *err)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	enum blob_faulty_when when;
	TRY(planned(f, &when, err));
	return f->inner->ops->get(f->inner, key, size_max, a, body, err);
}

static enum status faulty_stat(struct blob *b, const char *key, uint64_t *size, struct err *err)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	enum blob_faulty_when when;
	TRY(planned(f, &when, err));
	return f->inner->ops->stat(f->inner, key, size, err);
}

static enum status faulty_open(struct blob *b, const char *key, int *fd, uint64_t *size, struct err *err)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	enum blob_faulty_when when;
	TRY(planned(f, &when, err));
	return f->inner->ops->open(f->inner, key, fd, size, err);
}

static enum status faulty_remove(struct blob *b, const char *key, struct err *err)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	enum blob_faulty_when when;
	enum status st = planned(f, &when, err);
	if (st != ST_OK && when == BLOB_FAULTY_BEFORE)
		return st;
	TRY(f->inner->ops->remove(f->inner, key, err));
	return st;
}

static enum status faulty_list(
	struct blob *b, bool (*visit)(void *arg, const char *key, uint64_t size), void *arg, struct err *err)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	enum blob_faulty_when when;
	TRY(planned(f, &when, err));
	return f->inner->ops->list(f->inner, visit, arg, err);
}

static void faulty_close(struct blob *b)
{
	struct blob_faulty *f = (struct blob_faulty *)b;
	blob_close(f->inner);
	pthread_mutex_destroy(&f->mutex);
	free(f);
}

static const struct blob_ops faulty_ops = {
	.scheme = "faulty",
	.put = faulty_put,
	.get = faulty_get,
	.stat = faulty_stat,
	.open = faulty_open,
	.remove = faulty_remove,
	.list = faulty_list,
	.close = faulty_close,
};

struct blob *blob_faulty_new(struct blob *inner)
{
	struct blob_faulty *f = calloc(1, sizeof(*f));
	CHECK(f != NULL);
	f->blob.ops = &faulty_ops;
	f->inner = inner;
	pthread_mutex_init(&f->mutex, NULL);
	return &f->blob;
}

void blob_faulty_plan(struct blob *b, unsigned nth, enum blob_faulty_when when, enum status st)
{
	CHECK(b->ops == &faulty_ops && (nth == 0 || st != ST_OK));
	struct blob_faulty *f = (struct blob_faulty *)b;
	mutex_lock(&f->mutex);
	f->nth = nth;
	f->fired = 0;
	f->when = when;
	f->status = st;
	mutex_unlock(&f->mutex);
}

unsigned blob_faulty_fired(struct blob *b)
{
	CHECK(b->ops == &faulty_ops);
	struct blob_faulty *f = (struct blob_faulty *)b;
	mutex_lock(&f->mutex);
	unsigned fired = f->fired;
	mutex_unlock(&f->mutex);
	return fired;
}

unsigned blob_faulty_left(struct blob *b)
{
	CHECK(b->ops == &faulty_ops);
	struct blob_faulty *f = (struct blob_faulty *)b;
	mutex_lock(&f->mutex);
	unsigned left = f->nth;
	mutex_unlock(&f->mutex);
	return left;
}
