/* SPDX-License-Identifier: Apache-2.0 */
/* The organization: what the SDK asks for when it connects. */
#include "api/api.h"
#include "api/nouns.h"

enum status api_ping(struct http_request *req, struct http_reply *reply, struct err *err)
{
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	/* The SDK warns when this is newer than itself; ours never is. */
	api_add_text(doc, root, "sdk_version", GYRE_VERSION);
	api_add_id(doc, root, "default_organization", api_of(req)->organization_id);
	api_add_text(doc, root, "username", caller_of(req)->user_name);
	return http_reply_json(req, reply, doc);
}

static enum status reply_organization(struct http_request *req, struct http_reply *reply)
{
	const struct api *api = api_of(req);
	yyjson_mut_doc *doc;
	yyjson_mut_val *root = api_object(req, &doc);
	api_add_id(doc, root, "id", api->organization_id);
	api_add_text(doc, root, "name", api->organization_name);
	api_add_id(doc, root, "default_connector_id", api->connector_id);
	return http_reply_json(req, reply, doc);
}

enum status api_organization_find(struct http_request *req, struct http_reply *reply, struct err *err)
{
	const char *name;
	TRY(api_query_text(req, "name", &name, err));
	if (strcmp(name, api_of(req)->organization_name) != 0)
		return err_set(err, ST_MISSING, "There is no organization named \"%.200s\".", name);
	return reply_organization(req, reply);
}

enum status api_organization_get(struct http_request *req, struct http_reply *reply, struct err *err)
{
	TRY(api_check_organization(req, err));
	return reply_organization(req, reply);
}
