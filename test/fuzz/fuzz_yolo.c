/* SPDX-License-Identifier: Apache-2.0 */
/* YOLO's texts as anybody might upload them: data.yaml, a NUL, labels, a NUL, a list of names. */
#include "format_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span part(const uint8_t **data, size_t *size)
{
	const uint8_t *end = *size ? memchr(*data, '\0', *size) : NULL;
	struct span out = {*data, end ? (size_t)(end - *data) : *size};
	size_t used = end ? out.size + 1 : out.size;
	*data += used;
	*size -= used;
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span yaml = part(&data, &size), labels = part(&data, &size);
	const struct format_file files[] = {
		{.path = "images/1.jpg", .width = 100, .height = 80},
		{.path = "labels/1.txt", .bytes = labels},
		{.path = "data.yaml", .bytes = yaml},
		{.path = "other/classes.txt", .bytes = {data, size}},
		{.path = "other/labels/2.txt", .bytes = {data, size}},
		{.path = "other/images/2.jpg", .width = 65535, .height = 1},
	};
	read_and_write(FORMAT_YOLO, files, COUNT_OF(files));
	return 0;
}
