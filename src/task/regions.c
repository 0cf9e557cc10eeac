/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of it is linear in the cells: each is queued once when its region is found, each side of a cell is
 * walked once when the outline is traced, and the simplification works on pieces of bounded length.
 */
#include "task/regions.h"

#include "base/check.h"
#include "task/polygon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Twice the room that is needed: when it is full the larger half stays. */
#define ROOM ((size_t)2 * SHAPES_MAX)
#define AREA_ERROR_MAX 0.05
#define HALVINGS_MAX 8
#define TRIES_MAX 40

struct region {
	uint32_t first; /* cell, the first by rows */
	uint32_t cells;
	int32_t label;
	double score_sum;
};

void region_mask_init(struct region_mask *m, uint32_t width, uint32_t height, struct arena *a)
{
	CHECK((uint64_t)width * height <= REGIONS_CELLS_MAX);
	size_t cells = (size_t)width * height;
	*m = (struct region_mask){
		width, height, arena_alloc(a, cells * sizeof(*m->labels)), ARENA_ARRAY(a, float, cells)};
	memset(m->labels, 0xff, cells * sizeof(*m->labels));
}

/* ---- where cells are ---- */

/* Image pixel = cell * scale + offset, each axis by itself; of the corners of cells. */
struct cell_map {
	double scale_x, scale_y, offset_x, offset_y;
};

static struct cell_map map_cells(
	const struct region_mask *m, const struct tensor_spec *input, const struct tensor_map *map)
{
	CHECK(map->scale_x > 0 && map->scale_y > 0);
	return (struct cell_map){
		(double)input->width / m->width / map->scale_x,
		(double)input->height / m->height / map->scale_y,
		-(double)map->offset_x / map->scale_x,
		-(double)map->offset_y / map->scale_y,
	};
}

/* The cells whose centres are in 0…side: from *first to before *end. */
static void clip_axis(
	double scale, double offset, uint32_t side, uint32_t cells, uint32_t *first, uint32_t *end)
{
	double low = ceil(-offset / scale - 0.5), high = ceil((side - offset) / scale - 0.5);
	*first = (uint32_t)fmax(0, fmin(low, cells));
	*end = (uint32_t)fmax(*first, fmin(high, cells));
}

struct region_bounds region_mask_bounds(
	const struct region_mask *m, const struct tensor_spec *input, const struct tensor_map *map)
{
	struct region_bounds b = {0};
	if (m->width == 0 || m->height == 0)
		return b;
	struct cell_map c = map_cells(m, input, map);
	clip_axis(c.scale_x, c.offset_x, map->image_width, m->width, &b.column_first, &b.column_end);
	clip_axis(c.scale_y, c.offset_y, map->image_height, m->height, &b.row_first, &b.row_end);
	return b;
}

/* ---- regions ---- */

/* Mark all cells of the region that begins at a cell; queue has room for all cells. */
static struct region gather(struct region_mask *m, uint32_t first, int32_t mark, uint32_t *queue)
{
	struct region r = {.first = first, .label = m->labels[first]};
	uint32_t end = 0;
	m->labels[first] = mark;
	queue[end++] = first;
	for (uint32_t at = 0; at < end; at++) {
		uint32_t cell = queue[at], x = cell % m->width, y = cell / m->width;
		const uint32_t next[4] = {cell - 1, cell + 1, cell - m->width, cell + m->width};
		const bool there[4] = {x > 0, x + 1 < m->width, y > 0, y + 1 < m->height};
		r.score_sum += m->scores[cell];
		for (int i = 0; i < 4; i++) {
			if (!there[i] || m->labels[next[i]] != r.label)
				continue;
			m->labels[next[i]] = mark;
			queue[end++] = next[i];
		}
	}
	r.cells = end;
	return r;
}

/* Larger first; equal ones by place. */
static int compare_regions(const void *left, const void *right)
{
	const struct region *a = left, *b = right;
	if (a->cells != b->cells)
		return a->cells > b->cells ? -1 : 1;
	return a->first < b->first ? -1 : 1;
}

/* The largest SHAPES_MAX regions of at least cells_min cells. found has ROOM. */
static size_t find_regions(struct region_mask *m, double cells_min, struct region *found, struct arena *a)
{
	uint32_t cells = m->width * m->height;
	uint32_t *queue = arena_alloc(a, (size_t)cells * sizeof(*queue));
	size_t count = 0;
	int32_t mark = -2; /* each region has its own, below all labels */
	for (uint32_t cell = 0; cell < cells; cell++) {
		if (m->labels[cell] < 0)
			continue;
		struct region r = gather(m, cell, mark--, queue);
		if (r.cells < cells_min)
			continue;
		if (count == ROOM) {
			qsort(found, count, sizeof(*found), compare_regions);
			count = SHAPES_MAX;
		}
		found[count++] = r;
	}
	qsort(found, count, sizeof(*found), compare_regions);
	return count < SHAPES_MAX ? count : SHAPES_MAX;
}

/* ---- polygons ---- */

/* Room for the longest outline of all, used for one after the other. */
struct workspace {
	float *ring, *trial;
	bool *stays;
};

/* As many points of the ring as the tolerance needs and points_max allows. Returns how many, in the ring;
 * below 3: no polygon. */
