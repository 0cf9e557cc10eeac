/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Import: pictures and annotation files of others become data, assets, labels and annotations of a dataset
 * version. What is wrong with one picture or box is said by its name, and the rest is imported. The same
 * again changes nothing: a picture is known by its file name and its bytes, shapes that are there are not
 * written.
 *
 * A folder larger than one request is sent in several, each with the annotations of its pictures. A request
 * without pictures is of assets that the version has already, found by their file names.
 */
#ifndef GYRE_LEARN_DATASET_IMPORT_H
#define GYRE_LEARN_DATASET_IMPORT_H

#include "formats/formats.h"
#include "jobs/jobs.h"
#include "store/blob.h"

#define DATASET_IMPORT_SOURCE "import" /* the data source of its pictures */
/* Annotations are read into memory many times their size. */
#define DATASET_IMPORT_ANNOTATION_BYTES_MAX ((uint64_t)256 << 20)
#define DATASET_IMPORT_PROBLEMS_MAX 1000 /* kept; all are counted */

/* What becomes of an asset's annotation where there is one already. */
enum dataset_import_mode { IMPORT_REPLACE, IMPORT_KEEP, IMPORT_CONCATENATE, IMPORT_MODE_COUNT };
/* "REPLACE", …; false: it is none. */
bool dataset_import_mode_parse(const char *text, enum dataset_import_mode *out);

struct dataset_import_file {
	const char *name; /* with its folders */
	struct span bytes;
	bool picture; /* else an annotation file */
};

struct dataset_import_request {
	struct uuid dataset_version_id;
	enum format format; /* FORMAT_NONE: whichever it is */
	enum dataset_import_mode mode;
	const struct dataset_import_file *files;
	size_t file_count;
	const char *who;
	/* Called when the bytes of the files are needed no more, once, also when nothing is started. */
	void (*release)(void *arg);
	void *arg;
};

struct dataset_import_world {
	struct jobs *jobs;
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
};

/*
 * A job of the kind "dataset_import". Its result: {"images" of the request that could be read, "assets_new",
 * "annotated", "shapes", "labels_new", "unchanged", "annotated_elsewhere" (images whose picture was not sent
 * with it), "problems", "problems_left_out"}.
 * ST_INVALID: no files; ST_TOO_LARGE: too many annotations; ST_LOCKED, ST_MISSING: the version.
 */
enum status dataset_import_start(const struct dataset_import_world *world,
	const struct dataset_import_request *request, struct arena *a, struct job_row *job,
	struct err *err) MUST_CHECK;

#endif
