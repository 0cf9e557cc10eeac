/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each of the two measures is turned into how surprising its value is: minus the logarithm of the share of
 * calibration images that reach it, which past their top tenth goes on as an exponential tail does, so that
 * what is beyond all of them is still told apart. The larger surprise is ranked among those of the
 * calibration images themselves, which makes the rank honest whatever the tail is like.
 */
#include "watch/outlier.h"

#include "base/check.h"
#include "base/compare.h"
#include "watch/features.h"

#include <math.h>
#include <stdlib.h>

#define FIT_MIN 10
#define TAIL 0.1         /* the share of calibration images that the tail's scale is taken from */
#define PER_CLASS_MIN 10 /* images; classes of fewer are one class together */
#define Z_MAX 1e6        /* of what never varied in the reference */
#define PACKED_VERSION 1
#define PIXELS FEATURE_OBJECTS /* those of pixels come first in the table */

/* Of calibration images, sorted. */
struct ranks {
	double *values;
	size_t count;
};

/* A statistic's usual range: its median, and either side the tenth's edge and how far those beyond it are on
 * average. */
struct range {
	double median; /* NAN: not known */
	double edge[2], excess[2];
};

struct outlier_model {
	struct range ranges[PIXELS]; /* of fit images */
	struct gaussian *gaussian;
	struct ranks distances, zs, surprises;
	double limit; /* the surprise that is an outlier's */
};

