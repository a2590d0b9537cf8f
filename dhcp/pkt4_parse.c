/* SPDX-License-Identifier: Apache-2.0 */
#include "dhcp/pkt4_parse.h"

#include "base/rbuf.h"
#include "dhcp/dhcp_const.h"

int pkt4_parse(struct pkt4 *p, const uint8_t *pkt, size_t len)
{
	struct rbuf b = rbuf_of(pkt, len);
	uint32_t cookie;
	int err;

	p->op = rbuf_u8(&b);
	p->htype = rbuf_u8(&b);
	p->hlen = rbuf_u8(&b);
	p->hops = rbuf_u8(&b);
	p->xid = rbuf_u32(&b);
	p->secs = rbuf_u16(&b);
	p->flags = rbuf_u16(&b);
	p->ciaddr = rbuf_u32(&b);
	p->yiaddr = rbuf_u32(&b);
	p->siaddr = rbuf_u32(&b);
	p->giaddr = rbuf_u32(&b);
	p->chaddr = rbuf_take(&b, 16);
	rbuf_skip(&b, DHCP_SNAME_LEN + DHCP_FILE_LEN);
	cookie = rbuf_u32(&b);
	p->type = 0;
	if (b.bad)
		return ERR_TRUNC;
	if (cookie != DHCP_COOKIE || p->hlen > 16)
		return ERR_MALFORMED;
	err = opt4_parse(&p->opts, pkt, len);
	if (err == 0 && opt4_has(&p->opts, DHCP_OPT_TYPE) &&
		!opt4_u8(&p->opts, DHCP_OPT_TYPE, &p->type))
		err = ERR_MALFORMED;
	return err;
}
