/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler does to its reply (http.h). */
#include "base/check.h"
#include "base/json.h"
#include "http/http.h"

#include <string.h>

void http_reply_header(struct http_reply *reply, const char *name, const char *value)
{
	CHECK(reply->header_count < HTTP_REPLY_HEADERS_MAX);
	CHECK(name != NULL && name[0] != '\0' && value != NULL);
	reply->headers[reply->header_count].name = name;
	reply->headers[reply->header_count].value = value;
	reply->header_count++;
}

enum status http_reply_json(struct http_request *req, struct http_reply *reply, yyjson_mut_doc *doc)
{
	reply->content_type = "application/json";
	reply->body = json_print(doc, req->arena);
	return ST_OK;
}

enum status http_reply_text(
	struct http_request *req, struct http_reply *reply, const char *content_type, const char *text)
{
	reply->content_type = content_type;
	reply->body = arena_copy(req->arena, span_of_text(text));
	return ST_OK;
}

enum status http_reply_empty(struct http_reply *reply, int code)
{
	reply->code = code;
	reply->body = (struct span){0};
	return ST_OK;
}
