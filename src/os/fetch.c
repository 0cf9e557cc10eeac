/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fetch.h"

#include "base/check.h"
#include "base/str.h"
#include "os/address.h"
#include "os/file.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REPLY_BYTES_MAX ((size_t)256 << 20)
#define TIMEOUT_DEFAULT_S 300u
#define URL_BYTES_MAX 2000

struct fetcher {
	CURL *curl;
};

struct fetcher *fetcher_new(void)
{
	struct fetcher *f = calloc(1, sizeof(*f));
	CHECK(f != NULL);
	f->curl = curl_easy_init();
	CHECK(f->curl != NULL);
	return f;
}

void fetcher_free(struct fetcher *f)
{
	curl_easy_cleanup(f->curl);
	free(f);
}

/* An answer on its way: into memory, or into the caller's file. */
struct incoming {
	CURL *curl;
	int file; /* as struct fetch_request's */
	struct str body;
	struct err err;           /* of the file */
	bool allowed;             /* guarded, and the host is named */
	char refused[NI_MAXHOST]; /* the address that is not public; "": none */
};

static size_t collect(char *data, size_t size, size_t count, void *arg)
{
	struct incoming *in = arg;
	long code = 0;
	curl_easy_getinfo(in->curl, CURLINFO_RESPONSE_CODE, &code);
	if (in->file > 0 && code < 400)
		return file_write_all(in->file - 1, data, size * count, &in->err) == ST_OK ? size * count : 0;
	str_append_bytes(&in->body, data, size * count);
	return in->body.full ? 0 : size * count;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	const struct fetch_request *request = arg;
	if (request->progress)
		request->progress(request->progress_arg, (uint64_t)up, (uint64_t)up_total);
	if (request->received)
		request->received(request->progress_arg, (uint64_t)down, (uint64_t)down_total);
	return request->cancel && atomic_load(request->cancel);
}

static curl_mime *build_form(CURL *curl, const struct fetch_request *request)
{
	curl_mime *form = curl_mime_init(curl);
	CHECK(form != NULL);
	for (size_t i = 0; i < request->field_count; i++) {
		const struct fetch_field *field = &request->fields[i];
		curl_mimepart *part = curl_mime_addpart(form);
		CHECK(part != NULL);
		curl_mime_name(part, field->name);
		if (field->path)
			curl_mime_filedata(part, field->path);
		else if (field->value)
			curl_mime_data(part, field->value, CURL_ZERO_TERMINATED);
		else
			curl_mime_data(part, (const char *)field->bytes.data, field->bytes.size);
		if (field->filename)
			curl_mime_filename(part, field->filename);
		if (field->content_type)
			curl_mime_type(part, field->content_type);
	}
	return form;
}

static struct curl_slist *build_headers(const struct fetch_request *request)
{
	struct curl_slist *headers =
		curl_slist_append(NULL, "Expect:"); /* no round trip before each upload */
	CHECK(headers != NULL);
	if (request->token) {
		struct str line;
		str_init(&line, 8192);
		str_printf(&line, "Authorization: Bearer %s", request->token);
		headers = curl_slist_append(headers, str_text(&line));
		CHECK(headers != NULL);
		str_release(&line);
	}
	if (request->body.size) {
		headers = curl_slist_append(headers, "Content-Type: application/json");
		CHECK(headers != NULL);
	}
	for (size_t i = 0; i < request->header_count; i++) {
		headers = curl_slist_append(headers, request->headers[i]);
		CHECK(headers != NULL);
	}
	return headers;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK && *text;
	curl_free(text);
	return has;
}

