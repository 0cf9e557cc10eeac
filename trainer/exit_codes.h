/* SPDX-License-Identifier: Apache-2.0 */
/* Exit codes of the trainer's contract: docs/trainers.md. */
#pragma once

enum exit_code {
	EXIT_CODE_DONE = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_NOT_TRAINABLE = 3,
	EXIT_CODE_DATASET = 4,
	EXIT_CODE_DIVERGED = 5,
	EXIT_CODE_RESOURCES = 6,
	EXIT_CODE_STOPPED = 143
};
