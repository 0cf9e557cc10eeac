/* SPDX-License-Identifier: Apache-2.0 */
/* gyre routes */
#include "api/api.h"
#include "cli/cli.h"

#include <stdio.h>

int cli_routes(int argc, char **argv)
{
	static const char *const rules[] = {
		[RULE_INVALID] = "invalid",
		[RULE_PUBLIC] = "public",
		[RULE_REVIEWER] = "reviewer",
		[RULE_USER] = "user",
		[RULE_ADMIN] = "admin",
		[RULE_SERVICE] = "service",
		[RULE_ANY_SERVICE] = "any service",
		[RULE_SERVICE_OR_REVIEWER] = "service or reviewer",
		[RULE_SIGNED] = "signed",
	};
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	if (argc > 0 && !json)
		return cli_usage("routes", "%s is not expected here.", argv[0]);
	if (json)
		puts("[");
	for (size_t i = 0; i < api_route_count; i++) {
		const struct http_route *r = &api_routes[i];
		if (json)
			printf("{\"method\":\"%s\",\"path\":\"%s\",\"rule\":\"%s\",\"body_bytes_max\":%llu}%"
			       "s\n",
				http_method_name(r->method), r->pattern, rules[r->rule],
				(unsigned long long)r->body_bytes_max, i + 1 < api_route_count ? "," : "");
		else
			printf("%-7s %-60s %s\n", http_method_name(r->method), r->pattern, rules[r->rule]);
	}
	if (json)
		puts("]");
	return EXIT_DONE;
}
