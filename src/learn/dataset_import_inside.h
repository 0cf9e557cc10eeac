/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the import: reading the files (dataset_import.c), writing rows
 * (dataset_import_write.c). */
#ifndef GYRE_LEARN_DATASET_IMPORT_INSIDE_H
#define GYRE_LEARN_DATASET_IMPORT_INSIDE_H

#include "formats/problems.h"
#include "learn/dataset_import.h"
#include "store/dataset_rows.h"
#include "vision/image.h"

/* A picture of the request that can be read. */
struct import_picture {
	const char *path; /* cleaned */
	struct span bytes;
	struct image_info info;
	struct uuid asset_id; /* that it became */
};

struct import_counts {
	int64_t assets_new, annotated, unchanged, shapes, labels_new;
	int64_t elsewhere; /* annotated images whose picture was not sent */
};

/* One import; lives as long as its job, in its arena. */
struct importing {
	struct arena arena;
	struct dataset_import_world world;
	struct uuid version_id;
	enum format format;
	enum dataset_import_mode mode;
	const char *who;
	const struct dataset_import_file *files;
	size_t file_count;
	void (*release)(void *arg);
	void *arg;

	struct import_picture *pictures; /* by path */
	size_t picture_count;
	struct labelled_set set;
	struct uuid *label_ids; /* of the set's labels */
	struct uuid datalake_id, source_id;
	const char *version_name; /* "BCCD:v1" */
	struct problems problems;
	struct import_counts counts;
};

/* One image on its way into rows. */
struct import_item {
	const struct labelled_image *image;
	struct import_picture *picture; /* NULL: an asset that is there, found by its name */
	struct uuid asset_id;           /* where picture is NULL */
	char sha256[SHA256_HEX_SIZE];   /* of the picture's stored bytes */
};

/* Labels of the set, in its order; and what the version finds, where nobody has said it. One transaction. */
enum status import_write_labels(struct importing *im, struct err *err) MUST_CHECK;
/* Assets and annotations of some images: one transaction. */
enum status import_write_items(
	struct importing *im, struct import_item *items, size_t count, struct err *err) MUST_CHECK;

#endif
