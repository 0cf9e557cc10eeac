/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drift and outliers say of real pictures that change: day that turns into night before webcams, and
 * blood cells whose pictures are spoiled in five ways. By a real detector (YOLOX-nano) through the steps that
 * serve. Needs GYRE_TEST_DATA; some two minutes: the tables of docs/internals/drift.md. bench_drift [ORDERS]
 */
#include "../unit/shift_world.h"
#include "os/clock.h"

#include <stdio.h>
#include <time.h>

#define DAY 120
#define NIGHT 120
#define CELLS 364
#define CELLS_REFERENCE 182
#define CELLS_CLEAN 62
#define CELLS_SPOILED (CELLS - CELLS_REFERENCE - CELLS_CLEAN)
#define CELL_ORDERS 21
#define STRENGTHS 3

static struct shift_world s;

static double cpu_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The median of what is finite; INFINITY: most are not. */
static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), by_value);
	return values[count / 2];
}

/* Which feature was named most often. */
static enum feature most_named(const unsigned named[FEATURE_COUNT])
{
	enum feature most = 0;
	for (int f = 1; f < FEATURE_COUNT; f++)
		if (named[f] > named[most])
			most = (enum feature)f;
	return most;
}

/* ---- day and night ---- */

struct orders {
	unsigned count, told, false_alarms, clean, named[FEATURE_COUNT];
	double *delays, *effective;
	double area, error;
};

static void one_order(struct chance *c, const struct frame **day, const struct frame **night, bool by_camera,
	struct orders *out)
{
	struct detectors_alarm alarm;
	struct detectors_state before, after;
	double error;
	size_t split = shift_split(c, day, DAY, by_camera), at = split;
	struct reference *r = shift_reference(day, split);
	struct detectors *d = detectors_new(r);
	shift_shuffle(c, night, NIGHT);
	while (at < DAY) {
		size_t took = shift_stream(d, r, day + at, DAY - at, &alarm);
		out->false_alarms += took > 0;
		at = took ? at + took : DAY;
	}
	out->clean += DAY - (unsigned)split;
	detectors_state(d, &before);
	size_t took = shift_stream(d, r, night, NIGHT, &alarm);
	detectors_state(d, &after);
	out->delays[out->count] = took ? (double)took : (double)INFINITY;
	out->effective[out->count] = took ? (double)(after.effective - before.effective) : (double)INFINITY;
	out->told += took > 0;
	if (took)
		out->named[alarm.feature]++;
	out->area += shift_auroc(r, day + split, DAY - split, night, NIGHT, &error);
	out->error += error;
	out->count++;
	detectors_free(d);
	reference_drop(r);
}

static void day_and_night(unsigned orders)
{
	static struct frame frames[DAY + NIGHT];
	static const struct frame *day[DAY], *night[NIGHT];
	const char *names[400];
	CHECK(shift_list("shift_day_night/training/day", names, COUNT_OF(names), &s.arena) >= DAY);
	for (size_t i = 0; i < DAY; i++)
		shift_look_at_file(&s, names[i], &frames[i]);
	CHECK(shift_list("shift_day_night/training/night", names, COUNT_OF(names), &s.arena) >= NIGHT);
	for (size_t i = 0; i < NIGHT; i++)
		shift_look_at_file(&s, names[i], &frames[DAY + i]);
	printf("day and night, %u orders; features of %zu numbers\n", orders,
		frames[0].row.features.size / sizeof(uint16_t));
	printf("%-22s %9s %14s %12s %12s %22s %s\n", "day is split", "told", "alarms by day", "frames",
		"that count", "AUROC (95 %)", "named most");
	for (int by_camera = 0; by_camera < 2; by_camera++) {
		struct chance c = {17};
		struct orders o = {.delays = calloc(orders, sizeof(double)),
			.effective = calloc(orders, sizeof(double))};
		CHECK(o.delays && o.effective);
		for (size_t i = 0; i < DAY; i++)
			day[i] = &frames[i];
		for (size_t i = 0; i < NIGHT; i++)
			night[i] = &frames[DAY + i];
		while (o.count < orders)
			one_order(&c, day, night, by_camera, &o);
		double area = o.area / orders, half = 1.96 * o.error / orders;
		printf("%-22s %4u/%-4u %8u/%-6u %12.0f %12.0f %8.3f (%.3f-%.3f) %s (%u)\n",
			by_camera ? "by camera" : "by chance", o.told, orders, o.false_alarms, o.clean,
			median(o.delays, orders), median(o.effective, orders), area, fmax(0, area - half),
			fmin(1, area + half), feature_name(most_named(o.named)),
			o.named[most_named(o.named)]);
		free(o.delays);
		free(o.effective);
	}
}

/* ---- spoiled pictures ---- */

