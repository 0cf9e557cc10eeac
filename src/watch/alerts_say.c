/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is told: what was found, of how much, against what, and what to do. */
#include "os/clock.h"
#include "watch/alerts_inside.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static const char *number_text(double value, struct arena *a)
{
	double size = fabs(value);
	if (size >= 100 || value == floor(value))
		return arena_printf(a, "%.0f", value);
	return arena_printf(a, size >= 1 ? "%.1f" : "%.3g", value);
}

static const char *with_unit(double value, enum alert_kind kind, struct arena *a)
{
	const char *unit = alert_about(kind)->unit;
	return arena_printf(a, *unit ? "%s %s" : "%s%s", number_text(value, a), unit);
}

/* "412 images", "1 image", "5,000 requests" */
static const char *count_text(uint64_t count, const char *what, struct arena *a)
{
	const char *digits = arena_printf(a, "%" PRIu64, count);
	size_t size = strlen(digits), at = 0;
	char *out = arena_alloc(a, 2 * size + 2);
	for (size_t i = 0; i < size; i++) {
		if (i && (size - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return arena_printf(a, "%s %s%s", out, what, count == 1 ? "" : "s");
}

/* "the last 5 minutes", "the last hour" */
static const char *window_text(const struct alert_value *v, struct arena *a)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}};
	int64_t seconds = (v->to_us - v->from_us) / 1000000;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds % units[i].seconds)
			continue;
		int64_t many = seconds / units[i].seconds;
		return many == 1 ? arena_printf(a, "the last %s", units[i].name)
				 : arena_printf(a, "the last %" PRId64 " %ss", many, units[i].name);
	}
	return arena_printf(a, "the last %" PRId64 " seconds", seconds);
}

static const char *limit_text(const struct alert_row *alert, enum alert_kind kind, struct arena *a)
{
	const char *value = with_unit(alert->value, kind, a);
	return *alert->comparison == '=' ? arena_printf(a, "it is told at %s", value)
					 : arena_printf(a, "the limit is %s", value);
}

/* " (34 too dark, 3 flat)" */
static const char *faults_text(const struct alert_value *v, struct arena *a)
{
	const char *text = "";
	for (size_t i = 0; i < v->part_count; i++)
		text = arena_printf(
			a, "%s%s%.0f %s", text, i ? ", " : "", v->parts[i].value, v->parts[i].name);
	return text;
}

/* "car 62 % instead of 31 %" */
static const char *moved_text(const struct alert_value *v, struct arena *a)
{
	const char *text = "";
	for (size_t i = 0; i < v->part_count && i < 3; i++)
		text = arena_printf(a, "%s%s%s %.0f %% instead of %.0f %%", text, i ? ", " : "",
			v->parts[i].name, 100 * v->parts[i].value, 100 * v->parts[i].before);
	return text;
}

static const char *of_label(const struct alert_row *alert, struct arena *a)
{
	return alert->label ? arena_printf(a, " of \"%s\"", alert->label) : "";
}

/* What was found, without a full stop: "p99 latency was 812 ms over the last 5 minutes (412 images)". */
static const char *finding(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a)
{
	const char *value = with_unit(v->value, kind, a), *window = window_text(v, a);
	const char *images = count_text(v->images, kind == ALERT_AP ? "reviewed image" : "image", a);
	switch (kind) {
	case ALERT_LATENCY: return arena_printf(a, "p99 latency was %s over %s (%s)", value, window, images);
	case ALERT_AVG_LATENCY:
		return arena_printf(a, "Mean latency was %s over %s (%s)", value, window, images);
	case ALERT_FAILED:
		return arena_printf(a, "%s of requests failed in %s (%" PRIu64 " of %s)", value, window,
			v->hits, count_text(v->images, "request", a));
	case ALERT_OUTLIER:
		return arena_printf(a, "%s of images were outliers in %s (%" PRIu64 " of %s)", value, window,
			v->hits, images);
	case ALERT_AP:
		return arena_printf(a, "%s%s was %s over %s (%s)", v->accuracy ? "Accuracy" : "AP",
			of_label(alert, a), value, window, images);
	case ALERT_DISTRIBUTION:
		return arena_printf(a,
			"Labels are shared%s otherwise than in Training Data in %s (p = %s, %s)",
			alert->label ? of_label(alert, a) : "", window, value, images);
	case ALERT_DATA_QUALITY:
		return arena_printf(a, "%s of images could hardly be used in %s (%s of %s)", value, window,
			faults_text(v, a), images);
	default: return arena_printf(a, "%s: %s", alert_about(kind)->title, value);
	}
}

