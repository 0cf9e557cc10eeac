/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts that come from model files and from model processes, made fit for a sentence, a log line
 * and JSON. */
#ifndef GYRE_ENGINE_SENTENCE_H
#define GYRE_ENGINE_SENTENCE_H

#include "base/span.h"

/* Valid UTF-8 without control characters (each bad byte becomes '?'), cut at a character's border to fit
 * room, NUL-terminated. */
void sentence_clean(struct span text, char *out, size_t room);
/* ONNX Runtime's error texts: one line, without the paths and functions of its source, without a full stop at
 * the end. */
void sentence_of_runtime(const char *text, char *out, size_t room);

#endif
