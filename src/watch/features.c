/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/features.h"

#include "base/check.h"
#include "engine/tap.h"
#include "task/shown.h"

#include <math.h>

#define FOR_SHAPES (1u << TASK_DETECTION | 1u << TASK_SEGMENTATION)
#define FOR_ALL (FOR_SHAPES | 1u << TASK_CLASSIFICATION)
#define COMPONENTS (FEATURE_COUNT - FEATURE_COMPONENT_1)

static const struct {
	const char *name, *title, *unit;
	unsigned tasks;
	enum feature_kind kind;
} table[FEATURE_COUNT] = {
#define FEATURE(id, name, title, unit, tasks, kind) [FEATURE_##id] = {name, title, unit, tasks, kind},
#include "watch/features.def"
#undef FEATURE
};

const char *feature_name(enum feature f)
{
	CHECK(f < FEATURE_COUNT);
	return table[f].name;
}

const char *feature_title(enum feature f)
{
	CHECK(f < FEATURE_COUNT);
	return table[f].title;
}

const char *feature_unit(enum feature f)
{
	CHECK(f < FEATURE_COUNT);
	return table[f].unit;
}

enum feature_kind feature_kind_of(enum feature f)
{
	CHECK(f < FEATURE_COUNT);
	return table[f].kind;
}

bool feature_is_of(enum feature f, enum task task)
{
	CHECK(f < FEATURE_COUNT && task < TASK_COUNT);
	return table[f].tasks >> task & 1;
}

/* ---- drawing by id ---- */

/* In [0, 1), of an id and a purpose (splitmix64's finish over its two halves). */
static double drawn(struct uuid id, uint64_t purpose)
{
	uint64_t halves[2], x = (purpose + 1) * 0x9e3779b97f4a7c15u;
	memcpy(halves, id.bytes, sizeof(halves));
	for (int i = 0; i < 2; i++) {
		x += halves[i];
		x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
		x = (x ^ x >> 27) * 0x94d049bb133111ebu;
		x ^= x >> 31;
	}
	return (double)(x >> 11) * 0x1p-53;
}

struct uuid feature_asset(const struct seen *seen)
{
	return uuid_is_zero(seen->row->predicted_asset_id) ? seen->row->id : seen->row->predicted_asset_id;
}

static size_t count_below(const double *sorted, size_t count, double value, bool or_equal)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (sorted[middle] < value || (or_equal && sorted[middle] <= value))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

double feature_place(const double *sorted, size_t count, double value, enum feature f, struct uuid asset_id)
{
	CHECK(count > 0);
	double below = (double)count_below(sorted, count, value, false);
	double equal = (double)count_below(sorted, count, value, true) - below;
	return (below + drawn(asset_id, (uint64_t)f) * (equal + 1)) / (double)(count + 1);
}

/* ---- of one image ---- */

static double share(const double rgb[3], int channel)
{
	double sum = rgb[0] + rgb[1] + rgb[2];
	return sum > 0 ? rgb[channel] / sum : isnan(sum) ? (double)NAN : 1.0 / 3;
}

double feature_of_pixels(enum feature f, const struct seen_stats *stats)
{
	switch (f) {
	case FEATURE_BRIGHTNESS: return stats->brightness;
	case FEATURE_CONTRAST: return stats->contrast;
	case FEATURE_SHARPNESS: return log2(1 + stats->blur);
	case FEATURE_ENTROPY: return stats->entropy;
	case FEATURE_RED: return share(stats->mean_rgb, 0);
	case FEATURE_BLUE: return share(stats->mean_rgb, 2);
	default: return (double)NAN;
	}
}

/* As answers are filtered: shapes fall by score. */
static size_t count_shown(const struct shapes *shapes, double threshold)
{
	size_t count = 0;
	while (count < shapes->count && shown_score((double)shapes->items[count].score) >= threshold)
		count++;
	return count;
}

static void of_drawn_shape(const struct seen *seen, size_t shown, double out[FEATURE_COUNT])
{
	size_t at = (size_t)(drawn(feature_asset(seen), FEATURE_COUNT) * (double)shown);
	const struct shape *s = &seen->shapes.items[at];
	double width = (double)s->box.x2 - (double)s->box.x1, height = (double)s->box.y2 - (double)s->box.y1;
	double image_width = seen->row->width, image_height = seen->row->height;
	out[FEATURE_LABEL] = s->label;
	if (s->kind == SHAPE_CLASS || width <= 0 || height <= 0 || image_width < 1 || image_height < 1)
		return;
	out[FEATURE_BOX_SIZE] = sqrt(width * height / (image_width * image_height));
	out[FEATURE_BOX_RATIO] = log2(width / height);
	out[FEATURE_BOX_X] = ((double)s->box.x1 + width / 2) / image_width;
	out[FEATURE_BOX_Y] = ((double)s->box.y1 + height / 2) / image_height;
}

static void of_shapes(const struct seen *seen, double threshold, enum task task, double out[FEATURE_COUNT])
{
	const struct shapes *shapes = &seen->shapes;
	size_t shown = count_shown(shapes, threshold);
	double sum = 0;
	for (size_t i = 0; i < shown; i++)
		sum += (double)shapes->items[i].score;
	out[FEATURE_OBJECTS] = (double)shown;
	out[FEATURE_SCORE_MAX] = shapes->count ? (double)shapes->items[0].score : 0;
	out[FEATURE_SCORE_MEAN] = shown ? sum / (double)shown : (double)NAN;
	if (task == TASK_CLASSIFICATION)
		out[FEATURE_LABEL] = shown ? shapes->items[0].label : -1; /* "no answer" is an answer */
	else if (shown)
		of_drawn_shape(seen, shown, out);
}

void features_of(const struct seen *seen, double threshold, enum task task, const struct gaussian *g,
	double outlier, double out[FEATURE_COUNT])
{
	float vector[GAUSSIAN_SIZE_MAX];
	double components[GAUSSIAN_COMPONENTS];
	for (int f = 0; f < FEATURE_COUNT; f++)
		out[f] = feature_of_pixels((enum feature)f, &seen->stats);
	of_shapes(seen, threshold, task, out);
	out[FEATURE_OUTLIER] = outlier;
	if (g && features_vector(seen->row->features, gaussian_size(g), vector)) {
		gaussian_project(g, vector, components);
		for (int i = 0; i < COMPONENTS; i++)
			out[FEATURE_COMPONENT_1 + i] = components[i];
	}
	for (int f = 0; f < FEATURE_COUNT; f++)
		if (!feature_is_of((enum feature)f, task) || !isfinite(out[f]))
			out[f] = (double)NAN;
}

bool features_vector(struct span stored, unsigned size, float *out)
{
	if (size == 0 || stored.size != size * sizeof(uint16_t))
		return false;
	for (unsigned i = 0; i < size; i++) {
		const uint8_t *at = stored.data + i * sizeof(uint16_t);
		out[i] = tap_float((uint16_t)(at[0] | at[1] << 8));
		if (!isfinite(out[i]))
			return false;
	}
	return true;
}
