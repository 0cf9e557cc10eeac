/* SPDX-License-Identifier: Apache-2.0 */
/* Image → model input, in one pass: resize, pad, colour order, scale, layout. And the way back for
 * coordinates. */
#ifndef GYRE_VISION_TENSOR_H
#define GYRE_VISION_TENSOR_H

#include "vision/image.h"

/* LETTERBOX: the whole image, padded. CENTER_CROP: the image covers the input and its middle is taken. */
enum fit { FIT_LETTERBOX, FIT_STRETCH, FIT_CENTER_CROP };
enum pad_at { PAD_CENTER, PAD_BOTTOM_RIGHT }; /* BOTTOM_RIGHT: the image sits in the top left corner */
enum colour { COLOUR_RGB, COLOUR_BGR, COLOUR_GREY };
enum layout { LAYOUT_NCHW, LAYOUT_NHWC };
enum sample { SAMPLE_FLOAT32, SAMPLE_UINT8, SAMPLE_FLOAT16 };

/* value = (pixel * scale - mean[c]) / std[c], c in the model's channel order. Padding has the pixel value
 * pad_value. */
struct tensor_spec {
	uint32_t width, height; /* of the model's input */
	enum fit fit;
	enum pad_at pad_at;
	uint8_t pad_value; /* 0…255, 114 for the YOLO family */
	enum colour colour;
	enum layout layout;
	enum sample sample;    /* UINT8 ignores scale, mean and std */
	float scale;           /* 1 for 0…255, 1/255 for 0…1 */
	float mean[3], std[3]; /* std must not be 0 for the channels used */
};

/* model = image * scale + offset, each axis by itself, of points: a pixel covers [x, x+1). */
struct tensor_map {
	float scale_x, scale_y;
	float offset_x, offset_y;
	uint32_t image_width, image_height;
};

size_t tensor_size(const struct tensor_spec *spec); /* bytes of one image */
unsigned tensor_channels(const struct tensor_spec *spec);

/*
 * Fill out (tensor_size bytes, aligned for its samples). Bilinear with half-pixel centres, rounded to 8 bits
 * before the arithmetic, as OpenCV's INTER_LINEAR (at most one level apart); when it shrinks by more than 2
 * it still samples 2x2 (as OpenCV does), so that results agree with how such models were trained. The sides
 * of the resized image are round(side * ratio) as most exporters, at least 1, with ratio = min(width/w,
 * height/h) for LETTERBOX, max for CENTER_CROP. Float16 is rounded to nearest even. Out of memory is fatal
 * (it takes a few rows).
 */
void tensor_fill(
	const struct image *image, const struct tensor_spec *spec, void *out, struct tensor_map *map);

/*
 * What a person sees of a tensor of this spec (tensor_size bytes, aligned): a picture of the input's size, in
 * which scale, mean and std, the order of the colours and the layout are undone; grey is R = G = B. Values
 * outside of 0…255 are cut, what is no number is black. image_release() frees it; out of memory is fatal.
 */
void tensor_show(const struct tensor_spec *spec, const void *tensor, struct image *out);

#endif
