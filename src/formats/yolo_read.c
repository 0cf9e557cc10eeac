/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YOLO: a text an image, a line an object: class number, then centre and size, or the corners of a polygon,
 * as fractions of the image. The text is found by the image's name; the names of the classes are in the
 * nearest file that has some.
 */
#include "formats/readers.h"
#include "formats/yolo_names.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMES_FILES_MAX 64
#define NUMBERS_MAX (2 * SHAPE_POINTS_MAX + 2) /* on a line */

struct yolo {
	struct collect *c;
	struct yolo_names names[NAMES_FILES_MAX];
	size_t names_count;
	double *numbers; /* of the line at hand */
};

/* ---- lines ---- */

/* The numbers of a line; *count is NUMBERS_MAX + 1 when there are more. False: something in it is no number.
 */
static bool read_numbers(const char *text, size_t size, double *numbers, size_t *count)
{
	size_t at = 0;
	*count = 0;
	for (;;) {
		while (at < size && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r'))
			at++;
		if (at == size)
			return true;
		char word[64];
		size_t length = 0;
		while (at < size && !strchr(" \t\r", text[at]) && text[at] != '\0' &&
			length < sizeof(word) - 1)
			word[length++] = text[at++];
		word[length] = '\0';
		char *end;
		double value = strtod(word, &end);
		if (length == 0 || *end || length == sizeof(word) - 1)
			return false;
		if (*count <= NUMBERS_MAX) {
			if (*count < NUMBERS_MAX)
				numbers[*count] = value;
			(*count)++;
		}
	}
}

static size_t line_size(struct span bytes, size_t at)
{
	const uint8_t *end = memchr(bytes.data + at, '\n', bytes.size - at);
	return end ? (size_t)(end - bytes.data) - at : bytes.size - at;
}

/* Its first line that is not empty is a class and at least four numbers. True also when it has no such line.
 */
static bool looks_like_labels(struct span bytes)
{
	double numbers[NUMBERS_MAX];
	for (size_t at = 0; at < bytes.size; at += line_size(bytes, at) + 1) {
		size_t count;
		if (!read_numbers((const char *)bytes.data + at, line_size(bytes, at), numbers, &count))
			return false;
		if (count > 0)
			return count >= 5 && numbers[0] >= 0 && numbers[0] == floor(numbers[0]);
	}
	return true;
}

/* ---- which text is whose ---- */

/* In the folder of images that mirrors that of the labels: the last "labels" (or "annotations") of the path
 * is "images" there. */
static struct collected_file *find_in_mirror(struct collect *c, const char *source, const char *stem)
{
	static const char *const from[] = {"labels", "annotations"}, *const to[] = {"images", "jpegimages"};
	size_t folder = file_folder_size(source), start;
	for (size_t end = folder; end > 0; end = start) {
		for (start = end - 1; start > 0 && source[start - 1] != '/';)
			start--;
		size_t size = end - 1 - start;
		for (size_t i = 0; i < 4; i++) {
			if (strlen(from[i % 2]) != size ||
				strncasecmp(source + start, from[i % 2], size) != 0)
				continue;
			const char *mirror = arena_printf(c->arena, "%.*s%s/%.*s", (int)start, source,
				to[i / 2], (int)(folder - end), source + end);
			struct collected_file *found = collect_find_in(c, mirror, stem);
			if (found)
				return found;
		}
	}
	return NULL;
}

static struct collected_file *image_of(struct collect *c, const char *source)
{
	const char *base = file_base(source), *stem = arena_strndup(c->arena, base, file_stem_size(base));
	struct collected_file *found = find_in_mirror(c, source, stem);
	return found ? found : collect_find(c, source, stem, true);
}

static bool is_label_file(struct collect *c, const struct collected_file *f)
{
	return f->kind == FILE_TEXT && !yolo_is_list_of_names(f) && looks_like_labels(f->file->bytes);
}

static bool has_yaml_names(struct span bytes)
{
	return bytes.data && memmem(bytes.data, bytes.size, "names", 5) != NULL;
}

static bool names_are_there(const struct collect *c)
{
	for (size_t i = 0; i < c->file_count; i++) {
		const struct collected_file *f = &c->files[i];
		if ((f->kind == FILE_YAML && has_yaml_names(f->file->bytes)) || yolo_is_list_of_names(f))
			return true;
	}
	return false;
}

/* Texts that are all empty say something where classes have names: these images show none of them. */
bool yolo_is_there(struct collect *c)
{
	size_t problems = c->problems.count;
	bool found = false, named = names_are_there(c);
	for (size_t i = 0; i < c->file_count && !found; i++) {
		const struct collected_file *f = &c->files[i];
		if (is_label_file(c, f) && (named || f->file->bytes.size > 0))
			found = c->image_file_count == 0 || image_of(c, f->path) != NULL;
	}
	c->problems.count = problems; /* only looked */
	return found;
}

/* ---- names ---- */

static void read_names(struct yolo *r)
{
	struct collect *c = r->c;
	for (size_t i = 0; i < c->file_count && r->names_count < NAMES_FILES_MAX; i++) {
		const struct collected_file *f = &c->files[i];
		struct yolo_names n = {0};
		if (f->kind == FILE_YAML && has_yaml_names(f->file->bytes))
			n = yolo_names_of_yaml(c, f);
		else if (yolo_is_list_of_names(f))
			n = yolo_names_of_list(c, f);
		if (n.given || n.key_points)
			r->names[r->names_count++] = n;
	}
}

static bool is_above(const char *names, const char *source)
{
	size_t size = file_folder_size(names);
	return strncmp(names, source, size) == 0;
}

/* The names that a label file means: in a folder above it rather than beside, the nearer the better. */
static const struct yolo_names *names_for(const struct yolo *r, const char *source)
{
	const struct yolo_names *best = NULL;
	unsigned best_fit = 0;
	for (size_t i = 0; i < r->names_count; i++) {
		const struct yolo_names *n = &r->names[i];
		unsigned fit = 1 + 2 * file_nearness(n->path, source) + (file_kind_of(n->path) == FILE_YAML) +
			       (is_above(n->path, source) ? 10000 : 0);
		if (fit > best_fit) {
			best = n;
			best_fit = fit;
		}
	}
	return best;
}

/* -1: not named, which has been said. */
static int32_t label_of(struct yolo *r, const struct yolo_names *names, const char *where, double number)
{
	struct collect *c = r->c;
	if (!(number >= 0 && number < FORMAT_LABELS_MAX && number == floor(number))) {
		problems_add(&c->problems, "%s: %g is no class number; the line is left out.", where, number);
		return -1;
	}
	size_t at = (size_t)number;
	if (names == NULL || !names->given)
		return collect_label(c, arena_printf(c->arena, "%zu", at));
	if (at < names->count && names->labels[at] >= 0)
		return names->labels[at];
	problems_add(&c->problems, "%s: class %zu has no name in %s; the line is left out.", where, at,
		names->path);
	return -1;
}

/* ---- a label file ---- */

static void add_box(
	struct collect *c, struct collected_image *image, const char *source, int32_t label, const double *n)
{
	double width = image->width, height = image->height;
	struct box_corners corners = {(n[0] - n[2] / 2) * width, (n[1] - n[3] / 2) * height,
		(n[0] + n[2] / 2) * width, (n[1] + n[3] / 2) * height};
	collect_box(c, image, source, (struct labelled_shape){.label = label, .area = -1}, corners);
}

static void add_polygon(struct collect *c, struct collected_image *image, const char *source, int32_t label,
	double *n, size_t count)
{
	for (size_t i = 0; i < count; i++)
		n[i] *= i % 2 ? image->height : image->width;
	struct ring_numbers ring = {n, count};
	collect_polygon(
		c, image, source, (struct labelled_shape){.label = label, .area = -1}, &ring, 1, NULL);
}

static void read_line(struct yolo *r, struct collected_image *image, const char *source, size_t line,
	const struct yolo_names *names, size_t count)
{
	struct collect *c = r->c;
	const char *where = arena_printf(c->arena, "%s, line %zu", source, line);
	bool poses = names && names->key_points;
	if (count < 5 || count > NUMBERS_MAX || (count > 6 && count % 2 == 0 && !poses)) {
		problems_add(&c->problems,
			"%s: %zu numbers are neither a box nor a polygon; the line is left out.", where,
			count);
		return;
	}
	int32_t label = label_of(r, names, where, r->numbers[0]);
	if (label < 0)
		return;
	if (count <= 6 || poses) /* a sixth is a confidence */
		add_box(c, image, source, label, r->numbers + 1);
	else
		add_polygon(c, image, source, label, r->numbers + 1, count - 1);
}

static void read_file(struct yolo *r, const struct collected_file *f, struct collected_image *image)
{
	struct span bytes = f->file->bytes;
	const struct yolo_names *names = names_for(r, f->path);
	size_t line = 1, confidences = 0, poses = 0;
	for (size_t at = 0; at < bytes.size; at += line_size(bytes, at) + 1, line++) {
		size_t count;
		if (!read_numbers((const char *)bytes.data + at, line_size(bytes, at), r->numbers, &count)) {
			problems_add(&r->c->problems,
				"%s, line %zu: there is something that is no number; the line is left out.",
				f->path, line);
			continue;
		}
		if (count == 0)
			continue;
		read_line(r, image, f->path, line, names, count);
		poses += count > 6 && names && names->key_points;
		confidences += count == 6;
	}
	if (confidences)
		problems_add(&r->c->problems, "%s: %zu lines have a confidence, which is not read.", f->path,
			confidences);
	if (poses)
		problems_add(&r->c->problems, "%s: the key points of %zu lines are not read; the boxes are.",
			f->path, poses);
}

static void read_label_file(struct yolo *r, const struct collected_file *f)
{
	struct collect *c = r->c;
	if (f->kind != FILE_TEXT || yolo_is_list_of_names(f))
		return;
	bool labels = looks_like_labels(f->file->bytes);
	struct collected_file *file = image_of(c, f->path);
	if (file == NULL) {
		if (labels && f->file->bytes.size > 0)
			problems_add(
				&c->problems, "%s belongs to no image of the set; it is left out.", f->path);
		return; /* other texts are not ours */
	}
	struct collected_image *image = collect_image(c, file_name_below_images(file->path), file);
	if (image->annotated) {
		problems_add(&c->problems, "%s: %s has labels in another file already; these are left out.",
			f->path, shown(image->filename, c->arena));
	} else if (image->width == 0 && f->file->bytes.size > 0) {
		problems_add(&c->problems,
			"%s: the size of %s is not known, so that its fractions cannot be read.", f->path,
			shown(image->filename, c->arena));
	} else {
		image->annotated = true;
		read_file(r, f, image);
	}
}

void yolo_read(struct collect *c)
{
	struct yolo r = {.c = c};
	r.numbers = ARENA_ARRAY(c->arena, double, NUMBERS_MAX);
	read_names(&r);
	if (r.names_count == 0)
		problems_add(&c->problems,
			"No file names the classes (data.yaml, classes.txt, *.names): they are "
			"called by their numbers.");
	for (size_t i = 0; i < c->file_count; i++)
		read_label_file(&r, &c->files[i]);
}
