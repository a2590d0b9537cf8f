/* SPDX-License-Identifier: Apache-2.0 */
/* Serves a directory over TFTP on a high port of loopback, for measuring with any client, and says
 * at the end what it cost. Not a test; builds with: cc -O2 -I. tests/bench/bench_tftp.c, boot, net,
 * base.
 *
 *     bench_tftp ROOT PORT SECONDS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "boot/bootroot.h"
#include "boot/tftp.h"
#include "net/loop.h"
#include "net/udp.h"

static void stop(void *arg)
{
	loop_stop(arg);
}

int main(int argc, char **argv)
{
	struct udp_conf conf = {.dst = true};
	struct ip_prefix clients[1];
	struct boot_conf boot = {.clients = clients, .n_clients = 1};
	struct bootroot *root;
	struct loop_timer *timer;
	struct tftp_counters c;
	struct rusage used;
	struct loop *loop;
	struct tftp *t;
	struct udp *u;

	if (argc < 4 || ip_prefix_read("127.0.0.0/8", &clients[0]) ||
		ip_read("127.0.0.1", &conf.bind.ip) || bootroot_open(argv[1], &root))
		return 2;
	conf.bind.port = (uint16_t)atoi(argv[2]);
	loop = loop_new();
	t = tftp_new(loop, &boot, root);
	if (udp_open(&conf, &u) || tftp_listen(t, u))
		return 1;
	timer = loop_timer_new(loop, stop, loop);
	loop_timer_start(timer, atoi(argv[3]) * 1000L, 0);
	loop_run(loop);
	c = tftp_counters(t);
	getrusage(RUSAGE_SELF, &used);
	printf("%llu transfers, %.1f MB in %llu blocks, %llu again, CPU %.2f s\n",
		(unsigned long long)c.finished, (double)c.bytes / 1e6, (unsigned long long)c.blocks,
		(unsigned long long)c.retransmits,
		(double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	loop_timer_free(timer);
	tftp_free(t);
	bootroot_close(root);
	loop_free(loop);
	return 0;
}
