/* SPDX-License-Identifier: Apache-2.0 */
/* Image → model input, in one pass: resize, pad, colour order, scale, layout. And the way back for coordinates. */
#ifndef GYRE_VISION_TENSOR_H
#define GYRE_VISION_TENSOR_H

#include "vision/image.h"

enum fit { FIT_LETTERBOX, FIT_STRETCH, FIT_CENTER_CROP };
enum pad_at { PAD_CENTER, PAD_BOTTOM_RIGHT }; /* BOTTOM_RIGHT: the image sits in the top left corner */
enum colour { COLOUR_RGB, COLOUR_BGR, COLOUR_GREY };
enum layout { LAYOUT_NCHW, LAYOUT_NHWC };
enum sample { SAMPLE_FLOAT32, SAMPLE_UINT8, SAMPLE_FLOAT16 };

/* value = (pixel * scale - mean[c]) / std[c], c in the model's channel order. Padding has the pixel value pad_value. */
struct tensor_spec {
	uint32_t width, height; /* of the model's input */
	enum fit fit;
	enum pad_at pad_at;
	uint8_t pad_value;      /* 0…255, 114 for the YOLO family */
	enum colour colour;
	enum layout layout;
	enum sample sample;     /* UINT8 ignores scale, mean and std */
	float scale;            /* 1 for 0…255, 1/255 for 0…1 */
	float mean[3], std[3];
};

/* model = image * scale + offset, each axis by itself. */
struct tensor_map {
	float scale_x, scale_y;
	float offset_x, offset_y;
	uint32_t image_width, image_height;
};

size_t tensor_size(const struct tensor_spec *spec); /* bytes of one image */
unsigned tensor_channels(const struct tensor_spec *spec);

/*
 * Fill out (tensor_size bytes). Bilinear with half-pixel centres, as OpenCV's INTER_LINEAR; when it shrinks by more than 2
 * it still samples 2x2 (as OpenCV does), so that results agree with how such models were trained.
 * Letterbox sizes: round(side * ratio) as most exporters, with ratio = min(width/w, height/h).
 */
void tensor_fill(const struct image *image, const struct tensor_spec *spec, void *out, struct tensor_map *map);

#endif
