/* SPDX-License-Identifier: Apache-2.0 */
/* config.h: the table, its three sources, who wins, and what is said of what is wrong. */
#include "config.h"

#include "base/check.h"
#include "base/str.h"
#include "os/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/gyre-config-XXXXXX";
static struct arena arena;
static struct config config;
static struct err err;

static char *conf_path(void)
{
	return arena_printf(&arena, "%s/gyre.conf", folder);
}

static void write_conf_bytes(struct span bytes)
{
	assert_int_equal(file_write_durable(conf_path(), bytes, 0600, &err), ST_OK);
}

static void write_conf(const char *text)
{
	write_conf_bytes(span_of_text(text));
}

/* With --data of the test's folder first. The list ends with NULL. */
static enum status load(char **flags)
{
	char *all[16] = {"--data", folder};
	int count = 2;
	while (*flags) {
		CHECK(count < 16);
		all[count++] = *flags++;
	}
	return config_load(&config, count, all, &arena, &err);
}

#define LOAD(...) load((char *[]){__VA_ARGS__})
#define LOADED(...)                                                                                          \
	do {                                                                                                 \
		if (LOAD(__VA_ARGS__) != ST_OK)                                                              \
			fail_msg("%s", err.text);                                                            \
	} while (0)
#define REFUSED(text_, ...)                                                                                  \
	do {                                                                                                 \
		assert_int_equal(LOAD(__VA_ARGS__), ST_INVALID);                                             \
		assert_string_equal(err.text, text_);                                                        \
	} while (0)

/* ---- defaults ---- */

static void test_without_a_source_there_are_defaults(void **state)
{
	LOADED(NULL);
	for (enum config_key key = 0; key < CONFIG_COUNT; key++) {
		if (key == CONFIG_data)
			continue;
		assert_string_equal(config.text[key], config_default(key));
		assert_string_equal(config.source[key], "default");
	}
	assert_string_equal(config.text[CONFIG_data], folder);
	assert_string_equal(config.source[CONFIG_data], "flag");
	assert_string_equal(config.text[CONFIG_listen], "127.0.0.1:8080");
	assert_int_equal(config.integer[CONFIG_workers], 16);
	assert_int_equal(config_load(&config, 0, NULL, &arena, &err), ST_OK);
	assert_string_equal(config.text[CONFIG_data], "./var");
}

static void test_the_table_can_be_listed(void **state)
{
	for (enum config_key key = 0; key < CONFIG_COUNT; key++) {
		const char *name = config_name(key);
		assert_true(strlen(name) > 0 && strlen(config_help(key)) > 0);
		for (const char *c = name; *c; c++)
			assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
		for (enum config_key other = 0; other < key; other++)
			assert_string_not_equal(name, config_name(other));
	}
	assert_string_equal(config_name(CONFIG_seat_timeout_s), "seat_timeout_s");
}

/* ---- precedence ---- */

/* All eight sets of sources. */
static void test_flags_win_over_environment_over_file(void **state)
{
	for (int sources = 0; sources < 8; sources++) {
		bool file = sources & 1, environment = sources & 2, flag = sources & 4;
		if (file)
			write_conf("queue = 1001\n");
		if (environment)
			assert_int_equal(setenv("GYRE_QUEUE", "1002", 1), 0);
		if (flag)
			LOADED("--queue", "1003", NULL);
		else
			LOADED(NULL);
		assert_int_equal(config.integer[CONFIG_queue], flag          ? 1003
							       : environment ? 1002
							       : file        ? 1001
									     : 256);
		const char *source = flag ? "flag" : environment ? "environment" : file ? "file" : "default";
		assert_true(text_starts_with(config.source[CONFIG_queue], source));
		assert_int_equal(config.integer[CONFIG_workers], 16);
		unlink(conf_path());
		unsetenv("GYRE_QUEUE");
	}
}

static void test_the_folder_of_the_file_may_come_from_the_environment(void **state)
{
	write_conf("seats = 7\n");
	assert_int_equal(setenv("GYRE_DATA", folder, 1), 0);
	assert_int_equal(config_load(&config, 0, NULL, &arena, &err), ST_OK);
	assert_int_equal(config.integer[CONFIG_seats], 7);
	/* A flag names another folder, in which there is no file. */
	assert_int_equal(config_load(&config, 2, (char *[]){"--data", "/nowhere"}, &arena, &err), ST_OK);
	assert_int_equal(config.integer[CONFIG_seats], 0);
	assert_string_equal(config.text[CONFIG_data], "/nowhere");
}

