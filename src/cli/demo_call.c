/* SPDX-License-Identifier: Apache-2.0 */
/* How the demo speaks with the server, and waits. */
#include "cli/demo_inside.h"

#include "base/check.h"
#include "os/clock.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>

#define LOOK_US 500000
#define WRITE_US 3000000
#define AWAY_US 30000000 /* so long a server may be gone: it is started again */

volatile sig_atomic_t demo_stopped;

void demo_forget(struct demo *d)
{
	arena_release(&d->client.arena);
}

enum status demo_check_stop(struct err *err)
{
	return demo_stopped
		       ? err_set(err, ST_UNAVAILABLE, "The demo was stopped; started again it goes on here.")
		       : ST_OK;
}

static enum status call(
	struct demo *d, const struct fetch_request *request, yyjson_val **out, struct err *err)
{
	struct fetch_reply reply;
	int64_t end_us = clock_mono_us() + AWAY_US;
	for (;;) {
		enum status st = fetch(d->client.fetcher, request, &d->client.arena, &reply, err);
		if (st == ST_OK)
			return client_read(&d->client, &reply, out, err);
		if (st != ST_UNAVAILABLE || demo_stopped || clock_mono_us() > end_us)
			return st;
		poll(NULL, 0, 200);
	}
}

enum status demo_call(struct demo *d, const char *method, const char *body, yyjson_val **out, struct err *err,
	const char *path, ...)
{
	char text[1024];
	va_list args;
	va_start(args, path);
	int size = vsnprintf(text, sizeof(text), path, args);
	va_end(args);
	CHECK(size > 0 && (size_t)size < sizeof(text));
	TRY(demo_check_stop(err));
	const struct fetch_request request = {
		.method = method,
		.url = arena_printf(&d->client.arena, "%s%s", d->client.host, text),
		.token = d->client.token,
		.body = body ? span_of_text(body) : (struct span){0},
	};
	return call(d, &request, out, err);
}

/* ---- what an answer holds ---- */

const char *demo_text(yyjson_val *value, const char *pointer)
{
	const char *text = yyjson_get_str(yyjson_ptr_get(value, pointer));
	return text ? text : "";
}

int64_t demo_int(yyjson_val *value, const char *pointer)
{
	yyjson_val *found = yyjson_ptr_get(value, pointer);
	return yyjson_is_int(found) ? yyjson_get_sint(found) : 0;
}

double demo_real(yyjson_val *value, const char *pointer)
{
	return yyjson_get_num(yyjson_ptr_get(value, pointer));
}

enum status demo_keep_id(yyjson_val *value, const char *pointer, char out[UUID_TEXT_SIZE], struct err *err)
{
	struct uuid id;
	const char *text = demo_text(value, pointer);
	if (!uuid_parse(text, &id))
		return err_set(err, ST_INTERNAL,
			"The server's answer has no id at %s; is it of the same version as this program?",
			pointer);
	uuid_format(id, out);
	return ST_OK;
}

void demo_open_page(struct demo *d, const char *path, ...)
{
	va_list args;
	va_start(args, path);
	int size = vsnprintf(d->link, sizeof(d->link), path, args);
	va_end(args);
	CHECK(size > 0 && (size_t)size < sizeof(d->link));
	struct err err;
	if (demo_state_write(d, &err) != ST_OK)
		demo_tell(d, "problem", NULL, "%s", err.text);
	demo_tell(d, "page", NULL, "Look: %s%s", d->client.host, d->link);
}

/* ---- waiting ---- */

enum status demo_wait(struct demo *d, demo_look *look, double pictures_per_s, unsigned timeout_s,
	const char *what, struct err *err)
{
	int64_t began_us = clock_mono_us(), looked_us = 0, picture_us = began_us;
	bool done = false;
	for (;;) {
		int64_t now_us = clock_mono_us();
		TRY(demo_check_stop(err));
		if (now_us - looked_us >= LOOK_US) {
			looked_us = now_us;
			TRY(look(d, &done, err));
			demo_forget(d);
			if (done)
				break;
			if (now_us - began_us > (int64_t)timeout_s * 1000000)
				return err_set(err, ST_TIMEOUT, "Waited %u seconds for %s.", timeout_s, what);
		}
		if (now_us - d->written_us > WRITE_US)
			TRY(demo_state_write(d, err));
		if (pictures_per_s > 0 && now_us >= picture_us) {
			picture_us += (int64_t)(1e6 / pictures_per_s);
			picture_us = picture_us < now_us ? now_us : picture_us;
			TRY(demo_picture(d, err));
		} else {
			poll(NULL, 0, 20);
		}
	}
	progress_end();
	return ST_OK;
}
