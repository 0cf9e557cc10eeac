/* SPDX-License-Identifier: Apache-2.0 */
/* A limit shared by threads: bytes in flight, decodes at once. What a client sizes asks here first. */
#ifndef GYRE_BASE_BUDGET_H
#define GYRE_BASE_BUDGET_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdint.h>

struct budget {
	const char *what; /* for the sentence: "memory for request bodies" */
	uint64_t limit;
	_Atomic uint64_t used;
};

void budget_init(struct budget *b, const char *what, uint64_t limit);
/* ST_UNAVAILABLE with a sentence when it would pass the limit; nothing is taken then. */
enum status budget_take(struct budget *b, uint64_t amount, struct err *err) MUST_CHECK;
void budget_give(struct budget *b, uint64_t amount);

#endif
