/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semantic segmentation: what each pixel is. One of
 *   [1,C,H,W] or [1,H,W,C]   logits or probabilities of C classes
 *   [1,1,H,W], [1,H,W,1] or [1,H,W]   the class itself, a whole number of any type (C > 1); or how surely a
 * pixel belongs to the only class (C = 1), a logit or a probability, at least 0.5 H x W covers the model's
 * input from edge to edge, at whatever resolution. The best class of each cell makes regions
 * (task/regions.h); a cell of the background class, or of a number that is no class, belongs to none.
 */
#include "task/output.h"

#include "base/check.h"
#include "task/detections.h"
#include "task/regions.h"

#include <math.h>

/* Pixels of the probe run that are looked at. */
#define SAMPLES_MAX 4096

/* One of the ways to see the tensor; sides of -1 are not known. */
struct view {
	int64_t channels, height, width;
	bool planar; /* [C,H,W]: a plane a class */
};

static bool is_interleaved(const struct output_shape *s, struct view *v)
{
	*v = (struct view){s->dims[3], s->dims[1], s->dims[2], false};
	return s->rank == 4;
}

static bool is_planar(const struct output_shape *s, struct view *v)
{
	*v = s->rank == 4 ? (struct view){s->dims[1], s->dims[2], s->dims[3], true}
			  : (struct view){1, s->dims[1], s->dims[2], true};
	return s->rank == 4 || s->rank == 3;
}

/* ---- finding ---- */

/* Does it cover the input in its proportions, up to one cell? */
static bool covers_input(const struct output_probe *p, struct view v)
{
	if (v.height == -1 || v.width == -1)
		return true;
	if (v.height < 2 || v.width < 2 || v.height > RECIPE_SIDE_MAX || v.width > RECIPE_SIDE_MAX)
		return false;
	int64_t height = p->height, width = p->width;
	if (height == 0 || width == 0) /* then it was run on a square */
		height = width = 1;
	int64_t error = v.height * width - v.width * height, side = height > width ? height : width;
	return error <= side && error >= -side;
}

static bool counts_labels(int64_t channels, uint32_t labels)
{
	return labels > 0 && (channels == labels || channels == (int64_t)labels + 1);
}

/* Points for how well the view suits, 0: not at all. */
static int points_of(
	const struct output_probe *p, const struct recipe *r, const struct output_shape *s, struct view v)
{
	bool countable = output_is_float(s) ? v.channels >= 1 : v.channels == 1;
	if (!output_is_number(s) || !output_dim_may_be(s->dims[0], 1) || !countable ||
		v.channels > RECIPE_CLASSES_MAX || (!p->chosen && !covers_input(p, v)))
		return 0;
	return 1 + covers_input(p, v) + (v.planar == (r->input.layout == LAYOUT_NCHW)) +
	       4 * counts_labels(v.channels, p->label_count);
}

/* The output and the view of it that suit best. */
static bool choose(const struct output_probe *p, const struct recipe *r, unsigned *index, struct view *view)
{
	int best = 0;
	*index = 0;
	*view = (struct view){0};
	for (unsigned i = 0; i < p->graph->output_count; i++) {
		struct output_shape s = output_shape_known(p, i);
		for (int planar = 1; planar >= 0; planar--) {
			struct view v;
			if (!(planar ? is_planar(&s, &v) : is_interleaved(&s, &v)))
				continue;
			int points = points_of(p, r, &s, v);
			if (points <= best)
				continue;
			best = points;
			*index = i;
			*view = v;
		}
	}
	return best > 0;
}

/* Boxes with mask coefficients beside it: then these are no classes but prototypes of instances' masks. */
static bool has_instances(const struct output_probe *p, unsigned index)
{
	for (unsigned i = 0; i < p->graph->output_count; i++) {
		struct output_shape s = output_shape_known(p, i);
		struct output_grid g;
		if (i != index && s.rank == 3 &&
			(output_grid_find(p, s.dims[1], 1, &g) || output_grid_find(p, s.dims[2], 1, &g) ||
				output_grid_find(p, s.dims[1], 3, &g)))
			return true;
	}
	const char *task = output_metadata(p->graph, "task");
	return task != NULL && strcmp(task, "segment") == 0;
}

