/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf's wire format: read field by field, without copying, from bytes that may be hostile; write a few.
 * Source: protobuf.dev, "Encoding". Groups (wire types 3 and 4) are refused: ONNX has none.
 */
#ifndef GYRE_ENGINE_WIRE_H
#define GYRE_ENGINE_WIRE_H

#include "base/span.h"
#include "base/str.h"

enum wire_type { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct wire {
	const uint8_t *at, *end;
	bool broken; /* the bytes are no message; stays set */
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;    /* WIRE_VARINT, WIRE_64, WIRE_32 */
	struct span bytes; /* WIRE_BYTES: inside the message */
};

struct wire wire_of(struct span message);
/* The next field; false at the end of the message or when it is broken. */
bool wire_next(struct wire *w, struct wire_field *out);
/* One bare varint, as in packed fields; false at the end or when broken. */
bool wire_varint(struct wire *w, uint64_t *out);

void wire_put_number(struct str *out, uint32_t number, uint64_t value); /* as a varint */
void wire_put_float(struct str *out, uint32_t number, float value);
void wire_put_bytes(struct str *out, uint32_t number, struct span bytes);
void wire_put_text(struct str *out, uint32_t number, const char *text);

#endif
