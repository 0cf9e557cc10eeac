/* SPDX-License-Identifier: Apache-2.0 */
#include "base/uuid.h"

#include "base/hash.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

struct uuid uuid_v7(int64_t unix_ms)
{
	struct uuid id;
	random_fill(id.bytes, sizeof(id.bytes));
	for (int i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)((uint64_t)unix_ms >> (8 * (5 - i)));
	id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x70);
	id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
	return id;
}

void uuid_format(struct uuid id, char out[UUID_TEXT_SIZE])
{
	char hex[33];
	hex_encode(id.bytes, sizeof(id.bytes), hex);
	snprintf(
		out, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

bool uuid_parse(const char *text, struct uuid *out)
{
	if (text == NULL || strlen(text) != UUID_TEXT_SIZE - 1)
		return false;
	char hex[33];
	size_t digits = 0;
	for (int i = 0; i < UUID_TEXT_SIZE - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash != (text[i] == '-'))
			return false;
		if (!dash)
			hex[digits++] = text[i];
	}
	hex[32] = '\0';
	struct uuid id;
	if (!hex_decode(hex, id.bytes, sizeof(id.bytes)))
		return false;
	*out = id;
	return true;
}

bool uuid_equal(struct uuid a, struct uuid b)
{
	return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

bool uuid_is_zero(struct uuid id)
{
	return uuid_equal(id, (struct uuid){{0}});
}
