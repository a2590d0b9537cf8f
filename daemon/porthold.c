/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/porthold.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define PORTHOLD_INODES 32 /* sockets on one port looked at */

struct porthold_inodes {
	size_t n;
	unsigned long list[PORTHOLD_INODES];
};

/* Local port in hexadecimal behind the address; the inode is the tenth column. */
static void porthold_read_table(const char *path, uint16_t port, struct porthold_inodes *out)
{
	char line[512];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f) && out->n < PORTHOLD_INODES) {
		unsigned local_port, state;
		unsigned long inode;

		if (sscanf(line, " %*u: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*u %*u %lu",
			    &local_port, &state, &inode) == 3 &&
			local_port == port && inode)
			out->list[out->n++] = inode;
	}
	fclose(f);
}

static bool porthold_is_listed(const struct porthold_inodes *inodes, const char *link)
{
	unsigned long inode;

	if (sscanf(link, "socket:[%lu]", &inode) != 1)
		return false;
	for (size_t i = 0; i < inodes->n; i++)
		if (inodes->list[i] == inode)
			return true;
	return false;
}

static bool porthold_process_has(const char *pid, const struct porthold_inodes *inodes)
{
	char path[64], link[64];
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (n > 0) {
			link[n] = '\0';
			found = porthold_is_listed(inodes, link);
		}
	}
	if (d)
		closedir(d);
	return found;
}

/* Name of the first process that has one of the sockets; pid 0 when none can be seen. */
static long porthold_find(const struct porthold_inodes *inodes, char *name, size_t cap)
{
	struct dirent *e;
	char path[64];
	long pid = 0;
	DIR *d = opendir("/proc");
	FILE *f;

	while (d && !pid && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) && porthold_process_has(e->d_name, inodes))
			pid = strtol(e->d_name, NULL, 10);
	if (d)
		closedir(d);
	if (!pid)
		return 0;
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(name, (int)cap, f))
		snprintf(name, cap, "a process");
	name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
	return pid;
}

static const char *porthold_remedy(const char *name, uint16_t port)
{
	if (strncmp(name, "systemd-resolve", 15) == 0)
		return "put DNSStubListener=no under [Resolve] in /etc/systemd/resolved.conf and "
		       "run "
		       "`systemctl restart systemd-resolved`, or name the LAN's addresses in "
		       "dns.listen";
	if (strcmp(name, "lanthornd") == 0)
		return "another lanthornd is running; stop it, or give this one other addresses in "
		       "dns.listen";
	if (port == 53)
		return "stop it (`systemctl disable --now NAME`), or name other addresses in "
		       "dns.listen";
	return "stop it (`systemctl disable --now NAME`)";
}

char *porthold_text(const struct ip_port *port, bool is_tcp, char *buf, size_t cap)
{
	struct porthold_inodes inodes = {0};
	char name[64] = "";
	long pid;

	porthold_read_table(is_tcp ? "/proc/net/tcp" : "/proc/net/udp", port->port, &inodes);
	porthold_read_table(is_tcp ? "/proc/net/tcp6" : "/proc/net/udp6", port->port, &inodes);
	pid = porthold_find(&inodes, name, sizeof(name));
	if (pid)
		snprintf(buf, cap, "%s (pid %ld) holds it: %s", name, pid,
			porthold_remedy(name, port->port));
	else
		snprintf(buf, cap, "another program holds it: %s", porthold_remedy("", port->port));
	return buf;
}
