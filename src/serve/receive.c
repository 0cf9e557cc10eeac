/* SPDX-License-Identifier: Apache-2.0 */
/* A request → the pinned service of its deployment. A key seen before leads straight to its first answer. */
#include "base/hash.h"
#include "serve/run.h"
#include "store/gone_rows.h"

/* Its image is there, or was not kept, or is no more. */
static enum status find_recorded(struct db_conn *c, struct uuid id, struct run *run, struct err *err)
{
	enum status st = prediction_rows_by_id(c, id, run->request->arena, &run->row, err);
	if (st != ST_MISSING)
		return st;
	run->unkept = true;
	TRY(gone_rows_by_id(c, id, run->request->arena, &run->row, err));
	run->row.prediction.predicted_asset_id = (struct uuid){{0}};
	run->row.filename = run->request->filename;
	return ST_OK;
}

enum status serve_find_by_key(struct run *run, struct err *err)
{
	const struct serve_request *request = run->request;
	struct db_conn *c;
	TRY(db_reader_take(run->serve->options.readers, &c, err));
	bool found;
	uint8_t stored[32];
	struct uuid prediction_id;
	enum status st = prediction_rows_key(
		c, request->deployment_id, request->idempotency_key, &found, stored, &prediction_id, err);
	if (st == ST_OK && found && memcmp(stored, run->body_sha256, sizeof(stored)) != 0)
		st = err_set(err, ST_CONFLICT,
			"The Idempotency-Key \"%s\" was used before with another image.",
			request->idempotency_key);
	else if (st == ST_OK && found)
		st = find_recorded(c, prediction_id, run, err);
	db_reader_give(run->serve->options.readers, c);
	TRY(st);
	run->replayed = found;
	return ST_OK;
}

enum status serve_look_up_key(struct run *run, struct err *err)
{
	size_t size = strlen(run->request->idempotency_key);
	if (size == 0)
		return err_set(err, ST_INVALID,
			"The Idempotency-Key is empty; leave it away, or give each image its own.");
	if (size > SERVE_KEY_SIZE_MAX)
		return err_set(err, ST_INVALID, "The Idempotency-Key is longer than %d characters.",
			SERVE_KEY_SIZE_MAX);
	struct sha256 hash = hash_sha256(run->request->image);
	memcpy(run->body_sha256, hash.bytes, sizeof(run->body_sha256));
	return serve_find_by_key(run, err);
}

enum status serve_receive(struct run *run, struct err *err)
{
	TRY(roster_pin(run->serve->options.roster, run->request->deployment_id, &run->service, err));
	if (run->request->idempotency_key)
		TRY(serve_look_up_key(run, err));
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
