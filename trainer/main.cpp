// SPDX-License-Identifier: Apache-2.0
// gyre-train: what a model's file can be trained to, and training it.
#include "trainer/check.h"
#include "trainer/command.h"
#include "trainer/create.h"
#include "trainer/net.h"
#include "trainer/train.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

namespace
{

std::vector<char> read_file(const char *path)
{
	std::ifstream file(path, std::ios::binary);
	if (!file)
		throw std::runtime_error(std::string(path) + " cannot be read.");
	return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Raw floats in, raw floats out: for comparing with ONNX Runtime.
int run(int argc, char **argv)
{
	const char *path = command_option(argc, argv, "--model"), *in = command_option(argc, argv, "--input"),
		   *out = command_option(argc, argv, "--output");
	const char *sides_text = command_option(argc, argv, "--sides"),
		   *written = command_option(argc, argv, "--write");
	if (!path || !in || !out || !sides_text)
		return EXIT_CODE_USAGE;
	std::vector<int64_t> sides;
	std::stringstream list(sides_text);
	for (std::string side; std::getline(list, side, ',');)
		sides.push_back(std::stoll(side));
	ModelFile model(read_file(path));
	Net net(model.file);
	std::vector<char> input = read_file(in);
	at::Tensor x = at::from_blob(input.data(), sides, at::kFloat).clone();
	if (static_cast<size_t>(x.numel()) * sizeof(float) != input.size())
		throw std::runtime_error("The input's size is not that of its sides.");
	at::NoGradGuard none;
	std::ofstream file(out, std::ios::binary);
	for (const at::Tensor &y : net.forward(x)) {
		at::Tensor plain = y.to(at::kFloat).contiguous();
		file.write(reinterpret_cast<const char *>(plain.data_ptr<float>()),
			static_cast<std::streamsize>(plain.numel() * 4));
	}
	if (written) {
		net.write(model.bytes.data());
		std::ofstream(written, std::ios::binary)
			.write(model.bytes.data(), static_cast<std::streamsize>(model.bytes.size()));
	}
	return EXIT_CODE_DONE;
}

int train(int argc, char **argv)
{
	const char *path = command_option(argc, argv, "--job");
	return path ? train_command(path) : EXIT_CODE_USAGE;
}

const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{"check", check_command,
		"--model FILE [--recipe FILE] [--labels N]: whether it can be trained, as JSON; exit code 3 "
		"and the reason when not"},
	{"create", create_command,
		"--arch det-t|det-p|cls-n --labels labels.json --size 160x160 --output FILE [--seed 1]: a "
		"first model, with nothing learnt yet"},
	{"train", train, "--job job.json: in the folder of a run, as docs/trainers.md describes it"},
	{"run", run,
		"--model FILE --input FLOATS --sides 1,3,416,416 --output FLOATS [--write FILE]: as ONNX "
		"Runtime would"},
};
} // namespace

int main(int argc, char **argv)
{
	int code = EXIT_CODE_USAGE;
	if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
		std::puts("gyre-train " TRAINER_VERSION);
		return EXIT_CODE_DONE;
	}
	try {
		for (const auto &command : commands)
			if (argc > 1 && std::strcmp(argv[1], command.name) == 0)
				code = command.run(argc, argv);
	} catch (const Refused &refused) {
		std::fprintf(stderr, "gyre-train: %s\n", refused.what());
		return EXIT_CODE_NOT_TRAINABLE;
	} catch (const std::exception &failed) {
		std::fprintf(stderr, "gyre-train: %s\n", failed.what());
		return EXIT_CODE_FAILED;
	}
	if (code == EXIT_CODE_USAGE) {
		std::fprintf(stderr, "usage: gyre-train COMMAND …\n");
		for (const auto &command : commands)
			std::fprintf(stderr, "  %-6s %s\n", command.name, command.usage);
	}
	return code;
}
