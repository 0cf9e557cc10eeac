/* SPDX-License-Identifier: Apache-2.0 */
/* Pascal VOC's XML as anybody might upload it, beside two images: read in bounds, and written again. */
#include "format_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct format_file files[] = {
		{.path = "annotations/a.xml", .bytes = {data, size}},
		{.path = "images/train/1.jpg", .width = 100, .height = 80},
		{.path = "images/a.png"},
	};
	read_and_write(FORMAT_VOC, files, COUNT_OF(files));
	return 0;
}
