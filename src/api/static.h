/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GYRE_API_STATIC_H
#define GYRE_API_STATIC_H

#include "http/http.h"

/* The web pages that are built into the program; any path of the single-page application gets index.html. */
http_handler api_static;

#endif
