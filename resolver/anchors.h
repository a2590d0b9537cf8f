/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where trust begins and where it is not asked for: the trust anchors and the negative trust
 * anchors of the config (RFC 4035 5, RFC 7646). Anchors are RRsets in the snapshot of the config,
 * DS or DNSKEY, at most one of each per name. Called by the validator; any worker; pure but for the
 * arithmetic of anchors_verify. */
#include <stdint.h>

#include "dns/rrsig.h"
#include "resolver/resolver_conf.h"

/* The closest name at or above name that has an anchor (life: config), or NULL: none has, or a
 * negative anchor is at least as close. */
const uint8_t *anchors_find(const struct resolver_conf *c, const uint8_t *name);

/* Do the anchors of zone vouch for keys, its DNSKEY RRset? RRSIG_KEY_UNSUPPORTED: nothing of theirs
 * can be computed here, the zone is insecure. *out as in ds_verify_keys. */
enum rrsig_result anchors_verify(const struct resolver_conf *c, const struct rrsig_env *env,
	const struct rrset *keys, const uint8_t *zone, struct rrsig_proof *out);
