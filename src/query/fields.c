/* SPDX-License-Identifier: Apache-2.0 */
/* What a path means, by fields.def. */
#include "query/fields.h"

#include "base/check.h"
#include "base/str.h"

#define ONE false
#define MANY true

static const struct field fields[] = {
#define NOUN(noun, text)
#define FIELD(noun, path, type, sql, text) {QUERY_NOUN_##noun, path, FIELD_##type, sql},
#define LINK(noun, part, other, how_many, from, text)
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
};

static const struct link links[] = {
#define NOUN(noun, text)
#define FIELD(noun, path, type, sql, text)
#define LINK(noun, part, other, how_many, from, text)                                                        \
	{QUERY_NOUN_##noun, part, QUERY_NOUN_##other, how_many, from},
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
};

static const char *const nouns[QUERY_NOUN_COUNT] = {
#define NOUN(noun, text) [QUERY_NOUN_##noun] = text,
#define FIELD(noun, path, type, sql, text)
#define LINK(noun, part, other, how_many, from, text)
#include "query/fields.def"
#undef NOUN
#undef FIELD
#undef LINK
};

const char *field_noun_text(enum query_noun noun)
{
	return nouns[noun];
}

/* How many of the parts "a.b" takes; 0: it is not what they begin with. */
static size_t parts_taken(const char *path, const char *const *parts, size_t count)
{
	for (size_t taken = 1; taken <= count; taken++) {
		size_t size = strlen(parts[taken - 1]);
		if (strncmp(path, parts[taken - 1], size) != 0)
			return 0;
		if (path[size] == '\0')
			return taken;
		if (path[size] != '.')
			return 0;
		path += size + 1;
	}
	return 0;
}

/* A field's path is taken whole; only JSON leaves parts over, which are its keys. */
static const struct field *find_field(
	enum query_noun noun, const char *const *parts, size_t count, size_t *taken)
{
	for (size_t i = 0; i < COUNT_OF(fields); i++) {
		if (fields[i].noun != noun)
			continue;
		*taken = parts_taken(fields[i].path, parts, count);
		if (*taken && (fields[i].type == FIELD_JSON ? *taken < count : *taken == count))
			return &fields[i];
	}
	return NULL;
}

static const struct link *find_link(enum query_noun noun, const char *part)
{
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (links[i].noun == noun && strcmp(links[i].part, part) == 0)
			return &links[i];
	return NULL;
}

bool field_begins(enum query_noun noun, const char *part)
{
	size_t size = strlen(part);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].noun == noun && strncmp(fields[i].path, part, size) == 0 &&
			(fields[i].path[size] == '\0' || fields[i].path[size] == '.'))
			return true;
	return false;
}

/* What leads on from a part; NULL: nothing. *taken: whether the part is used up by that. */
static const struct link *next_link(enum query_noun noun, const char *const *parts, size_t count, bool *taken)
{
	const struct link *link = count > 1 ? find_link(noun, parts[0]) : NULL;
	*taken = link != NULL;
	if (link)
		return link;
	/* What is not the noun's own may be what the link without a name leads to. */
	link = find_link(noun, "");
	bool there = link && (field_begins(link->other, parts[0]) || find_link(link->other, parts[0]));
	return there ? link : NULL;
}

bool field_find(
	enum query_noun *noun, const char *const *parts, size_t count, struct field_path *out, size_t *part)
{
	*out = (struct field_path){0};
	for (*part = 0; *part < count;) {
		size_t used;
		bool taken;
		out->field = find_field(*noun, &parts[*part], count - *part, &used);
		if (out->field) {
			out->part_count = *part + used;
			return true;
		}
		const struct link *next = next_link(*noun, &parts[*part], count - *part, &taken);
		if (next == NULL || out->link_count == FIELD_LINKS_MAX)
			return false;
		out->links[out->link_count++] = next;
		*noun = next->other;
		*part += taken;
	}
	return false;
}

const char *field_names(enum query_noun noun, struct arena *a)
{
	struct str s;
	str_init(&s, 4096);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].noun == noun)
			str_printf(&s, "%s%s%s", s.size ? ", " : "", fields[i].path,
				fields[i].type == FIELD_JSON ? ".…" : "");
	for (size_t i = 0; i < COUNT_OF(links); i++)
		if (links[i].noun == noun && links[i].part[0])
			str_printf(&s, ", %s.…", links[i].part);
	const char *text = arena_strdup(a, str_text(&s));
	str_release(&s);
	return text;
}

const char *field_goes_on(enum query_noun noun, const char *part, struct arena *a)
{
	const struct link *link = find_link(noun, part);
	if (link)
		return field_names(link->other, a);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		if (fields[i].noun == noun && fields[i].type == FIELD_JSON &&
			strcmp(fields[i].path, part) == 0)
			return "one of its keys";
	return NULL;
}
