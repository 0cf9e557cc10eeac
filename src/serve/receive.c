/* SPDX-License-Identifier: Apache-2.0 */
/* A request → the pinned service of its deployment. A key seen before leads straight to its first answer. */
#include "base/hash.h"
#include "serve/run.h"

/* The first answer of a key that was used before with the same image. ST_CONFLICT with another image. */
static enum status find_by_key(struct run *run, struct err *err)
{
	const struct serve_request *request = run->request;
	if (strlen(request->idempotency_key) > SERVE_KEY_SIZE_MAX)
		return err_set(err, ST_INVALID, "The Idempotency-Key is longer than %d characters.", SERVE_KEY_SIZE_MAX);
	struct sha256 hash = hash_sha256(request->image);
	memcpy(run->body_sha256, hash.bytes, sizeof(run->body_sha256));

	struct db_conn *c;
	TRY(db_reader_take(run->serve->options.readers, &c, err));
	bool found;
	uint8_t stored[32];
	struct uuid prediction_id;
	enum status st = prediction_rows_key(c, request->deployment_id, request->idempotency_key, &found, stored, &prediction_id, err);
	if (st == ST_OK && found && memcmp(stored, run->body_sha256, sizeof(stored)) != 0)
		st = err_set(err, ST_CONFLICT, "The Idempotency-Key \"%s\" was used before with another image.", request->idempotency_key);
	else if (st == ST_OK && found)
		st = prediction_rows_by_id(c, prediction_id, request->arena, &run->row, err);
	db_reader_give(run->serve->options.readers, c);
	TRY(st);
	run->replayed = found;
	return ST_OK;
}

enum status serve_receive(struct run *run, struct err *err)
{
	TRY(roster_pin(run->serve->options.roster, run->request->deployment_id, &run->service, err));
	if (run->request->idempotency_key)
		TRY(find_by_key(run, err));
	/* A retry gets its answer even while the deployment is paused: it was given already. */
	if (run->replayed)
		return ST_OK;
	TRY(service_ready(run->service, err));
	run->prediction = (struct prediction){
		.bytes = run->request->image,
		.model = run->service->model,
		.arena = run->request->arena,
		.pixel_budget = &run->serve->pixel_budget,
	};
	return ST_OK;
}
