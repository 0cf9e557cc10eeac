/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/file_name.h"

#include "base/check.h"
#include "base/str.h"
#include "formats/formats.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *extension;
	enum file_kind kind;
} kinds[] = {
	{".jpg", FILE_IMAGE},
	{".jpeg", FILE_IMAGE},
	{".jpe", FILE_IMAGE},
	{".png", FILE_IMAGE},
	{".webp", FILE_IMAGE},
	{".bmp", FILE_IMAGE},
	{".gif", FILE_IMAGE},
	{".tif", FILE_IMAGE},
	{".tiff", FILE_IMAGE},
	{".json", FILE_JSON},
	{".xml", FILE_XML},
	{".txt", FILE_TEXT},
	{".yaml", FILE_YAML},
	{".yml", FILE_YAML},
	{".names", FILE_NAMES},
	{".labels", FILE_NAMES},
	{".data", FILE_DATA},
};

const char *file_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

const char *file_name_below_images(const char *path)
{
	static const char *const folders[] = {"images/", "jpegimages/", "obj_train_data/"};
	for (size_t i = 0; i < COUNT_OF(folders); i++)
		if (strncasecmp(path, folders[i], strlen(folders[i])) == 0)
			return path + strlen(folders[i]);
	return path;
}

size_t file_folder_size(const char *path)
{
	return (size_t)(file_base(path) - path);
}

size_t file_stem_size(const char *base)
{
	const char *dot = strrchr(base, '.');
	return dot && dot != base ? (size_t)(dot - base) : strlen(base);
}

enum file_kind file_kind_of(const char *path)
{
	const char *base = file_base(path), *extension = base + file_stem_size(base);
	if (base[0] == '.')
		return FILE_OTHER; /* also what a Mac adds beside each file: "._a.jpg" */
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcasecmp(extension, kinds[i].extension) == 0)
			return kinds[i].kind;
	return FILE_OTHER;
}

/* Bytes of the character at p, 0 when it is no UTF-8 or a control character (C0, DEL, C1) or no character at
 * all (U+FFFE, U+FFFF), or a separator of lines (U+2028, U+2029): what XML or YAML cannot hold. */
static size_t character_size(const unsigned char *p, size_t left)
{
	static const unsigned least[] = {0, 0xa0, 0x800, 0x10000};
	size_t more = p[0] < 0x80 ? 0 : p[0] >> 5 == 6 ? 1 : p[0] >> 4 == 14 ? 2 : p[0] >> 3 == 30 ? 3 : 9;
	if (more == 0)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (more >= left || more == 9)
		return 0;
	unsigned code = p[0] & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	bool usable = code >= least[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) &&
		      code != 0xfffe && code != 0xffff && code != 0x2028 && code != 0x2029;
	return usable ? more + 1 : 0;
}

static bool is_plain_text(const char *text, size_t size)
{
	for (size_t at = 0, step; at < size; at += step) {
		step = character_size((const unsigned char *)text + at, size - at);
		if (step == 0)
			return false;
	}
	return true;
}

const char *file_name_clean(const char *name, struct arena *a)
{
	size_t size = strlen(name), kept = 0;
	if (size == 0 || size > FORMAT_PATH_BYTES_MAX || !is_plain_text(name, size))
		return NULL;
	if (name[0] == '/' || name[0] == '\\' || (isalpha((unsigned char)name[0]) && name[1] == ':'))
		return NULL;
	char *out = arena_alloc(a, size + 1);
	for (size_t at = 0; at < size;) {
		size_t part = strcspn(name + at, "/\\");
		if (part == 2 && name[at] == '.' && name[at + 1] == '.')
			return NULL;
		if (part > 0 && !(part == 1 && name[at] == '.')) {
			if (kept)
				out[kept++] = '/';
			memcpy(out + kept, name + at, part);
			kept += part;
		}
		at += part + 1;
	}
	out[kept] = '\0';
	bool folder = name[size - 1] == '/' || name[size - 1] == '\\';
	return kept && !folder ? out : NULL;
}

const char *label_clean(const char *label, size_t size, struct arena *a)
{
	static const char blanks[] = " \t\r\n";
	while (size > 0 && strchr(blanks, label[size - 1]) && label[size - 1])
		size--;
	while (size > 0 && strchr(blanks, *label) && *label) {
		label++;
		size--;
	}
	if (size == 0 || size > FORMAT_NAME_BYTES_MAX || !is_plain_text(label, size))
		return NULL;
	return arena_strndup(a, label, size);
}

/* Equal folders from the start on. */
static unsigned nearness_from_root(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned count = 0;
	for (size_t i = 0; i < a_size && i < b_size && a[i] == b[i]; i++)
		count += a[i] == '/';
	return count;
}

static unsigned nearness_from_files(const char *a, size_t a_size, const char *b, size_t b_size)
{
	unsigned count = 0;
	size_t i = 0;
	while (i < a_size && i < b_size && a[a_size - 1 - i] == b[b_size - 1 - i]) {
		if (i > 0 && a[a_size - 1 - i] == '/')
			count++;
		i++;
	}
	bool whole = (i == a_size && (i == b_size || b[b_size - 1 - i] == '/')) ||
		     (i == b_size && a[a_size - 1 - i] == '/');
	return count + (i > 0 && whole);
}

unsigned file_nearness(const char *a, const char *b)
{
	size_t a_size = file_folder_size(a), b_size = file_folder_size(b);
	return nearness_from_root(a, a_size, b, b_size) + nearness_from_files(a, a_size, b, b_size);
}

const char *shown(const char *text, struct arena *a)
{
	size_t size = strlen(text), at = 0;
	char *out = arena_alloc(a, 112);
	size_t kept = 0;
	out[kept++] = '"';
	while (at < size && at < 100) {
		size_t step = character_size((const unsigned char *)text + at, size - at);
		if (step == 0)
			out[kept++] = '?';
		for (size_t i = 0; i < step; i++)
			out[kept++] = text[at + i];
		at += step ? step : 1;
	}
	memcpy(out + kept, at < size ? "…\"" : "\"", at < size ? 5 : 2);
	return out;
}
