/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of files for tests of src/formats: made up, and real ones with the sizes of their images. */
#ifndef GYRE_TEST_FORMAT_SAMPLES_H
#define GYRE_TEST_FORMAT_SAMPLES_H

#include "data_samples.h"
#include "formats/formats.h"
#include "vision/image.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

#define SAMPLE_FILES_MAX 4096

struct sample_files {
	struct arena arena;
	struct format_file *files;
	size_t count;
	struct labelled_set set;
	struct err err;
};

static inline void files_init(struct sample_files *s)
{
	*s = (struct sample_files){0};
	arena_init(&s->arena);
	s->files = ARENA_ARRAY(&s->arena, struct format_file, SAMPLE_FILES_MAX);
}

static inline void files_release(struct sample_files *s)
{
	arena_release(&s->arena);
}

static inline void add_bytes(struct sample_files *s, const char *path, const void *bytes, size_t size)
{
	CHECK(s->count < SAMPLE_FILES_MAX);
	s->files[s->count++] = (struct format_file){
		.path = arena_strdup(&s->arena, path), .bytes = arena_copy(&s->arena, span_of(bytes, size))};
}

static inline void add_text(struct sample_files *s, const char *path, const char *text)
{
	add_bytes(s, path, text, strlen(text));
}

static inline void add_image(struct sample_files *s, const char *path, uint32_t width, uint32_t height)
{
	add_bytes(s, path, NULL, 0);
	s->files[s->count - 1].width = width;
	s->files[s->count - 1].height = height;
}

static inline void read_as(struct sample_files *s, enum format f)
{
	if (formats_read(f, s->files, s->count, &s->arena, &s->set, &s->err) != ST_OK)
		fail_msg("%s", s->err.text);
}

/* ---- real ones ---- */

static inline void add_real_folder(struct sample_files *s, const char *folder, const char *below)
{
	const char *path = arena_printf(&s->arena, "%s/%s/%s", real_data_folder(), folder, below);
	DIR *d = opendir(path);
	CHECK(d != NULL);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		const char *name = arena_printf(&s->arena, "%s%s%s", below, *below ? "/" : "", e->d_name);
		struct stat st;
		CHECK(stat(arena_printf(&s->arena, "%s/%s/%s", real_data_folder(), folder, name), &st) == 0);
		if (S_ISDIR(st.st_mode)) {
			add_real_folder(s, folder, name);
			continue;
		}
		struct span bytes = real_file(arena_printf(&s->arena, "%s/%s", folder, name), &s->arena);
		struct image_info info;
		CHECK(s->count < SAMPLE_FILES_MAX);
		s->files[s->count] = (struct format_file){.path = name, .bytes = bytes};
		if (image_inspect(bytes, NULL, &info, NULL) == ST_OK) {
			s->files[s->count].bytes = span_of(NULL, 0);
			s->files[s->count].width = info.width;
			s->files[s->count].height = info.height;
		}
		s->count++;
	}
	closedir(d);
}

/* All files of a folder of the real data, read as a format. */
static inline void read_real(struct sample_files *s, const char *folder, enum format f)
{
	add_real_folder(s, folder, "");
	read_as(s, f);
}

/* ---- what came of it ---- */

static inline size_t count_shapes(const struct labelled_set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < set->image_count; i++)
		count += set->images[i].shape_count;
	return count;
}

static inline size_t count_of_label(const struct labelled_set *set, const char *label)
{
	size_t count = 0;
	for (size_t i = 0; i < set->image_count; i++)
		for (size_t k = 0; k < set->images[i].shape_count; k++)
			count += strcmp(set->labels[set->images[i].shapes[k].label], label) == 0;
	return count;
}

static inline size_t count_annotated(const struct labelled_set *set)
{
	size_t count = 0;
	for (size_t i = 0; i < set->image_count; i++)
		count += set->images[i].annotated;
	return count;
}

static inline const struct labelled_image *image_named(const struct labelled_set *set, const char *filename)
{
	for (size_t i = 0; i < set->image_count; i++)
		if (strcmp(set->images[i].filename, filename) == 0)
			return &set->images[i];
	fail_msg("no image %s", filename);
	return NULL;
}

/* How many problems hold both texts. */
static inline size_t problems_with(const struct labelled_set *set, const char *a, const char *b)
{
	size_t count = 0;
	for (size_t i = 0; i < set->problem_count; i++)
		count += strstr(set->problems[i], a) && strstr(set->problems[i], b);
	return count;
}

static inline void print_problems(const struct labelled_set *set)
{
	for (size_t i = 0; i < set->problem_count; i++)
		print_message("%s\n", set->problems[i]);
}

static inline void expect_no_problems(const struct labelled_set *set)
{
	print_problems(set);
	assert_int_equal(set->problem_count, 0);
}

static inline void expect_box(const struct labelled_set *set, const struct labelled_shape *s,
	const char *label, float x1, float y1, float x2, float y2)
{
	assert_int_equal(s->kind, SHAPE_BOX);
	assert_string_equal(set->labels[s->label], label);
	assert_float_equal(s->box.x1, x1, 1e-3);
	assert_float_equal(s->box.y1, y1, 1e-3);
	assert_float_equal(s->box.x2, x2, 1e-3);
	assert_float_equal(s->box.y2, y2, 1e-3);
}

#endif
