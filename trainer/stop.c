/* SPDX-License-Identifier: Apache-2.0 */
#include "trainer/stop.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t asked;

static void ask(int number)
{
	asked = 1;
}

void stop_listen(void)
{
	struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	/* Whoever reads the events may be gone; the run and its checkpoints are not theirs. */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
}

bool stop_asked(void)
{
	return asked != 0;
}
