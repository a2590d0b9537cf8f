/* SPDX-License-Identifier: Apache-2.0 */
/* What a build needs of the host, and files read whole. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/build.h"
#include "net/iface.h"

/* ---- lease zones ---- */

void build_domains_fini(struct build_domains *d)
{
	for (size_t i = 0; i < d->n; i++)
		xfree(d->names[i]);
	d->n = 0;
}

static bool build_domains_has(const struct build_domains *d, const char *name)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcasecmp(d->names[i], name) == 0)
			return true;
	return false;
}

void build_domains_add(struct build_domains *d, const struct config *c, struct config_report *rep)
{
	for (size_t i = 0; i < c->n_lan; i++) {
		const char *name = c->lan[i].domain;

		if (strcasecmp(name, c->domain) == 0 || build_domains_has(d, name))
			continue;
		if (d->n == BUILD_DOMAINS_MAX) {
			config_report_add(rep, CONFIG_WARNING, config_where(c, &c->lan[i].domain),
				"more than %d different domains since the start: names of this lan "
				"go to %s",
				BUILD_DOMAINS_MAX, c->domain);
			continue;
		}
		d->names[d->n++] = xstrdup(name);
	}
}

/* ---- interfaces ---- */

static void build_host_name(char out[64])
{
	size_t n = 0;
	char name[256] = "";

	(void)!gethostname(name, sizeof(name) - 1);
	for (; n < 63 && (isalnum((unsigned char)name[n]) || name[n] == '-'); n++)
		out[n] = (char)tolower((unsigned char)name[n]);
	out[n] = '\0';
}

void build_host_read(const struct iface_list *ifaces, struct build_host *out)
{
	build_host_name(out->name);
	out->n_ifaces = iface_count(ifaces);
	out->ifaces = xcalloc(out->n_ifaces + 1, sizeof(*out->ifaces));
	for (size_t i = 0; i < out->n_ifaces; i++)
		out->ifaces[i] = *iface_at(ifaces, i);
}

void build_host_fini(struct build_host *h)
{
	xfree(h->ifaces);
	h->ifaces = NULL;
	h->n_ifaces = 0;
}

uint32_t build_host_lan(const struct build_host *h, const struct config_lan *lan, uint32_t *address)
{
	*address = 0;
	for (size_t i = 0; i < h->n_ifaces; i++) {
		const struct iface *f = &h->ifaces[i];

		if (strcmp(f->name, lan->interface) != 0)
			continue;
		for (size_t k = 0; k < f->n_addrs && !*address; k++)
			if (f->addrs[k].ip.family == AF_INET &&
				ip_prefix_has(&lan->subnet, &f->addrs[k].ip))
				*address = ip_to4(&f->addrs[k].ip);
		return f->index;
	}
	return 0;
}

/* ---- files ---- */

static int build_read_fd(int fd, char **out, size_t *out_len)
{
	size_t cap = 65536, len = 0;
	char *text = xalloc(cap + 1);
	ssize_t n;

	while ((n = read(fd, text + len, cap - len)) > 0) {
		len += (size_t)n;
		if (len > BUILD_FILE_MAX) {
			xfree(text);
			return ERR_LIMIT;
		}
		if (len == cap)
			text = xrealloc(text, (cap *= 2) + 1);
	}
	if (n < 0) {
		xfree(text);
		return err_from_errno(errno);
	}
	text[len] = '\0';
	*out = text;
	*out_len = len;
	return 0;
}

int build_read_file(const char *path, char **out, size_t *out_len)
{
	/* O_NONBLOCK: a FIFO in the place of the file must not stop us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;
	struct stat st;

	if (fd < 0)
		return err_from_errno(errno);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		err = ERR_IO;
	else
		err = build_read_fd(fd, out, out_len);
	close(fd);
	return err;
}

struct boot_conf *build_boot(const struct config *c)
{
	const struct ip_prefix *from = c->boot.clients;
	size_t n = c->boot.n_clients, k = 0, root_len;
	struct ip_prefix *clients;
	struct boot_conf *b;
	char *root;

	if (!n)
		n = c->n_lan * 2;
	root_len = c->boot.root ? strlen(c->boot.root) + 1 : 0;
	b = xcalloc(1, sizeof(*b) + n * sizeof(*clients) + root_len);
	clients = (struct ip_prefix *)(b + 1);
	root = (char *)(clients + n);
	if (c->boot.n_clients) {
		memcpy(clients, from, n * sizeof(*clients));
		k = n;
	} else {
		for (size_t i = 0; i < c->n_lan; i++) {
			if (c->lan[i].subnet.ip.family)
				clients[k++] = c->lan[i].subnet;
			if (c->lan[i].prefix.ip.family)
				clients[k++] = c->lan[i].prefix;
		}
	}
	b->clients = clients;
	b->n_clients = k;
	if (root_len)
		b->root = memcpy(root, c->boot.root, root_len);
	return b;
}
