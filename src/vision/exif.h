/* SPDX-License-Identifier: Apache-2.0 */
/* The one thing in EXIF metadata that changes pixels: which way is up. */
#ifndef GYRE_VISION_EXIF_H
#define GYRE_VISION_EXIF_H

#include "vision/image.h"

/* 1…8 from the first EXIF block of a JPEG (APP1), PNG (eXIf) or WebP (EXIF); 1 when there is none or it is
 * broken. */
uint8_t exif_orientation(enum image_format format, struct span file);

/* The same of a bare EXIF block: a TIFF header and its first directory, with or without "Exif\0\0" before it.
 */
uint8_t exif_block_orientation(struct span block);

#endif
