/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing softly. A socket that is closed while its client still sends is reset, and
 * the reset may overtake the answer: so a copy of the descriptor stays open here, what
 * comes is thrown away, until the client is done or has had enough time or bytes.
 * Event thread only.
 */
#ifndef GYRE_HTTP_DRAIN_H
#define GYRE_HTTP_DRAIN_H

#include <stdint.h>

#define DRAIN_SOCKETS_MAX 64
#define DRAIN_BYTES_MAX (32u << 20)
#define DRAIN_US_MAX 10000000

struct drain {
	struct {
		int fd;
		uint64_t bytes;
		int64_t until_us;
	} sockets[DRAIN_SOCKETS_MAX];
	unsigned count;
};

void drain_add(
	struct drain *l, int socket, int64_t now_us); /* duplicates it; does nothing when the table is full */
void drain_tick(struct drain *l, int64_t now_us);
void drain_release(struct drain *l);

#endif
