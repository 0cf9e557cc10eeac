/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of pictures and annotation files in parts that a request takes: some pictures each, with their own
 * annotations (a file called like the picture) and those of all (COCO's json, the names of classes).
 */
#ifndef GYRE_CLI_DATASET_FILES_H
#define GYRE_CLI_DATASET_FILES_H

#include "cli/files.h"
#include "cli/where.h"

struct dataset_file {
	const char *path, *name; /* name: below the folder */
	const char *stem;        /* of its base, in lower case */
	uint64_t size;
	bool picture;
	size_t owner; /* of an annotation file: the picture that it is called like, or SIZE_MAX */
};

struct dataset_files {
	struct files found;
	struct dataset_file *files; /* pictures by path; annotations of theirs in that order; those of all */
	size_t count, picture_count;
	size_t general;  /* where those of all begin */
	size_t done;     /* pictures of the parts so far */
	size_t next_own; /* annotation file of the next picture */
	const struct dataset_file **part;
};

struct dataset_part {
	const struct dataset_file *const *files;
	size_t count;
};

void dataset_files_init(struct dataset_files *d);
void dataset_files_release(struct dataset_files *d);
/* ST_MISSING: the folder, or anything in it that could be imported; ST_TOO_LARGE: annotation files of no
 * picture. */
enum status dataset_files_read(struct dataset_files *d, const char *folder, struct err *err) MUST_CHECK;
/* Pictures alone, in a folder for each of several classes. */
bool dataset_files_are_classes(const struct dataset_files *d);
/* False: all was given. The part is good until the next. */
bool dataset_files_next(struct dataset_files *d, struct dataset_part *part);

/* `gyre dataset import …`, `gyre dataset export …`: argv[0] is that word. */
int cli_dataset_import(int argc, char **argv);
int cli_dataset_export(int argc, char **argv);

#endif
