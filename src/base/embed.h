/* SPDX-License-Identifier: Apache-2.0 */
/* Files compiled into the binary by tools/embed.sh, which writes a table of these sorted as given. */
#ifndef GYRE_BASE_EMBED_H
#define GYRE_BASE_EMBED_H

#include <stddef.h>

struct embedded_file {
	const char *name;          /* relative to the folder given to embed.sh: "assets/index.js.gz" */
	const unsigned char *data; /* a NUL follows the last byte, so that text can be used as it is */
	size_t size;               /* bytes, without that NUL */
};

#endif
