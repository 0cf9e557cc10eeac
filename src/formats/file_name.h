/* SPDX-License-Identifier: Apache-2.0 */
/* Names that come from other people's files: cleaned, compared, or refused. */
#ifndef GYRE_FORMATS_FILE_NAME_H
#define GYRE_FORMATS_FILE_NAME_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum file_kind { FILE_IMAGE, FILE_JSON, FILE_XML, FILE_TEXT, FILE_YAML, FILE_NAMES, FILE_DATA, FILE_OTHER };

enum file_kind file_kind_of(const char *path); /* by its extension, any case */

/* With "\" as "/", without "./" and doubled slashes; NULL when it is empty, too long, no UTF-8, has control
 * characters, or could lead out of the folder it is looked for in (an absolute path, a drive, ".."). */
const char *file_name_clean(const char *name, struct arena *a);
/* A label without outer blanks; NULL when it is empty, too long, no UTF-8 or has control characters. */
const char *label_clean(const char *label, size_t size, struct arena *a);

/* Without a first folder that is of a layout and not of the name: images, JPEGImages, obj_train_data. */
const char *file_name_below_images(const char *path);
const char *file_base(const char *path);   /* behind the last slash */
size_t file_folder_size(const char *path); /* characters up to and with the last slash; 0: none */
size_t file_stem_size(const char *base);   /* characters of a base before its extension */
/* How near two files are: folders that they share from the root, and from the files up. */
unsigned file_nearness(const char *a, const char *b);

/* Fit to stand in a sentence: quoted, at most 100 bytes of it, control characters as "?". */
const char *shown(const char *text, struct arena *a);

#endif