/* How many are below a value. */
static size_t below(const struct ranks *r, double value)
{
	size_t low = 0, high = r->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Rises with the value, continuously; NAN of NAN, or where nothing can be compared with. */
static double surprise(const struct ranks *r, double value)
{
	if (isnan(value) || r->count == 0)
		return (double)NAN;
	size_t n = r->count, top = (size_t)((1 - TAIL) * (double)n), at = below(r, value);
	double start = r->values[top], excess = 0, of_top = (double)(n - top) / (double)n;
	if (value > start) {
		for (size_t i = top; i < n; i++)
			excess += (r->values[i] - start) / (double)(n - top);
		return -log(of_top) + (value - start) / fmax(excess, 1e-3 * fabs(start) + 1e-12);
	}
	if (at == 0)
		return 0;
	double step = r->values[at] - r->values[at - 1];
	double place = (double)(at - 1) + (step > 0 ? (value - r->values[at - 1]) / step : 1);
	return -log(1 - place / (double)n);
}

/* ---- the measures ---- */

/* How surprising a value is: minus the logarithm of the share beyond it, on its side, as if the middle were
 * even and the tail exponential. So a side that has always been short is left quickly. */
static double out_of_range(const struct range *r, double value)
{
	int side = value > r->median;
	double from_edge = side ? value - r->edge[1] : r->edge[0] - value;
	if (from_edge > 0)
		return -log(TAIL) + from_edge / r->excess[side];
	double width = fabs(r->edge[side] - r->median);
	return width > 0 ? -log(TAIL) * fabs(value - r->median) / width : 0;
}

static double largest_z(const struct outlier_model *m, const struct seen *seen, int *feature)
{
	double largest = (double)NAN;
	for (int f = 0; f < PIXELS; f++) {
		double value = feature_of_pixels((enum feature)f, &seen->stats);
		double z = isnan(m->ranges[f].median) ? (double)NAN : out_of_range(&m->ranges[f], value);
		if (isnan(z) || z <= largest)
			continue;
		largest = fmin(z, Z_MAX);
		*feature = f;
	}
	return largest;
}

static double distance_of(const struct outlier_model *m, const struct seen *seen)
{
	float vector[GAUSSIAN_SIZE_MAX];
	if (!m->gaussian || !features_vector(seen->row->features, gaussian_size(m->gaussian), vector))
		return (double)NAN;
	return gaussian_distance(m->gaussian, vector);
}

static double surprise_of(const struct outlier_model *m, const struct outlier_value *v)
{
	double s = fmax(surprise(&m->distances, v->distance), surprise(&m->zs, v->z)); /* of NAN the other */
	return isnan(s) ? 0 : s;
}

void outlier_measure(const struct outlier_model *m, const struct seen *seen, struct outlier_value *out)
{
	*out = (struct outlier_value){.distance = distance_of(m, seen)};
	out->z = largest_z(m, seen, &out->z_feature);
	double s = surprise_of(m, out), n = (double)m->surprises.count;
	out->score = s / m->limit;
	out->rank = (1 + n - (double)below(&m->surprises, s)) / (n + 1);
}

const struct gaussian *outlier_gaussian(const struct outlier_model *m)
{
	return m->gaussian;
}

size_t outlier_calibration(const struct outlier_model *m)
{
	return m->surprises.count;
}

double outlier_smallest_rank(const struct outlier_model *m)
{
	return 1 / ((double)m->surprises.count + 1);
}

/* ---- fitting ---- */

static void fit_range(struct range *r, double *values, size_t n)
{
	*r = (struct range){.median = (double)NAN, .edge = {0, 0}, .excess = {1, 1}};
	if (n < FIT_MIN)
		return;
	qsort(values, n, sizeof(double), compare_double);
	size_t tail = (size_t)(TAIL * (double)n); /* at least one beyond each edge */
	double sums[2] = {0};
	r->median = values[n / 2];
	r->edge[0] = values[tail];
	r->edge[1] = values[n - 1 - tail];
	for (size_t i = 0; i < tail; i++) {
		sums[0] += r->edge[0] - values[i];
		sums[1] += values[n - 1 - i] - r->edge[1];
	}
	for (int side = 0; side < 2; side++)
		r->excess[side] = fmax(sums[side] / (double)tail, 1e-3 * fabs(r->median) + 1e-6);
}

static void fit_pixels(struct outlier_model *m, const struct seen *images, const bool *calibration,
	size_t count, struct arena *scratch)
{
	double *values = ARENA_ARRAY(scratch, double, count);
	for (int f = 0; f < PIXELS; f++) {
		size_t n = 0;
		for (size_t i = 0; i < count; i++) {
			double x = feature_of_pixels((enum feature)f, &images[i].stats);
			if (!calibration[i] && isfinite(x))
				values[n++] = x;
		}
		fit_range(&m->ranges[f], values, n);
	}
}

/* Classes of the fit images by what they were taken for, where that is a class; the number of classes. */
static unsigned take_classes(const struct seen *const *images, size_t count, int32_t *classes)
{
	int32_t labels[GAUSSIAN_CLASSES_MAX];
	size_t sizes[GAUSSIAN_CLASSES_MAX], used = 0;
	for (size_t i = 0; i < count; i++) {
		const struct shapes *s = &images[i]->shapes;
		size_t c = 0;
		if (s->count == 0 || s->items[0].kind != SHAPE_CLASS)
			return 1;
		while (c < used && labels[c] != s->items[0].label)
			c++;
		if (c == used) {
			if (used == GAUSSIAN_CLASSES_MAX)
				return 1;
			labels[used] = s->items[0].label;
			sizes[used++] = 0;
		}
		sizes[c]++;
		classes[i] = (int32_t)c;
	}
	int32_t names[GAUSSIAN_CLASSES_MAX];
	unsigned kept = 0, rest = 0;
	for (size_t c = 0; c < used; c++)
		rest |= sizes[c] < PER_CLASS_MIN;
	kept = rest; /* number 0 is that of the rest */
	for (size_t c = 0; c < used; c++)
		names[c] = sizes[c] < PER_CLASS_MIN ? 0 : (int32_t)kept++;
	for (size_t i = 0; i < count; i++)
		classes[i] = names[classes[i]];
	return kept;
}

/* No features, too few or all alike: none, which is no error. */
static enum status fit_features(struct outlier_model *m, const struct seen *images, const bool *calibration,
	size_t count, struct arena *a, struct arena *scratch, struct err *err)
{
	unsigned size = 0;
	size_t used = 0;
	for (size_t i = 0; i < count && size == 0; i++)
		size = (unsigned)(images[i].row->features.size / sizeof(uint16_t));
	if (size == 0 || size > GAUSSIAN_SIZE_MAX)
		return ST_OK;
	float *vectors = ARENA_ARRAY(scratch, float, count *size);
	const struct seen **of = ARENA_ARRAY(scratch, const struct seen *, count);
	int32_t *classes = ARENA_ARRAY(scratch, int32_t, count);
	for (size_t i = 0; i < count; i++)
		if (!calibration[i] && features_vector(images[i].row->features, size, vectors + used * size))
			of[used++] = &images[i];
	if (used < FIT_MIN)
		return ST_OK;
	unsigned class_count = take_classes(of, used, classes);
	enum status st = gaussian_fit(
		vectors, used, size, class_count > 1 ? classes : NULL, class_count, a, &m->gaussian, err);
	return st == ST_INVALID ? ST_OK : st;
}

static void sort(struct ranks *r)
{
	qsort(r->values, r->count, sizeof(double), compare_double);
}

static void keep(struct ranks *r, double value)
{
	if (!isnan(value))
		r->values[r->count++] = value;
}

/* Just past the calibration image that the share OUTLIER_RANK leaves out; with too few images for one to have
 * that rank, where the tail would. */
static double limit_of(const struct ranks *surprises)
{
	size_t n = surprises->count, allowed = (size_t)(OUTLIER_RANK * (double)(n + 1) + 1e-9);
	if (allowed >= 1)
		return fmax(nextafter(surprises->values[n - allowed], INFINITY), 1e-9);
	return fmax(fmax(surprises->values[n - 1], -log(OUTLIER_RANK)), 1e-9);
}

enum status outlier_fit(const struct seen *images, const bool *calibration, size_t count, struct arena *a,
	struct outlier_model **out, struct err *err)
{
	size_t held = 0;
	for (size_t i = 0; i < count; i++)
		held += calibration[i];
	if (held < FIT_MIN || count - held < FIT_MIN)
		return err_set(err, ST_INVALID,
			"%zu images are too few to say what is unusual: at least %d are needed.", count,
			2 * FIT_MIN);
	struct outlier_model *m = ARENA_NEW(a, struct outlier_model);
	struct arena scratch;
	arena_init(&scratch);
	enum status st = fit_features(m, images, calibration, count, a, &scratch, err);
	if (st == ST_OK) {
		struct outlier_value *values = ARENA_ARRAY(&scratch, struct outlier_value, count);
		fit_pixels(m, images, calibration, count, &scratch);
		m->distances.values = ARENA_ARRAY(a, double, held);
		m->zs.values = ARENA_ARRAY(a, double, held);
		m->surprises.values = ARENA_ARRAY(a, double, held);
		for (size_t i = 0; i < count; i++) {
			if (!calibration[i])
				continue;
			values[i].distance = distance_of(m, &images[i]);
			values[i].z = largest_z(m, &images[i], &values[i].z_feature);
			keep(&m->distances, values[i].distance);
			keep(&m->zs, values[i].z);
		}
		sort(&m->distances);
		sort(&m->zs);
		for (size_t i = 0; i < count; i++)
			if (calibration[i])
				keep(&m->surprises, surprise_of(m, &values[i]));
		sort(&m->surprises);
		m->limit = limit_of(&m->surprises);
		*out = m;
	}
	arena_release(&scratch);
	return st;
}

/* ---- packing ---- */

/* Then the ranges, the three lists, and the gaussian's own bytes: all as this machine has them. */
struct head {
	uint32_t version, pixels, distances, zs, surprises, gaussian_bytes;
	double limit;
};

static uint8_t *append(uint8_t *at, const void *from, size_t size_bytes)
{
	if (size_bytes)
		memcpy(at, from, size_bytes);
	return at + size_bytes;
}

struct span outlier_pack(const struct outlier_model *m, struct arena *a)
{
	struct span gaussian = m->gaussian ? gaussian_pack(m->gaussian, a) : (struct span){0};
	const struct head head = {PACKED_VERSION, PIXELS, (uint32_t)m->distances.count, (uint32_t)m->zs.count,
		(uint32_t)m->surprises.count, (uint32_t)gaussian.size, m->limit};
	size_t numbers = m->distances.count + m->zs.count + m->surprises.count;
	size_t size = sizeof(head) + sizeof(m->ranges) + numbers * sizeof(double) + gaussian.size;
	uint8_t *bytes = arena_alloc(a, size), *at = append(bytes, &head, sizeof(head));
	at = append(at, m->ranges, sizeof(m->ranges));
	at = append(at, m->distances.values, m->distances.count * sizeof(double));
	at = append(at, m->zs.values, m->zs.count * sizeof(double));
	at = append(at, m->surprises.values, m->surprises.count * sizeof(double));
	append(at, gaussian.data, gaussian.size);
	return span_of(bytes, size);
}

static const uint8_t *take(const uint8_t *at, void *to, size_t size_bytes)
{
	if (size_bytes)
		memcpy(to, at, size_bytes);
	return at + size_bytes;
}

static const uint8_t *take_ranks(
	const uint8_t *at, struct ranks *r, uint32_t count, bool *fine, struct arena *a)
{
	*r = (struct ranks){ARENA_ARRAY(a, double, count ? count : 1), count};
	at = take(at, r->values, count * sizeof(double));
	for (uint32_t i = 0; i < count; i++)
		*fine &= isfinite(r->values[i]) && (i == 0 || r->values[i - 1] <= r->values[i]);
	return at;
}

enum status outlier_unpack(struct span packed, struct arena *a, struct outlier_model **out, struct err *err)
{
	struct head head = {0};
	if (packed.size >= sizeof(head))
		memcpy(&head, packed.data, sizeof(head));
	uint64_t numbers = (uint64_t)head.distances + head.zs + head.surprises;
	if (head.version != PACKED_VERSION || head.pixels != PIXELS || head.surprises == 0 ||
		!(head.limit > 0) ||
		packed.size != sizeof(head) + PIXELS * sizeof(struct range) + numbers * sizeof(double) +
				       head.gaussian_bytes)
		return err_set(err, ST_INVALID, "This is no packed model of what is unusual.");
	struct outlier_model *m = ARENA_NEW(a, struct outlier_model);
	bool fine = isfinite(head.limit);
	m->limit = head.limit;
	const uint8_t *at = packed.data + sizeof(head);
	at = take(at, m->ranges, sizeof(m->ranges));
	at = take_ranks(at, &m->distances, head.distances, &fine, a);
	at = take_ranks(at, &m->zs, head.zs, &fine, a);
	at = take_ranks(at, &m->surprises, head.surprises, &fine, a);
	for (int f = 0; f < PIXELS; f++)
		fine &= m->ranges[f].excess[0] > 0 && m->ranges[f].excess[1] > 0;
	if (!fine)
		return err_set(err, ST_INVALID, "The packed model of what is unusual is damaged.");
	if (head.gaussian_bytes)
		TRY(gaussian_unpack(span_of(at, head.gaussian_bytes), a, &m->gaussian, err));
	*out = m;
	return ST_OK;
}
