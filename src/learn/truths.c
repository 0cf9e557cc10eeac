/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/truths.h"

#include "base/check.h"
#include "formats/file_name.h"
#include "formats/formats.h"
#include "task/label_match.h"

#include <stdio.h>
#include <stdlib.h>

#define PROBLEMS_MAX 100
#define NAMES_SHOWN 5 /* of labels, in a sentence */

/* Everything on its way from files to truths. */
struct making {
	const struct truths_wanted *wanted;
	struct arena *arena;
	struct format_file *files; /* with cleaned names, by name */
	size_t file_count;
	struct labelled_set set;
	int32_t *labels;                /* of the set's labels: the model's, or -1 */
	size_t kinds[SHAPE_KIND_COUNT]; /* shapes in the set */
	struct truths *out;
};

static void problem(struct making *m, const char *text)
{
	if (m->out->problem_count < PROBLEMS_MAX)
		m->out->problems[m->out->problem_count++] = arena_strdup(m->arena, text);
}

/* ---- files ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct format_file *)a)->path, ((const struct format_file *)b)->path);
}

/* Adds a picture with its size, or says why not. */
static void add_file(struct making *m, const struct truths_file *file)
{
	char text[700];
	struct image_info info = {0};
	struct err err;
	const char *path = file_name_clean(file->name, m->arena);
	if (path == NULL) {
		problem(m, "A file has a name that cannot be used, so it was left out.");
		return;
	}
	if (file->picture && image_inspect(file->bytes, NULL, &info, &err) != ST_OK) {
		snprintf(text, sizeof(text), "%.200s: %s", path, err.text);
		problem(m, text);
		return;
	}
	m->files[m->file_count++] = (struct format_file){
		.path = path, .bytes = file->bytes, .width = info.width, .height = info.height};
}

static enum status add_files(struct making *m, const struct truths_file *files, size_t count, struct err *err)
{
	size_t pictures = 0;
	uint64_t annotation_bytes = 0;
	m->files = ARENA_ARRAY(m->arena, struct format_file, count + 1);
	for (size_t i = 0; i < count; i++) {
		pictures += files[i].picture;
		annotation_bytes += files[i].picture ? 0 : files[i].bytes.size;
	}
	if (annotation_bytes > TRUTHS_ANNOTATION_BYTES_MAX)
		return err_set(err, ST_TOO_LARGE,
			"The annotations are %llu MB; a check takes at most %llu: send those of the pictures "
			"alone.",
			(unsigned long long)(annotation_bytes >> 20),
			(unsigned long long)(TRUTHS_ANNOTATION_BYTES_MAX >> 20));
	if (pictures > CHECK_PICTURES_MAX)
		return err_set(err, ST_TOO_LARGE,
			"These are %zu pictures; a check takes at most %d: send fewer.", pictures,
			CHECK_PICTURES_MAX);
	if (pictures < CHECK_PICTURES_MIN)
		return err_set(err, ST_INVALID, "A check needs at least %d labelled pictures, and %s %zu.",
			CHECK_PICTURES_MIN, pictures == 1 ? "this is" : "these are", pictures);
	for (size_t i = 0; i < count; i++)
		add_file(m, &files[i]);
	qsort(m->files, m->file_count, sizeof(*m->files), by_path);
	return ST_OK;
}

static const struct format_file *find_file(const struct making *m, const char *path)
{
	const struct format_file key = {.path = path};
	return path ? bsearch(&key, m->files, m->file_count, sizeof(*m->files), by_path) : NULL;
}

/* ---- labels ---- */

/* "a", "b", "c", … */
static const char *some_names(const char *const *names, size_t count, struct arena *a)
{
	const char *text = "";
	for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
		text = arena_printf(a, "%s%s\"%.40s\"", text, i ? ", " : "", names[i]);
	return count > NAMES_SHOWN ? arena_printf(a, "%s, …", text) : text;
}

