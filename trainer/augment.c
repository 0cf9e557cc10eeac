/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/augment.h"

#include <math.h>
#include <string.h>

#define SEEN_MIN 0.2f /* of a box's area */
#define SIDE_MIN 2.0f /* pixels */

const struct augment augment_none = {.zoom_min = 1, .zoom_max = 1};

/* ---- plans ---- */

/* As tensor_fill() does it; the server's recipes are checked to be so by the tests. */
void fitted_sides(const struct tensor_spec *spec, uint32_t width, uint32_t height, uint32_t *out_width,
	uint32_t *out_height)
{
	double x = (double)spec->width / width, y = (double)spec->height / height;
	*out_width = spec->width;
	*out_height = spec->height;
	if (spec->fit == FIT_STRETCH)
		return;
	double ratio = spec->fit == FIT_LETTERBOX ? fmin(x, y) : fmax(x, y);
	*out_width = (uint32_t)fmax(1, round(width * ratio));
	*out_height = (uint32_t)fmax(1, round(height * ratio));
}

/* Where the server puts a fitted picture. */
static struct placement at_rest(const struct tensor_spec *spec, uint32_t width, uint32_t height)
{
	bool middle =
		spec->fit == FIT_CENTER_CROP || (spec->fit == FIT_LETTERBOX && spec->pad_at == PAD_CENTER);
	int64_t spare_x = (int64_t)spec->width - width, spare_y = (int64_t)spec->height - height;
	return (struct placement){1, 1, middle ? (float)(spare_x / 2) : 0, middle ? (float)(spare_y / 2) : 0};
}

static void mirror(struct placement *p, float width)
{
	p->scale_x = -p->scale_x;
	p->offset_x = width - p->offset_x;
}

static float zoom_of(const struct augment *a, struct chance *chance)
{
	/* Twice as large is as likely as half as large. */
	return expf(chance_real(chance, logf(a->zoom_min), logf(a->zoom_max)));
}

static struct tile alone(const struct augment *a, const struct tensor_spec *spec, const uint32_t *sides,
	size_t picture, struct chance *chance)
{
	float w = (float)spec->width, h = (float)spec->height, zoom = zoom_of(a, chance);
	struct tile t = {.picture = picture, .x1 = (int32_t)spec->width, .y1 = (int32_t)spec->height};
	t.at = at_rest(spec, sides[2 * picture], sides[2 * picture + 1]);
	bool mirrored = chance_real(chance, 0, 1) < a->mirror;
	float shift_x = chance_real(chance, -a->shift, a->shift) * w;
	float shift_y = chance_real(chance, -a->shift, a->shift) * h;
	if (zoom != 1 || shift_x != 0 || shift_y != 0)
		t.at = (struct placement){zoom, zoom, zoom * (t.at.offset_x - w / 2) + w / 2 + shift_x,
			zoom * (t.at.offset_y - h / 2) + h / 2 + shift_y};
	if (mirrored)
		mirror(&t.at, w);
	return t;
}

/* Four pictures around a point, each with a corner in it. */
static void mosaic(const struct augment *a, const struct tensor_spec *spec, const uint32_t *sides,
	size_t count, size_t picture, struct chance *chance, struct plan *out)
{
	int32_t w = (int32_t)spec->width, h = (int32_t)spec->height;
	int32_t x = (int32_t)((float)w * chance_real(chance, 0.3f, 0.7f));
	int32_t y = (int32_t)((float)h * chance_real(chance, 0.3f, 0.7f));
	for (int i = 0; i < TILES_MAX; i++) {
		bool right = i % 2 != 0, low = i / 2 != 0;
		size_t which = i == 0 ? picture : chance_below(chance, count);
		float zoom = chance_real(chance, 0.5f, 0.9f);
		float wide = zoom * (float)sides[2 * which], high = zoom * (float)sides[2 * which + 1];
		bool mirrored = chance_real(chance, 0, 1) < a->mirror;
		float left = right ? (float)x : (float)x - wide, top = low ? (float)y : (float)y - high;
		struct tile t = {which, {zoom, zoom, left, top}, right ? x : 0, low ? y : 0, right ? w : x,
			low ? h : y};
		if (mirrored) {
			t.at.scale_x = -zoom;
			t.at.offset_x = left + wide;
		}
		out->tiles[i] = t;
	}
	out->tile_count = TILES_MAX;
}

/* Brightness and contrast about the middle grey, saturation about the pixel's own grey (BT.601). */
static struct light light_of(float far, struct chance *chance)
{
	static const float grey[3] = {0.299f, 0.587f, 0.114f};
	struct light l = {.changes = far > 0};
	float saturation = 1 + chance_real(chance, -far, far);
	float contrast = 1 + chance_real(chance, -far, far) * 0.7f;
	float brightness = chance_real(chance, -far, far) * 80;
	for (int i = 0; i < 3; i++) {
		/* Each channel a little by itself: the colour of the light. */
		float gain = contrast * (1 + chance_real(chance, -far, far) * 0.15f);
		for (int k = 0; k < 3; k++)
			l.matrix[3 * i + k] = gain * ((1 - saturation) * grey[k] + (i == k ? saturation : 0));
		l.offset[i] = 128 * (1 - gain) + brightness;
	}
	return l;
}

void plan_draw(const struct augment *a, const struct tensor_spec *spec, const uint32_t *sides, size_t count,
	size_t picture, struct chance *chance, struct plan *out)
{
	*out = (struct plan){.width = spec->width, .height = spec->height, .pad_value = spec->pad_value};
	if (chance_real(chance, 0, 1) < a->mosaic) {
		mosaic(a, spec, sides, count, picture, chance, out);
	} else {
		out->tiles[0] = alone(a, spec, sides, picture, chance);
		out->tile_count = 1;
	}
	out->light = light_of(a->light, chance);
}

