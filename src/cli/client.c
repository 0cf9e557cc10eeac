/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cli/where.h"

#include "base/check.h"
#include "base/str.h"
#include "base/uuid.h"

#include <stdarg.h>
#include <stdio.h>

enum status client_call(struct client *c, const char *method, yyjson_mut_doc *body, yyjson_val **out,
	struct err *err, const char *path, ...)
{
	char text[2048];
	va_list args;
	va_start(args, path);
	int size = vsnprintf(text, sizeof(text), path, args);
	va_end(args);
	CHECK(size > 0 && (size_t)size < sizeof(text));
	struct fetch_request request = {
		.method = method,
		.url = arena_printf(&c->arena, "%s%s", c->host, text),
		.token = c->token,
		.body = body ? json_print(body, &c->arena) : (struct span){0},
	};
	struct fetch_reply reply;
	TRY(fetch(c->fetcher, &request, &c->arena, &reply, err));
	return client_read(c, &reply, out, err);
}

enum status client_read(struct client *c, const struct fetch_reply *reply, yyjson_val **out, struct err *err)
{
	yyjson_doc *doc = NULL;
	*out = NULL;
	struct err parse_err;
	if (reply->body.size && json_parse(reply->body, &c->arena, &doc, &parse_err) == ST_OK)
		*out = yyjson_doc_get_root(doc);
	if (reply->code < 400) {
		if (reply->body.size && doc == NULL)
			return err_set(err, ST_INTERNAL,
				"%s answered with something that is not JSON; is it a gyre server?", c->host);
		return ST_OK;
	}
	const char *message = yyjson_get_str(yyjson_obj_get(*out, "message"));
	enum status st = reply->code == 404   ? ST_MISSING
			 : reply->code == 409 ? ST_CONFLICT
			 : reply->code == 503 ? ST_UNAVAILABLE
					      : ST_INVALID;
	if (message)
		return err_set(err, st, "%s", message);
	return err_set(err, st, "%s answered with the HTTP status %d.", c->host, reply->code);
}

enum status client_open(struct client *c, struct err *err)
{
	*c = (struct client){.token = cli_token()};
	arena_init(&c->arena);
	c->fetcher = fetcher_new();
	char *host = arena_strdup(&c->arena, cli_host());
	size_t size = strlen(host);
	while (size && host[size - 1] == '/')
		host[--size] = '\0';
	c->host = host;
	if (c->token == NULL || *c->token == '\0')
		return err_set(err, ST_UNAUTHENTICATED,
			"No token: give --token or set GYRE_TOKEN (the first one is in the file admin-token "
			"of the server's data folder).");
	yyjson_val *ping, *organization;
	TRY(client_call(c, "GET", NULL, &ping, err, "/api/home/ping"));
	c->organization_id = yyjson_get_str(yyjson_obj_get(ping, "default_organization"));
	if (c->organization_id == NULL)
		return err_set(err, ST_INTERNAL, "%s does not answer like a gyre server.", c->host);
	TRY(client_call(c, "GET", NULL, &organization, err, "/api/organization/%s", c->organization_id));
	c->connector_id = yyjson_get_str(yyjson_obj_get(organization, "default_connector_id"));
	return c->connector_id ? ST_OK
			       : err_set(err, ST_INTERNAL, "%s does not answer like a gyre server.", c->host);
}

void client_close(struct client *c)
{
	fetcher_free(c->fetcher);
	arena_release(&c->arena);
}

char *client_escape(struct client *c, const char *text)
{
	struct str out;
	str_init(&out, 4096);
	for (const char *at = text; *at; at++) {
		bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
			     (*at >= 'A' && *at <= 'Z') || strchr("-._~", *at);
		if (plain)
			str_append_bytes(&out, at, 1);
		else
			str_printf(&out, "%%%02X", (unsigned char)*at);
	}
	char *copy = arena_strdup(&c->arena, str_text(&out));
	str_release(&out);
	return copy;
}

enum status client_deployment(struct client *c, const char *name_or_id, yyjson_val **out, struct err *err)
{
	struct uuid id;
	const char *key = uuid_parse(name_or_id, &id) ? "id" : "name";
	return client_call(c, "GET", NULL, out, err, "/api/organization/%s/deployments/find?%s=%s",
		c->organization_id, key, client_escape(c, name_or_id));
}

enum status client_version(struct client *c, const char *model_and_version, yyjson_val **out, struct err *err)
{
	char *name = arena_strdup(&c->arena, model_and_version), *colon = strrchr(name, ':');
	const char *number = NULL;
	if (colon && colon[1] && strspn(colon + 1, "0123456789") == strlen(colon + 1)) {
		*colon = '\0';
		number = colon + 1;
	}
	yyjson_val *model, *list;
	TRY(client_call(c, "GET", NULL, &model, err, "/api/organization/%s/models/find?name=%s",
		c->organization_id, client_escape(c, name)));
	const char *id = yyjson_get_str(yyjson_obj_get(model, "id"));
	if (number)
		return client_call(
			c, "GET", NULL, out, err, "/api/model/%s/versions/find?version=%s", id, number);
	TRY(client_call(
		c, "GET", NULL, &list, err, "/api/model/%s/versions?limit=1&order_by=-created_at", id));
	*out = yyjson_arr_get_first(yyjson_obj_get(list, "items"));
	return *out ? ST_OK : err_set(err, ST_MISSING, "The model %s has no version yet.", name);
}

void client_print(yyjson_val *value)
{
	char *text = yyjson_val_write(value, 0, NULL);
	CHECK(text != NULL);
	puts(text);
	free(text);
}
