/* SPDX-License-Identifier: Apache-2.0 */
#include "os/address.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static bool in_ranges4(uint32_t ip)
{
	static const struct {
		uint32_t network;
		int bits;
	} ranges[] = {
		{0x00000000, 8},  /* this network */
		{0x0a000000, 8},  /* private */
		{0x64400000, 10}, /* shared, of carriers */
		{0x7f000000, 8},  /* loopback */
		{0xa9fe0000, 16}, /* link-local, and the metadata of clouds */
		{0xac100000, 12}, /* private */
		{0xc0000000, 24}, /* of protocols */
		{0xc0000200, 24}, /* documentation */
		{0xc0586300, 24}, /* relays of 6to4 */
		{0xc0a80000, 16}, /* private */
		{0xc6120000, 15}, /* benchmarks */
		{0xc6336400, 24}, /* documentation */
		{0xcb007100, 24}, /* documentation */
		{0xe0000000, 4},  /* multicast */
		{0xf0000000, 4},  /* reserved, and broadcast */
	};
	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		if ((ip ^ ranges[i].network) >> (32 - ranges[i].bits) == 0)
			return true;
	return false;
}

static uint32_t read4(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool starts_with(const uint8_t ip[16], const uint8_t *prefix, size_t size)
{
	return memcmp(ip, prefix, size) == 0;
}

static bool is_public6(const uint8_t ip[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, zeroes[12] = {0},
			     nat64[12] = {0, 0x64, 0xff, 0x9b}, documentation[4] = {0x20, 0x01, 0x0d, 0xb8};
	if (starts_with(ip, mapped, 12) || starts_with(ip, nat64, 12))
		return !in_ranges4(read4(ip + 12));
	if (starts_with(ip, zeroes, 12)) /* ::, ::1, and IPv4 in an old form */
		return false;
	if (ip[0] == 0x20 && ip[1] == 0x02) /* 6to4 */
		return !in_ranges4(read4(ip + 2));
	if (starts_with(ip, documentation, 4))
		return false;
	if (ip[0] == 0x20 && ip[1] == 0x01 && ip[2] < 2) /* Teredo, and of protocols */
		return false;
	return (ip[0] & 0xe0) == 0x20; /* global unicast is 2000::/3, and nothing else */
}

bool address_is_public(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		return !in_ranges4(ntohl(in.sin_addr.s_addr));
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof(in6));
		return is_public6(in6.sin6_addr.s6_addr);
	}
	return false;
}

static bool matches_one(const char *pattern, size_t size, const char *host, size_t host_size)
{
	if (size == 1 && *pattern == '*')
		return true;
	if (size > 2 && strncmp(pattern, "*.", 2) == 0) {
		size_t rest = size - 1; /* with its dot */
		return host_size > rest && strncasecmp(host + host_size - rest, pattern + 1, rest) == 0;
	}
	return size == host_size && size > 0 && strncasecmp(pattern, host, size) == 0;
}

bool address_host_matches(const char *patterns, const char *host)
{
	size_t host_size = strlen(host);
	if (host_size > 0 && host[host_size - 1] == '.') /* "example.com." is example.com */
		host_size--;
	for (const char *at = patterns; *at;) {
		at += strspn(at, ", ");
		size_t size = strcspn(at, ", ");
		if (matches_one(at, size, host, host_size))
			return true;
		at += size;
	}
	return false;
}