/* Pixels of the probe run as rows of channels. */
static struct output_rows sample(const struct engine_tensor *t, struct view v)
{
	size_t pixels = (size_t)v.height * (size_t)v.width, step = pixels / SAMPLES_MAX + 1;
	return (struct output_rows){
		t, pixels / step, step * (v.planar ? 1 : (size_t)v.channels), v.planar ? pixels : 1, 0};
}

struct classes_seen {
	bool all_whole, all_zero; /* of one channel */
	bool finite, unit, sum_to_one;
	bool first_wins, last_wins; /* that class is the best of most pixels */
};

static struct classes_seen see(const struct engine_tensor *t, struct view v)
{
	struct classes_seen c = {0};
	if (t == NULL || v.height < 1 || v.width < 1)
		return c;
	struct output_rows rows = sample(t, v);
	size_t channels = (size_t)v.channels, first = 0, last = 0, sums = 0;
	float low = INFINITY, high = -INFINITY;
	c.all_whole = c.finite = true;
	for (size_t i = 0; i < rows.count; i++) {
		double sum = 0, best_value = -INFINITY;
		size_t best = 0;
		for (size_t k = 0; k < channels; k++) {
			double value = output_number(t, i * rows.box_step + k * rows.value_step);
			c.finite &= isfinite(value) != 0;
			c.all_whole &= value == floor(value);
			low = fminf(low, (float)value);
			high = fmaxf(high, (float)value);
			sum += value;
			if (value > best_value) {
				best_value = value;
				best = k;
			}
		}
		sums += fabs(sum - 1) < 0.01;
		first += best == 0;
		last += best == channels - 1;
	}
	c.all_zero = low == 0 && high == 0;
	c.unit = c.finite && low >= -1e-3f && high <= 1 + 1e-3f;
	c.sum_to_one = c.unit && channels > 1 && sums == rows.count;
	c.first_wins = channels > 1 && first * 10 >= rows.count * 8;
	c.last_wins = channels > 1 && last * 10 >= rows.count * 8;
	return c;
}

/* A score a class: with one class more than labels, or one that wins all over plain grey, there is a
 * background. */
static void find_classes(
	const struct output_probe *p, struct view v, const struct classes_seen *seen, struct recipe *r)
{
	r->class_count = (uint32_t)v.channels;
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_READ);
	bool as_many = p->label_count == r->class_count,
	     one_less = p->label_count > 0 && p->label_count + 1 == r->class_count;
	bool last = seen->last_wins && !seen->first_wins;
	r->background = BACKGROUND_NONE;
	if (r->class_count > 1 && !as_many && (one_less || seen->first_wins))
		r->background = last ? BACKGROUND_LAST : BACKGROUND_FIRST;
	recipe_mark(r, RECIPE_BACKGROUND, as_many || one_less ? ORIGIN_READ : ORIGIN_GUESSED);
}

/* The class itself: only the labels count them, and where all is 0 in plain grey 0 means that nothing is
 * there. */
static void find_map(
	const struct output_probe *p, const struct classes_seen *seen, bool probed, struct recipe *r)
{
	r->background = !probed || seen->all_zero ? BACKGROUND_FIRST : BACKGROUND_NONE;
	r->class_count = p->label_count + (r->background != BACKGROUND_NONE);
	recipe_mark(r, RECIPE_CLASS_COUNT, ORIGIN_GUESSED);
	recipe_mark(r, RECIPE_BACKGROUND, ORIGIN_GUESSED);
}

static void find_probabilities(
	const struct output_probe *p, struct view v, const struct classes_seen *seen, struct recipe *r)
{
	bool told = output_operator_tells(p->graph->outputs[r->tensors[0]].made_by, &r->probabilities);
	if (!told) {
		r->probabilities = seen->sum_to_one || (v.channels == 1 && seen->unit);
		told = seen->finite && (r->probabilities || !seen->unit);
	}
	recipe_mark(r, RECIPE_PROBABILITIES, told ? ORIGIN_READ : ORIGIN_GUESSED);
}

