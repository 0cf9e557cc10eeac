/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is a distance: for each pixel, how far it is outside of a shape whose edge is the line where
 * that is zero. Edges are soft over one pixel. Light, blur and noise come after the drawing, as in a camera.
 */
#include "cli/demo_camera.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define SIDE ((int)DEMO_SIDE)
#define PIXELS (DEMO_SIDE * DEMO_SIDE)
#define PLACES_TRIED 60

enum { BOLT, CHIPPED, GEAR, NUT };

struct random {
	uint64_t state;
};

static uint64_t next_bits(struct random *r)
{
	uint64_t x = r->state += 0x9E3779B97F4A7C15u;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

static double uniform(struct random *r, double low, double high)
{
	return low + (high - low) * (double)(next_bits(r) >> 11) * 0x1p-53;
}

/* Nearly normal, mean 0 and variance 1: the sum of four numbers of 16 bits. */
static float noise(struct random *r)
{
	uint64_t bits = next_bits(r);
	float sum = 0;
	for (int i = 0; i < 4; i++)
		sum += (float)(bits >> (16 * i) & 0xffff);
	return (sum / 65535.0F - 2.0F) * 1.7320508F;
}

/* ---- shapes ---- */

struct part {
	int kind;
	double x, y, radius, angle; /* centre, in pixels; the radius of a circle around it; radians */
	double chip, chip_width;    /* where teeth are missing, and how many radians of them */
	float metal[3];
};

/* The distance to a regular polygon with this many sides around the origin, whose sides are this far away. */
static double polygon(double x, double y, int sides, double apothem)
{
	double step = 2 * PI / sides, angle = atan2(y, x);
	double turned = angle - step * floor(angle / step + 0.5);
	return hypot(x, y) * cos(turned) - apothem;
}

static double bar(double x, double y, double half_width, double half_height)
{
	return fmax(fabs(x) - half_width, fabs(y) - half_height);
}

static double gear(const struct part *p, double x, double y)
{
	double distance = hypot(x, y), angle = atan2(y, x);
	double teeth = fmin(fmax(2.5 * cos(9 * angle), -1), 1), rim = p->radius * (0.88 + 0.12 * teeth);
	double away = fabs(remainder(angle - p->chip, 2 * PI));
	if (p->kind == CHIPPED && away < p->chip_width)
		rim = p->radius * 0.5;
	return fmax(distance - rim, p->radius * 0.26 - distance);
}

/* x, y: from the part's centre, turned with it. Below 0: inside. */
static double distance_to(const struct part *p, double x, double y)
{
	double r = p->radius;
	switch (p->kind) {
	case BOLT: /* from the side: a head, and a shaft that tapers at its end */
		return fmin(
			bar(x + r * 0.72, y, r * 0.25, r * 0.52), bar(x - r * 0.2, y, r * 0.78, r * 0.25));
	case NUT: return fmax(polygon(x, y, 6, r * 0.87), r * 0.48 - hypot(x, y));
	default: return gear(p, x, y);
	}
}

/* How light the metal is there, around 1: thread, turned rings, a chamfer. */
static double relief(const struct part *p, double x, double y)
{
	double r = p->radius, distance = hypot(x, y);
	if (p->kind == BOLT)
		return x > -r * 0.45 ? 0.92 + 0.2 * cos(x * 2.1) : 1.05;
	if (p->kind == NUT)
		return distance < r * 0.62 ? 0.78 : 1.0;
	return distance < r * 0.42 ? 0.85 : 1.0 + 0.05 * cos(distance * 1.7);
}

/* ---- the scene ---- */

struct canvas {
	float rgb[PIXELS][3];
	float scratch[PIXELS][3];
};

static float *at(struct canvas *c, int x, int y)
{
	return c->rgb[y * SIDE + x];
}

/* Dark rubber with ribs across and a stain or two. */
static void draw_belt(struct canvas *c, struct random *r)
{
	double shade = uniform(r, 62, 84), phase = uniform(r, 0, 20), slant = uniform(r, -0.12, 0.12);
	double stain_x = uniform(r, 0, SIDE), stain_y = uniform(r, 0, SIDE), stain = uniform(r, 12, 45);
	double streak = uniform(r, 0, SIDE), streak_width = uniform(r, 2, 9);
	for (int y = 0; y < SIDE; y++) {
		for (int x = 0; x < SIDE; x++) {
			double value = shade + 5 * cos((x + slant * y + phase) * 2 * PI / 20);
			double away = hypot(x - stain_x, y - stain_y) / stain;
			value -= 16 * exp(-away * away);
			value += 9 * exp(-pow((y - streak) / streak_width, 2));
			float *pixel = at(c, x, y);
			pixel[0] = (float)(value * 0.97);
			pixel[1] = (float)value;
			pixel[2] = (float)(value * 1.04);
		}
	}
}

/* Draws what is inside of the part over the picture, or its shadow; the box of what it covers into *out. */
static void draw_part(struct canvas *c, const struct part *p, bool shadow, struct demo_part *out)
{
	double cosine = cos(p->angle), sine = sin(p->angle), move = shadow ? 3 : 0;
	int reach = (int)ceil(p->radius * 1.2) + 4, left = SIDE, right = -1, top = SIDE, bottom = -1;
	for (int row = (int)p->y - reach; row <= (int)p->y + reach; row++) {
		for (int column = (int)p->x - reach; column <= (int)p->x + reach; column++) {
			if (row < 0 || column < 0 || row >= SIDE || column >= SIDE)
				continue;
			double dx = column + 0.5 - p->x - move, dy = row + 0.5 - p->y - move;
			double x = cosine * dx + sine * dy, y = -sine * dx + cosine * dy;
			double cover = fmin(fmax(0.5 - distance_to(p, x, y) / (shadow ? 4 : 1), 0), 1);
			if (cover <= 0)
				continue;
			/* Light comes from the upper left: that side of a part shines. */
			double light = relief(p, x, y) * (1 - 0.22 * (dx + dy) / (p->radius * 1.4));
			for (int k = 0; k < 3; k++) {
				float *value = &at(c, column, row)[k];
				double target = shadow ? (double)*value * 0.5 : (double)p->metal[k] * light;
				*value = (float)((double)*value * (1 - cover) + target * cover);
			}
			if (cover >= 0.5) {
				left = column < left ? column : left;
				right = column > right ? column : right;
				top = row < top ? row : top;
				bottom = row > bottom ? row : bottom;
			}
		}
	}
	if (!shadow)
		*out = (struct demo_part){(unsigned)p->kind, (float)left, (float)top,
			(float)(right - left + 1), (float)(bottom - top + 1)};
}

/* Colours tell a little, not all: most nuts are of brass, but so is some gear. */
static void choose_metal(struct part *p, struct random *r)
{
	static const float metals[3][3] = {{176, 184, 196}, {206, 170, 92}, {128, 134, 146}};
	double draw = uniform(r, 0, 1);
	int usual = p->kind == NUT ? 1 : p->kind == BOLT ? 2 : 0;
	int metal = draw < 0.7 ? usual : (usual + (draw < 0.85 ? 1 : 2)) % 3;
	double shade = uniform(r, 0.85, 1.1);
	for (int k = 0; k < 3; k++)
		p->metal[k] = (float)((double)metals[metal][k] * shade + uniform(r, -8, 8));
}

static bool is_free(const struct part *parts, size_t count, const struct part *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (hypot(parts[i].x - wanted->x, parts[i].y - wanted->y) <
			(parts[i].radius + wanted->radius) * 1.05 + 2)
			return false;
	return true;
}

static size_t choose_parts(struct part *parts, struct random *r)
{
	size_t wanted = 2 + (size_t)(uniform(r, 0, DEMO_PARTS_MAX - 1)), count = 0;
	for (int i = 0; count < wanted && i < PLACES_TRIED; i++) {
		struct part *p = &parts[count];
		double draw = uniform(r, 0, 1);
		p->kind = draw < 0.3 ? BOLT : draw < 0.58 ? NUT : draw < 0.8 ? GEAR : CHIPPED;
		p->radius = uniform(r, 18, 24) * (p->kind == NUT ? 0.85 : p->kind == BOLT ? 1.05 : 1);
		p->x = uniform(r, p->radius + 2, SIDE - p->radius - 2);
		p->y = uniform(r, p->radius + 2, SIDE - p->radius - 2);
		p->angle = uniform(r, 0, 2 * PI);
		p->chip = uniform(r, -PI, PI);
		p->chip_width = uniform(r, 0.6, 0.9);
		choose_metal(p, r);
		count += is_free(parts, count, p);
	}
	return count;
}

/* ---- the camera ---- */

/* Falls off to one side and to the corners. A lamp that fails leaves what comes in from the hall: little,
 * yellow. */
static void light(struct canvas *c, double lamp, struct random *r)
{
	double exposure = uniform(r, 0.9, 1.1), turn = uniform(r, 0, 2 * PI), slope = uniform(r, 0.05, 0.25);
	double dim = uniform(r, 0.30, 0.44);
	const double cast[3] = {1.1, 1.0, 0.8};
	for (int y = 0; y < SIDE; y++) {
		for (int x = 0; x < SIDE; x++) {
			double u = 2.0 * x / SIDE - 1, v = 2.0 * y / SIDE - 1;
			double here = exposure *
				      (1 + slope * (u * cos(turn) + v * sin(turn)) - 0.08 * (u * u + v * v));
			for (int k = 0; k < 3; k++) {
				double gain = lamp + (1 - lamp) * dim * cast[k];
				at(c, x, y)[k] *= (float)(here * gain);
			}
		}
	}
}

static int clamped(int i)
{
	return i < 0 ? 0 : i >= SIDE ? SIDE - 1 : i;
}

/* Gaussian, along rows into scratch and along columns back. */
static void blur(struct canvas *c, double sigma)
{
	enum { REACH = 5 };
	float weights[REACH + 1], total = 0;
	for (int i = 0; i <= REACH; i++) {
		weights[i] = (float)exp(-0.5 * i * i / (sigma * sigma));
		total += i ? 2 * weights[i] : weights[i];
	}
	for (int pass = 0; pass < 2; pass++) {
		float(*from)[3] = pass ? c->scratch : c->rgb, (*to)[3] = pass ? c->rgb : c->scratch;
		for (int i = 0; i < (int)PIXELS; i++) {
			int x = i % SIDE, y = i / SIDE;
			for (int k = 0; k < 3; k++) {
				float sum = 0;
				for (int j = -REACH; j <= REACH; j++) {
					int near =
						pass ? clamped(y + j) * SIDE + x : y * SIDE + clamped(x + j);
					sum += weights[abs(j)] * from[near][k];
				}
				to[i][k] = sum / total;
			}
		}
	}
}

/* Grain: the same for all three colours, and some of their own. */
static void expose(const struct canvas *c, double grain, struct random *r, uint8_t *pixels)
{
	for (size_t i = 0; i < PIXELS; i++) {
		float common = noise(r);
		for (int k = 0; k < 3; k++) {
			float value = c->rgb[i][k] + (float)grain * (0.8F * common + 0.6F * noise(r));
			pixels[3 * i + (size_t)k] = (uint8_t)(value < 0     ? 0
							      : value > 255 ? 255
									    : value + 0.5F);
		}
	}
}

void demo_scene_draw(uint64_t seed, uint32_t number, double lamp, struct demo_scene *out)
{
	struct random r = {seed * 0xD1342543DE82EF95u + number};
	next_bits(&r);
	struct canvas *canvas = malloc(sizeof(*canvas));
	uint8_t *pixels = malloc(3u * PIXELS);
	CHECK(canvas != NULL && pixels != NULL && lamp >= 0 && lamp <= 1);
	*out = (struct demo_scene){.image = {DEMO_SIDE, DEMO_SIDE, pixels}};
	struct part parts[DEMO_PARTS_MAX];
	draw_belt(canvas, &r);
	out->count = choose_parts(parts, &r);
	for (size_t i = 0; i < out->count; i++)
		draw_part(canvas, &parts[i], true, &out->parts[i]);
	for (size_t i = 0; i < out->count; i++)
		draw_part(canvas, &parts[i], false, &out->parts[i]);
	light(canvas, lamp, &r);
	blur(canvas, 0.55 + 0.75 * (1 - lamp));
	expose(canvas, 2.5 + 5.5 * (1 - lamp), &r, pixels);
	free(canvas);
}

void demo_scene_release(struct demo_scene *scene)
{
	image_release(&scene->image);
	*scene = (struct demo_scene){0};
}
