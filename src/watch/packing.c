/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/packing.h"

#include <string.h>

#define NUMBER_BYTES_MAX 10 /* of 64 bits */
#define INDEX_BYTES_MAX 5   /* of 32 bits */

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

static uint8_t *put(uint8_t *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at++ = (uint8_t)value;
	return at;
}

void pack_number(struct packer *p, uint64_t value)
{
	make_room(p, NUMBER_BYTES_MAX);
	p->size = (size_t)(put(p->data + p->size, value) - p->data);
}

/* The same for both widths. Room for all of them first, as a grid has thousands. */
#define PACK_COUNTS(p, counts, count)                                                                        \
	do {                                                                                                 \
		uint32_t some = 0, last = 0;                                                                 \
		for (uint32_t i = 0; i < (count); i++)                                                       \
			some += (counts)[i] != 0;                                                            \
		make_room((p), (size_t)(some + 1) * (INDEX_BYTES_MAX + NUMBER_BYTES_MAX));                   \
		uint8_t *at = put((p)->data + (p)->size, some);                                              \
		for (uint32_t i = 0; some > 0; i++) {                                                        \
			if ((counts)[i] == 0)                                                                \
				continue;                                                                    \
			at = put(put(at, i - last), (counts)[i]);                                            \
			last = i + 1;                                                                        \
			some--;                                                                              \
		}                                                                                            \
		(p)->size = (size_t)(at - (p)->data);                                                        \
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
	uint64_t zeros;
	if (u->end - u->at >= 2 && (u->at[0] | u->at[1]) < 0x80) { /* both small, as most are */
		zeros = u->at[0];
		*value = u->at[1];
		u->at += 2;
	} else {
		zeros = unpack_number(u);
		*value = unpack_number(u);
	}
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
