/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses of the network are everybody's, and which are of this machine or of the network it is in.
 */
#ifndef GYRE_OS_ADDRESS_H
#define GYRE_OS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False: loopback, private, link-local, shared, multicast, documentation, reserved (RFC 6890 and its like),
 * an IPv6 address that stands for such an IPv4 one, and whatever is neither IPv4 nor IPv6. */
bool address_is_public(const struct sockaddr *address);
/* Whether a host is one of the patterns, "hooks.example.com, *.lan, 10.0.0.7": any case, "*." takes one part
 * or more, "*" alone any host. */
bool address_host_matches(const char *patterns, const char *host);

#endif
