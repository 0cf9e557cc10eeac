/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of two is better, from disagreements that one or the other wins, looked at after each of them for as
 * long as one likes: a mixture of bets on the share p of wins, p uniform on (1/2, 1) (metrics.md 5; Ramdas,
 * Grünwald, Vovk, Shafer 2023). P(ever log_e >= log(1/alpha)) <= alpha when neither is better. Pure.
 */
#ifndef GYRE_STATS_E_PROCESS_H
#define GYRE_STATS_E_PROCESS_H

#include <stdint.h>

#define E_PROCESS_DECIDES 20.0 /* 1 / 0.05 */

/* log E after so many wins and losses: log(2^(w+l+1) B(1+w, 1+l) P(Beta(1+w, 1+l) > 1/2)). */
double e_process_log(uint64_t wins, uint64_t losses);
/* How many more disagreements it takes on average until log E >= log needed when wins go on at about the rate
 * seen; 0: none; UINT64_MAX: it is not known, as wins are hardly more than losses. */
uint64_t e_process_more(uint64_t wins, uint64_t losses, double needed);

#endif
