/* SPDX-License-Identifier: Apache-2.0 */
/* The fast loop: one prediction from request to answer, by the table of steps (steps.def). */
#ifndef GYRE_SERVE_PIPELINE_H
#define GYRE_SERVE_PIPELINE_H

#include "base/budget.h"
#include "base/json.h"
#include "deploy/roster.h"
#include "store/blob.h"
#include "store/prediction_rows.h"
#include "store/recorder.h"

enum step {
#define STEP(id, name, function, help) STEP_##id,
#include "serve/steps.def"
#undef STEP
	STEP_COUNT
};

const char *step_name(enum step s);

#define SERVE_TAGS_MAX 32
#define SERVE_KEY_SIZE_MAX 200

/* What is asked. Texts and bytes live as long as the call. */
struct serve_request {
	struct uuid deployment_id;
	struct span image; /* the file's bytes */
	/* Of an image that is stored already: its object and the key of its bytes. NULL: it comes with the
	 * request. The object's data is predicted on, or the object becomes data; what this deployment said
	 * of it before is dismissed, but for what somebody reviewed (ST_CONFLICT). */
	const char *object_name, *sha256;
	const char *filename; /* NULL: named by its id */
	const char *source;   /* NULL: "serving" */
	const char *tags[SERVE_TAGS_MAX];
	size_t tag_count;
	const char *metadata; /* JSON objects as text, or NULL */
	const char *custom_metadata;
	const char *idempotency_key; /* NULL: none; the same key and image again get the first answer */
	bool monitor;        /* false: answered but not recorded, as the SDK's predict(monitor=False) asks */
	int64_t received_us; /* clock_mono_us at the head of the request */
	struct arena *arena; /* the answer lives here */
};

/* What a model said of an image that it was asked about elsewhere. */
struct serve_observation {
	struct shapes shapes; /* by falling score, as task/shape.h has them; arena memory */
	int64_t latency_us;
	uint32_t width, height; /* of the image as the caller knows it; 0: not said */
	int64_t at_us;          /* Unix; 0, or far ahead: now */
	bool is_new; /* a stored image that this deployment has seen is ST_CONFLICT, not dismissed */
	/* A shadow's answer to the same; shadow_version_id zero: none. */
	struct uuid shadow_version_id;
	struct shapes shadow_shapes;
	int64_t shadow_latency_us;
};

/* Told after a prediction is durable: for live pages. Its predicted_asset_id is zero when the image was not
 * kept. Called on the request's thread; must be quick. */
typedef void serve_recorded(void *arg, const struct prediction_row *row, size_t shapes_shown);

/* Told of each request that ended without an answer, where and why: an HTTP status, a step's name, a
 * sentence. Not of deployments that do not exist. On the request's thread; must be quick. */
typedef void serve_failed(
	void *arg, struct uuid deployment_id, int http_status, const char *step, const char *text);

struct serve;
struct serve_options {
	struct roster *roster;
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	uint64_t pixel_bytes_max; /* decoded pixels at once, all requests together */
	int64_t seat_timeout_us;  /* how long a request waits for a seat */
	serve_recorded *recorded;
	void *recorded_arg;
	serve_failed *failed; /* or NULL */
	void *failed_arg;
};
struct serve *serve_new(const struct serve_options *options);
void serve_free(struct serve *s);
/* What all who decode images ask for their pixels. */
struct budget *serve_pixel_budget(struct serve *s);

/* *answer: a JSON text in the request's arena. ST_OK means that the prediction is durable. */
enum status serve_predict(struct serve *s, const struct serve_request *request, struct span *answer,
	struct err *err) MUST_CHECK;

/* Records what was predicted elsewhere; *answer as serve_predict's. The image is decoded: ST_UNPROCESSABLE
 * when it cannot be, or is of another size. */
enum status serve_observe(struct serve *s, const struct serve_request *request,
	const struct serve_observation *seen, struct span *answer, struct err *err) MUST_CHECK;
/* A prediction's row for a shadow's answer to an image that was recorded before. */
struct prediction_row serve_shadow_row(const struct prediction_row *champion, struct uuid shadow_version_id,
	const struct shapes *shapes, int64_t latency_us, struct arena *a);

/* Shapes at or above the threshold as a JSON list; *hidden counts those below. Shared with the pages that
 * read the log. */
yyjson_mut_val *serve_shapes_json(yyjson_mut_doc *doc, const struct shapes *shapes, const char *const *labels,
	uint32_t label_count, double threshold, int64_t *hidden, struct arena *a);

/* The shapes as an answer has them: "shapes", how many are "hidden", and the SDK's parallel lists. */
void serve_add_shapes(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct shapes *shapes,
	const char *const *labels, uint32_t label_count, double threshold, struct arena *a);

#endif
