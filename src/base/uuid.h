/* SPDX-License-Identifier: Apache-2.0 */
/* Identifiers: UUID version 7 (RFC 9562), 16 bytes, ordered by time. */
#ifndef GYRE_BASE_UUID_H
#define GYRE_BASE_UUID_H

#include <stdbool.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37 /* 36 characters and the NUL */

struct uuid {
	uint8_t bytes[16];
};

/* A new identifier of the given Unix time in milliseconds; the rest is random. */
struct uuid uuid_v7(int64_t unix_ms);
void uuid_format(struct uuid id, char out[UUID_TEXT_SIZE]);
bool uuid_parse(const char *text, struct uuid *out); /* 36 characters, either case; false leaves *out alone */
bool uuid_equal(struct uuid a, struct uuid b);
bool uuid_is_zero(struct uuid id);

#endif
