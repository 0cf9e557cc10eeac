/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured logs: one line an event on standard error, `time level event key=value …`,
 * values quoted where needed. The request id of the calling thread is added when set.
 */
#ifndef GYRE_OS_LOG_H
#define GYRE_OS_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

void log_set_level(enum log_level level);
bool log_level_parse(const char *text, enum log_level *out);
/* The id that lines of this thread carry; NULL for none. The text must outlive its use. */
void log_set_request(const char *request_id);

/* log_event(LOG_LEVEL_INFO, "model_loaded", "version", id, "file", name, NULL): text pairs, ended by NULL. */
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* An error where it is handled: event, status and sentence. */
void log_err(const char *event, const struct err *err);

#endif
