/* SPDX-License-Identifier: Apache-2.0 */
/* PNG through libspng, row by row: palettes, 1…16 bits, alpha on white, interlaced. Of an APNG its still
 * image. */
#include "vision/codec.h"

#include <inttypes.h>
#include <stdlib.h>

#include <spng.h>

/* The grids of Adam7's seven passes (PNG specification, 8.2). */
static const uint8_t adam7_left[] = {0, 4, 0, 2, 0, 1, 0}, adam7_step[] = {8, 8, 4, 4, 2, 2, 1};

static enum status png_error(int code, struct err *err)
{
	switch (code) {
	case SPNG_EMEM: return err_set(err, ST_UNAVAILABLE, "There is no memory to decode this PNG now.");
	case SPNG_ECHUNK_LIMITS:
		return err_set(
			err, ST_TOO_LARGE, "This PNG carries more metadata than the memory limit allows.");
	case SPNG_IO_EOF:
		return err_set(err, ST_UNPROCESSABLE, "This PNG is cut off: part of its data is missing.");
	default:
		return err_set(err, ST_UNPROCESSABLE, "This PNG cannot be decoded: %s.", spng_strerror(code));
	}
}

static int png_open(struct span bytes, uint64_t metadata_bytes_max, spng_ctx **png, struct spng_ihdr *header)
{
	*png = spng_ctx_new(0);
	if (*png == NULL)
		return SPNG_EMEM;
	int code = spng_set_chunk_limits(*png, (size_t)metadata_bytes_max, (size_t)metadata_bytes_max);
	if (code == 0)
		code = spng_set_png_buffer(*png, bytes.data, bytes.size);
	return code ? code : spng_get_ihdr(*png, header);
}

static enum status png_inspect(
	struct span bytes, struct image_info *info, uint64_t *memory_bytes, struct err *err)
{
	if (bytes.size >= 16 && memcmp(bytes.data + 12, "CgBI", 4) == 0)
		return err_set(err, ST_UNSUPPORTED,
			"This is Apple's variant of PNG (CgBI), which only its own programs read; save it as "
			"a standard PNG.");
	spng_ctx *png;
	struct spng_ihdr header;
	int code = png_open(bytes, image_limits_default.memory_bytes_max, &png, &header);
	spng_ctx_free(png);
	if (code != 0)
		return png_error(code, err);
	info->width = header.width;
	info->height = header.height;
	*memory_bytes = (uint64_t)32 * header.width; /* rows: two as stored, one or two expanded */
	return ST_OK;
}

/* Transparency comes with the colour type or with a tRNS chunk. */
static int png_has_alpha(spng_ctx *png, const struct spng_ihdr *header, bool *out)
{
	struct spng_trns transparent;
	int code = spng_get_trns(png, &transparent);
	*out = code == 0 || header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
	       header->color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
	return code == SPNG_ECHUNKAVAIL ? 0 : code;
}

/* Decode each stored row into scratch (4 bytes a pixel) and put its pixels where their pass wants them. *at
 * says how far it came. */
static int read_rows(spng_ctx *png, bool interlaced, bool alpha, uint8_t *scratch, struct image *out,
	struct spng_row_info *at)
{
	int code = spng_get_row_info(png, at);
	while (code == 0) {
		uint32_t left = interlaced ? adam7_left[at->pass] : 0;
		uint32_t step = interlaced ? adam7_step[at->pass] : 1;
		uint32_t count = (out->width - left + step - 1) / step;
		uint8_t *row = out->pixels + 3 * ((size_t)at->row_num * out->width + left);
		bool direct = !alpha && step == 1;
		if (direct)
			code = spng_decode_scanline(png, row, (size_t)3 * out->width);
		else
			code = spng_decode_scanline(png, scratch, (size_t)4 * out->width);
		if (code != 0 && code != SPNG_EOI)
			break;
		if (alpha)
			codec_blend(scratch, row, count, step);
		for (uint32_t i = 0; !alpha && !direct && i < count; i++)
			memcpy(row + (size_t)3 * step * i, scratch + (size_t)3 * i, 3);
		if (code == 0)
			code = spng_get_row_info(png, at);
	}
	return code == SPNG_EOI ? 0 : code;
}

