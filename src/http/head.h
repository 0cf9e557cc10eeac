/* SPDX-License-Identifier: Apache-2.0 */
/* Checks on a request's head that keep a proxy and us of one mind (RFC 9112, section 6). Pure; fuzzed. */
#ifndef GYRE_HTTP_HEAD_H
#define GYRE_HTTP_HEAD_H

#include "base/err.h"
#include "base/span.h"

struct head_field {
	const char *name, *value;
};

/*
 * Refuses (ST_INVALID, and the connection must be closed): both Content-Length and
 * Transfer-Encoding, more than one of either or of Host, a length that is not plain
 * digits, a transfer coding other than "chunked", a name that is not a token (so
 * also "Host :"), a control character in a value.
 */
enum status head_check(const struct head_field *fields, size_t count, struct err *err) MUST_CHECK;
/* Percent-decode in place; false on a bad escape, a NUL or a control character. */
bool head_decode_path(char *path);
/* Percent-decode in place, and '+' is a space: a key or value of a query. False as above; line breaks and
 * tabs are allowed. */
bool head_decode_query(char *text);
/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. */
bool head_is_utf8(struct span text);
/* One character of a token (RFC 9110, section 5.6.2). */
bool head_is_token_char(char c);

#endif
