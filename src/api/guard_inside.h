/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the guard share: its tables, and how secrets are made. */
#ifndef GYRE_API_GUARD_INSIDE_H
#define GYRE_API_GUARD_INSIDE_H

#include "api/guard.h"
#include "api/guard_table.h"
#include "os/thread.h"

#include <stdio.h>

#define GUARD_TOKENS_MAX 10000
#define GUARD_SESSIONS_MAX 10000
#define GUARD_CODES_MAX 100

struct guard {
	pthread_mutex_t people; /* held while people change, so that the tables follow the database's order */
	pthread_mutex_t lock;   /* guards all below; taken inside the other */
	struct guard_table tokens, sessions, codes;
	struct guard_failures failures;
	struct user_row admin;
	char admin_name[USER_NAME_MAX + 1];
};

static inline struct sha256 guard_hash(const char *secret)
{
	return hash_sha256(span_of_text(secret));
}

/* An entry for a secret of the user's. */
static inline struct guard_entry guard_entry_of(
	struct sha256 hash, struct uuid id, const struct user_row *user, int64_t expires_us)
{
	struct guard_entry entry = {
		.hash = hash, .id = id, .user_id = user->id, .role = user->role, .expires_us = expires_us};
	snprintf(entry.user_name, sizeof(entry.user_name), "%s", user->name);
	return entry;
}

void guard_new_token(char out[GUARD_TOKEN_SIZE]);

#endif
