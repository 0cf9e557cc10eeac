/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers by chance that depend on a seed and a place alone: which picture is drawn how, in which epoch, is
 * the same on every machine, in whatever order threads ask, and after a resume. SplitMix64 (Steele, Lea and
 * Flood 2014).
 */
#ifndef GYRE_TRAINER_CHANCE_H
#define GYRE_TRAINER_CHANCE_H

#include <stdint.h>

struct chance {
	uint64_t state;
};

static inline uint64_t chance_next(struct chance *c)
{
	uint64_t z = (c->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Of a seed and up to two places in it, such as an epoch and a picture. */
static inline struct chance chance_of(uint64_t seed, uint64_t a, uint64_t b)
{
	struct chance c = {seed};
	c.state = chance_next(&c) ^ a;
	c.state = chance_next(&c) ^ b;
	return c;
}

/* In low … high, high not included. */
static inline float chance_real(struct chance *c, float low, float high)
{
	return low + (high - low) * ((float)(chance_next(c) >> 40) * 0x1p-24f);
}

/* In 0 … count - 1; of counts far below 2^64. */
static inline uint64_t chance_below(struct chance *c, uint64_t count)
{
	return chance_next(c) % count;
}

#endif
