// SPDX-License-Identifier: Apache-2.0
// A job from its start model to output/model.onnx.
#pragma once

#include <stdexcept>
#include <string>

// How a run ends before its end, with the exit code of the trainer's contract.
struct Ended : std::runtime_error {
	int code;
	Ended(int code, const std::string &sentence) : std::runtime_error(sentence), code(code)
	{
	}
};

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

// gyre-train train --job FILE: returns the exit code, after the event that says why.
int train_command(const char *job_path);
