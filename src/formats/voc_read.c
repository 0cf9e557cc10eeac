/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pascal VOC: one XML an image. Read as a stream by Expat; what counts is where an element stands, so that
 * the parts of an object, which have boxes of their own, are passed over. Numbers are taken as they stand:
 * whether xmax is the last pixel or the one behind it, tools do not agree on, and none of the common ones
 * shifts by one.
 */
#include "formats/readers.h"

#include <ctype.h>
#include <expat.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64
#define TEXT_BYTES_MAX 2048 /* of an element that is read */
#define OBJECTS_MAX FORMAT_SHAPES_MAX

enum element {
	OTHER, /* and all that is in it */
	DOCUMENT,
	ANNOTATION,
	FILENAME,
	SIZE,
	WIDTH,
	HEIGHT,
	OBJECT,
	NAME,
	DIFFICULT,
	BNDBOX,
	XMIN,
	YMIN,
	XMAX,
	YMAX,
	POLYGON,
	POINT, /* x1, y1, x2 … of a polygon, as Roboflow writes them */
	ROBNDBOX,
};

static const struct {
	enum element parent, element;
	const char *name;
} elements[] = {
	{DOCUMENT, ANNOTATION, "annotation"},
	{ANNOTATION, FILENAME, "filename"},
	{ANNOTATION, SIZE, "size"},
	{ANNOTATION, OBJECT, "object"},
	{SIZE, WIDTH, "width"},
	{SIZE, HEIGHT, "height"},
	{OBJECT, NAME, "name"},
	{OBJECT, DIFFICULT, "difficult"},
	{OBJECT, BNDBOX, "bndbox"},
	{OBJECT, POLYGON, "polygon"},
	{OBJECT, ROBNDBOX, "robndbox"},
	{BNDBOX, XMIN, "xmin"},
	{BNDBOX, YMIN, "ymin"},
	{BNDBOX, XMAX, "xmax"},
	{BNDBOX, YMAX, "ymax"},
};

struct ring {
	double *numbers;
	size_t count, room;
	struct ring *next;
};

struct object {
	const char *label; /* cleaned; NULL: none that can be used */
	double corners[4]; /* xmin, ymin, xmax, ymax; NaN: not there */
	bool boxed, rotated, difficult;
	struct ring *rings, *last_ring;
	size_t ring_count;
	struct object *next;
};

struct voc {
	struct collect *c;
	const char *source;
	struct arena scratch;
	XML_Parser parser;
	const char *stopped; /* why we stopped it */
	enum element path[DEPTH_MAX];
	int depth; /* path[depth] is the element we are in */
	char text[TEXT_BYTES_MAX];
	size_t text_size;
	const char *root; /* name of the outermost element */
	const char *filename;
	double width, height;
	struct object *objects, *last;
	size_t object_count;
};

/* ---- is it one? ---- */

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The first element is <annotation>: behind a declaration, comments, a document type. */
static bool looks_like_voc(struct span bytes)
{
	static const char wanted[] = "annotation";
	for (size_t i = 0; i + sizeof(wanted) < bytes.size; i++) {
		const char *at = (const char *)bytes.data + i;
		if (*at != '<' || at[1] == '?' || (at[1] == '!' && at[2] != '-'))
			continue;
		if (at[1] == '!') {
			const char *end = memmem(at, bytes.size - i, "-->", 3);
			if (end == NULL)
				return false;
			i = (size_t)(end - (const char *)bytes.data);
			continue;
		}
		uint8_t behind = (uint8_t)at[sizeof(wanted)];
		return memcmp(at + 1, wanted, sizeof(wanted) - 1) == 0 &&
		       (behind == '>' || behind == '/' || is_space(behind));
	}
	return false;
}

bool voc_is_there(struct collect *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		if (c->files[i].kind == FILE_XML && looks_like_voc(c->files[i].file->bytes))
			return true;
	return false;
}

/* ---- elements ---- */

static void stop(struct voc *r, const char *why)
{
	if (r->stopped == NULL)
		r->stopped = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static enum element element_of(enum element parent, const char *name)
{
	if (parent == POLYGON)
		return (name[0] == 'x' || name[0] == 'y') && isdigit((unsigned char)name[1]) ? POINT : OTHER;
	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++)
		if (elements[i].parent == parent && strcmp(elements[i].name, name) == 0)
			return elements[i].element;
	return OTHER;
}

