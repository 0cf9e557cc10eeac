/* SPDX-License-Identifier: Apache-2.0 */
/* Export: a dataset version as annotation files of others, with or without its pictures. */
#ifndef GYRE_LEARN_DATASET_EXPORT_H
#define GYRE_LEARN_DATASET_EXPORT_H

#include "formats/formats.h"
#include "store/blob.h"
#include "store/db.h"

enum dataset_export_side { EXPORT_ALL, EXPORT_TRAINING, EXPORT_EVALUATION, EXPORT_SIDE_COUNT };
/* "all", "training", "evaluation"; false: it is none. */
bool dataset_export_side_parse(const char *text, enum dataset_export_side *out);

struct dataset_export_options {
	struct uuid dataset_version_id;
	enum format format;            /* COCO, VOC or YOLO */
	enum dataset_export_side side; /* TRAINING leaves out what is kept for evaluation */
	bool use_id;                   /* file names are the ids of the assets */
	const char *status;            /* only annotations of this status; NULL: all */
	const struct uuid *asset_ids;  /* only these assets; NULL: all */
	size_t asset_count;
};

struct dataset_export_image {
	const char *path;   /* where it belongs beside the annotations */
	const char *sha256; /* of its blob */
};

/* All in the arena. */
struct dataset_export {
	const char *name; /* "BCCD_v1_coco": fit for a file */
	int64_t created_us;
	struct labelled_set set;
	struct format_export files;
	struct dataset_export_image *images; /* those of the set that have bytes */
	size_t image_count;
};

/*
 * Of one snapshot. Of several annotations of an asset the newest counts. Labels keep their positions: they
 * are the class indexes. Two pictures of one name get different ones, and names that no file may have are
 * replaced; both are said in the problems of the files, as is what a format cannot hold. ST_MISSING: the
 * version; ST_INVALID: an asset that is not one of it; ST_UNPROCESSABLE: a label's name.
 */
enum status dataset_export_make(struct db_conn *c, const struct dataset_export_options *options,
	struct arena *a, struct dataset_export *out, struct err *err) MUST_CHECK;

/* The files, and the pictures where they are asked for, as a zip in a folder: os/archive.h. What could not be
 * said stands in problems.md beside them. ST_UNPROCESSABLE: there is nothing. */
enum status dataset_export_zip(const struct dataset_export *e, struct blob *blobs, bool images,
	const char *folder, struct arena *a, int *fd, uint64_t *size, struct err *err) MUST_CHECK;

#endif
