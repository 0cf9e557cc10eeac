/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/heat.h"

#include "task/shown.h"
#include "watch/packing.h"
#include "watch/summary.h"

#include <string.h>

#define PACKED_VERSION 1
#define CELLS (HEAT_SIDE * HEAT_SIDE)
#define CORNERS ((HEAT_SIDE + 1) * (HEAT_SIDE + 1))

/* Cells that an interval touches, from `first` to before `end`, and the one that its middle is in. Whole
 * hundredths of a pixel, so that no cell hangs on how a machine rounds. */
struct cells {
	uint32_t first, end, middle;
};

static uint64_t hundredths(float value)
{
	return value > 0 ? (uint64_t)((double)value * SHOWN_PIXEL_PARTS + 0.5) : 0;
}

static uint32_t at_most(uint64_t value, uint32_t most)
{
	return value < most ? (uint32_t)value : most;
}

static struct cells cells_of(float from, float to, uint32_t side)
{
	const uint64_t x = hundredths(from), size = hundredths(to - from);
	const uint64_t whole = (uint64_t)side * SHOWN_PIXEL_PARTS;
	struct cells c = {
		.first = at_most(x * HEAT_SIDE / whole, HEAT_SIDE - 1),
		.end = at_most(((x + size) * HEAT_SIDE + whole - 1) / whole, HEAT_SIDE),
		.middle = at_most((2 * x + size) * HEAT_SIDE / (2 * whole), HEAT_SIDE - 1),
	};
	if (c.end <= c.first)
		c.end = c.first + 1;
	return c;
}

static void add_shape(struct heat *h, const struct shape *shape, uint32_t width, uint32_t height)
{
	const struct box b = box_clip(shape->box, (float)width, (float)height);
	const struct cells x = cells_of(b.x1, b.x2, width), y = cells_of(b.y1, b.y2, height);
	h->shapes++;
	h->centres[y.middle * HEAT_SIDE + x.middle]++;
	h->edges[y.first * (HEAT_SIDE + 1) + x.first]++;
	h->edges[y.first * (HEAT_SIDE + 1) + x.end]--;
	h->edges[y.end * (HEAT_SIDE + 1) + x.first]--;
	h->edges[y.end * (HEAT_SIDE + 1) + x.end]++;
}

void heat_add(struct heat *h, const struct seen *seen, int32_t label, double threshold)
{
	const struct log_row *row = seen->row;
	const uint64_t before = h->shapes;
	if (row->width == 0 || row->height == 0)
		return;
	for (size_t i = 0; i < seen->shapes.count; i++) {
		const struct shape *shape = &seen->shapes.items[i];
		if (shape->kind != SHAPE_CLASS && (label < 0 || shape->label == label) &&
			summary_counts(&seen->shapes, i, threshold))
			add_shape(h, shape, row->width, row->height);
	}
	h->images += h->shapes > before;
}

/* Past 2^32 shapes counts wrap around, and so do sums of them. */
void heat_merge(struct heat *into, const struct heat *from)
{
	into->images += from->images;
	into->shapes += from->shapes;
	for (int i = 0; i < CELLS; i++)
		into->centres[i] += from->centres[i];
	for (int i = 0; i < CORNERS; i++)
		into->edges[i] = (int32_t)((uint32_t)into->edges[i] + (uint32_t)from->edges[i]);
}

void heat_coverage(const struct heat *h, uint32_t out[HEAT_SIDE * HEAT_SIDE])
{
	for (int y = 0; y < HEAT_SIDE; y++) {
		uint32_t row = 0;
		for (int x = 0; x < HEAT_SIDE; x++) {
			row += (uint32_t)h->edges[y * (HEAT_SIDE + 1) + x];
			out[y * HEAT_SIDE + x] = row + (y > 0 ? out[(y - 1) * HEAT_SIDE + x] : 0);
		}
	}
}

/* -1, 1, -2 … as 1, 2, 3 …: what is near 0 is short. */
static uint32_t folded(int32_t value)
{
	return ((uint32_t)value << 1) ^ (value < 0 ? UINT32_MAX : 0);
}

static uint32_t unfolded(uint32_t value)
{
	return (value >> 1) ^ (value & 1 ? UINT32_MAX : 0);
}

struct span heat_pack(const struct heat *h, struct arena *a)
{
	struct packer p = {.arena = a};
	uint32_t edges[CORNERS];
	for (int i = 0; i < CORNERS; i++)
		edges[i] = folded(h->edges[i]);
	pack_number(&p, PACKED_VERSION);
	pack_number(&p, h->images);
	pack_number(&p, h->shapes);
	pack_counts_32(&p, h->centres, CELLS);
	pack_counts_32(&p, edges, CORNERS);
	return span_of(p.data, p.size);
}

enum status heat_unpack_into(struct heat *into, struct span packed, struct err *err)
{
	struct unpacker u = {.at = packed.data, .end = packed.data + packed.size};
	uint32_t edges[CORNERS] = {0};
	if (unpack_number(&u) != PACKED_VERSION)
		return err_set(err, ST_INVALID, "These bytes are no heatmap of this version.");
	into->images += unpack_number(&u);
	into->shapes += unpack_number(&u);
	unpack_counts_32(&u, into->centres, CELLS);
	unpack_counts_32(&u, edges, CORNERS);
	for (int i = 0; i < CORNERS; i++)
		into->edges[i] = (int32_t)((uint32_t)into->edges[i] + unfolded(edges[i]));
	if (!unpack_ended(&u))
		return err_set(err, ST_INVALID, "A heatmap of %zu bytes is damaged.", packed.size);
	return ST_OK;
}