/* ---- pixels ---- */

void plan_start(const struct plan *p, uint8_t *out)
{
	memset(out, p->pad_value, (size_t)3 * p->width * p->height);
}

/* Whole pixels from whole pixels: what is shown as the server shows it stays as it is. */
static bool copies(const struct placement *at)
{
	return at->scale_x == 1 && at->scale_y == 1 && at->offset_x == floorf(at->offset_x) &&
	       at->offset_y == floorf(at->offset_y);
}

static int32_t larger(int32_t a, int32_t b)
{
	return a > b ? a : b;
}

static int32_t smaller(int32_t a, int32_t b)
{
	return a < b ? a : b;
}

static void copy_tile(const struct plan *p, const struct tile *t, const struct image *picture, uint8_t *out)
{
	int32_t left = (int32_t)t->at.offset_x, top = (int32_t)t->at.offset_y;
	int32_t x0 = larger(t->x0, left), x1 = smaller(t->x1, left + (int32_t)picture->width);
	int32_t y0 = larger(t->y0, top), y1 = smaller(t->y1, top + (int32_t)picture->height);
	for (int32_t y = y0; y < y1 && x0 < x1; y++)
		memcpy(out + ((size_t)y * p->width + (size_t)x0) * 3,
			picture->pixels + ((size_t)(y - top) * picture->width + (size_t)(x0 - left)) * 3,
			(size_t)(x1 - x0) * 3);
}

/* A place between two pixels of a row or column, with the second one's weight in 256ths; false: outside. */
struct between {
	uint32_t first, second;
	int32_t weight;
};

static bool between_of(float at, uint32_t side, struct between *out)
{
	if (at < 0 || at >= (float)side)
		return false;
	float middle = fmaxf(at - 0.5f, 0);
	uint32_t first = (uint32_t)middle;
	*out = (struct between){
		first, first + 1 < side ? first + 1 : first, (int32_t)((middle - (float)first) * 256)};
	return true;
}

/* Bilinear, at the middles of the output's pixels. */
static void warp_tile(const struct plan *p, const struct tile *t, const struct image *picture, uint8_t *out)
{
	for (int32_t y = t->y0; y < t->y1; y++) {
		struct between row;
		if (!between_of(((float)y + 0.5f - t->at.offset_y) / t->at.scale_y, picture->height, &row))
			continue;
		const uint8_t *above = picture->pixels + (size_t)row.first * picture->width * 3;
		const uint8_t *below = picture->pixels + (size_t)row.second * picture->width * 3;
		for (int32_t x = t->x0; x < t->x1; x++) {
			struct between column;
			if (!between_of(((float)x + 0.5f - t->at.offset_x) / t->at.scale_x, picture->width,
				    &column))
				continue;
			uint8_t *pixel = out + ((size_t)y * p->width + (size_t)x) * 3;
			for (int c = 0; c < 3; c++) {
				int32_t a = above[column.first * 3 + c], b = above[column.second * 3 + c];
				int32_t d = below[column.first * 3 + c], e = below[column.second * 3 + c];
				int32_t high = a * 256 + (b - a) * column.weight;
				int32_t low = d * 256 + (e - d) * column.weight;
				pixel[c] = (uint8_t)((high * 256 + (low - high) * row.weight + 32768) >> 16);
			}
		}
	}
}

void plan_tile(const struct plan *p, const struct tile *t, const struct image *picture, uint8_t *out)
{
	if (copies(&t->at))
		copy_tile(p, t, picture, out);
	else
		warp_tile(p, t, picture, out);
}

void plan_light(const struct plan *p, uint8_t *out)
{
	if (!p->light.changes)
		return;
	int32_t matrix[9], offset[3];
	for (int i = 0; i < 9; i++)
		matrix[i] = (int32_t)lrintf(p->light.matrix[i] * 1024);
	for (int i = 0; i < 3; i++)
		offset[i] = (int32_t)lrintf(p->light.offset[i] * 1024) + 512;
	size_t count = (size_t)p->width * p->height;
	for (size_t i = 0; i < count; i++, out += 3) {
		int32_t r = out[0], g = out[1], b = out[2];
		for (int c = 0; c < 3; c++) {
			int32_t v = (matrix[3 * c] * r + matrix[3 * c + 1] * g + matrix[3 * c + 2] * b +
					    offset[c]) >>
				    10;
			out[c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
	}
}

/* ---- boxes ---- */

bool plan_box(const struct tile *t, struct box in, struct box *out)
{
	float x1 = in.x1 * t->at.scale_x + t->at.offset_x, x2 = in.x2 * t->at.scale_x + t->at.offset_x;
	float y1 = in.y1 * t->at.scale_y + t->at.offset_y, y2 = in.y2 * t->at.scale_y + t->at.offset_y;
	struct box whole = {fminf(x1, x2), y1, fmaxf(x1, x2), y2};
	*out = (struct box){fmaxf(whole.x1, (float)t->x0), fmaxf(whole.y1, (float)t->y0),
		fminf(whole.x2, (float)t->x1), fminf(whole.y2, (float)t->y1)};
	return out->x2 - out->x1 >= SIDE_MIN && out->y2 - out->y1 >= SIDE_MIN &&
	       box_area(*out) >= SEEN_MIN * box_area(whole);
}