static void test_the_last_of_several_flags_or_lines_counts(void **state)
{
	write_conf("readers = 3\nreaders = 4\n");
	LOADED("--queue", "5", "--queue=6", NULL);
	assert_int_equal(config.integer[CONFIG_queue], 6);
	assert_int_equal(config.integer[CONFIG_readers], 4);
	assert_string_equal(config.source[CONFIG_readers], arena_printf(&arena, "file %s:2", conf_path()));
}

/* ---- flags ---- */

static void test_dashes_and_underscores_are_the_same(void **state)
{
	LOADED("--seat-timeout-s", "11", "--run_timeout_s=12", "--load-timeout_s=13", NULL);
	assert_int_equal(config.integer[CONFIG_seat_timeout_s], 11);
	assert_int_equal(config.integer[CONFIG_run_timeout_s], 12);
	assert_int_equal(config.integer[CONFIG_load_timeout_s], 13);
	write_conf("seat-timeout-s = 14\nbody_timeout-s = 15\n");
	LOADED(NULL);
	assert_int_equal(config.integer[CONFIG_seat_timeout_s], 14);
	assert_int_equal(config.integer[CONFIG_body_timeout_s], 15);
}

static void test_values_are_taken_as_they_are(void **state)
{
	LOADED("--public-url=https://a.example/?x=1", "--tls-key", "--queue", "--log-level=", NULL);
	assert_string_equal(config.text[CONFIG_public_url], "https://a.example/?x=1");
	assert_string_equal(config.text[CONFIG_tls_key], "--queue"); /* a value, however it looks */
	assert_string_equal(config.text[CONFIG_log_level], "");
	assert_int_equal(config.integer[CONFIG_queue], 256);
}

static void test_wrong_flags_are_named(void **state)
{
	REFUSED("There is no setting --wrokers; `gyre config` lists them.", "--wrokers", "4", NULL);
	REFUSED("There is no setting --; `gyre config` lists them.", "--", "4", NULL);
	REFUSED("There is no setting --work=4; `gyre config` lists them.", "--work=4", NULL);
	REFUSED("There is no setting --workers2=4; `gyre config` lists them.", "--workers2=4", NULL);
	REFUSED("--workers needs a value.", "--workers", NULL);
	REFUSED("\"serve\" is not expected here; settings are given as --name value.", "serve", NULL);
	REFUSED("\"-w\" is not expected here; settings are given as --name value.", "--queue", "5", "-w",
		NULL);
}

static void test_numbers_are_whole_and_in_their_range(void **state)
{
	static const char *const bad[] = {"", "x", "1x", "1.5", "0x10", "0", "-1", "1025",
		"99999999999999999999", "-99999999999999999999", "1 "};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char *flag = arena_printf(&arena, "--workers=%s", bad[i]);
		REFUSED(arena_printf(&arena,
				"The setting workers (flag) is \"%s\"; it takes a whole number from 1 to "
				"1024.",
				bad[i]),
			flag, NULL);
	}
	LOADED("--workers=1", NULL);
	assert_int_equal(config.integer[CONFIG_workers], 1);
	LOADED("--workers=1024", NULL);
	assert_int_equal(config.integer[CONFIG_workers], 1024);
	assert_string_equal(config.text[CONFIG_workers], "1024");
}

/* Nothing is where nobody would look for it: the data folder would be the root of the file system. */
static void test_a_data_folder_has_a_name(void **state)
{
	assert_int_equal(config_load(&config, 1, (char *[]){"--data="}, &arena, &err), ST_INVALID);
	assert_string_equal(err.text, "The setting data (flag) is empty; it takes the path of a folder.");
	assert_int_equal(setenv("GYRE_DATA", "", 1), 0);
	assert_int_equal(config_load(&config, 0, NULL, &arena, &err), ST_INVALID);
	assert_string_equal(
		err.text, "The setting data (environment) is empty; it takes the path of a folder.");
}

/* ---- environment ---- */

