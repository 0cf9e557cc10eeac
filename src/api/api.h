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
#include "query/filter.h"
#include "store/account_rows.h"
#include "store/blob.h"
#include "store/db.h"
#include "store/recorder.h"
#include "store/rows.h"

struct guard;
struct jobs;
struct loop;
struct quality;
struct reference_world;
struct roster;
struct shadows;
struct spare;
struct serve;
struct submitter;
struct trainings;
struct verdicts;
struct watch;
struct webhooks;
struct config;

struct api {
	const struct config *config;
	struct db_readers *readers;
	struct recorder *recorder;
	struct blob *blobs;
	struct guard *guard;                /* who may call: api/guard.h */
	struct roster *roster;              /* which models answer: deploy/roster.h */
	struct spare *spare;                /* the model that was last tried: deploy/spare.h */
	struct jobs *jobs;                  /* long work: jobs/jobs.h */
	struct loop *loop;                  /* the slow loop: learn/loop.h */
	struct serve *serve;                /* the fast loop: serve/pipeline.h */
	struct submitter *submitter;        /* reviews to datasets: learn/submitter.h */
	struct trainings *trainings;        /* from experiments to versions: learn/training.h */
	struct shadows *shadows;            /* who follows the log: shadow/shadows.h */
	struct quality *quality;            /* what reviews say of the models: watch/quality.h */
	struct verdicts *verdicts;          /* what they say of shadows: watch/verdict.h */
	struct reference_world *references; /* jobs of Training Data: watch/reference_job.h */
	struct watch *watch;                /* what is counted of the log: watch/watch.h */
	struct webhooks *webhooks;          /* who else is told of alerts: watch/webhooks.h */
	struct http_server *http;           /* for events; set after it started */
	struct uuid organization_id;
	struct uuid connector_id;
	char organization_name[64];
	uint8_t signing_key[32];  /* presigned URLs, JWTs */
	const char *spool_folder; /* where large answers wait on their way out */
	const char *demo_file;    /* what `gyre demo` wrote last; it need not be there */
	const char *public_url;   /* "http://127.0.0.1:8080", no slash at the end: never from a Host header */
	_Atomic bool ready;       /* migrations done, roster loaded, listening: /readyz */
};

/* Largest bodies, besides HTTP_JSON_MAX. */
#define API_SMALL_BYTES_MAX (64u << 10)            /* a login; a multipart form around its file */
#define API_IMAGE_BYTES_MAX ((uint64_t)64 << 20)   /* an image to predict on */
#define API_MONITOR_BYTES_MAX ((uint64_t)48 << 20) /* a prediction made elsewhere, its image in base64 */
#define API_CHECK_BYTES_MAX ((uint64_t)512 << 20)  /* labelled pictures, with their annotations */
#define API_UPLOAD_BYTES_MAX                                                                                 \
	((uint64_t)2 << 30) /* a stored file: what a protobuf can hold, so any ONNX model */

/* Who may call a route. Every route names one; RULE_INVALID is refused at start. */
enum api_rule {
	RULE_INVALID,
	RULE_PUBLIC,              /* anybody: health, login, static files */
	RULE_REVIEWER,            /* an API token or a browser session of any person */
	RULE_USER,                /* the same, of members and administrators: not of reviewers */
	RULE_ADMIN,               /* the same, of administrators */
	RULE_SERVICE_OR_REVIEWER, /* a JWT of the deployment {id}, or as RULE_REVIEWER */
	RULE_SERVICE,             /* a JWT of the deployment {id}, or as RULE_USER */
	RULE_ANY_SERVICE,         /* a JWT whose deployment the handler checks, or as RULE_USER */
	RULE_SIGNED,              /* a presigned URL: admission checks its signature, before a body is read */
};

enum caller_kind { CALLER_NOBODY, CALLER_TOKEN, CALLER_SESSION, CALLER_SERVICE };