static uint8_t clipped(double x)
{
	return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x + 0.5);
}

static void add_noise(struct image *image, double deviation)
{
	struct chance c = {image->width + (uint64_t)deviation};
	for (size_t i = 0; i < (size_t)3 * image->width * image->height; i++)
		image->pixels[i] = clipped(image->pixels[i] + deviation * chance_normal(&c));
}

/* Twice the mean of 2 r + 1 neighbours, along each side. */
static void blur_lines(uint8_t *pixels, size_t count, size_t step, int radius)
{
	uint8_t line[2048];
	CHECK(count <= COUNT_OF(line));
	for (size_t i = 0; i < count; i++) {
		unsigned sum = 0, n = 0;
		for (int k = -radius; k <= radius; k++)
			if ((int)i + k >= 0 && (size_t)((int)i + k) < count) {
				sum += pixels[(size_t)((int)i + k) * step];
				n++;
			}
		line[i] = (uint8_t)(sum / n);
	}
	for (size_t i = 0; i < count; i++)
		pixels[i * step] = line[i];
}

static void blur(struct image *image, double radius)
{
	size_t width = image->width, height = image->height;
	for (int pass = 0; pass < 2; pass++)
		for (size_t channel = 0; channel < 3; channel++) {
			for (size_t y = 0; y < height; y++)
				blur_lines(image->pixels + 3 * y * width + channel, width, 3, (int)radius);
			for (size_t x = 0; x < width; x++)
				blur_lines(image->pixels + 3 * x + channel, height, 3 * width, (int)radius);
		}
}

static void scale_channels(struct image *image, double red, double green, double blue)
{
	const double by[] = {red, green, blue};
	for (size_t i = 0; i < (size_t)3 * image->width * image->height; i++)
		image->pixels[i] = clipped(image->pixels[i] * by[i % 3]);
}

static void darken(struct image *image, double share)
{
	scale_channels(image, share, share, share);
}

static void cast_blue(struct image *image, double by)
{
	scale_channels(image, 1 / by, 1, by);
}

static void compress(struct image *image, double quality)
{
	struct span jpeg = sample_jpeg(
		image->pixels, image->width, image->height, (struct jpeg_choice){.quality = (int)quality});
	image_release(image);
	WORLD_OK(image_decode(jpeg, &image_limits_default, image, WORLD_ERR));
	sample_free(jpeg);
}

static const struct {
	const char *name, *unit;
	void (*spoil)(struct image *image, double strength);
	double strengths[STRENGTHS];
} ways[] = {
	{"noise", "deviation, of 255", add_noise, {4, 10, 25}},
	{"blur", "pixels", blur, {1, 2, 4}},
	{"darkness", "of its light", darken, {0.9, 0.75, 0.5}},
	{"JPEG", "quality", compress, {50, 20, 8}},
	{"colour cast", "blue up, red down", cast_blue, {1.03, 1.1, 1.3}},
};

static void spoiled(const struct frame *const *reference, const struct frame **clean,
	const char *const *names, size_t way, double strength)
{
	static struct frame frames[CELLS_SPOILED];
	const struct frame *order[CELLS_SPOILED];
	double delays[CELL_ORDERS], error;
	unsigned named[FEATURE_COUNT] = {0}, told = 0, false_alarms = 0;
	struct chance c = {29};
	for (size_t i = 0; i < CELLS_SPOILED; i++) {
		struct arena a;
		arena_init(&a);
		struct image image = shift_pixels(names[i], &a);
		if (ways[way].spoil)
			ways[way].spoil(&image, strength);
		shift_look(&s, &image, &frames[i]);
		order[i] = &frames[i];
		image_release(&image);
		arena_release(&a);
	}
	struct reference *r = shift_reference(reference, CELLS_REFERENCE);
	for (unsigned k = 0; k < CELL_ORDERS; k++) {
		struct detectors *d = detectors_new(r);
		struct detectors_alarm alarm;
		shift_shuffle(&c, clean, CELLS_CLEAN);
		shift_shuffle(&c, order, CELLS_SPOILED);
		false_alarms += shift_stream(d, r, clean, CELLS_CLEAN, &alarm) > 0;
		size_t took = shift_stream(d, r, order, CELLS_SPOILED, &alarm);
		delays[k] = took ? (double)took : (double)INFINITY;
		told += took > 0;
		if (took)
			named[alarm.feature]++;
		detectors_free(d);
	}
	double area = shift_auroc(r, clean, CELLS_CLEAN, order, CELLS_SPOILED, &error);
	printf("%-12s %6g %-18s %2u/%-3u %9.0f %8u   %.3f (%.3f-%.3f)  %s\n", ways[way].name, strength,
		ways[way].unit, told, CELL_ORDERS, median(delays, CELL_ORDERS), false_alarms, area,
		fmax(0, area - 1.96 * error), fmin(1, area + 1.96 * error),
		told ? feature_name(most_named(named)) : "-");
	fflush(stdout);
	reference_drop(r);
}