static enum output_fit find(const struct output_probe *p, struct recipe *r, struct err *why)
{
	unsigned index;
	struct view v;
	if (!choose(p, r, &index, &v))
		return OUTPUT_NO;
	if (!p->chosen && has_instances(p, index))
		return output_doubt(why, p, index,
			"looks like prototypes of masks beside boxes: segmentation of instances is not read "
			"yet");
	r->tensors[0] = index;
	recipe_mark(r, RECIPE_TENSORS, p->graph->output_count == 1 ? ORIGIN_READ : ORIGIN_GUESSED);
	const struct engine_tensor *t = output_probe_tensor(p, index);
	struct classes_seen seen = see(t, v);
	struct output_shape s = output_shape_known(p, index);
	bool is_map = v.channels == 1 && (!output_is_float(&s) || (seen.all_whole && p->label_count > 1));
	if (v.channels == 1 && !is_map && p->label_count > 1)
		return output_doubt(why, p, index,
			"has one value a pixel, which is neither a whole number, as a class would be, nor "
			"one of several classes");
	if (is_map && p->label_count == 0)
		return output_doubt(why, p, index,
			"numbers the classes, but does not say how many there are: give the labels");
	if (is_map)
		find_map(p, &seen, t != NULL, r);
	else
		find_classes(p, v, &seen, r);
	find_probabilities(p, v, &seen, r);
	if (is_map && output_is_float(&s))
		recipe_mark(r, RECIPE_OUTPUT, ORIGIN_GUESSED);
	return OUTPUT_FITS;
}

static void convention(struct recipe *r)
{
	r->input.fit = FIT_STRETCH;
	if (r->input.layout == LAYOUT_NCHW && r->input.colour != COLOUR_GREY) {
		output_convention_imagenet(r);
		return;
	}
	r->input.scale = 1 / 127.5f;
	for (int c = 0; c < 3; c++)
		r->input.mean[c] = 1;
}

/* ---- reading ---- */

/* The view that a recipe means. Where both sides could count the classes, planes are meant. */
static bool view_of(const struct recipe *r, const struct output_shape *s, struct view *v)
{
	for (int planar = 1; planar >= 0; planar--) {
		if (!(planar ? is_planar(s, v) : is_interleaved(s, v)) || !output_dim_may_be(s->dims[0], 1))
			continue;
		if (output_is_float(s) && output_dim_may_be(v->channels, r->class_count))
			return true;
		if (output_is_number(s) && output_dim_may_be(v->channels, 1))
			return true;
	}
	return false;
}

static enum status check(const struct recipe *r, const struct output_shape *shapes, struct err *err)
{
	struct view v;
	char text[OUTPUT_SHAPE_TEXT_SIZE];
	uint64_t cells;
	if (!view_of(r, &shapes[0], &v))
		return err_set(err, ST_UNPROCESSABLE,
			"The layout semantic with %u classes has [1,%u,H,W], [1,H,W,%u] or [1,H,W], but the "
			"model's output is "
			"%s.",
			r->class_count, r->class_count, r->class_count, output_shape_print(&shapes[0], text));
	if (v.height > 0 && v.width > 0 &&
		(__builtin_mul_overflow((uint64_t)v.height, (uint64_t)v.width, &cells) ||
			cells > REGIONS_CELLS_MAX))
		return err_set(err, ST_UNPROCESSABLE,
			"The model's masks are %s, and more than %u pixels are not read: export it with a "
			"smaller output.",
			output_shape_print(&shapes[0], text), REGIONS_CELLS_MAX);
	return ST_OK;
}

/* What the rows of a mask are filled from, and with. */
struct filling {
	const struct recipe *recipe;
	const struct engine_tensor *tensor;
	struct view view;
	size_t pixels;     /* of a plane */
	float *scratch;    /* a row, or the channels of a pixel */
	float *best, *sum; /* of each column */
};

/* -1 for the background and for what is no class. */
static int32_t label_of(const struct recipe *r, double class)
{
	if (!(class >= 0) || class >= r->class_count || class != floor(class))
		return -1;
	int32_t label = (int32_t) class;
	if (r->background == BACKGROUND_FIRST)
		return label - 1;
	return r->background == BACKGROUND_LAST && label == (int32_t)r->class_count - 1 ? -1 : label;
}

/* NaN, of infinite logits, is no certainty. */
static float in_unit(float score)
{
	return score >= 0 ? fminf(score, 1) : 0;
}