static const char *advice(enum alert_kind kind, const struct alert_value *v, struct arena *a)
{
	switch (kind) {
	case ALERT_LATENCY:
	case ALERT_AVG_LATENCY:
		return "Look at the latency chart: other work on the machine, larger images and a new "
		       "version are "
		       "what it usually is.";
	case ALERT_FAILED:
		if (v->part_count)
			return arena_printf(a, "The last one: %.160s", v->parts[0].name);
		return "";
	case ALERT_OUTLIER:
		return "About 1 % is expected. Look at the most unusual images; if they are as they should "
		       "be, take "
		       "some into Training Data.";
	case ALERT_AP:
		return "Look at the reviewed images that it got wrong; with the Feedback Loop they become "
		       "what the "
		       "next version learns from.";
	case ALERT_DISTRIBUTION:
		return "Either what is photographed has changed, or how well it is found: review some of the "
		       "newest "
		       "images.";
	case ALERT_DATA_QUALITY:
		return v->by_hand ? "Look at the lamp, the lens and the exposure. With Training Data set, "
				    "its own "
				    "range is the limit."
				  : "Training Data has none like these. Look at the lamp, the lens and the "
				    "exposure.";
	default: return "";
	}
}

const char *alert_sentence(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a)
{
	const char *moved =
		kind == ALERT_DISTRIBUTION && v->part_count ? arena_printf(a, " %s.", moved_text(v, a)) : "";
	const char *what_to_do = advice(kind, v, a);
	return arena_printf(a, "%s; %s.%s%s%s", finding(alert, kind, v, a), limit_text(alert, kind, a), moved,
		*what_to_do ? " " : "", what_to_do);
}

const char *alert_sentence_closed(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a)
{
	if (kind == ALERT_DISTRIBUTION)
		return arena_printf(a, "Labels are shared as in Training Data again (p = %s, %s).",
			number_text(v->value, a), count_text(v->images, "image", a));
	if (kind == ALERT_DATA_QUALITY)
		return arena_printf(a, "%s of images could hardly be used in %s (%s); %s.",
			with_unit(v->value, kind, a), window_text(v, a), count_text(v->images, "image", a),
			limit_text(alert, kind, a));
	return arena_printf(a, "%s; %s.", finding(alert, kind, v, a), limit_text(alert, kind, a));
}

static void add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t at_us)
{
	char text[28];
	clock_format(at_us, text);
	yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static void add_parts(
	yyjson_mut_doc *doc, yyjson_mut_val *root, enum alert_kind kind, const struct alert_value *v)
{
	bool labels = kind == ALERT_DISTRIBUTION;
	yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, labels ? "labels" : "faults");
	for (size_t i = 0; i < v->part_count; i++) {
		yyjson_mut_val *part = yyjson_mut_arr_add_obj(doc, list);
		yyjson_mut_obj_add_strcpy(doc, part, labels ? "label" : "name", v->parts[i].name);
		if (labels) {
			yyjson_mut_obj_add_real(doc, part, "share", v->parts[i].value);
			yyjson_mut_obj_add_real(doc, part, "share_of_training_data", v->parts[i].before);
		} else
			yyjson_mut_obj_add_real(doc, part, "images", v->parts[i].value);
	}
}

const char *alert_detail(
	const struct alert_row *alert, enum alert_kind kind, const struct alert_value *v, struct arena *a)
{
	yyjson_mut_doc *doc = json_new(a);
	yyjson_mut_val *root = yyjson_mut_obj(doc);
	yyjson_mut_doc_set_root(doc, root);
	yyjson_mut_obj_add_real(doc, root, "value", v->value);
	yyjson_mut_obj_add_strcpy(doc, root, "operator", alert->comparison);
	yyjson_mut_obj_add_real(doc, root, "limit", alert->value);
	yyjson_mut_obj_add_str(doc, root, "unit", alert_about(kind)->unit);
	yyjson_mut_obj_add_uint(doc, root, kind == ALERT_FAILED ? "requests" : "images", v->images);
	add_time(doc, root, "from", v->from_us);
	add_time(doc, root, "to", v->to_us);
	if (kind == ALERT_DISTRIBUTION || kind == ALERT_DATA_QUALITY)
		add_parts(doc, root, kind, v);
	return (const char *)json_print(doc, a).data;
}