static enum status match_labels(struct making *m, struct err *err)
{
	const struct labelled_set *set = &m->set;
	struct truths *out = m->out;
	m->labels = ARENA_ARRAY(m->arena, int32_t, set->label_count + 1);
	out->labels = ARENA_ARRAY(m->arena, bool, m->wanted->label_count);
	out->matched = ARENA_ARRAY(m->arena, const char *, set->label_count + 1);
	out->unmatched = ARENA_ARRAY(m->arena, const char *, set->label_count + 1);
	label_match(set->labels, set->label_count, m->wanted->labels, m->wanted->label_count, m->labels);
	for (size_t i = 0; i < set->label_count; i++) {
		if (m->labels[i] == -1) {
			out->unmatched[out->unmatched_count++] = set->labels[i];
			continue;
		}
		out->labels[m->labels[i]] = true;
		out->matched[out->matched_count++] = set->labels[i];
	}
	if (out->matched_count > 0)
		return ST_OK;
	return err_set(err, ST_UNPROCESSABLE,
		"None of the labels of the pictures (%s) is one of the model's (%s): the model's labels can "
		"be "
		"changed on its page.",
		some_names(set->labels, set->label_count, m->arena),
		some_names(m->wanted->labels, m->wanted->label_count, m->arena));
}

/* ---- shapes ---- */

static bool is_of_task(const struct making *m, const struct labelled_shape *s)
{
	switch (m->wanted->task) {
	case TASK_CLASSIFICATION: return s->kind == SHAPE_CLASS;
	case TASK_DETECTION: return s->kind != SHAPE_CLASS;
	default: return s->kind == SHAPE_POLYGON;
	}
}

static struct mask mask_of(
	const struct making *m, const struct labelled_shape *s, uint32_t width, uint32_t height)
{
	struct mask_ring *rings = ARENA_ARRAY(m->arena, struct mask_ring, s->ring_count);
	for (uint32_t r = 0; r < s->ring_count; r++) {
		size_t numbers = (size_t)2 * s->rings[r].point_count;
		double *points = ARENA_ARRAY(m->arena, double, numbers);
		for (size_t i = 0; i < numbers; i++)
			points[i] = s->rings[r].points[i];
		rings[r] = (struct mask_ring){points, s->rings[r].point_count};
	}
	return mask_of_rings(rings, s->ring_count, width, height, m->arena);
}

/* False: the picture says nothing that can be measured. */
static bool read_truth(struct making *m, const struct labelled_image *image, const struct format_file *file,
	struct truth *out)
{
	struct match_truth *shapes = ARENA_ARRAY(m->arena, struct match_truth, image->shape_count + 1);
	*out = (struct truth){.shapes = shapes, .label = -1};
	for (size_t i = 0; i < image->shape_count; i++) {
		const struct labelled_shape *s = &image->shapes[i];
		int32_t label = m->labels[s->label];
		if (label == -1 || s->degenerate || !is_of_task(m, s))
			continue;
		m->out->labelled_shapes++;
		if (s->kind == SHAPE_CLASS) {
			out->label = label;
			return true;
		}
		struct match_truth *t = &shapes[out->shape_count++];
		/* What does not count in VOC's challenge counts here neither as found nor as missed. */
		*t = (struct match_truth){.label = label,
			.box = match_box_of(s->box),
			.area = s->area,
			.crowd = s->crowd || s->difficult};
		if (m->wanted->task == TASK_SEGMENTATION)
			t->mask = mask_of(m, s, file->width, file->height);
	}
	return m->wanted->task != TASK_CLASSIFICATION;
}