static void new_object(struct voc *r)
{
	if (++r->object_count > OBJECTS_MAX) {
		stop(r, "it has more objects than an image can have here");
		return;
	}
	struct object *o = ARENA_NEW(&r->scratch, struct object);
	for (int i = 0; i < 4; i++)
		o->corners[i] = NAN;
	if (r->last)
		r->last->next = o;
	else
		r->objects = o;
	r->last = o;
}

static void new_ring(struct voc *r)
{
	struct object *o = r->last;
	struct ring *ring = ARENA_NEW(&r->scratch, struct ring);
	if (o->last_ring)
		o->last_ring->next = ring;
	else
		o->rings = ring;
	o->last_ring = ring;
	o->ring_count++;
}

static void XMLCALL on_start(void *context, const char *name, const char **attributes)
{
	struct voc *r = context;
	if (r->depth + 1 == DEPTH_MAX) {
		stop(r, "its elements are nested too deep");
		return;
	}
	if (r->root == NULL)
		r->root = arena_strdup(&r->scratch, name);
	enum element e = element_of(r->path[r->depth], name);
	r->path[++r->depth] = e;
	r->text_size = 0;
	if (e == OBJECT)
		new_object(r);
	else if (e == POLYGON)
		new_ring(r);
	else if (e == BNDBOX)
		r->last->boxed = true;
	else if (e == ROBNDBOX)
		r->last->rotated = true;
}

static void XMLCALL on_text(void *context, const char *text, int size)
{
	struct voc *r = context;
	switch (r->path[r->depth]) {
	case OTHER:
	case DOCUMENT:
	case ANNOTATION:
	case SIZE:
	case OBJECT:
	case BNDBOX:
	case POLYGON:
	case ROBNDBOX: return; /* no text that is read */
	default: break;
	}
	if (r->text_size + (size_t)size >= sizeof(r->text)) {
		stop(r, "the text of an element is too long");
		return;
	}
	memcpy(r->text + r->text_size, text, (size_t)size);
	r->text_size += (size_t)size;
}

/* NaN when the text is no number. */
static double number_of(const char *text)
{
	char *end;
	double value = strtod(text, &end);
	while (is_space((uint8_t)*end))
		end++;
	return end == text || *end ? NAN : value;
}

static void add_number(struct voc *r, double value)
{
	struct ring *ring = r->last->last_ring;
	if (ring->count == ring->room) {
		ring->room = ring->room ? 2 * ring->room : 16;
		double *more = ARENA_ARRAY(&r->scratch, double, ring->room);
		if (ring->count)
			memcpy(more, ring->numbers, ring->count * sizeof(*more));
		ring->numbers = more;
	}
	ring->numbers[ring->count++] = value;
}

static void XMLCALL on_end(void *context, const char *name)
{
	struct voc *r = context;
	enum element e = r->path[r->depth--];
	r->text[r->text_size] = '\0';
	const char *text = r->text;
	size_t size = r->text_size;
	r->text_size = 0;
	switch (e) {
	case FILENAME:
		r->filename = label_clean(text, size, &r->scratch); /* without blanks around it */
		r->filename = r->filename ? r->filename : arena_strndup(&r->scratch, text, size);
		break;
	case WIDTH: r->width = number_of(text); break;
	case HEIGHT: r->height = number_of(text); break;
	case NAME: r->last->label = label_clean(text, size, &r->scratch); break;
	case DIFFICULT: r->last->difficult = number_of(text) != 0 && size > 0; break;
	case XMIN:
	case YMIN:
	case XMAX:
	case YMAX: r->last->corners[e - XMIN] = number_of(text); break;
	case POINT: add_number(r, number_of(text)); break;
	default: break;
	}
}

/* Entities are how a small XML becomes a large one; no annotation tool writes any. */
static void XMLCALL on_entity(void *context, const char *name, int parameter, const char *value, int size,
	const char *base, const char *system, const char *public, const char *notation)
{
	stop(context, "it declares entities, which are not read here");
}

/* ---- objects ---- */

static void swap_if_needed(double *low, double *high)
{
	if (*low > *high) {
		double keep = *low;
		*low = *high;
		*high = keep;
	}
}

