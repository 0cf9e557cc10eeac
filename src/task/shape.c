/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed form of shapes: a row's blob, written once and read by everything that draws or counts. Both
 * directions hold the same rules, so that a damaged row is noticed where it is read and never drawn as
 * something else.
 */
#include "task/shape.h"

#include "base/check.h"

#include <math.h>
#include <string.h>

#define PACKED_VERSION 1
#define HEADER_SIZE 4
#define CLASS_SIZE 10
#define BOX_SIZE 26
#define POLYGON_SIZE 30
#define POINT_SIZE 8

static bool is_finite_box(struct box b)
{
	return isfinite(b.x1) && isfinite(b.y1) && isfinite(b.x2) && isfinite(b.y2) && b.x1 <= b.x2 &&
	       b.y1 <= b.y2;
}

/* The rules of struct shape, but for the order among shapes. NULL: it keeps them. */
static const char *shape_fault(const struct shape *s)
{
	if (s->label < 0)
		return "a negative label";
	if (!(s->score >= 0 && s->score <= 1))
		return "a score outside 0…1";
	if (s->kind != SHAPE_CLASS && !is_finite_box(s->box))
		return "a box that is inverted or not finite";
	if (s->kind != SHAPE_POLYGON)
		return NULL;
	if (s->point_count < 3 || s->point_count > SHAPE_POINTS_MAX)
		return "a polygon with too few or too many points";
	for (uint32_t i = 0; i < 2 * s->point_count; i++)
		if (!isfinite(s->points[i]))
			return "a point that is not finite";
	return NULL;
}

static size_t packed_size(const struct shape *s)
{
	if (s->kind == SHAPE_CLASS)
		return CLASS_SIZE;
	return s->kind == SHAPE_BOX ? BOX_SIZE : POLYGON_SIZE + (size_t)s->point_count * POINT_SIZE;
}

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
	return at + 2;
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
	return put_u16(put_u16(at, (uint16_t)value), (uint16_t)(value >> 16));
}

static uint8_t *put_float(uint8_t *at, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof(bits));
	return put_u32(at, bits);
}

static uint8_t *put_shape(uint8_t *at, const struct shape *s)
{
	at = put_u16(at, (uint16_t)s->kind);
	at = put_u32(at, (uint32_t)s->label);
	at = put_float(at, s->score);
	if (s->kind == SHAPE_CLASS)
		return at;
	at = put_float(at, s->box.x1);
	at = put_float(at, s->box.y1);
	at = put_float(at, s->box.x2);
	at = put_float(at, s->box.y2);
	if (s->kind == SHAPE_BOX)
		return at;
	at = put_u32(at, s->point_count);
	for (uint32_t i = 0; i < 2 * s->point_count; i++)
		at = put_float(at, s->points[i]);
	return at;
}

struct span shapes_pack(const struct shapes *shapes, struct arena *a)
{
	CHECK(shapes->count <= SHAPES_MAX);
	size_t size = HEADER_SIZE;
	for (size_t i = 0; i < shapes->count; i++) {
		CHECK(shapes->items[i].kind < SHAPE_KIND_COUNT);
		CHECK(shape_fault(&shapes->items[i]) == NULL);
		CHECK(i == 0 || shapes->items[i].score <= shapes->items[i - 1].score);
		size += packed_size(&shapes->items[i]);
	}
	uint8_t *out = arena_alloc(a, size);
	out[0] = PACKED_VERSION;
	out[1] = 0;
	uint8_t *at = put_u16(out + 2, (uint16_t)shapes->count);
	for (size_t i = 0; i < shapes->count; i++)
		at = put_shape(at, &shapes->items[i]);
	CHECK(at == out + size);
	return span_of(out, size);
}

/* What is left to read; short is set when something was asked for that is not there, and zeros are given. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool is_short;
};

static uint16_t get_u16(struct reader *r)
{
	if (r->left < 2) {
		r->is_short = true;
		r->left = 0;
		return 0;
	}
	uint16_t value = (uint16_t)(r->at[0] | r->at[1] << 8);
	r->at += 2;
	r->left -= 2;
	return value;
}

static uint32_t get_u32(struct reader *r)
{
	uint32_t low = get_u16(r);
	return low | (uint32_t)get_u16(r) << 16;
}

static float get_float(struct reader *r)
{
	uint32_t bits = get_u32(r);
	float value;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The points of a polygon whose count was read: only as many as are there are allocated. */
static void get_points(struct reader *r, struct arena *a, struct shape *s)
{
	if (s->point_count > SHAPE_POINTS_MAX || r->left / POINT_SIZE < s->point_count) {
		r->is_short = true;
		s->point_count = 0;
		return;
	}
	float *points = ARENA_ARRAY(a, float, 2 * (size_t)s->point_count);
	for (uint32_t i = 0; i < 2 * s->point_count; i++)
		points[i] = get_float(r);
	s->points = points;
}

/* NULL: a shape was read. */
static const char *get_shape(struct reader *r, struct arena *a, struct shape *s)
{
	uint16_t kind = get_u16(r);
	if (kind >= SHAPE_KIND_COUNT)
		return "a shape of an unknown kind";
	*s = (struct shape){.kind = (enum shape_kind)kind};
	s->label = (int32_t)get_u32(r);
	s->score = get_float(r);
	if (s->kind != SHAPE_CLASS) {
		s->box.x1 = get_float(r);
		s->box.y1 = get_float(r);
		s->box.x2 = get_float(r);
		s->box.y2 = get_float(r);
	}
	if (s->kind == SHAPE_POLYGON) {
		s->point_count = get_u32(r);
		get_points(r, a, s);
	}
	return r->is_short ? "a shape that is cut off" : shape_fault(s);
}

enum status shapes_unpack(struct span packed, struct arena *a, struct shapes *out, struct err *err)
{
	struct reader r = {packed.data, packed.size, false};
	*out = (struct shapes){0};
	uint16_t version = get_u16(&r);
	size_t count = get_u16(&r);
	if (r.is_short || version != PACKED_VERSION)
		return err_set(err, ST_INVALID, "These are no packed shapes of version %d.", PACKED_VERSION);
	if (count > SHAPES_MAX || count > r.left / CLASS_SIZE)
		return err_set(
			err, ST_INVALID, "The packed shapes claim to be %zu, more than there can be.", count);
	struct shape *items = ARENA_ARRAY(a, struct shape, count);
	for (size_t i = 0; i < count; i++) {
		const char *fault = get_shape(&r, a, &items[i]);
		if (fault == NULL && i > 0 && items[i].score > items[i - 1].score)
			fault = "a score above the one before";
		if (fault != NULL)
			return err_set(err, ST_INVALID, "Shape %zu of %zu of the packed shapes has %s.",
				i + 1, count, fault);
	}
	if (r.left != 0)
		return err_set(err, ST_INVALID,
			"After the last of the packed shapes come %zu bytes too many.", r.left);
	*out = (struct shapes){items, count};
	return ST_OK;
}
