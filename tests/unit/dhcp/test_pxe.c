/* SPDX-License-Identifier: Apache-2.0 */
/* Boot files by firmware, in the reply as the firmware reads it. */
#include "dhcp/pxe.h"

#include "fake_lan.h"

static const uint8_t PRL[] = {1, 3, 66, 67, 150};

static struct fake_client machine(void)
{
	struct fake_client c = fake_client(1);

	c.prl = PRL;
	c.n_prl = sizeof(PRL);
	return c;
}

static void boots(struct fake_lan *f)
{
	f->lans[0].boot = (struct dhcp_boot){.bios = "pxelinux.0",
		.uefi = "shimx64.efi",
		.uefi_ia32 = "ia32.efi",
		.uefi_arm64 = "arm64.efi",
		.http = "boot/http.efi",
		.ipxe = "http://10.77.0.1/boot.ipxe"};
}

/* A DISCOVER of a machine with that vendor class and architecture; its file field. */
static const char *file_for(struct fake_lan *f, const char *vendor, int arch, bool ipxe)
{
	struct fake_client c = machine();
	struct fake_pkt p = fake_begin(&c, DHCP_DISCOVER);
	uint8_t a[2] = {0, (uint8_t)arch};

	if (vendor)
		fake_opt(&p, DHCP_OPT_VENDOR_CLASS, vendor, strlen(vendor));
	if (arch >= 0)
		fake_opt(&p, DHCP_OPT_ARCH, a, 2);
	if (ipxe)
		fake_opt(&p, DHCP_OPT_USER_CLASS, "iPXE", 4);
	fake_opt(&p, DHCP_OPT_UUID, "\0uuid-of-16-bytes", 17);
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_OFFER, fake_type(f));
	return (const char *)f->out.bytes + DHCP_FILE_AT;
}

static uint32_t siaddr(struct fake_lan *f)
{
	struct pkt4 r;

	fake_parse(f, &r);
	return r.siaddr;
}

static void each_firmware_gets_its_file(void **state)
{
	struct fake_lan *f = *state;

	boots(f);
	fake_start(f);
	assert_string_equal("pxelinux.0", file_for(f, "PXEClient:Arch:00000", 0, false));
	assert_int_equal(FAKE_SERVER, siaddr(f));
	assert_string_equal("pxelinux.0", file_for(f, "PXEClient", -1, false));
	assert_string_equal("shimx64.efi", file_for(f, "PXEClient:Arch:00007", 7, false));
	assert_string_equal("shimx64.efi", file_for(f, "PXEClient:Arch:00009", 9, false));
	assert_string_equal("ia32.efi", file_for(f, "PXEClient:Arch:00006", 6, false));
	assert_string_equal("arm64.efi", file_for(f, "PXEClient:Arch:00011", 11, false));
}

static void options_66_67_and_150_follow_the_list(void **state)
{
	struct fake_lan *f = *state;

	boots(f);
	fake_start(f);
	file_for(f, "PXEClient", 7, false);
	assert_string_equal("shimx64.efi", fake_text(f, DHCP_OPT_BOOTFILE));
	assert_string_equal("10.77.0.1", fake_text(f, DHCP_OPT_TFTP_NAME));
	assert_int_equal(FAKE_SERVER, fake_u32(f, DHCP_OPT_TFTP_LIST));
	assert_memory_equal("\0uuid-of-16-bytes", fake_text(f, DHCP_OPT_UUID), 17);
	assert_false(fake_has(f, DHCP_OPT_VENDOR_CLASS));
}

static void http_boot_gets_a_url_and_its_class_back(void **state)
{
	struct fake_lan *f = *state;

	boots(f);
	fake_start(f);
	file_for(f, "HTTPClient:Arch:00016:UNDI:003001", 16, false);
	assert_string_equal("http://10.77.0.1/boot/http.efi", fake_text(f, DHCP_OPT_BOOTFILE));
	assert_string_equal("HTTPClient", fake_text(f, DHCP_OPT_VENDOR_CLASS));
	assert_int_equal(0, siaddr(f));
	f->lans[0].boot.http = "https://boot.example/x.efi";
	server4_configure(f->s, &f->conf, f->now);
	file_for(f, "HTTPClient", 16, false);
	assert_string_equal("https://boot.example/x.efi", fake_text(f, DHCP_OPT_BOOTFILE));
}

static void ipxe_is_sent_on(void **state)
{
	struct fake_lan *f = *state;

	boots(f);
	fake_start(f);
	assert_string_equal("http://10.77.0.1/boot.ipxe", file_for(f, "PXEClient", 0, true));
	f->lans[0].boot.ipxe = NULL; /* as its architecture then */
	server4_configure(f->s, &f->conf, f->now);
	assert_string_equal("pxelinux.0", file_for(f, "PXEClient", 0, true));
}

static void ordinary_clients_get_no_boot_file(void **state)
{
	struct fake_lan *f = *state;

	boots(f);
	fake_start(f);
	assert_string_equal("", file_for(f, "MSFT 5.0", -1, false));
	assert_int_equal(0, siaddr(f));
	assert_false(fake_has(f, DHCP_OPT_BOOTFILE));
	assert_string_equal("", file_for(f, "PXEClient", 12, false)); /* PowerPC */
}