static enum status rows_error(
	int code, bool interlaced, struct spng_row_info at, const struct image *out, struct err *err)
{
	if (code == SPNG_EMEM)
		return png_error(code, err);
	const char *what = code == SPNG_IO_EOF ? "cut off" : "damaged";
	const char *why = code == SPNG_IO_EOF ? "the data ends there" : spng_strerror(code);
	if (interlaced)
		return err_set(
			err, ST_UNPROCESSABLE, "This PNG is %s in pass %d of 7: %s.", what, at.pass + 1, why);
	return err_set(err, ST_UNPROCESSABLE, "This PNG is %s at row %" PRIu32 " of %" PRIu32 ": %s.", what,
		at.row_num + 1, out->height, why);
}

static enum status decode_opened(
	spng_ctx *png, const struct spng_ihdr *header, struct image *out, struct err *err)
{
	if (header->width != out->width || header->height != out->height)
		return err_set(err, ST_UNPROCESSABLE, "This PNG states two different sizes.");
	bool alpha, interlaced = header->interlace_method == SPNG_INTERLACE_ADAM7;
	int code = png_has_alpha(png, header, &alpha);
	if (code == 0)
		code = spng_decode_image(png, NULL, 0, alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8,
			SPNG_DECODE_PROGRESSIVE | (alpha ? SPNG_DECODE_TRNS : 0));
	if (code != 0)
		return png_error(code, err);
	if (alpha)
		memset(out->pixels, 255, (size_t)3 * out->width * out->height);
	uint8_t *scratch = malloc((size_t)4 * out->width);
	if (scratch == NULL)
		return png_error(SPNG_EMEM, err);
	struct spng_row_info at = {0};
	code = read_rows(png, interlaced, alpha, scratch, out, &at);
	free(scratch);
	if (code != 0)
		return rows_error(code, interlaced, at, out, err);
	/* The last checksum is read with what follows the pixels; anything else wrong there costs no pixel.
	 */
	if (spng_decode_chunks(png) == SPNG_ECHUNK_CRC)
		return png_error(SPNG_ECHUNK_CRC, err);
	return ST_OK;
}

static enum status png_decode(
	struct span bytes, const struct image_limits *limits, struct image *out, struct err *err)
{
	spng_ctx *png;
	struct spng_ihdr header;
	int code = png_open(bytes, limits->memory_bytes_max / 4, &png, &header);
	enum status st = code ? png_error(code, err) : decode_opened(png, &header, out, err);
	spng_ctx_free(png);
	return st;
}

enum status image_encode_png(const struct image *image, uint8_t **bytes, size_t *size, struct err *err)
{
	*bytes = NULL;
	*size = 0;
	spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
	if (png == NULL)
		return err_set(err, ST_UNAVAILABLE, "There is no memory to encode a PNG now.");
	struct spng_ihdr header = {.width = image->width,
		.height = image->height,
		.bit_depth = 8,
		.color_type = SPNG_COLOR_TYPE_TRUECOLOR};
	int code = spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
	if (code == 0)
		code = spng_set_ihdr(png, &header);
	if (code == 0)
		code = spng_encode_image(png, image->pixels, (size_t)3 * image->width * image->height,
			SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE);
	if (code == 0)
		*bytes = spng_get_png_buffer(png, size, &code);
	spng_ctx_free(png);
	if (code != 0)
		return err_set(
			err, ST_INTERNAL, "The image could not be encoded as PNG: %s.", spng_strerror(code));
	return ST_OK;
}

/* Without the first byte, which transfers that clear the eighth bit break: libspng then says that it is
 * wrong. */
static bool png_sniff(struct span bytes)
{
	return bytes.size >= 4 && memcmp(bytes.data + 1, "PNG", 3) == 0;
}

const struct codec codec_png = {
	.format = IMAGE_PNG,
	.name = "PNG",
	.content_type = "image/png",
	.sniff = png_sniff,
	.inspect = png_inspect,
	.decode = png_decode,
};
