/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/files.h"

#include "base/check.h"

#include <dirent.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

#define FOLDER_DEPTH_MAX 16

void files_init(struct files *f)
{
	*f = (struct files){0};
	arena_init(&f->arena);
}

void files_release(struct files *f)
{
	free(f->paths);
	arena_release(&f->arena);
}

static void add_file(struct files *f, const char *path)
{
	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 64;
		f->paths = realloc(f->paths, f->room * sizeof(*f->paths));
		CHECK(f->paths != NULL);
	}
	f->paths[f->count++] = arena_strdup(&f->arena, path);
}

bool files_has_ending(const char *name, const char *const *endings)
{
	const char *dot = strrchr(name, '.');
	for (; dot && *endings; endings++)
		if (strcasecmp(dot, *endings) == 0)
			return true;
	return false;
}

bool files_is_image(const char *name)
{
	static const char *const endings[] = {".jpg", ".jpeg", ".png", ".webp", NULL};
	return files_has_ending(name, endings);
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static enum status add_path(
	struct files *f, const char *path, bool (*wants)(const char *name), int depth, struct err *err)
{
	struct stat info;
	if (stat(path, &info) != 0)
		return err_set(err, ST_MISSING, "There is no file or folder %s.", path);
	if (!S_ISDIR(info.st_mode)) {
		if (depth == 0 || wants(path))
			add_file(f, path);
		return f->count < FILES_MAX
			       ? ST_OK
			       : err_set(err, ST_TOO_LARGE, "These are more than %u files.", FILES_MAX);
	}
	if (depth > FOLDER_DEPTH_MAX)
		return err_set(err, ST_TOO_LARGE, "The folder %s is nested too deep.", path);
	struct dirent **entries;
	int count = scandir(path, &entries, no_dots, alphasort);
	if (count < 0)
		return err_errno(err, "The folder %s cannot be read", path);
	enum status st = ST_OK;
	for (int i = 0; i < count; i++) {
		if (st == ST_OK)
			st = add_path(f, arena_printf(&f->arena, "%s/%s", path, entries[i]->d_name), wants,
				depth + 1, err);
		free(entries[i]);
	}
	free(entries);
	return st;
}

enum status files_add(struct files *f, const char *path, bool (*wants)(const char *name), struct err *err)
{
	return add_path(f, path, wants, 0, err);
}
