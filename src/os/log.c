/* SPDX-License-Identifier: Apache-2.0 */
#include "os/log.h"

#include "base/str.h"
#include "os/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINE_BYTES_MAX 4096

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static _Atomic int level_min = LOG_LEVEL_INFO;
static _Thread_local const char *request;

void log_set_level(enum log_level level)
{
	atomic_store(&level_min, (int)level);
}

bool log_level_parse(const char *text, enum log_level *out)
{
	for (int i = 0; i < 4; i++) {
		if (strcasecmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_set_request(const char *request_id)
{
	request = request_id;
}

static void append_value(struct str *line, const char *value)
{
	if (value && *value && strpbrk(value, " \"\\=\n\r\t") == NULL)
		str_append(line, value);
	else
		str_append_json(line, value);
}

static void append_pair(struct str *line, const char *key, const char *value)
{
	str_append(line, " ");
	str_append(line, key);
	str_append(line, "=");
	append_value(line, value);
}

void log_event(enum log_level level, const char *event, ...)
{
	if ((int)level < atomic_load(&level_min))
		return;
	char time[28];
	clock_format(clock_unix_us(), time);
	struct str line;
	str_init(&line, LINE_BYTES_MAX);
	str_printf(&line, "%s %s %s", time, level_names[level], event);
	if (request)
		append_pair(&line, "request", request);
	va_list pairs;
	va_start(pairs, event);
	for (const char *key = va_arg(pairs, const char *); key; key = va_arg(pairs, const char *))
		append_pair(&line, key, va_arg(pairs, const char *));
	va_end(pairs);
	/* One write, so that lines of several threads never mix; a log that cannot be written has nobody to
	 * tell. */
	str_append(&line, "\n");
	ssize_t written = write(STDERR_FILENO, str_text(&line), line.size);
	(void)written;
	str_release(&line);
}

void log_err(const char *event, const struct err *err)
{
	enum log_level level = status_http(err->status) >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	log_event(level, event, "status", status_name(err->status), "message", err->text, NULL);
}
