/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the EXIF block in each container and the orientation tag in the block. Every offset in it is hostile.
 */
#include "vision/exif.h"

#define ORIENTATION_TAG 0x0112u
#define TYPE_SHORT 3u
#define TYPE_LONG 4u

/* A cut of span; empty where it would reach past the end. */
static struct span part(struct span s, uint64_t offset, uint64_t size)
{
	if (offset > s.size || size > s.size - offset)
		return span_of(NULL, 0);
	return span_of(s.data + offset, (size_t)size);
}

static bool starts_with(struct span s, const char *bytes, size_t size)
{
	return s.size >= size && memcmp(s.data, bytes, size) == 0;
}

/* An unsigned integer of size bytes at offset; 0 past the end, which no valid field of ours is. */
static uint32_t number(struct span s, uint64_t offset, unsigned size, bool little_endian)
{
	struct span field = part(s, offset, size);
	uint32_t value = 0;
	for (size_t i = 0; i < field.size; i++)
		value = value << 8 | field.data[little_endian ? field.size - 1 - i : i];
	return value;
}

uint8_t exif_block_orientation(struct span block)
{
	if (starts_with(block, "Exif\0\0", 6))
		block = part(block, 6, block.size - 6);
	bool little = starts_with(block, "II*\0", 4);
	if (!little && !starts_with(block, "MM\0*", 4))
		return 1;
	uint64_t directory = number(block, 4, 4, little);
	uint32_t entries = number(block, directory, 2, little);
	for (uint32_t i = 0; i < entries; i++) {
		struct span entry = part(block, directory + 2 + 12 * (uint64_t)i, 12);
		if (entry.size == 0)
			return 1;
		if (number(entry, 0, 2, little) != ORIENTATION_TAG)
			continue;
		uint32_t type = number(entry, 2, 2, little), value = 0;
		if (type == TYPE_SHORT || type == TYPE_LONG)
			value = number(entry, 8, type == TYPE_SHORT ? 2 : 4, little);
		return value >= 1 && value <= 8 ? (uint8_t)value : 1;
	}
	return 1;
}

/* Segments up to the first scan; APP1 with the "Exif" signature, as other APP1 segments hold XMP. */
static uint8_t jpeg_orientation(struct span file)
{
	size_t at = 2;
	while (at + 4 <= file.size) {
		if (file.data[at] != 0xff || file.data[at + 1] == 0xff) {
			at++; /* fill bytes, and garbage that decoders skip too */
			continue;
		}
		uint8_t marker = file.data[at + 1];
		if (marker == 0xda || marker == 0xd9)
			break;
		if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
			at += 2;
			continue;
		}
		uint32_t size = number(file, at + 2, 2, false);
		struct span segment = size < 2 ? span_of(NULL, 0) : part(file, at + 4, size - 2);
		if (marker == 0xe1 && starts_with(segment, "Exif\0\0", 6))
			return exif_block_orientation(segment);
		at += 2 + (size < 2 ? 2 : size);
	}
	return 1;
}

static uint8_t png_orientation(struct span file)
{
	uint64_t at = 8;
	while (at + 12 <= file.size) {
		uint64_t size = number(file, at, 4, false);
		if (memcmp(file.data + at + 4, "eXIf", 4) == 0)
			return exif_block_orientation(part(file, at + 8, size));
		at += 12 + size;
	}
	return 1;
}

static uint8_t webp_orientation(struct span file)
{
	uint64_t at = 12;
	while (at + 8 <= file.size) {
		uint64_t size = number(file, at + 4, 4, true);
		if (memcmp(file.data + at, "EXIF", 4) == 0)
			return exif_block_orientation(part(file, at + 8, size));
		at += 8 + size + (size & 1);
	}
	return 1;
}

uint8_t exif_orientation(enum image_format format, struct span file)
{
	switch (format) {
	case IMAGE_JPEG: return jpeg_orientation(file);
	case IMAGE_PNG: return png_orientation(file);
	case IMAGE_WEBP: return webp_orientation(file);
	case IMAGE_UNKNOWN: break;
	}
	return 1;
}
