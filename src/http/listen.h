/* SPDX-License-Identifier: Apache-2.0 */
/* From the text of an address to a socket that listens, and back to a URL. */
#ifndef GYRE_HTTP_LISTEN_H
#define GYRE_HTTP_LISTEN_H

#include "base/err.h"

#define LISTEN_URL_SIZE 128

/* "127.0.0.1:8080", "[::1]:0", "localhost:8080"; port 0 takes a free one. *out is a non-blocking socket. */
enum status listen_open(const char *address, int *out, struct err *err) MUST_CHECK;
/* "http://127.0.0.1:41234" of a socket that listens. */
void listen_url(int socket, bool secure, char out[LISTEN_URL_SIZE]);

#endif
