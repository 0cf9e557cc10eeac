/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a layout of outputs must be able to do, one const struct in one file for each (output_<name>.c), and
 * what they share: shapes, values of the probe run, tensors of half floats, candidates. Only for src/task.
 */
#ifndef GYRE_TASK_OUTPUT_H
#define GYRE_TASK_OUTPUT_H

#include "task/recipe.h"

/* Type and shape of one output as far as they are known; dims of -1 are not. Dimension 0 is the batch. */
struct output_shape {
	enum engine_type type;
	int rank; /* -1: not known */
	int64_t dims[ENGINE_RANK_MAX];
};

/* What is known when a layout is looked for. */
struct output_probe {
	const struct engine_description *graph;
	const struct engine_tensor *tensors; /* the graph's outputs on constant grey, or NULL */
	uint32_t label_count;                /* 0: unknown */
	uint32_t width,
		height; /* of the input; 0 where dynamic, and then the probe run's size is unknown too */
	bool chosen;    /* a person named this layout: shapes must allow it, doubts do not count */
};

enum output_fit {
	OUTPUT_NO,
	OUTPUT_DOUBTFUL, /* the shapes allow it, but so they do for something else: err has the sentence */
	OUTPUT_FITS,
};

struct output_ops {
	unsigned tensor_count; /* how many of the graph's outputs it reads, in a fixed order */
	bool has_background;   /* a recipe may have a background class */
	bool takes_integers;   /* check says which tensors may be of other types than floats */

	/* Fill tensors, class_count, background, probabilities and nms_iou with their origins. */
	enum output_fit (*find)(const struct output_probe *p, struct recipe *r, struct err *why);

	/* How such models take images by convention: fit, pad, colour, scale, mean and std, where colour says
	 * the channels. */
	void (*convention)(struct recipe *r);

	/* Do these shapes (tensor_count, in that order; -1 allowed) fit the recipe? ST_UNPROCESSABLE. */
	enum status (*check)(const struct recipe *r, const struct output_shape *shapes, struct err *err);

	/* Tensors whose shapes passed check, all dimensions known. */
	enum status (*read)(const struct recipe *r, const struct engine_tensor *const *tensors,
		const struct tensor_map *map, struct arena *a, struct shapes *out, struct err *err);
};

#define OUTPUT(name, text, task, help) extern const struct output_ops output_##text;
#include "task/outputs.def"
#undef OUTPUT

const struct output_ops *output_ops(enum output_layout o);

/* ---- shapes ---- */

/* Of the graph's output, as the probe run shows it or else as the graph says. */
struct output_shape output_shape_known(const struct output_probe *p, unsigned index);
/* As the graph says; rank -1 if it does not. */
void output_shape_port(const struct engine_port *port, struct output_shape *out);
/* Of one run's tensor. False: its shape, size and data do not agree. */
bool output_shape_tensor(const struct engine_tensor *t, struct output_shape *out);
bool output_is_float(const struct output_shape *s);  /* float32 or float16: what is read here */
bool output_is_number(const struct output_shape *s); /* what output_number reads: all but OTHER */
bool output_dim_may_be(int64_t dim, int64_t wanted); /* equal, or not known */
/* "float32[1,84,-1]" */
#define OUTPUT_SHAPE_TEXT_SIZE 120
const char *output_shape_print(const struct output_shape *s, char out[OUTPUT_SHAPE_TEXT_SIZE]);
/* Names in models and recipes are anybody's bytes: for sentences they are cut short, and what is no printable
 * ASCII is '?'. */
#define OUTPUT_NAME_TEXT_SIZE 48
const char *output_name_print(const char *name, char out[OUTPUT_NAME_TEXT_SIZE]);

/* Cells of the grids of all strides from first to last (powers of two). */
uint64_t output_grid_cells(uint32_t width, uint32_t height, uint32_t stride_first, uint32_t stride_last);

/* Grids of one set of strides on an input. */
struct output_grid {
	uint32_t width, height; /* of the input; 0: unknown */
	uint32_t stride_first, stride_last;
	uint32_t anchors; /* boxes a cell */
};
/* Has it count boxes? Where the input's size is unknown, that of the square which has so many is filled in.
 */
