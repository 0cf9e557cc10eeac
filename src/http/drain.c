/* SPDX-License-Identifier: Apache-2.0 */
#include "http/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_PER_TICK 64

void drain_add(struct drain *l, int socket, int64_t now_us)
{
	if (l->count == DRAIN_SOCKETS_MAX)
		return;
	int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return;
	l->sockets[l->count].fd = fd;
	l->sockets[l->count].bytes = 0;
	l->sockets[l->count].until_us = now_us + DRAIN_US_MAX;
	l->count++;
}

/* False when the client is done. */
static bool discard(int fd, uint64_t *bytes)
{
	char buffer[65536];
	for (int i = 0; i < READS_PER_TICK; i++) {
		ssize_t size = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
		if (size == 0)
			return false;
		if (size < 0)
			return errno == EAGAIN || errno == EINTR;
		*bytes += (uint64_t)size;
	}
	return true;
}

void drain_tick(struct drain *l, int64_t now_us)
{
	for (unsigned i = 0; i < l->count;) {
		bool more = discard(l->sockets[i].fd, &l->sockets[i].bytes);
		if (more && l->sockets[i].bytes < DRAIN_BYTES_MAX && now_us < l->sockets[i].until_us) {
			i++;
			continue;
		}
		close(l->sockets[i].fd);
		l->sockets[i] = l->sockets[--l->count];
	}
}

void drain_release(struct drain *l)
{
	for (unsigned i = 0; i < l->count; i++)
		close(l->sockets[i].fd);
	l->count = 0;
}
