/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run a model in its own process.
 *
 * The parent spawns `gyre engine` with a memfd of tensor slots and one socket for
 * each seat; the child opens ONNX Runtime by dlopen, so that a hostile or broken
 * model can only take down its own process. The parent holds the deadline:
 * terminate, then SIGKILL and start again; three crashes in a row hold the version.
 */
#ifndef GYRE_ENGINE_ENGINE_H
#define GYRE_ENGINE_ENGINE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stdint.h>

#define ENGINE_TENSORS_MAX 16
#define ENGINE_RANK_MAX 8
#define ENGINE_SEATS_MAX 128
#define ENGINE_FEATURES_MAX 256
#define ENGINE_METADATA_MAX 16
#define ENGINE_PATIENCE 16
#define ENGINE_FEATURES_AUTO "auto" /* engine_options.features_output: choose the tensor at open */

enum engine_type {
	ENGINE_FLOAT32,
	ENGINE_FLOAT16,
	ENGINE_UINT8,
	ENGINE_INT8,
	ENGINE_INT32,
	ENGINE_INT64,
	ENGINE_BOOL,
	ENGINE_DOUBLE,
	ENGINE_OTHER
};
size_t engine_type_size(enum engine_type t); /* bytes, 0 for OTHER */
const char *engine_type_name(enum engine_type t);

/* What the graph says of one input or output. Names are cleaned: valid UTF-8 without control characters, cut
 * to fit. */
struct engine_port {
	char name[128];
	enum engine_type type;
	int rank;                            /* -1: not stated */
	int64_t shape[ENGINE_RANK_MAX];      /* -1: dynamic */
	char dim_names[ENGINE_RANK_MAX][32]; /* of dynamic sides: "batch", "height", or "" */
	char made_by[32]; /* outputs: operator that makes it, "Softmax", "Sigmoid", "Concat"…; inputs: "" */
};

/* One of the file's metadata_props, such as Ultralytics' "imgsz" or "names"; a value that does not fit is
 * cut: engine_metadata has it all. */
struct engine_property {
	char key[48];
	char value[208];
};

struct engine_tensor {
	enum engine_type type;
	int rank;
	int64_t shape[ENGINE_RANK_MAX];
	const void *data; /* a private copy, that the child cannot change any more: valid until the seat's
			     next run or engine_seat_give */
	size_t size;      /* bytes */
};

/* What can be known of a version's graph by opening it and running it once on a constant grey input. */
struct engine_description {
	unsigned input_count, output_count;
	struct engine_port inputs[ENGINE_TENSORS_MAX]; /* without initialisers that old exporters list */
	struct engine_port outputs[ENGINE_TENSORS_MAX];
	char producer[64];
	int64_t opset; /* of the standard domain; 0: not stated */
	int64_t ir_version;
	uint64_t weights_bytes; /* of initialisers and constants, as they are in memory */
	unsigned metadata_count;
	struct engine_property metadata[ENGINE_METADATA_MAX]; /* the first ones */
	char features_output[128]; /* tensor to pool as the feature vector; "" if none was found */
	unsigned features_size;    /* after pooling and folding, 1…ENGINE_FEATURES_MAX */
	/* The input as it was tried: batch 1, dynamic sides by probe_side. probe_rank 0: the graph does not
	 * say enough to try. */
	int probe_rank;
	int64_t probe_shape[ENGINE_RANK_MAX];
	bool probed;           /* it ran; to look at its outputs take a seat and run it again */
	int64_t probe_us;      /* time of one run */
	char probe_error[240]; /* why it did not run with a shape that was partly guessed, "" otherwise */
};

struct engine_options {
	const char *model_path; /* a local .onnx file */
	const char
		*features_output;  /* a tensor's name, or ENGINE_FEATURES_AUTO; NULL or "": no feature tap */
	unsigned seats;            /* runs at once, each one thread; 1…ENGINE_SEATS_MAX */
	uint64_t memory_bytes_max; /* RLIMIT_AS of the child beyond what it has at start; 0: none */
	uint64_t slot_bytes_max;   /* all inputs and outputs of one run, default 256 MiB (sparse: untouched
				      pages cost nothing) */
	int64_t load_timeout_us;   /* for open and each restart */
	int64_t run_timeout_us;    /* for one run */
	/* The process stands back for others: it gets the CPU that nobody else wants. Its time-outs count the
	 * CPU time that it got, and end at the latest after ENGINE_PATIENCE times as much by the clock. */
	bool background;
	int64_t probe_side; /* pixels of a dynamic height or width in the probe run; 0: 640 */
};