bool output_grid_fits(struct output_grid *g, int64_t count);
/* Is count that of a grid of the YOLO family: strides 8 to 32, or one more level above (P6) or below (P2),
 * with so many boxes a cell? *g is the one. */
bool output_grid_find(const struct output_probe *p, int64_t count, uint32_t anchors, struct output_grid *g);

/* What an output's last operator says: *probabilities after a softmax or sigmoid, false and true for
 * logarithms. False: nothing. */
bool output_operator_tells(const char *made_by, bool *probabilities);
/* A property of the file's metadata, or NULL. */
const char *output_metadata(const struct engine_description *d, const char *key);
/* Do Ultralytics' metadata say that it is another task than detection? Then the values of a box go on after
 * its scores. */
bool output_metadata_deny_detection(const struct output_probe *p);
/* Has the name one of these words in it, in any case? words ends with NULL. */
bool output_name_has(const char *name, const char *const *words);
/* Set why: Output "<name>" <what>. Returns OUTPUT_DOUBTFUL. */
enum output_fit output_doubt(struct err *why, const struct output_probe *p, unsigned index, const char *what);

/* ---- values ---- */

/* count floats of a tensor from an offset on (in elements, within its size). float32 is read in place;
 * float16 is converted into scratch, room for count. */
const float *output_floats(const struct engine_tensor *t, size_t offset, size_t count, float *scratch);

/* Element i of a tensor of any type but OTHER. */
double output_number(const struct engine_tensor *t, size_t i);

/* Where value k of box i lies in a tensor: first + i * box_step + k * value_step elements from its start. */
struct output_rows {
	const struct engine_tensor *tensor;
	size_t count;
	size_t box_step, value_step;
	size_t first;
};
float output_value(const struct output_rows *rows, size_t i, size_t k); /* slow: for probes */

struct output_range {
	float low, high; /* of those that are no NaN; low > high when there is none */
	bool finite;     /* all are, and there is at least one */
};
/* Of the values k of every row, first ≤ k < end. */
struct output_range output_range_seen(const struct output_rows *rows, size_t first, size_t end);
/* Nothing in it is outside 0…1 by more than half floats round. */
bool output_range_is_unit(struct output_range r);

enum output_boxes {
	BOXES_UNKNOWN,
	BOXES_PIXELS, /* their centres spread over the input */
	BOXES_UNIT,   /* their centres spread over 0…1 */
	BOXES_RAW,    /* all four values stay near zero: offsets within a cell, logarithms */
};
/* What the first four values of each row are, by the probe run on an input of this size (pixels; 0: unknown).
 */
enum output_boxes output_boxes_seen(const struct output_rows *rows, uint32_t width, uint32_t height);

/* The probe run's tensor of this index; NULL when there is none, or it is not sound or not as the graph says.
 */
const struct engine_tensor *output_probe_tensor(const struct output_probe *p, unsigned index);

/* ---- what was found ---- */

/* Nothing known but the task: all fields at their defaults, GUESSED. */
struct recipe recipe_blank(enum task task);
/* The layout that an object names; *out stays as it was when it names none, or is NULL. ST_INVALID. */
enum status recipe_chosen_output(yyjson_val *object, enum output_layout *out, struct err *err) MUST_CHECK;
void recipe_mark(struct recipe *r, enum recipe_field f, enum origin o);
/* No tensor has a dimension of classes (final boxes, maps of classes): class_count is as many as the labels,
 * and one more with a background class. */
bool recipe_counts_by_labels(const struct recipe *r);
/* Kind, all choices and range of a field, from the table that reads and writes it. */
struct recipe_control;
void recipe_field_control(enum recipe_field f, struct recipe_control *out);
/* One tensor of boxes with scores in 0…1 and no background class, to be thinned by NMS. */
void output_found_boxes(struct recipe *r, unsigned tensor, int64_t classes);
/* Common conventions of input. */
void output_convention_imagenet(struct recipe *r); /* 0…1, less ImageNet's mean, by its standard deviation */
void output_convention_letterbox(struct recipe *r, enum pad_at at); /* padded with 114 */

#endif