static void another_server_can_be_named(void **state)
{
	struct fake_lan *f = *state;

	boots(f);
	f->lans[0].boot.server = IP4(10, 77, 0, 9);
	fake_start(f);
	file_for(f, "PXEClient", 0, false);
	assert_int_equal(IP4(10, 77, 0, 9), siaddr(f));
	file_for(f, "HTTPClient", 16, false);
	assert_string_equal("http://10.77.0.9/boot/http.efi", fake_text(f, DHCP_OPT_BOOTFILE));
}

static void the_device_wins_over_the_lan_by_architecture(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = machine();
	struct dhcp_mac mac;
	struct dhcp_device d = {.macs = &mac, .n_macs = 1, .boot = {.uefi = "own.efi"}};

	boots(f);
	memcpy(mac.bytes, c.mac, 6);
	f->lans[0].devices = &d;
	f->lans[0].n_devices = 1;
	fake_start(f);
	assert_string_equal("own.efi", file_for(f, "PXEClient", 7, false));
	assert_string_equal("pxelinux.0", file_for(f, "PXEClient", 0, false));
}

static void a_long_url_stands_in_the_option_alone(void **state)
{
	struct fake_lan *f = *state;
	char url[201] = "http://boot.example/";

	memset(url + 20, 'x', 180);
	boots(f);
	f->lans[0].boot.ipxe = url;
	fake_start(f);
	assert_string_equal("", file_for(f, "PXEClient", 0, true));
	assert_string_equal(url, fake_text(f, DHCP_OPT_BOOTFILE));
}

static void a_file_given_once_is_given_once(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = machine();
	struct fake_pkt p;

	boots(f);
	fake_start(f);
	assert_int_equal(ERR_RANGE, server4_boot_once(f->s, c.mac, "", f->now));
	assert_int_equal(0, server4_boot_once(f->s, c.mac, "install.efi", f->now));
	assert_string_equal("", file_for(f, NULL, -1, false)); /* its system does not use it up */
	assert_string_equal("install.efi", file_for(f, "PXEClient", 7, false));
	p = fake_selecting(&c, fake_yiaddr(f));
	fake_opt(&p, DHCP_OPT_VENDOR_CLASS, "PXEClient", 9);
	fake_opt(&p, DHCP_OPT_ARCH, "\0\7", 2);
	f->commit_err = ERR_IO;
	fake_send(f, &c, &p);
	assert_string_equal("install.efi", file_for(f, "PXEClient", 7, false));
	f->commit_err = 0;
	p = fake_selecting(&c, fake_yiaddr(f));
	fake_opt(&p, DHCP_OPT_VENDOR_CLASS, "PXEClient", 9);
	fake_opt(&p, DHCP_OPT_ARCH, "\0\7", 2);
	fake_send(f, &c, &p);
	assert_int_equal(DHCP_ACK, fake_type(f));
	assert_string_equal("install.efi", (const char *)f->out.bytes + DHCP_FILE_AT);
	assert_string_equal("shimx64.efi", file_for(f, "PXEClient", 7, false));
	assert_int_equal(0, server4_boot_once(f->s, c.mac, "again.efi", f->now));
	assert_int_equal(0, server4_boot_once(f->s, c.mac, NULL, f->now));
	assert_string_equal("shimx64.efi", file_for(f, "PXEClient", 7, false));
}

static void files_given_once_have_a_ceiling_and_an_end(void **state)
{
	struct fake_lan *f = *state;
	struct fake_client c = fake_client(1);

	fake_start(f);
	for (unsigned i = 0; i < DHCP_BOOT_ONCE_MAX; i++) {
		c = fake_client(i);
		assert_int_equal(0, server4_boot_once(f->s, c.mac, "x", f->now));
		assert_int_equal(0, server4_boot_once(f->s, c.mac, "y", f->now));
	}
	c = fake_client(999);
	assert_int_equal(ERR_LIMIT, server4_boot_once(f->s, c.mac, "x", f->now));
	f->now.mono_ms += (int64_t)DHCP_BOOT_ONCE_S * 1000;
	f->now.wall_s += DHCP_BOOT_ONCE_S;
	assert_int_equal(0, server4_boot_once(f->s, c.mac, "x", f->now));
	assert_string_equal("x", file_for(f, "PXEClient", 0, false)[0] ? "?" : "x"); /* too old */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST_CONF(each_firmware_gets_its_file),
		FAKE_TEST_CONF(options_66_67_and_150_follow_the_list),
		FAKE_TEST_CONF(http_boot_gets_a_url_and_its_class_back),
		FAKE_TEST_CONF(ipxe_is_sent_on),
		FAKE_TEST_CONF(ordinary_clients_get_no_boot_file),
		FAKE_TEST_CONF(another_server_can_be_named),
		FAKE_TEST_CONF(the_device_wins_over_the_lan_by_architecture),
		FAKE_TEST_CONF(a_file_given_once_is_given_once),
		FAKE_TEST_CONF(files_given_once_have_a_ceiling_and_an_end),
		FAKE_TEST_CONF(a_long_url_stands_in_the_option_alone),
	};

	return FAKE_RUN(tests);
}
