/* SPDX-License-Identifier: Apache-2.0 */
/* What the demo tells: sentences with a clock for people, an event a line for programs. */
#include "base/check.h"
#include "base/str.h"
#include "cli/demo_inside.h"
#include "os/clock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define COLUMNS 96
#define INDENT "        "

void demo_clock(const struct demo *d, char out[16])
{
	int64_t seconds = d->state.started_us ? (clock_unix_us() - d->state.started_us) / 1000000 : 0;
	seconds = seconds < 0 ? 0 : seconds > 359999 ? 359999 : seconds;
	snprintf(out, 16, "%" PRId64 ":%02" PRId64, seconds / 60, seconds % 60);
}

/* Words up to COLUMNS a line, below each other. */
static void print_wrapped(const char *text)
{
	size_t column = 0;
	while (*text) {
		size_t size = strcspn(text, " ");
		if (column && column + 1 + size > COLUMNS) {
			fputs("\n", stdout);
			column = 0;
		}
		fputs(column ? " " : INDENT, stdout);
		fwrite(text, 1, size, stdout);
		column += size + 1;
		text += size;
		text += strspn(text, " ");
	}
	fputs("\n", stdout);
	fflush(stdout);
}

static void print_event(const struct demo *d, const char *event, const char *fields, const char *sentence)
{
	struct str line;
	str_init(&line, 65536);
	size_t step = (size_t)d->state.step;
	str_append(&line, "{\"event\":");
	str_append_json(&line, event);
	str_printf(&line, ",\"at_s\":%.1f,\"step\":", (double)(clock_unix_us() - d->state.started_us) / 1e6);
	str_append_json(&line, step < demo_step_count() ? demo_step_name(step) : "yours");
	if (sentence) {
		str_append(&line, ",\"text\":");
		str_append_json(&line, sentence);
	}
	if (fields && *fields)
		str_printf(&line, ",%s", fields);
	str_append(&line, "}");
	puts(str_text(&line));
	fflush(stdout);
	str_release(&line);
}

void demo_tell(struct demo *d, const char *event, const char *fields, const char *sentence, ...)
{
	char text[1024];
	if (sentence) {
		va_list args;
		va_start(args, sentence);
		vsnprintf(text, sizeof(text), sentence, args);
		va_end(args);
	}
	progress_end();
	if (d->json)
		print_event(d, event, fields, sentence ? text : NULL);
	else if (sentence)
		print_wrapped(text);
}

void demo_step_begins(struct demo *d, size_t step)
{
	char clock[16], fields[128];
	d->step_us = clock_mono_us();
	progress_end();
	if (d->json) {
		snprintf(fields, sizeof(fields), "\"number\":%zu,\"steps\":%zu,\"title\":\"%s\"", step + 1,
			demo_step_count(), demo_step_title(step));
		print_event(d, "step", fields, demo_step_text(step));
		return;
	}
	demo_clock(d, clock);
	printf("\n%6s  %zu of %zu  %s\n", clock, step + 1, demo_step_count(), demo_step_title(step));
	print_wrapped(demo_step_text(step));
}

void demo_progress(struct demo *d, const char *what, double share)
{
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	if (!d->json) {
		char text[64];
		snprintf(text, sizeof(text), INDENT "%-22.40s", what);
		progress_show(text, (uint64_t)(share * 100), 100);
		return;
	}
	int64_t now_us = clock_mono_us();
	if (now_us - d->shown_us < 5000000)
		return;
	d->shown_us = now_us;
	char fields[96];
	snprintf(fields, sizeof(fields), "\"share\":%.2f", share);
	print_event(d, "progress", fields, what);
}
