/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/trainer_events.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

bool trainer_next_line(struct span *rest, bool final, struct span *line)
{
	const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
	if (end == NULL && (!final || rest->size == 0))
		return false;
	size_t size = end ? (size_t)(end - rest->data) : rest->size;
	*line = (struct span){rest->data, size < TRAINER_LINE_MAX ? size : TRAINER_LINE_MAX};
	rest->data += size + (end != NULL);
	rest->size -= size + (end != NULL);
	return true;
}

/* Of the UTF-8 character there; 0: it is none (RFC 3629: nothing overlong, no surrogates, up to U+10FFFF). */
static size_t character_bytes(const uint8_t *at, size_t size)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf8 ? 4 : 0;
	if (bytes <= 1 || bytes > size)
		return bytes > size ? 0 : bytes;
	uint32_t code = *at & (0x7fU >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3fU);
	}
	bool surrogate = code >= 0xd800 && code < 0xe000;
	return code < smallest[bytes] || code > 0x10ffff || surrogate ? 0 : bytes;
}

/* Bytes from outside as text that JSON can hold: '?' for what is none; a carriage return begins anew. */
static const char *clean(struct span line, struct arena *a)
{
	char *out = arena_alloc(a, line.size + 1);
	size_t size = 0;
	for (size_t i = 0; i < line.size; i++) {
		uint8_t c = line.data[i];
		if (c == '\r' && i + 1 < line.size)
			size = 0;
		else if (c == '\t')
			out[size++] = ' ';
		else if (c >= 0x20 && c != 0x7f)
			out[size++] = (char)c;
	}
	out[size] = '\0';
	for (size_t i = 0; i < size;) {
		size_t bytes = character_bytes((const uint8_t *)out + i, size - i);
		if (bytes == 0)
			out[i] = '?';
		i += bytes ? bytes : 1;
	}
	return out;
}

static void add_number(
	struct trainer_event *e, struct arena *a, const char *prefix, const char *name, yyjson_val *value)
{
	double number = yyjson_get_num(value);
	if (!yyjson_is_num(value) || !isfinite(number) || e->number_count == TRAINER_NUMBERS_MAX)
		return;
	const char *clean_name = clean(span_of(name, strnlen(name, TRAINER_NAME_MAX)), a);
	e->numbers[e->number_count++] =
		(struct trainer_number){arena_printf(a, "%s%s", prefix, clean_name), number};
}

static void add_numbers(struct trainer_event *e, struct arena *a, const char *prefix, yyjson_val *object)
{
	yyjson_val *key, *value;
	size_t i, n;
	if (!yyjson_is_obj(object))
		return;
	yyjson_obj_foreach (object, i, n, key, value)
		add_number(e, a, prefix, yyjson_get_str(key), value);
}

static double number_of(yyjson_val *root, const char *key)
{
	yyjson_val *value = yyjson_obj_get(root, key);
	double number = yyjson_get_num(value);
	return yyjson_is_num(value) && isfinite(number) ? number : -1;
}

static int64_t count_of(yyjson_val *root, const char *key)
{
	double number = number_of(root, key);
	return number >= 0 && number < 1e9 ? (int64_t)number : 0;
}

static const char *text_of(yyjson_val *root, const char *key, struct arena *a)
{
	const char *text = yyjson_get_str(yyjson_obj_get(root, key));
	return text ? clean(span_of(text, strnlen(text, TRAINER_LINE_MAX)), a) : NULL;
}

/* "AP50 0.612, AP 0.401" */
static const char *metrics_text(yyjson_val *metrics, struct arena *a)
{
	const char *text = "";
	yyjson_val *key, *value;
	size_t i, n;
	yyjson_obj_foreach (metrics, i, n, key, value)
		if (yyjson_is_num(value) && i < TRAINER_NUMBERS_MAX)
			text = arena_printf(a, "%s%s%.*s %.3f", text, *text ? ", " : "", TRAINER_NAME_MAX,
				yyjson_get_str(key), yyjson_get_num(value));
	return clean(span_of_text(text), a);
}

