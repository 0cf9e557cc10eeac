/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of other people's files to shapes: clipped, marked or refused, each with a sentence. */
#include "formats/collect.h"

#include "base/check.h"

#include <math.h>
#include <string.h>

#define SLACK_PIXELS 1.0 /* beyond the image without a sentence: rounding, or counting from 1 */

/* ---- one shape more ---- */

static bool same_box(struct box a, struct box b)
{
	return a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2;
}

static bool same_ring(const struct labelled_ring *a, const struct labelled_ring *b)
{
	bool same = a->point_count == b->point_count;
	for (size_t i = 0; same && i < 2 * (size_t)a->point_count; i++)
		same = a->points[i] == b->points[i];
	return same;
}

static bool same_shape(const struct labelled_shape *a, const struct labelled_shape *b)
{
	bool same = a->kind == b->kind && a->label == b->label && a->crowd == b->crowd &&
		    same_box(a->box, b->box) && a->ring_count == b->ring_count;
	for (uint32_t i = 0; same && i < a->ring_count; i++)
		same = same_ring(&a->rings[i], &b->rings[i]);
	return same;
}

/* Another file of the set, such as one with key points, may say the same again. */
static bool was_said_before(const struct collected_image *image, const struct labelled_shape *shape)
{
	for (size_t i = 0; i < image->of_others; i++)
		if (same_shape(&image->shapes[i], shape))
			return true;
	return false;
}

static bool keep(struct collect *c, struct collected_image *image, const char *source,
	const struct labelled_shape *shape)
{
	if (image->shape_count == FORMAT_SHAPES_MAX) {
		problems_add(&c->problems, "%s: %s has more than %d shapes; this one is left out.", source,
			shown(image->filename, c->arena), FORMAT_SHAPES_MAX);
		return false;
	}
	if (image->source != source)
		image->of_others = image->shape_count;
	image->source = source;
	if (was_said_before(image, shape))
		return true;
	if (image->shape_count == image->shape_room) {
		image->shape_room = image->shape_room ? 2 * image->shape_room : 8;
		struct labelled_shape *more = ARENA_ARRAY(c->arena, struct labelled_shape, image->shape_room);
		if (image->shape_count)
			memcpy(more, image->shapes, image->shape_count * sizeof(*more));
		image->shapes = more;
	}
	image->shapes[image->shape_count++] = *shape;
	return true;
}

bool collect_class(
	struct collect *c, struct collected_image *image, const char *source, struct labelled_shape shape)
{
	shape.kind = SHAPE_CLASS;
	return keep(c, image, source, &shape);
}

/* ---- boxes ---- */

struct frame {
	double width, height;
};

static struct frame frame_of(const struct collected_image *image)
{
	if (image->width == 0)
		return (struct frame){FORMAT_SIDE_MAX, FORMAT_SIDE_MAX};
	return (struct frame){image->width, image->height};
}

static const char *label_of(const struct collect *c, const struct labelled_shape *shape)
{
	return shown(c->labels[shape->label], c->arena);
}

static const char *corners_text(const struct collect *c, struct box_corners b)
{
	return arena_printf(c->arena, "(%g, %g, %g, %g)", b.x1, b.y1, b.x2, b.y2);
}

static bool is_finite_box(struct box_corners b)
{
	return isfinite(b.x1) && isfinite(b.y1) && isfinite(b.x2) && isfinite(b.y2);
}

static bool reaches_beyond(struct box_corners b, struct frame f)
{
	return b.x1 < -SLACK_PIXELS || b.y1 < -SLACK_PIXELS || b.x2 > f.width + SLACK_PIXELS ||
	       b.y2 > f.height + SLACK_PIXELS;
}

static bool is_outside(struct box_corners b, struct frame f)
{
	bool beside = b.x1 > f.width || b.x2 < 0 || (b.x2 > b.x1 && (b.x1 == f.width || b.x2 == 0));
	bool above = b.y1 > f.height || b.y2 < 0 || (b.y2 > b.y1 && (b.y1 == f.height || b.y2 == 0));
	return beside || above;
}

static double within(double value, double max)
{
	return value > 0 ? value < max ? value : max : 0; /* also -0 */
}

static struct box clipped(struct box_corners b, struct frame f)
{
	return (struct box){(float)within(b.x1, f.width), (float)within(b.y1, f.height),
		(float)within(b.x2, f.width), (float)within(b.y2, f.height)};
}

static bool has_area(struct box b)
{
	return b.x2 > b.x1 && b.y2 > b.y1;
}

/* Why a box cannot be used at all; NULL when it can. */
static const char *refusal(struct box_corners b, struct frame f)
{
	if (!is_finite_box(b))
		return "has a number that is not finite";
	if (b.x2 < b.x1 || b.y2 < b.y1)
		return "has a negative size";
	if (is_outside(b, f))
		return "lies outside the image";
	return NULL;
}

