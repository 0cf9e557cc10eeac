/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/failures.h"

#include "base/check.h"
#include "os/log.h"
#include "os/thread.h"
#include "store/failure_rows.h"

#include <stdio.h>
#include <stdlib.h>

#define MINUTE_US ((int64_t)60 * 1000000)
#define KINDS_MAX 1024 /* between two storings */

/* Of one deployment, minute, status and step. */
struct kind {
	struct uuid deployment_id;
	int64_t minute_us, count, last_us;
	int http_status;
	char step[24];
	char text[sizeof(((struct err *)0)->text)];
};

struct kinds {
	struct kind items[KINDS_MAX];
	size_t count;
};

struct failures {
	pthread_mutex_t lock;
	struct kinds *now;   /* guarded by lock */
	struct kinds *spare; /* of who stores */
	bool overflowed;     /* guarded by lock; said once */
};

struct failures *failures_new(void)
{
	struct failures *f = calloc(1, sizeof(*f));
	CHECK(f != NULL);
	f->now = calloc(1, sizeof(*f->now));
	f->spare = calloc(1, sizeof(*f->spare));
	CHECK(f->now != NULL && f->spare != NULL);
	CHECK(pthread_mutex_init(&f->lock, NULL) == 0);
	return f;
}

void failures_free(struct failures *f)
{
	if (f == NULL)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->now);
	free(f->spare);
	free(f);
}

/* NULL: there is no room. The newest kinds are looked at first. */
static struct kind *kind_of(
	struct kinds *k, struct uuid deployment_id, int64_t minute_us, int http_status, const char *step)
{
	for (size_t i = k->count; i-- > 0;) {
		struct kind *kind = &k->items[i];
		if (kind->minute_us == minute_us && kind->http_status == http_status &&
			uuid_equal(kind->deployment_id, deployment_id) && strcmp(kind->step, step) == 0)
			return kind;
	}
	if (k->count == KINDS_MAX)
		return NULL;
	struct kind *kind = &k->items[k->count++];
	*kind = (struct kind){
		.deployment_id = deployment_id, .minute_us = minute_us, .http_status = http_status};
	snprintf(kind->step, sizeof(kind->step), "%s", step);
	return kind;
}

static void count(struct failures *f, struct uuid deployment_id, int64_t at_us, int64_t minute_us,
	int http_status, const char *step, const char *text, int64_t number)
{
	struct kind *kind = kind_of(f->now, deployment_id, minute_us, http_status, step);
	if (kind == NULL) {
		if (!f->overflowed)
			log_event(LOG_LEVEL_WARN, "failures_not_counted", "reason",
				"More kinds of failed requests came within some seconds than are kept.",
				NULL);
		f->overflowed = true;
		return;
	}
	kind->count += number;
	if (at_us < kind->last_us)
		return;
	kind->last_us = at_us;
	snprintf(kind->text, sizeof(kind->text), "%s", text);
}

void failures_add(struct failures *f, struct uuid deployment_id, int64_t at_us, int http_status,
	const char *step, const char *text)
{
	mutex_lock(&f->lock);
	count(f, deployment_id, at_us, at_us - at_us % MINUTE_US, http_status, step, text, 1);
	mutex_unlock(&f->lock);
}

static enum status store_all(struct db_conn *c, void *arg, struct err *err)
{
	const struct kinds *k = arg;
	for (size_t i = 0; i < k->count; i++) {
		const struct kind *kind = &k->items[i];
		const struct failure_row row = {
			.deployment_id = kind->deployment_id,
			.minute_us = kind->minute_us,
			.http_status = kind->http_status,
			.step = kind->step,
			.count = kind->count,
			.last_us = kind->last_us,
			.last_text = kind->text,
		};
		TRY(failure_rows_add(c, &row, err));
	}
	return ST_OK;
}

/* Back to the others. */
static void keep(struct failures *f, const struct kinds *k)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct kind *kind = &k->items[i];
		count(f, kind->deployment_id, kind->last_us, kind->minute_us, kind->http_status, kind->step,
			kind->text, kind->count);
	}
}

enum status failures_store(struct failures *f, struct recorder *r, struct err *err)
{
	mutex_lock(&f->lock);
	struct kinds *k = f->now;
	f->now = f->spare;
	f->spare = k;
	f->overflowed = false;
	mutex_unlock(&f->lock);
	enum status st = k->count ? recorder_run(r, store_all, k, err) : ST_OK;
	mutex_lock(&f->lock);
	if (st != ST_OK)
		keep(f, k);
	mutex_unlock(&f->lock);
	k->count = 0;
	return st;
}