static void read_epoch(yyjson_val *root, struct arena *a, struct trainer_event *e)
{
	yyjson_val *metrics = yyjson_obj_get(root, "metrics");
	double loss = number_of(root, "loss");
	add_number(e, a, "train/", "loss", yyjson_obj_get(root, "loss"));
	add_numbers(e, a, "train/", yyjson_obj_get(root, "losses"));
	add_number(e, a, "", "learning_rate", yyjson_obj_get(root, "learning_rate"));
	add_numbers(e, a, "val/", metrics);
	if (e->epoch && e->epochs && e->progress < 0)
		e->progress = fmin((double)e->epoch / (double)e->epochs, 1);
	const char *said = yyjson_is_obj(metrics) ? metrics_text(metrics, a) : "";
	e->text = arena_printf(a, "Epoch %lld of %lld: loss %.4g%s%s", (long long)e->epoch,
		(long long)e->epochs, loss, *said ? ", " : "", said);
}

static void read_start(yyjson_val *root, struct arena *a, struct trainer_event *e)
{
	const char *metric = text_of(root, "metric", a);
	if (metric)
		add_number(e, a, "val/", arena_printf(a, "%.*s/start", TRAINER_NAME_MAX - 6, metric),
			yyjson_obj_get(root, "metric_start"));
	e->text = arena_printf(a, "Trains on %lld pictures, %lld to validate, %lld epochs",
		(long long)count_of(root, "train_images"), (long long)count_of(root, "val_images"),
		(long long)e->epochs);
}

static void read_done(yyjson_val *root, struct arena *a, struct trainer_event *e)
{
	yyjson_val *metrics = yyjson_obj_get(root, "metrics");
	e->text = arena_printf(a, "Best epoch: %lld (%s)", (long long)count_of(root, "best_epoch"),
		yyjson_is_obj(metrics) ? metrics_text(metrics, a) : "no metrics");
}

static bool read_event(yyjson_val *root, struct arena *a, struct trainer_event *e)
{
	static const struct {
		const char *name;
		enum trainer_event_kind kind;
	} kinds[] = {{"start", TRAINER_STARTED}, {"step", TRAINER_STEP}, {"epoch", TRAINER_EPOCH},
		{"checkpoint", TRAINER_CHECKPOINT}, {"warning", TRAINER_WARNING}, {"done", TRAINER_DONE},
		{"error", TRAINER_ERROR}};
	const char *name = yyjson_get_str(yyjson_obj_get(root, "event"));
	for (size_t i = 0; name && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			e->kind = kinds[i].kind;
	if (e->kind == TRAINER_SAID)
		return false;
	e->epoch = count_of(root, "epoch");
	e->epochs = count_of(root, "epochs");
	e->progress = fmin(number_of(root, "progress"), 1);
	e->left_s = number_of(root, "left_s");
	switch (e->kind) {
	case TRAINER_STARTED: read_start(root, a, e); break;
	case TRAINER_EPOCH: read_epoch(root, a, e); break;
	case TRAINER_DONE: read_done(root, a, e); break;
	case TRAINER_WARNING:
	case TRAINER_ERROR:
		e->text = text_of(root, "message", a);
		if (e->text == NULL)
			e->text = "The trainer says no more than that.";
		break;
	default: break;
	}
	return true;
}

void trainer_event_read(struct span line, struct arena *a, struct trainer_event *out)
{
	yyjson_doc *doc;
	struct err err;
	*out = (struct trainer_event){.kind = TRAINER_SAID, .progress = -1, .left_s = -1};
	if (line.size && line.data[0] == '{' && json_parse(line, a, &doc, &err) == ST_OK &&
		read_event(yyjson_doc_get_root(doc), a, out))
		return;
	out->text = clean(line, a);
}
