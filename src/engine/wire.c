/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/wire.h"

struct wire wire_of(struct span message)
{
	static const uint8_t nothing;
	const uint8_t *at = message.size ? message.data : &nothing;
	return (struct wire){.at = at, .end = at + message.size};
}

bool wire_varint(struct wire *w, uint64_t *out)
{
	uint64_t value = 0;
	if (w->broken || w->at == w->end)
		return false;
	for (unsigned shift = 0; shift < 70 && w->at < w->end; shift += 7) {
		uint8_t byte = *w->at++;
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if ((byte & 0x80) == 0) {
			*out = value;
			return true;
		}
	}
	w->broken = true;
	return false;
}

static bool fixed(struct wire *w, size_t size, uint64_t *out)
{
	if ((size_t)(w->end - w->at) < size)
		return false;
	*out = 0;
	for (size_t i = 0; i < size; i++)
		*out |= (uint64_t)w->at[i] << (8 * i);
	w->at += size;
	return true;
}

static bool bytes(struct wire *w, struct span *out)
{
	uint64_t size;
	if (!wire_varint(w, &size) || size > (size_t)(w->end - w->at))
		return false;
	*out = span_of(w->at, (size_t)size);
	w->at += size;
	return true;
}

bool wire_next(struct wire *w, struct wire_field *out)
{
	uint64_t tag;
	if (!wire_varint(w, &tag))
		return false;
	bool good = tag >> 3 != 0 && tag >> 3 <= 0x1fffffff;
	*out = (struct wire_field){.number = (uint32_t)(tag >> 3), .type = (enum wire_type)(tag & 7)};
	switch (tag & 7) {
	case WIRE_VARINT: good = good && wire_varint(w, &out->value); break;
	case WIRE_64: good = good && fixed(w, 8, &out->value); break;
	case WIRE_BYTES: good = good && bytes(w, &out->bytes); break;
	case WIRE_32: good = good && fixed(w, 4, &out->value); break;
	default: good = false;
	}
	w->broken = w->broken || !good;
	return good;
}

static void put_varint(struct str *out, uint64_t value)
{
	uint8_t bytes[10];
	size_t size = 0;
	for (; value > 0x7f; value >>= 7)
		bytes[size++] = (uint8_t)(value | 0x80);
	bytes[size++] = (uint8_t)value;
	str_append_bytes(out, bytes, size);
}

void wire_put_number(struct str *out, uint32_t number, uint64_t value)
{
	put_varint(out, (uint64_t)number << 3 | WIRE_VARINT);
	put_varint(out, value);
}

void wire_put_float(struct str *out, uint32_t number, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	uint8_t bytes[] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
	put_varint(out, (uint64_t)number << 3 | WIRE_32);
	str_append_bytes(out, bytes, sizeof(bytes));
}

void wire_put_bytes(struct str *out, uint32_t number, struct span bytes)
{
	put_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
	put_varint(out, bytes.size);
	str_append_bytes(out, bytes.data, bytes.size);
}

void wire_put_text(struct str *out, uint32_t number, const char *text)
{
	wire_put_bytes(out, number, span_of_text(text));
}
