/* SPDX-License-Identifier: Apache-2.0 */
/* The handlers of all nouns, declared by the table of routes. */
#ifndef GYRE_API_NOUNS_H
#define GYRE_API_NOUNS_H

#include "http/http.h"

#define ROUTE(method, pattern, handler, rule, body_bytes_max) http_handler handler;
#include "api/routes.def"
#undef ROUTE

#endif
