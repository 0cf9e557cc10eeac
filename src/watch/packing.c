/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/packing.h"

#include <string.h>

#define NUMBER_BYTES_MAX 10 /* of 64 bits */

static void make_room(struct packer *p, size_t more)
{
	if (p->size + more <= p->room)
		return;
	size_t room = 2 * (p->size + more) + 256;
	uint8_t *data = arena_alloc(p->arena, room);
	if (p->size)
		memcpy(data, p->data, p->size);
	p->data = data;
	p->room = room;
}

void pack_number(struct packer *p, uint64_t value)
{
	make_room(p, NUMBER_BYTES_MAX);
	for (; value >= 0x80; value >>= 7)
		p->data[p->size++] = (uint8_t)(value | 0x80);
	p->data[p->size++] = (uint8_t)value;
}

/* The same for both widths. */
#define PACK_COUNTS(p, counts, count)                                                                        \
	do {                                                                                                 \
		uint32_t some = 0, last = 0;                                                                 \
		for (uint32_t i = 0; i < (count); i++)                                                       \
			some += (counts)[i] != 0;                                                            \
		pack_number((p), some);                                                                      \
		for (uint32_t i = 0; i < (count) && some > 0; i++) {                                         \
			if ((counts)[i] == 0)                                                                \
				continue;                                                                    \
			pack_number((p), i - last);                                                          \
			pack_number((p), (counts)[i]);                                                       \
			last = i + 1;                                                                        \
			some--;                                                                              \
		}                                                                                            \
	} while (0)

void pack_counts(struct packer *p, const uint64_t *counts, uint32_t count)
{
	PACK_COUNTS(p, counts, count);
}

void pack_counts_32(struct packer *p, const uint32_t *counts, uint32_t count)
{
	PACK_COUNTS(p, counts, count);
}

static uint64_t broken(struct unpacker *u)
{
	u->is_broken = true;
	u->at = u->end;
	return 0;
}

uint64_t unpack_number(struct unpacker *u)
{
	uint64_t value = 0;
	for (unsigned shift = 0; u->at < u->end && shift < 64; shift += 7) {
		uint8_t byte = *u->at++;
		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte == 0 && shift > 0)
			break; /* longer than it need be */
		return value;
	}
	return broken(u);
}

/* One entry; false: there is none, and nothing of the kind that is written. */
static bool unpack_entry(struct unpacker *u, uint32_t count, uint32_t *next, uint32_t *index, uint64_t *value)
{
	uint64_t zeros = unpack_number(u);
	*value = unpack_number(u);
	if (u->is_broken || zeros >= count - *next || *value == 0) {
		broken(u);
		return false;
	}
	*index = *next + (uint32_t)zeros;
	*next = *index + 1;
	return true;
}

void unpack_counts(struct unpacker *u, uint64_t *into, uint32_t count)
{
	uint32_t next = 0, index;
	uint64_t value, some = unpack_number(u);
	for (; some > 0 && unpack_entry(u, count, &next, &index, &value); some--)
		into[index] += value;
}

void unpack_counts_32(struct unpacker *u, uint32_t *into, uint32_t count)
{
	uint32_t next = 0, index;
	uint64_t value, some = unpack_number(u);
	for (; some > 0 && unpack_entry(u, count, &next, &index, &value); some--) {
		if (value > UINT32_MAX) {
			broken(u);
			return;
		}
		into[index] += (uint32_t)value;
	}
}

bool unpack_ended(const struct unpacker *u)
{
	return !u->is_broken && u->at == u->end;
}
