/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/check.h"
#include "base/str.h"
#include "os/file.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_BYTES_MAX (64u * 1024)

enum type { TEXT, INTEGER };

static const struct {
	const char *name;
	enum type type;
	const char *value;
	int64_t min, max;
	const char *help;
} settings[] = {
#define SETTING(name, type, value, min, max, help) {#name, type, value, min, max, help},
#include "config.def"
#undef SETTING
};

const char *config_name(enum config_key key)
{
	CHECK(key < CONFIG_COUNT);
	return settings[key].name;
}

const char *config_help(enum config_key key)
{
	CHECK(key < CONFIG_COUNT);
	return settings[key].help;
}

const char *config_default(enum config_key key)
{
	CHECK(key < CONFIG_COUNT);
	return settings[key].value;
}

static enum status set(
	struct config *c, enum config_key key, const char *value, const char *source, struct err *err)
{
	c->text[key] = value;
	c->source[key] = source;
	/* An empty path would make the root of the file system the data folder. */
	if (key == CONFIG_data && *value == '\0')
		return err_set(err, ST_INVALID,
			"The setting data (%s) is empty; it takes the path of a folder.", source);
	if (settings[key].type == TEXT)
		return ST_OK;
	char *end;
	long long number = strtoll(value, &end, 10);
	if (end == value || *end || number < settings[key].min || number > settings[key].max)
		return err_set(err, ST_INVALID,
			"The setting %s (%s) is \"%.100s\"; it takes a whole number from %" PRId64
			" to %" PRId64 ".",
			settings[key].name, source, value, settings[key].min, settings[key].max);
	c->integer[key] = number;
	return ST_OK;
}

/* CONFIG_COUNT when there is no such setting. */
static enum config_key find_key(const char *name, size_t size)
{
	for (enum config_key key = 0; key < CONFIG_COUNT; key++) {
		if (strlen(settings[key].name) != size)
			continue;
		size_t i = 0;
		while (i < size && (name[i] == '-' ? '_' : name[i]) == settings[key].name[i])
			i++;
		if (i == size)
			return key;
	}
	return CONFIG_COUNT;
}

static enum status read_flags(struct config *c, int argc, char **argv, struct arena *a, struct err *err)
{
	for (int i = 0; i < argc; i++) {
		if (!text_starts_with(argv[i], "--"))
			return err_set(err, ST_INVALID,
				"\"%.100s\" is not expected here; settings are given as --name value.",
				argv[i]);
		const char *name = argv[i] + 2, *equals = strchr(name, '=');
		enum config_key key = find_key(name, equals ? (size_t)(equals - name) : strlen(name));
		if (key == CONFIG_COUNT)
			return err_set(err, ST_INVALID,
				"There is no setting %.100s; `gyre config` lists them.", argv[i]);
		const char *value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
		if (value == NULL)
			return err_set(err, ST_INVALID, "--%s needs a value.", settings[key].name);
		TRY(set(c, key, arena_strdup(a, value), "flag", err));
	}
	return ST_OK;
}

static enum status read_environment(struct config *c, struct err *err)
{
	for (enum config_key key = 0; key < CONFIG_COUNT; key++) {
		char name[64] = "GYRE_";
		for (size_t i = 0; settings[key].name[i]; i++) {
			CHECK(i + 7 < sizeof(name));
			name[i + 5] = (char)toupper((unsigned char)settings[key].name[i]);
			name[i + 6] = '\0';
		}
		const char *value = getenv(name);
		if (value)
			TRY(set(c, key, value, "environment", err));
	}
	return ST_OK;
}

static char *trim(char *text)
{
	while (isspace((unsigned char)*text))
		text++;
	size_t size = strlen(text);
	while (size && isspace((unsigned char)text[size - 1]))
		text[--size] = '\0';
	return text;
}

static enum status read_line(struct config *c, char *line, const char *source, struct err *err)
{
	line = trim(line);
	if (*line == '\0' || *line == '#')
		return ST_OK;
	char *equals = strchr(line, '=');
	if (equals == NULL)
		return err_set(err, ST_INVALID, "%s: a line must be `name = value` or start with #.", source);
	*equals = '\0';
	const char *name = trim(line);
	enum config_key key = find_key(name, strlen(name));
	if (key == CONFIG_COUNT || key == CONFIG_data)
		return err_set(
			err, ST_INVALID, "%s: \"%.100s\" is not a setting of this file.", source, name);
	return set(c, key, trim(equals + 1), source, err);
}

static enum status read_settings_file(struct config *c, struct arena *a, struct err *err)
{
	const char *path = arena_printf(a, "%s/gyre.conf", c->text[CONFIG_data]);
	if (!file_exists(path))
		return ST_OK;
	struct span bytes;
	TRY(file_read(path, FILE_BYTES_MAX, a, &bytes, err));
	if (memchr(bytes.data, '\0', bytes.size))
		return err_set(err, ST_INVALID, "file %s: a NUL byte is in it; it must be a text.", path);
	char *line = arena_strndup(a, (const char *)bytes.data, bytes.size);
	for (int number = 1; line; number++) {
		char *next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		TRY(read_line(c, line, arena_printf(a, "file %s:%d", path, number), err));
		line = next;
	}
	return ST_OK;
}

enum status config_load(struct config *c, int argc, char **argv, struct arena *a, struct err *err)
{
	*c = (struct config){0};
	for (enum config_key key = 0; key < CONFIG_COUNT; key++)
		TRY(set(c, key, settings[key].value, "default", err));
	/* Twice: environment and flags say where the file is, and win over it. */
	TRY(read_environment(c, err));
	TRY(read_flags(c, argc, argv, a, err));
	TRY(read_settings_file(c, a, err));
	TRY(read_environment(c, err));
	return read_flags(c, argc, argv, a, err);
}
