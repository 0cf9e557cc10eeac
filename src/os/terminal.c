/* SPDX-License-Identifier: Apache-2.0 */
#include "os/terminal.h"

#include <poll.h>
#include <termios.h>
#include <unistd.h>

bool terminal_is_one(int fd)
{
	return isatty(fd) == 1;
}

int terminal_key(int fd, int timeout_ms)
{
	struct termios before, raw;
	bool terminal = tcgetattr(fd, &before) == 0;
	unsigned char byte;
	if (terminal) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(fd, TCSANOW, &raw);
	}
	struct pollfd wanted = {.fd = fd, .events = POLLIN};
	int key = poll(&wanted, 1, timeout_ms) == 1 && read(fd, &byte, 1) == 1 ? byte : -1;
	if (terminal)
		tcsetattr(fd, TCSANOW, &before);
	return key;
}