static void spoiled_cells(void)
{
	static struct frame frames[CELLS_REFERENCE + CELLS_CLEAN];
	static const struct frame *reference[CELLS_REFERENCE], *clean[CELLS_CLEAN];
	const char *names[CELLS + 1];
	struct chance c = {23};
	CHECK(shift_list("det_bccd/JPEGImages", names, COUNT_OF(names), &s.arena) == CELLS);
	for (size_t i = CELLS; i > 1; i--) {
		size_t k = chance_below(&c, (uint32_t)i);
		const char *other = names[i - 1];
		names[i - 1] = names[k];
		names[k] = other;
	}
	for (size_t i = 0; i < CELLS_REFERENCE + CELLS_CLEAN; i++) {
		shift_look_at_file(&s, names[i], &frames[i]);
		*(i < CELLS_REFERENCE ? &reference[i] : &clean[i - CELLS_REFERENCE]) = &frames[i];
	}
	printf("\nblood cells: reference of %d pictures, then %d as they are, then up to %d spoiled; %d "
	       "orders\n",
		CELLS_REFERENCE, CELLS_CLEAN, CELLS_SPOILED, CELL_ORDERS);
	printf("%-12s %6s %-18s %6s %9s %8s   %-20s  %s\n", "spoiled by", "", "", "told", "pictures",
		"before", "AUROC (95 %)", "named most");
	for (size_t way = 0; way < COUNT_OF(ways); way++)
		for (int k = 0; k < STRENGTHS; k++)
			spoiled(reference, clean, names + CELLS_REFERENCE + CELLS_CLEAN, way,
				ways[way].strengths[k]);
}

/* ---- cost ---- */

/* Of an image whose features have 256 numbers, against a reference of 2,500. */
static void cost(void)
{
	enum { COUNT = 2500, ROUNDS = 4000 };
	struct frame *frames = calloc(COUNT, sizeof(*frames));
	const struct frame **of = calloc(COUNT, sizeof(*of));
	struct shape shapes[20];
	struct chance c = {31};
	CHECK(frames && of);
	for (int i = 0; i < 20; i++)
		shapes[i] = (struct shape){
			.kind = SHAPE_BOX, .score = 0.9F - 0.02F * (float)i, .box = {10, 10, 50, 60}};
	for (size_t i = 0; i < COUNT; i++) {
		struct frame *f = &frames[i];
		struct uuid id = made_id(i + 1);
		for (int k = 0; k < 256; k++)
			f->features[k] = tap_half((float)(1 + chance_normal(&c)));
		for (int k = 0; k < IMAGE_SIGN_SIZE; k++)
			f->sign[k] = (uint8_t)chance_below(&c, 256);
		f->row = (struct log_row){.id = id,
			.predicted_asset_id = id,
			.features = span_of(f->features, sizeof(f->features)),
			.image_sign = span_of(f->sign, sizeof(f->sign)),
			.source = "",
			.width = 640,
			.height = 480};
		f->seen = (struct seen){.row = &f->row,
			.shapes = {shapes, 20},
			.stats = {chance_share(&c), chance_share(&c), chance_share(&c), {1, 2, 3},
				chance_share(&c), 0, 0}};
		of[i] = f;
	}
	double began = cpu_us();
	struct reference *r = shift_reference(of, COUNT);
	double fitted = cpu_us() - began;
	struct detectors *d = detectors_new(r);
	struct detectors_alarm alarm;
	began = cpu_us();
	for (int i = 0; i < ROUNDS; i++)
		shift_stream(d, r, of + i % COUNT, 1, &alarm);
	double each = (cpu_us() - began) / ROUNDS;
	printf("\ncost: outlier score and detectors, features of 256 numbers: %.1f us an image (aim 60); "
	       "outlier model of "
	       "%d images: %.1f s; detectors' state: %zu bytes\n",
		each, COUNT, fitted / 1e6, detectors_pack(d, &s.arena).size);
	detectors_free(d);
	reference_drop(r);
	free(frames);
	free(of);
}

int main(int argc, char **argv)
{
	WORLD_MAIN(argc, argv);
	unsigned orders = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 80;
	if (real_data_folder() == NULL) {
		printf("no real data: set GYRE_TEST_DATA\n");
		return 0;
	}
	world_set_up(NULL);
	shift_open(&s);
	cost();
	day_and_night(orders ? orders : 1);
	if (argc < 3)
		spoiled_cells();
	shift_close(&s);
	return 0;
}
