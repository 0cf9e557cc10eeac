/* SPDX-License-Identifier: Apache-2.0 */
#include "http/listen.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 511

/* Splits "host:port", where the host of version 6 is in brackets. */
static bool split_address(const char *address, char host[256], char port[8])
{
	const char *colon = strrchr(address, ':');
	if (colon == NULL || colon == address || strlen(colon + 1) > 5 || strlen(colon + 1) == 0)
		return false;
	if (strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	const char *start = address;
	size_t size = (size_t)(colon - address);
	if (start[0] == '[' && colon[-1] == ']' && size > 2) {
		start++;
		size -= 2;
	} else if (memchr(address, ':', size) != NULL) {
		return false;
	}
	if (size >= 256)
		return false;
	memcpy(host, start, size);
	host[size] = '\0';
	memcpy(port, colon + 1, strlen(colon + 1) + 1);
	return true;
}

static int open_one(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int cause = errno;
	close(fd);
	errno = cause;
	return -1;
}

enum status listen_open(const char *address, int *out, struct err *err)
{
	char host[256], port[8];
	if (!split_address(address, host, port) || strtol(port, NULL, 10) > 65535)
		return err_set(err, ST_INVALID,
			"The address to listen on, %.200s, must look like 127.0.0.1:8080 or [::1]:8080.",
			address);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
			*found = NULL;
	int code = getaddrinfo(host, port, &hints, &found);
	if (code != 0)
		return err_set(err, ST_INVALID, "The address to listen on, %.200s, cannot be found: %s.",
			address, gai_strerror(code));
	int fd = -1;
	for (const struct addrinfo *info = found; info && fd < 0; info = info->ai_next)
		fd = open_one(info);
	int cause = errno;
	freeaddrinfo(found);
	errno = cause;
	if (fd < 0)
		return err_errno(err, "Listening on %.200s failed", address);
	*out = fd;
	return ST_OK;
}

void listen_url(int socket, bool secure, char out[LISTEN_URL_SIZE])
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	CHECK(getsockname(socket, (struct sockaddr *)&address, &size) == 0);
	char host[INET6_ADDRSTRLEN] = "";
	bool six = address.ss_family == AF_INET6;
	struct sockaddr_in *in4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
	inet_ntop(address.ss_family, six ? (void *)&in6->sin6_addr : (void *)&in4->sin_addr, host,
		sizeof(host));
	snprintf(out, LISTEN_URL_SIZE, "%s://%s%s%s:%u", secure ? "https" : "http", six ? "[" : "", host,
		six ? "]" : "", (unsigned)ntohs(six ? in6->sin6_port : in4->sin_port));
}
