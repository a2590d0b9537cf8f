/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The devices of a dhcp_conf, found by client identifier, by MAC and by address. Built once a
 * snapshot; borrows from it. O(1). One thread. */
#include <stdint.h>

#include "base/hash.h"
#include "dhcp/client4.h"
#include "dhcp/dhcp_conf.h"

struct reserve;
struct reserve *reserve_new(const struct dhcp_conf *conf, const struct hash_key *key);
void reserve_free(struct reserve *r); /* NULL allowed */

/* The device a client is in that lan: by identifier before MAC, the lan's own before those of every
 * lan; NULL none. An identifier in the config may be given with or without its type byte. */
const struct dhcp_device *reserve_find(
	const struct reserve *r, const struct dhcp_lan *lan, const struct client4 *c);
/* The device that has this address; NULL none. */
const struct dhcp_device *reserve_of_address(const struct reserve *r, uint32_t addr);
/* Calls fn with each address a device has. */
void reserve_each_address(const struct reserve *r, void (*fn)(uint32_t addr, void *arg), void *arg);
