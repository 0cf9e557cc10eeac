/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample model that ships: a detector of red, green and blue rectangles in a drawn
 * scene, of fixed weights, so that a first prediction needs no download.
 */
#ifndef GYRE_ENGINE_SAMPLE_H
#define GYRE_ENGINE_SAMPLE_H

#include "base/arena.h"
#include "base/span.h"

#define ENGINE_SAMPLE_SIDE 320
#define ENGINE_SAMPLE_LABELS                                                                                 \
	{                                                                                                    \
		"red", "green", "blue"                                                                       \
	}

/*
 * An ONNX file, in the arena. In: images [1,3,320,320] float RGB 0…1. Out: output0 [1,7,1083], as
 * Ultralytics' v8 has it: cx, cy, w, h in pixels of the input, then three scores 0…1. Finds rectangles of
 * 16…80 pixels a side that stand apart; metadata as Ultralytics' (task, imgsz, stride, names).
 *
 * How: a 1x1 convolution and a clip make a mask for each colour; pools over windows of 96 pixels take the
 * mask's mass, mean and variance in x and y. A uniform rectangle of width w has the variance w²/12, so the
 * box follows from the moments. The score is how well the mask fills that box, less what touches the window's
 * rim (a window that cuts a rectangle knows only a part of it).
 */
struct span engine_sample_detector(struct arena *a);

#endif
