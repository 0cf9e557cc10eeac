/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JPEG through libjpeg-turbo's jpeglib API, which has the limits that its simpler API lacks: memory for
 * coefficients and a say after each row of blocks. Errors leave by longjmp; guarded() is the one place where
 * they land.
 */
#include "vision/codec.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

/* libjpeg's message numbers, from its own list; its macros beside them use functions that are banned here. */
#define JERROR_H
#define JMESSAGE(code, text) code,
enum jpeg_message {
#include <jerror.h>
	JPEG_MESSAGE_COUNT
};

/* Encoders write about 10 scans; each costs a walk over all blocks, however small its data. */
#define SCANS_MAX 64

struct jpeg_reader {
	struct jpeg_decompress_struct jpeg;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf escape;
	struct span bytes;
	const struct image_limits *limits; /* from here on for decode only */
	struct image *out;
	bool ended; /* the data ended before the end marker */
	enum status status;
	struct err *err;
};

static _Noreturn void fail(struct jpeg_reader *r, enum status st, const char *sentence)
{
	r->status = err_set(r->err, st, "%s", sentence);
	longjmp(r->escape, 1);
}

static enum status status_of(int code)
{
	switch (code) {
	case JERR_OUT_OF_MEMORY: return ST_UNAVAILABLE;
	case JERR_NO_BACKING_STORE: return ST_TOO_LARGE; /* max_memory_to_use was reached */
	case JERR_SOF_UNSUPPORTED:
	case JERR_BAD_PRECISION:
	case JERR_ARITH_NOTIMPL:
	case JERR_CONVERSION_NOTIMPL:
	case JERR_COMPONENT_COUNT:
	case JERR_CCIR601_NOTIMPL:
	case JERR_FRACT_SAMPLE_NOTIMPL: return ST_UNSUPPORTED;
	default: return ST_UNPROCESSABLE;
	}
}

static _Noreturn void escape_error(j_common_ptr common)
{
	struct jpeg_reader *r = common->client_data;
	char reason[JMSG_LENGTH_MAX], sentence[JMSG_LENGTH_MAX + 80];
	common->err->format_message(common, reason);
	enum status st = status_of(common->err->msg_code);
	snprintf(sentence, sizeof(sentence), "This JPEG cannot be decoded%s: %s.",
		st == ST_UNSUPPORTED ? " here"
		: st == ST_TOO_LARGE ? " within the memory limit"
				     : "",
		reason);
	fail(r, st, sentence);
}

static _Noreturn void escape_damage(struct jpeg_reader *r)
{
	char sentence[160];
	if (r->jpeg.progressive_mode || r->jpeg.output_scanline == 0)
		snprintf(sentence, sizeof(sentence),
			"This JPEG is cut off or damaged: part of its data is missing.");
	else
		snprintf(sentence, sizeof(sentence),
			"This JPEG is cut off or damaged: rows from about %u of %u on are missing.",
			r->jpeg.output_scanline, r->jpeg.output_height);
	fail(r, ST_UNPROCESSABLE, sentence);
}

/* libjpeg paints over lost pixels and goes on with a warning; an answer on invented pixels would be wrong, so
 * we stop. */
static void take_warning(j_common_ptr common, int level)
{
	struct jpeg_reader *r = common->client_data;
	if (level >= 0)
		return;
	switch (common->err->msg_code) {
	case JWRN_JPEG_EOF: r->ended = true; break;
	case JWRN_HIT_MARKER:
	case JWRN_HUFF_BAD_CODE:
	case JWRN_ARITH_BAD_CODE:
	case JWRN_MUST_RESYNC: escape_damage(r);
	default: break; /* extraneous bytes, odd JFIF versions and the like lose nothing */
	}
}

static void ignore_message(j_common_ptr common)
{
}

static void limit_scans(j_common_ptr common)
{
	struct jpeg_reader *r = common->client_data;
	if (r->jpeg.input_scan_number > SCANS_MAX)
		fail(r, ST_TOO_LARGE, "This progressive JPEG has too many scans; 64 are read at most.");
}

/* setjmp lives here and no local variable changes after it, so nothing can be clobbered. */
static enum status guarded(struct jpeg_reader *r, void (*step)(struct jpeg_reader *))
{
	if (setjmp(r->escape) != 0)
		return r->status;
	step(r);
	return ST_OK;
}

static void read_header(struct jpeg_reader *r)
{
	r->jpeg.err = jpeg_std_error(&r->errors);
	r->errors.error_exit = escape_error;
	r->errors.emit_message = take_warning;
	r->errors.output_message = ignore_message;
	r->jpeg.client_data = r;
	jpeg_create_decompress(&r->jpeg);
	jpeg_mem_src(&r->jpeg, r->bytes.data, r->bytes.size);
	jpeg_read_header(&r->jpeg, TRUE);
	/* Two components, or more than four, are none of the spaces that an image has. */
	if (r->jpeg.jpeg_color_space == JCS_UNKNOWN)
		fail(r, ST_UNSUPPORTED,
			"This JPEG is neither grey, colour nor CMYK; gyre reads no other kind.");
}

