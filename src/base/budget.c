/* SPDX-License-Identifier: Apache-2.0 */
#include "base/budget.h"

#include "base/check.h"

#include <inttypes.h>

void budget_init(struct budget *b, const char *what, uint64_t limit)
{
	b->what = what;
	b->limit = limit;
	atomic_init(&b->used, 0);
}

enum status budget_take(struct budget *b, uint64_t amount, struct err *err)
{
	uint64_t used = atomic_load(&b->used);
	do {
		if (amount > b->limit || used > b->limit - amount)
			return err_set(err, ST_UNAVAILABLE,
				"The server has no %s left just now (%" PRIu64 " of %" PRIu64
				" in use); try again shortly.",
				b->what, used, b->limit);
	} while (!atomic_compare_exchange_weak(&b->used, &used, used + amount));
	return ST_OK;
}

void budget_give(struct budget *b, uint64_t amount)
{
	uint64_t before = atomic_fetch_sub(&b->used, amount);
	CHECK(before >= amount);
}