enum status fetch_check_url(const char *url, struct err *err)
{
	CURLU *parsed = curl_url();
	CHECK(parsed != NULL);
	bool web = text_starts_with(url, "http://") || text_starts_with(url, "https://");
	bool good = web && strlen(url) <= URL_BYTES_MAX &&
		    curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
		    has_part(parsed, CURLUPART_HOST);
	bool named = good && (has_part(parsed, CURLUPART_USER) || has_part(parsed, CURLUPART_PASSWORD));
	curl_url_cleanup(parsed);
	if (!good)
		return err_set(err, ST_INVALID,
			"\"%.200s\" is no address that can be sent to: it must begin with https:// or "
			"http:// and "
			"name a host, in at most %d characters.",
			url, URL_BYTES_MAX);
	if (named)
		return err_set(err, ST_INVALID,
			"The address has a user's name or password in it. Leave them out: what is sent is "
			"signed.");
	return ST_OK;
}

/* ---- the guard ---- */

static bool host_is_allowed(const struct fetch_request *request)
{
	char *host = NULL;
	bool allowed = false;
	CURLU *url = curl_url();
	CHECK(url != NULL);
	if (request->allowed && curl_url_set(url, CURLUPART_URL, request->url, 0) == CURLUE_OK &&
		curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
		allowed = address_host_matches(request->allowed, host);
	curl_free(host);
	curl_url_cleanup(url);
	return allowed;
}

/* Names were looked up by now, so that no name and no way to write a number gets past this. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct incoming *in = arg;
	(void)purpose;
	if (!in->allowed && !address_is_public(&address->addr)) {
		if (getnameinfo(&address->addr, address->addrlen, in->refused, sizeof(in->refused), NULL, 0,
			    NI_NUMERICHOST) != 0)
			memcpy(in->refused, "?", 2);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_guard(CURL *curl, const struct fetch_request *request, struct incoming *in)
{
	in->allowed = host_is_allowed(request);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_public);
	curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, in);
}

static void set_options(CURL *curl, const struct fetch_request *request, struct incoming *in)
{
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(
		curl, CURLOPT_TIMEOUT, (long)(request->timeout_s ? request->timeout_s : TIMEOUT_DEFAULT_S));
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "gyre/" GYRE_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, in);
	if (request->progress || request->received || request->cancel) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request);
	}
	if (request->body.size) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->guarded)
		set_guard(curl, request, in);
}

static enum status failure(
	CURLcode code, const struct fetch_request *request, const struct incoming *in, struct err *err)
{
	if (in->err.status != ST_OK)
		return err_set(err, in->err.status, "%s", in->err.text);
	if (in->body.full)
		return err_set(err, ST_TOO_LARGE, "The answer of %.300s is larger than %zu bytes.",
			request->url, in->body.max);
	if (in->refused[0])
		return err_set(err, ST_FORBIDDEN,
			"%.200s is at the address %.60s, which is of this machine or of a private network. "
			"If "
			"that is meant, name the host in the setting webhook_allow.",
			request->url, in->refused);
	if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK)
		return err_set(err, ST_TIMEOUT, "%.300s did not answer in time.", request->url);
	return err_set(
		err, ST_UNAVAILABLE, "%.300s cannot be reached: %s.", request->url, curl_easy_strerror(code));
}

enum status fetch(struct fetcher *f, const struct fetch_request *request, struct arena *a,
	struct fetch_reply *reply, struct err *err)
{
	struct incoming in = {.curl = f->curl, .file = request->file};
	str_init(&in.body, request->reply_bytes_max ? request->reply_bytes_max : REPLY_BYTES_MAX);
	set_options(f->curl, request, &in);
	struct curl_slist *headers = build_headers(request);
	curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
	curl_mime *form = request->field_count ? build_form(f->curl, request) : NULL;
	if (form)
		curl_easy_setopt(f->curl, CURLOPT_MIMEPOST, form);
	curl_easy_setopt(f->curl, CURLOPT_CUSTOMREQUEST, request->method);
	CURLcode code = curl_easy_perform(f->curl);
	long http_code = 0;
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &http_code);
	curl_mime_free(form);
	curl_slist_free_all(headers);
	enum status st = ST_OK;
	if (code == CURLE_OK)
		*reply = (struct fetch_reply){
			(int)http_code, arena_copy(a, span_of(str_text(&in.body), in.body.size))};
	else
		st = failure(code, request, &in, err);
	str_release(&in.body);
	return st;
}