static void add_object(struct voc *r, struct collected_image *image, const struct object *o)
{
	struct collect *c = r->c;
	int32_t label = o->label ? collect_label(c, o->label) : -1;
	if (label < 0) {
		problems_add(&c->problems, "%s: an object of %s has no usable name; it is left out.",
			r->source, shown(image->filename, c->arena));
		return;
	}
	struct labelled_shape shape = {.label = label, .area = -1, .difficult = o->difficult};
	struct box_corners corners = {o->corners[0], o->corners[1], o->corners[2], o->corners[3]};
	swap_if_needed(&corners.x1, &corners.x2); /* drawn from the right or from below */
	swap_if_needed(&corners.y1, &corners.y2);
	if (o->rings) {
		struct ring_numbers *rings = ARENA_ARRAY(&r->scratch, struct ring_numbers, o->ring_count);
		size_t count = 0;
		for (const struct ring *ring = o->rings; ring; ring = ring->next)
			rings[count++] = (struct ring_numbers){ring->numbers, ring->count};
		if (collect_polygon(c, image, r->source, shape, rings, count, o->boxed ? &corners : NULL))
			return;
	}
	if (o->boxed)
		collect_box(c, image, r->source, shape, corners);
	else
		problems_add(&c->problems, "%s: an object %s of %s has no box%s; it is left out.", r->source,
			shown(o->label, c->arena), shown(image->filename, c->arena),
			o->rotated ? " but a rotated one, which is not read here" : "");
}

/* The image that the XML is of: by the name in it, else by its own. NULL: it leads out of the set. */
static struct collected_image *image_of(struct voc *r)
{
	struct collect *c = r->c;
	const char *base = file_base(r->source), *stem = arena_strndup(c->arena, base, file_stem_size(base));
	const char *filename = stem;
	struct collected_file *file = NULL;
	if (r->filename && *r->filename) {
		filename = file_name_clean(r->filename, c->arena);
		if (filename == NULL) {
			problems_add(&c->problems,
				"%s: the file name %s leads out of the set; the file is left out.", r->source,
				shown(r->filename, c->arena));
			return NULL;
		}
		file = collect_find(c, r->source, filename, false);
	}
	if (file == NULL)
		file = collect_find(c, r->source, stem, true);
	return collect_image(c, filename, file);
}

static void add_document(struct voc *r)
{
	if (strcmp(r->root, "annotation") != 0) {
		problems_add(&r->c->problems,
			"%s is no Pascal VOC file: its outermost element is %s%s; it is left out.", r->source,
			shown(r->root, r->c->arena),
			strcmp(r->root, "annotations") == 0 ? ", as CVAT writes it" : "");
		return;
	}
	struct collected_image *image = image_of(r);
	if (image == NULL)
		return;
	if (image->annotated) {
		problems_add(&r->c->problems,
			"%s: %s has annotations in another file already; these are left out.", r->source,
			shown(image->filename, r->c->arena));
		return;
	}
	image->annotated = true;
	collect_size(r->c, image, r->source, r->width, r->height);
	for (const struct object *o = r->objects; o; o = o->next)
		add_object(r, image, o);
}

static void read_file(struct collect *c, const struct collected_file *f)
{
	struct voc r = {.c = c, .source = f->path, .path = {DOCUMENT}};
	struct span bytes = f->file->bytes;
	arena_init(&r.scratch);
	r.parser = XML_ParserCreate(NULL);
	if (r.parser == NULL || bytes.size > INT32_MAX) {
		problems_add(&c->problems, "%s is too large to be read; it is left out.", f->path);
	} else {
		XML_SetUserData(r.parser, &r);
		XML_SetElementHandler(r.parser, on_start, on_end);
		XML_SetCharacterDataHandler(r.parser, on_text);
		XML_SetEntityDeclHandler(r.parser, on_entity);
		if (XML_Parse(r.parser, (const char *)bytes.data, (int)bytes.size, 1) == XML_STATUS_OK)
			add_document(&r);
		else
			problems_add(&c->problems, "%s cannot be read: %s in line %lu; it is left out.",
				f->path, r.stopped ? r.stopped : XML_ErrorString(XML_GetErrorCode(r.parser)),
				XML_GetCurrentLineNumber(r.parser));
	}
	if (r.parser)
		XML_ParserFree(r.parser);
	arena_release(&r.scratch);
}

void voc_read(struct collect *c)
{
	for (size_t i = 0; i < c->file_count; i++)
		if (c->files[i].kind == FILE_XML)
			read_file(c, &c->files[i]);
}