struct engine;
struct engine_seat;

struct engine_ops {
	const char *name; /* "ort", "fake" */
	enum status (*open)(const struct engine_options *o, struct engine **out, struct err *err);
	void (*describe)(struct engine *e, struct engine_description *out);
	enum status (*take)(struct engine *e, int64_t deadline_us, struct engine_seat **out, struct err *err);
	enum status (*input)(
		struct engine_seat *s, const int64_t *shape, int rank, void **data, struct err *err);
	enum status (*run)(struct engine_seat *s, struct err *err);
	void (*give)(struct engine_seat *s);
	bool (*held)(struct engine *e, struct err *why);
	void (*close)(struct engine *e);
};

struct engine {
	const struct engine_ops *ops;
};
struct engine_seat {
	struct engine *engine;
	struct engine_tensor outputs[ENGINE_TENSORS_MAX]; /* filled by engine_run, in the graph's order */
	unsigned output_count;
	uint16_t features[ENGINE_FEATURES_MAX]; /* IEEE half floats, always finite */
	unsigned features_size;                 /* 0 without a tap */
	int64_t cpu_us;                         /* CPU time of the run in the child */
};

/* Set once at start: where libonnxruntime is. NULL searches beside the executable and the system. Returns
 * ST_UNAVAILABLE with a sentence when it cannot be found; engine_open does the same later. */
enum status engine_library_find(const char *configured, char out[4096], struct err *err) MUST_CHECK;
void engine_library_set(const char *path);

/*
 * Open a model in a child and wait until it is ready. ST_UNPROCESSABLE: the model is at fault (also: it needs
 * more than memory_bytes_max, its outputs more than slot_bytes_max, its process crashed); ST_TIMEOUT: it took
 * too long; ST_UNAVAILABLE: no ONNX Runtime or no process to be had here. Models of one input only.
 */
enum status engine_open(const struct engine_options *o, struct engine **out, struct err *err) MUST_CHECK;
enum status engine_fake_open(const struct engine_options *o, struct engine **out,
	struct err *err) MUST_CHECK; /* no process, constant outputs: for tests */
void engine_describe(struct engine *e, struct engine_description *out);

/* A seat: waits for a free one until deadline_us (clock_mono_us, > 0) → ST_UNAVAILABLE. While the child is
 * being restarted, too; at once when the engine is held after three crashes in a row (it stays so until it is
 * opened anew). */
enum status engine_seat_take(
	struct engine *e, int64_t deadline_us, struct engine_seat **out, struct err *err) MUST_CHECK;
/* Where the (single) input goes: shape as it will be run, type as described; *data has room for it in the
 * slot. */
enum status engine_seat_input(
	struct engine_seat *s, const int64_t *shape, int rank, void **data, struct err *err) MUST_CHECK;
/*
 * ST_FAILED: the model failed on this input, or its process crashed; ST_TIMEOUT: run_timeout_us passed (the
 * run is stopped; a child that does not stop is ended and started again by itself); ST_UNAVAILABLE: the child
 * was ended because of another seat, or is being restarted: the same input may run later. The seat is to be
 * given back in every case.
 */
enum status engine_run(struct engine_seat *s, struct err *err) MUST_CHECK;
void engine_seat_give(struct engine_seat *s);
/* Whether it is held after three crashes in a row, and why. */
bool engine_held(struct engine *e, struct err *why);
void engine_close(struct engine *e); /* waits for seats to be given back, ends the child */

int engine_child_main(int argc, char **argv); /* `gyre engine`: never called by people */

/*
 * Inspect a file's bytes without running it (onnx.c): inputs, outputs, opset, weights, custom operators.
 * ST_UNPROCESSABLE with a sentence: not ONNX, truncated, external data, operators outside the standard
 * domains. Microseconds. Fuzzed.
 */
enum status engine_inspect(struct span file, struct engine_description *out, struct err *err) MUST_CHECK;
/* A value of the file's metadata_props, whole, inside the file's bytes (not NUL-terminated, any bytes).
 * False: there is none. */
bool engine_metadata(struct span file, const char *key, struct span *value);

/* The shape to try an input with: batch 1, 3 channels, dynamic sides as given. Rank of out, or 0 when the
 * port says too little. */
int engine_probe_shape(const struct engine_port *port, int64_t side, int64_t out[ENGINE_RANK_MAX]);

#endif
