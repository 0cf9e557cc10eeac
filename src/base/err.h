/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events (bad input, full, gone) are an `enum status` and one full sentence.
 * Bugs are not events: they hit CHECK() in base/check.h.
 *
 * A function that can fail takes `struct err *err` last, returns ST_OK or the
 * status that it put into err, and never prints: the error is logged once,
 * where it is handled.
 */
#ifndef GYRE_BASE_ERR_H
#define GYRE_BASE_ERR_H

#include <stdbool.h>

enum status {
#define STATUS(name, http, retry, text) ST_##name,
#include "base/status.def"
#undef STATUS
	ST_COUNT
};

/* Says what happened, why, and what to do; ends with a full stop. */
struct err {
	enum status status;
	char text[480];
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

const char *status_name(enum status st); /* "UNPROCESSABLE" */
int status_http(enum status st);         /* 422 */
bool status_may_retry(enum status st);   /* the same request may succeed later */

/* Fill err (which may be NULL) and return st, so that `return err_set(…)` reads well. */
enum status err_set(struct err *err, enum status st, const char *format, ...) PRINTF_LIKE(3, 4);

/* err_set with ": <strerror(errno)>." appended; ENOSPC, EDQUOT, EMFILE, ENOMEM become ST_UNAVAILABLE, the
 * rest ST_INTERNAL. */
enum status err_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Pass an event on to the caller. */
#define TRY(expression)                                                                                      \
	do {                                                                                                 \
		enum status try_status = (expression);                                                       \
		if (try_status != ST_OK)                                                                     \
			return try_status;                                                                   \
	} while (0)

#endif
