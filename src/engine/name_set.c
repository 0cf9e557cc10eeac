/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/name_set.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>

struct name_set_entry {
	struct span name, part;
	uint64_t hash; /* 0: free */
};

static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	hash ^= hash >> 32;
	return hash;
}

/* Each byte goes through a full multiply and shift of a secret state: collisions cannot be computed
 * beforehand. */
static uint64_t hash_of(uint64_t seed, struct span name, struct span part)
{
	uint64_t hash = mix(seed ^ name.size);
	for (size_t i = 0; i < name.size; i++)
		hash = mix(hash ^ name.data[i]);
	for (size_t i = 0; i < part.size; i++)
		hash = mix(hash ^ part.data[i]);
	return hash ? hash : 1;
}

void name_set_init(struct name_set *n, size_t count_max)
{
	*n = (struct name_set){.count_max = count_max};
	random_fill(&n->seed, sizeof(n->seed));
}

void name_set_release(struct name_set *n)
{
	free(n->entries);
	*n = (struct name_set){0};
}

/* Where it is, or the free place where it belongs. */
static struct name_set_entry *place(
	const struct name_set *n, uint64_t hash, struct span name, struct span part)
{
	size_t at = hash & (n->room - 1);
	for (;; at = (at + 1) & (n->room - 1)) {
		struct name_set_entry *e = &n->entries[at];
		if (e->hash == 0 ||
			(e->hash == hash && span_equal(e->name, name) && span_equal(e->part, part)))
			return e;
	}
}

static void grow(struct name_set *n)
{
	struct name_set_entry *old = n->entries;
	size_t old_room = n->room;
	n->room = old_room ? old_room * 2 : 64;
	n->entries = calloc(n->room, sizeof(*n->entries));
	CHECK(n->entries != NULL);
	for (size_t i = 0; i < old_room; i++)
		if (old[i].hash)
			*place(n, old[i].hash, old[i].name, old[i].part) = old[i];
	free(old);
}

bool name_set_add(struct name_set *n, struct span name, struct span part)
{
	if (n->count * 2 >= n->room)
		grow(n);
	uint64_t hash = hash_of(n->seed, name, part);
	struct name_set_entry *e = place(n, hash, name, part);
	if (e->hash)
		return true;
	if (n->count == n->count_max)
		return false;
	*e = (struct name_set_entry){name, part, hash};
	n->count++;
	return true;
}

bool name_set_has(const struct name_set *n, struct span name, struct span part)
{
	return n->room && place(n, hash_of(n->seed, name, part), name, part)->hash != 0;
}
