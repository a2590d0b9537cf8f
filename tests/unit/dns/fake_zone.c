/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/dns/fake_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "dns/dns_const.h"
#include "dns/rrtype.h"
#include "dns/zonefile.h"

#define SETS_MAX 256
#define SET_LEN	 RRSET_SIZE_MAX
#define TEXT_LEN (1u << 20)

struct fake_zone {
	struct rrset *sets[SETS_MAX];
	size_t n;
	bool is_sigs; /* the second pass: signatures go behind all records */
};

static struct rrset *find(struct fake_zone *z, const uint8_t *owner, uint16_t type)
{
	for (size_t i = 0; i < z->n; i++) {
		if (z->sets[i]->type == type && dname_equal(rrset_owner(z->sets[i]), owner))
			return z->sets[i];
	}
	return NULL;
}

static struct rrset *add(struct fake_zone *z, const uint8_t *owner, uint16_t type, uint32_t ttl)
{
	assert_true(z->n < SETS_MAX);
	z->sets[z->n] = rrset_init(xalloc(SET_LEN), SET_LEN, owner, type, DNS_CLASS_IN, ttl);
	return z->sets[z->n++];
}

static int take(void *arg, unsigned line, const struct rrtext_rr *rr)
{
	struct fake_zone *z = arg;
	struct rrset *set;

	(void)line;
	if (z->is_sigs != (rr->type == DNS_TYPE_RRSIG))
		return 0;
	if (z->is_sigs) {
		set = find(z, rr->owner, rrset_sig_covers(rr->rdata));
		assert_non_null(set);
		return rrset_add_sig(set, SET_LEN, rr->rdata, rr->rdlen);
	}
	set = find(z, rr->owner, rr->type);
	if (!set)
		set = add(z, rr->owner, rr->type, rr->ttl);
	return rrset_add(set, SET_LEN, rr->rdata, rr->rdlen);
}

struct fake_zone *fake_zone_parse(const char *text)
{
	struct fake_zone *z = xcalloc(1, sizeof(*z));
	struct zonefile_error e;

	for (int pass = 0; pass < 2; pass++) {
		z->is_sigs = pass;
		if (zonefile_parse(text, strlen(text), NULL, 3600, take, z, &e) != 0)
			fail_msg("line %u: %s", e.line, e.why);
	}
	return z;
}

struct fake_zone *fake_zone_open(const char *file)
{
	char path[4096], *text = xcalloc(1, TEXT_LEN);
	struct fake_zone *z;
	FILE *f;

	snprintf(path, sizeof(path), "%.*szones/%s", (int)(strrchr(__FILE__, '/') + 1 - __FILE__),
		__FILE__, file);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, TEXT_LEN - 1, f) > 0);
	fclose(f);
	z = fake_zone_parse(text);
	xfree(text);
	return z;
}

void fake_zone_close(struct fake_zone *z)
{
	for (size_t i = 0; i < z->n; i++)
		xfree(z->sets[i]);
	xfree(z);
}

struct rrset *fake_zone_get(struct fake_zone *z, const char *owner, const char *type)
{
	struct rrset *set;
	uint16_t number;

	assert_int_equal(rrtype_read(type, &number), 0);
	set = find(z, fake_name(owner), number);
	if (!set)
		fail_msg("no %s %s", owner, type);
	return set;
}

struct rrset *fake_zone_at(struct fake_zone *z, size_t i)
{
	return i < z->n ? z->sets[i] : NULL;
}

struct rrset *fake_zone_renamed(struct fake_zone *z, const struct rrset *rr, const uint8_t *owner)
{
	struct rrset *copy = add(z, owner, rr->type, rr->ttl);
	struct rrset_iter it = rrset_begin(rr);

	while (rrset_next(&it))
		assert_int_equal(
			(it.is_sig ? rrset_add_sig : rrset_add)(copy, SET_LEN, it.rdata, it.len),
			0);
	return copy;
}

const uint8_t *fake_name(const char *text)
{
	static uint8_t names[64][DNAME_MAX];
	static unsigned next;
	uint8_t *out = names[next++ % 64];
	size_t len;

	assert_int_equal(dname_read(text, out, &len), 0);
	return out;
}
