/* SPDX-License-Identifier: Apache-2.0 */
/* os/archive.h: what is in an archive is what was put there, byte for byte and stored. */
#include "base/check.h"
#include "os/archive.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <cmocka.h>

static char folder[] = "/var/tmp/gyre-archive-XXXXXX";

static int make_folder(void **state)
{
	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(folder); /* fails when anything was left in it */
}

struct late {
	const char *text; /* NULL: it cannot be opened */
	int opened;
};

static enum status open_late(void *arg, int *fd, uint64_t *size, struct err *err)
{
	struct late *l = arg;
	char path[100];
	l->opened++;
	if (l->text == NULL)
		return err_set(err, ST_MISSING, "This picture is gone.");
	snprintf(path, sizeof(path), "%s/late-XXXXXX", folder);
	*fd = mkstemp(path);
	unlink(path);
	*size = strlen(l->text);
	assert_int_equal(write(*fd, l->text, *size), *size);
	assert_int_equal(lseek(*fd, 0, SEEK_SET), 0);
	return ST_OK;
}

static zip_t *open_archive(int fd)
{
	char path[40];
	int code;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	zip_t *zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
	assert_non_null(zip);
	return zip;
}

static void assert_holds(zip_t *zip, const char *name, const char *text)
{
	char got[100] = "";
	zip_stat_t info;
	assert_int_equal(zip_stat(zip, name, ZIP_FL_ENC_UTF_8, &info), 0);
	assert_int_equal(info.size, strlen(text));
	assert_int_equal(info.comp_method, ZIP_CM_STORE);
	zip_file_t *file = zip_fopen(zip, name, ZIP_FL_ENC_UTF_8);
	assert_non_null(file);
	assert_int_equal(zip_fread(file, got, sizeof(got)), strlen(text));
	assert_int_equal(zip_fclose(file), 0); /* which checks the sum */
	assert_string_equal(got, text);
}

static void test_what_is_put_in_comes_out(void **state)
{
	struct late late = {.text = "opened when its turn came"}, nothing = {.text = ""};
	struct err err;
	int fd;
	uint64_t size;
	const struct archive_entry entries[] = {
		{.name = "annotations.json", .bytes = span_of_text("{\"images\":[]}")},
		{.name = "images/Größe 寸.jpg", .open = open_late, .arg = &late},
		{.name = "empty", .bytes = span_of_text("")},
		{.name = "images/empty", .open = open_late, .arg = &nothing},
	};
	assert_int_equal(
		archive_write(folder, entries, COUNT_OF(entries), 1000000000, &fd, &size, &err), ST_OK);
	struct stat info;
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(info.st_size, size);
	assert_int_equal(info.st_nlink, 0);
	zip_t *zip = open_archive(fd);
	assert_int_equal(zip_get_num_entries(zip, 0), 4);
	assert_holds(zip, "annotations.json", "{\"images\":[]}");
	assert_holds(zip, "images/Größe 寸.jpg", late.text);
	assert_holds(zip, "empty", "");
	assert_holds(zip, "images/empty", "");
	zip_discard(zip);
	close(fd);
}

static void test_the_same_entries_are_the_same_bytes(void **state)
{
	struct late late = {.text = "x"};
	struct err err;
	uint64_t sizes[2];
	char bytes[2][1000];
	const struct archive_entry entries[] = {
		{.name = "a", .bytes = span_of_text("1")}, {.name = "b", .open = open_late, .arg = &late}};
	for (int i = 0; i < 2; i++) {
		int fd;
		assert_int_equal(archive_write(folder, entries, 2, 1000000000, &fd, &sizes[i], &err), ST_OK);
		assert_true(sizes[i] < sizeof(bytes[i]));
		assert_int_equal(read(fd, bytes[i], sizeof(bytes[i])), sizes[i]);
		close(fd);
	}
	assert_int_equal(sizes[0], sizes[1]);
	assert_memory_equal(bytes[0], bytes[1], sizes[0]);
}

static void test_what_cannot_be_opened_is_said(void **state)
{
	struct late gone = {0};
	struct err err;
	int fd;
	uint64_t size;
	const struct archive_entry entries[] = {
		{.name = "a", .bytes = span_of_text("1")}, {.name = "gone", .open = open_late, .arg = &gone}};
	assert_int_equal(archive_write(folder, entries, 2, 1000000000, &fd, &size, &err), ST_MISSING);
	assert_string_equal(err.text, "This picture is gone.");
	assert_true(gone.opened > 0);
	assert_int_equal(
		archive_write("/var/tmp/gyre-no-such-folder", entries, 1, 0, &fd, &size, &err), ST_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_put_in_comes_out),
		cmocka_unit_test(test_the_same_entries_are_the_same_bytes),
		cmocka_unit_test(test_what_cannot_be_opened_is_said),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
