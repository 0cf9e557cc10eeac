/* SPDX-License-Identifier: Apache-2.0 */
/* os/address.h: what is everybody's, by the registries of special addresses (RFC 6890, RFC 4291). */
#include "os/address.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool is_public(const char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_is_public((const struct sockaddr *)&in);
	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return address_is_public((const struct sockaddr *)&in6);
}

/* The first and the last of each range, and their neighbours outside of it. */
static void addresses_of_version_4(void **state)
{
	static const char *const ours[] = {"0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
		"100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.0.0",
		"169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
		"192.0.0.255", "192.0.2.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
		"198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255"};
	static const char *const theirs[] = {"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
		"172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
		"198.17.255.255", "198.20.0.0", "198.51.101.0", "203.0.112.255", "223.255.255.255",
		"8.8.8.8"};
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (is_public(ours[i]))
			fail_msg("%s is taken as public", ours[i]);
	for (size_t i = 0; i < COUNT_OF(theirs); i++)
		if (!is_public(theirs[i]))
			fail_msg("%s is taken as private", theirs[i]);
}

static void addresses_of_version_6(void **state)
{
	static const char *const ours[] = {"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3",
		"64:ff9b::7f00:1", "64:ff9b::a00:1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fdff::1",
		"ff02::1", "2002:7f00:1::", "2002:c0a8:101::1", "2001::1", "2001:db8::1", "100::1"};
	static const char *const theirs[] = {"2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8",
		"64:ff9b::808:808", "2002:808:808::1", "2a00:1450::5"};
	for (size_t i = 0; i < COUNT_OF(ours); i++)
		if (is_public(ours[i]))
			fail_msg("%s is taken as public", ours[i]);
	for (size_t i = 0; i < COUNT_OF(theirs); i++)
		if (!is_public(theirs[i]))
			fail_msg("%s is taken as private", theirs[i]);
}

static void another_family_is_not_public(void **state)
{
	struct sockaddr address = {.sa_family = AF_UNIX};
	assert_false(address_is_public(&address));
}

static void hosts_are_named_by_patterns(void **state)
{
	static const char patterns[] = "hooks.example.com, *.lan,10.0.0.7 ,[::1]";
	static const char *const named[] = {"hooks.example.com", "HOOKS.Example.com", "hooks.example.com.",
		"a.lan", "a.b.lan", "10.0.0.7", "[::1]"};
	static const char *const others[] = {"example.com", "ahooks.example.com", "hooks.example.com.evil",
		"lan", ".lan", "alan", "10.0.0.70", "10.0.0", "", "::1"};
	for (size_t i = 0; i < COUNT_OF(named); i++)
		if (!address_host_matches(patterns, named[i]))
			fail_msg("%s is not found", named[i]);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (address_host_matches(patterns, others[i]))
			fail_msg("%s is found", others[i]);
	assert_false(address_host_matches("", "a"));
	assert_false(address_host_matches(" , ,", ""));
	assert_true(address_host_matches("*", "whatever.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_of_version_4),
		cmocka_unit_test(addresses_of_version_6),
		cmocka_unit_test(another_family_is_not_public),
		cmocka_unit_test(hosts_are_named_by_patterns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
