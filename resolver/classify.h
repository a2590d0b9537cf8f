/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What kind of reply this is: first from the header alone (is it worth reading?), then from what
 * scrub_reply left of it. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "dns/msg_parse.h"
#include "resolver/scrub.h"

enum classify_kind {
	CLASSIFY_READ,	    /* header only: go on and read it */
	CLASSIFY_TRUNCATED, /* ask again over TCP */
	CLASSIFY_NO_EDNS,   /* it does not know EDNS */
	CLASSIFY_COOKIE,    /* it wants the cookie it has just sent */
	CLASSIFY_SERVFAIL,  /* it cannot answer */
	CLASSIFY_REFUSED,   /* it does not want to: REFUSED, NOTAUTH */
	CLASSIFY_BROKEN,    /* senseless */
	CLASSIFY_LAME,	    /* it does not serve the zone: upward referral, not authoritative */
	CLASSIFY_RECURSIVE, /* an answer out of some cache, from who should know it itself */
	CLASSIFY_EMPTY,	    /* NOERROR and nothing else; taken for NODATA when all others say so */
	CLASSIFY_ANSWER,
	CLASSIFY_CHAIN, /* goes on at scrub_out.target */
	CLASSIFY_NODATA,
	CLASSIFY_NXDOMAIN,
	CLASSIFY_REFERRAL,
	CLASSIFY_TOO_LONG, /* YXDOMAIN: a DNAME makes the name too long */
	CLASSIFY_KINDS
};

/* had_edns, is_tcp: how it was asked. */
enum classify_kind classify_header(const struct msg *m, bool had_edns, bool is_tcp);
/* may_recurse: from a forwarder, or from who was asked to recurse: it need not be authoritative. */
enum classify_kind classify_content(
	const struct msg *m, const struct scrub_out *s, bool may_recurse);
const char *classify_name(enum classify_kind kind);
