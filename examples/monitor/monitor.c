/* SPDX-License-Identifier: Apache-2.0 */
/* Tell gyre what a model said of an image: monitor IMAGE WIDTH HEIGHT. Build: cc monitor.c -lcurl -o monitor
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 5

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "monitor: %s: %s\n", what, why);
	exit(1);
}

static unsigned char *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		fail(path, "cannot be read");
	long length = ftell(file);
	unsigned char *bytes = length > 0 ? malloc((size_t)length) : NULL;
	rewind(file);
	if (bytes == NULL || fread(bytes, 1, (size_t)length, file) != (size_t)length)
		fail(path, "cannot be read");
	fclose(file);
	*size = (size_t)length;
	return bytes;
}

/* out: 4 characters for each 3 bytes begun, and a NUL. */
static void base64(const unsigned char *bytes, size_t size, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		unsigned long group = (unsigned long)bytes[i] << 16;
		group |= i + 1 < size ? (unsigned long)bytes[i + 1] << 8 : 0;
		group |= i + 2 < size ? (unsigned long)bytes[i + 2] : 0;
		*out++ = digits[group >> 18 & 63];
		*out++ = digits[group >> 12 & 63];
		*out++ = i + 1 < size ? digits[group >> 6 & 63] : '=';
		*out++ = i + 2 < size ? digits[group & 63] : '=';
	}
	*out = '\0';
}

/* Your model: classes (keys of the version's labels), scores, boxes as [top, left, bottom, right] in pixels.
 */
static const char *your_model(const char *path, double *latency_s)
{
	(void)path;
	*latency_s = 0.012;
	return "{\"detection_classes\":[0],\"detection_scores\":[0.87],\"detection_boxes\":[[8,6,40,30]]}";
}

static char *make_body(const char *path, const char *width, const char *height)
{
	size_t size;
	double latency_s;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *predictions = your_model(path, &latency_s);
	unsigned char *bytes = read_file(path, &size);
	size_t room = strlen(name) + strlen(predictions) + (size + 2) / 3 * 4 + 400;
	char *body = malloc(room);
	if (body == NULL)
		fail(path, "is too large for the memory there is");
	int length = snprintf(body, room,
		"{\"filename\":\"%s\",\"content_type\":\"IMAGE/JPEG\",\"width\":%d,\"height\":%d,"
		"\"latency\":%f,\"raw_predictions\":%s,\"source\":\"example\",\"image\":\"",
		name, atoi(width), atoi(height), latency_s, predictions);
	base64(bytes, size, body + length);
	strcat(body, "\"}");
	free(bytes);
	return body;
}

static struct curl_slist *make_headers(const char *path)
{
	char line[512];
	const char *token = getenv("GYRE_TOKEN"), *slash = strrchr(path, '/');
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	snprintf(line, sizeof(line), "Authorization: Bearer %s", token ? token : "");
	headers = curl_slist_append(headers, line);
	/* One of its own for each image: what is sent again is still one prediction. */
	snprintf(line, sizeof(line), "Idempotency-Key: %s-1", slash ? slash + 1 : path);
	return curl_slist_append(headers, line);
}

int main(int argc, char **argv)
{
	char url[512];
	long code = 0;
	const char *host = getenv("GYRE_HOST"), *deployment = getenv("GYRE_DEPLOYMENT");
	if (argc != 4 || host == NULL || deployment == NULL)
		fail("usage", "GYRE_HOST=… GYRE_TOKEN=… GYRE_DEPLOYMENT=… monitor IMAGE WIDTH HEIGHT");
	snprintf(url, sizeof(url), "%s/api/deployment/%s/predictions", host, deployment);
	char *body = make_body(argv[1], argv[2], argv[3]);
	CURL *curl = curl_easy_init();
	if (curl == NULL)
		fail("libcurl", "cannot start");
	struct curl_slist *headers = make_headers(argv[1]);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
	CURLcode result = CURLE_OK;
	for (int tries = 0; tries < TRIES && code != 201; tries++) {
		result = curl_easy_perform(curl); /* prints the answer */
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
		if (result == CURLE_OK && code != 429 && code != 503)
			break; /* asked again it would say the same */
	}
	putchar('\n');
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	free(body);
	if (result != CURLE_OK)
		fail(url, curl_easy_strerror(result));
	return code == 201 ? 0 : 1;
}