static void add_pictures(struct making *m)
{
	struct truths *out = m->out;
	size_t bare = 0;
	out->pictures = ARENA_ARRAY(m->arena, struct check_picture, m->set.image_count + 1);
	for (size_t i = 0; i < m->set.image_count; i++) {
		const struct labelled_image *image = &m->set.images[i];
		const struct format_file *file = find_file(m, image->path);
		struct check_picture *p = &out->pictures[out->picture_count];
		if (file == NULL)
			continue;
		bare += !image->annotated;
		if (!image->annotated || !read_truth(m, image, file, &p->truth))
			continue;
		p->name = file->path;
		p->bytes = file->bytes;
		out->picture_count++;
	}
	if (bare > 0)
		problem(m, arena_printf(m->arena, "%zu of the pictures %s no annotations, so %s left out.",
				   bare, bare == 1 ? "has" : "have", bare == 1 ? "it was" : "they were"));
}

/* ---- is it enough? ---- */

static enum status check_kinds(struct making *m, struct err *err)
{
	size_t classes = m->kinds[SHAPE_CLASS], boxes = m->kinds[SHAPE_BOX],
	       polygons = m->kinds[SHAPE_POLYGON];
	switch (m->wanted->task) {
	case TASK_CLASSIFICATION:
		if (classes > 0)
			return ST_OK;
		return err_set(err, ST_UNPROCESSABLE,
			"The annotations are boxes, but this model names a class for each picture: give the "
			"pictures in "
			"a folder for each class.");
	case TASK_DETECTION:
		if (boxes + polygons > 0)
			return ST_OK;
		return err_set(err, ST_UNPROCESSABLE,
			"The annotations are classes of whole pictures, but this model finds boxes: give "
			"annotations "
			"with boxes (COCO, VOC or YOLO).");
	default:
		if (polygons > 0)
			return ST_OK;
		return err_set(err, ST_UNPROCESSABLE,
			"The annotations have no outlines, but this model finds regions: give annotations "
			"with polygons "
			"(COCO or YOLO).");
	}
}

static const char *first_problem(const struct truths *out)
{
	return out->problem_count ? out->problems[0] : "";
}

static enum status check_set(struct making *m, struct err *err)
{
	size_t shapes = 0;
	for (size_t i = 0; i < m->set.image_count; i++) {
		shapes += m->set.images[i].shape_count;
		for (size_t k = 0; k < m->set.images[i].shape_count; k++)
			m->kinds[m->set.images[i].shapes[k].kind]++;
	}
	if (m->wanted->task == TASK_SEGMENTATION && m->kinds[SHAPE_POLYGON] > TRUTHS_OUTLINES_MAX)
		return err_set(err, ST_TOO_LARGE,
			"These are %zu outlines; a check takes at most %d: send fewer pictures.",
			m->kinds[SHAPE_POLYGON], TRUTHS_OUTLINES_MAX);
	if (shapes == 0)
		return err_set(err, ST_INVALID,
			"No annotations were found: give COCO json, VOC xml or YOLO txt files, or the "
			"pictures in a "
			"folder for each class. %s",
			first_problem(m->out));
	return check_kinds(m, err);
}

enum status truths_make(const struct truths_wanted *wanted, const struct truths_file *files,
	size_t file_count, struct arena *a, struct truths *out, struct err *err)
{
	struct making m = {.wanted = wanted, .arena = a, .out = out};
	*out = (struct truths){.problems = ARENA_ARRAY(a, const char *, PROBLEMS_MAX)};
	CHECK(wanted->label_count > 0);
	TRY(add_files(&m, files, file_count, err));
	TRY(formats_read(FORMAT_NONE, m.files, m.file_count, a, &m.set, err));
	for (size_t i = 0; i < m.set.problem_count; i++)
		problem(&m, m.set.problems[i]);
	TRY(check_set(&m, err));
	TRY(match_labels(&m, err));
	add_pictures(&m);
	if (out->picture_count >= CHECK_PICTURES_MIN)
		return ST_OK;
	return err_set(err, ST_INVALID, "A check needs at least %d labelled pictures, and these are %zu. %s",
		CHECK_PICTURES_MIN, out->picture_count, first_problem(out));
}
