/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind the guard. */
#include "api/guard_table.h"

#include "base/check.h"

#include <stdlib.h>

#define MINUTE_US 60000000

void guard_table_init(struct guard_table *t, size_t count_max)
{
	*t = (struct guard_table){.count_max = count_max};
}

void guard_table_release(struct guard_table *t)
{
	free(t->items);
	*t = (struct guard_table){.count_max = t->count_max};
}

/* Where the hash is, or would be. */
static size_t place(const struct guard_table *t, struct sha256 hash)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(t->items[middle].hash.bytes, hash.bytes, SHA256_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct guard_table *t, size_t at, struct sha256 hash)
{
	return at < t->count && hash_equal(t->items[at].hash, hash);
}

static void remove_at(struct guard_table *t, size_t at)
{
	t->count--;
	memmove(&t->items[at], &t->items[at + 1], (t->count - at) * sizeof(t->items[0]));
}

static void make_room(struct guard_table *t)
{
	if (t->count == t->count_max) {
		size_t first = 0;
		for (size_t i = 1; i < t->count; i++)
			if (t->items[i].expires_us < t->items[first].expires_us)
				first = i;
		remove_at(t, first);
	}
	if (t->count < t->room)
		return;
	t->room = t->room ? 2 * t->room : 16;
	t->items = realloc(t->items, t->room * sizeof(t->items[0]));
	CHECK(t->items != NULL);
}

void guard_table_add(struct guard_table *t, const struct guard_entry *entry)
{
	guard_table_remove(t, entry->hash);
	make_room(t);
	size_t at = place(t, entry->hash);
	memmove(&t->items[at + 1], &t->items[at], (t->count - at) * sizeof(t->items[0]));
	t->count++;
	t->items[at] = *entry;
}

bool guard_table_find(
	const struct guard_table *t, struct sha256 hash, int64_t now_us, struct guard_entry *out)
{
	size_t at = place(t, hash);
	if (!is_at(t, at, hash) || t->items[at].expires_us <= now_us)
		return false;
	*out = t->items[at];
	return true;
}

bool guard_table_find_id(const struct guard_table *t, struct uuid id, struct guard_entry *out)
{
	for (size_t i = 0; i < t->count; i++) {
		if (uuid_equal(t->items[i].id, id)) {
			*out = t->items[i];
			return true;
		}
	}
	return false;
}

void guard_table_remove(struct guard_table *t, struct sha256 hash)
{
	size_t at = place(t, hash);
	if (is_at(t, at, hash))
		remove_at(t, at);
}

enum reason { BY_ID, BY_USER, BY_TIME };

static void remove_all(struct guard_table *t, enum reason reason, struct uuid id, int64_t now_us)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->count; i++) {
		const struct guard_entry *e = &t->items[i];
		bool gone = reason == BY_ID     ? uuid_equal(e->id, id)
			    : reason == BY_USER ? uuid_equal(e->user_id, id)
						: e->expires_us <= now_us;
		if (!gone)
			t->items[kept++] = *e;
	}
	t->count = kept;
}

void guard_table_remove_id(struct guard_table *t, struct uuid id)
{
	remove_all(t, BY_ID, id, 0);
}

void guard_table_remove_user(struct guard_table *t, struct uuid user_id)
{
	remove_all(t, BY_USER, user_id, 0);
}

void guard_table_expire(struct guard_table *t, int64_t now_us)
{
	remove_all(t, BY_TIME, (struct uuid){{0}}, now_us);
}

void guard_table_set_role(struct guard_table *t, struct uuid user_id, enum user_role role)
{
	for (size_t i = 0; i < t->count; i++)
		if (uuid_equal(t->items[i].user_id, user_id))
			t->items[i].role = role;
}

/* ---- failed logins ---- */

unsigned guard_failures_count(const struct guard_failures *f, const char *peer, int64_t now_us)
{
	for (size_t i = 0; i < GUARD_PEERS; i++)
		if (f->peers[i].count && strcmp(f->peers[i].peer, peer) == 0)
			return now_us - f->peers[i].since_us < MINUTE_US ? f->peers[i].count : 0;
	return 0;
}

void guard_failures_add(struct guard_failures *f, const char *peer, int64_t now_us)
{
	size_t at = 0;
	for (size_t i = 0; i < GUARD_PEERS; i++) {
		if (f->peers[i].count && strcmp(f->peers[i].peer, peer) == 0) {
			at = i;
			break;
		}
		if (f->peers[i].since_us < f->peers[at].since_us)
			at = i;
	}
	bool same = f->peers[at].count && strcmp(f->peers[at].peer, peer) == 0;
	if (!same || now_us - f->peers[at].since_us >= MINUTE_US) {
		f->peers[at].count = 0;
		f->peers[at].since_us = now_us;
		snprintf(f->peers[at].peer, sizeof(f->peers[at].peer), "%s", peer);
	}
	f->peers[at].count++;
}
