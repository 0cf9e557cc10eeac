/* SPDX-License-Identifier: Apache-2.0 */
#include "task/label_match.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* VOC's and other common names → COCO's; letters alone, in lower case. */
static const char *const synonyms[][2] = {
	{"aeroplane", "airplane"},
	{"motorbike", "motorcycle"},
	{"sofa", "couch"},
	{"tvmonitor", "tv"},
	{"television", "tv"},
	{"doughnut", "donut"},
	{"hairdryer", "hairdrier"},
	{"mobilephone", "cellphone"},
};

struct key {
	const char *text; /* as written */
	char *plain;      /* what counts of it */
	size_t index;
};

/* Bytes past ASCII are kept as they are. The caller frees. */
static char *plain_of(const char *text)
{
	char *plain = malloc(strlen(text) + 1), *end = plain;
	CHECK(plain != NULL);
	for (; *text; text++) {
		bool letter = *text >= 'A' && *text <= 'Z';
		if (strchr(" _-.\t", *text) == NULL)
			*end++ = letter ? (char)(*text - 'A' + 'a') : *text;
	}
	*end = '\0';
	for (size_t i = 0; i < COUNT_OF(synonyms); i++) {
		if (strcmp(plain, synonyms[i][0]) != 0)
			continue;
		free(plain);
		plain = strdup(synonyms[i][1]);
		CHECK(plain != NULL);
		break;
	}
	return plain;
}

/* The first of equal labels comes first. */
static int compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	int order = strcmp(x->plain, y->plain);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int32_t find(const struct key *keys, size_t count, const char *name)
{
	char *plain = plain_of(name);
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(keys[middle].plain, plain) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	int32_t found = -1;
	for (size_t i = low; i < count && strcmp(keys[i].plain, plain) == 0; i++) {
		bool exact = strcmp(keys[i].text, name) == 0;
		if (found == -1 || exact)
			found = (int32_t)keys[i].index;
		if (exact)
			break;
	}
	free(plain);
	return found;
}

void label_match(const char *const *names, size_t name_count, const char *const *labels, size_t label_count,
	int32_t *out)
{
	struct key *keys = calloc(label_count ? label_count : 1, sizeof(*keys));
	CHECK(keys != NULL);
	for (size_t i = 0; i < label_count; i++)
		keys[i] = (struct key){.text = labels[i], .plain = plain_of(labels[i]), .index = i};
	qsort(keys, label_count, sizeof(*keys), compare);
	for (size_t i = 0; i < name_count; i++)
		out[i] = find(keys, label_count, names[i]);
	for (size_t i = 0; i < label_count; i++)
		free(keys[i].plain);
	free(keys);
}
