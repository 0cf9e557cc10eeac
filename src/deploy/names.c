/* SPDX-License-Identifier: Apache-2.0 */
#include "deploy/names.h"

#include "base/check.h"
#include "base/hash.h"

static const char *const adjectives[] = {"amber", "brave", "bright", "brisk", "calm", "clear", "clever",
	"crisp", "daring", "eager", "early", "fair", "fleet", "gentle", "glad", "golden", "hardy", "honest",
	"humble", "keen", "kind", "lively", "loyal", "lucid", "mellow", "merry", "nimble", "noble", "patient",
	"plain", "proud", "quick", "quiet", "rapid", "ready", "silver", "steady", "sunny", "swift", "tidy",
	"vivid", "warm", "wise", "witty"};

static const char *const nouns[] = {"badger", "beacon", "birch", "brook", "cedar", "comet", "condor", "coral",
	"crane", "delta", "ember", "falcon", "fern", "fjord", "gecko", "glacier", "grove", "harbor", "hawk",
	"heron", "ibis", "island", "juniper", "kestrel", "lagoon", "lark", "lynx", "maple", "marten",
	"meadow", "orchid", "osprey", "otter", "pebble", "pine", "puffin", "raven", "reef", "river", "robin",
	"sparrow", "summit", "tern", "willow"};

const char *names_random(struct arena *a)
{
	uint32_t pick[2];
	random_fill(pick, sizeof(pick));
	return arena_printf(
		a, "%s-%s", adjectives[pick[0] % COUNT_OF(adjectives)], nouns[pick[1] % COUNT_OF(nouns)]);
}
