/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/name_map.h"

#include "base/check.h"

#include <string.h>

struct name_slot {
	const char *name; /* NULL: free */
	size_t size;
	uint64_t hash;
	uint32_t value;
};

void name_map_init(struct name_map *m, struct arena *a)
{
	*m = (struct name_map){.arena = a};
}

static uint64_t hash_of(const char *name, size_t size)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a, and a last mix, as only low bits are used */
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)name[i]) * 1099511628211u;
	return h ^ h >> 29;
}

static struct name_slot *slot_of(const struct name_map *m, const char *name, size_t size, uint64_t hash)
{
	size_t at = hash & (m->room - 1);
	while (m->slots[at].name && (m->slots[at].hash != hash || m->slots[at].size != size ||
					    memcmp(m->slots[at].name, name, size) != 0))
		at = (at + 1) & (m->room - 1);
	return &m->slots[at];
}

uint32_t name_map_find(const struct name_map *m, const char *name, size_t size)
{
	if (m->room == 0)
		return NAME_MAP_NONE;
	const struct name_slot *slot = slot_of(m, name, size, hash_of(name, size));
	return slot->name ? slot->value : NAME_MAP_NONE;
}

static void grow(struct name_map *m)
{
	struct name_slot *old = m->slots;
	size_t old_room = m->room;
	m->room = old_room ? 2 * old_room : 64;
	m->slots = ARENA_ARRAY(m->arena, struct name_slot, m->room);
	for (size_t i = 0; i < old_room; i++)
		if (old[i].name)
			*slot_of(m, old[i].name, old[i].size, old[i].hash) = old[i];
}

uint32_t name_map_add(struct name_map *m, const char *name, size_t size, uint32_t value)
{
	CHECK(value != NAME_MAP_NONE);
	if (2 * (m->count + 1) > m->room)
		grow(m);
	uint64_t hash = hash_of(name, size);
	struct name_slot *slot = slot_of(m, name, size, hash);
	if (slot->name == NULL) {
		*slot = (struct name_slot){name, size, hash, value};
		m->count++;
	}
	return slot->value;
}
