/* SPDX-License-Identifier: Apache-2.0 */
/* One reader and one writer a format, as formats.c lists them. */
#ifndef GYRE_FORMATS_READERS_H
#define GYRE_FORMATS_READERS_H

#include "formats/collect.h"

/* Do the files hold annotations of this format? By names and first bytes: nothing is parsed. */
bool coco_is_there(struct collect *c);
bool voc_is_there(struct collect *c);
bool yolo_is_there(struct collect *c);
bool folders_are_there(struct collect *c);

void coco_read(struct collect *c);
void voc_read(struct collect *c);
void yolo_read(struct collect *c);
void folders_read(struct collect *c);

#endif
