/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/events.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)1 << 20)
#define STEP_SECONDS 1.0

double clock_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double memory_megabytes(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	unsigned long all = 0, resident = 0;
	if (file) {
		if (fscanf(file, "%lu %lu", &all, &resident) != 2)
			resident = 0;
		fclose(file);
	}
	return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* ---- members, each with a comma before it ---- */

static void put(struct str *line, const char *name, double value)
{
	if (isfinite(value))
		str_printf(line, ",\"%s\":%.8g", name, value);
	else
		str_printf(line, ",\"%s\":null", name);
}

static void put_text(struct str *line, const char *name, const char *text)
{
	str_printf(line, ",\"%s\":", name);
	str_append_json(line, text);
}

static void put_all(struct str *line, const char *name, const struct named_number *numbers, size_t count)
{
	str_printf(line, ",\"%s\":{", name);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			str_append(line, ",");
		str_append_json(line, numbers[i].name);
		if (isfinite(numbers[i].value))
			str_printf(line, ":%.8g", numbers[i].value);
		else
			str_append(line, ":null");
	}
	str_append(line, "}");
}

/* ---- lines ---- */

static void begin(struct str *line, const char *event)
{
	str_init(line, LINE_BYTES_MAX);
	str_printf(line, "{\"event\":\"%s\"", event);
}

static void say(struct str *line)
{
	str_append(line, "}");
	printf("%s\n", str_text(line));
	fflush(stdout);
}

static void end(struct str *line)
{
	say(line);
	str_release(line);
}

void event_start_say(const struct event_start *e)
{
	struct str line;
	begin(&line, "start");
	put(&line, "weights", (double)e->weights);
	put(&line, "trainable", (double)e->trainable);
	put(&line, "train_images", (double)e->train_images);
	put(&line, "val_images", (double)e->val_images);
	put(&line, "epochs", e->epochs);
	str_printf(&line, ",\"input\":[%u,%u]", e->width, e->height);
	put(&line, "batch", e->batch);
	put_text(&line, "metric", e->metric);
	put(&line, "metric_start", e->metric_start);
	end(&line);
}

void event_step(uint32_t epoch, double progress, double left_s)
{
	static double last; /* one thread trains */
	double now = clock_seconds();
	if (now - last < STEP_SECONDS)
		return;
	last = now;
	struct str line;
	begin(&line, "step");
	put(&line, "epoch", epoch);
	put(&line, "progress", round(progress * 1e4) / 1e4);
	if (left_s >= 0)
		put(&line, "left_s", round(left_s));
	end(&line);
}

void event_epoch_say(const struct event_epoch *e, struct str *line)
{
	begin(line, "epoch");
	put(line, "epoch", e->epoch);
	put(line, "epochs", e->epochs);
	put(line, "loss", e->loss);
	if (e->loss_count)
		put_all(line, "losses", e->losses, e->loss_count);
	put(line, "learning_rate", e->learning_rate);
	put_all(line, "metrics", e->metrics, e->metric_count);
	str_printf(line, ",\"best\":%s", e->best ? "true" : "false");
	put(line, "seconds", round(e->seconds * 1e3) / 1e3);
	put(line, "rss_mb", round(memory_megabytes()));
	put(line, "left_s", round(e->left_s));
	say(line);
}

void event_checkpoint(uint32_t epoch)
{
	struct str line;
	begin(&line, "checkpoint");
	put(&line, "epoch", epoch);
	end(&line);
}

void event_done_say(const struct event_done *e)
{
	struct str line;
	begin(&line, "done");
	put(&line, "best_epoch", e->best_epoch);
	put_all(&line, "metrics", e->metrics, e->metric_count);
	put(&line, "metric_start", e->metric_start);
	put_text(&line, "stopped", e->stopped);
	end(&line);
}

void event_warning(const char *format, ...)
{
	struct str line;
	struct err text;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text.text, sizeof(text.text), format, arguments);
	va_end(arguments);
	begin(&line, "warning");
	put_text(&line, "message", text.text);
	end(&line);
}

void event_error(int code, const char *sentence)
{
	struct str line;
	begin(&line, "error");
	put(&line, "code", code);
	put_text(&line, "message", sentence);
	end(&line);
}

void report_print(const struct event_done *e, const char *history, const char *const *labels,
	size_t label_count, struct str *out)
{
	str_append(out, "{\"schema\":1");
	put(out, "best_epoch", e->best_epoch);
	put_all(out, "metrics", e->metrics, e->metric_count);
	put(out, "metric_start", e->metric_start);
	put(out, "epochs_run", e->epochs_run);
	put_text(out, "stopped", e->stopped);
	put(out, "seconds", round(e->seconds * 1e3) / 1e3);
	str_printf(out, ",\"history\":[%s],\"labels\":[", history);
	for (size_t i = 0; i < label_count; i++) {
		if (i > 0)
			str_append(out, ",");
		str_append_json(out, labels[i]);
	}
	str_append(out, "]");
	put_text(out, "trainer", "gyre-train " TRAINER_VERSION);
	str_append(out, "}\n");
}