static void test_a_bad_environment_is_named(void **state)
{
	assert_int_equal(setenv("GYRE_IDLE_TIMEOUT_S", "soon", 1), 0);
	REFUSED("The setting idle_timeout_s (environment) is \"soon\"; it takes a whole number from 1 to "
		"3600.",
		NULL);
	unsetenv("GYRE_IDLE_TIMEOUT_S");
	assert_int_equal(setenv("GYRE_LISTEN", "127.0.0.1:0", 1), 0);
	LOADED(NULL);
	assert_string_equal(config.text[CONFIG_listen], "127.0.0.1:0");
	assert_string_equal(config.source[CONFIG_listen], "environment");
}

/* ---- the file ---- */

static void test_a_file_has_comments_blanks_and_any_line_end(void **state)
{
	write_conf("# gyre\r\n\r\n\t workers\t=  5 \r\n  # queue = 9\nlisten = 127.0.0.1:1 # not a "
		   "comment\npublic_url =\nqueue=7");
	LOADED(NULL);
	assert_int_equal(config.integer[CONFIG_workers], 5);
	assert_int_equal(config.integer[CONFIG_queue], 7);
	assert_string_equal(config.text[CONFIG_listen], "127.0.0.1:1 # not a comment");
	assert_string_equal(config.text[CONFIG_public_url], "");
	assert_string_equal(config.source[CONFIG_workers], arena_printf(&arena, "file %s:3", conf_path()));
	assert_string_equal(config.source[CONFIG_queue], arena_printf(&arena, "file %s:7", conf_path()));
}

static void test_a_wrong_line_is_named_by_its_number(void **state)
{
	static const struct {
		const char *text, *sentence; /* the path before it is left away */
	} wrong[] = {
		{"\n\nworkers 5\n", ":3: a line must be `name = value` or start with #."},
		{"workers = 5\nwrokers = 5\n", ":2: \"wrokers\" is not a setting of this file."},
		{"= 5", ":1: \"\" is not a setting of this file."},
		{"data = /elsewhere", ":1: \"data\" is not a setting of this file."},
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		write_conf(wrong[i].text);
		REFUSED(arena_printf(&arena, "file %s%s", conf_path(), wrong[i].sentence), NULL);
	}
	write_conf("# one\nqueue = 5\nworkers = 5k\n");
	REFUSED(arena_printf(&arena,
			"The setting workers (file %s:3) is \"5k\"; it takes a whole number from 1 to 1024.",
			conf_path()),
		NULL);
	/* What a stronger source says does not excuse it. */
	assert_int_equal(LOAD("--workers=4", NULL), ST_INVALID);
}

static void test_a_file_is_read_to_its_end_or_not_at_all(void **state)
{
	static const char text[] = "queue = 5\n\0\nworkers = 5\n";
	write_conf_bytes(span_of(text, sizeof(text) - 1));
	REFUSED(arena_printf(&arena, "file %s: a NUL byte is in it; it must be a text.", conf_path()), NULL);
	size_t size = 65 * 1024;
	uint8_t *bytes = arena_alloc(&arena, size);
	memset(bytes, '\n', size);
	write_conf_bytes(span_of(bytes, size));
	assert_int_equal(LOAD(NULL), ST_TOO_LARGE);
	assert_true(text_ends_with(err.text, "."));
	write_conf_bytes(span_of(bytes, 64 * 1024));
	LOADED(NULL);
	write_conf("");
	LOADED(NULL);
}

static int set_up(void **state)
{
	arena_init(&arena);
	for (enum config_key key = 0; key < CONFIG_COUNT; key++) {
		char name[64];
		snprintf(name, sizeof(name), "GYRE_%s", config_name(key));
		for (char *c = name; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		unsetenv(name);
	}
	return 0;
}

static int tear_down(void **state)
{
	unlink(conf_path());
	arena_release(&arena);
	return 0;
}

static int make_folder(void **state)
{
	return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_a_source_there_are_defaults),
		TEST(test_the_table_can_be_listed),
		TEST(test_flags_win_over_environment_over_file),
		TEST(test_the_folder_of_the_file_may_come_from_the_environment),
		TEST(test_the_last_of_several_flags_or_lines_counts),
		TEST(test_dashes_and_underscores_are_the_same),
		TEST(test_values_are_taken_as_they_are),
		TEST(test_wrong_flags_are_named),
		TEST(test_numbers_are_whole_and_in_their_range),
		TEST(test_a_data_folder_has_a_name),
		TEST(test_a_bad_environment_is_named),
		TEST(test_a_file_has_comments_blanks_and_any_line_end),
		TEST(test_a_wrong_line_is_named_by_its_number),
		TEST(test_a_file_is_read_to_its_end_or_not_at_all),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
