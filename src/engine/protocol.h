/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server and a model's process say to each other: fixed structs, one
 * a packet. Both ends are the same executable, so there is one version of them.
 * The child may be hostile: docs/internals/engine.md says who checks what.
 */
#ifndef GYRE_ENGINE_PROTOCOL_H
#define GYRE_ENGINE_PROTOCOL_H

#include "engine/engine.h"
#include "os/proc.h"

#define PROTOCOL_TEXT_SIZE 240
#define PROTOCOL_ALIGNMENT 64 /* of tensors in a slot, bytes */

/* The child's file descriptors. */
enum {
	PROTOCOL_FD_CONTROL = PROC_FDS_FIRST, /* protocol_start →, ← protocol_report, protocol_stop → */
	PROTOCOL_FD_MEMORY,                   /* seats * slot_bytes, sealed */
	PROTOCOL_FD_MODEL,                    /* the .onnx file, for reading */
	PROTOCOL_FD_SEATS /* one socket for each seat: protocol_run →, ← protocol_result */
};

struct protocol_start {
	int32_t parent_pid;
	uint32_t seats;
	uint64_t slot_bytes;
	uint64_t memory_bytes_max;
	char library[4096];        /* of ONNX Runtime; a bare name is looked up by dlopen */
	char features_output[128]; /* "", ENGINE_FEATURES_AUTO or a name */
	uint32_t background;       /* stand back for other processes */
	uint32_t input_type;       /* enum engine_type */
	int32_t probe_rank;        /* 0: do not try it */
	int64_t probe_shape[ENGINE_RANK_MAX];
};

/* How far the child has come; the texts are for "… while %s". */
enum protocol_stage {
	PROTOCOL_STARTING,
	PROTOCOL_CHOOSING,
	PROTOCOL_LOADING,
	PROTOCOL_TRYING,
	PROTOCOL_READY
};

/* Sent at the beginning of each stage, and once with status != ST_OK when the child gives up. */
struct protocol_report {
	uint32_t stage;
	uint32_t status;
	char text[PROTOCOL_TEXT_SIZE];
	char features_output[128];
	uint32_t features_size;
	uint32_t probe_status; /* ST_OK: probe_us is known; otherwise probe_text says why */
	int64_t probe_us;
	char probe_text[PROTOCOL_TEXT_SIZE];
};

/* Stop run `sequence` of a seat at its next operator. */
struct protocol_stop {
	uint64_t sequence;
	uint32_t seat;
	uint32_t reserved;
};

/* The input lies at the beginning of the seat's slot. */
struct protocol_run {
	uint64_t sequence;
	int32_t rank;
	uint32_t reserved;
	int64_t shape[ENGINE_RANK_MAX];
	uint64_t size; /* bytes */
};

struct protocol_tensor {
	uint32_t type; /* enum engine_type; ENGINE_OTHER has no data */
	int32_t rank;
	int64_t shape[ENGINE_RANK_MAX];
	uint64_t offset, size; /* bytes, in the slot */
};

struct protocol_result {
	uint64_t sequence;
	uint32_t status; /* ST_OK, ST_FAILED, ST_TIMEOUT (stopped), ST_UNPROCESSABLE (output over slot_bytes)
			  */
	uint32_t output_count;
	struct protocol_tensor outputs[ENGINE_TENSORS_MAX];
	int64_t cpu_us;
	uint32_t features_size;
	uint16_t features[ENGINE_FEATURES_MAX];
	char text[PROTOCOL_TEXT_SIZE];
};

#endif
