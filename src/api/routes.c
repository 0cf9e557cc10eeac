/* SPDX-License-Identifier: Apache-2.0 */
/* The table of routes, from routes.def. */
#include "api/api.h"
#include "api/nouns.h"
#include "base/check.h"

const struct http_route api_routes[] = {
#define ROUTE(method, pattern, handler, rule, body_bytes_max)                                                \
	{HTTP_##method, pattern, handler, rule, body_bytes_max},
#include "api/routes.def"
#undef ROUTE
};
const size_t api_route_count = COUNT_OF(api_routes);
