/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare ONNX Runtime loop that a server is measured against: one session as the engine opens it (all
 * optimisations, one thread, no spinning), the same tensor again and again. Depends on nothing of gyre.
 *
 *	bare LIBRARY MODEL INPUT N SIDES…     INPUT: raw float32 of the shape SIDES
 *
 * Prints one JSON object: runs, CPU and wall seconds of the loop alone, resident memory.
 */
#include <dlfcn.h>
#include <onnxruntime/onnxruntime_c_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static const OrtApi *ort;

static void check(OrtStatus *status)
{
	if (!status)
		return;
	fprintf(stderr, "bare: %s\n", ort->GetErrorMessage(status));
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static float *read_floats(const char *path, size_t count)
{
	float *values = malloc(count * sizeof(float));
	FILE *file = fopen(path, "rb");
	if (!values || !file || fread(values, sizeof(float), count, file) != count) {
		fprintf(stderr, "bare: %s does not hold %zu numbers\n", path, count);
		exit(1);
	}
	fclose(file);
	return values;
}

static OrtSession *open_session(const char *model)
{
	OrtEnv *env;
	OrtSessionOptions *options;
	OrtSession *session;
	check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "bare", &env));
	check(ort->CreateSessionOptions(&options));
	check(ort->SetIntraOpNumThreads(options, 1));
	check(ort->SetInterOpNumThreads(options, 1));
	check(ort->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
	check(ort->AddSessionConfigEntry(options, "session.intra_op.allow_spinning", "0"));
	check(ort->CreateSession(env, model, options, &session));
	return session;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	const OrtApiBase *(*base)(void) = NULL;
	if (library)
		*(void **)&base = dlsym(library, "OrtGetApiBase");
	if (!base || !(ort = base()->GetApi(ORT_API_VERSION))) {
		fprintf(stderr, "bare: %s is no ONNX Runtime\n", argv[1]);
		return 1;
	}
	long runs = atol(argv[4]);
	int64_t shape[8];
	size_t rank = 0, count = 1;
	for (int i = 5; i < argc && rank < 8; i++) {
		shape[rank] = atol(argv[i]);
		count *= (size_t)shape[rank++];
	}
	float *values = read_floats(argv[3], count);
	OrtSession *session = open_session(argv[2]);
	OrtAllocator *allocator;
	char *input_name, *output_names[16];
	size_t output_count;
	OrtMemoryInfo *memory;
	OrtValue *input;
	check(ort->GetAllocatorWithDefaultOptions(&allocator));
	check(ort->SessionGetInputName(session, 0, allocator, &input_name));
	check(ort->SessionGetOutputCount(session, &output_count));
	for (size_t i = 0; i < output_count && i < 16; i++)
		check(ort->SessionGetOutputName(session, i, allocator, &output_names[i]));
	check(ort->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
	check(ort->CreateTensorWithDataAsOrtValue(memory, values, count * sizeof(float), shape, rank,
		ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &input));
	double cpu = 0, wall = 0;
	for (long run = -5; run < runs; run++) { /* five to warm up */
		OrtValue *outputs[16] = {0};
		if (run == 0) {
			cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
			wall = seconds(CLOCK_MONOTONIC);
		}
		check(ort->Run(session, NULL, (const char *const *)&input_name,
			(const OrtValue *const *)&input, 1, (const char *const *)output_names, output_count,
			outputs));
		for (size_t i = 0; i < output_count; i++)
			ort->ReleaseValue(outputs[i]);
	}
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"runs\": %ld, \"cpu_s\": %.6f, \"wall_s\": %.6f, \"rss_mib\": %.1f}\n", runs, cpu, wall,
		(double)usage.ru_maxrss / 1024);
	return 0;
}
