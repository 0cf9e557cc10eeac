/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind the guard: secrets by their hash, and failed logins by address. No locks: the guard has
 * one. */
#ifndef GYRE_API_GUARD_TABLE_H
#define GYRE_API_GUARD_TABLE_H

#include "base/hash.h"
#include "base/uuid.h"
#include "store/account_rows.h"

#include <stdint.h>

struct guard_entry {
	struct sha256 hash;
	struct uuid id; /* of an API token: itself; of a session: that it was begun with, zero: none */
	struct uuid user_id;
	char user_name[64];
	enum user_role role;
	int64_t expires_us; /* Unix; INT64_MAX: never */
};

/* Sorted by hash: a look-up compares hashes of secrets, so its timing tells nothing of the secrets. */
struct guard_table {
	struct guard_entry *items;
	size_t count, room, count_max;
};

void guard_table_init(struct guard_table *t, size_t count_max);
void guard_table_release(struct guard_table *t);
/* When the table is full, the entry that expires first makes room. */
void guard_table_add(struct guard_table *t, const struct guard_entry *entry);
/* An expired entry is not found. */
bool guard_table_find(
	const struct guard_table *t, struct sha256 hash, int64_t now_us, struct guard_entry *out);
bool guard_table_find_id(const struct guard_table *t, struct uuid id, struct guard_entry *out);
void guard_table_remove(struct guard_table *t, struct sha256 hash); /* none such: nothing */
void guard_table_remove_id(struct guard_table *t, struct uuid id);
void guard_table_remove_user(struct guard_table *t, struct uuid user_id);
void guard_table_set_role(struct guard_table *t, struct uuid user_id, enum user_role role);
void guard_table_expire(struct guard_table *t, int64_t now_us);

#define GUARD_PEERS 256

/* Failed logins in the running minute, by address; when all places are taken, the oldest minute makes room.
 */
struct guard_failures {
	struct {
		char peer[64];
		int64_t since_us; /* monotonic */
		unsigned count;
	} peers[GUARD_PEERS];
};

unsigned guard_failures_count(const struct guard_failures *f, const char *peer, int64_t now_us);
void guard_failures_add(struct guard_failures *f, const char *peer, int64_t now_us);

#endif
