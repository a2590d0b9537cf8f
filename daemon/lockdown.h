/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which files the daemon still needs once it has given its privileges up: the folders of everything
 * that the configuration names, to read, and the state dir, to write. Then net/privs closes the
 * rest. Called once, in main's thread, before any other starts. */

struct service;

/* Fills s->privs; what could not be reached is logged, and the daemon runs on. */
void lockdown_apply(struct service *s);
