/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The REST API: one file for each noun, no logic of its own. A handler reads the
 * request, calls the layer below, and prints JSON.
 *
 * struct api is what a handler may reach; server.c fills it (the composition root)
 * and hands it to the HTTP server as req->app.
 */
#ifndef GYRE_API_API_H
#define GYRE_API_API_H

#include "base/json.h"
#include "base/uuid.h"
#include "http/http.h"
#include "http/server.h"
#include "store/blob.h"
#include "store/db.h"
#include "store/recorder.h"

struct guard;
struct roster;
struct serve;
struct config;

struct api {
	const struct config *config;
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	struct guard *guard;       /* who may call: api/guard.h */
	struct roster *roster;     /* which models answer: deploy/roster.h */
	struct serve *serve;       /* the fast loop: serve/pipeline.h */
	struct http_server *http;  /* for events; set after it started */
	struct uuid organization_id;
	struct uuid connector_id;
	char organization_name[64];
	uint8_t signing_key[32];   /* presigned URLs, JWTs */
	const char *public_url;    /* "http://127.0.0.1:8080", no slash at the end: never from a Host header */
	bool ready;                /* migrations done, roster loaded, listening: /readyz */
};

/* Who may call a route. Every route names one; RULE_INVALID is refused at start. */
enum api_rule {
	RULE_INVALID,
	RULE_PUBLIC,  /* anybody: health, login, static files */
	RULE_USER,    /* an API token or a browser session */
	RULE_SERVICE, /* a deployment's JWT (for {id} of that deployment only), an API token or a browser session */
	RULE_SIGNED,  /* a presigned URL: the handler checks the signature */
};

enum caller_kind { CALLER_NOBODY, CALLER_TOKEN, CALLER_SESSION, CALLER_SERVICE };

struct caller {
	enum caller_kind kind;
	struct uuid user_id;
	char user_name[64];
	struct uuid deployment_id; /* SERVICE */
};

static inline struct api *api_of(const struct http_request *req)
{
	return req->app;
}

static inline const struct caller *caller_of(const struct http_request *req)
{
	return req->caller;
}

/* The table of routes (routes.def), ended by its count. */
extern const struct http_route api_routes[];
extern const size_t api_route_count;

/* ---- helpers that every noun uses (api.c) ---- */

/* A path parameter as an id; ST_MISSING "There is no <what> with the id …" when it is not a UUID. */
enum status api_id(const struct http_request *req, const char *param, const char *what, struct uuid *out, struct err *err) MUST_CHECK;
/* A body member as an id: required unless optional (then *out stays). */
enum status api_json_id(yyjson_val *object, const char *key, bool required, struct uuid *out, struct err *err) MUST_CHECK;

/* Add members to an object that is being built; NULL texts and zero ids become null. Texts are not copied. */
void api_add_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, struct uuid id);
void api_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *text);
void api_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t unix_us); /* 0 becomes null */
/* A stored JSON text as a value; NULL becomes an empty object. */
void api_add_json(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *json, struct arena *a);
/* {"items": […], "count": n} */
enum status api_reply_list(struct http_request *req, struct http_reply *reply, yyjson_mut_doc *doc, yyjson_mut_val *items, int64_t count);

/* A write: the job and a line in the audit log in one transaction. action: "model.create". */
enum status api_write(struct http_request *req, const char *action, struct uuid object_id, recorder_job *job, void *arg, struct err *err) MUST_CHECK;

#endif
