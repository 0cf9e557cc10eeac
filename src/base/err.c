/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include "base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int http;
	bool may_retry;
} statuses[] = {
#define STATUS(name, http, retry, text) {#name, http, retry},
#include "base/status.def"
#undef STATUS
};

const char *status_name(enum status st)
{
	CHECK(st < ST_COUNT);
	return statuses[st].name;
}

int status_http(enum status st)
{
	CHECK(st < ST_COUNT);
	return statuses[st].http;
}

bool status_may_retry(enum status st)
{
	CHECK(st < ST_COUNT);
	return statuses[st].may_retry;
}

enum status err_set(struct err *err, enum status st, const char *format, ...)
{
	CHECK(st != ST_OK && st < ST_COUNT);
	if (err == NULL)
		return st;
	/* The arguments may point into err itself, when a sentence is extended. */
	char text[sizeof(err->text)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err->status = st;
	memcpy(err->text, text, sizeof(text));
	return st;
}

enum status err_errno(struct err *err, const char *format, ...)
{
	int code = errno;
	bool later = code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE || code == ENOMEM ||
		     code == EIO;
	char what[400];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	char reason[80];
	return err_set(err, later ? ST_UNAVAILABLE : ST_INTERNAL, "%s: %s.", what,
		strerror_r(code, reason, sizeof(reason)));
}
