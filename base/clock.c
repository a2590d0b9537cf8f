/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

static struct timespec clock_read(clockid_t id)
{
	struct timespec now = {0};

	/* Cannot fail for the clocks asked for here. */
	(void)clock_gettime(id, &now);
	return now;
}

int64_t clock_mono_ms(void)
{
	struct timespec now = clock_read(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
	struct timespec now = clock_read(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_boot_ms(void)
{
	struct timespec now = clock_read(CLOCK_BOOTTIME);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_boot_s(void)
{
	return clock_read(CLOCK_BOOTTIME).tv_sec;
}

int64_t clock_wall_s(void)
{
	return clock_read(CLOCK_REALTIME).tv_sec;
}

int64_t clock_wall_ms(void)
{
	struct timespec now = clock_read(CLOCK_REALTIME);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