static uint32_t simplify(struct workspace *w, uint32_t count, float tolerance, uint32_t points_max)
{
	double area = polygon_area(w->ring, count);
	bool too_many = false;
	for (int i = 0; i < TRIES_MAX; i++) {
		memcpy(w->trial, w->ring, 2 * (size_t)count * sizeof(*w->trial));
		uint32_t kept = polygon_simplify(w->trial, count, tolerance, w->stays);
		bool off = kept < 3 || fabs(polygon_area(w->trial, kept) - area) > AREA_ERROR_MAX * area;
		if (kept <= points_max && off && !too_many && tolerance > 0) {
			tolerance = i < HALVINGS_MAX ? tolerance / 2 : 0;
			continue;
		}
		memcpy(w->ring, w->trial, 2 * (size_t)kept * sizeof(*w->ring));
		if (kept <= points_max)
			return kept;
		/* What is dropped stays dropped, so that each round has less to do. */
		count = kept;
		too_many = true;
		tolerance = fmaxf(2 * tolerance, 0.5f);
	}
	return 0;
}

static struct box bounds_of(const float *points, uint32_t count)
{
	struct box b = {points[0], points[1], points[0], points[1]};
	for (uint32_t i = 1; i < count; i++) {
		b.x1 = fminf(b.x1, points[2 * (size_t)i]);
		b.y1 = fminf(b.y1, points[2 * (size_t)i + 1]);
		b.x2 = fmaxf(b.x2, points[2 * (size_t)i]);
		b.y2 = fmaxf(b.y2, points[2 * (size_t)i + 1]);
	}
	return b;
}

/* False: nothing of it is left in the image. */
static bool outline(const struct cell_grid *g, const struct region *region, const struct cell_map *c,
	const struct tensor_map *map, float tolerance, uint32_t points_max, struct workspace *w,
	struct arena *a, struct shape *out)
{
	uint32_t count = polygon_trace(g, region->first % g->width, region->first / g->width, w->ring);
	for (size_t i = 0; i < count; i++) {
		double x = w->ring[2 * i] * c->scale_x + c->offset_x,
		       y = w->ring[2 * i + 1] * c->scale_y + c->offset_y;
		w->ring[2 * i] = (float)fmax(0, fmin(x, map->image_width));
		w->ring[2 * i + 1] = (float)fmax(0, fmin(y, map->image_height));
	}
	count = simplify(w, count, tolerance, points_max);
	if (count < 3)
		return false;
	float *points = arena_alloc(a, 2 * (size_t)count * sizeof(*points));
	memcpy(points, w->ring, 2 * (size_t)count * sizeof(*points));
	float score = (float)(region->score_sum / region->cells);
	*out = (struct shape){.kind = SHAPE_POLYGON,
		.label = region->label,
		.score = fmaxf(0, fminf(score, 1)),
		.box = bounds_of(points, count),
		.points = points,
		.point_count = count};
	return out->score >= SHAPE_SCORE_FLOOR && box_area(out->box) > 0;
}

static int compare_shapes(const void *left, const void *right)
{
	const struct shape *a = left, *b = right;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->label != b->label)
		return a->label < b->label ? -1 : 1;
	if (a->box.y1 != b->box.y1)
		return a->box.y1 < b->box.y1 ? -1 : 1;
	return a->box.x1 < b->box.x1 ? -1 : a->box.x1 > b->box.x1;
}

static struct workspace workspace_for(
	const struct cell_grid *g, const struct region *found, size_t count, struct arena *a)
{
	size_t longest = 0;
	for (size_t i = 0; i < count; i++) {
		size_t points = polygon_trace(g, found[i].first % g->width, found[i].first / g->width, NULL);
		longest = points > longest ? points : longest;
	}
	return (struct workspace){arena_alloc(a, 2 * longest * sizeof(float)),
		arena_alloc(a, 2 * longest * sizeof(float)), arena_alloc(a, longest * sizeof(bool))};
}

void regions_shapes(struct region_mask *m, const struct recipe *r, const struct tensor_map *map,
	struct arena *a, struct shapes *out)
{
	*out = (struct shapes){0};
	if (m->width == 0 || m->height == 0)
		return;
	struct cell_map c = map_cells(m, &r->input, map);
	double image_area = (double)map->image_width * map->image_height;
	double cells_min = fmax(1, r->region_area_min * image_area / (c.scale_x * c.scale_y));
	struct region *found = ARENA_ARRAY(a, struct region, ROOM);
	size_t count = find_regions(m, cells_min, found, a);
	if (count == 0)
		return;
	uint32_t points_max = REGIONS_POINTS_MAX / (uint32_t)count;
	if (points_max > SHAPE_POINTS_MAX)
		points_max = SHAPE_POINTS_MAX;
	struct cell_grid g = {m->width, m->height, m->labels};
	struct workspace w = workspace_for(&g, found, count, a);
	out->items = ARENA_ARRAY(a, struct shape, count);
	for (size_t i = 0; i < count; i++)
		out->count += outline(&g, &found[i], &c, map, r->polygon_tolerance, points_max, &w, a,
			&out->items[out->count]);
	qsort(out->items, out->count, sizeof(out->items[0]), compare_shapes);
}
