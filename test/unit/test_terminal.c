/* SPDX-License-Identifier: Apache-2.0 */
/* os/terminal.h: a key comes, none comes, none will; a terminal is left as it was. */
#include "os/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

static void test_a_pipe(void **state)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_false(terminal_is_one(ends[0]));
	assert_int_equal(terminal_key(ends[0], 0), -1);
	assert_int_equal(write(ends[1], "kx", 2), 2);
	assert_int_equal(terminal_key(ends[0], 1000), 'k');
	assert_int_equal(terminal_key(ends[0], 1000), 'x');
	close(ends[1]);
	assert_int_equal(terminal_key(ends[0], 1000), -1);
	close(ends[0]);
}

static void test_a_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		skip();
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_true(terminal_is_one(slave));
	struct termios before, after;
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_int_equal(terminal_key(slave, 0), -1);
	assert_int_equal(tcgetattr(slave, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	assert_true(before.c_lflag & ICANON);
	/* By lines a key without Enter would not come: here it does. */
	struct termios raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
	assert_int_equal(write(master, "K", 1), 1);
	assert_int_equal(terminal_key(slave, 5000), 'K');
	close(slave);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_pipe), cmocka_unit_test(test_a_terminal)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