struct caller {
	enum caller_kind kind;
	struct uuid user_id;
	char user_name[USER_NAME_MAX + 1];
	enum user_role role;
	struct uuid token_id;      /* TOKEN; SERVICE, SESSION: that logged in, zero: a link did */
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
enum status api_id(const struct http_request *req, const char *param, const char *what, struct uuid *out,
	struct err *err) MUST_CHECK;
/* A body member as an id: required unless optional (then *out stays). */
enum status api_json_id(
	yyjson_val *object, const char *key, bool required, struct uuid *out, struct err *err) MUST_CHECK;

/* Add members to an object that is being built; NULL texts and zero ids become null. Texts are not copied. */
void api_add_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, struct uuid id);
void api_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *text);
void api_add_time(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t unix_us); /* 0 becomes null */
/* A stored JSON text as a value; NULL becomes an empty object. */
void api_add_json(
	yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const char *json, struct arena *a);
/* {"items": […], "count": n} */
enum status api_reply_list(struct http_request *req, struct http_reply *reply, yyjson_mut_doc *doc,
	yyjson_mut_val *items, int64_t count);
/* An object as the root of a new document in the request's arena. */
yyjson_mut_val *api_object(struct http_request *req, yyjson_mut_doc **doc);

/* What clients write. A name is not empty and has no control characters; prose may have line breaks.
 * ST_INVALID. */
#define API_NAME_MAX 200                /* characters */
#define API_PROSE_MAX 10000             /* characters */
#define API_STORED_JSON_MAX (64u << 10) /* bytes of one metadata, parameters … */
enum status api_check_name(const char *text, const char *what, struct err *err) MUST_CHECK;
enum status api_check_prose(const char *text, const char *what, struct err *err) MUST_CHECK;
/* The body as a JSON object. */
enum status api_body(struct http_request *req, yyjson_val **object, struct err *err) MUST_CHECK;
/* A member that is a name, or prose. Absent and null leave *out alone, unless required. */
enum status api_json_name(
	yyjson_val *object, const char *key, bool required, const char **out, struct err *err) MUST_CHECK;
enum status api_json_prose(yyjson_val *object, const char *key, const char **out, struct err *err) MUST_CHECK;
/* A member that is an object, as text to be stored. Absent leaves *out alone, null makes it NULL. */
enum status api_json_stored(struct http_request *req, yyjson_val *object, const char *key, const char **out,
	struct err *err) MUST_CHECK;
/* A required text of the query. */
enum status api_query_text(
	const struct http_request *req, const char *name, const char **out, struct err *err) MUST_CHECK;

/*
 * A page of a list of that noun (query/fields.def), by the request's query: limit (1000 when absent: the SDK
 * does not page its short lists), offset, order_by (any field, perhaps with a '-'; may be repeated), q, and
 * where the noun is or has an image custom_metadata, upload_statuses and types. The list uses rows_query().
 */
enum status api_page_of(
	struct http_request *req, enum query_noun noun, struct rows_page *out, struct err *err) MUST_CHECK;
/* The same for a look-up, whose body has q, upload_statuses and types. */
enum status api_page_look_up(struct http_request *req, enum query_noun noun, yyjson_val *body,
	struct rows_page *out, struct err *err) MUST_CHECK;
/* A page of a short list without names to ask by: limit, offset, order_by created_at or name, perhaps with a
 * '-'. `q` is ST_INVALID. */
enum status api_page(const struct http_request *req, struct rows_page *out, struct err *err) MUST_CHECK;
/* {org} and {connector} of the path are ours, else ST_MISSING. */
enum status api_check_organization(const struct http_request *req, struct err *err) MUST_CHECK;
enum status api_check_connector(const struct http_request *req, struct err *err) MUST_CHECK;

/*
 * A reading connection that gives itself back at the end of its scope, so that TRY() may leave in between:
 *
 *	API_READER reader = {0};
 *	TRY(api_read(req, &reader, err));
 *	TRY(model_rows_by_id(reader.conn, …));
 */
struct api_reader {
	struct db_readers *pool;
	struct db_conn *conn;
};
#define API_READER __attribute__((cleanup(api_reader_drop))) struct api_reader
enum status api_read(struct http_request *req, struct api_reader *out, struct err *err) MUST_CHECK;
void api_reader_drop(struct api_reader *r);

/* A write: the job and a line in the audit log in one transaction. action: "model.create". */
enum status api_write(struct http_request *req, const char *action, struct uuid object_id, recorder_job *job,
	void *arg, struct err *err) MUST_CHECK;

#endif