/* One channel: the class, or how sure the only one is. */
static void fill_single(struct filling *f, struct region_mask *m, uint32_t y, uint32_t first, uint32_t end)
{
	const struct recipe *r = f->recipe;
	for (uint32_t x = first; x < end; x++) {
		size_t cell = (size_t)y * m->width + x;
		double value = output_number(f->tensor, cell);
		if (r->class_count > 1) {
			m->labels[cell] = label_of(r, value);
			m->scores[cell] = 1;
			continue;
		}
		double score = r->probabilities ? value : 1 / (1 + exp(-value));
		m->labels[cell] = score >= 0.5 ? 0 : -1;
		m->scores[cell] = in_unit((float)score);
	}
}

/* The softmax of the best value among all. */
static float softmax_of(const float *values, uint32_t count, float best)
{
	float sum = 0;
	for (uint32_t k = 0; k < count; k++)
		sum += expf(values[k] - best);
	return 1 / sum;
}

static void fill_interleaved(
	struct filling *f, struct region_mask *m, uint32_t y, uint32_t first, uint32_t end)
{
	const struct recipe *r = f->recipe;
	for (uint32_t x = first; x < end; x++) {
		size_t cell = (size_t)y * m->width + x;
		const float *values =
			output_floats(f->tensor, cell * r->class_count, r->class_count, f->scratch);
		int32_t best = detections_best(values, r->class_count), label = label_of(r, best);
		if (label < 0 || isnan(values[best]))
			continue;
		m->labels[cell] = label;
		m->scores[cell] = in_unit(
			r->probabilities ? values[best] : softmax_of(values, r->class_count, values[best]));
	}
}

/* Plane by plane, so that memory is read in order. */
static void fill_planar(struct filling *f, struct region_mask *m, uint32_t y, uint32_t first, uint32_t end)
{
	const struct recipe *r = f->recipe;
	size_t row = (size_t)y * m->width;
	int32_t *classes = m->labels + row;
	for (uint32_t k = 0; k < r->class_count; k++) {
		const float *values = output_floats(f->tensor, k * f->pixels + row, m->width, f->scratch);
		for (uint32_t x = first; x < end; x++) {
			bool better = k == 0 || values[x] > f->best[x] || isnan(f->best[x]);
			f->best[x] = better ? values[x] : f->best[x];
			classes[x] = better ? (int32_t)k : classes[x];
		}
	}
	for (uint32_t x = first; x < end; x++)
		f->sum[x] = 0;
	for (uint32_t k = 0; k < r->class_count && !r->probabilities; k++) {
		const float *values = output_floats(f->tensor, k * f->pixels + row, m->width, f->scratch);
		for (uint32_t x = first; x < end; x++)
			if (label_of(r, classes[x]) >= 0)
				f->sum[x] += expf(values[x] - f->best[x]);
	}
	for (uint32_t x = first; x < end; x++) {
		classes[x] = isnan(f->best[x]) ? -1 : label_of(r, classes[x]);
		m->scores[row + x] = in_unit(r->probabilities ? f->best[x] : 1 / f->sum[x]);
	}
}

static enum status read(const struct recipe *r, const struct engine_tensor *const *tensors,
	const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err)
{
	struct output_shape s;
	struct filling f = {.recipe = r, .tensor = tensors[0]};
	CHECK(output_shape_tensor(tensors[0], &s) && view_of(r, &s, &f.view));
	*out = (struct shapes){0};
	if (f.view.width == 0 || f.view.height == 0)
		return ST_OK;
	struct region_mask m;
	region_mask_init(&m, (uint32_t)f.view.width, (uint32_t)f.view.height, a);
	f.pixels = (size_t)m.width * m.height;
	f.scratch = ARENA_ARRAY(a, float, f.view.planar ? m.width : r->class_count);
	f.best = ARENA_ARRAY(a, float, m.width);
	f.sum = ARENA_ARRAY(a, float, m.width);
	struct region_bounds b = region_mask_bounds(&m, &r->input, map);
	for (uint32_t y = b.row_first; y < b.row_end; y++) {
		if (f.view.channels == 1)
			fill_single(&f, &m, y, b.column_first, b.column_end);
		else if (f.view.planar)
			fill_planar(&f, &m, y, b.column_first, b.column_end);
		else
			fill_interleaved(&f, &m, y, b.column_first, b.column_end);
	}
	regions_shapes(&m, r, map, a, out);
	return ST_OK;
}

const struct output_ops output_semantic = {
	.tensor_count = 1,
	.has_background = true,
	.takes_integers = true,
	.find = find,
	.convention = convention,
	.check = check,
	.read = read,
};
