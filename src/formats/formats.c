/* SPDX-License-Identifier: Apache-2.0 */
/* The table of formats. */
#include "formats/formats.h"

#include "base/check.h"
#include "formats/readers.h"
#include "formats/writers.h"

#include <string.h>
#include <strings.h>

/* What looks like annotations and was recognized by none. */
static void say_what_is_strange(struct collect *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		if (c->files[i].kind == FILE_XML || c->files[i].kind == FILE_JSON)
			problems_add(&c->problems,
				"%s is in no format that is read here: COCO, Pascal VOC, YOLO.",
				c->files[i].path);
}

static void read_images_alone(struct collect *c)
{
	say_what_is_strange(c);
}

static void read_folders(struct collect *c)
{
	say_what_is_strange(c);
	folders_read(c);
}

static bool never_there(struct collect *c)
{
	return false;
}

/* In the order in which they are asked whether they are there. */
static const struct {
	const char *name, *word, *other_word;
	bool (*is_there)(struct collect *c);
	void (*read)(struct collect *c);
	enum status (*write)(struct writing *w);
} formats[FORMAT_COUNT] = {
	[FORMAT_NONE] = {"no format", "none", "none", never_there, read_images_alone, NULL},
	[FORMAT_COCO] = {"COCO", "coco", "coco", coco_is_there, coco_read, coco_write},
	[FORMAT_VOC] = {"Pascal VOC", "voc", "pascal_voc", voc_is_there, voc_read, voc_write},
	[FORMAT_YOLO] = {"YOLO", "yolo", "yolo", yolo_is_there, yolo_read, yolo_write},
	[FORMAT_FOLDERS] = {"folders per class", "folders", "folders", folders_are_there, read_folders,
		folders_write},
};

const char *format_name(enum format f)
{
	CHECK(f < FORMAT_COUNT);
	return formats[f].name;
}

bool format_parse(const char *text, enum format *out)
{
	for (int i = FORMAT_NONE + 1; text && i < FORMAT_COUNT; i++) {
		if (strcasecmp(text, formats[i].word) == 0 || strcasecmp(text, formats[i].other_word) == 0) {
			*out = (enum format)i;
			return true;
		}
	}
	return false;
}

/* The first that is there; *others: of those behind it, folders aside, the next, or FORMAT_NONE. */
static enum format detect(struct collect *c, enum format *other)
{
	enum format found = FORMAT_NONE;
	*other = FORMAT_NONE;
	for (int i = FORMAT_NONE + 1; i < FORMAT_COUNT && *other == FORMAT_NONE; i++) {
		if ((found != FORMAT_NONE && i == FORMAT_FOLDERS) || !formats[i].is_there(c))
			continue;
		if (found == FORMAT_NONE)
			found = (enum format)i;
		else
			*other = (enum format)i;
	}
	return found;
}

enum format formats_detect(const struct format_file *files, size_t count)
{
	struct arena a;
	struct collect c;
	enum format other;
	arena_init(&a);
	collect_init(&c, files, count, &a);
	enum format found = detect(&c, &other);
	arena_release(&a);
	return found;
}

enum status formats_read(enum format f, const struct format_file *files, size_t count, struct arena *a,
	struct labelled_set *out, struct err *err)
{
	CHECK(f < FORMAT_COUNT);
	struct collect c;
	enum format other = FORMAT_NONE;
	collect_init(&c, files, count, a);
	if (f == FORMAT_NONE)
		f = detect(&c, &other);
	if (other != FORMAT_NONE)
		problems_add(&c.problems,
			"There are annotations of %s as well; those of %s are read. Name the format to "
			"choose.",
			formats[other].name, formats[f].name);
	formats[f].read(&c);
	collect_finish(&c, f, out);
	if (out->image_count == 0)
		return err_set(err, ST_UNPROCESSABLE,
			"There is neither an image nor an annotation that is read here in these %zu "
			"files%s%s",
			count, out->problem_count ? ": " : ".", out->problem_count ? out->problems[0] : "");
	return ST_OK;
}

enum status formats_write(enum format f, const struct labelled_set *set, struct arena *a,
	struct format_export *out, struct err *err)
{
	CHECK(f < FORMAT_COUNT);
	if (formats[f].write == NULL)
		return err_set(
			err, ST_UNSUPPORTED, "There is no format to write: name COCO, VOC, YOLO or folders.");
	struct writing w = {.set = set, .arena = a, .err = err, .problems = {.arena = a}};
	TRY(writing_start(&w));
	enum status st = formats[f].write(&w);
	writing_finish(&w, out);
	return st;
}
