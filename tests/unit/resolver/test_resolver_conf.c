/* SPDX-License-Identifier: Apache-2.0 */
#include "resolver/resolver_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "dns/dname.h"
#include "resolver/acl.h"

static unsigned freed_zones;

void zones_free(struct zones *z)
{
	freed_zones += z != NULL;
}

static unsigned freed_owned;

static void free_owned(void *owned)
{
	freed_owned++;
	xfree(owned);
}

static struct resolver_conf *conf_with(const char *const *zones, size_t n)
{
	struct resolver_conf *c = xcalloc(1, sizeof(*c));
	struct owned {
		struct resolver_forward forwards[8];
		uint8_t names[8][DNAME_MAX];
	} *owned = xcalloc(1, sizeof(*owned));
	size_t len;

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(dname_read(zones[i], owned->names[i], &len), 0);
		owned->forwards[i].zone = owned->names[i];
	}
	c->forwards = owned->forwards;
	c->n_forwards = n;
	c->owned = owned;
	c->free_owned = free_owned;
	resolver_conf_sort(c);
	return c;
}

static const char *forward_of(const struct resolver_conf *c, const char *name)
{
	static char text[DNAME_TEXT_MAX];
	const struct resolver_forward *f;
	uint8_t wire[DNAME_MAX];
	size_t len;

	assert_int_equal(dname_read(name, wire, &len), 0);
	f = resolver_conf_forward(c, wire);
	return f ? dname_format(f->zone, text) : "none";
}

static void the_longest_forward_zone_counts(void **state)
{
	const char *const zones[] = {"example.", "corp.example.", "net.", "a.b.corp.example."};
	struct resolver_conf *c = conf_with(zones, 4);

	(void)state;
	assert_string_equal(forward_of(c, "example."), "example.");
	assert_string_equal(forward_of(c, "www.Example."), "example.");
	assert_string_equal(forward_of(c, "x.CORP.example."), "corp.example.");
	assert_string_equal(forward_of(c, "b.corp.example."), "corp.example.");
	assert_string_equal(forward_of(c, "y.a.b.corp.example."), "a.b.corp.example.");
	assert_string_equal(forward_of(c, "notexample."), "none");
	assert_string_equal(forward_of(c, "."), "none");
	resolver_conf_free(c);
}

static void the_root_forwards_all(void **state)
{
	const char *const zones[] = {".", "corp.example."};
	struct resolver_conf *c = conf_with(zones, 2);

	(void)state;
	assert_string_equal(forward_of(c, "."), ".");
	assert_string_equal(forward_of(c, "org."), ".");
	assert_string_equal(forward_of(c, "corp.example."), "corp.example.");
	resolver_conf_free(c);
}

static void free_gives_back_all_it_owns(void **state)
{
	struct resolver_conf *c = conf_with(NULL, 0);

	(void)state;
	freed_owned = freed_zones = 0;
	c->acl = acl_new(NULL, 0);
	c->zones = (struct zones *)&freed_zones;
	assert_string_equal(forward_of(c, "org."), "none");
	resolver_conf_free(c);
	assert_int_equal(freed_owned, 1);
	assert_int_equal(freed_zones, 1);
	resolver_conf_free(xcalloc(1, sizeof(*c)));
	resolver_conf_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_forward_zone_counts),
		cmocka_unit_test(the_root_forwards_all),
		cmocka_unit_test(free_gives_back_all_it_owns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
