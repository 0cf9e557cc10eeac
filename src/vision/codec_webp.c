/* SPDX-License-Identifier: Apache-2.0 */
/* WebP through libwebp: lossy, lossless, alpha on white, the first frame of an animation. */
#include "vision/codec.h"

#include <stdlib.h>

#include <webp/decode.h>
#include <webp/demux.h>

enum { WEBP_MIXED, WEBP_LOSSY, WEBP_LOSSLESS }; /* WebPBitstreamFeatures.format */

static enum status webp_error(VP8StatusCode code, struct err *err)
{
	switch (code) {
	case VP8_STATUS_OUT_OF_MEMORY:
		return err_set(err, ST_UNAVAILABLE, "There is no memory to decode this WebP now.");
	case VP8_STATUS_UNSUPPORTED_FEATURE:
		return err_set(err, ST_UNSUPPORTED, "This WebP uses a feature that libwebp does not decode.");
	case VP8_STATUS_SUSPENDED:
	case VP8_STATUS_NOT_ENOUGH_DATA:
		return err_set(err, ST_UNPROCESSABLE, "This WebP is cut off: part of its data is missing.");
	default: return err_set(err, ST_UNPROCESSABLE, "This WebP is damaged and cannot be decoded.");
	}
}

static enum status webp_inspect(
	struct span bytes, struct image_info *info, uint64_t *memory_bytes, struct err *err)
{
	WebPBitstreamFeatures features;
	VP8StatusCode code = WebPGetFeatures(bytes.data, bytes.size, &features);
	if (code != VP8_STATUS_OK)
		return webp_error(code, err);
	if (features.width <= 0 || features.height <= 0)
		return err_set(err, ST_UNPROCESSABLE, "This WebP says that it has no pixels.");
	info->width = (uint32_t)features.width;
	info->height = (uint32_t)features.height;
	/* A pixel: 4 bytes in the lossless decoder, 2 for the alpha plane of a lossy one, 4 for our RGBA. */
	bool alpha = features.has_alpha || features.has_animation;
	uint64_t a_pixel = features.format == WEBP_LOSSY ? (alpha ? 6 : 0) : (alpha ? 8 : 4);
	*memory_bytes = a_pixel * info->width * info->height;
	return ST_OK;
}

/* Decode into a buffer of ours: width * height pixels of channels (3 or 4) bytes. */
static VP8StatusCode decode_to(struct span bytes, int channels, int width, int height, uint8_t *out)
{
	WebPDecoderConfig config;
	if (!WebPInitDecoderConfig(&config))
		return VP8_STATUS_INVALID_PARAM;
	config.output.colorspace = channels == 3 ? MODE_RGB : MODE_RGBA;
	config.output.is_external_memory = 1;
	config.output.u.RGBA.rgba = out;
	config.output.u.RGBA.stride = channels * width;
	config.output.u.RGBA.size = (size_t)channels * (size_t)width * (size_t)height;
	VP8StatusCode code = WebPDecode(bytes.data, bytes.size, &config);
	WebPFreeDecBuffer(&config.output);
	return code;
}

/* Decode a still image of width x height and blend it on out, with its top left corner at left, top. */
static VP8StatusCode decode_blended(
	struct span bytes, int left, int top, int width, int height, const struct image *out)
{
	uint8_t *rgba = malloc((size_t)4 * (size_t)width * (size_t)height);
	if (rgba == NULL)
		return VP8_STATUS_OUT_OF_MEMORY;
	VP8StatusCode code = decode_to(bytes, 4, width, height, rgba);
	for (int y = 0; code == VP8_STATUS_OK && y < height; y++)
		codec_blend(rgba + (size_t)4 * (size_t)width * (size_t)y,
			out->pixels + 3 * ((size_t)(top + y) * out->width + (size_t)left), (uint32_t)width,
			1);
	free(rgba);
	return code;
}

static VP8StatusCode decode_first_frame(struct span bytes, const struct image *out)
{
	WebPData data = {.bytes = bytes.data, .size = bytes.size};
	WebPDemuxer *demuxer = WebPDemux(&data);
	if (demuxer == NULL)
		return VP8_STATUS_NOT_ENOUGH_DATA;
	VP8StatusCode code = VP8_STATUS_BITSTREAM_ERROR;
	WebPIterator frame;
	if (WebPDemuxGetFrame(demuxer, 1, &frame)) {
		bool inside = frame.x_offset >= 0 && frame.y_offset >= 0 && frame.width > 0 &&
			      frame.height > 0 &&
			      (uint64_t)frame.x_offset + (uint64_t)frame.width <= out->width &&
			      (uint64_t)frame.y_offset + (uint64_t)frame.height <= out->height;
		if (inside)
			code = decode_blended(span_of(frame.fragment.bytes, frame.fragment.size),
				frame.x_offset, frame.y_offset, frame.width, frame.height, out);
		WebPDemuxReleaseIterator(&frame);
	}
	WebPDemuxDelete(demuxer);
	return code;
}

static enum status webp_decode(
	struct span bytes, const struct image_limits *limits, struct image *out, struct err *err)
{
	WebPBitstreamFeatures features;
	VP8StatusCode code = WebPGetFeatures(bytes.data, bytes.size, &features);
	if (code != VP8_STATUS_OK)
		return webp_error(code, err);
	int width = (int)out->width, height = (int)out->height;
	if (features.width != width || features.height != height)
		return err_set(err, ST_UNPROCESSABLE, "This WebP states two different sizes.");
	if (features.has_alpha || features.has_animation)
		memset(out->pixels, 255, (size_t)3 * out->width * out->height);
	if (features.has_animation)
		code = decode_first_frame(bytes, out);
	else if (features.has_alpha)
		code = decode_blended(bytes, 0, 0, width, height, out);
	else
		code = decode_to(bytes, 3, width, height, out->pixels);
	return code == VP8_STATUS_OK ? ST_OK : webp_error(code, err);
}

static bool webp_sniff(struct span bytes)
{
	return bytes.size >= 12 && memcmp(bytes.data, "RIFF", 4) == 0 &&
	       memcmp(bytes.data + 8, "WEBP", 4) == 0;
}

const struct codec codec_webp = {
	.format = IMAGE_WEBP,
	.name = "WebP",
	.content_type = "image/webp",
	.sniff = webp_sniff,
	.inspect = webp_inspect,
	.decode = webp_decode,
};
