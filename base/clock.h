/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The clocks. Deciding code takes `now` as an argument; only loops read these. */
#include <stdint.h>

int64_t clock_mono_ms(void); /* CLOCK_MONOTONIC */
int64_t clock_mono_us(void);
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME */
int64_t clock_boot_s(void);  /* CLOCK_BOOTTIME: goes on while suspended */
int64_t clock_wall_s(void);  /* CLOCK_REALTIME, Unix time */
int64_t clock_wall_ms(void);