static uint64_t blocks(uint64_t side, int factor, int factor_max)
{
	uint64_t samples = (side * (uint64_t)factor + (uint64_t)factor_max - 1) / (uint64_t)factor_max;
	uint64_t count = (samples + 7) / 8;
	return (count + (uint64_t)factor - 1) / (uint64_t)factor * (uint64_t)factor;
}

/* A JPEG of several scans is decoded from an array of all its coefficients, 2 bytes each. */
static uint64_t coefficient_bytes(const struct jpeg_decompress_struct *jpeg)
{
	uint64_t sum = 0;
	for (int i = 0; i < jpeg->num_components; i++) {
		const jpeg_component_info *c = &jpeg->comp_info[i];
		sum += blocks(jpeg->image_width, c->h_samp_factor, jpeg->max_h_samp_factor) *
		       blocks(jpeg->image_height, c->v_samp_factor, jpeg->max_v_samp_factor) * DCTSIZE2 *
		       sizeof(JCOEF);
	}
	return sum;
}

static enum status jpeg_inspect(
	struct span bytes, struct image_info *info, uint64_t *memory_bytes, struct err *err)
{
	struct jpeg_reader r = {.bytes = bytes, .err = err};
	enum status st = guarded(&r, read_header);
	if (st == ST_OK) {
		info->width = r.jpeg.image_width;
		info->height = r.jpeg.image_height;
		info->progressive = jpeg_has_multiple_scans(&r.jpeg);
		*memory_bytes = info->progressive ? coefficient_bytes(&r.jpeg) : 0;
	}
	jpeg_destroy_decompress(&r.jpeg);
	return st;
}

/* Adobe's programs store CMYK inverted (255 is no ink), and say so with their marker. */
static void cmyk_row_to_rgb(const uint8_t *cmyk, uint8_t *rgb, uint32_t width, bool inverted)
{
	for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
		unsigned black = inverted ? cmyk[3] : 255u - cmyk[3];
		for (unsigned c = 0; c < 3; c++) {
			unsigned ink = inverted ? cmyk[c] : 255u - cmyk[c];
			rgb[c] = (uint8_t)((ink * black + 127) / 255);
		}
	}
}

static void check_complete(struct jpeg_reader *r)
{
	for (int i = 0; i < r->jpeg.num_components; i++) {
		/* libjpeg takes a component's table at its first scan: none means that there was no scan. */
		if (r->jpeg.comp_info[i].quant_table == NULL)
			escape_damage(r);
		if (!r->ended || !r->jpeg.progressive_mode)
			continue;
		/* Cut exactly between two scans. 0: known to the last bit; -1: nothing known; else bits to
		 * come. */
		for (int k = 0; k < DCTSIZE2; k++)
			if (r->jpeg.coef_bits[i][k] != 0)
				escape_damage(r);
	}
}

static void read_pixels(struct jpeg_reader *r)
{
	struct jpeg_decompress_struct *jpeg = &r->jpeg;
	bool cmyk = jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK;
	jpeg->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
	jpeg->mem->max_memory_to_use = (long)r->limits->memory_bytes_max;
	r->progress.progress_monitor = limit_scans;
	jpeg->progress = &r->progress;
	jpeg_start_decompress(jpeg);
	if (jpeg->output_width != r->out->width || jpeg->output_height != r->out->height)
		fail(r, ST_UNPROCESSABLE, "This JPEG states two different sizes.");

	JSAMPARRAY ink = NULL;
	if (cmyk)
		ink = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, 4 * jpeg->output_width, 1);
	while (jpeg->output_scanline < jpeg->output_height) {
		uint8_t *row = r->out->pixels + (size_t)3 * jpeg->output_width * jpeg->output_scanline;
		jpeg_read_scanlines(jpeg, cmyk ? ink : &row, 1);
		if (cmyk)
			cmyk_row_to_rgb(ink[0], row, jpeg->output_width, jpeg->saw_Adobe_marker);
	}
	check_complete(r);
}

static enum status jpeg_decode(
	struct span bytes, const struct image_limits *limits, struct image *out, struct err *err)
{
	struct jpeg_reader r = {.bytes = bytes, .limits = limits, .out = out, .err = err};
	enum status st = guarded(&r, read_header);
	if (st == ST_OK)
		st = guarded(&r, read_pixels);
	jpeg_destroy_decompress(&r.jpeg);
	return st;
}

static bool jpeg_sniff(struct span bytes)
{
	return bytes.size >= 3 && memcmp(bytes.data, "\xff\xd8\xff", 3) == 0;
}

const struct codec codec_jpeg = {
	.format = IMAGE_JPEG,
	.name = "JPEG",
	.content_type = "image/jpeg",
	.sniff = jpeg_sniff,
	.inspect = jpeg_inspect,
	.decode = jpeg_decode,
};