bool collect_box(struct collect *c, struct collected_image *image, const char *source,
	struct labelled_shape shape, struct box_corners corners)
{
	CHECK(shape.label >= 0 && (size_t)shape.label < c->label_count);
	struct frame f = frame_of(image);
	const char *why = refusal(corners, f);
	if (why) {
		problems_add(&c->problems, "%s: the box of %s at %s in %s %s; it is left out.", source,
			label_of(c, &shape), corners_text(c, corners), shown(image->filename, c->arena), why);
		return false;
	}
	shape.kind = SHAPE_BOX;
	shape.box = clipped(corners, f);
	if (!has_area(shape.box)) {
		shape.degenerate = true;
		problems_add(&c->problems,
			"%s: the box of %s at %s in %s has no area; it is kept and marked.", source,
			label_of(c, &shape), corners_text(c, corners), shown(image->filename, c->arena));
	} else if (reaches_beyond(corners, f)) {
		problems_add(&c->problems,
			"%s: the box of %s at %s reaches beyond %s; it is clipped to the image.", source,
			label_of(c, &shape), corners_text(c, corners), shown(image->filename, c->arena));
	}
	return keep(c, image, source, &shape);
}

/* ---- polygons ---- */

/* The bounds of the numbers of a ring; NaN when one of them is not finite. */
static struct box_corners bounds_of(const struct ring_numbers *ring)
{
	struct box_corners b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
	for (size_t i = 0; i + 1 < ring->count; i += 2) {
		double x = ring->numbers[i], y = ring->numbers[i + 1];
		if (!isfinite(x) || !isfinite(y))
			return (struct box_corners){NAN, NAN, NAN, NAN};
		b = (struct box_corners){fmin(b.x1, x), fmin(b.y1, y), fmax(b.x2, x), fmax(b.y2, y)};
	}
	return b;
}

static const char *ring_refusal(const struct ring_numbers *ring, struct frame f)
{
	if (ring->count % 2)
		return "has an odd number of coordinates";
	if (ring->count < 6)
		return "has fewer than 3 points";
	if (ring->count / 2 > SHAPE_POINTS_MAX)
		return "has more than 4096 points";
	return refusal(bounds_of(ring), f);
}

static struct labelled_ring ring_of(struct collect *c, const struct ring_numbers *ring, struct frame f)
{
	float *points = arena_alloc(c->arena, ring->count * sizeof(float));
	for (size_t i = 0; i < ring->count; i += 2) {
		points[i] = (float)within(ring->numbers[i], f.width);
		points[i + 1] = (float)within(ring->numbers[i + 1], f.height);
	}
	return (struct labelled_ring){points, (uint32_t)(ring->count / 2)};
}

static struct box box_around(const struct labelled_ring *rings, size_t count)
{
	struct box b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < rings[i].point_count; k++) {
			float x = rings[i].points[2 * k], y = rings[i].points[2 * k + 1];
			b = (struct box){fminf(b.x1, x), fminf(b.y1, y), fmaxf(b.x2, x), fmaxf(b.y2, y)};
		}
	}
	return b;
}

bool collect_polygon(struct collect *c, struct collected_image *image, const char *source,
	struct labelled_shape shape, const struct ring_numbers *rings, size_t ring_count,
	const struct box_corners *corners)
{
	CHECK(shape.label >= 0 && (size_t)shape.label < c->label_count);
	struct frame f = frame_of(image);
	struct labelled_ring *kept = ARENA_ARRAY(c->arena, struct labelled_ring, ring_count);
	bool beyond = false;
	shape.kind = SHAPE_POLYGON;
	shape.rings = kept;
	for (size_t i = 0; i < ring_count; i++) {
		const char *why = ring_refusal(&rings[i], f);
		if (why) {
			problems_add(&c->problems, "%s: a polygon of %s in %s %s; it is left out.", source,
				label_of(c, &shape), shown(image->filename, c->arena), why);
			continue;
		}
		beyond = beyond || reaches_beyond(bounds_of(&rings[i]), f);
		kept[shape.ring_count++] = ring_of(c, &rings[i], f);
	}
	if (shape.ring_count == 0)
		return false;
	bool given = corners && refusal(*corners, f) == NULL && has_area(clipped(*corners, f));
	shape.box = given ? clipped(*corners, f) : box_around(kept, shape.ring_count);
	shape.degenerate = !has_area(box_around(kept, shape.ring_count)) || !has_area(shape.box);
	if (shape.degenerate)
		problems_add(&c->problems, "%s: a polygon of %s in %s has no area; it is kept and marked.",
			source, label_of(c, &shape), shown(image->filename, c->arena));
	else if (beyond)
		problems_add(&c->problems,
			"%s: a polygon of %s reaches beyond %s; it is clipped to the image.", source,
			label_of(c, &shape), shown(image->filename, c->arena));
	return keep(c, image, source, &shape);
}
